/** What stands at the top of a scheme's page: the conclusion in a sentence, the state, the facts. */

import { h } from "../base/dom.js";
import { day, kva, number, t, told } from "../base/texts.js";
import { stateBadge, verdictBadge } from "./queue_table.js";
import { urgencyBadge } from "./urgency.js";

/** Return the head; `variant` is the one that is looked at, `null` where there is none. */
export function schemeHead(scheme, item, hold, variant) {
  return [
    h("p", { class: "row small" }, h("a", { href: "/console/queue" }, t("scheme.back")), h("span", { class: "quiet" }, scheme.request_id), h("span", { class: "quiet" }, scheme.scheme_id)),
    h("h1", null, item.applicant_name ?? t("queue.nameless")),
    h("p", { class: "conclusion" }, verdictBadge(scheme.verdict), " ", conclusion(scheme, variant)),
    scheme.reasons.length > 0 ? h("ul", { class: "reasons" }, scheme.reasons.map(({ text }) => h("li", null, text))) : null,
    item.hand_over ? h("p", { class: "notice warn" }, t("scheme.handed_over", {
      department: item.hand_over.department ?? t("scheme.department_unnamed"), reason: item.hand_over.reason, day: day(item.hand_over.at),
    })) : null,
    h("dl", { class: "facts wide" },
      fact("state", h("span", null, stateBadge(item.state), " ", stateText(item, hold))),
      fact("deadline", urgencyBadge(item)),
      fact("demand", t("scheme.demand_text", { installed: number(item.installed_kw, 1), category: told("category", item.category), received: item.received_on ?? t("unknown") })),
      scheme.supply ? fact("supply", t("scheme.supply_text", {
        voltage: scheme.supply.voltage, capacity: kva(scheme.supply.capacity_kva), factor: number(scheme.supply.power_factor, 2), count: number(scheme.supply.sources.length),
      })) : null,
      scheme.reply ? fact("reply", scheme.reply.text) : null,
      scheme.validity ? fact("validity", t("scheme.validity_text", { from: day(scheme.validity.from), to: day(scheme.validity.to) })) : null),
  ];
}

function conclusion(scheme, variant) {
  if (scheme.verdict === "joint_work") return t("scheme.conclusion_joint");
  if (scheme.verdict === "transition") {
    const [first] = scheme.transition.stages;
    return t("scheme.conclusion_transition", { now: kva(first.capacity_kva), demand: kva(scheme.transition.demand_kva), stages: number(scheme.transition.stages.length) });
  }
  if (variant === null) return "";
  return t(scheme.consultation ? "scheme.conclusion_consultation" : "scheme.conclusion_answered", {
    voltage: scheme.supply.voltage, capacity: kva(scheme.supply.capacity_kva), no: number(variant.rank),
    mode: variant.connection_mode, point: variant.connection_point.name, length: number(variant.route.length_m),
    cost: number(variant.cost.total_typical_cny10k, 2),
  });
}

function stateText(item, hold) {
  if (hold !== null && ["held", "committed", "energised"].includes(hold.state)) {
    return t(hold.state === "held" ? "scheme.held_text" : "scheme.posted_text", { capacity: kva(hold.capacity_kva), day: day(hold.expires_on) });
  }
  return item.state === "quote" ? t("scheme.quote_text") : "";
}

function fact(name, content) {
  return h("div", null, h("dt", null, t(`scheme.${name}`)), h("dd", null, content));
}
