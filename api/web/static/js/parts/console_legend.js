/** The legend in numbers: each class with how much of it is on the screen now. */

import { UNKNOWN, ZERO } from "../base/classes.js";
import { h, replace, svg } from "../base/dom.js";
import { number, t } from "../base/texts.js";
import { colouring } from "./grid_colours.js";

/**
 * Make a legend.
 * @returns {{node: HTMLElement, draw: function(Object, Object, Object|null): void}} `draw(grid, wanted, visible)`.
 */
export function legend() {
  const node = h("section", { class: "legend", "aria-labelledby": "legend-title" });
  return { node, draw: (grid, wanted, visible) => replace(node, content(grid, wanted, visible)) };
}

function content(grid, wanted, visible) {
  const levels = [...new Set((visible?.nodes ?? []).map(({ u_kv: level }) => level))].sort((one, other) => other - one);
  const scheme = colouring(grid, wanted, levels);
  const isSquares = visible !== null && scheme.of === "nodes" && visible.nodes.length === 0 && visible.cells.length > 0;
  const counts = visible === null ? null : count(scheme, visible, wanted, isSquares);
  const rows = [...scheme.classes].reverse().map((one) => h("tr", { "data-class": one.key },
    h("td", null, mark(scheme.of, one)),
    h("td", { class: "lines" }, one.label, one.isEdge ? h("span", { class: "badge bad" }, t("console.outside_band")) : null),
    h("td", { class: "number" }, counts === null ? "…" : number(counts.get(one.key) ?? 0))));
  return [
    h("h2", { id: "legend-title" }, t(`console.legend_${wanted.by}`)),
    h("table", { class: "compact" },
      h("thead", { class: "quiet" }, h("tr", null, h("th", { scope: "col" }, t("console.legend_mark")), h("th", { scope: "col" }, t(`console.legend_value_${wanted.by}`)),
        h("th", { scope: "col", class: "number" }, t(isSquares ? "console.visible_cells" : scheme.of === "nodes" ? "console.visible_nodes" : "console.visible_lines")))),
      h("tbody", null, rows)),
    isSquares && wanted.by === "open" ? h("p", { class: "quiet small" }, t("console.squares")) : null,
    isSquares && wanted.hour !== null ? h("p", { class: "quiet small" }, t("console.squares_hour")) : null,
    visible?.isThinned ? h("p", { class: "quiet small" }, t("console.thinned")) : null,
    wanted.by === "open" ? h("p", { class: "quiet small" }, t("not_additive"), " ", t("unknown_not_zero")) : null,
  ];
}

function count(scheme, { nodes, lines, cells }, { hour }, isSquares) {
  const counts = new Map();
  const objects = isSquares ? cells.map(({ open_kva_max: most }) => ({ open_kva: most }))
    : scheme.of === "lines" ? lines : hour === null ? nodes : nodes.map((one) => ({ ...one, open_kva: one.open_kva_hour }));
  for (const one of objects) {
    const key = scheme.classOf(one);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function mark(of, { colour, mark: sign, widthPx, isEdge }) {
  const box = (...shapes) => svg("svg", { width: 26, height: 18, "aria-hidden": "true" }, ...shapes);
  if (of === "lines") return box(svg("line", { x1: 1, x2: 25, y1: 9, y2: 9, stroke: colour, "stroke-width": widthPx ?? 2 }));
  const disc = svg("circle", { cx: 13, cy: 9, r: 7, fill: colour, stroke: "#33424f", "stroke-width": isEdge ? 3 : 1 });
  if (sign === "zero") return box(disc, svg("rect", { x: 9, y: 7.6, width: 8, height: 2.8, fill: "#fff", "data-colour": ZERO }));
  if (sign === "unknown") return box(disc, svg("path", { d: "M8 12L14 3M11 15L18 5", stroke: "#33424f", "stroke-width": 1.5, "data-colour": UNKNOWN }));
  return box(disc);
}
