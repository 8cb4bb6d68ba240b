/** Voltage along a feeder, branch by branch, and how full its lines and transformers are. */

import { barChart, histogram, lineChart } from "../base/chart.js";
import { h } from "../base/dom.js";
import { number, percent, t } from "../base/texts.js";

const TRUNK = "#0b3d5c";
const BRANCH = "#6d9fc4";
const BARS_MAX = 12;
/** So that the mark of the limit does not fall on the end of the bars. */
const BAR_SPACE = 1.05;
const OVER = "#8f1414";
const WITHIN = "#3f7cac";

/**
 * Draw the voltage along a feeder.
 * @param {Object} profile answer of `/v1/feeders/{id}/profile`
 * @param {string|null} nodeId the node chosen on the map, marked if it is one of the feeder's
 */
export function voltagePlot(profile, nodeId) {
  const chosen = profile.nodes.find(({ node_id: id, u_pu: u }) => id === nodeId && typeof u === "number");
  const lowest = profile.nodes.filter(({ u_pu: u }) => typeof u === "number").reduce((low, one) => (low === null || one.u_pu < low.u_pu ? one : low), null);
  const { band } = profile;
  const series = branches(profile.nodes).map((nodes, place) => ({
    label: place === 0 ? t("console.trunk") : place === 1 ? t("console.branches") : t("console.branch_from", { name: nodes[0].name ?? nodes[0].node_id }),
    colour: place === 0 ? TRUNK : BRANCH,
    isUnlisted: place > 1,
    points: nodes.map(({ distance_km: km, u_pu: u }) => [km, u ?? null]),
  }));
  const dots = [lowest === null ? null : { node: lowest, text: "console.lowest" }, chosen ? { node: chosen, text: "console.chosen" } : null].filter(Boolean);
  return lineChart({
    title: t("console.voltage_along", { name: profile.name ?? profile.feeder_id }),
    x: { label: t("console.distance"), min: 0 },
    y: { label: t("console.voltage_axis"), digits: 3 },
    series,
    limits: band ? [band.u_pu_min, band.u_pu_max].map((value) => ({ value, label: t("console.band_end", { value: number(value, 3) }) })) : [],
    dots: dots.map(({ node, text }) => ({ at: node.distance_km, value: node.u_pu, label: `${t(text)}: ${node.name ?? node.node_id} ${number(node.u_pu, 4)}` })),
    height: 250,
  });
}

/** Draw the fullest lines and transformers of a feeder. */
export function loadingBars(profile, limits) {
  const bars = (rows, limit) => [...rows].filter(({ loading_ratio: ratio }) => typeof ratio === "number").sort((one, other) => other.loading_ratio - one.loading_ratio).slice(0, BARS_MAX)
    .map((one) => ({ label: one.name ?? String(one.line ?? one.element_id), value: one.loading_ratio, told: percent(one.loading_ratio), colour: one.loading_ratio > limit ? OVER : WITHIN }));
  const draw = (kind, rows, limit) => barChart({ title: t(`console.fullest_${kind}`, { count: Math.min(BARS_MAX, rows.length) }), unit: "", bars: bars(rows, limit), max: fullest(rows, limit) * BAR_SPACE, limit: { value: limit, label: percent(limit, 0) } });
  return h("div", { class: "columns" }, draw("lines", profile.lines, limits.line), draw("transformers", profile.transformers, limits.transformer));
}

function fullest(rows, limit) {
  return Math.max(limit, ...rows.map(({ loading_ratio: ratio }) => ratio ?? 0));
}

/** Draw how many lines and transformers are how full. */
export function loadingHistograms(loading, limits) {
  const draw = (kind, colour, limit) => h("div", null, histogram({
    title: t(`console.histogram_${kind}`, { limit: percent(limit, 0) }),
    x: { label: t("console.loading_axis"), digits: 2, tell: (value) => percent(value, 0) },
    y: { label: t("console.count_axis") },
    edges: loading[kind].edges,
    series: [{ label: t(`console.${kind}`), colour, counts: loading[kind].counts }],
    limit: { value: limit, label: percent(limit, 0) },
  }), loading[kind].unknown_count > 0 ? h("p", { class: "quiet small" }, t("console.loading_unknown", { count: number(loading[kind].unknown_count) })) : null);
  return h("div", { class: "columns" }, draw("lines", "#3f7cac", limits.line), draw("transformers", "#8a6d3b", limits.transformer));
}

/**
 * Cut the tree into ways without forks: the one to the farthest node first, the others from where they leave.
 * @param {{bus: number, parent_bus: number|null, distance_km: number}[]} nodes from the source down
 * @returns {Object[][]}
 */
export function branches(nodes) {
  const byBus = new Map(nodes.map((node) => [node.bus, node]));
  const isTaken = new Set();
  const found = [];
  for (const end of [...nodes].sort((one, other) => other.distance_km - one.distance_km || one.bus - other.bus)) {
    if (isTaken.has(end.bus)) continue;
    const way = [];
    for (let at = end; at !== undefined; at = byBus.get(at.parent_bus)) {
      way.unshift(at);
      if (isTaken.has(at.bus)) break;
      isTaken.add(at.bus);
    }
    found.push(way);
  }
  return found;
}
