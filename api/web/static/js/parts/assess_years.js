/** When elements run out: a small chart for each, load by year against what it may carry. */

import { h, replace, svg } from "../base/dom.js";
import { kva, number, t, told } from "../base/texts.js";

const SIZE = { width: 220, height: 110, top: 14, bottom: 18, side: 4 };
const SHOWN = 12;

/**
 * Return the charts, those that run out first at the top.
 * @param {Object[]} years
 * @param {function(string, string): void} onPick
 */
export function yearCharts(years, onPick) {
  const rows = [...years].sort((a, b) => (a.runs_out_in ?? Infinity) - (b.runs_out_in ?? Infinity) || fullness(b) - fullness(a));
  const list = h("div", { class: "year-charts" });
  const more = h("div");
  show(SHOWN);
  return h("div", null, h("p", { class: "quiet small" }, t("assess.years.lead")), rows.length === 0 ? h("p", null, t("none")) : list, more);

  function show(count) {
    replace(list, rows.slice(0, count).map((row) => chart(row, onPick)));
    replace(more, rows.length <= count ? null : h("button", { type: "button", class: "second", onclick: () => show(rows.length) }, t("assess.years.all", { count: number(rows.length) })));
  }
}

function fullness({ load_by_year_kva: loads, limit_kva: limit }) {
  return Math.max(...loads.map(([, load]) => load), 0) / limit;
}

function chart(row, onPick) {
  const { name, element_kind: kind, element_id: id, limit_kva: limit, load_by_year_kva: loads, runs_out_in: out } = row;
  return h("figure", { class: "year-chart" },
    h("figcaption", null, h("button", { type: "button", class: "plain name", onclick: () => onPick(kind, id) }, name),
      h("span", { class: `badge ${out === null ? "good" : "bad"}` }, out === null ? t("assess.years.enough") : t("assess.years.out", { year: String(out) }))),
    drawing(limit, loads, `${name}: ${loads.map(([year, load]) => `${year} ${kva(load)}`).join(", ")}; ${t("assess.years.limit", { kva: kva(limit) })}`),
    h("p", { class: "quiet small" }, told("assess.element", kind), " · ", t("assess.years.limit", { kva: kva(limit) })));
}

function drawing(limit, loads, label) {
  const { width, height, top, bottom, side } = SIZE;
  const most = Math.max(limit, ...loads.map(([, load]) => load), 1e-9);
  const y = (value) => height - bottom - (Math.max(0, value) / most) * (height - top - bottom);
  const step = (width - 2 * side) / Math.max(1, loads.length);
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    loads.map(([year, load], place) => [
      svg("rect", { x: side + place * step + 2, width: Math.max(1, step - 4), y: y(load), height: y(0) - y(load), class: load > limit ? "year-over" : "year-within" }),
      load > limit ? svg("text", { x: side + (place + 0.5) * step, y: (y(load) + y(0)) / 2 + 4, "text-anchor": "middle", class: "year-mark" }, "!") : null,
      svg("text", { x: side + (place + 0.5) * step, y: height - 5, "text-anchor": "middle" }, String(year)),
    ]),
    svg("line", { class: "limit", x1: side, x2: width - side, y1: y(limit), y2: y(limit) }));
}
