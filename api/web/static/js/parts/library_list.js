/** The reserve library as a list: found by words and facts, chosen from for an assessment. */

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { day, number, percent, t, told } from "../base/texts.js";
import { verdictBadge, VERDICTS } from "./verdicts.js";

const PAGE = 200;
const SHOWN_MIN = 50;
const SEARCH_MS = 300;
const STAGES = ["reserve", "consultation", "formal", "closed"];
const OPEN = new Set(["reserve", "consultation"]);
const CATEGORIES = ["resident", "residential_area", "small_micro", "industrial_commercial", "agriculture", "non_residential_lighting", "ev_charging", "temporary", "other"];
const UNASSESSED = "none";

/**
 * Return the list; `load()` fills it from the beginning, `mark(id)` shows which project is open beside it.
 * @param {{verdicts: function(): Promise<Map<string, Object>>, chosen: Map<string, Object>, onOpen: function(string): void,
 *   onChoose: function(): void, canChoose: boolean}} options `verdicts`: what the last assessment said, by project.
 */
export function libraryList({ verdicts, chosen, onOpen, onChoose, canChoose }) {
  const state = { q: "", stage: "", category: "", placed: "", verdict: "", cursor: null, rows: [], open: null, asked: 0 };
  let said = new Map();
  const body = h("tbody");
  const count = h("p", { class: "quiet small", "aria-live": "polite" });
  const more = h("div");
  const failed = h("div");
  const all = h("input", { type: "checkbox", "aria-label": t("projects.choose_all"), onchange: () => chooseAll(all.checked) });
  const node = h("div", { class: "library" }, filters(), failed,
    h("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": t("projects.list") },
      h("table", { class: "compact library-table" }, h("thead", null, h("tr", null,
        canChoose ? h("th", { scope: "col" }, all) : null,
        HEADS.map(([key, isNumber]) => h("th", { scope: "col", class: isNumber ? "number" : null }, t(key))))), body)),
    h("div", { class: "row" }, count, more));
  return { node, load, mark, draw };

  function filters() {
    let timer = null;
    const search = h("input", { type: "search", id: "library-q", maxlength: 64, oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => set("q", search.value.trim()), SEARCH_MS);
    } });
    return h("div", { class: "library-filters", role: "search" },
      h("div", { class: "field" }, h("label", { for: "library-q" }, t("projects.search")), search),
      choice("stage", "projects.stage", STAGES.map((code) => [code, told("projects.stage", code)])),
      choice("verdict", "projects.verdict", [...VERDICTS.map((code) => [code, told("assess.verdict", code)]), [UNASSESSED, t("projects.verdict.none")]]),
      choice("category", "projects.category", CATEGORIES.map((code) => [code, told("category", code)])),
      choice("placed", "projects.place", [["true", t("projects.place.known")], ["false", t("projects.place.unknown")]]));
  }

  function choice(name, text, options) {
    const select = h("select", { id: `library-${name}`, onchange: () => set(name, select.value) },
      h("option", { value: "" }, t("projects.all")), options.map(([value, label]) => h("option", { value }, label)));
    return h("div", { class: "field" }, h("label", { for: `library-${name}` }, t(text)), select);
  }

  function set(name, value) {
    state[name] = value;
    load();
  }

  async function load() {
    state.asked += 1;
    Object.assign(state, { cursor: null, rows: [] });
    await next(state.asked);
  }

  /** Read on until there is something to see; the verdict is known here alone. */
  async function next(mine) {
    const wanted = state.rows.filter(isShown).length + SHOWN_MIN;
    replace(more);
    count.textContent = t("loading");
    try {
      said = await verdicts();
      do {
        const query = new URLSearchParams([["limit", PAGE], ["cursor", state.cursor], ...["q", "stage", "category", "placed"].map((name) => [name, state[name]])].filter(([, value]) => value));
        const page = await get(`/v1/projects?${query}`);
        if (mine !== state.asked) return;
        state.rows.push(...page.items);
        state.cursor = page.next_cursor;
      } while (state.cursor !== null && state.rows.filter(isShown).length < wanted);
      replace(failed);
    } catch (error) {
      if (mine !== state.asked) return;
      replace(failed, errorBox(error));
    }
    draw();
  }

  function isShown({ project_id: id }) {
    if (state.verdict === "") return true;
    const verdict = said.get(id)?.queue.verdict;
    return state.verdict === UNASSESSED ? verdict === undefined : verdict === state.verdict;
  }

  function draw() {
    const rows = state.rows.filter(isShown);
    replace(body, rows.map(line));
    const values = { shown: number(rows.length) };
    count.textContent = rows.length === 0 ? t("projects.list.none") : state.cursor === null ? t("projects.list.all", values) : t("projects.list.some", values);
    replace(more, state.cursor === null ? null : h("button", { type: "button", class: "second", onclick: () => next(state.asked) }, t("projects.list.more")));
    const open = rows.filter(isOpen);
    all.checked = open.length > 0 && open.every(({ project_id: id }) => chosen.has(id));
    all.disabled = open.length === 0;
  }

  function line(row) {
    const { project_id: id, entry, stage, missing } = row;
    const found = said.get(id);
    return h("tr", { "data-project": id, "aria-selected": state.open === id ? "true" : null },
      canChoose ? h("td", null, h("input", { type: "checkbox", checked: chosen.has(id), disabled: !isOpen(row), "aria-label": t("projects.choose_one", { name: entry.name }), onchange: (event) => choose(row, event.target.checked) })) : null,
      h("th", { scope: "row" }, h("button", { type: "button", class: "plain name", onclick: () => onOpen(id) }, entry.name),
        h("span", { class: "quiet small block mono" }, entry.source_id)),
      h("td", null, h("span", { class: `badge stage-${stage}` }, told("projects.stage", stage)), missing.map((fact) => h("span", { class: "badge warn" }, told("projects.missing", fact)))),
      h("td", null, found === undefined ? h("span", { class: "quiet" }, "–") : verdictBadge(found.queue.verdict)),
      h("td", null, told("category", entry.category)),
      h("td", { class: "number" }, demandText(entry.demand)),
      h("td", null, entry.works_stage ? told("works_stage", entry.works_stage) : "–"),
      h("td", { class: "number" }, entry.likelihood_ratio === null ? "–" : percent(entry.likelihood_ratio, 0)),
      h("td", { class: "number" }, dayShort(entry.received_on)),
      h("td", { class: "number" }, dayShort(entry.needed_on)));
  }

  function choose({ project_id: id, entry }, is) {
    if (is) chosen.set(id, entry.name);
    else chosen.delete(id);
    onChoose();
    const open = state.rows.filter(isShown).filter(isOpen);
    all.checked = open.every(({ project_id: one }) => chosen.has(one));
  }

  function chooseAll(is) {
    for (const { project_id: id, entry } of state.rows.filter(isShown).filter(isOpen)) {
      if (is) chosen.set(id, entry.name);
      else chosen.delete(id);
    }
    onChoose();
    draw();
  }

  function mark(id) {
    state.open = id;
    for (const one of body.children) {
      if (one.dataset.project === id) one.setAttribute("aria-selected", "true");
      else one.removeAttribute("aria-selected");
    }
  }
}

const HEADS = [
  ["projects.name"], ["projects.stage"], ["projects.verdict"], ["projects.category"], ["projects.demand", true],
  ["projects.works_stage"], ["projects.likelihood", true], ["projects.received_on", true], ["projects.needed_on", true],
];

/** Whether a project may be assessed, changed and converted. */
export function isOpen({ stage }) {
  return OPEN.has(stage);
}

/** Return what is asked: the capacity, else the equipment; nobody's guess where neither is known. */
export function demandText({ capacity_kva: capacity, installed_kw: installed }) {
  if (typeof capacity === "number") return `${number(capacity, 1)} kVA`;
  if (typeof installed === "number") return `${number(installed, 1)} kW`;
  return t("unknown");
}

function dayShort(text) {
  return text ? h("time", { datetime: text, title: day(text) }, text) : "–";
}
