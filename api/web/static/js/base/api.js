/** The HTTP interface: problems become errors a person can read, long answers tell how far they are. */

import { authorization } from "./session.js";

const WAIT_S_MAX = 15;

/** What the service refused, as RFC 9457 tells it. */
export class ApiError extends Error {
  /** @param {number} status @param {Object} problem */
  constructor(status, problem) {
    super(problem.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? null;
    this.problem = problem;
  }
}

/** Ask for JSON. */
export async function get(path, { signal } = {}) {
  return (await send("GET", path, { signal })).json();
}

/** Send JSON; a call that creates gets a key of its own, so that sending twice makes one thing. */
export async function post(path, body, { key = newKey(), signal } = {}) {
  const response = await send("POST", path, { body, key, signal });
  return response.status === 204 ? null : response.json();
}

/** Send a file as it is, declared as `mediaType`. */
export async function postFile(path, file, mediaType, { key = newKey(), signal } = {}) {
  return (await send("POST", path, { body: file, mediaType, key, signal })).json();
}

export async function getText(path, { signal } = {}) {
  return (await send("GET", path, { signal, accept: "*/*" })).text();
}

export async function getBlob(path, { signal } = {}) {
  return (await send("GET", path, { signal, accept: "*/*" })).blob();
}

/**
 * Ask for JSON until it is ready: 503 with a hint is waited for.
 * @param {string} path
 * @param {{signal?: AbortSignal, onWait?: function(ApiError): void}} [options]
 */
export async function getWhenReady(path, { signal, onWait } = {}) {
  for (;;) {
    try {
      return await get(path, { signal });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 503) throw error;
      onWait?.(error);
      await pause(Math.min(error.retryAfterS ?? 2, WAIT_S_MAX) * 1000, signal);
    }
  }
}

/** Save what an address answers as a file. */
export async function download(path, name) {
  const blob = await getBlob(path);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Read server-sent events until the stream ends; a credential goes with it, which `EventSource` cannot send.
 * @param {string} path
 * @param {function({event: string, data: any}): void} onEvent
 * @param {{method?: string, body?: any, key?: string, signal?: AbortSignal}} [options]
 */
export async function listen(path, onEvent, { method = "GET", body, key, signal } = {}) {
  const response = await send(method, path, { body, key, signal, accept: "text/event-stream" });
  if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    onEvent({ event: "answer", data: await response.json() });
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) deliver(block, onEvent);
  }
}

export function newKey() {
  return crypto.randomUUID();
}

function deliver(block, onEvent) {
  let event = "message";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  if (data.length > 0) onEvent({ event, data: JSON.parse(data.join("\n")) });
}

async function send(method, path, { body, mediaType = "application/json", key, signal, accept = "application/json" }) {
  const headers = { ...authorization(), Accept: `${accept}, application/problem+json` };
  if (accept === "application/json") headers.Accept = "application/json, application/geo+json, application/problem+json";
  if (body !== undefined) headers["Content-Type"] = mediaType;
  if (key !== undefined) headers["Idempotency-Key"] = key;
  const content = body === undefined || body instanceof Blob ? body : JSON.stringify(body);
  const response = await fetch(path, { method, headers, signal, body: content, credentials: "omit" });
  if (response.ok) return response;
  const error = new ApiError(response.status, await problemOf(response));
  error.retryAfterS = Number(response.headers.get("retry-after")) || null;
  throw error;
}

async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

function pause(ms, signal) {
  return new Promise((done, fail) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      fail(signal.reason);
    });
  });
}
