/** Assessments, newest first: open one, or mark two to see in what they differ. */

import { ApiError, get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { kva, moment, number, t, told } from "../base/texts.js";
import { stateBadge } from "./job_box.js";
import { verdictSign, VERDICTS } from "./verdicts.js";

const PAGE = 50;

/**
 * Show the list in a place.
 * @param {HTMLElement} place
 * @param {{link: function(Object, any): HTMLElement, go: function(Object): void}} page
 */
export async function assessList(place, { link, go }) {
  const marked = [];
  const body = h("tbody");
  const more = h("div");
  const compare = h("button", { type: "button", disabled: true, onclick: () => go({ before: marked[0].assessment_id, after: marked[1].assessment_id }) }, t("assess.compare_two"));
  replace(place, h("h2", { tabindex: "-1" }, t("assess.list")),
    h("section", { class: "card" }, h("div", { class: "row actions-top" }, link({ view: "assess" }, t("assess.new"), { class: "button" }), compare, h("span", { class: "quiet small" }, t("assess.compare_hint"))),
      h("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": t("assess.list") }, h("table", { class: "compact" },
        h("thead", null, h("tr", null, HEADS.map(([key, isNumber]) => h("th", { scope: "col", class: isNumber ? "number" : null }, t(key))))), body)), more));
  await next(null);

  async function next(cursor) {
    try {
      const page = await get(`/v1/assessments?${new URLSearchParams([["limit", PAGE], ...(cursor === null ? [] : [["cursor", cursor]])])}`);
      body.append(...page.items.map(line));
      if (body.children.length === 0) replace(more, h("p", { class: "quiet" }, t("assess.list.none")));
      else replace(more, page.next_cursor === null ? null : h("button", { type: "button", class: "second", onclick: () => next(page.next_cursor) }, t("assess.list.more")));
    } catch (error) {
      replace(more, errorBox(error));
      if (!(error instanceof ApiError)) throw error;
    }
  }

  function line(row) {
    const { counts } = row;
    const mark = h("input", { type: "checkbox", disabled: row.state !== "done", "aria-label": t("assess.mark", { name: `${row.scenario_name} ${moment(row.created_at)}` }), onchange: () => {
      if (mark.checked) marked.push(row);
      else marked.splice(marked.indexOf(row), 1);
      marked.sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
      compare.disabled = marked.length !== 2;
    } });
    return h("tr", null, h("td", null, mark),
      h("th", { scope: "row" }, link({ assessment: row.assessment_id }, row.scenario_name), h("span", { class: "quiet small block" }, [row.file, row.with_works ? t("assess.has_works") : null].filter(Boolean).join(" · "))),
      h("td", null, stateBadge(row.state), row.progress?.total ? h("span", { class: "quiet small" }, ` ${number(row.progress.done)} / ${number(row.progress.total)}`) : null),
      h("td", null, moment(row.created_at), h("span", { class: "quiet small block" }, row.created_by)),
      h("td", null, counts === null ? "" : h("span", { class: "count-list" }, VERDICTS.filter((verdict) => counts.queue[verdict] > 0).map((verdict) =>
        h("span", { title: told("assess.verdict", verdict) }, verdictSign(verdict), h("span", { class: "visually-hidden" }, told("assess.verdict", verdict)), number(counts.queue[verdict]))))),
      h("td", { class: "number" }, counts === null ? "" : `${number(counts.served_kva, 0)} / ${kva(counts.asked_kva)}`),
      h("td", { class: "number" }, counts === null ? "" : number(counts.conflicts)),
      h("td", { class: "number" }, counts === null ? "" : number(counts.runs_out)));
  }
}

const HEADS = [["assess.mark_head"], ["assess.scenario"], ["assess.state"], ["assess.when"], ["assess.verdicts"], ["assess.served_of_asked", true], ["assess.count.conflicts", true], ["assess.count.runs_out", true]];
