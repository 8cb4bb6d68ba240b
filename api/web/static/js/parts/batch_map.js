/** Results of a batch on the map: a point each, its verdict told by colour and by a sign. */

import { createMap, LngLatBounds } from "../base/map.js";
import { h, replace } from "../base/dom.js";
import { kva, number, t, told } from "../base/texts.js";
import { fateOf, VERDICTS } from "./batch_results.js";

const COLOURS = { answered: "#1b6e3c", transition: "#b35806", joint_work: "#762a83", error: "#4d4d4d" };
const GRID_MIN_ZOOM = 8;

/**
 * Return the map's place and `show(rows)`; the map is made with the first rows that have a place.
 * @returns {{node: HTMLElement, show: function(Object[]): Promise<void>}}
 */
export function batchMap() {
  const place = h("div", { class: "map batch-map" });
  const off = h("p", { class: "quiet small" });
  const picked = h("div", { class: "picked", "aria-live": "polite" });
  const key = h("ul", { class: "key" }, VERDICTS.map((verdict) =>
    h("li", null, h("span", { class: "sign", style: { background: COLOURS[verdict] } }, told("projects.mark", verdict)), told("projects.verdict", verdict))));
  const node = h("div", null, place, key, picked, off);
  let opening = null;
  let rows = [];
  return { node, show };

  async function show(all) {
    rows = all;
    const features = rows.filter(hasPlace).map(feature);
    off.textContent = rows.length > features.length ? t("projects.map.off", { count: number(rows.length - features.length) }) : "";
    if (features.length === 0) return;
    const isFirst = opening === null;
    opening ??= open(features);
    let map;
    try {
      map = await opening;
    } catch {
      replace(place, h("p", { class: "notice warn" }, t("projects.map.failed")));
      return;
    }
    if (!isFirst && place.dataset.points !== String(features.length)) {
      map.getSource("projects").setData({ type: "FeatureCollection", features });
      map.fitBounds(boundsOf(features), { padding: 48, maxZoom: 15, animate: false });
    }
    place.dataset.points = String(features.length);
  }

  async function open(features) {
    const colour = ["match", ["get", "verdict"], ...VERDICTS.flatMap((verdict) => [verdict, COLOURS[verdict]]), COLOURS.error];
    const map = await createMap(place, {
      bounds: boundsOf(features), padding: 48, label: t("projects.map"),
      sources: { projects: { type: "geojson", data: { type: "FeatureCollection", features } } },
      layers: [
        { id: "projects", type: "circle", source: "projects", paint: { "circle-color": colour, "circle-radius": 11, "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 } },
        { id: "projects-sign", type: "symbol", source: "projects", layout: { "text-field": ["get", "sign"], "text-size": 12, "text-allow-overlap": true, "text-ignore-placement": true }, paint: { "text-color": "#ffffff" } },
      ],
    });
    addGrid(map);
    map.on("click", "projects", ({ features: [found] }) => pick(rows[found.properties.at]));
    map.on("mouseenter", "projects", () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", "projects", () => { map.getCanvas().style.cursor = ""; });
    return map;
  }

  function pick(row) {
    replace(picked, h("p", { class: "notice" },
      h("strong", null, row.name ?? row.request_id), ` · ${told("projects.verdict", fateOf(row))}`,
      row.capacity_kva === null ? null : ` · ${kva(row.capacity_kva)}`,
      row.point === null ? null : ` · ${row.point}`,
      row.scheme_id === null ? null : [" · ", h("a", { href: `/console/schemes/${encodeURIComponent(row.scheme_id)}` }, t("projects.open"))]));
  }

  function feature(row) {
    return {
      type: "Feature",
      geometry: { type: "Point", coordinates: [row.lon_deg, row.lat_deg] },
      properties: { at: rows.indexOf(row), verdict: fateOf(row), sign: told("projects.mark", fateOf(row)) },
    };
  }
}

/** Put the lines of the grid under the points; the map is whole without them. */
function addGrid(map) {
  map.addSource("grid", { type: "vector", tiles: [`${location.origin}/v1/tiles/{z}/{x}/{y}.mvt`], minzoom: GRID_MIN_ZOOM, maxzoom: 16 });
  map.addLayer({ id: "grid", type: "line", source: "grid", "source-layer": "lines", paint: { "line-color": "#8a97a3", "line-width": ["case", ["<", ["get", "u_kv"], 1], 0.8, 1.6] } }, "projects");
}

function hasPlace({ lon_deg: lonDeg, lat_deg: latDeg }) {
  return lonDeg !== null && latDeg !== null;
}

function boundsOf(features) {
  const bounds = new LngLatBounds();
  for (const { geometry } of features) bounds.extend(geometry.coordinates);
  const [[west, south], [east, north]] = bounds.toArray();
  const room = Math.max(0.002, (east - west) / 20, (north - south) / 20);
  return [west - room, south - room, east + room, north + room];
}
