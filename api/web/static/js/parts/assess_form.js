/** A new assessment: which projects, what is assumed, saved as a scenario or just for once. */

import { ApiError, get, post, postFile } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, progressBar, say } from "../base/page.js";
import { number, t } from "../base/texts.js";
import { draftOf, emptyDraft, entryOf } from "./assess_draft.js";
import { listAssessments } from "./assess_data.js";
import { upgradeText } from "./assess_head.js";
import { fileBox, plainName } from "./file_box.js";
import { LIMIT_MIB, MEDIA_TYPES, templates } from "./library_import.js";
import { projectPicker } from "./project_picker.js";

const YEARS_AHEAD = 1;
const SAVED_SHOWN = 200;

/**
 * Show the form in a place.
 * @param {HTMLElement} place
 * @param {{kept: {draft: Object|null}, chosen: Map<string, string>, onStart: function(string): void}} page `kept.draft` stays
 *   while the page is open, `chosen` are the projects picked in the library.
 */
export async function assessForm(place, { kept, chosen, onStart }) {
  kept.draft ??= { ...emptyDraft(), scope: chosen.size > 0 ? "chosen" : "all" };
  if (chosen.size === 0 && kept.draft.scope === "chosen") kept.draft.scope = "all";
  const [saved, earlier] = await Promise.all([get(`/v1/scenarios?${new URLSearchParams({ limit: SAVED_SHOWN })}`), listAssessments()]);
  const planned = earlier.filter(({ state, with_works: withWorks, counts }) => state === "done" && withWorks && counts.works > 0);
  draw();

  function draw() {
    const { draft } = kept;
    const told = h("div", { "aria-live": "polite" });
    const start = h("button", { type: "button", onclick: () => run(start, told) }, t("assess.start"));
    const again = () => assessForm(place, { kept, chosen, onStart });
    replace(place, h("h2", { tabindex: "-1" }, t("assess.new")), h("p", { class: "quiet" }, t("assess.new.lead")),
      h("section", { class: "card" }, h("h3", null, t("assess.scope")), scope(draft)),
      h("section", { class: "card" }, h("h3", null, t("assess.scenario")), h("p", { class: "quiet small" }, t("assess.scenario.lead")),
        h("div", { class: "columns" }, savedScenarios(draft), name(draft)),
        h("div", { class: "columns" },
          projectPicker({ id: "pick-first", label: t("assess.first"), hint: t("assess.first.hint"), isOrdered: true, list: draft.first }),
          projectPicker({ id: "pick-excluded", label: t("assess.excluded"), hint: t("assess.excluded.hint"), isOrdered: false, list: draft.excluded })),
        h("div", { class: "columns" }, growth(draft), upgrades(draft))),
      h("section", { class: "card" }, h("label", { class: "inline" }, h("input", { type: "checkbox", id: "with-works", checked: draft.withWorks, onchange: (event) => { draft.withWorks = event.target.checked; } }), t("assess.with_works")),
        h("p", { class: "quiet small" }, t("assess.with_works.hint")),
        h("div", { class: "row actions" }, start, h("button", { type: "button", class: "second", onclick: (event) => save(event.target, told, again) }, t(draft.scenarioId === null ? "assess.save" : "assess.save_version")),
          h("button", { type: "button", class: "plain", onclick: () => {
            kept.draft = null;
            again();
          } }, t("assess.clear"))), told));
  }

  function scope(draft) {
    const place = h("div");
    const option = (value, text, disabled = false) => h("label", { class: "inline" }, h("input", { type: "radio", name: "scope", value, checked: draft.scope === value, disabled, onchange: () => {
      draft.scope = value;
      below();
    } }), text);
    below();
    return h("fieldset", { class: "bare" }, h("legend", { class: "visually-hidden" }, t("assess.scope")),
      option("all", t("assess.scope.all")), option("chosen", t("assess.scope.chosen", { count: number(chosen.size) }), chosen.size === 0), option("table", t("assess.scope.table")), place);

    function below() {
      if (draft.scope !== "table") {
        replace(place, draft.scope === "chosen" ? h("p", { class: "small quiet" }, [...chosen.values()].slice(0, 5).join("; "), chosen.size > 5 ? " …" : "") : null);
        return;
      }
      const file = h("p", { class: "small" }, draft.file === null ? "" : draft.file.file.name);
      replace(place, fileBox({ label: t("assess.scope.file"), hint: t("assess.scope.file_hint"), mediaTypes: MEDIA_TYPES, limitMib: LIMIT_MIB, onFile: (given, mediaType) => {
        draft.file = { file: given, mediaType };
        file.textContent = given.name;
      } }), file, templates());
    }
  }

  function savedScenarios(draft) {
    const failed = h("div");
    const select = h("select", { id: "scenario-saved", onchange: load }, h("option", { value: "" }, t("assess.scenario.none")),
      saved.items.map((one) => h("option", { value: one.scenario_id, selected: one.scenario_id === draft.scenarioId }, t("assess.scenario.saved_as", { name: one.name, no: number(one.version_no) }))));
    return h("div", { class: "field" }, h("label", { for: "scenario-saved" }, t("assess.scenario.saved")), select, failed);

    async function load() {
      const found = saved.items.find((one) => one.scenario_id === select.value);
      try {
        kept.draft = found === undefined ? emptyDraft() : await draftOf(found, async (id) => (await get(`/v1/projects/${id}`)).entry.name);
        kept.draft.scope = chosen.size > 0 ? "chosen" : "all";
        draw();
      } catch (error) {
        replace(failed, errorBox(error));
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }

  function name(draft) {
    return h("div", { class: "field" }, h("label", { for: "scenario-name" }, t("assess.scenario.name")),
      h("input", { type: "text", id: "scenario-name", maxlength: 100, value: draft.name, placeholder: t("assess.as_it_is"), oninput: (event) => { draft.name = event.target.value; } }));
  }

  function growth(draft) {
    const list = h("ul", { class: "growth-list" });
    show();
    return h("div", { class: "field" }, h("span", { class: "label-text" }, t("assess.growth")), h("p", { class: "hint" }, t("assess.growth.hint")), list,
      h("button", { type: "button", class: "second small", onclick: () => {
        const last = draft.growth.at(-1);
        draft.growth.push({ year: String(last ? Number(last.year) + 1 : new Date().getFullYear() + YEARS_AHEAD), percent: last?.percent ?? "" });
        show();
      } }, t("assess.growth.add")));

    function show() {
      replace(list, draft.growth.map((one, at) => h("li", { class: "row nowrap" },
        h("input", { type: "number", class: "short", min: 2000, max: 2099, step: 1, value: one.year, "aria-label": t("assess.year"), oninput: (event) => { one.year = event.target.value; } }),
        h("input", { type: "number", class: "short", step: "any", value: one.percent, "aria-label": t("assess.growth_of", { year: one.year }), oninput: (event) => { one.percent = event.target.value; } }), "%",
        h("button", { type: "button", class: "plain", "aria-label": t("assess.remove", { name: one.year }), onclick: () => {
          draft.growth.splice(at, 1);
          show();
        } }, "×"))));
    }
  }

  function upgrades(draft) {
    const list = h("ul", { class: "picked-list" });
    const offered = h("div", { "aria-live": "polite" });
    const select = h("select", { id: "upgrades-from", onchange: offer }, h("option", { value: "" }, t("assess.upgrades.choose")),
      planned.map((one) => h("option", { value: one.assessment_id }, `${one.scenario_name} · ${one.as_of} · ${t("assess.upgrades.count", { count: number(one.counts.works) })}`)));
    show();
    return h("div", { class: "field" }, h("span", { class: "label-text" }, t("assess.upgrades")), h("p", { class: "hint" }, t("assess.upgrades.hint")), list,
      planned.length === 0 ? h("p", { class: "quiet small" }, t("assess.upgrades.none")) : [h("label", { for: "upgrades-from", class: "visually-hidden" }, t("assess.upgrades.choose")), select], offered);

    function show() {
      replace(list, draft.upgrades.map((one, at) => h("li", null, upgradeText(one), " ", h("button", { type: "button", class: "plain small", "aria-label": t("assess.remove", { name: upgradeText(one) }), onclick: () => {
        draft.upgrades.splice(at, 1);
        show();
        offer();
      } }, "×"))));
    }

    async function offer() {
      if (select.value === "") {
        replace(offered);
        return;
      }
      const { items } = await get(`/v1/assessments/${select.value}/works`);
      const isTaken = ({ upgrade }) => draft.upgrades.some((one) => one.table === upgrade.table && one.element_id === upgrade.element_id);
      const known = items.filter(({ upgrade }) => upgrade !== null);
      const left = known.filter((one) => !isTaken(one));
      const take = (works) => {
        draft.upgrades.push(...works.map(({ upgrade }) => upgrade));
        show();
        offer();
      };
      replace(offered, left.length > 1 ? h("button", { type: "button", class: "second small", onclick: () => take(left) }, t("assess.assume_all", { count: number(left.length) })) : null,
        h("ul", { class: "offer-list" }, known.map((one) => h("li", null, h("span", null, one.work.text), isTaken(one) ? h("span", { class: "badge good" }, t("assess.assumed"))
          : h("button", { type: "button", class: "second small", "aria-label": t("assess.assume_of", { text: one.work.text }), onclick: () => take([one]) }, t("assess.assume"))))),
        known.length < items.length ? h("p", { class: "quiet small" }, t("assess.upgrades.not_known", { count: number(items.length - known.length) })) : null);
    }
  }

  async function run(start, told) {
    const { draft } = kept;
    if (draft.scope === "table" && draft.file === null) {
      replace(told, h("p", { class: "notice bad", role: "alert" }, t("assess.scope.no_file")));
      return;
    }
    start.disabled = true;
    replace(told, progressBar(t("assess.starting")).node);
    try {
      const { assessment_id: id } = draft.scope === "table" ? await assessTable(draft) : await post("/v1/projects:assess", {
        scenario: entryOf(draft, t("assess.as_it_is")), with_works: draft.withWorks, ...(draft.scope === "chosen" ? { project_ids: [...chosen.keys()] } : {}),
      });
      onStart(id);
    } catch (error) {
      replace(told, errorBox(error));
      start.disabled = false;
      if (!(error instanceof ApiError)) throw error;
    }
  }

  async function save(button, told, again) {
    const { draft } = kept;
    button.disabled = true;
    const entry = { ...entryOf(draft, t("assess.as_it_is")), ...(draft.scope === "chosen" ? { project_ids: [...chosen.keys()] } : {}) };
    try {
      const done = await (draft.scenarioId === null ? post("/v1/scenarios", entry) : post(`/v1/scenarios/${draft.scenarioId}:update`, { ...entry, version_no: draft.versionNo }));
      Object.assign(draft, { scenarioId: done.scenario_id, versionNo: done.version_no, name: done.name });
      say(t("assess.saved", { name: done.name, no: number(done.version_no) }));
      await again();
    } catch (error) {
      replace(told, errorBox(error));
      button.disabled = false;
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

/** A table is handed in as it is; of scenarios it takes a saved one. */
function assessTable({ file: { file, mediaType }, scenarioId, withWorks }) {
  const query = new URLSearchParams({ name: plainName(file, "projects"), with_works: String(withWorks), ...(scenarioId === null ? {} : { scenario_id: scenarioId }) });
  return postFile(`/v1/projects:assess?${query}`, file, mediaType);
}
