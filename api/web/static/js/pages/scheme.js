/** One scheme for engineers: the conclusion, variants on map and table, what they do to the grid, and what is done next. */

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { openPage, say } from "../base/page.js";
import { addTexts, number, t } from "../base/texts.js";
import { actions } from "../parts/scheme_actions.js";
import { diagram, policyReads, provenance } from "../parts/scheme_basis.js";
import { schemeHead } from "../parts/scheme_head.js";
import { impact } from "../parts/scheme_impact.js";
import { ledger } from "../parts/scheme_ledger.js";
import { schemeMap } from "../parts/scheme_map.js";
import { stages } from "../parts/scheme_stages.js";
import { timeline } from "../parts/scheme_timeline.js";
import { variantTable } from "../parts/scheme_variants.js";
import { works } from "../parts/scheme_works.js";
import { tabBar } from "../parts/tabs.js";
import queueTexts from "../texts/queue.js";
import texts from "../texts/scheme.js";

addTexts(queueTexts);
openPage({ title: "scheme.title", texts, roles: ["engineer"], draw });

async function draw(main) {
  main.classList.add("broad", "scheme");
  replace(main, h("p", { class: "quiet", "aria-live": "polite" }, t("loading")));
  const id = location.pathname.split("/").pop();
  const scheme = await get(`/v1/schemes/${id}`);
  let { item, hold } = await standing(id);
  const given = new URLSearchParams(location.search);
  let variantNo = rankOf(scheme, Number(given.get("variant")));
  document.title = `${item.applicant_name ?? scheme.request_id} · gridscheme`;

  const head = h("section", { class: "card" });
  const buttons = h("div");
  const table = h("div");
  const map = schemeMap(scheme, choose);
  const panels = tabsOf(scheme);
  const tabs = tabBar(t("scheme.details"), panels, (key) => showTab(key ?? panels.find((tab) => tab.key === open).key));
  let open = panels.some(({ key }) => key === given.get("tab")) ? given.get("tab") : panels[0].key;
  replace(main, head,
    h("div", { class: scheme.variants.length > 0 ? "scheme-top" : "scheme-top single" },
      h("section", { class: "card" }, table),
      h("section", { class: "card" }, h("h2", null, t("scheme.map")), map.node)),
    h("section", { class: "card" }, tabs.node));
  drawHead();
  drawVariant();

  function choose(rank) {
    variantNo = rankOf(scheme, rank);
    drawHead();
    drawVariant();
    keepAddress();
    table.querySelector("input:checked")?.focus();
  }

  function drawHead() {
    replace(buttons, actions({ scheme, item, hold, variantNo, onDone: done }));
    replace(head, schemeHead(scheme, item, hold, variant()), buttons);
  }

  function drawVariant() {
    replace(table, scheme.variants.length === 0 ? [h("h2", null, t("scheme.variants")), h("p", null, t("scheme.no_variant"))]
      : [h("h2", null, t("scheme.variants_count", { count: number(scheme.variants.length) })), variantTable(scheme, variantNo, choose, hold)]);
    map.choose(variantNo);
    for (const tab of panels) tab.isDrawn = false;
    showTab(open);
  }

  function showTab(key) {
    open = key;
    const tab = panels.find((one) => one.key === key);
    if (!tab.isDrawn) {
      replace(tab.panel, tab.fill({ scheme, hold, variant: variant(), variantNo }));
      tab.isDrawn = true;
    }
    tabs.show(key);
    keepAddress();
  }

  /** After a step state and ledger are read again, and shown at once. */
  async function done(step) {
    ({ item, hold } = await standing(id));
    drawHead();
    drawVariant();
    showTab(step === "hand_over" ? open : "ledger");
    say(t(`scheme.done_${step}`));
    buttons.querySelector("button")?.focus();
  }

  function variant() {
    return scheme.variants.find(({ rank }) => rank === variantNo) ?? null;
  }

  function keepAddress() {
    history.replaceState(null, "", `?${new URLSearchParams({ variant: String(variantNo), tab: open })}`);
  }
}

async function standing(id) {
  const item = await get(`/v1/queue/${id}`);
  return { item, hold: item.hold_id === null ? null : await get(`/v1/holds/${encodeURIComponent(item.hold_id)}`) };
}

function rankOf(scheme, wanted) {
  return scheme.variants.some(({ rank }) => rank === wanted) ? wanted : 1;
}

/** Details, those that apply; each is drawn when it is first looked at. */
function tabsOf(scheme) {
  const isOffered = scheme.supply !== null && (scheme.variants.length > 0 || scheme.transition !== null);
  return [
    scheme.transition || scheme.tasks.length > 0 ? ["stages", () => stages(scheme)] : null,
    isOffered ? ["impact", ({ variant, variantNo }) => impact(scheme, variant, variantNo)] : null,
    ["diagram", () => diagram(scheme)],
    ["works", ({ variant }) => works(scheme, variant)],
    ["timeline", ({ variant }) => timeline(variant?.timeline ?? scheme.timeline)],
    ["ledger", ({ hold }) => ledger(hold)],
    ["policy", () => policyReads(scheme)],
    ["provenance", () => provenance(scheme)],
  ].filter(Boolean).map(([key, fill]) => ({ key, title: t(`scheme.tab_${key}`), panel: h("div"), fill, isDrawn: false }));
}
