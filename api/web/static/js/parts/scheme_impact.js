/** What a variant does to the grid: voltage along the feeder and loadings before and after, and how it was verified. */

import { getWhenReady } from "../base/api.js";
import { lineChart } from "../base/chart.js";
import { h, replace } from "../base/dom.js";
import { errorBox, progressBar } from "../base/page.js";
import { kva, number, percent, t, told } from "../base/texts.js";
import { pairBars } from "./pair_bars.js";

const LINES_MAX = 15;
const COLOURS = { before: "#5b6b78", after: "#0f6a9c", branch: "#7fb2cf", faint: "#c4ccd3" };

/** Return the place of the plots of a variant and fill it once they are computed. */
export function impact(scheme, variant, variantNo) {
  const plots = h("div");
  const verified = scheme.transition === null ? variant : scheme.transition.stages[0];
  const sources = variant?.further_sources.length > 0 ? [{ source_no: 1, connection_point: variant.connection_point }, ...variant.further_sources] : null;
  const choice = sources === null ? null : h("label", { class: "source-choice" }, t("scheme.source"),
    h("select", { onchange: (event) => fill(plots, scheme, variantNo, Number(event.target.value)) },
      sources.map(({ source_no: no, connection_point: point }) => h("option", { value: String(no) }, t("scheme.source_alone", { no: number(no), point: point.name })))));
  fill(plots, scheme, variantNo, 1);
  return h("div", null, choice, plots, verified?.verification ? verification(verified) : null);
}

async function fill(place, scheme, variantNo, sourceNo) {
  const mine = Symbol("asked");
  place.asked = mine;
  replace(place, progressBar(t("scheme.computing")).node);
  try {
    const found = await getWhenReady(`/v1/schemes/${encodeURIComponent(scheme.scheme_id)}/profile?variant_no=${variantNo}&source_no=${sourceNo}`);
    if (place.asked === mine) replace(place, draw(found, nameOf(scheme, variantNo, sourceNo)));
  } catch (error) {
    if (place.asked === mine) replace(place, errorBox(error));
  }
}

/** Return what the record calls the area or feeder a source hangs on. */
function nameOf(scheme, variantNo, sourceNo) {
  if (scheme.transition !== null) return null;
  const variant = scheme.variants.find(({ rank }) => rank === variantNo);
  const source = sourceNo === 1 ? variant : variant?.further_sources.find(({ source_no: no }) => no === sourceNo);
  return source?.transformer_area ?? source?.feeder ?? null;
}

function draw(found, name) {
  const where = name ?? found.area_id ?? found.feeder_id ?? t("scheme.busbar");
  const bars = found.lines.map((line) => ({
    label: line.kind === "route" ? t("scheme.route_line") : line.name ?? line.line_id,
    before: line.loading_ratio_before, after: line.loading_ratio_after, limit: found.line_loading_ratio_max,
  })).sort((one, other) => (other.after ?? 0) - (one.after ?? 0));
  const transformers = found.transformers.map((one) => ({ label: one.name ?? one.element_id, before: one.loading_ratio_before, after: one.loading_ratio_after, limit: one.limit_ratio }));
  const words = { before: t("scheme.before"), after: t("scheme.after") };
  return [
    h("p", { class: "quiet" }, t("scheme.impact_text", { capacity: kva(found.capacity_kva), where, nodes: number(found.nodes.length) })),
    h("div", { class: "columns" }, voltage(found, where),
      h("div", null, pairBars({ title: t("scheme.transformers"), ...words, bars: transformers }),
        pairBars({ title: t(bars.length > LINES_MAX ? "scheme.lines_most" : "scheme.lines", { count: number(LINES_MAX) }), ...words, bars: bars.slice(0, LINES_MAX) }))),
  ];
}

/** Voltage by distance: the customer's way drawn strong, branches faint; both before and after. */
function voltage(found, where) {
  const byBus = new Map(found.nodes.map((node) => [node.bus, node]));
  const way = new Set();
  for (let node = found.nodes.find(({ kind }) => kind === "customer"); node; node = byBus.get(node.parent_bus)) way.add(node.bus);
  const onWay = found.nodes.filter(({ bus }) => way.has(bus));
  const branches = found.nodes.filter(({ bus, parent_bus: parent }) => !way.has(bus) && byBus.has(parent));
  const points = (nodes, key) => nodes.map((node) => [node.distance_km, node[key]]);
  const series = [
    ...branches.flatMap((node) => ["before", "after"].map((when) => ({
      label: `${node.name ?? node.node_id} ${t(`scheme.${when}`)}`, colour: when === "after" ? COLOURS.branch : COLOURS.faint,
      isUnlisted: true, points: points([byBus.get(node.parent_bus), node], `u_pu_${when}`),
    }))),
    { label: t("scheme.before"), colour: COLOURS.before, dash: "6 4", points: points(onWay, "u_pu_before") },
    { label: t("scheme.after"), colour: COLOURS.after, hasDots: onWay.length < 40, points: points(onWay, "u_pu_after") },
  ];
  if (branches.length > 0) series.push({ label: t("scheme.branches_before"), colour: COLOURS.faint, points: [] }, { label: t("scheme.branches"), colour: COLOURS.branch, points: [] });
  const limits = [["u_pu_min", "scheme.u_min"], ["u_pu_max", "scheme.u_max"]].filter(([key]) => found[key] !== null)
    .map(([key, text]) => ({ value: found[key], label: t(text, { value: number(found[key], 4) }) }));
  const end = found.nodes.find(({ kind }) => kind === "customer");
  return lineChart({
    title: t("scheme.voltage", { where }), height: 320,
    x: { label: t("scheme.distance"), min: 0, digits: 2 }, y: { label: "p.u.", digits: 3 },
    series, limits,
    dots: end && end.u_pu_after !== null ? [{ at: end.distance_km, value: end.u_pu_after, label: t("scheme.customer_at", { value: number(end.u_pu_after, 4) }) }] : [],
  });
}

function verification(variant) {
  const v = variant.verification;
  const rows = [
    ["within", v.is_within_limits ? t("scheme.kept") : t("scheme.not_kept")],
    ["u_range", `${number(v.u_pu_min, 4)} – ${number(v.u_pu_max, 4)} p.u.`],
    ["u_customer", `${number(v.u_pu_customer, 4)} p.u.`],
    ["line_loading", percent(v.line_loading_ratio_max, 2)],
    ["transformer_loading", percent(v.transformer_loading_ratio_max, 2)],
    ["losses", `${number(v.losses_kw, 3)} kW`],
    ["ik3", v.ik3_ka === null ? t("unknown") : `${number(v.ik3_ka, 3)} kA`],
    v.limit_kind ? ["limit", `${told("limit", v.limit_kind)} ${v.limit_element_id ?? ""}`] : null,
  ].filter(Boolean);
  const quality = variant.power_quality?.checks ?? [];
  return h("div", null, h("h3", null, t("scheme.verification")),
    h("dl", { class: "facts wide" }, rows.map(([name, text]) => h("div", null, h("dt", null, t(`scheme.${name}`)), h("dd", null, text)))),
    quality.length === 0 ? null : [h("h3", null, t("scheme.quality")), checks(quality)]);
}

function checks(quality) {
  const tones = { ok: "good", not_known: "warn", needs_study: "warn", exceeded: "bad" };
  return h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": t("scheme.quality") }, h("table", null,
    h("thead", null, h("tr", null, ["check", "value", "limit", "result", "clause"].map((head) => h("th", { scope: "col", class: ["value", "limit"].includes(head) ? "number" : null }, t(`scheme.${head}`))))),
    h("tbody", null, quality.map((one) => h("tr", null,
      h("td", null, one.text, one.note ? h("span", { class: "quiet small block" }, one.note) : null),
      h("td", { class: "number" }, figure(one.value, one.unit)), h("td", { class: "number" }, figure(one.limit, one.unit)),
      h("td", null, h("span", { class: `badge ${tones[one.verdict] ?? ""}` }, told("scheme.check", one.verdict))), h("td", null, one.clause))))));
}

function figure(value, unit) {
  if (value === null) return t("unknown");
  return unit === "ratio" ? percent(value, 2) : `${number(value, 3)} ${unit}`;
}
