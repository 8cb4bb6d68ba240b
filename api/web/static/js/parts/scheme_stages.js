/** Stages of a transition with their measures, other ways, and what the departments do. */

import { h } from "../base/dom.js";
import { kva, number, percent, t } from "../base/texts.js";
import { plainTable } from "./plain_table.js";

const WAY_CHARACTERS = 90;

/** Return stages, alternatives, failures and tasks. */
export function stages(scheme) {
  const { transition, tasks } = scheme;
  return h("div", null,
    transition === null ? null : [
      h("p", null, t(transition.is_complete ? "scheme.complete" : "scheme.incomplete", { demand: kva(transition.demand_kva) }), " ", transition.funding),
      h("ol", { class: "stages" }, transition.stages.map(stage)),
      plainTable(t("scheme.alternatives"), transition.alternatives, [
        ["way", way], ["point", ({ connection_point: at }) => at.name], ["capacity", ({ capacity_kva: value }) => kva(value), true],
        ["cost", ({ cost }) => t("scheme.cny10k", { amount: number(cost.total_typical_cny10k, 2) }), true], ["workdays", ({ duration_workdays: days }) => number(days), true]]),
      plainTable(t("scheme.failed"), transition.failed, [["way", way], ["point", ({ element_source_id: id }) => id ?? ""], ["why", ({ reason }) => reason]]),
    ],
    tasks.length === 0 ? null : plainTable(t("scheme.tasks"), tasks, [["department", ({ department }) => department], ["task", ({ text }) => text], ["due", ({ due }) => due]]));
}

/** Long lists of measures are folded to their beginning. */
function way({ text }) {
  if (text.length <= WAY_CHARACTERS) return text;
  return h("details", null, h("summary", { class: "plain" }, `${text.slice(0, WAY_CHARACTERS)}…`), text);
}

function stage(one) {
  const { verification: v, cost } = one;
  return h("li", { class: "stage" },
    h("h3", null, t("scheme.stage_no", { no: number(one.stage_no) }), " ", h("strong", null, kva(one.capacity_kva))),
    h("p", null, one.text),
    h("dl", { class: "facts" },
      one.connection_point ? fact("point", `${one.connection_point.name} · ${one.connection_mode ?? ""}`) : null,
      v ? fact("u_customer", `${number(v.u_pu_customer, 4)} p.u.`) : null,
      v ? fact("line_loading", percent(v.line_loading_ratio_max)) : null,
      v ? fact("transformer_loading", percent(v.transformer_loading_ratio_max)) : null,
      cost ? fact("cost", t("scheme.cny10k", { amount: number(cost.total_typical_cny10k, 2) })) : null,
      fact("workdays", number(one.duration_workdays)),
      fact("starts_after", one.starts_after)),
    one.measures.length === 0 ? null : [h("h4", null, t("scheme.measures")), h("ul", null, one.measures.map((measure) =>
      h("li", null, measure.text, " ", h("span", { class: "quiet" }, `${number(measure.quantity, 3)} ${measure.unit}`))))]);
}

function fact(name, text) {
  return h("div", null, h("dt", null, t(`scheme.${name}`)), h("dd", null, text));
}
