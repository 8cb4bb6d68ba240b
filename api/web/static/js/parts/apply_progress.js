/** What is being done while an application is answered: the stages, a bar where there is something to count. */

import { h, replace } from "../base/dom.js";
import { t } from "../base/texts.js";

const STAGES = ["queued", "grid", "search", "documents", "record"];

/**
 * Make the view.
 * @param {function(): void} onLeave
 * @returns {{node: HTMLElement, tell: function({done: number, total: number|null, what: string}): void}}
 */
export function answerProgress(onLeave) {
  const bar = h("progress", { "aria-label": t("apply.progress.title") });
  const now = h("p", { class: "now", role: "status" });
  const stages = h("ol", { class: "stages" });
  const node = h("section", { class: "card answering", tabindex: "-1", "aria-label": t("apply.progress.title") },
    h("h2", null, t("apply.progress.title")), now, bar, stages,
    h("p", { class: "quiet" }, t("apply.progress.hint")),
    h("button", { type: "button", class: "second", onclick: onLeave }, t("apply.progress.leave")));
  tell({ done: 0, total: null, what: STAGES[0] });
  return { node, tell };

  function tell({ done, total, what }) {
    const at = STAGES.indexOf(what);
    const isCounted = total !== null && what === "search";
    replace(now, t(`apply.stage.${what}`), isCounted && done > 0 ? ` · ${t("apply.progress.flows", { done })}` : null);
    if (isCounted) {
      bar.max = total;
      bar.value = done;
    } else bar.removeAttribute("value");
    replace(stages, STAGES.map((stage, place) => h("li", { class: place < at ? "done" : place === at ? "current" : null, "aria-current": place === at ? "step" : null },
      h("span", { class: "sign", "aria-hidden": "true" }), t(`apply.stage.${stage}`), place < at ? h("span", { class: "unseen" }, t("apply.stage_done")) : null)));
  }
}
