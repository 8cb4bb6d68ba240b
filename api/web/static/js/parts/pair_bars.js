/** Two bars for each thing: before and after, with the limit both are held to. */

import { h } from "../base/dom.js";
import { percent, t } from "../base/texts.js";

const ROOM = 1.05;

/**
 * Return the bars; ratios are told in percent, `null` is unknown.
 * @param {{title: string, before: string, after: string, bars: {label: string, before: number|null, after: number|null, limit: number}[]}} plot
 */
export function pairBars({ title, before, after, bars }) {
  const most = ROOM * Math.max(...bars.map((bar) => Math.max(bar.before ?? 0, bar.after ?? 0, bar.limit)), 0);
  const width = (ratio) => `${most > 0 ? (100 * (ratio ?? 0)) / most : 0}%`;
  return h("figure", { class: "chart" }, h("figcaption", null, title),
    h("ul", { class: "key" }, h("li", null, h("span", { class: "swatch pair-before" }), before), h("li", null, h("span", { class: "swatch pair-after" }), after)),
    h("ol", { class: "bars pairs" }, bars.map((bar) => h("li", null,
      h("span", { class: "label" }, bar.label),
      h("span", { class: "track", "aria-hidden": "true" },
        h("span", { class: "bar pair-before", style: { width: width(bar.before) } }),
        h("span", { class: `bar pair-after${bar.after > bar.limit ? " over" : ""}`, style: { width: width(bar.after) } }),
        h("span", { class: "mark-limit", style: { left: width(bar.limit) } })),
      h("span", { class: "value" }, told(bar))))));
}

function told(bar) {
  if (bar.before === null) return t("pair.new", { after: percent(bar.after), limit: percent(bar.limit, 0) });
  return t("pair.change", { before: percent(bar.before), after: percent(bar.after), limit: percent(bar.limit, 0) });
}
