/** Results on the map: projects by the shape of their verdict, a line to where each is connected, the feeder looked at. */

import { h, replace } from "../base/dom.js";
import { createMap, LngLatBounds } from "../base/map.js";
import { number, t } from "../base/texts.js";
import { elementKey, feedersOf, projectsOf } from "./assess_data.js";
import { addVerdictImages, COLOURS, VERDICTS, verdictKey } from "./verdicts.js";

const PICK = "#d6006c";
const PICK_GROUND = "#f5a9cf";
const GRID_MIN_ZOOM = 8;
const GRID_MAX_ZOOM = 16;
const NODES_MIN_ZOOM = 13;
const NEAR_PX = 7;
const DIM = 0.15;
const NOBODY = "";

/**
 * Return the map's place; it listens to what is looked at, and says what was clicked.
 * @param {Object} result
 * @param {Object} focus
 */
export function assessMap(result, focus) {
  const place = h("div", { class: "map assess-map" });
  const off = result.projects.filter((row) => !hasPlace(row)).length;
  const node = h("div", null, place,
    h("ul", { class: "key" }, VERDICTS.map((verdict) => h("li", null, verdictKey(verdict))), h("li", null, h("span", { class: "swatch line-link" }), t("assess.map.link")), h("li", null, h("span", { class: "swatch line-picked" }), t("assess.map.picked"))),
    h("p", { class: "quiet small" }, t("assess.map.hint"), off > 0 ? ` ${t("assess.map.off", { count: number(off) })}` : null));
  queueMicrotask(open); // by then the place has its size
  return node;

  async function open() {
    const features = featuresOf(result);
    if (features.length === 0) {
      replace(place, h("p", { class: "notice" }, t("assess.map.nowhere")));
      return;
    }
    let map;
    try {
      map = await createMap(place, { bounds: boundsOf(features), padding: 48, label: t("assess.map"), sources: sources(features), layers: layers() });
    } catch {
      replace(place, h("p", { class: "notice warn" }, t("assess.map.failed")));
      return;
    }
    addVerdictImages(map);
    map.addLayer(signLayer());
    listen(map);
    focus.listen((now) => show(map, now, features));
    show(map, focus.now, features);
    map.on("idle", () => { place.dataset.idle = String(Number(place.dataset.idle ?? 0) + 1); });
  }

  function listen(map) {
    const under = ({ x, y }, names) => map.queryRenderedFeatures([[x - NEAR_PX, y - NEAR_PX], [x + NEAR_PX, y + NEAR_PX]], { layers: names })[0];
    map.on("click", ({ point }) => {
      const project = under(point, ["projects"]);
      const line = project ? undefined : under(point, ["grid-lines"]);
      if (project) focus.set({ project: project.properties.id });
      else if (line?.properties.feeder_id) focus.set({ kind: "feeder", element: line.properties.feeder_id });
      else focus.set(null);
    });
    map.on("mousemove", ({ point }) => {
      map.getCanvas().style.cursor = under(point, ["projects", "grid-lines"]) ? "pointer" : "";
    });
  }

  function show(map, now, features) {
    const { ids, feeders } = lookedAt(now);
    const isOne = ["in", ["get", "id"], ["literal", ids]];
    const faded = (most) => (now === null ? most : ["case", isOne, most, DIM * most]);
    map.setPaintProperty("projects", "icon-opacity", faded(1));
    map.setPaintProperty("links", "line-opacity", faded(0.85));
    map.setPaintProperty("points", "circle-opacity", faded(1));
    map.setPaintProperty("points", "circle-stroke-opacity", faded(1));
    map.setFilter("picked", now === null ? ["==", ["get", "id"], NOBODY] : isOne);
    map.setFilter("feeder", ["in", ["get", "feeder_id"], ["literal", feeders]]);
    place.dataset.looked = ids.join(" ");
    if (now === null) return;
    const own = features.filter(({ properties }) => ids.includes(properties.id));
    if (own.length > 0 && !own.every(({ geometry }) => isVisible(map, geometry))) map.fitBounds(boundsOf(own), { padding: 60, maxZoom: 15, animate: false });
  }

  /** A project with those before it that took what it needs; an element with everyone who wants it. */
  function lookedAt(now) {
    if (now === null) return { ids: [], feeders: [] };
    if (now.project !== undefined) {
      const row = result.byId.get(now.project);
      const contested = row.queue.limiter?.contested ?? null;
      return { ids: [now.project, ...row.competitors], feeders: contested === null ? [] : feedersOf(result, ...contested) };
    }
    const conflict = result.contests.get(elementKey(now.kind, now.element));
    const ids = conflict ? [...conflict.served, ...conflict.refused] : projectsOf(result, now.kind, now.element).map(({ project_id: id }) => id);
    return { ids, feeders: feedersOf(result, now.kind, now.element) };
  }
}

function hasPlace({ lon_deg: lon, lat_deg: lat }) {
  return typeof lon === "number" && typeof lat === "number";
}

function featuresOf({ projects }) {
  return projects.filter(hasPlace).flatMap((row) => {
    const at = [row.lon_deg, row.lat_deg];
    const placement = row.queue.placement ?? row.alone.placement;
    const properties = { id: row.project_id, verdict: row.queue.verdict };
    const feature = (type, coordinates, role) => ({ type: "Feature", geometry: { type, coordinates }, properties: { ...properties, role, isNow: row.queue.placement !== null } });
    const found = [feature("Point", at, "project")];
    if (placement !== null && hasPlace(placement)) {
      const end = [placement.lon_deg, placement.lat_deg];
      found.push(feature("LineString", [at, end], "link"), feature("Point", end, "point"));
    }
    return found;
  });
}

function sources(features) {
  return {
    grid: { type: "vector", tiles: ["/v1/tiles/{z}/{x}/{y}.mvt"], minzoom: GRID_MIN_ZOOM, maxzoom: GRID_MAX_ZOOM },
    results: { type: "geojson", data: { type: "FeatureCollection", features } },
  };
}

/** The signs of the verdicts; their pictures are there before it is. */
function signLayer() {
  return {
    id: "projects", type: "symbol", source: "results", filter: ["==", ["get", "role"], "project"],
    layout: { "icon-image": ["concat", "verdict-", ["get", "verdict"]], "icon-size": 0.85, "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["match", ["get", "verdict"], "no", 3, "partly", 2, "yes", 1, 0] },
  };
}

function layers() {
  const ofResults = (id, type, role, paint, more = {}) => ({ id, type, source: "results", filter: ["==", ["get", "role"], role], paint, ...more });
  const ofGrid = (id, type, layer, paint, more = {}) => ({ id, type, source: "grid", "source-layer": layer, paint, ...more });
  const round = { "line-cap": "round", "line-join": "round" };
  const small = ["<", ["get", "u_kv"], 1];
  const colour = ["match", ["get", "verdict"], ...Object.entries(COLOURS).flat(), COLOURS.not_assessable];
  return [
    ofGrid("feeder", "line", "lines", { "line-color": PICK_GROUND, "line-width": 8 }, { layout: round, filter: ["==", ["get", "feeder_id"], NOBODY] }),
    ofGrid("grid-lines", "line", "lines", { "line-color": "#7f8d99", "line-width": ["case", small, 0.8, 1.8] }, { layout: round }),
    ofGrid("grid-nodes", "circle", "nodes", { "circle-radius": ["case", small, 1.5, 2.5], "circle-color": "#ffffff", "circle-stroke-color": "#7f8d99", "circle-stroke-width": 1 }, { minzoom: NODES_MIN_ZOOM }),
    ofResults("links", "line", "link", { "line-color": colour, "line-width": 2, "line-dasharray": [2, 1.5] }),
    ofResults("points", "circle", "point", { "circle-radius": 3.5, "circle-color": "#ffffff", "circle-stroke-color": colour, "circle-stroke-width": 2 }),
    { id: "picked", type: "circle", source: "results", filter: ["==", ["get", "id"], NOBODY], paint: { "circle-radius": ["case", ["==", ["get", "role"], "project"], 13, 0], "circle-color": "rgba(255,255,255,0)", "circle-stroke-color": PICK, "circle-stroke-width": ["case", ["==", ["get", "role"], "project"], 3, 0] } },
  ];
}

function isVisible(map, { type, coordinates }) {
  const bounds = map.getBounds();
  return (type === "Point" ? [coordinates] : coordinates).every((at) => bounds.contains(at));
}

function boundsOf(features) {
  const bounds = new LngLatBounds();
  for (const { geometry } of features) {
    for (const at of geometry.type === "Point" ? [geometry.coordinates] : geometry.coordinates) bounds.extend(at);
  }
  const [[west, south], [east, north]] = bounds.toArray();
  const room = Math.max(0.002, (east - west) / 20, (north - south) / 20);
  return [west - room, south - room, east + room, north + room];
}
