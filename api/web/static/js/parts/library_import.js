/** A file of reserve projects: what would become of each row, then what became of it. */

import { ApiError, download, postFile } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, progressBar } from "../base/page.js";
import { number, t, told } from "../base/texts.js";
import { fileBox, plainName } from "./file_box.js";
import { sortedTable } from "./sorted_table.js";

export const MEDIA_TYPES = { ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".csv": "text/csv", ".geojson": "application/geo+json" };
export const LIMIT_MIB = 20;
const FATES = ["created", "updated", "unchanged", "refused"];

/**
 * Return the card in which a file is handed in.
 * @param {function(): void} onTaken Projects came into the library.
 */
export function libraryImport(onTaken) {
  const told = h("div", { "aria-live": "polite" });
  const box = fileBox({ label: t("projects.import"), hint: t("projects.import.hint"), mediaTypes: MEDIA_TYPES, limitMib: LIMIT_MIB, onFile: look });
  return h("section", { class: "card" }, h("h2", null, t("projects.import")), box, templates(), told);

  async function look(file, mediaType) {
    const seen = await send(file, mediaType, true, t("projects.import.looking", { name: file.name }));
    if (seen === null) return;
    const count = seen.created + seen.updated;
    const take = h("button", { type: "button", disabled: count === 0, onclick: () => bring(file, mediaType) }, t("projects.import.take", { count: number(count) }));
    replace(told, h("h3", { tabindex: "-1" }, t("projects.import.before", { name: file.name })), summary(seen, "projects.import.would"),
      h("div", { class: "row actions" }, take, h("button", { type: "button", class: "second", onclick: () => replace(told) }, t("projects.import.drop"))), tables(seen));
    told.querySelector("h3").focus();
  }

  async function bring(file, mediaType) {
    const taken = await send(file, mediaType, false, t("file.sending", { name: file.name }));
    if (taken === null) return;
    replace(told, h("h3", { tabindex: "-1" }, t("projects.import.after", { name: file.name })), summary(taken, "projects.import.did"), tables(taken));
    told.querySelector("h3").focus();
    onTaken();
  }

  async function send(file, mediaType, isTrial, text) {
    replace(told, progressBar(text).node);
    const query = new URLSearchParams({ name: plainName(file, "projects"), ...(isTrial ? { dry_run: "true" } : {}) });
    try {
      return await postFile(`/v1/projects:import?${query}`, file, mediaType);
    } catch (error) {
      replace(told, errorBox(error));
      if (!(error instanceof ApiError)) throw error;
      return null;
    }
  }
}

/** Return the buttons that download an empty table. */
export function templates() {
  return h("p", { class: "row templates" }, t("projects.template"), ["xlsx", "csv"].map((form) =>
    h("button", { type: "button", class: "second small", onclick: () => download(`/v1/projects:template?form=${form}`, `projects.${form}`) }, told("projects.template", form))));
}

function summary(seen, key) {
  const look = seen.refused === 0 ? "good" : seen.refused === seen.rows ? "bad" : "warn";
  return h("p", { class: `notice ${look}` }, t(key, { rows: number(seen.rows) }), " ",
    FATES.filter((fate) => seen[fate] > 0).map((fate) => h("span", { class: `badge fate-${fate}` }, `${told("projects.fate", fate)} ${number(seen[fate])}`)));
}

function tables({ findings, findings_total: findingsTotal, lines, lines_total: linesTotal }) {
  return [
    findings.length === 0 ? null : [h("h4", null, t("projects.findings", { count: number(findingsTotal) })), findingTable(findings)],
    lines.length === 0 ? null : h("details", { open: findings.length === 0 }, h("summary", null, t("projects.lines", { count: number(linesTotal) })), lineTable(lines)),
  ];
}

function findingTable(findings) {
  const table = sortedTable({ label: t("projects.findings", { count: number(findings.length) }), columns: [
    { head: t("projects.row"), isNumber: true, order: ({ row }) => row, cell: ({ row }) => (row === null ? "" : String(row)) },
    { head: t("projects.column"), order: ({ column }) => column, cell: ({ column }) => column ?? "" },
    { head: t("projects.value"), cell: ({ value }) => (value === null || value === "" ? h("span", { class: "quiet" }, t("projects.empty_cell")) : h("code", null, value)) },
    { head: t("projects.expected"), cell: ({ expected }) => expected },
    { head: t("projects.consequence"), order: ({ severity }) => severity, cell: ({ consequence, severity }) => h("span", { class: severity === "error" ? "bad-text" : null }, consequence) },
  ] });
  table.show(findings);
  return table.node;
}

function lineTable(lines) {
  const table = sortedTable({ label: t("projects.lines", { count: number(lines.length) }), columns: [
    { head: t("projects.row"), isNumber: true, order: ({ row }) => row, cell: ({ row }) => String(row) },
    { head: t("projects.name"), isName: true, order: ({ name }) => name, cell: ({ name, source_id: id }) => [name, h("span", { class: "quiet small block mono" }, id)] },
    { head: t("projects.fate"), order: ({ fate }) => fate, cell: ({ fate }) => h("span", { class: `badge fate-${fate}` }, told("projects.fate", fate)) },
    { head: t("projects.changes"), cell: ({ fate, changes }) => (fate !== "updated" ? null : h("ul", { class: "cells small" }, Object.entries(changes).map(([field, { before, after }]) =>
      h("li", null, h("span", { class: "mono" }, field), " ", h("del", null, plain(before)), " → ", h("ins", null, plain(after)))))) },
  ] });
  table.show(lines);
  return table.node;
}

function plain(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
