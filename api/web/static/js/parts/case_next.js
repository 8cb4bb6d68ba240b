/** What a case comes to in one sentence, and what its customer does next. */

import { day, number, t, told } from "../base/texts.js";
import { moneyText } from "./case_compare.js";

/** Return the conclusion in one sentence. */
export function conclusionOf(model) {
  const { verdict, isConsultation, supply, variants, stages, nowKva } = model;
  if (verdict === "joint_work" || !supply) return t(isConsultation ? "case.conclusion.joint_consultation" : "case.conclusion.joint_work");
  const voltage = told("case.voltage", supply.voltage);
  const kva = number(supply.kva, 1);
  if (verdict === "transition") {
    const last = stages[stages.length - 1];
    const full = { voltage, kva: number(last?.kva ?? supply.kva, 1) };
    return nowKva === null ? t("case.conclusion.transition_later", full) : t("case.conclusion.transition", { ...full, now: number(nowKva, 1) });
  }
  const text = t(isConsultation ? "case.conclusion.consultation" : "case.conclusion.answered", { voltage, kva });
  return [text, dateText(model), costText(variants[0], model)].filter(Boolean).join("");
}

function dateText({ timeline, isConsultation }) {
  if (isConsultation || timeline === null) return "";
  return timeline.promiseOn ? t("case.conclusion.by", { day: day(timeline.promiseOn) }) : t("case.conclusion.open_date");
}

function costText(best, { isRounded }) {
  if (!best) return "";
  if (best.customerCost === 0) return t("case.conclusion.free");
  return t(isRounded ? "case.conclusion.up_to" : "case.conclusion.about", { amount: moneyText(best.customerCost) });
}

/**
 * Return what comes next for the customer, in order.
 * @param {Object} model as `modelOf` makes it
 * @param {string} state of its last hold
 */
export function nextSteps(model, state) {
  if (["expired", "withdrawn", "cancelled", "superseded"].includes(state)) return [t(`case.next.${state}`)];
  if (state === "energised") return [t("case.next.energised")];
  const { verdict, isConsultation, validity, dataNeeded, conditions, customerWorks, variants } = model;
  if (isConsultation) return [t("case.next.consultation"), ...dataNeeded.map((text) => t("case.next.data", { text }))];
  const steps = [];
  if (verdict === "joint_work") steps.push(t("case.next.joint_work"));
  if (dataNeeded.length > 0) steps.push(...dataNeeded.map((text) => t("case.next.data", { text })));
  if (verdict === "joint_work") return steps;
  if (state === "quote") steps.push(t("case.next.quote"));
  if (conditions.length > 0) steps.push(t("case.next.conditions"));
  if (customerWorks.length > 0) steps.push(t("case.next.works"));
  if (variants.length > 1) steps.push(t("case.next.choose"));
  if (validity !== null && state !== "committed") steps.push(t("case.next.before", { day: day(validity.to) }));
  if (verdict === "transition") steps.push(t("case.next.transition"));
  if (state === "committed") steps.push(t("case.next.committed"));
  return steps;
}

