/** How many cases are how urgent, as bars one can press to see only those. */

import { h, replace } from "../base/dom.js";
import { number, t, told } from "../base/texts.js";
import { URGENCIES } from "./urgency.js";

/**
 * Return the bars and `show(counts, chosen)`.
 * @param {function(string|null): void} onChoose The urgency pressed; `null` where it is let go.
 */
export function queueCounts(onChoose) {
  const list = h("ul", { class: "queue-counts" });
  return { node: h("section", { class: "card", "aria-label": t("queue.counts") }, list), show };

  function show(counts, chosen) {
    const most = Math.max(1, ...Object.values(counts));
    const focused = document.activeElement?.dataset?.urgency;
    replace(list, URGENCIES.map(({ code, colour }) => h("li", null,
      h("button", {
        type: "button", class: "count", "data-urgency": code, "aria-pressed": String(code === chosen),
        onclick: () => onChoose(code === chosen ? null : code),
      },
      h("span", { class: "name" }, told("urgency", code)),
      h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: "bar", style: { width: `${(100 * counts[code]) / most}%`, background: colour } })),
      h("strong", { class: "number" }, number(counts[code]))))));
    if (focused) list.querySelector(`[data-urgency="${focused}"]`)?.focus();
  }
}
