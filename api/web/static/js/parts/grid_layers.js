/** Layers of the engineer's map: squares from afar, lines and nodes near, names nearer still. */

import { EDGE, UNKNOWN, ZERO } from "../base/classes.js";
import { getLanguage, t } from "../base/texts.js";
import { colouring, NEUTRAL } from "./grid_colours.js";

/** From here on nodes stand for themselves, before in squares; from here on they have names; and low voltage. */
export const ZOOM = { nodes: 11, names: 13, lowVoltage: 14, tilesMax: 16 };
export const NODES = "nodes";
export const LINES = "lines";
export const CELLS = "cells";
export const MARKED = { limit: "#c2185b", path: "#0b3d5c" };
const PIXEL_RATIO = 2;
const MARK_PX = 18;
const DIM = 0.18;

export function sources() {
  return {
    grid: { type: "vector", tiles: [tileUrl()], minzoom: 0, maxzoom: ZOOM.tilesMax },
    marked: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
  };
}

function tileUrl() {
  return `${location.origin}/v1/tiles/{z}/{x}/{y}.mvt`;
}

/** Return the layers in order from the ground up; colours come with `paint`. */
export function layers() {
  const ofTiles = (id, type, layer, more) => ({ id, type, source: "grid", "source-layer": layer, ...more });
  const isRole = (role) => ["==", ["get", "role"], role];
  const marked = (id, type, role, paint, layout = {}) => ({ id, type, source: "marked", filter: isRole(role), paint, layout });
  const round = { "line-cap": "round", "line-join": "round" };
  const small = ["<", ["get", "u_kv"], 1];
  return [
    ofTiles(CELLS, "fill", "cells", { maxzoom: ZOOM.nodes }),
    ofTiles("cells-unknown", "fill", "cells", { maxzoom: ZOOM.nodes, filter: ["!", ["has", "open_kva_max"]], paint: { "fill-pattern": "hatched" } }),
    ofTiles("cells-count", "symbol", "cells", { maxzoom: ZOOM.nodes, minzoom: 9, layout: { "text-field": ["to-string", ["get", "count"]], "text-size": 11 }, paint: { "text-color": EDGE, "text-halo-color": "#fff", "text-halo-width": 1.5 } }),
    marked("path", "line", "path", { "line-color": MARKED.path, "line-width": 9, "line-opacity": 0.35 }, round),
    ofTiles(LINES, "line", "lines", { layout: round }),
    marked("limit-casing", "line", "limit", { "line-color": "#fff", "line-width": 11 }, round),
    marked("limit", "line", "limit", { "line-color": MARKED.limit, "line-width": 6 }, round),
    ofTiles("lines-label", "symbol", "lines", { minzoom: ZOOM.names, layout: { "symbol-placement": "line-center", "text-size": 12 }, paint: label() }),
    ofTiles(NODES, "circle", "nodes", {
      minzoom: ZOOM.nodes,
      layout: { "circle-sort-key": ["case", small, 1, 0] },
      paint: { "circle-radius": ["interpolate", ["linear"], ["zoom"], 11, 3.5, 14, ["case", small, 3.5, 6.5], 17, ["case", small, 6, 9]], "circle-stroke-color": EDGE },
    }),
    ...["zero", "unknown"].map((mark) => ofTiles(`nodes-${mark}`, "symbol", "nodes", {
      minzoom: ZOOM.nodes,
      layout: { "icon-image": mark, "icon-allow-overlap": true, "icon-ignore-placement": true, "icon-size": ["interpolate", ["linear"], ["zoom"], 11, 0.55, 14, ["case", small, 0.55, 0.9], 17, ["case", small, 0.8, 1.2]] },
    })),
    marked("limit-point", "circle", "limit_point", { "circle-radius": 12, "circle-color": "rgba(255,255,255,0)", "circle-stroke-color": MARKED.limit, "circle-stroke-width": 4 }),
    marked("chosen", "circle", "node", { "circle-radius": 11, "circle-color": "rgba(255,255,255,0)", "circle-stroke-color": "#000", "circle-stroke-width": 3 }),
    marked("tried", "symbol", "tried", { "text-color": "#fff", "text-halo-color": MARKED.path, "text-halo-width": 8 }, { "text-field": ["get", "label"], "text-size": 12, "text-allow-overlap": true, "text-offset": [0, -1.6] }),
    ofTiles("nodes-label", "symbol", "nodes", { minzoom: ZOOM.names, layout: { "text-size": 12, "text-anchor": "top", "text-offset": [0, 0.7], "text-max-width": 12, "symbol-sort-key": ["case", small, 1, 0] }, paint: label() }),
    marked("limit-label", "symbol", "limit_point", { "text-color": MARKED.limit, "text-halo-color": "#fff", "text-halo-width": 2 }, { "text-field": ["get", "label"], "text-size": 13, "text-anchor": "bottom", "text-offset": [0, -1.1], "text-max-width": 24, "text-allow-overlap": true }),
  ];
}

/** Give the layers their colours and names: what is asked for, other feeders faded. */
export function paint(map, grid, { by, hour, feeder, shown }) {
  const scheme = colouring(grid, { by, hour });
  const opacity = (most) => (feeder === null ? most : ["case", ["==", ["get", "feeder_id"], feeder], most, DIM * most]);
  const isNodes = scheme.of === "nodes";
  const lineColour = isNodes ? NEUTRAL : scheme.colour;
  const lowVoltage = ["<", ["get", "u_kv"], 1];
  set(map, LINES, {
    "line-color": lineColour,
    "line-width": isNodes ? ["case", lowVoltage, 1.2, 2] : scheme.widthPx,
    "line-opacity": opacity(1),
  });
  set(map, NODES, {
    "circle-color": isNodes ? scheme.colour : "#ffffff",
    "circle-opacity": opacity(1),
    "circle-stroke-opacity": opacity(1),
    "circle-stroke-width": scheme.isOutside ? ["case", scheme.isOutside, 3, 1] : 1,
  });
  const when = (condition) => (condition === undefined ? 0 : ["case", condition, opacity(1), 0]);
  set(map, "nodes-zero", { "icon-opacity": when(scheme.isZero) });
  set(map, "nodes-unknown", { "icon-opacity": when(isNodes ? scheme.isUnknown : undefined) });
  set(map, CELLS, { "fill-color": scheme.cells ?? "#ffffff", "fill-opacity": scheme.cells ? 0.75 : 0.25, "fill-outline-color": EDGE });
  set(map, "cells-unknown", { "fill-opacity": scheme.cells ? 1 : 0 });
  for (const layer of ["nodes-label", "lines-label"]) set(map, layer, { "text-opacity": opacity(1) });
  map.setLayoutProperty("nodes-label", "text-field", nodeText(by, hour));
  map.setLayoutProperty("lines-label", "text-field", lineText(by));
  show(map, shown);
}

function show(map, { names, lowVoltage, nodes }) {
  const isVisible = (is) => (is ? "visible" : "none");
  for (const layer of ["nodes-label", "lines-label"]) map.setLayoutProperty(layer, "visibility", isVisible(names && (nodes || layer === "lines-label")));
  const level = lowVoltage ? null : [">=", ["get", "u_kv"], 1];
  for (const layer of [NODES, "nodes-zero", "nodes-unknown", "nodes-label", LINES, "lines-label"]) map.setFilter(layer, level);
  for (const layer of [NODES, "nodes-zero", "nodes-unknown"]) map.setLayoutProperty(layer, "visibility", isVisible(nodes));
}

function nodeText(by, hour) {
  const name = ["coalesce", ["get", "name"], ["get", "node_id"]];
  const told = (value, written, unit) => ["case", ["==", ["typeof", value], "number"],
    ["concat", ["number-format", written, { locale: getLanguage(), "max-fraction-digits": 4 }], unit], t("unknown")];
  const [openKva, u] = [["get", "open_kva"], ["get", "u_pu"]];
  if (by === "open" && hour === null) return ["concat", name, "\n", told(openKva, ["round", openKva], " kVA")];
  if (by === "voltage") return ["concat", name, "\n", told(u, u, " p.u.")];
  return name;
}

function lineText(by) {
  const ratio = ["get", "loading_ratio"];
  if (by !== "loading") return "";
  return ["case", ["==", ["typeof", ratio], "number"],
    ["concat", ["coalesce", ["get", "name"], ["get", "line_id"]], " ", ["to-string", ["round", ["*", 100, ratio]]], "%"], ""];
}

function set(map, layer, values) {
  for (const [name, value] of Object.entries(values)) map.setPaintProperty(layer, name, value);
}

function label() {
  return { "text-color": "#16212b", "text-halo-color": "#ffffff", "text-halo-width": 1.6 };
}

/** Add the pictures: a bar for zero, slanted lines for unknown; both are told apart without their colour. */
export function addMarks(map) {
  map.addImage("zero", picture((pen, size) => {
    pen.fillStyle = ZERO;
    disc(pen, size);
    pen.fillStyle = "#ffffff";
    pen.fillRect(size * 0.25, size * 0.42, size * 0.5, size * 0.16);
  }), { pixelRatio: PIXEL_RATIO });
  map.addImage("unknown", picture((pen, size) => {
    pen.fillStyle = UNKNOWN;
    disc(pen, size);
    pen.clip();
    pen.strokeStyle = EDGE;
    pen.lineWidth = size / 10;
    for (let at = -size; at < size * 2; at += size / 3.2) {
      pen.beginPath();
      pen.moveTo(at, size);
      pen.lineTo(at + size, 0);
      pen.stroke();
    }
  }), { pixelRatio: PIXEL_RATIO });
}

function disc(pen, size) {
  pen.strokeStyle = EDGE;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(size / 2, size / 2, size / 2 - 2, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
}

function picture(draw) {
  const size = MARK_PX * PIXEL_RATIO;
  const canvas = document.createElement("canvas");
  canvas.width = size;
  canvas.height = size;
  const pen = canvas.getContext("2d");
  draw(pen, size);
  return pen.getImageData(0, 0, size, size);
}
