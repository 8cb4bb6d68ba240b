/** What a check found in an upload: findings row by row, differences from the current network, holds without a place. */

import { h } from "../base/dom.js";
import { getLanguage, number, t, told } from "../base/texts.js";
import { longTable } from "./long_table.js";

const FATES = ["added", "removed", "changed"];
const TABLES = ["nodes", "lines", "transformers", "loads", "switches", "feeders"];
const LOOKS = { error: "bad", warning: "warn", info: "" };

/** Return the findings with filters for severity, table and fault. */
export function findingsCard({ upload_id: uploadId, finding_kinds: kinds }) {
  if (kinds.length === 0) return null;
  const table = longTable({ label: t("import.findings"), columns: [
    { head: t("import.filter.severity"), cell: ({ severity }) => h("span", { class: `badge ${LOOKS[severity]}` }, told("import.severity", severity)) },
    { head: t("import.filter.table"), cell: ({ table: name }) => name },
    { head: t("import.col.row"), cell: ({ row }) => (row === null ? "" : String(row)), isNumber: true },
    { head: t("import.col.column"), cell: ({ column }) => column },
    { head: t("import.col.value"), cell: ({ value }) => (value === null ? "" : h("code", null, value)) },
    { head: t("import.col.expected"), cell: ({ expected }) => expected },
    { head: t("import.filter.code"), cell: ({ code }) => h("span", { title: code }, told("import.fault", code)) },
    { head: t("import.col.consequence"), cell: ({ consequence }) => consequence },
    { head: t("import.col.element"), cell: ({ element_id: element }) => element },
  ] });
  const counted = (name) => tally(kinds, (kind) => kind[name]);
  const filters = filterRow([
    { name: "severity", label: t("import.filter.severity"), options: counted("severity"), say: (value) => told("import.severity", value) },
    { name: "table", label: t("import.filter.table"), options: counted("table"), say: (value) => value },
    { name: "code", label: t("import.filter.code"), options: counted("code"), say: (value) => told("import.fault", value) },
  ], (query) => table.load(`/v1/uploads/${uploadId}/findings`, query));
  return h("section", { class: "card" }, h("h2", null, t("import.findings")), filters.node, table.node);
}

/** Return the differences: counts to choose from, then the elements with old and new. */
export function changesCard({ upload_id: uploadId, change_kinds: kinds, change_columns: columns, compared_with_sha256: compared }) {
  const title = h("h2", null, t("import.changes"));
  if (compared === null) return h("section", { class: "card" }, title, h("p", null, t("import.none")));
  if (kinds.length === 0) return h("section", { class: "card" }, title, h("p", { class: "notice good" }, t("import.changes.none")));
  const table = longTable({ label: t("import.changes"), columns: [
    { head: t("import.filter.fate"), cell: ({ fate }) => h("span", { class: `badge fate-${fate}` }, told("import.fate", fate)) },
    { head: t("import.filter.table"), cell: ({ table: name }) => told("import.element", name) },
    { head: t("import.col.element"), cell: ({ element_id: element }) => element },
    { head: t("import.col.name"), cell: ({ name }) => name },
    { head: t("import.col.changes"), cell: changeCells },
  ] });
  const filters = filterRow([
    { name: "table", label: t("import.filter.table"), options: tally(kinds, (kind) => kind.table), say: (value) => told("import.element", value) },
    { name: "fate", label: t("import.filter.fate"), options: tally(kinds, (kind) => kind.fate), say: (value) => told("import.fate", value) },
    { name: "column", label: t("import.filter.column"), options: tally(columns, (one) => one.column), say: (value) => value },
  ], (query) => table.load(`/v1/uploads/${uploadId}/changes`, query));
  return h("section", { class: "card" }, title, matrix(kinds, filters.choose),
    h("p", { class: "quiet small" }, t("import.changes.derived")), filters.node, table.node);
}

/** Return what would become of the live holds. */
export function holdsCard({ upload_id: uploadId, mapped_source_count: mapped, lost_source_count: lost }) {
  const title = h("h2", null, t("import.holds"));
  if (lost === 0) {
    return h("section", { class: "card" }, title, h("p", null, mapped === 0 ? t("import.holds.empty") : t("import.holds.fine", { mapped: number(mapped) })));
  }
  const table = longTable({ label: t("import.holds"), columns: [
    { head: t("import.col.hold"), cell: ({ hold_id: hold }) => h("code", null, hold) },
    { head: t("import.col.request"), cell: ({ request_id: request, scheme_id: scheme }) => h("a", { href: `/console/schemes/${encodeURIComponent(scheme)}` }, request) },
    { head: t("import.col.state"), cell: ({ state }) => told("state", state) },
    { head: t("import.col.source_no"), cell: ({ source_no: no }) => String(no), isNumber: true },
    { head: t("import.col.node"), cell: ({ node_element_id: node }) => node },
    { head: t("import.col.share"), cell: ({ share_kva: share }) => number(share, 1), isNumber: true },
  ] });
  table.load(`/v1/uploads/${uploadId}/holds`);
  return h("section", { class: "card" }, title, h("p", { class: "notice bad" }, t("import.holds.lost", { lost: number(lost), mapped: number(mapped) })), table.node);
}

/** Return how often each value stands, most often first. */
function tally(rows, valueOf) {
  const counts = new Map();
  for (const row of rows) counts.set(valueOf(row), (counts.get(valueOf(row)) ?? 0) + row.count);
  return [...counts].sort((one, other) => other[1] - one[1]);
}

function filterRow(filters, load) {
  const chosen = {};
  const selects = Object.fromEntries(filters.map(({ name, label, options, say }) => [name,
    h("select", { "aria-label": label, onchange: (event) => choose({ [name]: event.target.value }) },
      h("option", { value: "" }, `${label}${getLanguage() === "zh" ? ":" : ": "}${t("import.all")}`),
      options.map(([value, count]) => h("option", { value }, `${say(value)} (${number(count)})`)))]));
  choose({});
  return { node: h("div", { class: "filters" }, Object.values(selects)), choose };

  function choose(changes) {
    Object.assign(chosen, changes);
    for (const [name, value] of Object.entries(changes)) selects[name].value = value;
    load(chosen);
  }
}

function matrix(kinds, choose) {
  const count = (table, fate) => kinds.find((kind) => kind.table === table && kind.fate === fate)?.count ?? 0;
  const cell = (table, fate) => {
    const found = count(table, fate);
    return h("td", { class: "number" }, found === 0 ? "0"
      : h("button", { type: "button", class: "plain", onclick: () => choose({ table, fate, column: "" }) }, number(found)));
  };
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("import.changes") },
    h("table", { class: "matrix" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("import.filter.table")), FATES.map((fate) => h("th", { scope: "col", class: "number" }, told("import.fate", fate))))),
      h("tbody", null, TABLES.map((table) => h("tr", null, h("th", { scope: "row" }, told("import.element", table)), FATES.map((fate) => cell(table, fate)))))));
}

function changeCells({ columns }) {
  return h("ul", { class: "cells" }, columns.map(({ column, old, new: next }) =>
    h("li", null, h("span", { class: "quiet" }, column), " ", h("del", null, plain(old)), " → ", h("ins", null, plain(next)))));
}

function plain(value) {
  if (value === null) return t("unknown");
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  return typeof value === "number" ? number(value, 6) : value;
}
