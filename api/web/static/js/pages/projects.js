/** The reserve library: a list of projects in, each answered alone, results as table, map, feeders and files. */

import { ApiError, download, get, postFile } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, openPage, progressBar } from "../base/page.js";
import { moment, number, t } from "../base/texts.js";
import { batchMap } from "../parts/batch_map.js";
import { resultTable, rowReader } from "../parts/batch_results.js";
import { feederDemand } from "../parts/feeder_demand.js";
import { fileBox } from "../parts/file_box.js";
import { hasEnded, getJob, jobBox, startJob, stateBadge } from "../parts/job_box.js";
import { requestPreview } from "../parts/request_preview.js";
import texts from "../texts/projects.js";

const MEDIA_TYPES = { ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".csv": "text/csv" };
const LIMIT_MIB = 8;
const KIND = "schemes";

openPage({ title: "projects.title", texts, roles: ["planner", "engineer"], draw });

async function draw(main) {
  const work = h("div");
  const earlier = h("div");
  replace(main, h("h1", null, t("projects.title")), h("p", { class: "quiet" }, t("projects.lead")),
    h("p", { class: "notice" }, t("projects.alone")), work, earlier);
  const jobId = new URLSearchParams(location.search).get("job");
  if (jobId) await showBatch(work, jobId, begin);
  else begin();
  await showEarlier(earlier);

  function begin() {
    remember(null);
    const told = h("div", { "aria-live": "polite" });
    const box = fileBox({ label: t("projects.upload"), hint: t("projects.upload.hint"), mediaTypes: MEDIA_TYPES, limitMib: LIMIT_MIB, onFile: read });
    replace(work, h("section", { class: "card" }, box,
      h("p", { class: "row templates" }, t("projects.template"), ["xlsx", "csv"].map((form) =>
        h("button", { type: "button", class: "second", onclick: () => download(`/v1/request-tables/template/${form}`, `requests.${form}`) }, t(`projects.template.${form}`)))),
      told));

    async function read(file, mediaType) {
      replace(told, progressBar(t("file.sending", { name: file.name })).node);
      try {
        preview(await postFile("/v1/request-tables:read", file, mediaType));
      } catch (error) {
        replace(told, errorBox(error));
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }

  function preview(table) {
    const { node, requests } = requestPreview(table);
    const failed = h("div");
    const start = h("button", { type: "button", disabled: requests.length === 0, onclick: run }, t("projects.start", { count: number(requests.length) }));
    replace(work, h("section", { class: "card" }, h("h2", { tabindex: "-1" }, t("projects.preview")), node,
      h("div", { class: "row actions" }, start, h("button", { type: "button", class: "second", onclick: begin }, t("projects.other_file"))), failed));
    work.querySelector("h2").focus();

    async function run() {
      start.disabled = true;
      try {
        const { job_id: started } = await startJob(KIND, { requests });
        await showBatch(work, started, begin);
      } catch (error) {
        replace(failed, errorBox(error));
        start.disabled = false;
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }
}

/** Show a batch: progress while it runs, rows as they come, then feeders and files. */
async function showBatch(work, jobId, begin) {
  remember(jobId);
  const results = resultTable();
  const map = batchMap();
  const feeders = h("div", null, h("p", { class: "quiet" }, t("projects.feeders.later")));
  const reader = rowReader(jobId, results.add);
  const progress = h("section", { class: "card" }, h("h2", null, t("projects.running")));
  const files = h("div", { class: "row actions" }, t("projects.download"), ["xlsx", "csv", "geojson"].map((form) =>
    h("button", { type: "button", class: "second", onclick: () => download(`/v1/jobs/${jobId}/rows/${form}`, `${jobId}.${form}`) }, t(`projects.download.${form}`))),
  h("button", { type: "button", class: "second", onclick: begin }, t("projects.other_file")));
  replace(work, progress,
    h("section", { class: "card" }, h("h2", null, t("projects.results")), results.node, files),
    h("section", { class: "card" }, h("h2", null, t("projects.map")), map.node),
    h("section", { class: "card" }, h("h2", null, t("projects.feeders")), feeders));
  const job = await getJob(jobId);
  if (hasEnded(job)) {
    replace(progress, h("p", null, stateBadge(job.state), " ", moment(job.created_at)));
    if (job.state === "failed") progress.append(errorBox(new ApiError(422, job.error)));
    await finish();
  } else {
    progress.append(jobBox(jobId, { onMove: come, onEnd: finish }));
  }

  async function come() {
    await reader.more();
    await map.show(results.rows);
  }

  async function finish() {
    try {
      await come();
      replace(feeders, await feederDemand(jobId));
    } catch (error) {
      replace(feeders, errorBox(error));
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

async function showEarlier(place) {
  const { jobs } = await get("/v1/jobs?limit=50");
  const own = jobs.filter(({ kind }) => kind === KIND);
  replace(place, h("section", { class: "card" }, h("h2", null, t("projects.earlier")), own.length === 0 ? h("p", null, t("projects.earlier.none"))
    : h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("projects.earlier") }, h("table", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("projects.earlier.when")), h("th", { scope: "col" }, t("projects.col.state")), h("th", { scope: "col", class: "number" }, t("projects.feeders.count")), h("th", { scope: "col" }, ""))),
      h("tbody", null, own.map((job) => h("tr", null,
        h("td", null, moment(job.created_at)), h("td", null, stateBadge(job.state)),
        h("td", { class: "number" }, job.progress?.total ? number(job.progress.total) : ""),
        h("td", null, h("a", { href: `?job=${job.job_id}` }, t("projects.earlier.show"))))))))));
}

function remember(jobId) {
  history.replaceState(null, "", jobId === null ? location.pathname : `${location.pathname}?job=${jobId}`);
}
