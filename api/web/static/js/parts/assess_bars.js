/** What is asked of an element against what is open there: who is connected, who is not. */

import { h } from "../base/dom.js";
import { kva, number, t, told } from "../base/texts.js";

/**
 * Return the bars of conflicts, the worst first.
 * @param {Object} result
 * @param {function(Object): void} onPick
 */
export function conflictBars({ conflicts, byId }, onPick) {
  if (conflicts.length === 0) return h("p", { class: "notice good" }, t("assess.conflicts.none"));
  const rows = conflicts.map((one) => ({ one, connected: connectedKva(one, byId) })).sort((a, b) => missing(b) - missing(a));
  return h("div", null,
    h("ul", { class: "key" }, h("li", null, h("span", { class: "swatch asked-connected" }), t("assess.connected")), h("li", null, h("span", { class: "swatch asked-refused" }), t("assess.not_connected")), h("li", null, h("span", { class: "swatch asked-open" }), t("assess.open_now"))),
    h("ol", { class: "asked-bars" }, rows.map(({ one, connected }) => {
      const most = 1.05 * Math.max(one.asked_kva, one.open_kva ?? 0, 1e-9);
      const width = (value) => `${(100 * value) / most}%`;
      return h("li", null,
        h("div", { class: "row between nowrap" }, h("button", { type: "button", class: "plain name", onclick: () => onPick(one) }, one.name), h("span", { class: "quiet small" }, told("assess.element", one.element_kind))),
        h("span", { class: "track", "aria-hidden": "true" },
          h("span", { class: "bar asked-connected", style: { width: width(connected) } }),
          h("span", { class: "bar asked-refused", style: { width: width(Math.max(0, one.asked_kva - connected)) } }),
          one.open_kva === null ? null : h("span", { class: "mark-open", style: { left: width(Math.max(0, one.open_kva)) } })),
        h("p", { class: "small" }, t("assess.conflict.told", { asked: kva(one.asked_kva), open: kva(one.open_kva), served: number(one.served.length), refused: number(one.refused.length) })));
    })));
}

function missing({ one, connected }) {
  return one.asked_kva - connected;
}

/** Return how much of what is asked of an element is connected now. */
export function connectedKva({ served, refused }, byId) {
  return [...served, ...refused].reduce((sum, id) => sum + Math.min(byId.get(id)?.queue.now_kva ?? 0, byId.get(id)?.queue.asked_kva ?? Infinity), 0);
}
