/** Where a case stands: its steps, its dates with today among them, stages of a transition, validity. */

import { h } from "../base/dom.js";
import { day, number, t, told } from "../base/texts.js";
import { daysBetween, today } from "./days.js";

const ENDED = new Set(["expired", "withdrawn", "superseded", "cancelled"]);
const PROMISED = new Set(["held", "committed", "reduced"]);
const FULL = 100;

/** Return how many steps are done; the rest follow in their order. */
function stepsDone(count, state) {
  if (state === "energised") return count;
  return Math.min(PROMISED.has(state) ? 2 : 1, count - 1);
}

/**
 * Return the steps of the case, done ones and the current one marked.
 * @param {{steps: string[]}} model
 * @param {string} state of its last hold
 */
export function stepList({ steps, isConsultation }, state) {
  if (isConsultation) return h("ol", null, steps.map((name) => h("li", null, name)));
  const done = stepsDone(steps.length, state);
  return h("ol", { class: "steps" }, steps.map((name, place) => {
    const is = place < done ? "done" : place === done && !ENDED.has(state) ? "current" : "open";
    return h("li", { class: is, "aria-current": is === "current" ? "step" : null },
      h("span", { class: "sign", "aria-hidden": "true" }, place + 1), h("span", null, name), h("span", { class: "quiet" }, told("case.step", is)));
  }));
}

/**
 * Return the dates as bars over a common axis of days, what has no date with the reason.
 * @param {Object} model as `modelOf` makes it
 */
export function dateChart(model) {
  const { timeline, request, validity, variants } = model;
  if (timeline === null) return null;
  const marks = [
    { on: today(), name: "today" },
    { on: request.needed_on ?? null, name: "needed" },
    { on: timeline.promiseOn, name: "promise" },
    { on: timeline.promiseOn ? null : variants[0]?.promiseNotBeforeOn, name: "earliest" },
    { on: validity?.to ?? null, name: "valid" },
  ].filter(({ on }) => on);
  const bars = timeline.milestones.flatMap(({ from, to }) => [from, to]).filter(Boolean);
  const days = [...bars, ...marks.filter(({ name }) => name !== "valid").map(({ on }) => on)].sort();
  const [first, last] = [days[0], days[days.length - 1]];
  const span = Math.max(1, daysBetween(first, last));
  const at = (on) => `${Math.min(1, Math.max(0, daysBetween(first, on) / span)) * FULL}%`;
  const shown = marks.filter(({ on }) => on >= first && on <= last);
  const lines = () => shown.map(({ on, name }) => h("span", { class: `mark ${name}`, style: { left: at(on) } }));
  return h("figure", { class: "dates" },
    h("figcaption", { class: "quiet" }, marks.map(({ on, name }) => h("span", { class: "mark-name" }, h("span", { class: `mark-sample ${name}`, "aria-hidden": "true" }), told("case.mark", name), " ", day(on)))),
    h("ol", null, timeline.milestones.map((one) => h("li", null,
      h("span", { class: "what" }, one.text),
      h("span", { class: "track", "aria-hidden": "true" }, lines(), barOf(one, at)),
      h("span", { class: "when" }, whenOf(one))))));
}

function barOf({ from, to }, at) {
  if (!from && !to) return null;
  const start = at(from ?? to);
  const style = to ? { left: start, right: `calc(100% - max(${at(to)}, ${start} + 4px))` } : { left: start, right: "0" };
  return h("span", { class: `bar${to && from ? "" : " is-open"}${to && to < today() ? " is-past" : ""}`, style });
}

function whenOf({ from, to, needs }) {
  const reason = needs ? h("span", { class: "needs" }, t("case.when.needs", { needs })) : null;
  if (to) return [from === to || !from ? day(to) : t("case.when.from_to", { from: day(from), to: day(to) }), reason];
  return [from ? t("case.when.from", { from: day(from) }) : t("case.when.open"), reason];
}

/** Return the stages of a transition one after the other, with the capacity from each on. */
export function stageList({ stages, supply }) {
  if (stages.length === 0) return null;
  const full = Math.max(...stages.map(({ kva }) => kva ?? 0), supply?.kva ?? 0);
  return h("ol", { class: "stage-list" }, stages.map(({ no, kva, workdays, text }) => h("li", null,
    h("div", { class: "tank", "aria-hidden": "true" }, h("span", { style: { height: `${full > 0 ? ((kva ?? 0) / full) * FULL : 0}%` } })),
    h("div", null,
      h("strong", null, t("case.stage.no", { no })),
      h("p", null, kva === null ? t("case.stage.none") : t("case.stage.kva", { kva: number(kva, 1) })),
      h("p", { class: "quiet" }, workdays === null ? t("case.stage.open") : t("case.stage.workdays", { workdays })),
      text ? h("p", { class: "quiet" }, text) : null))));
}

/** Return how long an offer holds, with the days left. */
export function validityOf({ validity }) {
  if (validity === null) return null;
  const left = daysBetween(today(), validity.to);
  const text = left < 0 ? t("case.validity.over", { to: day(validity.to) }) : t("case.validity.left", { from: day(validity.from), to: day(validity.to), left: left + 1 });
  return h("p", { class: left < 0 ? "bad-text" : null }, text);
}
