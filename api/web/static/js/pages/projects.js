/** The reserve library and its assessment: find projects, assess them together, look at what came out, compare. */

import { h, replace } from "../base/dom.js";
import { errorBox, openPage } from "../base/page.js";
import { addTexts, number, t } from "../base/texts.js";
import { assessCompare } from "../parts/assess_compare.js";
import { lastAnswers, listAssessments } from "../parts/assess_data.js";
import { emptyDraft } from "../parts/assess_draft.js";
import { assessForm } from "../parts/assess_form.js";
import { assessList } from "../parts/assess_list.js";
import { assessResult } from "../parts/assess_result.js";
import { libraryDetail } from "../parts/library_detail.js";
import { libraryImport } from "../parts/library_import.js";
import { libraryList } from "../parts/library_list.js";
import { pageViews } from "../parts/views.js";
import assessTexts from "../texts/assess.js";
import texts from "../texts/projects.js";

addTexts(assessTexts);
openPage({ title: "projects.title", texts, roles: ["planner", "engineer"], draw });

function draw(main, who) {
  const isPlanner = who.roles.includes("planner");
  const answers = lastAnswers();
  const chosen = new Map();
  const kept = { draft: null };
  let library = null;
  main.classList.add("broad");
  const names = ["library", ...(isPlanner ? ["import", "assess"] : []), "results"];
  const views = pageViews({ label: t("projects.views"), views: names.map((name) => ({ name, title: t(`projects.view.${name}`) })), nameOf, draw: show });
  replace(main, h("div", { class: "page-head" }, h("h1", null, t("projects.title")), views.bar), views.place);
  views.show();

  function nameOf(query) {
    if (query.has("assessment") || query.has("before")) return "results";
    return names.includes(query.get("view")) ? query.get("view") : "library";
  }

  function show(place, query) {
    const name = nameOf(query);
    if (name === "library") showLibrary(place, query.get("project"));
    else if (name === "import") replace(place, libraryImport(() => { library = null; }));
    else guard(place, showAssessing(name, place, query));
  }

  function showAssessing(name, place, query) {
    if (name === "assess") return assessForm(place, { kept, chosen, onStart: (id) => views.go({ assessment: id }) });
    if (query.has("before")) return assessCompare(place, query.get("before"), query.get("after"), views);
    if (query.has("assessment")) {
      return assessResult(place, query.get("assessment"), {
        tab: query.get("tab"), subjectId: who.subject_id, isOperator: who.roles.includes("operator"), links: resultLinks, onDone: answers.forget,
        go: (values) => history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(values)}`),
      });
    }
    return assessList(place, views);
  }

  function showLibrary(place, projectId) {
    library ??= openLibrary();
    replace(place, library.node);
    library.open(projectId);
  }

  function openLibrary() {
    const side = h("div", { class: "library-side" });
    const bar = h("div", { class: "row actions-top" });
    const list = libraryList({ verdicts: answers.read, chosen, canChoose: isPlanner, onOpen: (id) => views.go({ project: id }), onChoose: drawBar });
    const node = h("div", { class: "library-view" }, h("div", { class: "card" }, bar, list.node), side);
    drawBar();
    list.load();
    return { node, open };

    function open(id) {
      node.classList.toggle("has-detail", id !== null);
      list.mark(id);
      replace(side, id === null ? null : libraryDetail(id, { said: answers.read, isPlanner, onClose: () => views.go({ view: "library" }), onChange: list.load }));
      if (id === null && side.dataset.last) list.node.querySelector(`tr[data-project="${CSS.escape(side.dataset.last)}"] button`)?.focus();
      side.dataset.last = id ?? "";
    }

    function drawBar() {
      replace(bar, isPlanner ? [
        h("button", { type: "button", onclick: () => begin("all") }, t("projects.assess_all")),
        h("button", { type: "button", class: "second", disabled: chosen.size === 0, onclick: () => begin("chosen") }, t("projects.assess_chosen", { count: number(chosen.size) })),
        chosen.size > 0 ? h("button", { type: "button", class: "plain", onclick: () => {
          chosen.clear();
          drawBar();
          list.draw();
        } }, t("projects.choose_none")) : null,
        views.link({ view: "import" }, t("projects.import"))] : null);
    }
  }

  function begin(scope) {
    kept.draft = { ...(kept.draft ?? emptyDraft()), scope };
    views.go({ view: "assess" });
  }

  /** What one may do with an assessment: back to the list, compare with another one. */
  function resultLinks(view) {
    const place = h("div", { class: "row result-links" }, views.link({ view: "results" }, t("assess.to_list")));
    if (view.state === "done") offerComparison(place, view);
    return place;
  }

  async function offerComparison(place, view) {
    const others = (await listAssessments()).filter((one) => one.state === "done" && one.assessment_id !== view.assessment_id);
    if (others.length === 0) return;
    const select = h("select", { id: "compare-with", onchange: () => {
      const other = others.find((one) => one.assessment_id === select.value);
      const [before, after] = other.created_at < view.created_at ? [other, view] : [view, other];
      views.go({ before: before.assessment_id, after: after.assessment_id });
    } }, h("option", { value: "" }, t("assess.compare_choose")), others.map((one) => h("option", { value: one.assessment_id }, `${one.scenario_name} · ${one.as_of} · ${one.created_at.slice(11, 16)}`)));
    place.append(h("label", { for: "compare-with", class: "inline" }, t("assess.compare_with")), select);
  }
}

async function guard(place, work) {
  try {
    await work;
  } catch (error) {
    replace(place, errorBox(error));
    if (!("status" in error)) throw error;
  }
}
