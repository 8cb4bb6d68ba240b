/** Works, materials and the comparison estimate of a variant, by who invests. */

import { h } from "../base/dom.js";
import { number, t, told } from "../base/texts.js";
import { plainTable } from "./plain_table.js";

/** Return works, bill of materials and cost. */
export function works(scheme, variant) {
  if (variant === null) return h("p", { class: "quiet" }, t("scheme.no_variant"));
  const { cost } = variant;
  const side = ({ side: who }) => told("scheme.side", who);
  const quantity = (row) => `${number(row.quantity, 3)} ${row.unit}`;
  const money = (value) => number(value, 2);
  const span = (low, typical, high) => t("scheme.cny10k_span", { low: money(low), typical: money(typical), high: money(high) });
  return h("div", null,
    h("dl", { class: "facts wide" },
      fact("cost", span(cost.total_low_cny10k, cost.total_typical_cny10k, cost.total_high_cny10k)),
      fact("cost_utility", span(cost.utility_low_cny10k, cost.utility_typical_cny10k, cost.utility_high_cny10k)),
      fact("cost_customer", span(cost.customer_low_cny10k, cost.customer_typical_cny10k, cost.customer_high_cny10k)),
      scheme.investment_boundary ? fact("boundary", scheme.investment_boundary.boundary) : null),
    h("p", { class: "quiet small" }, t("scheme.estimate_note")),
    cost.not_priced.length === 0 ? null : h("p", { class: "notice warn" }, t("scheme.not_priced"), " ", cost.not_priced.join("; ")),
    plainTable(t("scheme.works"), variant.works, [["work", ({ text }) => text], ["quantity", quantity, true], ["side", side]]),
    plainTable(t("scheme.cost_items"), cost.items, [
      ["work", ({ text }) => text], ["quantity", quantity, true], ["low", (row) => money(row.low_cny10k), true], ["typical", (row) => money(row.typical_cny10k), true],
      ["high", (row) => money(row.high_cny10k), true], ["price_basis", (row) => row.price_basis], ["side", side]]),
    plainTable(t("scheme.materials"), variant.bill_of_materials, [
      ["material", ({ name, model }) => [name, model ? h("span", { class: "quiet small block" }, model) : null]], ["quantity", quantity, true], ["side", side],
      ["stock", stock]]));
}

function stock(row) {
  if (row.stock_status === null) return t("unknown");
  return [told("scheme.stock", row.stock_status), row.stock_location, row.stock_order, row.ready_on].filter(Boolean).join(" · ");
}

function fact(name, text) {
  return h("div", null, h("dt", null, t(`scheme.${name}`)), h("dd", null, text));
}
