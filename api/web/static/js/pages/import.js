/** Importing a network: upload, look at what was found and what would change, then make it the current one. */

import { ApiError, download, get, post, postFile } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, openPage, progressBar, say } from "../base/page.js";
import { number, t, told } from "../base/texts.js";
import { findingsCard, changesCard, holdsCard } from "../parts/check_tables.js";
import { fileBox, plainName } from "../parts/file_box.js";
import { jobBox, startJob } from "../parts/job_box.js";
import texts from "../texts/import.js";

const MEDIA_TYPES = {
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ".zip": "application/zip",
  ".json": "application/json",
};
const LIMIT_MIB = 64;
const DIGEST_SHOWN = 12;

openPage({ title: "import.title", texts, roles: ["engineer", "planner", "operator"], draw });

async function draw(main, who) {
  const current = h("div");
  const work = h("div");
  replace(main, h("h1", null, t("import.title")), h("p", { class: "quiet" }, t("import.lead")), work, current);
  const mayImport = who.roles.some((role) => role === "engineer" || role === "operator");
  if (mayImport) resume(work, () => showCurrent(current));
  else replace(work, h("p", { class: "notice" }, t("import.may_not")));
  await showCurrent(current);
}

/** Go on where the address says: a check under way, a checked upload, an import under way, or the beginning. */
function resume(work, afterImport) {
  const { upload, check, job } = Object.fromEntries(new URLSearchParams(location.search));
  if (job) importing(job);
  else if (check) checking(upload, check);
  else if (upload) checked(upload);
  else begin();

  function begin(note = null) {
    remember({});
    const told = h("div", { "aria-live": "polite" }, note);
    const box = fileBox({ label: t("import.upload"), hint: t("import.upload.hint"), mediaTypes: MEDIA_TYPES, limitMib: LIMIT_MIB, onFile: send });
    replace(work, h("section", { class: "card" }, box, told));

    async function send(file, mediaType) {
      replace(told, progressBar(t("file.sending", { name: file.name })).node);
      try {
        const { upload_id } = await postFile(`/v1/uploads?name=${plainName(file, "upload")}`, file, mediaType);
        await startCheck(upload_id);
      } catch (error) {
        replace(told, errorBox(error));
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }

  async function startCheck(uploadId) {
    const { job_id } = await startJob("check", { upload_id: uploadId });
    checking(uploadId, job_id);
  }

  function checking(uploadId, jobId) {
    remember({ upload: uploadId, check: jobId });
    const back = h("div");
    replace(work, h("section", { class: "card" }, h("h2", null, t("import.check")), jobBox(jobId, {
      onDone: () => checked(uploadId),
      onEnd: ({ state }) => { if (state !== "done") replace(back, nextButton()); },
    }), back));
  }

  async function checked(uploadId) {
    remember({ upload: uploadId });
    try {
      showCheck(await get(`/v1/uploads/${uploadId}/check`));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) begin(h("p", { class: "notice warn" }, t("import.gone")));
      else replace(work, errorBox(error), nextButton());
    }
  }

  function showCheck(check) {
    replace(work, conclusion(check, () => startCheck(check.upload_id)), findingsCard(check), changesCard(check), holdsCard(check), decision(check));
    work.querySelector("h2").focus();
  }

  function decision({ upload_id: uploadId }) {
    const go = h("button", { type: "submit", disabled: true }, t("import.activate"));
    const sure = h("input", { type: "checkbox", onchange: () => { go.disabled = !sure.checked; } });
    const failed = h("div");
    return h("form", { class: "card", onsubmit: activate },
      h("h2", null, t("import.activate")),
      h("p", null, t("import.activate.explain")),
      h("p", null, h("label", null, sure, t("import.activate.sure"))),
      h("div", { class: "row" }, go, h("button", { type: "button", class: "second", onclick: discard }, t("import.discard"))),
      failed);

    async function activate(event) {
      event.preventDefault();
      go.disabled = true;
      try {
        importing((await startJob("import", { upload_id: uploadId })).job_id);
      } catch (error) {
        replace(failed, errorBox(error));
        go.disabled = false;
      }
    }

    async function discard() {
      try {
        await post(`/v1/uploads/${uploadId}:discard`);
        say(t("import.discarded"));
        begin();
      } catch (error) {
        replace(failed, errorBox(error));
      }
    }
  }

  function importing(jobId) {
    remember({ job: jobId });
    const outcome = h("div");
    replace(work, h("section", { class: "card" }, h("h2", null, t("import.running")), jobBox(jobId, {
      onDone: ({ result }) => {
        replace(outcome, importOutcome(result));
        afterImport();
      },
      onEnd: () => outcome.append(h("div", { class: "row" }, h("a", { class: "button", href: "/console" }, t("import.to_console")), nextButton())),
    }), outcome));
  }

  function nextButton() {
    return h("button", { type: "button", class: "second", onclick: () => begin() }, t("import.next"));
  }
}

function remember(state) {
  const query = new URLSearchParams(state).toString();
  history.replaceState(null, "", query ? `${location.pathname}?${query}` : location.pathname);
}

function conclusion(check, again) {
  const count = (severity) => check.finding_kinds.filter((kind) => kind.severity === severity).reduce((sum, kind) => sum + kind.count, 0);
  const [errors, warnings] = [count("error"), count("warning")];
  const verdict = errors > 0 ? ["bad", "error", errors] : warnings > 0 ? ["warn", "warning", warnings] : ["good", "clean", 0];
  return h("section", { class: "card" },
    h("h2", { tabindex: "-1" }, t("import.result")),
    h("p", { class: `notice ${verdict[0]}` }, t(`import.verdict.${verdict[1]}`, { count: number(verdict[2]) })),
    check.is_stale ? h("div", { class: "notice warn" }, h("p", null, t("import.stale")), h("button", { type: "button", class: "second", onclick: again }, t("import.again"))) : null,
    h("div", { class: "columns" },
      h("dl", { class: "facts" },
        fact("import.file", check.file),
        fact("import.format", told("import.format", check.source_format)),
        fact("import.nodes", nodesText(check)),
        fact("import.compared", check.compared_with_sha256 === null ? t("import.none") : h("code", null, check.compared_with_sha256.slice(0, DIGEST_SHOWN)))),
      h("div", { class: "row" }, reportButton(check, "xlsx"), reportButton(check, "csv"))),
    h("details", { open: check.counts.some(({ quarantined }) => quarantined > 0) || null }, h("summary", null, t("import.rows")), countsTable(check.counts)));
}

function reportButton({ upload_id: uploadId, source_name: name }, form) {
  return h("button", { type: "button", class: "second", onclick: () =>
    download(`/v1/uploads/${uploadId}/report/${form}`, `${name.replace(/\.\w+$/, "")}.${form}`) }, t(`import.download.${form}`));
}

function countsTable(counts) {
  const columns = ["read", "accepted", "quarantined", "merged"];
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("import.rows") },
    h("table", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("import.table")),
        columns.map((name) => h("th", { scope: "col", class: "number" }, t(`import.${name}`))))),
      h("tbody", null, counts.map((row) => h("tr", null, h("th", { scope: "row" }, row.table), columns.map((name) =>
        h("td", { class: `number${name === "quarantined" && row[name] > 0 ? " told-bad" : ""}` }, number(row[name]))))))));
}

function importOutcome(result) {
  const counts = { mapped: number(result.mapped_source_count), closed: number(result.closed_hold_ids.length), orphans: number(result.orphan_hold_ids.length) };
  return h("div", null,
    h("p", { class: "notice good" }, t("import.done", { digest: result.snapshot_sha256.slice(0, DIGEST_SHOWN) })),
    h("p", null, t("import.done.holds", counts)),
    result.orphan_hold_ids.length === 0 ? null : h("div", { class: "notice warn" },
      h("strong", null, t("import.done.orphans")),
      h("ul", null, result.orphan_hold_ids.map((holdId) => h("li", null, h("code", null, holdId)))),
      h("p", { class: "small" }, t("import.done.how"))));
}

async function showCurrent(place) {
  let found;
  try {
    found = await get("/v1/snapshots/current?limit=1");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    replace(place, h("section", { class: "card" }, h("h2", null, t("import.current")), error.code === "snapshot.missing" ? h("p", null, t("import.none")) : errorBox(error)));
    return;
  }
  const severities = Object.entries(found.findings_by_severity).map(([severity, count]) => `${told("import.severity", severity)} ${number(count)}`);
  replace(place, h("section", { class: "card" },
    h("h2", null, t("import.current")),
    h("dl", { class: "facts" },
      fact("import.source", found.source_name),
      fact("import.format", told("import.format", found.source_format)),
      fact("import.nodes", nodesText(found)),
      fact("import.found", severities.join(" · ") || t("none")),
      fact("import.digest", h("code", null, found.snapshot_sha256.slice(0, DIGEST_SHOWN))))));
}

function nodesText({ node_count: count, nodes_by_status: byStatus }) {
  const parts = Object.entries(byStatus).map(([status, nodes]) => `${told("import.node_status", status)} ${number(nodes)}`);
  return `${number(count)} (${parts.join(" · ")})`;
}

function fact(name, value) {
  return h("div", null, h("dt", null, t(name)), h("dd", null, value));
}
