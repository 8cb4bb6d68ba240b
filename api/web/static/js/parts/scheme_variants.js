/** Variants of a scheme side by side: one is looked at, and issued where that is asked for. */

import { h } from "../base/dom.js";
import { number, percent, t, told } from "../base/texts.js";

const SCORE_DIGITS = 3;
const LIVE = new Set(["held", "committed", "energised"]);
const HEAD_REM = 7;
const COLUMN_REM = 7.5;

/** Lines of the comparison: name, content of a variant, figure of which the least (or most) is marked. */
function lines(scheme) {
  const first = scheme.variants[0];
  return [
    ["point", (v) => [h("strong", null, v.connection_point.name), h("span", { class: "quiet small block" }, v.connection_mode)]],
    ["feeder", (v) => [v.transformer_area ?? v.feeder ?? t("unknown"), h("span", { class: "quiet small block" }, v.substation ?? t("unknown"))]],
    first.further_sources.length > 0 ? ["further", (v) => v.further_sources.map((s) => h("span", { class: "block" }, `${s.role} ${s.connection_point.name}`))] : null,
    ["length_m", (v) => `${number(v.route.length_m)} m${v.route.is_estimated ? ` ${t("scheme.estimated")}` : ""}`, (v) => v.route.length_m, "min"],
    ["laying", (v) => `${told("scheme.laying", v.route.laying)} ${v.route.line_label || v.route.line_type_id}`],
    ["cost", (v) => t("scheme.cny10k", { amount: number(v.cost.total_typical_cny10k, 2) }), (v) => v.cost.total_typical_cny10k, "min"],
    ["cost_customer", (v) => t("scheme.cny10k", { amount: number(v.cost.customer_typical_cny10k, 2) }), (v) => v.cost.customer_typical_cny10k, "min"],
    ["u_customer", (v) => `${number(v.verification.u_pu_customer, 4)} p.u.`],
    ["line_loading", (v) => percent(v.verification.line_loading_ratio_max), (v) => v.verification.line_loading_ratio_max, "min"],
    ["transformer_loading", (v) => percent(v.verification.transformer_loading_ratio_max), (v) => v.verification.transformer_loading_ratio_max, "min"],
    ["losses", (v) => `${number(v.verification.losses_kw, 2)} kW`, (v) => v.verification.losses_kw, "min"],
    ["ik3", (v) => (v.verification.ik3_ka === null ? t("unknown") : `${number(v.verification.ik3_ka, 2)} kA`)],
    ["limit_on", (v) => v.timeline.limit_on ?? t("unknown")],
    ["promise_on", (v) => v.timeline.promise_on ?? v.timeline.promise_text],
    ["score", (v) => h("strong", null, number(v.score.total, SCORE_DIGITS)), (v) => v.score.total, "max"],
    ...Object.keys(first.score.weights).map((part) => [`score.${part}`, (v) => scorePart(v, part)]),
  ].filter(Boolean);
}

/**
 * Return the table of variants.
 * @param {Object} scheme
 * @param {number} chosen Rank of the one that is looked at.
 * @param {function(number): void} onChoose
 * @param {Object|null} hold What is held, so that the variant it was issued for is marked.
 */
export function variantTable(scheme, chosen, onChoose, hold) {
  const held = hold !== null && LIVE.has(hold.state) ? hold.sources[0]?.node_element_id : undefined;
  const { variants } = scheme;
  const heads = variants.map((v) => h("th", { scope: "col", class: v.rank === chosen ? "is-chosen" : null },
    h("label", null, h("input", { type: "radio", name: "variant", value: String(v.rank), checked: v.rank === chosen, onchange: () => onChoose(v.rank) }),
      t("scheme.variant_no", { no: number(v.rank) })),
    v.connection_point.element_source_id === held ? h("span", { class: "badge warn best" }, t("scheme.issued")) : null));
  return h("div", { class: "scroll compare", role: "region", tabindex: "0", "aria-label": t("scheme.variants") },
    h("table", { style: { minWidth: `${HEAD_REM + COLUMN_REM * variants.length}rem` } },
      h("thead", null, h("tr", null, h("td", null), heads)),
      h("tbody", null, lines(scheme).map(([name, tell, figure, best]) => line(name, variants, chosen, { tell, figure, best })))));
}

function line(name, variants, chosen, { tell, figure, best }) {
  const figures = figure ? variants.map(figure).filter((value) => value !== null) : [];
  const mark = figures.length > 1 && new Set(figures).size > 1 ? Math[best](...figures) : null;
  const head = name.startsWith("score.") ? told("scheme.score", name.slice("score.".length)) : t(`scheme.${name}`);
  return h("tr", { class: name.startsWith("score.") ? "part" : null }, h("th", { scope: "row" }, head), variants.map((v) => {
    const isBest = mark !== null && figure(v) === mark;
    return h("td", { class: [v.rank === chosen ? "is-chosen" : "", figure ? "number" : ""].join(" ").trim() || null },
      tell(v), isBest ? h("span", { class: "badge good best" }, t("scheme.best")) : null);
  }));
}

function scorePart(variant, part) {
  const value = variant.score.parts[part] ?? null;
  return h("span", { class: "score" },
    h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: "bar", style: { width: `${100 * (value ?? 0)}%` } })),
    h("span", { class: "number" }, t("scheme.weighted", { value: number(value, 2), weight: percent(variant.score.weights[part], 0) })));
}
