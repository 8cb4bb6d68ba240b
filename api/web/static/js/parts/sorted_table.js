/** A table of rows that are all there: sorted by its heads, shown in portions, scrolling in itself. */

import { h, replace } from "../base/dom.js";
import { addTexts, number, t } from "../base/texts.js";
import texts from "../texts/jobs.js";

addTexts(texts);

const ROWS = 100;

/**
 * Return the table and `show(rows)`.
 * @param {{label: string, columns: {head: string, cell: function(Object): any, order?: function(Object): (number|string|null),
 *   isNumber?: boolean, isName?: boolean}[], by?: number, isDown?: boolean, rowProps?: function(Object): Object}} options
 *   `order`: what rows are sorted by, unknown last; `isName`: the cell heads its row; `by`: column sorted first.
 */
export function sortedTable({ label, columns, by = null, isDown = false, rowProps = () => ({}) }) {
  const state = { by, isDown, shown: ROWS, rows: [] };
  const body = h("tbody");
  const told = h("p", { class: "quiet small", "aria-live": "polite" });
  const more = h("div");
  const heads = columns.map(({ head, order, isNumber }, place) => h("th", { scope: "col", class: isNumber ? "number" : null, "aria-sort": order ? "none" : null },
    order ? h("button", { type: "button", class: "plain sort", onclick: () => sortBy(place) }, head) : head));
  const node = h("div", { class: "sorted" },
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      h("table", { class: "compact" }, h("thead", null, h("tr", null, heads)), body)),
    h("div", { class: "row" }, told, more));
  return { node, show };

  /** Show these rows, in the order chosen, else as they are given. */
  function show(rows) {
    state.rows = rows;
    state.shown = ROWS;
    draw();
  }

  function sortBy(place) {
    state.isDown = state.by === place ? !state.isDown : Boolean(columns[place].isNumber);
    state.by = place;
    draw();
  }

  function draw() {
    const rows = state.by === null ? state.rows : sorted(state.rows, columns[state.by].order, state.isDown);
    heads.forEach((head, place) => {
      if (columns[place].order) head.setAttribute("aria-sort", place !== state.by ? "none" : state.isDown ? "descending" : "ascending");
    });
    replace(body, rows.slice(0, state.shown).map(line));
    told.textContent = rows.length === 0 ? t("table.empty") : t("table.shown", { shown: number(Math.min(rows.length, state.shown)), total: number(rows.length) });
    replace(more, rows.length <= state.shown ? null : h("button", { type: "button", class: "second", onclick: () => {
      state.shown += ROWS;
      draw();
    } }, t("table.more", { count: number(Math.min(ROWS, rows.length - state.shown)) })));
  }

  function line(row) {
    return h("tr", rowProps(row), columns.map(({ cell, isNumber, isName }) =>
      (isName ? h("th", { scope: "row" }, cell(row)) : h("td", { class: isNumber ? "number" : null }, cell(row)))));
  }
}

function sorted(rows, order, isDown) {
  const way = isDown ? -1 : 1;
  return rows.map((row, at) => [order(row), at, row]).sort(([one, first], [other, second]) => {
    if (one === other) return first - second;
    if (one === null || one === undefined) return 1;
    if (other === null || other === undefined) return -1;
    return one < other ? -way : way;
  }).map(([, , row]) => row);
}
