/** Classes of a publication: their numbers in words, their colours, and the layers that draw its squares. */

import { colours, EDGE, UNKNOWN, ZERO } from "../base/classes.js";
import { h } from "../base/dom.js";
import { number, t } from "../base/texts.js";

const SOURCE = "squares";
const LAYER = "open_capacity";
const SUPPRESSED_GROUND = "#dde3e8";
const SELECTED = "#d6006c";
const HATCHED = "public_map.hatched";
const AROUND_OPACITY = 0.4;
const OVER_BASEMAP_OPACITY = 0.75;

/**
 * Return the classes of a legend by their code, from little to much, then unknown and suppressed.
 * @param {{class: string, open_kva_min: number|null, open_kva_below: number|null}[]} legend
 * @returns {Map<string, {code: string, kind: "band"|"unknown"|"suppressed", minKva: number|null, belowKva: number|null,
 *   rank: number, colour: string, short: string, label: string}>}
 */
export function readClasses(legend) {
  const bands = legend.filter((item) => item.open_kva_min !== null);
  const shades = colours(bands.length - 1);
  return new Map(legend.map((item, rank) => {
    const kind = item.open_kva_min !== null ? "band" : item.class === "unknown" ? "unknown" : "suppressed";
    const colour = kind === "band" ? (rank === 0 ? ZERO : shades[rank - 1]) : kind === "unknown" ? UNKNOWN : SUPPRESSED_GROUND;
    const words = { code: item.class, kind, minKva: item.open_kva_min, belowKva: item.open_kva_below };
    return [item.class, { ...words, rank, colour, short: shortOf(words), label: labelOf(words) }];
  }));
}

function shortOf({ kind, minKva, belowKva }) {
  if (kind !== "band") return t(`public_map.short.${kind}`);
  if (belowKva === null) return `≥${number(minKva)}`;
  return minKva === 0 ? `<${number(belowKva)}` : `${number(minKva)}–${number(belowKva)}`;
}

function labelOf({ kind, minKva, belowKva }) {
  if (kind !== "band") return t(`public_map.label.${kind}`);
  if (belowKva === null) return t("public_map.band.from", { min: number(minKva) });
  if (minKva === 0) return t("public_map.band.below", { below: number(belowKva) });
  return t("public_map.band.between", { min: number(minKva), below: number(belowKva) });
}

/** Return a small picture of a class, as the map draws it; `isAround`: it is told of the surroundings alone. */
export function swatch({ kind, colour }, isAround = false) {
  const isHatched = kind === "unknown";
  return h("span", {
    class: `swatch${isHatched ? " hatched" : ""}${isAround ? " around" : ""}`, "aria-hidden": "true",
    style: isHatched ? {} : { background: isAround ? `color-mix(in srgb, ${colour} ${AROUND_OPACITY * 100}%, #eef1f4)` : colour },
  });
}

/**
 * Return the class a square can be judged by: its own, or that of its surroundings where its own is not published.
 * @param {Object} told The square's properties.
 * @returns {{own: Object, used: Object|null, isAround: boolean}}
 */
export function classOf(told, classes) {
  const own = classes.get(told.class);
  if (own.kind !== "suppressed") return { own, used: own, isAround: false };
  const around = told.surroundings_class ? classes.get(told.surroundings_class) : null;
  return { own, used: around && around.kind !== "suppressed" ? around : null, isAround: true };
}

/** Return the legend as a list in numbers. */
export function legendList(classes) {
  const rows = [...classes.values()].map((item) => h("li", null, swatch(item), h("span", null, item.label)));
  const middle = [...classes.values()].filter(({ kind }) => kind === "band");
  const example = middle[Math.min(2, middle.length - 1)];
  rows.push(h("li", null, swatch(example, true), h("span", null, t("public_map.legend.around"))));
  rows.push(h("li", null, h("span", { class: "swatch restricted", "aria-hidden": "true" }), h("span", null, t("public_map.legend.restricted"))));
  return h("ul", { class: "pm-legend-list" }, rows);
}

/** Return source and layers of the squares for `createMap`. */
export function squareLayers(classes, described, hasBasemap) {
  const { tiles, bounds, minzoom, maxzoom } = described;
  const codes = [...classes.values()];
  const used = ["case", ["==", ["get", "class"], "suppressed"], ["coalesce", ["get", "surroundings_class"], "suppressed"], ["get", "class"]];
  const isAround = ["==", ["get", "class"], "suppressed"];
  const match = (pick, rest) => ["match", used, ...codes.flatMap((item) => [item.code, pick(item)]), rest];
  const own = hasBasemap ? OVER_BASEMAP_OPACITY : 1;
  const shorts = ["match", used, ...codes.flatMap(({ code, short }) => [code, short]), ""];
  const words = (filter, minzoom, sizes, colour, halo) => ({ filter, minzoom,
    layout: { "text-field": shorts, "text-size": ["interpolate", ["linear"], ["zoom"], ...sizes], "text-padding": 0 },
    paint: { "text-color": colour, "text-halo-color": "#ffffff", "text-halo-width": halo } });
  const layer = (id, type, more) => ({ id, type, source: SOURCE, "source-layer": LAYER, ...more });
  return {
    sources: { [SOURCE]: { type: "vector", tiles, ...(bounds ? { bounds } : {}), minzoom, maxzoom, promoteId: { [LAYER]: "cell_id" } } },
    layers: [
      layer("squares", "fill", { paint: {
        "fill-color": match(({ colour }) => colour, SUPPRESSED_GROUND), "fill-antialias": false,
        "fill-opacity": ["case", isAround, ["match", used, "suppressed", own, own * AROUND_OPACITY], own],
      } }),
      layer("edges", "line", { paint: {
        "line-color": EDGE, "line-width": ["case", isAround, 0.4, 1.6], "line-opacity": ["case", isAround, 0.6, 1],
      } }),
      layer("restricted", "line", {
        filter: ["any", ["==", ["get", "is_restricted"], true], ["==", ["get", "surroundings_is_restricted"], true]],
        paint: { "line-color": "#000000", "line-width": 2.5, "line-dasharray": [2, 1.5], "line-offset": 2 },
      }),
      layer("selected", "line", { filter: ["==", ["get", "cell_id"], ""], paint: { "line-color": SELECTED, "line-width": 4 } }),
      layer("words", "symbol", words(["!", isAround], 10.5, [10.5, 10, 14, 16], "#101820", 2)),
      layer("words_around", "symbol", words(["all", isAround, ["!=", used, "suppressed"]], 12, [12, 10, 14, 13], "#4c5b68", 1)),
    ],
    hatchUnknown(map, hatch) {
      hatch(map, HATCHED, "#6d7a86");
      map.addLayer(layer("unknown", "fill", { filter: ["==", used, "unknown"], paint: { "fill-pattern": HATCHED } }), "edges");
    },
  };
}

/** Mark one square on the map, or none. */
export function markSelected(map, cellId) {
  map.setFilter("selected", ["==", ["get", "cell_id"], cellId ?? ""]);
}
