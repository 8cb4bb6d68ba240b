/** What an engineer does with a scheme: each step asks once more, says what follows, and wants a reason. */

import { ApiError, newKey, post } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { day, kva, number, t, told } from "../base/texts.js";

const REASON_MAX = 200;
const STEPS = {
  quote: ["issue", "hand_over"],
  held: ["commit", "energize", "withdraw"],
  committed: ["energize", "reduce", "withdraw"],
  energised: [],
};
const PATHS = { hand_over: ":hand-over" };
const ENDED = ["hand_over"];
const DANGEROUS = new Set(["withdraw", "hand_over"]);

/**
 * Return the buttons of what can be done now.
 * @param {{scheme: Object, item: Object, hold: Object|null, variantNo: number, onDone: function(string): Promise<void>}} given
 */
export function actions(given) {
  const { item } = given;
  const steps = (STEPS[item.state] ?? ENDED).filter((step) => may(step, given));
  if (steps.length === 0) return h("p", { class: "quiet" }, t(item.is_handed_over ? "scheme.nothing_joint" : "scheme.nothing_to_do"));
  return h("div", { class: "row actions" }, steps.map((step, place) => h("button", {
    type: "button", class: DANGEROUS.has(step) ? "second" : place === 0 ? null : "second", onclick: () => ask(step, given),
  }, t(`scheme.do_${step}`))));
}

function may(step, { scheme, item }) {
  if (item.is_handed_over) return false;
  return step !== "issue" || (scheme.verdict !== "joint_work" && scheme.consultation === null && scheme.validity !== null);
}

/** Open the dialog of a step; the same key is sent again where the answer was lost. */
function ask(step, given) {
  const key = newKey();
  const told_ = h("div", { "aria-live": "assertive" });
  const reason = h("textarea", { id: "step-reason", required: true, maxlength: String(REASON_MAX), rows: "3" });
  const extra = extraField(step, given);
  const send = h("button", { type: "submit", class: DANGEROUS.has(step) ? "danger" : null }, t(`scheme.do_${step}`));
  const form = h("form", { onsubmit: submit },
    h("h2", { id: "step-title" }, t(`scheme.ask_${step}`)),
    consequence(step, given, extra),
    extra?.node ?? null,
    h("div", { class: "field" }, h("label", { for: "step-reason" }, t("scheme.reason")), reason, h("p", { class: "hint" }, t("scheme.reason_hint"))),
    told_,
    h("div", { class: "row" }, send, h("button", { type: "button", class: "second", onclick: () => dialog.close() }, t("scheme.cancel"))));
  const dialog = h("dialog", { "aria-labelledby": "step-title", class: "step", onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  dialog.showModal();

  async function submit(event) {
    event.preventDefault();
    send.disabled = true;
    replace(told_, h("p", { class: "quiet" }, t(step === "issue" ? "scheme.certifying" : "scheme.sending")));
    try {
      await post(`/v1/schemes/${encodeURIComponent(given.scheme.scheme_id)}${PATHS[step] ?? `:${step}`}`, { reason: reason.value.trim(), ...extra?.read() }, { key });
      dialog.close();
      await given.onDone(step);
    } catch (error) {
      replace(told_, errorBox(error), error instanceof ApiError ? context(error.problem.context ?? {}) : null);
      send.disabled = error instanceof ApiError && error.status === 409;
    }
  }
}

/** Return what a refusal names besides its sentence: the element, the limit, the figure. */
function context(found) {
  const entries = Object.entries(found).filter(([name]) => !["field", "value", "allowed"].includes(name) || found.limit !== undefined);
  if (entries.length === 0) return null;
  return h("dl", { class: "facts small" }, entries.map(([name, value]) => h("div", null, h("dt", null, told("scheme.context", name)), h("dd", null, name === "limit_kind" ? told("limit", value) : String(value)))));
}

function extraField(step, { scheme, hold, variantNo }) {
  if (step === "issue" && scheme.verdict === "answered") {
    const select = h("select", { id: "step-variant" }, scheme.variants.map(({ rank, connection_point: at, connection_mode: mode }) =>
      h("option", { value: String(rank), selected: rank === variantNo }, `${t("scheme.variant_no", { no: number(rank) })} ${at.name} (${mode})`)));
    return { node: field("step-variant", t("scheme.variant"), select), read: () => ({ variant_no: Number(select.value) }), select };
  }
  if (step === "reduce") {
    const input = h("input", { id: "step-capacity", type: "number", required: true, min: "0.001", max: String(hold.capacity_kva - 0.001), step: "0.001" });
    return { node: field("step-capacity", t("scheme.capacity_left"), input), read: () => ({ capacity_kva: Number(input.value) }) };
  }
  if (step === "hand_over") {
    const input = h("input", { id: "step-department", maxlength: String(REASON_MAX), list: "step-departments" });
    const names = [...new Set(scheme.tasks.map(({ department }) => department))];
    const list = h("datalist", { id: "step-departments" }, names.map((name) => h("option", { value: name })));
    return { node: h("div", null, field("step-department", t("scheme.department_optional"), input), list), read: () => (input.value.trim() ? { department: input.value.trim() } : {}) };
  }
  return null;
}

/** Say what the step does, with the figures it does it to. */
function consequence(step, { scheme, hold }, extra) {
  if (step !== "issue") {
    return h("p", null, t(`scheme.then_${step}`, { capacity: hold === null ? "" : kva(hold.capacity_kva), day: hold === null ? "" : day(hold.expires_on) }));
  }
  const place = h("div", { class: "notice" });
  const show = () => {
    const rank = extra === null ? 1 : Number(extra.select.value);
    replace(place, h("p", null, t("scheme.then_issue", { day: day(scheme.validity.to) })), h("ul", null, sharesOf(scheme, rank).map(({ point, share }) => h("li", null, t("scheme.share", { capacity: kva(share), point })))));
  };
  extra?.select.addEventListener("change", show);
  show();
  return place;
}

function sharesOf(scheme, rank) {
  if (scheme.verdict === "transition") {
    const [first] = scheme.transition.stages;
    return [{ point: first.connection_point?.name ?? t("unknown"), share: first.capacity_kva }];
  }
  const variant = scheme.variants.find((one) => one.rank === rank);
  return [variant, ...variant.further_sources].map(({ connection_point: at }, place) => ({ point: at.name, share: scheme.supply.sources[place]?.capacity_kva ?? scheme.supply.capacity_kva }));
}

function field(id, label, control) {
  return h("div", { class: "field" }, h("label", { for: id }, label), control);
}
