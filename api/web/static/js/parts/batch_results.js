/** Results of a batch as they come in: counts by verdict, and a table one can narrow to one of them. */

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { number, t, told } from "../base/texts.js";

const ROWS = 200;
export const VERDICTS = ["answered", "transition", "joint_work", "error"];
const LOOKS = { answered: "good", transition: "warn", joint_work: "bad", error: "" };

/** Return what became of a row: a verdict, or that it was not answered. */
export function fateOf({ verdict }) {
  return verdict ?? "error";
}

/**
 * Return a reader of the rows of a batch: `more()` asks for those that are new and returns whether further may come.
 * @param {string} jobId
 * @param {function(Object[]): void} onRows Called with the new rows.
 */
export function rowReader(jobId, onRows) {
  let cursor = null;
  let waiting = null;
  return { more: () => (waiting ??= read().finally(() => { waiting = null; })) };

  async function read() {
    for (;;) {
      const query = new URLSearchParams([["limit", ROWS], ...(cursor === null ? [] : [["cursor", cursor]])]);
      const page = await get(`/v1/jobs/${jobId}/rows?${query}`);
      cursor = page.next_cursor ?? cursor;
      if (page.items.length > 0) onRows(page.items);
      if (page.next_cursor === null || page.items.length < ROWS) return page.next_cursor !== null;
    }
  }
}

/** Return the table of results and `add(rows)`. */
export function resultTable() {
  const rows = [];
  let chosen = "";
  const summary = h("p", { class: "row", "aria-live": "polite" });
  const body = h("tbody");
  const select = h("select", { "aria-label": t("projects.filter"), onchange: () => { chosen = select.value; show(); } },
    h("option", { value: "" }, t("projects.all")),
    VERDICTS.map((verdict) => h("option", { value: verdict }, told("projects.verdict", verdict))));
  const node = h("div", null, summary, h("div", { class: "filters" }, select),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("projects.results") },
      h("table", { class: "long" }, h("thead", null, h("tr", null, HEADS.map(([name, isNumber]) => h("th", { scope: "col", class: isNumber ? "number" : null }, t(name))))), body)));
  return { node, rows, add };

  function add(more) {
    rows.push(...more);
    body.append(...more.filter(isShown).map(line));
    replace(summary, t("projects.summary", { count: number(rows.length) }), VERDICTS.map(count));
  }

  function show() {
    replace(body, rows.filter(isShown).map(line));
  }

  function isShown(row) {
    return chosen === "" || fateOf(row) === chosen;
  }

  function count(verdict) {
    const found = rows.filter((row) => fateOf(row) === verdict).length;
    return found === 0 ? null : h("span", { class: `badge ${LOOKS[verdict]}` }, `${told("projects.verdict", verdict)} ${number(found)}`);
  }
}

const HEADS = [
  ["projects.col.request"], ["projects.col.name"], ["projects.col.verdict"], ["projects.col.voltage"], ["projects.col.capacity", true],
  ["projects.col.point"], ["projects.col.feeder"], ["projects.col.cost", true], ["projects.col.reasons"],
];

function line(row) {
  return h("tr", { "data-verdict": fateOf(row) },
    h("th", { scope: "row", class: "code" }, row.scheme_id === null ? row.request_id : h("a", { href: `/console/schemes/${encodeURIComponent(row.scheme_id)}`, title: t("projects.open") }, row.request_id)),
    h("td", null, row.name),
    h("td", null, h("span", { class: `badge ${LOOKS[fateOf(row)]}` }, told("projects.verdict", fateOf(row)))),
    h("td", null, row.voltage),
    h("td", { class: "number" }, row.capacity_kva === null ? "" : number(row.capacity_kva, 1)),
    h("td", null, row.point),
    h("td", null, row.feeder),
    h("td", { class: "number" }, row.cost_typical_cny10k === null ? "" : number(row.cost_typical_cny10k, 2)),
    h("td", null, row.error === null ? row.reasons.map(({ text, code }) => h("div", { title: code }, text)) : h("div", { title: row.error.code }, errorText(row.error))));
}

function errorText({ title, context }) {
  return [title, context.field, context.value, context.allowed].filter((part) => part && !title.includes(part) || part === title).join(" · ");
}
