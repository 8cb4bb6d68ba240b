/** Is the service well: version, store, network, self-check; and what it counted of its requests. */

import { ApiError, get, getText } from "../base/api.js";
import { barChart, lineChart } from "../base/chart.js";
import { h } from "../base/dom.js";
import { number, t } from "../base/texts.js";

const ROUTES_SHOWN = 10;
const DIGEST_SHOWN = 12;
const STATUS_COLOURS = { 2: "#2c7fb8", 3: "#6a51a3", 4: "#b35806", 5: "#b2182b" };

/** Return the facts, the worst first. */
export async function health() {
  const [status, ready, check] = await Promise.all([get("/v1/status"), isReady(), get("/v1/self-check")]);
  const matters = check.findings.length + (ready ? 0 : 1) + (status.store === "ok" ? 0 : 1);
  return h("div", null,
    h("p", { class: `notice ${matters === 0 ? "good" : "bad"}` }, matters === 0 ? t("operator.health.good") : t("operator.health.bad", { count: number(matters) })),
    h("dl", { class: "facts" },
      fact("operator.ready", ready ? t("operator.ready.yes") : t("operator.ready.no")),
      fact("operator.store", status.store === "ok" ? t("operator.store.ok") : status.store),
      fact("operator.version", status.version),
      fact("operator.profile", status.profile),
      fact("operator.snapshot", status.snapshot_sha256 === null ? t("none") : h("code", null, status.snapshot_sha256.slice(0, DIGEST_SHOWN))),
      fact("operator.self_check", check.findings.length === 0 ? t("operator.self_check.none") : h("ul", null, check.findings.map((found) =>
        h("li", null, h("strong", null, found.check), ": ", found.problem, found.is_fatal ? [" ", h("span", { class: "badge bad" }, t("operator.fatal"))] : null))))));
}

async function isReady() {
  try {
    await get("/readyz");
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return false;
  }
}

/** Return plots of the requests by route, status and time. */
export async function metrics() {
  const samples = parseMetrics(await getText("/metrics"));
  const requests = samples.filter(({ name, labels }) => name === "http_requests_total" && isCall(labels.handler));
  if (requests.length === 0) return h("p", null, t("operator.metrics.none"));
  const byRoute = sum(requests, ({ labels }) => `${labels.method} ${labels.handler}`);
  const byStatus = sum(requests, ({ labels }) => labels.status);
  const spentIn = (part) => sum(samples.filter(({ name, labels }) => name === `http_request_duration_seconds_${part}` && isCall(labels.handler)), ({ labels }) => `${labels.method} ${labels.handler}`);
  const [seconds, counts] = [spentIn("sum"), spentIn("count")];
  const means = [...seconds].map(([route, spent]) => [route, (1000 * spent) / Math.max(1, counts.get(route) ?? 1)]);
  return h("div", null, h("p", { class: "quiet small" }, t("operator.metrics.lead")),
    h("div", { class: "columns" },
      barChart({ title: t("operator.metrics.by_status"), unit: t("operator.metrics.requests"), bars: [...byStatus].sort().map(([label, value]) => ({ label, value, colour: STATUS_COLOURS[label[0]], told: number(value) })) }),
      times(samples)),
    h("div", { class: "columns" },
      barChart({ title: t("operator.metrics.by_route", { count: ROUTES_SHOWN }), unit: t("operator.metrics.requests"), bars: largest([...byRoute]).map(([label, value]) => ({ label: plainRoute(label), value, told: number(value) })) }),
      barChart({ title: t("operator.metrics.slow", { count: ROUTES_SHOWN }), unit: "ms", bars: largest(means).map(([label, value]) => ({ label: plainRoute(label), value, told: `${number(value, value < 10 ? 1 : 0)} ms` })) })));
}

function times(samples) {
  const buckets = sum(samples.filter(({ name, labels }) => name === "http_request_duration_highr_seconds_bucket" && labels.le !== "+Inf"), ({ labels }) => labels.le);
  const all = samples.find(({ name }) => name === "http_request_duration_highr_seconds_count")?.value ?? 0;
  if (all === 0 || buckets.size === 0) return null;
  const points = [...buckets].map(([edge, count]) => [Math.log10(Number(edge)), count / all]).sort((one, other) => one[0] - other[0]);
  return lineChart({
    title: t("operator.metrics.quantiles"), height: 200,
    x: { label: t("operator.metrics.within"), tell: (power) => number(10 ** power, 3) }, y: { label: t("operator.metrics.share"), min: 0, max: 1, digits: 1 },
    series: [{ label: "", colour: "#2c7fb8", points, isStep: true }],
  });
}

/** Read Prometheus' text format: `name{label="value"} number`. */
export function parseMetrics(text) {
  const samples = [];
  for (const line of text.split("\n")) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (found === null) continue;
    const labels = Object.fromEntries([...(found[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]));
    samples.push({ name: found[1], labels, value: Number(found[3]) });
  }
  return samples;
}

/** Pages and their files are not what one looks for here. */
function isCall(handler) {
  return handler !== undefined && /^\/(v1\/|metrics|readyz|health)/.test(handler);
}

function sum(samples, keyOf) {
  const sums = new Map();
  for (const sample of samples) sums.set(keyOf(sample), (sums.get(keyOf(sample)) ?? 0) + sample.value);
  return sums;
}

function largest(pairs) {
  return pairs.sort((one, other) => other[1] - one[1]).slice(0, ROUTES_SHOWN);
}

function plainRoute(route) {
  return route.replaceAll(":id}", "}").replaceAll(":path}", "}");
}

function fact(name, value) {
  return h("div", null, h("dt", null, t(name)), h("dd", null, value));
}
