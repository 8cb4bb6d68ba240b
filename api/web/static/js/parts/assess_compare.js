/** Two assessments side by side: what differs comes first, then the figures of both. */

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { progressBar } from "../base/page.js";
import { day, kva, number, t, told } from "../base/texts.js";
import { elementName } from "./assess_answer.js";
import { elementKey, loadResult } from "./assess_data.js";
import { sortedTable } from "./sorted_table.js";
import { verdictBadge, verdictSign, VERDICTS } from "./verdicts.js";

const RANK = Object.fromEntries(VERDICTS.map((verdict, rank) => [verdict, rank]));

/**
 * Show in what `after` differs from `before`.
 * @param {HTMLElement} place
 * @param {string} before
 * @param {string} after
 * @param {{link: function(Object, string): HTMLElement}} page
 */
export async function assessCompare(place, before, after, page) {
  replace(place, progressBar(t("loading")).node);
  const [{ comparison }, one, other, left, right] = await Promise.all([
    get(`/v1/assessments/${before}:compare?${new URLSearchParams({ after })}`),
    get(`/v1/assessments/${before}`), get(`/v1/assessments/${after}`), loadResult(before), loadResult(after)]);
  const names = new Map([...left.names, ...right.names]);
  const nameOf = (id) => (right.byId.get(id) ?? left.byId.get(id))?.name ?? id;
  const head = (view, which) => h("div", null, h("span", { class: "quiet small" }, told("assess.compare", which)), h("h3", null, page.link({ assessment: view.assessment_id }, view.scenario_name)), h("p", { class: "quiet small" }, day(view.as_of)));
  replace(place, h("h2", { tabindex: "-1" }, t("assess.compare_title")),
    h("section", { class: "card" }, sentence(comparison), projectDifferences(comparison, nameOf)),
    h("section", { class: "card" }, h("h3", null, t("assess.compare.elements")), elementDifferences(comparison, names)),
    h("section", { class: "card" }, h("div", { class: "compare-heads" }, head(one, "before"), head(other, "after")), figures(comparison, one, other)));
  place.querySelector("h2").focus();
}

function sentence({ projects, served_before_kva: before, served_after_kva: after }) {
  const better = projects.filter((one) => gain(one) > 0).length;
  const worse = projects.filter((one) => gain(one) < 0).length;
  const change = after - before;
  return h("p", { class: `notice ${change > 0 ? "good" : change < 0 ? "warn" : ""}` }, projects.length === 0 ? t("assess.compare.same")
    : t("assess.compare.sentence", { count: number(projects.length), better: number(better), worse: number(worse), change: `${change > 0 ? "+" : ""}${kva(change)}` }));
}

/** More than zero: the project is better off afterwards. */
function gain({ now_before_kva: before, now_after_kva: after, verdict_before: first, verdict_after: second }) {
  if (first === null || second === null) return 0;
  return (after ?? 0) - (before ?? 0) || RANK[first] - RANK[second];
}

function projectDifferences({ projects }, nameOf) {
  const shown = (verdict) => (verdict === null ? h("span", { class: "quiet" }, t("assess.compare.not_part")) : verdictBadge(verdict));
  const table = sortedTable({ label: t("assess.compare.projects"), by: 4, isDown: true, columns: [
    { head: t("projects.name"), isName: true, order: (one) => nameOf(one.project_id), cell: (one) => nameOf(one.project_id) },
    { head: t("assess.compare.before"), order: (one) => RANK[one.verdict_before], cell: (one) => shown(one.verdict_before) },
    { head: t("assess.compare.after"), order: (one) => RANK[one.verdict_after], cell: (one) => shown(one.verdict_after) },
    { head: t("assess.compare.kva"), isNumber: true, order: (one) => one.now_after_kva, cell: (one) => `${one.verdict_before === null ? "–" : number(one.now_before_kva, 1)} → ${one.verdict_after === null ? "–" : number(one.now_after_kva, 1)}` },
    { head: t("assess.compare.change"), isNumber: true, order: gain, cell: change },
    { head: t("assess.point"), cell: (one) => (one.point_before === one.point_after ? one.point_after ?? "–" : [h("del", null, one.point_before ?? "–"), " → ", h("ins", null, one.point_after ?? "–")]) },
  ] });
  table.show(projects);
  return [h("h3", null, t("assess.compare.projects")), projects.length === 0 ? h("p", null, t("none")) : table.node];
}

function change(one) {
  const value = gain(one);
  if (value === 0) return "–";
  const amount = (one.now_after_kva ?? 0) - (one.now_before_kva ?? 0);
  return h("span", { class: value > 0 ? "good-text" : "bad-text" }, `${value > 0 ? "▲" : "▼"} ${amount > 0 ? "+" : ""}${number(amount, 1)} kVA`);
}

function elementDifferences({ years, conflicts_gone: gone, conflicts_new: fresh }, names) {
  const list = (keys, none) => (keys.length === 0 ? h("p", { class: "quiet" }, none) : h("ul", null, keys.map(([kind, id]) => h("li", null, elementName(names, kind, id)))));
  const year = (value) => (value === null ? t("assess.years.enough") : String(value));
  return h("div", { class: "columns" },
    h("div", null, h("h4", null, t("assess.compare.gone")), list(gone, t("none"))),
    h("div", null, h("h4", null, t("assess.compare.new")), list(fresh, t("none"))),
    h("div", null, h("h4", null, t("assess.compare.years")), years.length === 0 ? h("p", { class: "quiet" }, t("none"))
      : h("ul", null, years.map((one) => h("li", { "data-element": elementKey(one.element_kind, one.element_id) }, elementName(names, one.element_kind, one.element_id), ": ", year(one.runs_out_before), " → ", h("strong", null, year(one.runs_out_after)))))));
}

function planned({ with_works: withWorks, counts }) {
  return withWorks ? number(counts.works) : t("assess.not_planned");
}

function figures(comparison, before, after) {
  const [first, second] = [new Map(comparison.verdicts_before), new Map(comparison.verdicts_after)];
  const row = (label, one, other) => h("tr", { class: one === other ? null : "differs" }, h("th", { scope: "row" }, label), h("td", { class: "number" }, one), h("td", { class: "number" }, other));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("assess.compare.figures") }, h("table", { class: "compact figures" },
    h("thead", null, h("tr", null, h("th", { scope: "col" }, t("assess.compare.figures")), h("th", { scope: "col", class: "number" }, t("assess.compare.before")), h("th", { scope: "col", class: "number" }, t("assess.compare.after")))),
    h("tbody", null,
      row(t("assess.served_kva"), kva(comparison.served_before_kva), kva(comparison.served_after_kva)),
      VERDICTS.map((verdict) => row([verdictSign(verdict), " ", told("assess.verdict", verdict)], number(first.get(verdict) ?? 0), number(second.get(verdict) ?? 0))),
      row(t("assess.count.conflicts"), number(before.counts.conflicts), number(after.counts.conflicts)),
      row(t("assess.count.runs_out"), number(before.counts.runs_out), number(after.counts.runs_out)),
      row(t("assess.count.works"), planned(before), planned(after)))));
}
