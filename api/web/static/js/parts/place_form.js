/** A place by its coordinates: longitude, latitude and the datum they are given in, which nobody guesses. */

import { post } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { t } from "../base/texts.js";

export const DATUMS = ["CGCS2000", "WGS84", "GCJ02", "BD09"];
const PAIR = /^\s*([-+]?\d{1,3}(?:\.\d+)?)\s*°?\s*[Ee]?\s*[,;\s\u3001\uff0c\uff1b]\s*([-+]?\d{1,3}(?:\.\d+)?)\s*°?\s*[Nn]?\s*$/;
const PLACE_DIGITS = 6;

/** Return `[longitude, latitude]` of a text, or null where it is no place of the earth. */
export function readPair(text) {
  const found = PAIR.exec(text);
  if (!found) return null;
  const [lon, lat] = [Number(found[1]), Number(found[2])];
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 90 ? [lon, lat] : null;
}

/** Return a place in CGCS2000, which the squares are drawn in. */
export async function convert({ lon, lat, datum }, signal) {
  const found = await post("/v1/public/place", { lon_deg: lon, lat_deg: lat, datum }, { signal });
  return [found.lon_deg, found.lat_deg];
}

/** Return `{node, show(place)}`: a form that hands over `{lon, lat, datum}` when it is sent. */
export function placeForm(onPlace) {
  const text = h("input", { id: "pm-place", inputmode: "text", autocomplete: "off", spellcheck: "false", placeholder: "115.02, 33.41", "aria-describedby": "pm-place-told" });
  const datum = h("select", { id: "pm-datum" }, h("option", { value: "" }, t("public_map.datum.choose")),
    DATUMS.map((one) => h("option", { value: one }, t(`public_map.datum.${one}`))));
  const told = h("div", { id: "pm-place-told", "aria-live": "polite" });
  const node = h("form", { class: "pm-place", novalidate: true, onsubmit: send },
    h("div", { class: "field" }, h("label", { for: "pm-place" }, t("public_map.place")), text),
    h("div", { class: "field" }, h("label", { for: "pm-datum" }, t("public_map.datum")), datum),
    h("button", { type: "submit", class: "second" }, t("public_map.locate")), told);
  return { node, show };

  function show({ lon, lat, datum: given }) {
    text.value = `${Number(lon.toFixed(PLACE_DIGITS))}, ${Number(lat.toFixed(PLACE_DIGITS))}`;
    datum.value = given;
    mark(text, false);
    mark(datum, false);
    replace(told);
  }

  async function send(event) {
    event.preventDefault();
    const pair = readPair(text.value);
    mark(text, pair === null);
    mark(datum, datum.value === "");
    replace(told, pair === null ? h("p", { class: "wrong" }, t("public_map.place.wrong")) : null,
      datum.value === "" ? h("p", { class: "wrong" }, t("public_map.datum.missing")) : null);
    if (pair === null || datum.value === "") {
      (pair === null ? text : datum).focus();
      return;
    }
    try {
      await onPlace({ lon: pair[0], lat: pair[1], datum: datum.value });
    } catch (error) {
      replace(told, errorBox(error));
    }
  }
}

function mark(control, isWrong) {
  if (isWrong) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}
