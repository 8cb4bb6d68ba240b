/** The squares of a publication as a table: the same data for who cannot use a map, sorted, filtered, chosen from. */

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { number, t } from "../base/texts.js";
import { classOf, swatch } from "./capacity_classes.js";

const ROWS = 200;
const PLACE_DIGITS = 4;

/** Return the rows of a publication, each with its middle. */
async function load(classes) {
  const { features } = await get("/v1/public/capacity");
  return features.map(({ id, properties, geometry }) => {
    const ring = geometry.coordinates[0].slice(0, -1);
    const middle = [0, 1].map((axis) => ring.reduce((sum, place) => sum + place[axis], 0) / ring.length);
    return { id, told: properties, ring, middle, ...classOf(properties, classes) };
  });
}

const yesNo = (flag) => (flag === null || flag === undefined ? t("unknown") : t(flag ? "yes" : "no"));
const restrictedOf = ({ told }) => told.is_restricted ?? told.surroundings_is_restricted ?? null;
const rankOf = (item) => (item && item.kind === "band" ? item.rank : -1);
const COLUMNS = [
  { key: "class", text: "public_map.class", order: (row) => rankOf(row.own) },
  { key: "min", text: "public_map.class_min", isNumber: true, order: (row) => row.used?.minKva ?? -1 },
  { key: "around", text: "public_map.around", order: (row) => (row.isAround ? rankOf(row.used) : -2) },
  { key: "restricted", text: "public_map.restricted", order: (row) => String(restrictedOf(row)) },
  { key: "block", text: "public_map.block", order: (row) => row.told.block_id },
  { key: "lon", text: "public_map.lon", isNumber: true, order: (row) => row.middle[0] },
  { key: "lat", text: "public_map.lat", isNumber: true, order: (row) => row.middle[1] },
];

/**
 * Return the list, filled from the service once.
 * @param {Map<string, Object>} classes
 * @param {function(Object): void} onChoose Is handed the row somebody chose: `{id, told, middle}`.
 */
export async function squareList(classes, onChoose) {
  const rows = await load(classes);
  const state = { sort: "class", isDown: true, code: "", restricted: "", shown: ROWS, chosen: null };
  const body = h("tbody");
  const count = h("p", { class: "quiet small", "aria-live": "polite" });
  const more = h("div");
  const heads = COLUMNS.map(({ key, text, isNumber }) => h("th", { scope: "col", class: isNumber ? "number" : null, "aria-sort": "none" },
    h("button", { type: "button", class: "plain", onclick: () => sortBy(key) }, t(text))));
  const node = h("section", { class: "pm-list", "aria-label": t("public_map.list") },
    h("div", { class: "pm-filters" }, filter("code", "public_map.filter.class", [...classes.values()].map(({ code, label }) => [code, label])),
      filter("restricted", "public_map.filter.restricted", [["true", t("yes")], ["false", t("no")], ["null", t("unknown")]])),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("public_map.list") },
      h("table", null, h("caption", { class: "visually-hidden" }, t("public_map.list.caption")),
        h("thead", null, h("tr", null, h("th", { scope: "col" }, t("public_map.square")), heads)), body)),
    h("div", { class: "row" }, count, more));
  draw();
  return { node, mark, find: (lon, lat) => rows.find(({ ring }) => isInside(ring, lon, lat)) ?? null };

  /** Mark the row of a square and bring it into sight. */
  function mark(id) {
    state.chosen = id;
    for (const line of body.children) line.setAttribute("aria-selected", String(line.dataset.cell === id));
    const line = body.querySelector('[aria-selected="true"]');
    const box = node.parentElement;
    if (line && box) box.scrollTop += line.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
  }

  function filter(name, label, options) {
    const select = h("select", { id: `pm-filter-${name}`, onchange: () => {
      Object.assign(state, { [name]: select.value, shown: ROWS });
      draw();
    } }, h("option", { value: "" }, t("public_map.filter.all")), options.map(([value, text]) => h("option", { value }, text)));
    return h("div", { class: "field" }, h("label", { for: `pm-filter-${name}` }, t(label)), select);
  }

  function sortBy(key) {
    state.isDown = state.sort === key ? !state.isDown : true;
    state.sort = key;
    draw();
  }

  function draw() {
    const { order } = COLUMNS.find(({ key }) => key === state.sort);
    const kept = rows.filter((row) => (state.code === "" || row.told.class === state.code)
      && (state.restricted === "" || String(restrictedOf(row)) === state.restricted));
    const way = state.isDown ? -1 : 1;
    kept.sort((one, other) => {
      const [a, b] = [order(one), order(other)];
      return a === b ? (one.id < other.id ? -1 : 1) : (a < b ? -way : way);
    });
    COLUMNS.forEach(({ key }, place) => heads[place].setAttribute("aria-sort", key !== state.sort ? "none" : state.isDown ? "descending" : "ascending"));
    replace(body, kept.slice(0, state.shown).map(line));
    replace(more, kept.length <= state.shown ? null : h("button", { type: "button", class: "second", onclick: () => {
      state.shown += ROWS;
      draw();
    } }, t("public_map.more")));
    count.textContent = t("public_map.count", { shown: number(Math.min(kept.length, state.shown)), all: number(rows.length) });
  }

  function line(row) {
    const { own, used, isAround, told, id, middle } = row;
    const around = !isAround ? "–" : used ? [swatch(used, true), used.label] : t("public_map.short.suppressed");
    return h("tr", { "data-cell": id, "aria-selected": String(id === state.chosen) },
      h("th", { scope: "row" }, h("button", { type: "button", class: "plain mono", onclick: () => onChoose({ id, told, middle }) }, id)),
      h("td", null, swatch(own), own.label), h("td", { class: "number" }, used?.minKva === null || !used ? t("unknown") : number(used.minKva)),
      h("td", null, around), h("td", null, yesNo(restrictedOf(row))), h("td", { class: "mono" }, told.block_id),
      h("td", { class: "number" }, middle[0].toFixed(PLACE_DIGITS)), h("td", { class: "number" }, middle[1].toFixed(PLACE_DIGITS)));
  }
}

/** Tell whether a place lies in a counter-clockwise convex ring. */
function isInside(ring, lon, lat) {
  return ring.every(([ax, ay], at) => {
    const [bx, by] = ring[(at + 1) % ring.length];
    return (bx - ax) * (lat - ay) - (by - ay) * (lon - ax) >= 0;
  });
}
