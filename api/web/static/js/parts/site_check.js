/** Asking the grid itself about a site: nothing is kept or promised, and only so many places are answered. */

import { post } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, progressBar } from "../base/page.js";
import { day, kva, number, t, told } from "../base/texts.js";
import { fact } from "./guide_view.js";

const ROLES = ["customer", "engineer"];
const TONES = { yes: "good", up_to: "warn", needs_works: "bad", review: "warn" };
const PLACE_DIGITS = 6;

/** Tell whether this person may ask the grid. */
export function canCheck(who) {
  return ROLES.some((role) => who.roles.includes(role));
}

/** Return a button that asks, shows that work goes on, can be cancelled, and then the answer. */
export function siteCheckBox({ who, wish, place, asOf }) {
  const box = h("div", { class: "pm-check", "aria-live": "polite" });
  const button = h("button", { type: "button", class: "second", disabled: place === null, onclick: run }, t("public_map.check"));
  const hint = place === null ? h("span", { class: "quiet small" }, t("public_map.check.needs_place")) : null;
  return [button, hint, box];

  async function run() {
    const stop = new AbortController();
    const bar = progressBar(t("public_map.checking"));
    button.disabled = true;
    replace(box, bar.node, h("button", { type: "button", class: "second", onclick: () => stop.abort() }, t("public_map.cancel")));
    try {
      replace(box, view(await post("/v1/site-checks", request(), { signal: stop.signal })));
    } catch (error) {
      replace(box, stop.signal.aborted ? null : errorBox(error));
    } finally {
      button.disabled = false;
    }
  }

  /** Return an application for the place: the same place is the same application, however often it is asked about. */
  function request() {
    const name = [place.lon, place.lat].map((value) => value.toFixed(PLACE_DIGITS)).join("_").replaceAll("-", "m");
    return {
      request_id: `site-${name}-${place.datum}`,
      applicant: { name: who.name || who.subject_id, category: wish.category },
      business: wish.business,
      location: { lon_deg: place.lon, lat_deg: place.lat, datum: place.datum },
      demand: { installed_kw: wish.installed_kw },
      received_on: asOf,
    };
  }
}

function view(found) {
  const { timeline } = found;
  return h("div", { class: "pm-checked" },
    h("div", { class: `notice ${TONES[found.answer]}` }, h("p", { class: "pm-verdict" }, h("strong", null, t(`public_map.checked.${found.answer}`, { capacity: kva(found.capacity_kva) }))),
      h("p", { class: "small" }, found.text), h("p", { class: "small" }, t("public_map.checked.note"))),
    found.reasons.length > 0 ? h("ul", null, found.reasons.map(({ text }) => h("li", null, text))) : null,
    h("dl", { class: "facts" },
      fact("public_map.verdict", told("verdict", found.verdict)),
      fact("public_map.supply", found.voltage === null ? t("public_map.by_utility") : `${found.voltage} · ${kva(found.supply_capacity_kva)}`),
      fact("public_map.limit", timeline === null || timeline.limit === null ? t("public_map.by_utility") : t("public_map.workdays", { days: number(timeline.limit) })),
      fact("public_map.promise", timeline === null || timeline.promise_on === null ? t("public_map.by_utility") : day(timeline.promise_on)),
      fact("public_map.cost", found.customer_cost_cny10k === null ? t("public_map.by_utility") : t("public_map.cny10k", { amount: number(found.customer_cost_cny10k, 2) })),
      found.stages.length > 0 ? fact("public_map.stages", h("ol", { class: "pm-papers" }, found.stages.map(({ capacity_kva: capacity, duration_workdays: days }) =>
        h("li", null, `${kva(capacity)} · `, days === null ? t("unknown") : t("public_map.workdays", { days: number(days) }))))) : null,
      found.data_needed.length > 0 ? fact("public_map.data_needed", h("ul", { class: "pm-papers" }, found.data_needed.map((text) => h("li", null, text)))) : null,
      found.conditions.length > 0 ? fact("public_map.conditions", h("ul", { class: "pm-papers" }, found.conditions.map((text) => h("li", null, text)))) : null));
}
