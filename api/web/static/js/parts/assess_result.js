/** One assessment: its progress while it is at work, then figures, map, conflicts and every table. */

import { ApiError, get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, progressBar } from "../base/page.js";
import { day, number, t } from "../base/texts.js";
import { openFocus } from "./assess_focus.js";
import { basis, fileButtons, headFigures } from "./assess_head.js";
import { loadResult } from "./assess_data.js";
import { assessMap } from "./assess_map.js";
import { assessSide } from "./assess_side.js";
import { conflictTable, projectTable, quotaTable, workTables } from "./assess_tables.js";
import { yearCharts } from "./assess_years.js";
import { jobBox, jobError, stateBadge } from "./job_box.js";
import { tabBar } from "./tabs.js";

const TABS = ["projects", "conflicts", "years", "works", "quotas", "basis"];
const AGAIN_MS = 2_000;

/**
 * Show an assessment in a place.
 * @param {HTMLElement} place
 * @param {string} assessmentId
 * @param {{go: function(Object, boolean): void, tab: string|null, subjectId: string, isOperator: boolean, onDone: function(): void, links: function(Object): Node}} page
 */
export async function assessResult(place, assessmentId, page) {
  const view = await get(`/v1/assessments/${assessmentId}`);
  if (view.state === "queued" || view.state === "running") showWork(place, view, page);
  else if (view.state === "done") await showResult(place, view, page);
  else replace(place, title(view), h("section", { class: "card" }, view.error === null ? h("p", { class: "notice warn" }, t("assess.stopped")) : jobError(view.error), page.links(view)));
}

function title(view) {
  return h("h2", { tabindex: "-1", class: "assess-title" }, view.scenario_name, " ", stateBadge(view.state), " ",
    h("span", { class: "quiet small" }, [day(view.as_of), view.file].filter(Boolean).join(" · ")));
}

function showWork(place, view, page) {
  const again = () => {
    page.onDone();
    if (place.isConnected) assessResult(place, view.assessment_id, page);
  };
  const isOwn = page.isOperator || view.created_by === page.subjectId;
  const box = isOwn ? jobBox(view.job_id, { onEnd: again }) : watched(place, view, again);
  replace(place, title(view), h("section", { class: "card" }, h("h3", null, t("assess.running")), h("p", { class: "quiet" }, t("assess.running_hint")), box));
}

/** Work of somebody else has no stream of events: it is asked for from time to time. */
function watched(place, view, again) {
  const bar = progressBar(t("job.waiting"));
  const timer = setInterval(async () => {
    if (!bar.node.isConnected) {
      clearInterval(timer);
      return;
    }
    const { state, progress } = await get(`/v1/assessments/${view.assessment_id}`);
    if (progress !== null) bar.set(progress.done, progress.total, progress.total ? t("job.step", progress) : null);
    if (state !== "queued" && state !== "running") {
      clearInterval(timer);
      again();
    }
  }, AGAIN_MS);
  return bar.node;
}

async function showResult(place, view, page) {
  const bar = progressBar(t("loading"));
  replace(place, title(view), bar.node);
  let result;
  try {
    result = await loadResult(view.assessment_id, (done, total) => bar.set(done, total, t("loading")));
  } catch (error) {
    replace(place, title(view), errorBox(error));
    if (!(error instanceof ApiError)) throw error;
    return;
  }
  const focus = openFocus();
  const pickProject = (id) => look({ project: id });
  const pickElement = (kind, element) => look({ kind, element });
  const map = assessMap(result, focus);
  const panels = {
    projects: projectTable(result, pickProject), conflicts: conflictTable(result, pickProject, pickElement),
    years: yearCharts(result.years, pickElement), works: workTables(result, pickProject, view.with_works),
    quotas: quotaTable(result), basis: basis(view, result),
  };
  const counts = { projects: result.projects.length, conflicts: result.conflicts.length, years: result.years.length, works: result.works.length, quotas: result.quotas.length };
  const tabs = tabBar(t("assess.tabs"), TABS.map((key) => ({ key, title: key in counts ? `${t(`assess.tab.${key}`)} ${number(counts[key])}` : t(`assess.tab.${key}`), panel: panels[key] })), (key) => choose(key));
  const looked = h("div", { class: "assess-top" }, h("div", { class: "card" }, map), h("div", { class: "card" }, assessSide(result, focus)));
  replace(place, h("div", { class: "row between" }, title(view), h("div", { class: "row" }, fileButtons(view.assessment_id))), page.links(view),
    headFigures(view, result.works), view.counts.left_out > 0 ? h("p", { class: "notice warn" }, t("assess.left_out_told", { count: number(view.counts.left_out) })) : null,
    h("p", { class: "quiet small" }, t("not_additive")), looked, h("section", { class: "card" }, tabs.node));
  tabs.show(TABS.includes(page.tab) ? page.tab : TABS[0]);

  function choose(key) {
    if (key === null) return;
    tabs.show(key);
    page.go({ assessment: view.assessment_id, tab: key });
  }

  /** Look at one thing, and bring map and panel into sight. */
  function look(wanted) {
    focus.set(wanted);
    looked.scrollIntoView({ block: "start" });
  }
}
