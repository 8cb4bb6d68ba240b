/** The rules' answer to a wish for power: days, steps, money, papers, and where each figure comes from. */

import { h } from "../base/dom.js";
import { kva, number, t, told } from "../base/texts.js";

/** Return what the rules say, as `POST /v1/public/guide` told it. */
export function guideView(guide) {
  return [
    guide.reasons.length > 0 ? h("ul", { class: "notice warn pm-reasons", lang: "zh-CN" }, guide.reasons.map(({ text }) => h("li", null, text))) : null,
    guide.supply === null ? null : h("dl", { class: "facts" },
      fact("public_map.supply", supplyText(guide.supply)),
      fact("public_map.days", daysText(guide)),
      guide.works.length > 0 ? fact("public_map.works_days", guide.works.map(({ mode, duration_workdays: days }) =>
        h("span", { class: "pm-piece" }, told("public_map.mode", mode), " ", days === null ? t("public_map.by_utility") : t("public_map.workdays", { days: number(days) })))) : null,
      fact("public_map.steps", guide.steps === null ? t("public_map.by_utility")
        : h("ol", { class: "pm-steps", lang: "zh-CN" }, guide.steps.map((step) => h("li", null, step)))),
      fact("public_map.who_pays", investmentText(guide.investment)),
      fact("public_map.fees", feesText(guide.fees)),
      fact("public_map.works_cost", t("public_map.works_cost.unknown")),
      fact("public_map.papers", guide.required_documents === null ? t("public_map.by_utility")
        : h("ul", { class: "pm-papers", lang: "zh-CN" }, guide.required_documents.map((one) => h("li", null, one)))),
      fact("public_map.valid", guide.validity_months === null ? t("public_map.by_utility") : t("public_map.months", { months: number(guide.validity_months) }))),
    guide.missing.length > 0 ? h("p", { class: "small" }, t("public_map.missing", { names: guide.missing.map(({ name }) => name).join(t("public_map.and")) })) : null,
    h("details", null, h("summary", null, t("public_map.basis", { count: number(guide.policy_reads.length) })),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("public_map.basis.label") },
        h("table", { class: "small" }, h("thead", null, h("tr", null, ["name", "clause", "since"].map((key) => h("th", { scope: "col" }, t(`public_map.basis.${key}`))))),
          h("tbody", null, guide.policy_reads.map((read) => h("tr", null, h("td", null, read.name || read.id), h("td", null, read.clause), h("td", null, read.effective_from))))))),
  ];
}

/** Return one fact of a list; nothing for a value nobody has. */
export function fact(key, ...value) {
  return h("div", null, h("dt", null, t(key)), h("dd", null, value));
}

function supplyText({ voltage, phases, capacity_kva: capacity, source_count: count, source_kind: kind, transformer_kva: size, transformer_count: pieces }) {
  const station = size === null ? null : t("public_map.transformers", { count: number(pieces), size: kva(size) });
  return [`${voltage} ${phases}`, kva(capacity), count > 1 ? kind : null, station].filter(Boolean).join(" · ");
}

/** Working days of the whole procedure; one line where works change nothing, two where they do. */
function daysText({ limits }) {
  if (limits.length === 0) return t("public_map.by_utility");
  const line = ({ limit_workdays: days, works_are_added: isAdded }) => (days === 0 ? t("public_map.same_day")
    : t(isAdded ? "public_map.workdays_plus" : "public_map.workdays", { days: number(days) }));
  const texts = limits.map(line);
  const clauses = [...new Set(limits.map(({ clause }) => clause))].join(" / ");
  const lines = texts.every((text) => text === texts[0]) ? [h("span", { class: "pm-piece" }, texts[0])]
    : limits.map((limit, at) => h("span", { class: "pm-piece" }, t(limit.has_supporting_works ? "public_map.with_works" : "public_map.without_works"), " ", texts[at]));
  return [lines, h("span", { class: "quiet small pm-piece" }, clauses)];
}

function investmentText(found) {
  if (found === null) return t("public_map.by_utility");
  return [
    h("span", { class: "pm-piece" }, t("public_map.boundary", { boundary: found.boundary })),
    h("span", { class: "pm-piece" }, t("public_map.utility_builds", { what: found.utility_scope })),
    h("span", { class: "pm-piece" }, t("public_map.customer_builds", { what: found.customer_scope })),
    found.offers.map((offer) => h("span", { class: "pm-piece" }, offer)),
    h("span", { class: "quiet small pm-piece" }, found.clause),
  ];
}

function feesText(fees) {
  if (fees === null) return t("public_map.by_utility");
  if (fees.length === 0) return t("public_map.no_fees");
  return fees.map(({ name, amount_cny: amount, basis }) => h("span", { class: "pm-piece" }, `${name} ${amount === null ? t("unknown") : t("yuan", { amount })} · ${basis}`));
}
