/** The plan of a variant as bars over the calendar: what waits for what, what is critical, what nobody has dated. */

import { h } from "../base/dom.js";
import { day, number, t, told } from "../base/texts.js";
import { daysBetween, today } from "./days.js";

const DAYS_MIN = 1;

/** Return the bars of a timeline. */
export function timeline(plan) {
  if (plan === null) return h("p", { class: "quiet" }, t("scheme.no_timeline"));
  const days = plan.milestones.flatMap(({ starts_on: start, ends_on: end }) => [start, end]).concat(plan.limit_on, plan.promise_on).filter(Boolean).sort();
  const [first, last] = [days[0] ?? today(), days[days.length - 1] ?? today()];
  const whole = Math.max(DAYS_MIN, daysBetween(first, last) + 1);
  const at = (date) => `${(100 * daysBetween(first, date)) / whole}%`;
  const marks = [["today", today()], ["limit_mark", plan.limit_on]].filter(([, date]) => date && date >= first && date <= last);
  return h("div", null,
    h("dl", { class: "facts wide" },
      fact("limit_on", plan.limit_on ? t("scheme.limit_text", { day: day(plan.limit_on), count: number(plan.limit), unit: told("scheme.unit", plan.limit_unit) }) : t("unknown")),
      fact("promise_on", plan.promise_on ? day(plan.promise_on) : plan.promise_text || t("unknown")),
      plan.contract ? fact("contract", plan.contract.text) : null),
    plan.is_provisional ? h("p", { class: "notice warn" }, t("scheme.provisional")) : null,
    h("div", { class: "gantt", role: "region", tabindex: "0", "aria-label": t("scheme.gantt") }, h("table", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("scheme.step")), h("th", { scope: "col" }, h("span", { class: "axis" }, h("span", null, first), h("span", null, last))), h("th", { scope: "col" }, t("scheme.dates")))),
      h("tbody", null, plan.milestones.map((step) => h("tr", null,
        h("th", { scope: "row" }, step.text, step.is_critical ? h("span", { class: "badge bad" }, t("scheme.critical")) : null),
        h("td", { class: "lane", "aria-hidden": "true" }, marks.map(([name, date]) => h("span", { class: `day-mark ${name}`, style: { left: at(date) }, title: t(`scheme.${name}`) })), bar(step)),
        h("td", null, told_(step))))))),
    h("ul", { class: "key" }, marks.map(([name, date]) => h("li", null, h("span", { class: `day-mark ${name}` }), `${t(`scheme.${name}`)} ${date}`))));

  function bar(step) {
    if (!step.starts_on && !step.ends_on) return null;
    const from = step.starts_on ?? step.ends_on;
    const to = step.ends_on ?? from;
    const isOpen = step.ends_on === null || step.starts_on === null;
    const width = (100 * (daysBetween(from, to) + 1)) / whole;
    return h("span", { class: `step${step.is_critical ? " critical" : ""}${isOpen ? " open" : ""}`, style: { left: at(from), width: `${width}%` } });
  }
}

function told_(step) {
  const length = step.duration === null ? "" : `${number(step.duration)} ${told("scheme.unit", step.unit)}`;
  const span = step.starts_on && step.ends_on ? `${step.starts_on} – ${step.ends_on}` : step.ends_on ? t("scheme.ends", { day: step.ends_on }) : step.starts_on ? t("scheme.starts", { day: step.starts_on }) : "";
  return [h("span", { class: "block" }, [span, length].filter(Boolean).join(" · ")), step.needs_text ? h("span", { class: "quiet small block" }, t("scheme.needs", { what: step.needs_text })) : null];
}

function fact(name, text) {
  return h("div", null, h("dt", null, t(`scheme.${name}`)), h("dd", null, text));
}
