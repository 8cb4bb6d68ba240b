/** A table of rows that are all there, under its own heading. */

import { h } from "../base/dom.js";
import { t } from "../base/texts.js";

/**
 * Return heading and table; a sentence where there are no rows.
 * @param {string} title
 * @param {Object[]} rows
 * @param {[string, function(Object): (Node|string|null|Array), boolean?][]} columns Name of the text of the head, cell, is it a number.
 */
export function plainTable(title, rows, columns) {
  if (rows.length === 0) return h("div", null, h("h3", null, title), h("p", { class: "quiet" }, t("none")));
  return h("div", null, h("h3", null, title),
    h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": title }, h("table", { class: "compact" },
      h("thead", null, h("tr", null, columns.map(([name, , isNumber]) => h("th", { scope: "col", class: isNumber ? "number" : null }, t(`scheme.${name}`))))),
      h("tbody", null, rows.map((row) => h("tr", null, columns.map(([, cell, isNumber]) => h("td", { class: isNumber ? "number" : null }, cell(row)))))))));
}
