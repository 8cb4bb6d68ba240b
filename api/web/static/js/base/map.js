/** A map without servers of others: own layers on a plain ground, or on the base map the utility has named. */

import * as maplibre from "../../vendor/maplibre-gl/maplibre-gl.mjs";
import { authorization } from "./session.js";
import { h } from "./dom.js";
import { addTexts, t } from "./texts.js";
import texts from "../texts/map.js";

addTexts(texts);
maplibre.setWorkerUrl(new URL("../../vendor/maplibre-gl/maplibre-gl-worker.mjs", import.meta.url).href);

const GROUND = "#eef1f4";
const FONTS = "'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', 'WenQuanYi Micro Hei', sans-serif";
const ZOOM_MAX = 19;

/**
 * Make a map in a container. It is reached by keyboard (arrows, + and -), loads from this service alone (and the base
 * map), and sends the person's key with every tile.
 * @param {HTMLElement} container
 * @param {{bounds?: [number, number, number, number], sources?: Object, layers?: Object[], label: string,
 *   padding?: number}} options `bounds`: west, south, east, north in degrees.
 * @returns {Promise<maplibre.Map>} Once its style is there.
 */
export function createMap(container, { bounds, sources = {}, layers = [], label, padding = 24 }) {
  const base = basemap();
  const map = new maplibre.Map({
    container,
    style: {
      version: 8,
      sources: { ...base.sources, ...absolute(sources) },
      layers: [{ id: "ground", type: "background", paint: { "background-color": GROUND } }, ...base.layers, ...layers],
    },
    bounds,
    fitBoundsOptions: { padding },
    maxZoom: ZOOM_MAX,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    localIdeographFontFamily: FONTS,
    transformRequest: (url) => (isOwn(url) ? { url, headers: authorization() } : { url, credentials: "omit" }),
    locale: {
      "NavigationControl.ZoomIn": t("map.zoom_in"),
      "NavigationControl.ZoomOut": t("map.zoom_out"),
      "Map.Title": label,
    },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ maxWidth: 120 }), "bottom-left");
  if (base.attribution) container.append(h("p", { class: "attribution" }, base.attribution));
  map.getCanvas().setAttribute("aria-label", label);
  return new Promise((done, fail) => {
    map.once("load", () => done(map));
    map.once("error", ({ error }) => fail(error));
  });
}

export const { Marker, LngLatBounds } = maplibre;

/** Return a picture of slanted lines for areas nothing is known of; `fill-pattern` takes it by its name. */
export function hatch(map, name, colour) {
  const size = 8;
  const data = new Uint8Array(size * size * 4);
  const rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) data.set((x + y) % size < 2 ? [...rgb, 255] : [255, 255, 255, 160], (y * size + x) * 4);
  }
  map.addImage(name, { width: size, height: size, data });
}

function isOwn(url) {
  return new URL(url, location.href).origin === location.origin;
}

/** Workers know no page address: what begins with a slash is made whole. */
function absolute(sources) {
  return Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, source.tiles === undefined
    ? source : { ...source, tiles: source.tiles.map((tile) => (tile.startsWith("/") ? location.origin + tile : tile)) }]));
}

function basemap() {
  const { basemapUrl, basemapAttribution } = document.documentElement.dataset;
  if (!basemapUrl) return { sources: {}, layers: [], attribution: null };
  return {
    sources: { basemap: { type: "raster", tiles: [basemapUrl], tileSize: 256 } },
    layers: [{ id: "basemap", type: "raster", source: "basemap", paint: { "raster-saturation": -0.6, "raster-opacity": 0.6 } }],
    attribution: basemapAttribution,
  };
}
