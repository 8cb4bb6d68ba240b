/** What is known of one node: the three numbers and how they come about, what binds, whose promises lie on its path. */

import { barChart, lineChart } from "../base/chart.js";
import { h } from "../base/dom.js";
import { kva, number, t, told } from "../base/texts.js";
import { bandOf, openColour } from "./grid_colours.js";
import { MARKED } from "./grid_layers.js";

const BARS = { administrative: "#8a6d3b", physical: "#3f7cac" };

/**
 * Draw one node.
 * @param {Object} grid answer of `/v1/grid`
 * @param {Object} node answer of `/v1/nodes/{id}`
 * @param {Object[]} others nodes on the same spot
 * @param {{onOther: function(string), onLimit: function(), onFeeder: function(), onSeveral: function(),
 *   onHours: function(), onClose: function()}} act
 * @returns {HTMLElement[]}
 */
export function nodePanel(grid, node, others, act) {
  return [
    h("div", { class: "row between" }, h("h2", { tabindex: "-1" }, node.name ?? node.node_id),
      h("button", { type: "button", class: "plain", onclick: act.onClose }, t("close"))),
    h("p", { class: "quiet" }, [told("kind", node.kind), `${number(node.u_nominal_kv, 2)} kV`, node.node_id].join(" · ")),
    others.length === 0 ? null : h("p", { class: "small" }, t("console.same_place"), others.map((one) =>
      h("button", { type: "button", class: "plain", onclick: () => act.onOther(one.node_id) }, `${one.name ?? one.node_id} (${told("kind", one.kind)})`))),
    conclusion(node),
    threeNumbers(grid, node),
    limitFacts(node, act),
    facts(grid, node, act),
    h("div", { class: "row" },
      typeof node.lon_deg === "number" ? h("a", { class: "button", href: applyUrl(node) }, t("console.ask_here")) : null,
      h("button", { type: "button", class: "second", onclick: act.onSeveral }, t("console.add_to_several")),
      grid.has_hours ? h("button", { type: "button", class: "second", onclick: act.onHours }, t("console.tab_hours")) : null),
    accounts(node),
    holds(node),
    h("p", { class: "quiet small" }, t("not_additive")),
  ];
}

/** Return the address of the form for a customer at this place. */
export function applyUrl({ lon_deg: lon, lat_deg: lat }) {
  return `/apply?${new URLSearchParams({ lon: String(lon), lat: String(lat), datum: "CGCS2000" })}`;
}

/** The curve over the hours, with the hour the map shows. */
export function hourCurve({ hours, open_kva: openKva, limit_kind: kinds }, name, hour, onHour) {
  const tell = (at) => hours[at] ?? null;
  const least = openKva.reduce((found, value, at) => (value !== null && (found === null || value < openKva[found]) ? at : found), null);
  const chart = lineChart({
    title: t("console.hours_of", { name }),
    x: { label: t("console.hour"), min: 0, max: hours.length, tell },
    y: { label: "kVA", min: 0, digits: 0 },
    series: [{ label: t("console.open"), colour: "#225ea8", isStep: true, points: [...openKva, openKva[openKva.length - 1]].map((value, at) => [at, value]) }],
    marks: hour === null ? [] : [{ value: hour, label: `${hours[hour] ?? hour}: ${kva(openKva[hour])}` }],
    height: 240,
    onPick: (at) => onHour(Math.max(0, Math.min(hours.length - 1, Math.floor(at)))),
  });
  const words = least === null ? t("unknown") : t("console.hour_least_at", { kva: kva(openKva[least]), hour: hours[least], limit: told("limit", kinds[least]) });
  return h("div", null, chart, h("p", { class: "quiet" }, words));
}

function conclusion(node) {
  if (node.open_kva === null || node.open_kva === undefined) {
    return h("p", { class: "notice warn", id: "conclusion" }, h("strong", null, t("console.open_unknown")), " ", told("status", node.status),
      node.status_reason ? `:${node.status_reason}` : "", " ", t("unknown_not_zero"));
  }
  const limit = node.limit ? t("console.bound_by", { kind: told("limit", node.limit.kind), name: node.limit.name ?? node.limit.element_id ?? "" }) : "";
  return h("p", { class: `notice ${node.open_kva > 0 ? "good" : "bad"}`, id: "conclusion" },
    h("strong", null, t("console.open_is", { kva: kva(node.open_kva) })), " ", limit);
}

function threeNumbers(grid, node) {
  const bars = [
    { key: "administrative", value: node.administrative_kva, colour: BARS.administrative },
    { key: "physical", value: node.physical_kva, colour: BARS.physical },
    { key: "open", value: node.open_kva, colour: openColour(grid, node.open_kva) },
  ].map(({ key, value, colour }) => ({ label: t(`console.${key}`), value: value ?? null, colour, told: kva(value) }));
  return h("div", { id: "three-numbers" }, barChart({ title: t("console.three_numbers"), unit: "kVA", bars }),
    node.administrative_reason ? h("p", { class: "quiet small" }, `${t("console.administrative")}:${node.administrative_reason}`) : null,
    h("details", null, h("summary", null, t("console.how")),
      h("ul", { class: "small" }, ["administrative", "physical", "open"].map((key) => h("li", null, h("strong", null, t(`console.${key}`)), " ", t(`console.how_${key}`))))));
}

function limitFacts(node, { onLimit }) {
  const { limit } = node;
  if (!limit) return null;
  const canShow = limit.geometry || typeof limit.lon_deg === "number";
  return h("section", { class: "limit", "aria-label": t("console.limit"), style: { borderColor: MARKED.limit } },
    h("h3", null, t("console.limit")),
    h("p", { id: "limit-name" }, `${told("limit", limit.kind)} · ${limit.name ?? limit.element_id ?? t("unknown")}`,
      limit.hour === null || limit.hour === undefined ? null : ` · ${t("console.at_hour", { hour: limit.hour })}`),
    canShow ? h("button", { type: "button", class: "second small", onclick: onLimit }, t("console.show_limit")) : h("p", { class: "quiet small" }, t("console.limit_no_place")),
    node.path_geometry ? h("p", { class: "quiet small" }, t("console.path_drawn")) : null);
}

function facts(grid, node, { onFeeder }) {
  const band = bandOf(grid.voltage_bands, node.u_nominal_kv);
  const isOutside = band && node.u_pu !== null && node.u_pu !== undefined && (node.u_pu < band.u_pu_min || node.u_pu > band.u_pu_max);
  const row = (name, ...value) => h("div", null, h("dt", null, name), h("dd", null, value));
  return h("dl", { class: "facts" },
    row(t("console.voltage"), node.u_pu === null || node.u_pu === undefined ? t("unknown") : `${number(node.u_pu, 4)} p.u.`,
      band ? ` (${t("console.band", { low: number(band.u_pu_min, 3), high: number(band.u_pu_max, 3) })})` : "",
      isOutside ? h("span", { class: "badge bad" }, t("console.outside_band")) : null),
    node.feeder_id ? row(t("console.feeder"), h("button", { type: "button", class: "plain", onclick: onFeeder }, node.feeder_name ?? node.feeder_id)) : null,
    node.substation_id ? row(t("console.substation"), node.substation_id) : null,
    node.area_id ? row(t("console.area"), node.area_id) : null,
    row(t("console.place"), typeof node.lon_deg === "number" ? `${number(node.lon_deg, 6)}, ${number(node.lat_deg, 6)} (CGCS2000)` : t("unknown")));
}

function accounts({ path }) {
  if (!path || path.length === 0) return h("p", { class: "quiet" }, t("console.no_accounts"));
  const cell = (value) => h("td", { class: "number" }, value === null || value === undefined ? t("unknown") : number(value));
  return h("section", null, h("h3", null, t("console.accounts")), h("p", { class: "quiet small" }, t("console.accounts_hint")),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("console.accounts") }, h("table", { class: "compact", id: "accounts" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("console.account")), ["limit", "held", "posted", "open"].map((name) => h("th", { scope: "col", class: "number" }, t(`console.account_${name}`))))),
      h("tbody", null, path.map((one) => h("tr", null, h("th", { scope: "row" }, one.name ?? one.element_id),
        cell(one.limit_kva), cell(one.held_kva), cell(one.posted_kva), cell(one.open_kva)))))));
}

function holds({ holds: entries, path }) {
  const names = new Map((path ?? []).map((one) => [one.account_id, one.name ?? one.element_id]));
  if (!entries || entries.length === 0) return h("section", null, h("h3", null, t("console.holds")), h("p", { class: "quiet" }, t("console.no_holds")));
  return h("section", null, h("h3", null, t("console.holds")),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("console.holds") }, h("table", { class: "compact", id: "holds" },
      h("thead", null, h("tr", null, ["request", "capacity", "state", "account"].map((name) => h("th", { scope: "col", class: name === "capacity" ? "number" : null }, t(`console.hold_${name}`))))),
      h("tbody", null, entries.map((one) => h("tr", null,
        h("td", null, one.scheme_id ? h("a", { href: `/console/schemes/${encodeURIComponent(one.scheme_id)}` }, one.request_id ?? one.scheme_id) : one.request_id ?? one.hold_id),
        h("td", { class: "number" }, number(one.capacity_kva)), h("td", null, told("state", one.state)), h("td", null, names.get(one.account_id) ?? one.account_id)))))));
}
