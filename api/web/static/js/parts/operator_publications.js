/** Publications: draft as a job, leak report, a look at the file, release by a second person, withdrawal. */

import { ApiError, get, getText, post } from "../base/api.js";
import { barChart } from "../base/chart.js";
import { h, replace } from "../base/dom.js";
import { errorBox, say } from "../base/page.js";
import { moment, number, t, told } from "../base/texts.js";
import { jobBox, startJob } from "./job_box.js";

const LOOKS = { draft: "", scanned: "warn", refused: "bad", released: "good", replaced: "", withdrawn: "" };
const OPEN = new Set(["draft", "scanned", "refused", "released"]);
const DIGEST_SHOWN = 12;
const SQUARES_SHOWN = 20;

/**
 * Return the publications, the newest first.
 * @param {{subject_id: string}} who Decides nothing: the service refuses whoever made the draft.
 */
export async function publications(who) {
  const list = h("div");
  const work = h("div");
  await show();
  return h("div", null, h("p", { class: "quiet" }, t("operator.publication.lead")),
    h("div", { class: "row actions" }, h("button", { type: "button", onclick: make }, t("operator.publication.make"))), work, list);

  async function make() {
    try {
      const { job_id: jobId } = await startJob("publication", {});
      replace(work, jobBox(jobId, { onEnd: show }));
    } catch (error) {
      replace(work, errorBox(error));
    }
  }

  async function show() {
    const { publications: found } = await get("/v1/publications");
    replace(list, found.length === 0 ? h("p", null, t("operator.publication.none")) : found.map((one) => card(one, who, show)));
  }
}

function card(made, who, again) {
  const told_ = h("div", { "aria-live": "polite" });
  const file = h("div");
  const act = (step, body, key) => async () => {
    try {
      await post(`/v1/publications/${made.publication_id}:${step}`, body);
      if (key) say(t(key));
      await again();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      replace(told_, error.code === "publication.second_person" ? h("p", { class: "notice bad", role: "alert" }, t("operator.publication.refused")) : errorBox(error));
    }
  };
  const isOwn = made.made_by === who.subject_id;
  const buttons = [
    made.state === "draft" ? h("button", { type: "button", onclick: act("scan", {}) }, t("operator.publication.scan")) : null,
    h("button", { type: "button", class: "second", onclick: () => look(made, file) }, t("operator.publication.look")),
    made.state === "scanned" ? h("button", { type: "button", onclick: act("release", { content_sha256: made.content_sha256 }, "operator.publication.done.release") }, t("operator.publication.release")) : null,
    OPEN.has(made.state) ? h("button", { type: "button", class: "second", onclick: () => replace(told_, withdrawal(act)) }, t("operator.publication.withdraw")) : null,
  ];
  return h("details", { class: "publication", open: OPEN.has(made.state) || null },
    h("summary", null, made.data_month, " ", h("span", { class: `badge ${LOOKS[made.state]}` }, told("operator.publication_state", made.state)), " ", h("span", { class: "quiet small" }, moment(made.made_at))),
    isOwn && made.state === "scanned" ? h("p", { class: "notice warn" }, t("operator.publication.second")) : null,
    facts(made), leaks(made.report), h("div", { class: "row actions" }, buttons), told_, file);
}

function facts(made) {
  const rows = [
    ["operator.publication.month", made.data_month],
    ["operator.publication.made", `${made.made_by} · ${moment(made.made_at)}`],
    ["operator.publication.released", made.released_by ? `${made.released_by} · ${moment(made.released_at)}` : null],
    ["operator.publication.audience", made.audience ? told("operator.audience", made.audience) : null],
    ["operator.publication.ended", made.ended_by ? `${made.ended_by} · ${moment(made.ended_at)} · ${made.ended_reason ?? ""}` : null],
    ["operator.publication.digest", h("code", null, made.content_sha256.slice(0, DIGEST_SHOWN))],
    ["operator.publication.basis", `${made.basis.snapshot_sha256.slice(0, DIGEST_SHOWN)} / ${made.basis.ledger_seq}`],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value !== null).map(([name, value]) => h("div", null, h("dt", null, t(name)), h("dd", null, value))));
}

function leaks(report) {
  if (report === null) return h("p", { class: "notice" }, t("operator.leak.not_yet"));
  const counts = h("dl", { class: "facts" },
    h("div", null, h("dt", null, t("operator.publication.squares")), h("dd", null, number(report.squares))),
    h("div", null, h("dt", null, t("operator.publication.known")), h("dd", null, number(report.texts_known + report.places_known))));
  if (report.is_clean) return h("div", null, h("p", { class: "notice good" }, t("operator.leak.clean")), counts);
  return h("div", null, h("p", { class: "notice bad" }, t("operator.leak.found", { count: number(report.findings_total) })), counts,
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("operator.publication.scan") }, h("table", null,
      h("thead", null, h("tr", null, ["operator.leak.kind", "operator.leak.place", "operator.leak.shown"].map((name) => h("th", { scope: "col" }, t(name))))),
      h("tbody", null, report.findings.map(({ kind, place, shown }) => h("tr", null, h("td", null, kind), h("td", null, h("code", null, place)), h("td", null, shown)))))));
}

function withdrawal(act) {
  const reason = h("input", { id: "withdraw-reason", required: true, maxlength: 200 });
  return h("form", { class: "withdraw", onsubmit: (event) => {
    event.preventDefault();
    act("withdraw", { reason: reason.value }, "operator.publication.done.withdraw")();
  } },
  h("div", { class: "field" }, h("label", { for: "withdraw-reason" }, t("operator.publication.reason")), reason, h("p", { class: "hint" }, t("operator.publication.reason.hint"))),
  h("button", { type: "submit", class: "danger" }, t("operator.publication.confirm")));
}

/** Show the very file: its digest worked out here, its squares by class, and the first of them as they stand. */
async function look(made, place) {
  try {
    const text = await getText(`/v1/publications/${made.publication_id}/file`);
    const isSame = await digestOf(text) === made.content_sha256;
    const content = JSON.parse(text);
    const classes = countClasses(content);
    replace(place, h("h3", null, t("operator.file")),
      h("p", { class: `notice ${isSame ? "good" : "bad"}` }, t(isSame ? "operator.file.same" : "operator.file.other")),
      barChart({ title: t("operator.file.squares"), unit: "", bars: classes.map(([label, value]) => ({ label, value, told: number(value) })) }),
      h("details", null, h("summary", null, t("operator.file.raw", { count: SQUARES_SHOWN })),
        h("pre", { class: "raw", tabindex: "0" }, JSON.stringify({ ...content, features: content.features.slice(0, SQUARES_SHOWN) }, null, 1))));
  } catch (error) {
    replace(place, errorBox(error));
    if (!(error instanceof ApiError)) throw error;
  }
}

/** Return how many squares are of each class of the file's own legend. */
function countClasses({ legend, features }) {
  return legend.map((one) => [one.label, features.filter(({ properties }) => properties.class === one.class).length]);
}

async function digestOf(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
