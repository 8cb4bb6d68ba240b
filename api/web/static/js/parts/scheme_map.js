/** A scheme on the map: customer, variants with their routes, candidates that were refused, each with its reason. */

import { getWhenReady } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { createMap, LngLatBounds } from "../base/map.js";
import { number, t } from "../base/texts.js";

const COLOURS = { chosen: "#0f6a9c", other: "#5b6b78", rejected: "#9b1c1c", customer: "#16212b", stage: "#7a4b00" };
const REACH = 0.0015;
const ZOOM_TILES_MAX = 16;
const ZOOM_NEAR = 16;

/**
 * Return the map with its list; `choose(rank)` shows another variant.
 * @param {Object} scheme
 * @param {function(number): void} onChoose A variant picked on the map.
 */
export function schemeMap(scheme, onChoose) {
  const place = h("div", { class: "map" });
  const told = h("p", { class: "map-told", "aria-live": "polite" }, t("scheme.map_hint"));
  const features = featuresOf(scheme);
  const list = rejectedList(scheme, (index) => look(index));
  const node = h("div", { class: "scheme-map" }, place, told, legend(scheme), list);
  let map = null;
  let chosen = 1;
  start();
  return { node, choose };

  async function start() {
    map = await createMap(place, { label: t("scheme.map"), bounds: boundsOf(features), padding: 48, sources: { scheme: { type: "geojson", data: { type: "FeatureCollection", features } } }, layers: layers() });
    choose(chosen);
    for (const layer of ["scheme-points", "scheme-rejected"]) {
      map.on("mousemove", layer, ({ features: [found] }) => tell(found.properties));
      map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
    }
    map.on("click", "scheme-points", ({ features: [found] }) => {
      tell(found.properties);
      if (!isStaged(scheme)) onChoose(found.properties.rank);
    });
    map.on("click", "scheme-rejected", ({ features: [found] }) => tell(found.properties));
    addGround();
  }

  /** The grid itself, where its tiles are ready; the scheme is told without it, too. */
  async function addGround() {
    try {
      await getWhenReady("/v1/grid");
    } catch {
      return;
    }
    map.addSource("grid", { type: "vector", tiles: [`${location.origin}/v1/tiles/{z}/{x}/{y}.mvt`], maxzoom: ZOOM_TILES_MAX });
    map.addLayer({ id: "grid-lines", type: "line", source: "grid", "source-layer": "lines", paint: { "line-color": "#8a97a3", "line-width": ["case", ["<", ["get", "u_kv"], 1], 1, 2] } }, "scheme-routes-casing");
    map.addLayer({ id: "grid-nodes", type: "circle", source: "grid", "source-layer": "nodes", minzoom: 12, paint: { "circle-radius": ["case", ["<", ["get", "u_kv"], 1], 1.5, 2.5], "circle-color": "#ffffff", "circle-stroke-color": "#6a7884", "circle-stroke-width": 1 } }, "scheme-routes-casing");
  }

  function choose(rank) {
    const isOther = rank !== chosen;
    chosen = rank;
    if (map === null) return;
    if (isOther) map.fitBounds(boundsOf(features.filter(({ properties }) => properties.role === "customer" || properties.rank === rank)), { padding: 48, duration: 0 });
    const isChosen = ["==", ["get", "rank"], rank];
    map.setPaintProperty("scheme-routes", "line-color", ["case", isChosen, COLOURS.chosen, COLOURS.other]);
    map.setPaintProperty("scheme-routes", "line-width", ["case", isChosen, 5, 2.5]);
    map.setPaintProperty("scheme-points", "circle-color", ["case", isChosen, COLOURS.chosen, COLOURS.other]);
    map.setPaintProperty("scheme-points", "circle-radius", ["case", isChosen, 12, 9]);
  }

  function look(index) {
    const found = features.find(({ properties }) => properties.index === index);
    tell(found.properties);
    if (map === null) return;
    map.easeTo({ center: found.geometry.coordinates, zoom: Math.max(map.getZoom(), ZOOM_NEAR - 2), duration: 0 });
    map.setPaintProperty("scheme-rejected", "circle-stroke-width", ["case", ["==", ["get", "index"], index], 5, 2]);
  }

  function tell({ name, text }) {
    if (map !== null) map.getCanvas().style.cursor = "pointer";
    replace(told, h("strong", null, name), " ", text);
  }
}

function featuresOf(scheme) {
  const { lon_deg: lon, lat_deg: lat } = scheme.request.location_cgcs2000 ?? scheme.request.location;
  const point = (role, at, properties) => ({ type: "Feature", geometry: { type: "Point", coordinates: at }, properties: { role, ...properties } });
  const route = (properties, one) => (one ? [{ type: "Feature", geometry: one.geometry, properties: { role: "route", ...properties } }] : []);
  const found = [];
  for (const variant of isStaged(scheme) ? [] : scheme.variants) {
    const sources = [variant, ...variant.further_sources];
    sources.forEach((source, place) => {
      const at = source.connection_point;
      const label = sources.length > 1 ? `${variant.rank}-${place + 1}` : String(variant.rank);
      found.push(...route({ rank: variant.rank }, source.route),
        point("variant", [at.lon_deg, at.lat_deg], { rank: variant.rank, label, name: t("scheme.variant_no", { no: number(variant.rank) }), text: `${at.name} · ${source.connection_mode} · ${number(source.route.length_m)} m` }));
    });
  }
  for (const stage of scheme.transition?.stages ?? []) {
    if (stage.connection_point === null) continue;
    found.push(...route({ rank: stage.stage_no }, stage.route),
      point("variant", [stage.connection_point.lon_deg, stage.connection_point.lat_deg], { rank: stage.stage_no, label: String(stage.stage_no), name: t("scheme.stage_no", { no: number(stage.stage_no) }), text: `${stage.connection_point.name} · ${stage.text}` }));
  }
  scheme.rejected.forEach(({ connection_point: at, reasons }, index) => found.push(
    point("rejected", [at.lon_deg, at.lat_deg], { index, name: at.name, text: reasons.map(({ text }) => text).join(" ") })));
  found.push(point("customer", [lon, lat], { name: t("scheme.customer"), text: scheme.request.applicant.name }));
  return found;
}

/** Whether the scheme is told by its stages: its variant is then the last of them. */
function isStaged(scheme) {
  return scheme.transition !== null;
}

function layers() {
  const of = (id, type, role, paint, layout = {}) => ({ id, type, source: "scheme", filter: ["==", ["get", "role"], role], paint, layout });
  const round = { "line-cap": "round", "line-join": "round" };
  return [
    of("scheme-routes-casing", "line", "route", { "line-color": "#ffffff", "line-width": 8, "line-opacity": 0.9 }, round),
    of("scheme-routes", "line", "route", { "line-color": COLOURS.other, "line-width": 3 }, round),
    of("scheme-rejected", "circle", "rejected", { "circle-radius": 6, "circle-color": "#ffffff", "circle-stroke-color": COLOURS.rejected, "circle-stroke-width": 2 }),
    of("scheme-rejected-mark", "symbol", "rejected", { "text-color": COLOURS.rejected }, { "text-field": "×", "text-size": 14, "text-allow-overlap": true, "text-ignore-placement": true }),
    of("scheme-points", "circle", "variant", { "circle-radius": 9, "circle-color": COLOURS.other, "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 }),
    of("scheme-ranks", "symbol", "variant", { "text-color": "#ffffff" }, { "text-field": ["get", "label"], "text-size": 12, "text-allow-overlap": true, "text-ignore-placement": true }),
    of("scheme-customer", "circle", "customer", { "circle-radius": 7, "circle-color": "#f4c430", "circle-stroke-color": COLOURS.customer, "circle-stroke-width": 2.5 }),
    of("scheme-customer-name", "symbol", "customer", { "text-color": COLOURS.customer, "text-halo-color": "#ffffff", "text-halo-width": 2 }, { "text-field": ["get", "name"], "text-size": 13, "text-anchor": "top", "text-offset": [0, 0.8], "text-allow-overlap": true }),
  ];
}

function boundsOf(features) {
  const bounds = new LngLatBounds();
  for (const { geometry, properties } of features) {
    if (properties.role === "rejected") continue;
    for (const at of geometry.type === "Point" ? [geometry.coordinates] : geometry.coordinates) bounds.extend(at);
  }
  const [[west, south], [east, north]] = bounds.toArray();
  return [west - REACH, south - REACH, east + REACH, north + REACH];
}

function legend(scheme) {
  const dot = (colour, mark, text) => h("li", null, h("span", { class: "dot", style: { background: colour }, "aria-hidden": "true" }, mark), text);
  return h("ul", { class: "key" },
    dot("#f4c430", "", t("scheme.customer")),
    isStaged(scheme) ? dot(COLOURS.other, "1", t("scheme.legend_stage")) : null,
    !isStaged(scheme) && scheme.variants.length > 0 ? dot(COLOURS.chosen, "1", t("scheme.legend_chosen")) : null,
    !isStaged(scheme) && scheme.variants.length > 1 ? dot(COLOURS.other, "2", t("scheme.legend_other")) : null,
    scheme.rejected.length > 0 ? dot(COLOURS.rejected, "×", t("scheme.legend_rejected")) : null);
}

function rejectedList(scheme, onLook) {
  if (scheme.rejected.length === 0 && scheme.rejected_sets.length === 0) return h("p", { class: "quiet small" }, t("scheme.none_rejected"));
  const rows = scheme.rejected.map(({ connection_point: at, distance_m: distance, reasons }, index) => h("tr", null,
    h("td", null, h("button", { type: "button", class: "plain", onclick: () => onLook(index), onfocus: () => onLook(index) }, at.name)),
    h("td", { class: "number" }, `${number(distance)} m`),
    h("td", null, h("ul", { class: "cells" }, reasons.map(({ text }) => h("li", null, text))))));
  const sets = scheme.rejected_sets.map(({ connection_points: points, reasons }) => h("tr", null,
    h("td", null, points.map(({ name }) => name).join(" + ")), h("td", null), h("td", null, reasons.map(({ text }) => text).join(" "))));
  return h("details", null, h("summary", null, t("scheme.rejected", { count: number(rows.length + sets.length) })),
    h("div", { class: "scroll low", role: "region", tabindex: "0", "aria-label": t("scheme.rejected", { count: number(rows.length) }) },
      h("table", { class: "compact" }, h("thead", null, h("tr", null, h("th", { scope: "col" }, t("scheme.point")), h("th", { scope: "col", class: "number" }, t("scheme.distance_m")), h("th", { scope: "col" }, t("scheme.why")))),
        h("tbody", null, rows, sets))));
}
