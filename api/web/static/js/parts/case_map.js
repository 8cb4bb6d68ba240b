/** Own site and how far the connection of each variant reaches: rings without a direction, for that is all one may know. */

import { ApiError, post } from "../base/api.js";
import { h } from "../base/dom.js";
import { t } from "../base/texts.js";
import { lengthText } from "./case_compare.js";

const EARTH_M = 6_371_008.8;
const CORNERS = 72;
const RING_COLOURS = ["#0f6a9c", "#b35806", "#542788", "#1b7837", "#7a4b00"];
const DASHES = [[1], [3, 2], [1, 2], [6, 2, 1, 2], [4, 1]];

/**
 * Return the map with its legend; nothing where there is no variant.
 * @param {Object} model as `modelOf` makes it
 */
export function reachMap({ variants, site, isRounded }) {
  if (variants.length === 0) return null;
  const ground = h("div", { class: "map", role: "region", "aria-label": t("case.map.label") });
  const rings = ringsOf(variants);
  const key = h("ul", { class: "key" }, rings.map(({ nos, lengthM, colour }) =>
    h("li", null, h("span", { class: "swatch ring", style: { borderColor: colour } }), t("case.map.ring", { no: nos.join(", "), length: lengthText(lengthM, isRounded) }))));
  open(ground, site, rings);
  return h("div", { class: "reach" }, ground, key, h("p", { class: "quiet" }, t("case.map.note")));
}

/** Return one ring for each length, with the variants it stands for. */
function ringsOf(variants) {
  const found = new Map();
  for (const { no, points } of variants) {
    const lengthM = Math.max(...points.map((point) => point.lengthM));
    found.set(lengthM, [...(found.get(lengthM) ?? []), no]);
  }
  return [...found].map(([lengthM, nos], place) => ({ nos, no: nos[0], lengthM, colour: RING_COLOURS[place % RING_COLOURS.length], dash: DASHES[place % DASHES.length] }));
}

async function open(ground, site, rings) {
  let place;
  try {
    place = site.datum === "CGCS2000" ? site : await post("/v1/public/place", { lon_deg: site.lon_deg, lat_deg: site.lat_deg, datum: site.datum });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    ground.replaceChildren(h("p", { class: "notice warn" }, t("case.map.nowhere")));
    return;
  }
  const centre = [place.lon_deg, place.lat_deg];
  const furthest = circle(centre, Math.max(...rings.map(({ lengthM }) => lengthM)));
  const { createMap, Marker } = await import("../base/map.js");
  const map = await createMap(ground, {
    bounds: [...corner(furthest, Math.min), ...corner(furthest, Math.max)],
    label: t("case.map.label"),
    sources: Object.fromEntries(rings.map(({ no, lengthM }) => [`ring-${no}`, { type: "geojson", data: polygon(circle(centre, lengthM)) }])),
    layers: rings.flatMap(({ no, colour, dash }) => [
      { id: `fill-${no}`, type: "fill", source: `ring-${no}`, paint: { "fill-color": colour, "fill-opacity": 0.06 } },
      { id: `line-${no}`, type: "line", source: `ring-${no}`, paint: { "line-color": colour, "line-width": 2.5, "line-dasharray": dash } },
    ]),
  });
  new Marker({ color: "#9b1c1c" }).setLngLat(centre).addTo(map);
}

/** Return a circle on the sphere (great circles from the centre), closed. */
function circle([lon, lat], radiusM) {
  const rad = Math.PI / 180;
  const reach = radiusM / EARTH_M;
  return Array.from({ length: CORNERS + 1 }, (_, step) => {
    const bearing = ((step % CORNERS) / CORNERS) * 2 * Math.PI;
    const y = Math.asin(Math.sin(lat * rad) * Math.cos(reach) + Math.cos(lat * rad) * Math.sin(reach) * Math.cos(bearing));
    const x = lon * rad + Math.atan2(Math.sin(bearing) * Math.sin(reach) * Math.cos(lat * rad), Math.cos(reach) - Math.sin(lat * rad) * Math.sin(y));
    return [x / rad, y / rad];
  });
}

function corner(ring, pick) {
  return [pick(...ring.map(([lon]) => lon)), pick(...ring.map(([, lat]) => lat))];
}

function polygon(ring) {
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}
