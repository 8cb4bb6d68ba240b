/** A table of requests as it was read: what is wrong, cell by cell, and every row that was in the file. */

import { h } from "../base/dom.js";
import { number, t } from "../base/texts.js";

const ROWS_SHOWN = 200;

/**
 * Return the preview and the rows that can be computed.
 * @param {{columns: Object[], rows: Object[], faults: Object[]}} table As the service read it.
 */
export function requestPreview({ columns, rows, faults }) {
  const good = rows.filter(({ request }) => request !== null);
  const bad = rows.length - good.length;
  const values = { count: number(rows.length), bad: number(bad), good: number(good.length) };
  const [look, key] = bad === 0 ? ["good", "projects.preview.fine"] : good.length === 0 ? ["bad", "projects.preview.none"] : ["warn", "projects.preview.some"];
  const node = h("div", null,
    h("p", { class: `notice ${look}` }, t(key, values)),
    faults.length === 0 ? null : [h("h3", null, t("projects.faults")), faultTable(columns, faults)],
    h("details", { open: bad === 0 || null }, h("summary", null, t("projects.rows")), rowTable(columns, rows)));
  return { node, requests: good.map(({ request }) => request) };
}

function faultTable(columns, faults) {
  const titles = new Map(columns.map(({ name, title }) => [name, title]));
  return scroll(t("projects.faults"), h("table", { class: "long" },
    heads([["projects.col.row", true], ["projects.col.column"], ["projects.col.value"], ["projects.col.problem"], ["projects.col.expected"]]),
    h("tbody", null, faults.map((fault) => h("tr", null,
      h("td", { class: "number" }, String(fault.row)),
      h("td", null, fault.column, " ", h("span", { class: "quiet small" }, titles.get(fault.column))),
      h("td", null, fault.value === null ? h("span", { class: "quiet" }, t("projects.empty_cell")) : h("code", null, fault.value)),
      h("td", null, fault.problem),
      h("td", null, fault.expected))))));
}

function rowTable(columns, rows) {
  const used = columns.filter(({ name }) => rows.some(({ cells }) => cells[name] !== ""));
  return scroll(t("projects.rows"), h("table", null,
    h("thead", null, h("tr", null,
      h("th", { scope: "col", class: "number" }, t("projects.col.row")), h("th", { scope: "col" }, t("projects.col.state")),
      used.map(({ name, title }) => h("th", { scope: "col", title }, name)))),
    h("tbody", null, rows.slice(0, ROWS_SHOWN).map(({ row, cells, request }) => h("tr", null,
      h("td", { class: "number" }, String(row)),
      h("td", null, request === null ? h("span", { class: "badge bad" }, t("projects.row.bad")) : h("span", { class: "badge good" }, t("projects.row.good"))),
      used.map(({ name }) => h("td", null, cells[name]))))),
    rows.length > ROWS_SHOWN ? h("tfoot", null, h("tr", null, h("td", { colspan: used.length + 2 }, t("table.shown", { shown: number(ROWS_SHOWN), total: number(rows.length) })))) : null));
}

function heads(names) {
  return h("thead", null, h("tr", null, names.map(([name, isNumber]) => h("th", { scope: "col", class: isNumber ? "number" : null }, t(name)))));
}

function scroll(label, table) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);
}
