/** Jobs of everybody: how far each is, what stopped it, cancel, and what an operator starts. */

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { moment, number, t, told } from "../base/texts.js";
import { hasEnded, jobBox, jobError, progressText, startJob, stateBadge } from "./job_box.js";

const ROWS = 25;

/** Return the list, kept up while something runs. */
export async function jobs() {
  const list = h("div");
  const failed = h("div");
  await show();
  return h("div", null,
    h("div", { class: "row actions" },
      h("button", { type: "button", class: "second", onclick: () => begin("capacity") }, t("operator.jobs.capacity")),
      h("button", { type: "button", class: "second", onclick: show }, t("operator.refresh"))),
    failed, list);

  async function begin(kind) {
    try {
      await startJob(kind, {});
      replace(failed);
      await show();
    } catch (error) {
      replace(failed, errorBox(error));
    }
  }

  async function show() {
    const page = await get(`/v1/jobs?limit=${ROWS}`);
    const open = page.jobs.filter((job) => !hasEnded(job));
    replace(list,
      open.map((job) => h("section", { class: "open-job" }, h("h3", null, told("job.kind", job.kind), " ", h("span", { class: "quiet small" }, job.owner_id)), jobBox(job.job_id, { onEnd: show }))),
      page.jobs.length === 0 ? h("p", null, t("operator.jobs.none")) : table(page.jobs));
  }
}

function table(found) {
  const heads = ["operator.jobs.kind", "operator.jobs.state", "operator.jobs.progress", "operator.jobs.owner", "operator.jobs.when", "operator.jobs.moved"];
  return h("div", { class: "scroll short", tabindex: "0", role: "region", "aria-label": t("operator.jobs") },
    h("table", null,
      h("thead", null, h("tr", null, heads.map((name) => h("th", { scope: "col" }, t(name))))),
      h("tbody", null, found.map((job) => h("tr", null,
        h("th", { scope: "row", title: job.job_id }, told("job.kind", job.kind)),
        h("td", null, stateBadge(job.state)),
        h("td", null, job.error === null ? progressText(job) : jobError(job.error)),
        h("td", null, job.owner_id), h("td", null, moment(job.created_at)), h("td", null, moment(job.updated_at)))))));
}

/** Return the ledger's last audit, a button for a new one, and what waits for a person. */
export async function ledger() {
  const result = h("div");
  const run = h("div");
  const waiting = await matters();
  const { jobs: found } = await get("/v1/jobs?limit=200");
  const last = found.find(({ kind, state }) => kind === "ledger_audit" && state === "done");
  replace(result, last === undefined ? h("p", { class: "quiet" }, t("operator.ledger.never")) : report(await get(`/v1/jobs/${last.job_id}`)));
  return h("div", null,
    h("div", { class: "row actions" }, h("button", { type: "button", onclick: audit }, t("operator.ledger.audit"))), run, result, waiting);

  async function audit() {
    try {
      const { job_id: jobId } = await startJob("ledger_audit", {});
      replace(run, jobBox(jobId, { onDone: (job) => replace(result, report(job)) }));
    } catch (error) {
      replace(run, errorBox(error));
    }
  }
}

function report({ result, updated_at: at }) {
  const broken = result.findings.filter(({ verdict }) => verdict === "broken").length;
  const looks = { kept: "good", broken: "bad", not_here: "" };
  return h("div", null,
    h("p", { class: `notice ${result.is_clean ? "good" : "bad"}` }, result.is_clean
      ? t("operator.ledger.clean", { seq: number(result.seq), digest: result.sha256.slice(0, 12) }) : t("operator.ledger.broken", { count: number(broken) }),
    " ", h("span", { class: "quiet" }, t("operator.ledger.as_of", { when: moment(at) }))),
    h("details", { open: !result.is_clean || null }, h("summary", null, t("operator.ledger.invariant")),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("operator.ledger") }, h("table", null,
        h("thead", null, h("tr", null, h("th", { scope: "col" }, t("operator.ledger.invariant")), h("th", { scope: "col" }, t("operator.ledger.verdict")), h("th", { scope: "col", class: "number" }, t("operator.ledger.checked")), h("th", { scope: "col" }, t("operator.ledger.details")))),
        h("tbody", null, result.findings.map((one) => h("tr", null,
          h("th", { scope: "row" }, `${one.invariant} ${one.title}`),
          h("td", null, h("span", { class: `badge ${looks[one.verdict]}` }, told("operator.verdict", one.verdict))),
          h("td", { class: "number" }, one.verdict === "not_here" ? "" : number(one.checked)),
          h("td", null, one.details.map((detail) => h("div", null, detail))))))))));
}

async function matters() {
  const found = await get("/v1/ledger/matters");
  const count = found.alarm_count + found.orphan_count;
  return h("div", null, h("h3", null, t("operator.alarms")),
    count === 0 ? h("p", { class: "notice good" }, t("operator.alarms.none")) : null,
    found.alarms.length === 0 ? null : h("ul", null, found.alarms.map((alarm) => h("li", null,
      h("strong", null, told("operator.alarm", alarm.kind)), ` · ${moment(alarm.at)} · `, Object.entries(alarm.content).map(([name, value]) => `${name} ${value ?? t("unknown")}`).join(" · ")))),
    found.orphans.length === 0 ? null : [
      h("h4", null, t("operator.orphans")), h("p", { class: "small" }, t("operator.orphans.how")),
      h("ul", null, found.orphans.map((one) => h("li", null, h("code", null, one.hold_id), ` · ${t("operator.orphans.node")} ${one.node_element_id} · ${number(one.share_kva, 1)} kVA`)))]);
}
