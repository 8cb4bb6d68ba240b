/** The feeders against each other: which has most left, which is fullest, which is lowest in voltage. */

import { h, replace } from "../base/dom.js";
import { number, percent, t } from "../base/texts.js";

/** What is best stands first: `-1` from much to little. */
const COLUMNS = [
  { key: "open_kva_max", first: -1, tell: (value) => number(value) },
  { key: "open_kva_median", first: -1, tell: (value) => number(value) },
  { key: "promised_kva", first: -1, tell: (value) => number(value) },
  { key: "limit_kva", first: -1, tell: (value) => number(value) },
  { key: "loading_ratio_max", first: -1, tell: (value) => percent(value) },
  { key: "u_pu_min", first: 1, tell: (value) => number(value, 4) },
  { key: "length_km", first: -1, tell: (value) => number(value, 1) },
  { key: "node_count", first: -1, tell: (value) => number(value) },
];

/**
 * Make the table.
 * @param {function(Object): void} onPick
 * @returns {{node: HTMLElement, draw: function(Object[], string|null, Object): void}}
 */
export function feederTable(onPick) {
  let sorted = { key: "open_kva_max", way: -1 };
  let last = [[], null, null];
  const node = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("console.tab_league") });
  return { node, draw };

  function draw(items, chosen, grid) {
    last = [items, chosen, grid];
    const order = [...items].sort((one, other) => compare(one[sorted.key], other[sorted.key]));
    replace(node, h("table", { class: "compact", id: "league" }, h("thead", null, h("tr", null, head("name", 1), COLUMNS.map(({ key, first }) => head(key, first)))),
      h("tbody", null, order.map((one) => row(one, one.feeder_id === chosen, grid, onPick)))));
  }

  function head(key, first) {
    const is = sorted.key === key;
    return h("th", { scope: "col", class: key === "name" ? null : "number", "aria-sort": is ? (sorted.way > 0 ? "ascending" : "descending") : "none" },
      h("button", { type: "button", class: "plain sort", "data-key": key, onclick: () => {
        sorted = { key, way: is ? -sorted.way : first };
        draw(...last);
        node.querySelector(`[data-key="${key}"]`).focus();
      } }, t(`console.league_${key}`), h("span", { "aria-hidden": "true" }, is ? (sorted.way > 0 ? " ▲" : " ▼") : "")));
  }

  /** Unknown stands last, whichever way. */
  function compare(one, other) {
    if (one === null || one === undefined) return other === null || other === undefined ? 0 : 1;
    if (other === null || other === undefined) return -1;
    return (typeof one === "string" ? one.localeCompare(other, "zh-CN") : one - other) * sorted.way;
  }
}

function row(one, isChosen, grid, onPick) {
  const isFull = one.loading_ratio_max > grid.loading_limits.line;
  return h("tr", { "aria-current": isChosen ? "true" : null, "data-feeder": one.feeder_id },
    h("th", { scope: "row" }, h("button", { type: "button", class: "plain", onclick: () => onPick(one) }, one.name ?? one.feeder_id)),
    COLUMNS.map(({ key, tell }) => h("td", { class: "number" }, tell(one[key]), key === "loading_ratio_max" && isFull ? h("span", { class: "badge bad" }, t("console.over_limit")) : null)));
}
