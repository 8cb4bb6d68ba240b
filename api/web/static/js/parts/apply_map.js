/** A small map to take the place of supply from: the squares of the publication under it, where there is one. */

import { ApiError, get, post } from "../base/api.js";
import { UNKNOWN, colours } from "../base/classes.js";
import { h, replace } from "../base/dom.js";
import { t } from "../base/texts.js";

const DEGREE_DIGITS = 6;
const MAP_DATUM = "CGCS2000";
const ZOOM_SITE = 14;

/**
 * Make the map.
 * @param {function({lon: string, lat: string, datum: string}): void} onPick
 * @returns {{node: HTMLElement, show: function(Object|null): void}} `show` marks a place given as typed, in any datum
 */
export function siteMap(onPick) {
  const ground = h("div", { class: "map", role: "region", "aria-label": t("apply.map.label") });
  const note = h("p", { class: "hint" }, t("apply.map.hint"));
  const node = h("div", { class: "apply-map hidden" }, ground, note);
  let map = null;
  let marker = null;
  let wanted = null;
  let asked = 0;
  open();
  return { node, show };

  async function open() {
    let tiles;
    let legend;
    try {
      tiles = await get("/v1/public/tiles.json"); // refused where nothing is published for this person
      legend = await get("/v1/public/legend");
    } catch (error) {
      if (error instanceof ApiError) return;
      throw error;
    }
    if (!tiles.bounds) return;
    node.classList.remove("hidden");
    const { createMap, Marker } = await import("../base/map.js");
    map = await createMap(ground, {
      bounds: tiles.bounds,
      label: t("apply.map.label"),
      sources: { squares: { type: "vector", tiles: tiles.tiles, maxzoom: tiles.maxzoom } },
      layers: [{
        id: "squares", type: "fill", source: "squares", "source-layer": tiles.vector_layers[0].id,
        paint: { "fill-color": classColours(legend), "fill-opacity": 0.45, "fill-outline-color": "#7b8894" },
      }],
    });
    map.getCanvas().style.cursor = "crosshair";
    marker = new Marker({ color: "#9b1c1c" });
    map.on("click", ({ lngLat }) => onPick({ lon: lngLat.lng.toFixed(DEGREE_DIGITS), lat: lngLat.lat.toFixed(DEGREE_DIGITS), datum: MAP_DATUM }));
    mark();
  }

  function show(place) {
    wanted = place;
    mark();
  }

  async function mark() {
    if (map === null) return;
    asked += 1;
    const turn = asked;
    if (wanted === null) {
      marker.remove();
      return;
    }
    let place;
    try {
      place = wanted.datum === MAP_DATUM ? wanted : await post("/v1/public/place", wanted);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      marker.remove();
      return;
    }
    if (turn !== asked) return;
    marker.setLngLat([place.lon_deg, place.lat_deg]).addTo(map);
    replace(note, wanted.datum === MAP_DATUM ? t("apply.map.hint") : t("apply.map.converted", { datum: wanted.datum }));
    if (!map.getBounds().contains([place.lon_deg, place.lat_deg])) map.easeTo({ center: [place.lon_deg, place.lat_deg], zoom: Math.max(map.getZoom(), ZOOM_SITE - 2) });
  }
}

/** Colours of the classes in numbers, from little to much; what is not known or hidden is grey. */
function classColours({ legend }) {
  const known = legend.filter((row) => row.open_kva_min !== null);
  const shades = colours(known.length);
  return ["match", ["coalesce", ["get", "class"], ""], ...known.flatMap((row, place) => [row.class, shades[place]]), UNKNOWN];
}
