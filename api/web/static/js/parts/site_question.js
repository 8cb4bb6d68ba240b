/** The question of a customer about the own site: what the rules say, what the published class says, what the grid says. */

import { post } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { t, told } from "../base/texts.js";
import { guideView } from "./guide_view.js";
import { indicate } from "./indication.js";
import { canCheck, siteCheckBox } from "./site_check.js";

const CATEGORIES = ["resident", "small_micro", "industrial_commercial", "agriculture", "ev_charging", "residential_area",
  "non_residential_lighting", "temporary", "other"];
const BUSINESSES = ["new", "increase", "temporary"];
const KW_MAX = 1_000_000;

/**
 * Return the form with its answer.
 * @param {{who: Object, state: Object, getPlace: function(): Object|null, judge: function(): Promise<Object|null>,
 *   onAsked: function(Object): void}} given `state`: `kw`, `category`, `business` from the address; `getPlace`: the place
 *   as it was entered; `judge`: `classOf` of its square.
 * @returns {{node: HTMLElement, ask: function(): Promise<void>}}
 */
export function siteQuestion({ who, state, getPlace, judge, onAsked }) {
  const kw = h("input", { id: "pm-kw", type: "number", min: "0", step: "any", inputmode: "decimal", required: true, value: state.kw ?? "", title: t("public_map.kw.hint"), "aria-describedby": "pm-question-told" });
  const category = choice("pm-category", CATEGORIES, (code) => told("category", code), CATEGORIES.includes(state.category) ? state.category : "");
  const business = choice("pm-business", BUSINESSES, (code) => told("public_map.business", code), BUSINESSES.includes(state.business) ? state.business : BUSINESSES[0]);
  const wrongs = h("div", { id: "pm-question-told", "aria-live": "polite" });
  const answer = h("div", { class: "pm-answer", "aria-live": "polite" });
  const node = h("section", { class: "pm-question" }, h("h2", null, t("public_map.question")),
    h("form", { novalidate: true, onsubmit: send },
      h("div", { class: "pm-pair" },
        h("div", { class: "field" }, h("label", { for: "pm-kw" }, t("public_map.kw")), kw),
        h("div", { class: "field" }, h("label", { for: "pm-category" }, t("public_map.category")), category),
        h("div", { class: "field" }, h("label", { for: "pm-business" }, t("public_map.business")), business),
        h("button", { type: "submit" }, t("public_map.ask"))), wrongs),
    answer);
  let asked = 0;
  return { node, ask };

  async function send(event) {
    event.preventDefault();
    const wrong = [read() === null ? [kw, "public_map.kw.wrong"] : null, category.value === "" ? [category, "public_map.category.missing"] : null].filter(Boolean);
    for (const control of [kw, category]) {
      if (wrong.some(([one]) => one === control)) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    replace(wrongs, wrong.map(([, key]) => h("p", { class: "wrong" }, t(key))));
    if (wrong.length > 0) wrong[0][0].focus();
    else await ask({ isBrought: true });
  }

  function read() {
    const value = Number(kw.value);
    return kw.value !== "" && value > 0 && value <= KW_MAX ? value : null;
  }

  /** Ask with what stands in the form; does nothing while it is not filled. */
  async function ask({ isBrought = false } = {}) {
    const installedKw = read();
    if (installedKw === null || category.value === "") return;
    asked += 1;
    const mine = asked;
    const wish = { category: category.value, business: business.value, installed_kw: installedKw };
    onAsked({ kw: String(installedKw), category: wish.category, business: wish.business });
    try {
      const [guide, judged] = await Promise.all([post("/v1/public/guide", wish), judge()]);
      if (mine !== asked) return;
      replace(answer, show(wish, guide, judged));
      if (isBrought) answer.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (mine === asked) replace(answer, errorBox(error));
    }
  }

  function show(wish, guide, judged) {
    const place = getPlace();
    const said = indicate(guide, judged);
    return [
      h("div", { class: `notice ${said.tone}` }, h("p", { class: "pm-verdict" }, h("strong", null, said.text)),
        h("p", { class: "small" }, said.why),
        said.answer !== "unknown" && said.answer !== "review" && judged?.isAround ? h("p", { class: "small" }, t("public_map.by_around")) : null,
        h("p", { class: "small" }, t(guide.supply === null ? "public_map.not_promised" : "public_map.indicative"))),
      h("p", { class: "row" },
        h("a", { class: "button", href: applyLink(wish, place) }, t("public_map.apply")),
        canCheck(who) ? siteCheckBox({ who, wish, place, asOf: guide.as_of }) : h("a", { class: "small", href: `/sign-in?then=${encodeURIComponent(location.pathname + location.search)}` }, t("public_map.sign_in_to_check"))),
      guideView(guide),
    ];
  }
}

function choice(id, codes, name, value) {
  return h("select", { id }, value === "" ? h("option", { value: "", selected: true }, t("public_map.choose")) : null,
    codes.map((code) => h("option", { value: code, selected: code === value }, name(code))));
}

/** Return the address of the application form, filled as far as is known. */
function applyLink(wish, place) {
  const known = place === null ? {} : { lon: place.lon, lat: place.lat, datum: place.datum };
  return `/apply?${new URLSearchParams({ ...known, kw: wish.installed_kw, category: wish.category, business: wish.business })}`;
}
