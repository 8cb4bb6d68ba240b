/** The map of the engineer's console: what one points at, what is chosen, the hour shown, and what can be seen now. */

import { createMap, hatch, LngLatBounds } from "../base/map.js";
import { UNKNOWN } from "../base/classes.js";
import { h, replace } from "../base/dom.js";
import { kva, number, percent, t, told } from "../base/texts.js";
import { addMarks, CELLS, LINES, layers, NODES, paint, sources, ZOOM } from "./grid_layers.js";

const POINT_PX = 6;
const NEAR_ZOOM = 15;
const OTHERS_MAX = 5;

/**
 * Draw the map.
 * @param {HTMLElement} container
 * @param {Object} grid answer of `/v1/grid`
 * @param {{view: Object|null, onNode: function(string, Object[]), onLine: function(Object), onView: function(Object),
 *   onIdle: function()}} options
 */
export async function openGridMap(container, grid, { view, onNode, onLine, onView, onIdle }) {
  const map = await createMap(container, { bounds: grid.bounds ?? undefined, sources: sources(), label: t("console.map_label") });
  addMarks(map);
  hatch(map, "hatched", UNKNOWN);
  for (const layer of layers()) map.addLayer(layer);
  if (view !== null) map.jumpTo({ center: [view.lon, view.lat], zoom: view.zoom });
  const hours = hourStates(map);
  const tip = h("div", { class: "tip hidden", "aria-hidden": "true" });
  container.append(tip);
  listen(map, { tip, onNode, onLine });
  map.on("moveend", () => onView({ lon: map.getCenter().lng, lat: map.getCenter().lat, zoom: map.getZoom() }));
  map.on("idle", () => {
    container.dataset.idle = String(Number(container.dataset.idle ?? 0) + 1);
    onIdle();
  });
  return {
    paint: (wanted) => paint(map, grid, wanted),
    setHour: hours,
    mark: (features) => map.getSource("marked").setData({ type: "FeatureCollection", features }),
    visible: () => visible(map),
    refresh: () => map.refreshTiles("grid"),
    jumpTo: ({ lon, lat, zoom }) => map.jumpTo({ center: [lon, lat], zoom }),
    flyTo: (lon, lat) => map.easeTo({ center: [lon, lat], zoom: Math.max(map.getZoom(), NEAR_ZOOM) }),
    fit: ([west, south, east, north]) => map.fitBounds([[west, south], [east, north]], { padding: 40, maxZoom: NEAR_ZOOM }),
    fitGeometry: (geometry) => map.fitBounds(boundsOf(geometry), { padding: 80, maxZoom: NEAR_ZOOM + 1 }),
    contains: (lon, lat) => map.getBounds().contains([lon, lat]),
    zoom: () => map.getZoom(),
  };
}

/** Return the box around any GeoJSON geometry. */
export function boundsOf(geometry) {
  const box = new LngLatBounds();
  const walk = (part) => (typeof part[0] === "number" ? box.extend([part[0], part[1]]) : part.forEach(walk));
  walk(geometry.coordinates);
  return box;
}

function listen(map, { tip, onNode, onLine }) {
  const under = (point) => {
    const box = [[point.x - POINT_PX, point.y - POINT_PX], [point.x + POINT_PX, point.y + POINT_PX]];
    const found = map.queryRenderedFeatures(box, { layers: [NODES, LINES, CELLS] });
    const nodes = byDistance(map, point, found.filter(({ layer }) => layer.id === NODES));
    return { found: nodes[0] ?? found.find(({ layer }) => layer.id === LINES) ?? found[0], others: nodes.slice(1, 1 + OTHERS_MAX) };
  };
  map.on("click", ({ point, lngLat }) => {
    const { found, others } = under(point);
    if (found === undefined) return;
    if (found.layer.id === NODES) onNode(found.properties.node_id, others.map(({ properties }) => properties));
    else if (found.layer.id === LINES) onLine(found.properties);
    else map.easeTo({ center: lngLat, zoom: ZOOM.nodes + 1 });
  });
  map.on("mousemove", ({ point }) => {
    const { found } = under(point);
    map.getCanvas().style.cursor = found ? "pointer" : "";
    tip.classList.toggle("hidden", !found);
    if (!found) return;
    replace(tip, tipText(found).map((line, place) => h(place === 0 ? "strong" : "span", null, line)));
    const isRight = point.x > map.getContainer().clientWidth / 2;
    Object.assign(tip.style, isRight
      ? { left: "", right: `${map.getContainer().clientWidth - point.x + 14}px`, top: `${point.y + 12}px` }
      : { right: "", left: `${point.x + 14}px`, top: `${point.y + 12}px` });
  });
  map.getCanvas().addEventListener("mouseleave", () => tip.classList.add("hidden"));
}

/** Return the nodes under the pointer, the closest first, each once: they may lie a few pixels apart, or on one spot. */
function byDistance(map, point, features) {
  const away = ({ geometry }) => {
    const at = map.project(geometry.coordinates);
    return Math.hypot(at.x - point.x, at.y - point.y);
  };
  const once = [...new Map(features.map((feature) => [feature.id, feature])).values()];
  return once.map((feature) => [away(feature), feature]).sort(([one], [other]) => one - other).map(([, feature]) => feature);
}

function tipText({ layer, properties, state }) {
  if (layer.id === CELLS) {
    return [t("console.cell", { count: number(properties.count) }), t("console.cell_max", { kva: kva(properties.open_kva_max) }),
      t("console.cell_median", { kva: kva(properties.open_kva_median) })];
  }
  if (layer.id === LINES) {
    return [properties.name ?? properties.line_id, t("console.tip_loading", { ratio: percent(properties.loading_ratio), limit: percent(properties.limit_ratio, 0) })];
  }
  const lines = [properties.name ?? properties.node_id, `${told("kind", properties.kind)} · ${number(properties.u_kv, 2)} kV`,
    t("console.tip_open", { kva: kva(properties.open_kva) }), t("console.tip_voltage", { u_pu: number(properties.u_pu, 4) })];
  if (state?.h !== undefined) lines.push(t("console.tip_hour", { kva: kva(state.h) }));
  return lines;
}

/** Return a setter of the nodes' figures of an hour; only those that differ from the hour before are written. */
function hourStates(map) {
  let before = new Map();
  return (answer) => {
    const after = new Map();
    answer?.bus.forEach((bus, place) => after.set(bus, answer.open_kva[place]));
    for (const [bus, value] of after) {
      if (before.get(bus) !== value) map.setFeatureState({ source: "grid", sourceLayer: "nodes", id: bus }, { h: value });
    }
    for (const bus of before.keys()) {
      if (!after.has(bus)) map.removeFeatureState({ source: "grid", sourceLayer: "nodes", id: bus }, "h");
    }
    before = after;
  };
}

/** Return what is on the screen, each once: `{nodes, lines, cells}` with properties. */
function visible(map) {
  const found = { nodes: new Map(), lines: new Map(), cells: [] };
  let isThinned = false;
  const present = [NODES, LINES, CELLS].filter((layer) => map.getLayer(layer));
  for (const { id, layer, properties, state, geometry } of map.queryRenderedFeatures({ layers: present })) {
    isThinned ||= properties.thinned === true;
    if (layer.id === CELLS) found.cells.push(properties);
    else found[layer.id].set(id, { ...properties, ...("h" in state ? { open_kva_hour: state.h } : {}), at: geometry.coordinates });
  }
  return { nodes: [...found.nodes.values()], lines: [...found.lines.values()], cells: found.cells, isThinned };
}
