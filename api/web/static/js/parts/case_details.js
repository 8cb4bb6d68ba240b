/** What is written in the reply beside the comparison: supply, installation, metering, money, papers. */

import { h } from "../base/dom.js";
import { getLanguage, number, t, told } from "../base/texts.js";

/** Return a list of facts; what is not known is left out where `null`. */
export function facts(rows) {
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}

export function bullets(lines) {
  return h("ul", null, lines.map((line) => h("li", null, line)));
}

/** Return who pays what: the boundary and the fees. */
export function moneyCard({ investment, fees, variants, isConsultation, roundingNote }) {
  if (investment === null && fees.length === 0) return null;
  return h("section", { class: "card" },
    h("h2", null, t("case.money")),
    investment ? facts([
      [t("case.money.boundary"), investment.boundary],
      [t("case.money.utility"), investment.utility_scope],
      [t("case.money.customer"), investment.customer_scope],
      [t("case.money.offers"), investment.offers.length > 0 ? bullets(investment.offers) : null],
    ]) : null,
    fees.length > 0 ? feeTable(fees) : h("p", null, t("case.fees.none")),
    variants.length > 0 && !isConsultation ? h("p", { class: "quiet" }, roundingNote ?? t("case.money.estimate")) : null);
}

function feeTable(fees) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("case.fees") }, h("table", null,
    h("caption", { class: "unseen" }, t("case.fees")),
    h("thead", null, h("tr", null, ["name", "price", "quantity", "amount", "basis"].map((name) => h("th", { scope: "col", class: name === "amount" || name === "price" || name === "quantity" ? "number" : null }, t(`case.fee.${name}`))))),
    h("tbody", null, fees.map((fee) => h("tr", null, h("th", { scope: "row" }, fee.name), h("td", { class: "number" }, fee.unit_price_cny ?? t("unknown")),
      h("td", { class: "number" }, number(fee.quantity, 2)), h("td", { class: "number" }, fee.amount_cny === null ? t("case.fee.unknown") : t("yuan", { amount: fee.amount_cny })), h("td", null, fee.basis))))));
}

/** Return the technical part, folded away. */
export function technicalCard(model) {
  const { supply, metering, tariff } = model;
  if (!supply) return null;
  return h("details", { class: "card" }, h("summary", null, t("case.technical")),
    h("h3", null, t("case.technical.supply")),
    facts([
      [t("case.row.voltage"), `${told("case.voltage", supply.voltage)} ${getLanguage() === "zh" ? supply.phases : ""}`],
      [t("case.row.capacity"), `${number(supply.kva, 1)} kVA`],
      [t("case.technical.load"), `${number(supply.loadKw, 1)} kW`],
      [t("case.technical.pf"), number(supply.powerFactor, 2)],
      [t("case.technical.kinds"), model.sourceKinds.join(", ")],
    ]),
    h("h3", null, t("case.technical.installation")),
    facts([
      [t("case.technical.transformers"), model.transformers.join(", ")],
      [t("case.technical.main"), model.mainConnection],
      [t("case.technical.incoming"), model.incoming],
      [t("case.technical.compensation"), model.compensation],
      [t("case.technical.emergency"), model.emergency],
    ]),
    metering.map((point) => [h("h3", null, t("case.technical.metering", { no: point.point_no })), facts([
      [t("case.metering.purpose"), point.purpose], [t("case.metering.mode"), point.mode], [t("case.metering.position"), point.position],
      [t("case.metering.meter"), `${point.meter} ${point.meter_class}`], [t("case.metering.ct"), [point.ct_ratio, point.ct_class].filter(Boolean).join(" ")],
      [t("case.metering.pt"), [point.pt_ratio, point.pt_class].filter(Boolean).join(" ")], [t("case.metering.terminal"), point.terminal],
    ])]),
    tariff ? [h("h3", null, t("case.technical.tariff")), facts([
      [t("case.tariff.price"), tariff.price_class ?? t("case.by_utility")],
      [t("case.tariff.tou"), tariff.is_time_of_use === null ? t("case.by_utility") : t(tariff.is_time_of_use ? "yes" : "no")],
      [t("case.tariff.charge"), tariff.capacity_charge ?? t("case.by_utility")],
      [t("case.tariff.pf"), tariff.power_factor_standard === null ? t("case.by_utility") : number(tariff.power_factor_standard, 2)],
    ])] : null);
}
