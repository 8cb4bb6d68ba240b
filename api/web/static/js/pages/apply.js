/** An application for power: filled in with checks as one types, answered while one watches, nothing lost on the way. */

import { ApiError, listen } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { openPage, say } from "../base/page.js";
import { t, told } from "../base/texts.js";
import { buildRequest, numberOf } from "../parts/apply_check.js";
import { dropDraft, fresh, keepDraft, keyFor, openDraft, renumber } from "../parts/apply_draft.js";
import { FIELDS } from "../parts/apply_fields.js";
import { makeForm } from "../parts/apply_form.js";
import { siteMap } from "../parts/apply_map.js";
import { answerProgress } from "../parts/apply_progress.js";
import texts from "../texts/apply.js";

openPage({ title: "apply.title", texts, roles: ["customer", "engineer"], draw });

function draw(main, who) {
  const draft = openDraft(who.subject_id, new URLSearchParams(location.search));
  const isStaff = who.roles.includes("engineer");
  const picker = siteMap(({ lon, lat, datum }) => {
    form.set("location.datum", datum);
    form.set("location.lon_deg", lon);
    form.set("location.lat_deg", lat);
    say(t("apply.map.taken", { lon, lat }));
  });
  const form = makeForm(draft.values, { map: picker.node, onSend: send, onChange: () => {
    keepDraft(draft);
    picker.show(placeOf(draft.values));
  } });
  const answering = h("div", { class: "hidden" });
  const filling = h("div", null,
    h("p", { class: "quiet" }, t(isStaff ? "apply.lead_staff" : "apply.lead")),
    form.node,
    h("p", null, h("button", { type: "button", class: "plain", onclick: startAnew }, t("apply.clear"))));
  replace(main, h("h1", null, t("apply.title")), filling, answering);
  picker.show(placeOf(draft.values));

  function startAnew() {
    dropDraft();
    keepDraft(fresh(who.subject_id));
    location.assign("/apply");
  }

  async function send() {
    if (!form.check()) return;
    let request = buildRequest(draft.values);
    if (renumber(draft, request.location)) {
      form.set("request_id", draft.ownId);
      request = buildRequest(draft.values);
    }
    const leaving = new AbortController();
    const progress = answerProgress(() => leaving.abort());
    const outcome = { answer: null, problem: null };
    replace(answering, progress.node);
    toggle(true);
    progress.node.focus();
    try {
      await listen("/v1/schemes", ({ event, data }) => {
        if (event === "progress") progress.tell(data);
        else outcome[event] = data;
      }, { method: "POST", body: request, key: keyFor(draft, request), signal: leaving.signal });
    } catch (error) {
      if (error instanceof ApiError) outcome.problem = { status: error.status, code: error.code, ...error.problem };
      else if (leaving.signal.aborted) return back({}, t("apply.left"));
      else if (error instanceof TypeError) return back({}, t("apply.cut_off"));
      else throw error;
    }
    if (outcome.answer !== null) {
      dropDraft();
      location.assign(`/cases/${encodeURIComponent(outcome.answer.scheme_id)}`);
    } else if (outcome.problem !== null) refuse(outcome.problem);
    else back({}, t("apply.cut_off"));
  }

  function refuse(problem) {
    const { byPath, general } = sort(problem);
    back(byPath, general);
  }

  function back(byPath, general) {
    toggle(false);
    form.place(byPath, general);
  }

  function toggle(isAnswering) {
    filling.classList.toggle("hidden", isAnswering);
    answering.classList.toggle("hidden", !isAnswering);
  }
}

/** Return what a problem says of fields, and the rest of it. */
function sort(problem) {
  const errors = problem.errors ?? [problem.context ?? {}].map(({ field, allowed }) => ({ field, message: problem.title, allowed }));
  const byPath = {};
  for (const { field, message, allowed } of errors) {
    const path = pathOf(field);
    if (path !== null) byPath[path] = field === "location" ? t("apply.wrong.location") : t("apply.wrong.service", { message: [message, allowed].filter(Boolean).join(" · ") });
  }
  const code = told("apply.problem", problem.code);
  if (code !== problem.code) return { byPath, general: code };
  return { byPath, general: Object.keys(byPath).length > 0 ? "" : t("apply.problem", { title: problem.title ?? problem.status, allowed: problem.context?.allowed ?? "" }) };
}

/** Return the field a name of the service stands for: itself, a part of it, or the first of a group. */
function pathOf(name) {
  if (!name) return null;
  const paths = Object.keys(FIELDS);
  return paths.find((path) => path === name || name.startsWith(`${path}.`)) ?? (name === "location" ? "location.lon_deg" : null);
}

/** Return the place as it stands in the form, `null` while it is not whole. */
function placeOf(values) {
  const place = { lon_deg: numberOf(values["location.lon_deg"]), lat_deg: numberOf(values["location.lat_deg"]), datum: values["location.datum"] };
  const isWhole = ["lon_deg", "lat_deg"].every((name) => place[name] !== null && Math.abs(place[name]) <= FIELDS[`location.${name}`].most);
  return isWhole && place.datum ? place : null;
}
