/** Long work as it goes on: progress by server-sent events, cancel, and what stopped it. */

import { ApiError, get, listen, post } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, progressBar } from "../base/page.js";
import { addTexts, getLanguage, t, told } from "../base/texts.js";
import texts from "../texts/jobs.js";

addTexts(texts);

const AGAIN_MS = 2_000;
const TRIES_MAX = 30;
const ENDED = new Set(["done", "failed", "cancelled"]);

/** Start a job and return it. */
export function startJob(kind, values) {
  return post("/v1/jobs", { kind, arguments: values });
}

/** Return whether a job has come to its end. */
export function hasEnded(job) {
  return ENDED.has(job.state);
}

/**
 * Follow a job to its end; the stream is opened again where the connection is lost.
 * @param {string} jobId
 * @param {function(Object): void} onJob Called with the job whenever it has moved.
 * @param {{onLost?: function(): void, signal?: AbortSignal}} [options]
 * @returns {Promise<Object>} The job at its end.
 */
export async function followJob(jobId, onJob, { onLost, signal } = {}) {
  let last = null;
  for (let tries = 0; ; tries += 1) {
    try {
      await listen(`/v1/jobs/${jobId}/events`, ({ data }) => {
        last = data;
        tries = 0;
        onJob(data);
      }, { signal });
      if (last !== null && hasEnded(last)) return last;
    } catch (error) {
      if (signal?.aborted || error instanceof ApiError || tries >= TRIES_MAX) throw error;
    }
    onLost?.();
    await new Promise((done) => { setTimeout(done, AGAIN_MS); });
  }
}

/**
 * Show a job until it ends.
 * @param {string} jobId
 * @param {{onMove?: function(Object): void, onDone?: function(Object): void, onEnd?: function(Object): void}} [options]
 *   `onDone` only where it was done; `onEnd` however it ended.
 * @returns {HTMLElement}
 */
export function jobBox(jobId, { onMove, onDone, onEnd } = {}) {
  const node = h("div", { class: "job-box" });
  const bar = progressBar(t("job.waiting"));
  const cancel = h("button", { type: "button", class: "second", onclick: stop }, t("job.cancel"));
  replace(node, bar.node, cancel);
  follow();
  return node;

  async function follow() {
    try {
      const job = await followJob(jobId, move, { onLost: () => bar.set(null, null, t("job.lost")) });
      replace(node, ending(job));
      if (job.state === "done") onDone?.(job);
      onEnd?.(job);
    } catch (error) {
      replace(node, errorBox(error));
      if (!(error instanceof ApiError)) throw error;
    }
  }

  function move(job) {
    if (!cancel.disabled) bar.set(job.progress?.done, job.progress?.total, progressText(job));
    onMove?.(job);
  }

  async function stop() {
    cancel.disabled = true;
    bar.set(null, null, t("job.cancelling"));
    try {
      await post(`/v1/jobs/${jobId}:cancel`);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "job.ended")) throw error;
    }
  }
}

/** Return in words how far a job is; the service tells its steps in Chinese. */
export function progressText({ progress, state }) {
  if (progress === null) return state === "queued" ? t("job.waiting") : told("job.state", state);
  const { done, total, text } = progress;
  const steps = total ? t("job.step", { done, total }) : "";
  return getLanguage() === "zh" ? [text, steps].filter(Boolean).join(" · ") : steps || told("job.state", state);
}

/** Return a badge that says in what state a job is. */
export function stateBadge(state) {
  const looks = { done: "good", failed: "bad", cancelled: "warn" }[state] ?? "";
  return h("span", { class: `badge ${looks}` }, told("job.state", state));
}

/** Return what stopped a job, as the service told it. */
export function jobError(error) {
  const facts = Object.entries(error.context).map(([name, value]) =>
    h("div", null, h("dt", null, told("job.fact", name)), h("dd", null, value)));
  return h("div", { class: "notice bad", role: "alert" }, h("strong", null, told("problem", error.code) === error.code ? error.title : told("problem", error.code)),
    facts.length > 0 ? h("dl", { class: "facts" }, facts) : null);
}

/** Return a job as it stands now. */
export function getJob(jobId) {
  return get(`/v1/jobs/${jobId}`);
}

function ending(job) {
  if (job.state === "failed") return jobError(job.error);
  if (job.state === "cancelled") return h("p", { class: "notice warn" }, told("job.state", "cancelled"));
  return null;
}
