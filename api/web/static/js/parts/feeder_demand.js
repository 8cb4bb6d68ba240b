/** What a batch takes of each feeder against what is open there: one feeder's promises cannot be given twice. */

import { get } from "../base/api.js";
import { barChart } from "../base/chart.js";
import { h } from "../base/dom.js";
import { kva, number, percent, t } from "../base/texts.js";

const OVER = "#b2182b";
const WITHIN = "#2c7fb8";

/** Return the table and the plot of a batch's feeders. */
export async function feederDemand(jobId) {
  const { items, elsewhere_count: elsewhere } = await get(`/v1/jobs/${jobId}/feeders`);
  const rest = elsewhere === 0 ? null : h("p", { class: "quiet" }, t("projects.feeders.elsewhere", { count: number(elsewhere) }));
  if (items.length === 0) return h("div", null, h("p", null, t("projects.feeders.none")), rest);
  return h("div", null, h("p", { class: "quiet small" }, t("projects.feeders.lead")), plot(items), table(items), rest);
}

function plot(items) {
  const known = items.filter(({ open_kva: open }) => open !== null && open > 0);
  if (known.length === 0) return null;
  return barChart({
    title: t("projects.feeders.chart"),
    unit: "",
    limit: { value: 1, label: t("projects.feeders.limit") },
    bars: known.map((one) => ({
      label: one.name ?? one.feeder_id,
      value: one.asked_kva / one.open_kva,
      told: percent(one.asked_kva / one.open_kva, 0),
      colour: one.is_over ? OVER : WITHIN,
    })),
  });
}

function table(items) {
  const heads = [["projects.col.feeder"], ["projects.feeders.count", true], ["projects.feeders.asked", true], ["projects.feeders.open", true], ["projects.feeders.state"]];
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("projects.feeders") },
    h("table", null,
      h("thead", null, h("tr", null, heads.map(([name, isNumber]) => h("th", { scope: "col", class: isNumber ? "number" : null }, t(name))))),
      h("tbody", null, items.map((one) => h("tr", null,
        h("th", { scope: "row" }, one.name ?? one.feeder_id),
        h("td", { class: "number" }, number(one.request_count)),
        h("td", { class: "number" }, number(one.asked_kva, 1)),
        h("td", { class: "number" }, number(one.open_kva, 1)),
        h("td", null, comparison(one)))))));
}

function comparison({ is_over: isOver, asked_kva: asked, open_kva: open }) {
  if (isOver === null) return h("span", { class: "badge" }, t("unknown"));
  return isOver ? h("span", { class: "badge bad" }, t("projects.feeders.over", { kva: kva(asked - Math.max(0, open)) })) : h("span", { class: "badge good" }, t("projects.feeders.within"));
}
