/** Variants side by side (comparison of schemes): the rows one decides by, what differs is marked, the best is named. */

import { h } from "../base/dom.js";
import { day, getLanguage, number, t, told, yuan } from "../base/texts.js";
import { lengthOf, lengthParts } from "./case_model.js";

/**
 * Return the table.
 * @param {Object} model as `modelOf` makes it
 */
export function compareTable(model) {
  const { variants } = model;
  const rows = rowsOf(model).map(({ name, cells, texts }) => {
    const differs = new Set(texts).size > 1;
    return h("tr", { class: differs ? "differs" : null },
      h("th", { scope: "row" }, name, differs ? h("span", { class: "mark-differs", title: t("case.compare.differs") }, t("case.compare.differs")) : null),
      cells.map((cell) => h("td", null, cell)));
  });
  return h("div", { class: "scroll side-by-side", tabindex: "0", role: "region", "aria-label": t("case.compare.title") },
    h("table", null,
      h("caption", { class: "unseen" }, t("case.compare.title")),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("case.compare.row")), variants.map((variant) => head(variant, labelsOf(variants).get(variant.no))))),
      h("tbody", null, rows)));
}

function head(variant, labels) {
  return h("th", { scope: "col", class: variant.no === 1 ? "is-best" : null },
    h("span", { class: "no" }, t("case.compare.variant", { no: variant.no })),
    h("span", { class: "labels" }, labels.map((label) => h("span", { class: `badge ${label === "recommended" ? "good" : ""}` }, told("case.label", label)))));
}

/** Return which words each variant earns: recommended, cheapest for the customer or overall, soonest, shortest. */
export function labelsOf(variants) {
  const found = new Map(variants.map(({ no }) => [no, no === 1 && variants.length > 1 ? ["recommended"] : []]));
  const only = (label, valueOf) => {
    const values = variants.map(valueOf);
    if (values.includes(null)) return;
    const least = values.reduce((low, value) => (value < low ? value : low));
    const winners = variants.filter((_, place) => values[place] === least);
    if (winners.length < variants.length) for (const { no } of winners) found.get(no).push(label);
  };
  only("cheapest", ({ customerCost }) => customerCost);
  only("cheapest_utility", ({ utilityCost, customerCost }) => (variants.every((other) => other.customerCost === customerCost) ? utilityCost : null));
  only("soonest", (variant) => dateOf(variant));
  only("shortest", lengthOf);
  return found;
}

function dateOf({ promiseOn }) {
  return promiseOn;
}

function rowsOf({ variants, supply, isRounded, investment }) {
  const row = (name, textsOf) => {
    const cells = variants.map(textsOf);
    return { name: t(`case.row.${name}`), cells: cells.map((lines) => (Array.isArray(lines) ? listOf(lines) : lines)), texts: cells.map(String) };
  };
  const cost = (value) => (value === 0 ? t("case.cost.nothing") : t(isRounded ? "case.cost.up_to" : "case.cost.about", { amount: moneyText(value) }));
  return [
    row("way", ({ points }) => points.map(({ mode }, place) => (points.length > 1 ? t("case.source", { no: place + 1, text: mode }) : mode))),
    row("voltage", () => told("case.voltage", supply.voltage)),
    row("capacity", () => `${number(supply.kva, 1)} kVA`),
    row("length", ({ points }) => points.map(({ lengthM }) => lengthText(lengthM, isRounded))),
    row("line", ({ points }) => points.map(({ laying, label }) => [told("case.laying", laying), label].filter(Boolean).join(" "))),
    row("customer_cost", ({ customerCost }) => cost(customerCost)),
    row("utility_cost", ({ utilityCost }) => cost(utilityCost)),
    row("boundary", () => investment?.boundary ?? t("unknown")),
    row("date", ({ promiseOn, promiseNotBeforeOn, promiseText }) => (promiseOn ? t("case.date.by", { day: day(promiseOn) })
      : [promiseNotBeforeOn ? t("case.date.not_before", { day: day(promiseNotBeforeOn) }) : t("case.date.open"), promiseText].filter(Boolean))),
    row("reliability", ({ security, isCarried }) => (security === null ? t("case.security.unknown")
      : [told("case.security", security), isCarried === null ? null : t(isCarried ? "case.carried.yes" : "case.carried.no")].filter(Boolean))),
    row("conditions", ({ conditions }) => (conditions.length > 0 ? conditions : t("none"))),
    row("open", ({ open }) => (open.length > 0 ? open : t("none"))),
  ];
}

const YUAN_PER_CNY10K = 10_000;

/** Return an amount given in 10,000 yuan, in the unit the language counts in. */
export function moneyText(cny10k) {
  return getLanguage() === "zh" ? t("case.wan", { amount: number(cny10k, 2) }) : yuan(cny10k * YUAN_PER_CNY10K);
}

/** Return a length, as the bound it is where it was rounded up. */
export function lengthText(lengthM, isRounded) {
  const { value, unit, digits } = lengthParts(lengthM);
  return t(isRounded ? "case.length.up_to" : "case.length.about", { length: `${number(value, digits)} ${unit}` });
}

function listOf(lines) {
  return lines.length > 1 ? h("ul", null, lines.map((line) => h("li", null, line))) : lines[0];
}
