/** One application: what it comes to, what to do next, the variants side by side, its dates and its papers. */

import { download, get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, openPage } from "../base/page.js";
import { day, moment, number, t, told } from "../base/texts.js";
import { compareTable } from "../parts/case_compare.js";
import { dateChart, stageList, stepList, validityOf } from "../parts/case_dates.js";
import { bullets, facts, moneyCard, technicalCard } from "../parts/case_details.js";
import { reachMap } from "../parts/case_map.js";
import { modelOf } from "../parts/case_model.js";
import { conclusionOf, nextSteps } from "../parts/case_next.js";
import texts from "../texts/case.js";

const KINDS = ["pdf", "docx", "json"];
const BADGES = { answered: "good", transition: "warn", joint_work: "warn" };

openPage({ title: "case.title", texts, roles: ["customer", "engineer"], draw });

async function draw(main, who) {
  const schemeId = decodeURIComponent(location.pathname.split("/").pop());
  replace(main, h("p", { class: "quiet" }, t("loading")));
  const model = modelOf(await get(`/v1/schemes/${encodeURIComponent(schemeId)}`));
  const line = await findLine(model);
  const state = line?.state ?? "quote";
  document.title = `${model.requestId} · ${t("case.title")} · gridscheme`;
  replace(main,
    conclusion(model, state),
    h("div", { class: "columns" }, nextCard(model, state), papersCard(model)),
    comparison(model),
    progressCard(model, state, line),
    moneyCard(model),
    technicalCard(model),
    model.notices.length > 0 ? h("section", { class: "card" }, h("h2", null, t("case.notices")), bullets(model.notices)) : null,
    h("p", { class: "row" }, h("a", { href: "/cases" }, t("case.all")),
      who.roles.includes("engineer") ? h("a", { href: `/console/schemes/${encodeURIComponent(schemeId)}` }, t("case.full")) : null));
}

/** The list says how far the hold is; the record itself is what was answered. */
async function findLine({ requestId, id }) {
  const { items } = await get(`/v1/schemes?request_id=${encodeURIComponent(requestId)}&limit=200`);
  return items.find(({ scheme_id: one }) => one === id) ?? null;
}

function conclusion(model, state) {
  const { request } = model;
  const verdict = model.isConsultation ? "consultation" : model.verdict;
  return h("section", { class: "card conclusion" },
    h("p", { class: "row" },
      h("span", { class: `badge ${BADGES[verdict] ?? ""}` }, model.isConsultation ? t("case.consultation") : told("verdict", model.verdict)),
      model.isConsultation ? null : h("span", { class: "badge" }, told("state", state)),
      h("span", { class: "quiet" }, `${t("case.request")} ${model.requestId}`)),
    h("h1", null, conclusionOf(model)),
    model.reasons.length > 0 ? h("p", null, t("case.because"), model.reasons.map(({ text }) => text).join(t("case.semicolon"))) : null,
    facts([
      [t("case.applicant"), `${request.applicant.name} · ${told("category", request.applicant.category)}`],
      [t("case.asked"), t("case.asked_value", { kw: number(request.demand.installed_kw, 1), kva: request.demand.capacity_kva ? `${number(request.demand.capacity_kva, 1)} kVA` : t("case.by_rules") })],
      [t("case.site"), `${request.location.lon_deg}, ${request.location.lat_deg} (${request.location.datum})`],
      [t("case.received"), day(request.received_on)],
      [t("case.replied"), day(model.repliedOn)],
    ]));
}

function nextCard(model, state) {
  const steps = nextSteps(model, state);
  return h("section", { class: "card" },
    h("h2", null, t("case.next")),
    h("ol", { class: "next" }, steps.map((text) => h("li", null, text))),
    model.isConsultation ? h("p", null, h("a", { class: "button", href: applyAgain(model) }, t("case.apply"))) : null,
    validityOf(model));
}

/** Return the form with what a consultation asked. */
function applyAgain({ request }) {
  const { location: site, demand, applicant } = request;
  return `/apply?${new URLSearchParams({ lon: site.lon_deg, lat: site.lat_deg, datum: site.datum, kw: demand.installed_kw, category: applicant.category })}`;
}

function papersCard({ id, documentsNeeded }) {
  const told = h("div");
  const button = (kind) => h("button", { type: "button", class: kind === "pdf" ? null : "second", onclick: async () => {
    try {
      replace(told);
      await download(`/v1/schemes/${encodeURIComponent(id)}/documents/${kind}`, `${id}.${kind}`);
    } catch (error) {
      replace(told, errorBox(error));
    }
  } }, t(`case.download.${kind}`));
  return h("section", { class: "card" },
    h("h2", null, t("case.papers")),
    h("div", { class: "row" }, KINDS.map(button)), told,
    documentsNeeded.length > 0 ? [h("h3", null, t("case.papers.needed")), bullets(documentsNeeded)] : null);
}

function comparison(model) {
  if (model.variants.length === 0) return null;
  return h("section", { class: "card" },
    h("h2", null, t(model.variants.length > 1 ? "case.compare.title" : "case.compare.single")),
    model.variants.length > 1 ? h("p", { class: "quiet" }, t("case.compare.hint")) : null,
    compareTable(model),
    model.roundingNote ? h("p", { class: "quiet" }, model.roundingNote) : null,
    reachMap(model));
}

function progressCard(model, state, line) {
  const { timeline, steps } = model;
  const chart = dateChart(model);
  const stages = stageList(model);
  if (steps.length === 0 && chart === null && stages === null) return null;
  return h("section", { class: "card" },
    h("h2", null, t(model.isConsultation ? "case.progress.formal" : "case.progress")),
    line && !model.isConsultation ? h("p", { class: "quiet" }, `${told("state", state)} · ${t("case.progress.made", { moment: moment(line.created_at) })}`) : null,
    steps.length > 0 ? stepList(model, state) : null,
    timeline?.limit ? h("p", null, t("case.progress.limit", { limit: timeline.limit, unit: told("case.unit", timeline.unit), day: timeline.limitOn ? day(timeline.limitOn) : t("unknown") })) : null,
    timeline?.promiseText ? h("p", null, h("strong", null, timeline.promiseText)) : null,
    stages ? [h("h3", null, t("case.stages")), stages] : null,
    chart ? [h("h3", null, t("case.dates")), chart] : null);
}
