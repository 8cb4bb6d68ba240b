/** Plots as drawings: axes with units, a legend, and the same figures as a table for who cannot see them. */

import { h, replace, svg } from "./dom.js";
import { number, t } from "./texts.js";

/** In units of the drawing, of which a phone shows fewer: letters keep their size. */
const WIDTH = globalThis.innerWidth < 640 ? 380 : 640;
const TICKS = 7;
/** Words are wider than numbers. */
const TOLD_TICKS = 5;
const MARGIN = { top: 12, right: 16, bottom: 44, left: 60 };

/**
 * Lines over a numeric axis.
 * @param {{title: string, x: Axis, y: Axis, series: Series[], limits?: {value: number, label: string}[], height?: number,
 *   onPick?: function(number): void}} plot `Axis`: `{label, min?, max?, digits?, tell?: function(number): (string|null)}`;
 *   `Series`: `{label, colour, dash?, points: [x, y][], isStep?, hasDots?, isUnlisted?}`; a `null` y leaves a gap; `isUnlisted`
 *   leaves it out of the legend; `marks` are upright lines, `dots` single points; what `tell` answers null for is no row of the table.
 */
export function lineChart({ title, x, y, series, limits = [], marks = [], dots = [], height = 260, onPick }) {
  const xs = series.flatMap(({ points }) => points.map(([at]) => at));
  const ys = series.flatMap(({ points }) => points.map(([, value]) => value)).filter((value) => value !== null);
  const scaleX = scale(x.min ?? Math.min(...xs), x.max ?? Math.max(...xs), MARGIN.left, WIDTH - MARGIN.right);
  const all = [...ys, ...limits.map(({ value }) => value)];
  const scaleY = scale(y.min ?? Math.min(...all), y.max ?? Math.max(...all), height - MARGIN.bottom, MARGIN.top);
  const drawing = frame(title, height);
  drawing.append(axisX(scaleX, x, height), axisY(scaleY, y, height));
  for (const { value, label } of limits) {
    drawing.append(svg("line", { class: "limit", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: scaleY(value), y2: scaleY(value) }),
      svg("text", { class: "limit-label", x: WIDTH - MARGIN.right, y: scaleY(value) - 4 < MARGIN.top ? scaleY(value) + 14 : scaleY(value) - 4, "text-anchor": "end" }, label));
  }
  for (const one of series) {
    drawing.append(svg("path", { class: "series", d: path(one, scaleX, scaleY), stroke: one.colour, "stroke-dasharray": one.dash ?? null }));
    if (one.hasDots) {
      for (const [at, value] of one.points.filter((point) => point[1] !== null)) {
        drawing.append(svg("circle", { cx: scaleX(at), cy: scaleY(value), r: 3, fill: one.colour }));
      }
    }
  }
  for (const { value, label } of marks) {
    drawing.append(svg("line", { class: "mark", x1: scaleX(value), x2: scaleX(value), y1: MARGIN.top, y2: height - MARGIN.bottom }),
      svg("text", { x: scaleX(value) + 4, y: MARGIN.top + 10 }, label));
  }
  for (const [place, { at, value, label }] of dots.entries()) {
    const isRight = scaleX(at) > WIDTH / 2;
    drawing.append(svg("circle", { class: "dot", cx: scaleX(at), cy: scaleY(value), r: 5 }),
      svg("text", { x: scaleX(at) + (isRight ? -9 : 9), y: scaleY(value) + (place % 2 ? 18 : -8), "text-anchor": isRight ? "end" : "start" }, label));
  }
  if (onPick) {
    drawing.addEventListener("click", (event) => {
      const box = drawing.getBoundingClientRect();
      onPick(scaleX.back(((event.clientX - box.left) / box.width) * WIDTH));
    });
  }
  const rows = series.flatMap(({ label, points }) => points.filter(([at]) => x.tell?.(at) !== null)
    .map(([at, value]) => [label, x.tell?.(at) ?? number(at, x.digits ?? 2), number(value, y.digits ?? 4)]));
  return figure(title, drawing, legend(series.filter(({ isUnlisted }) => !isUnlisted)), table(["", x.label, y.label], rows));
}

/**
 * Bars, each with its name.
 * @param {{title: string, unit: string, bars: {label: string, value: number|null, colour?: string, told?: string}[],
 *   max?: number, limit?: {value: number, label: string}, onPick?: function(number): void}} plot
 */
export function barChart({ title, unit, bars, max, limit, onPick }) {
  const known = bars.map(({ value }) => value).filter((value) => value !== null);
  const most = max ?? Math.max(...known, limit?.value ?? 0, 1e-9);
  const list = h("ol", { class: "bars" }, bars.map(({ label, value, colour, told }, place) => {
    const track = h("span", { class: "track", "aria-hidden": "true" },
      h("span", { class: "bar", style: { width: `${Math.max(0, Math.min(1, (value ?? 0) / most)) * 100}%`, background: colour ?? "var(--accent)" } }),
      limit ? h("span", { class: "mark-limit", title: limit.label, style: { left: `${Math.min(1, limit.value / most) * 100}%` } }) : null);
    const name = onPick ? h("button", { type: "button", class: "plain", onclick: () => onPick(place) }, label) : h("span", null, label);
    return h("li", null, h("span", { class: "label" }, name), track, h("span", { class: "value" }, told ?? (value === null ? t("unknown") : `${number(value, 1)} ${unit}`)));
  }));
  return h("figure", { class: "chart" }, h("figcaption", null, title), list);
}

/**
 * A histogram: how many fall between neighbouring edges.
 * @param {{title: string, x: Axis, y: {label: string}, edges: number[], series: {label: string, colour: string, counts: number[]}[],
 *   limit?: {value: number, label: string}}} plot
 */
export function histogram({ title, x, y, edges, series, limit, height = 220 }) {
  const most = Math.max(1, ...series.flatMap(({ counts }) => counts));
  const scaleX = scale(edges[0], edges[edges.length - 1], MARGIN.left, WIDTH - MARGIN.right);
  const scaleY = scale(0, most, height - MARGIN.bottom, MARGIN.top);
  const drawing = frame(title, height);
  drawing.append(axisX(scaleX, x, height), axisY(scaleY, { ...y, digits: 0 }, height));
  series.forEach(({ counts, colour }, which) => counts.forEach((count, place) => {
    const [left, right] = [scaleX(edges[place]), scaleX(edges[place + 1])];
    const width = (right - left - 2) / series.length;
    drawing.append(svg("rect", { x: left + 1 + which * width, width: Math.max(1, width), y: scaleY(count), height: scaleY(0) - scaleY(count), fill: colour }));
  }));
  if (limit) drawing.append(svg("line", { class: "limit", x1: scaleX(limit.value), x2: scaleX(limit.value), y1: MARGIN.top, y2: height - MARGIN.bottom }),
    svg("text", { class: "limit-label", x: scaleX(limit.value) + 4, y: MARGIN.top + 10 }, limit.label));
  const rows = series.flatMap(({ label, counts }) => counts.map((count, place) => [label, `${number(edges[place], 2)} – ${number(edges[place + 1], 2)}`, number(count)]));
  return figure(title, drawing, legend(series), table(["", x.label, y.label], rows));
}

function figure(title, drawing, key, rows) {
  const body = h("div", null, drawing, key);
  let isTable = false;
  const button = h("button", { type: "button", class: "plain small", onclick: () => {
    isTable = !isTable;
    button.textContent = t(isTable ? "show_chart" : "show_table");
    replace(body, isTable ? [rows] : [drawing, key]);
  } }, t("show_table"));
  return h("figure", { class: "chart" }, h("figcaption", null, title, button), body);
}

function table(heads, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": heads.join(" ") },
    h("table", null, h("thead", null, h("tr", null, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", null, rows.map((row) => h("tr", null, row.map((cell) => h("td", null, cell)))))));
}

function legend(series) {
  return h("ul", { class: "key" }, series.filter(({ label }) => label).map(({ label, colour, dash }) =>
    h("li", null, svg("svg", { width: 22, height: 8, "aria-hidden": "true" }, svg("line", { x1: 0, x2: 22, y1: 4, y2: 4, stroke: colour, "stroke-width": 3, "stroke-dasharray": dash ?? null })), label)));
}

function frame(title, height) {
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, class: "plot", role: "img", "aria-label": title });
}

function axisX(scaleX, { label, digits = 1, tell }, height) {
  const y = height - MARGIN.bottom;
  return svg("g", { class: "axis" }, svg("line", { x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y, y2: y }),
    ticks(scaleX.from, scaleX.to, tell ? TOLD_TICKS : TICKS).map((value) => [svg("line", { x1: scaleX(value), x2: scaleX(value), y1: y, y2: y + 5 }),
      svg("text", { x: scaleX(value), y: y + 18, "text-anchor": "middle" }, tell ? tell(value) : number(value, digits))]),
    svg("text", { class: "axis-label", x: (MARGIN.left + WIDTH - MARGIN.right) / 2, y: height - 6, "text-anchor": "middle" }, label));
}

function axisY(scaleY, { label, digits = 2 }, height) {
  return svg("g", { class: "axis" },
    ticks(scaleY.from, scaleY.to, 5).map((value) => [
      svg("line", { class: "grid", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: scaleY(value), y2: scaleY(value) }),
      svg("text", { x: MARGIN.left - 6, y: scaleY(value) + 4, "text-anchor": "end" }, number(value, digits))]),
    svg("text", { class: "axis-label", transform: `translate(14 ${(MARGIN.top + height - MARGIN.bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, label));
}

function path({ points, isStep }, scaleX, scaleY) {
  let drawn = "";
  let last = null;
  for (const [at, value] of points) {
    if (value === null) {
      last = null;
      continue;
    }
    const [px, py] = [scaleX(at).toFixed(1), scaleY(value).toFixed(1)];
    if (last === null) drawn += `M${px} ${py}`;
    else drawn += isStep ? `H${px}V${py}` : `L${px} ${py}`;
    last = value;
  }
  return drawn;
}

function scale(from, to, start, end) {
  const [low, high] = from === to ? [from - 1, to + 1] : [from, to];
  const place = (value) => start + ((value - low) / (high - low)) * (end - start);
  return Object.assign(place, { from: low, to: high, back: (at) => low + ((at - start) / (end - start)) * (high - low) });
}

/** Return round numbers between two others, about `count` of them. */
export function ticks(from, to, count) {
  const raw = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
  const found = [];
  for (let value = Math.ceil(from / step - 1e-9) * step; value <= to + step * 1e-9; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}
