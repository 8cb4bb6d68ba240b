/** Results as tables: projects, conflicts, supporting works, materials; sorted, narrowed, each row leading to the map. */

import { h } from "../base/dom.js";
import { number, t, told } from "../base/texts.js";
import { limiterText, pointText, projectButton } from "./assess_answer.js";
import { isUnpriced } from "./assess_side.js";
import { sortedTable } from "./sorted_table.js";
import { verdictBadge, VERDICTS } from "./verdicts.js";

const NAMES_SHOWN = 6;

/** Return the table of projects with its filters. */
export function projectTable({ projects, names }, pick) {
  const state = { verdict: "", change: "", words: "" };
  const table = sortedTable({ label: t("assess.projects"), by: 0, rowProps: (row) => ({ "data-project": row.project_id, "data-verdict": row.queue.verdict }), columns: [
    { head: t("assess.queue_no"), isNumber: true, order: (row) => row.queue_no, cell: (row) => number(row.queue_no) },
    { head: t("projects.name"), isName: true, order: (row) => row.name, cell: (row) => [projectButton(row, pick), h("span", { class: "quiet small block mono" }, row.source_id)] },
    { head: t("assess.alone"), order: (row) => VERDICTS.indexOf(row.alone.verdict), cell: (row) => verdictBadge(row.alone.verdict) },
    { head: t("assess.in_queue"), order: (row) => VERDICTS.indexOf(row.queue.verdict), cell: (row) => verdictBadge(row.queue.verdict) },
    { head: t("assess.asked_kva"), isNumber: true, order: (row) => row.queue.asked_kva ?? row.demand_kva, cell: (row) => number(row.queue.asked_kva ?? row.demand_kva, 1) },
    { head: t("assess.now_alone_kva"), isNumber: true, order: (row) => row.alone.now_kva, cell: (row) => number(row.alone.now_kva, 1) },
    { head: t("assess.now_kva"), isNumber: true, order: (row) => row.queue.now_kva, cell: (row) => number(row.queue.now_kva, 1) },
    { head: t("assess.point"), order: (row) => pointText(row.queue) ?? pointText(row.alone), cell: (row) => pointText(row.queue) ?? pointText(row.alone) ?? "–" },
    { head: t("assess.limiter"), order: (row) => limiterText(row.queue, names), cell: (row) => limiterText(row.queue, names) ?? (row.queue.verdict === "not_assessable" ? row.queue.reason : "–") },
    { head: t("assess.needed_on"), isNumber: true, order: (row) => row.needed_on, cell: (row) => row.needed_on ?? "–" },
  ] });
  const filters = h("div", { class: "filters" },
    h("input", { type: "search", "aria-label": t("projects.search"), placeholder: t("projects.search"), oninput: (event) => set("words", event.target.value.trim().toLowerCase()) }),
    select("verdict", "assess.in_queue", VERDICTS.map((code) => [code, told("assess.verdict", code)])),
    select("change", "assess.change", ["worse", "same"].map((code) => [code, told("assess.change", code)])));
  show();
  return h("div", null, filters, table.node);

  function select(name, text, options) {
    return h("select", { "aria-label": t(text), onchange: (event) => set(name, event.target.value) }, h("option", { value: "" }, `${t(text)}: ${t("projects.all")}`), options.map(([value, label]) => h("option", { value }, label)));
  }

  function set(name, value) {
    state[name] = value;
    show();
  }

  function show() {
    table.show(projects.filter((row) => (state.verdict === "" || row.queue.verdict === state.verdict)
      && (state.change === "" || (state.change === "worse") === isWorse(row))
      && (state.words === "" || `${row.name} ${row.source_id}`.toLowerCase().includes(state.words))));
  }
}

/** Whether those before it leave a project less than it would have alone. */
export function isWorse({ alone, queue }) {
  return alone.verdict !== queue.verdict || (alone.now_kva ?? 0) > (queue.now_kva ?? 0);
}

/** Return the table of conflicts: who is served, who is not. */
export function conflictTable({ conflicts, byId }, pickProject, pickElement) {
  const table = sortedTable({ label: t("assess.conflicts", { count: number(conflicts.length) }), by: 3, isDown: true, columns: [
    { head: t("assess.element"), isName: true, order: (one) => one.name, cell: (one) => h("button", { type: "button", class: "plain name", onclick: () => pickElement(one.element_kind, one.element_id) }, one.name) },
    { head: t("assess.kind"), order: (one) => one.element_kind, cell: (one) => told("assess.element", one.element_kind) },
    { head: t("assess.asked_kva"), isNumber: true, order: (one) => one.asked_kva, cell: (one) => number(one.asked_kva, 1) },
    { head: t("assess.refused_count"), isNumber: true, order: (one) => one.refused.length, cell: (one) => number(one.refused.length) },
    { head: t("assess.open_kva"), isNumber: true, order: (one) => one.open_kva, cell: (one) => number(one.open_kva, 1) },
    { head: t("assess.refused"), cell: (one) => nameList(one.refused, byId, pickProject) },
    { head: t("assess.served"), cell: (one) => nameList(one.served, byId, pickProject) },
  ] });
  table.show(conflicts);
  return table.node;
}

/** Return supporting works: at one element for all they serve, then by project. */
export function workTables({ works, projects, byId }, pickProject, withWorks) {
  if (!withWorks) return h("p", { class: "notice" }, t("assess.works.not_asked"));
  const byElement = sortedTable({ label: t("assess.works.by_element"), columns: [
    { head: t("assess.work"), isName: true, order: ({ work }) => work.code, cell: ({ work }) => work.text },
    { head: t("assess.trigger"), order: ({ work }) => (work.is_triggered ? 0 : 1), cell: ({ work }) => h("span", { class: `badge ${work.is_triggered ? "bad" : ""}` }, t(work.is_triggered ? "assess.begin_now" : "assess.begin_later")) },
    { head: t("assess.latest_start"), isNumber: true, order: ({ work }) => work.latest_start_on, cell: ({ work }) => work.latest_start_on ?? t("unknown") },
    { head: t("assess.duration"), isNumber: true, order: ({ work }) => work.duration_workdays, cell: ({ work }) => number(work.duration_workdays) },
    { head: t("assess.quantity"), isNumber: true, order: ({ work }) => work.quantity, cell: ({ work }) => `${number(work.quantity, 3)} ${work.unit}` },
    { head: t("assess.serves"), order: ({ work }) => -work.project_ids.length, cell: ({ work }) => nameList(work.project_ids, byId, pickProject) },
  ] });
  byElement.show(works);
  const planned = projects.filter(({ works: own }) => own !== null);
  const byProject = sortedTable({ label: t("assess.works.by_project"), columns: [
    { head: t("projects.name"), isName: true, order: (row) => row.name, cell: (row) => projectButton(row, pickProject) },
    { head: t("assess.work"), cell: ({ works: own }) => own.text ?? h("span", { class: "bad-text" }, t("assess.works.none_found")) },
    { head: t("assess.trigger"), order: ({ works: own }) => own.trigger, cell: ({ works: own }) => told("assess.trigger", own.trigger) },
    { head: t("assess.latest_start"), isNumber: true, order: ({ works: own }) => own.latest_start_on, cell: ({ works: own }) => own.latest_start_on ?? t("unknown") },
    { head: t("assess.cost_head"), isNumber: true, order: ({ works: own }) => own.cost_cny10k, cell: ({ works: own }) => [isUnpriced(own) ? "–" : number(own.cost_cny10k, 2), own.not_priced.length > 0 ? h("span", { class: "quiet small block", title: own.not_priced.join("; ") }, t("assess.partly_priced")) : null] },
    { head: t("assess.funding"), order: ({ works: own }) => own.funding, cell: ({ works: own }) => own.funding ?? t("unknown") },
  ] });
  byProject.show(planned);
  return h("div", null, h("h3", null, t("assess.works.by_element")), h("p", { class: "quiet small" }, t("assess.works.lead")), byElement.node,
    h("h3", null, t("assess.works.by_project")), byProject.node);
}

/** Return the materials by quarter. */
export function quotaTable({ quotas }) {
  const state = { quarter: "" };
  const quarters = [...new Set(quotas.map(({ quarter }) => quarter))].filter((one) => one !== null).sort();
  const table = sortedTable({ label: t("assess.quotas"), columns: [
    { head: t("assess.quarter"), order: (one) => one.quarter, cell: (one) => one.quarter ?? t("assess.quarter.unknown") },
    { head: t("assess.material"), isName: true, order: (one) => one.name, cell: (one) => [one.name, one.model ? h("span", { class: "quiet small block mono" }, one.model) : null] },
    { head: t("assess.quantity"), isNumber: true, order: (one) => one.quantity, cell: (one) => `${number(one.quantity, 3)} ${one.unit}` },
    { head: t("assess.expected"), isNumber: true, order: (one) => one.expected_quantity, cell: (one) => (one.expected_quantity === null ? t("unknown") : `${number(one.expected_quantity, 3)} ${one.unit}`) },
    { head: t("assess.projects_count"), isNumber: true, order: (one) => one.project_ids.length, cell: (one) => number(one.project_ids.length) },
  ] });
  const select = h("select", { "aria-label": t("assess.quarter"), onchange: () => {
    state.quarter = select.value;
    show();
  } }, h("option", { value: "" }, `${t("assess.quarter")}: ${t("projects.all")}`), quarters.map((one) => h("option", { value: one }, one)));
  show();
  return h("div", null, h("p", { class: "quiet small" }, t("assess.quotas.lead")), h("div", { class: "filters" }, select), table.node);

  function show() {
    table.show(quotas.filter(({ quarter }) => state.quarter === "" || quarter === state.quarter));
  }
}

/** Return names of projects as buttons; many are folded away behind how many there are. */
export function nameList(ids, byId, pick) {
  const buttons = ids.map((id) => byId.get(id)).filter(Boolean).map((row) => projectButton(row, pick));
  if (buttons.length <= NAMES_SHOWN) return buttons.length === 0 ? "–" : h("span", { class: "name-list" }, buttons);
  return h("div", null, h("span", { class: "name-list" }, buttons.slice(0, NAMES_SHOWN)),
    h("details", null, h("summary", { class: "plain small" }, t("assess.more_names", { count: number(buttons.length - NAMES_SHOWN) })), h("span", { class: "name-list" }, buttons.slice(NAMES_SHOWN))));
}
