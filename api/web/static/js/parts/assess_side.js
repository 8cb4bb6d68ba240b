/** Beside the map: all conflicts, or the one element or project somebody looks at. */

import { h, replace } from "../base/dom.js";
import { day, kva, number, percent, t, told } from "../base/texts.js";
import { elementName, limiterText, pointText, projectButton, shortAnswer } from "./assess_answer.js";
import { conflictBars } from "./assess_bars.js";
import { elementKey, projectsOf } from "./assess_data.js";
import { verdictBadge, verdictSign } from "./verdicts.js";

/**
 * Return the panel.
 * @param {Object} result
 * @param {Object} focus
 */
export function assessSide(result, focus) {
  const node = h("section", { class: "assess-side", "aria-live": "polite", "aria-label": t("assess.side") });
  const pickProject = (id) => focus.set({ project: id });
  const pickElement = (kind, element) => focus.set({ kind, element });
  focus.listen(draw);
  draw(null);
  return node;

  function draw(now) {
    const hadFocus = node.contains(document.activeElement);
    replace(node, now === null ? all() : now.project !== undefined ? project(result.byId.get(now.project)) : element(now.kind, now.element));
    if (hadFocus && now !== null) node.querySelector("button.back").focus();
  }

  function all() {
    return [h("h3", null, t("assess.conflicts", { count: number(result.conflicts.length) })), conflictBars(result, ({ element_kind: kind, element_id: id }) => pickElement(kind, id))];
  }

  function back() {
    return h("button", { type: "button", class: "plain small back", onclick: () => focus.set(null) }, t("assess.back"));
  }

  function element(kind, id) {
    const conflict = result.contests.get(elementKey(kind, id));
    const ids = conflict ? [...conflict.served, ...conflict.refused] : projectsOf(result, kind, id).map(({ project_id: one }) => one);
    const rows = ids.map((one) => result.byId.get(one)).filter(Boolean).sort((a, b) => a.queue_no - b.queue_no);
    return [back(), h("h3", null, elementName(result.names, kind, id), " ", h("span", { class: "badge" }, told("assess.element", kind))),
      conflict ? h("p", { class: "notice warn" }, t("assess.conflict.told", { asked: kva(conflict.asked_kva), open: kva(conflict.open_kva), served: number(conflict.served.length), refused: number(conflict.refused.length) }))
        : h("p", { class: "quiet" }, t(rows.length === 0 ? "assess.element.nobody" : "assess.element.peace", { count: number(rows.length) })),
      rows.length === 0 ? null : h("ol", { class: "queue-list" }, rows.map((row) => h("li", null,
        h("span", { class: "number quiet" }, number(row.queue_no)), h("span", { title: told("assess.verdict", row.queue.verdict) }, verdictSign(row.queue.verdict), h("span", { class: "visually-hidden" }, told("assess.verdict", row.queue.verdict))),
        projectButton(row, pickProject), h("span", { class: "number" }, `${number(row.queue.now_kva, 1)} / ${kva(row.queue.asked_kva)}`))))];
  }

  function project(row) {
    const limiter = limiterText(row.queue, result.names);
    const contested = row.queue.limiter?.contested ?? null;
    return [back(), h("h3", null, row.name), h("p", null, verdictBadge(row.queue.verdict), row.works === null ? null : [" ", h("span", { class: "badge" }, told("assess.trigger", row.works.trigger))]),
      h("dl", { class: "facts" }, facts([
        ["assess.alone", shortAnswer(row.alone)],
        ["assess.queue_place", t("assess.queue_told", { no: number(row.queue_no), answer: shortAnswer(row.queue) })],
        ["assess.point", pointText(row.queue) ?? pointText(row.alone)],
        ["assess.limiter", limiter === null ? null : contested === null ? limiter : h("button", { type: "button", class: "plain", onclick: () => pickElement(...contested) }, limiter)],
        ["assess.reason", row.queue.reason],
        ["assess.competitors", row.competitors.length === 0 ? null : h("span", { class: "name-list" }, row.competitors.map((id) => result.byId.get(id)).filter(Boolean).map((one) => projectButton(one, pickProject)))],
        ["assess.needed_on", row.needed_on ? day(row.needed_on) : null],
        ["assess.likelihood", row.likelihood_ratio === null ? null : percent(row.likelihood_ratio, 0)],
        ["assess.works", row.works?.text ?? null],
        ["assess.cost", isUnpriced(row.works) ? null : t("assess.cost_told", { cost: number(row.works.cost_cny10k, 2) })],
        ["assess.not_priced", row.works === null || row.works.not_priced.length === 0 ? null : row.works.not_priced.join("; ")],
        ["assess.funding", row.works?.funding ?? null],
        ["assess.latest_start", row.works?.latest_start_on ? day(row.works.latest_start_on) : null],
      ])),
      row.is_library ? h("p", null, h("a", { href: `/console/projects?project=${encodeURIComponent(row.project_id)}` }, t("assess.open_project"))) : null];
  }
}

/** Whether nothing of it has a price: a sum of nothing is not a cost of 0. */
export function isUnpriced(works) {
  return works === null || works.cost_cny10k === null || (works.cost_cny10k === 0 && works.not_priced.length > 0);
}

function facts(rows) {
  return rows.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => h("div", null, h("dt", null, t(name)), h("dd", null, value)));
}
