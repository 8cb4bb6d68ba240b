/** One reserve project: what is known, what the last assessment said, documents, history, and what it may become. */

import { ApiError, download, get, post, postFile } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, progressBar, say } from "../base/page.js";
import { day, moment, number, percent, t, told } from "../base/texts.js";
import { answerText } from "./assess_answer.js";
import { conversionDialog, refusalBox } from "./library_convert.js";
import { demandText, isOpen } from "./library_list.js";
import { verdictBadge } from "./verdicts.js";

const KIB = 1024;
const DOCUMENTS = {
  ".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

/**
 * Return the panel of a project.
 * @param {string} projectId
 * @param {{said: function(): Promise<Map<string, Object>>, isPlanner: boolean, onClose: function(): void, onChange: function(): void}} options
 */
export function libraryDetail(projectId, { said, isPlanner, onClose, onChange }) {
  const node = h("section", { class: "card detail", "aria-label": t("projects.detail"), onkeydown: (event) => {
    if (event.key === "Escape") onClose();
  } }, h("p", { class: "quiet" }, t("loading")));
  show(true);
  return node;

  async function show(isFirst = false) {
    try {
      const project = await get(`/v1/projects/${projectId}`);
      const found = (await said()).get(projectId);
      replace(node, head(project, found), isPlanner ? actions(project) : null, facts(project),
        documents(project), replies(project), historyOf(project));
      if (isFirst) node.querySelector("h2").focus();
    } catch (error) {
      replace(node, h("button", { type: "button", class: "plain", onclick: onClose }, t("close")), errorBox(error));
      if (!(error instanceof ApiError)) throw error;
    }
  }

  function changed() {
    onChange();
    return show();
  }

  function head({ entry, stage, missing, conversion }, found) {
    return [
      h("div", { class: "row between nowrap" }, h("h2", { tabindex: "-1" }, entry.name), h("button", { type: "button", class: "second small", onclick: onClose }, t("close"))),
      h("p", null, h("span", { class: `badge stage-${stage}` }, told("projects.stage", stage)), " ", found ? verdictBadge(found.queue.verdict) : null),
      missing.length > 0 ? h("p", { class: "notice warn" }, t("projects.missing_told", { facts: missing.map((fact) => told("projects.fact", fact)).join(t("projects.and")) })) : null,
      conversion === null ? null : h("p", { class: "notice good" }, t("projects.converted", { request: conversion.request_id, on: moment(conversion.at) }), " ",
        h("a", { href: `/console/schemes/${encodeURIComponent(conversion.scheme_id)}` }, t("projects.open_scheme"))),
      found ? h("p", { class: "small" }, answerText(found)) : null,
    ];
  }

  function actions(project) {
    const told = h("div", { "aria-live": "polite" });
    const ready = project.missing.length === 0;
    const button = (text, onclick, look = "second", disabled = false) => h("button", { type: "button", class: look, disabled, onclick }, text);
    return [h("div", { class: "row actions" },
      isOpen(project) ? [
        button(t("projects.convert"), () => document.body.append(conversionDialog(project, changed)), "", !ready),
        button(t("projects.consult"), (event) => run(event.target, told, t("projects.consulting"), () => post(`/v1/projects/${projectId}:consult`, { reason: t("projects.consult.reason") })), "second", !ready),
        button(t("projects.close"), (event) => run(event.target, told, t("projects.closing"), () => post(`/v1/projects/${projectId}:update`, { reason: t("projects.close.reason"), stage: "closed", revision_no: project.revision_no })))] : null,
      project.stage === "closed" ? button(t("projects.reopen"), (event) => run(event.target, told, t("projects.closing"), () => post(`/v1/projects/${projectId}:update`, { reason: t("projects.reopen.reason"), stage: "reserve", revision_no: project.revision_no }))) : null,
    ), told];
  }

  async function run(button, told, text, work) {
    button.disabled = true;
    replace(told, progressBar(text).node);
    try {
      await work();
      say(t("projects.done"));
      await changed();
    } catch (error) {
      replace(told, refusalBox(error));
      button.disabled = false;
      if (!(error instanceof ApiError)) throw error;
    }
  }

  function documents({ documents: found, stage }) {
    const told = h("div", { "aria-live": "polite" });
    const input = h("input", { type: "file", class: "visually-hidden", tabindex: "-1", "aria-label": t("projects.documents.add"), accept: Object.keys(DOCUMENTS).join(","), onchange: () => attach(input.files[0]) });
    return h("section", null, h("h3", null, t("projects.documents")),
      found.length === 0 ? h("p", { class: "quiet" }, t("projects.documents.none")) : h("ul", { class: "plain-list" }, found.map((one) => h("li", null,
        h("button", { type: "button", class: "plain", onclick: () => download(`/v1/projects/${projectId}/documents/${one.sha256}`, one.name) }, one.name),
        h("span", { class: "quiet small" }, ` ${number(one.size_bytes / KIB, 0)} KiB · ${moment(one.added_at)}`)))),
      isPlanner && OPEN_FOR_DOCUMENTS.has(stage) ? [h("button", { type: "button", class: "second small", onclick: () => input.click() }, t("projects.documents.add")), input] : null, told);

    async function attach(file) {
      input.value = "";
      if (file === undefined) return;
      const type = DOCUMENTS[Object.keys(DOCUMENTS).find((one) => file.name.toLowerCase().endsWith(one))];
      const name = file.name.replace(/[^\w\u00c0-\uffff.() -]+/g, "_").slice(-100);
      if (type === undefined) {
        replace(told, h("p", { class: "notice bad", role: "alert" }, t("file.unknown", { name: file.name, formats: Object.keys(DOCUMENTS).join(", ") })));
        return;
      }
      replace(told, progressBar(t("file.sending", { name: file.name })).node);
      try {
        await postFile(`/v1/projects/${projectId}/documents?${new URLSearchParams({ name })}`, file, type);
        await changed();
      } catch (error) {
        replace(told, errorBox(error));
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }
}

const OPEN_FOR_DOCUMENTS = new Set(["reserve", "consultation"]);

function facts({ entry, place, revision_no: revision, changed_at: at }) {
  const { demand, area } = entry;
  const rows = [
    ["projects.source", `${entry.source_system} · ${entry.source_id}`],
    ["projects.applicant", entry.applicant], ["projects.contact", entry.contact],
    ["projects.category", told("category", entry.category)],
    ["projects.demand", [demandText(demand), demand.by_year.map((one) => h("span", { class: "block small" }, t("projects.from_year", { year: String(one.year), demand: demandText(one) })))]],
    ["projects.place", place === null ? [area?.text ?? t("unknown")] : [`${place.lon_deg.toFixed(5)}°, ${place.lat_deg.toFixed(5)}°`, area?.text ? h("span", { class: "block small" }, area.text) : null]],
    ["projects.works_stage", entry.works_stage ? told("works_stage", entry.works_stage) : null],
    ["projects.works_finish_on", entry.works_finish_on ? day(entry.works_finish_on) : null],
    ["projects.likelihood", entry.likelihood_ratio === null ? null : percent(entry.likelihood_ratio, 0)],
    ["projects.received_on", day(entry.received_on)],
    ["projects.needed_on", entry.needed_on ? day(entry.needed_on) : null],
    ["projects.note", entry.note],
    ["projects.revision", t("projects.revision_told", { no: number(revision), at: moment(at) })],
  ];
  return h("dl", { class: "facts" }, rows.map(([name, value]) => h("div", null, h("dt", null, t(name)), h("dd", null, value ?? h("span", { class: "quiet" }, t("unknown"))))));
}

function replies({ replies: found }) {
  if (found.length === 0) return null;
  return h("section", null, h("h3", null, t("projects.replies")), h("ul", { class: "plain-list" }, found.map((one) => h("li", null,
    h("a", { href: `/console/schemes/${encodeURIComponent(one.scheme_id)}` }, told("verdict", one.verdict)), h("span", { class: "quiet small" }, ` ${moment(one.at)}`)))));
}

function historyOf({ history }) {
  return h("details", null, h("summary", null, t("projects.history", { count: number(history.length) })),
    h("ol", { class: "history" }, [...history].reverse().map((one) => h("li", null,
      h("strong", null, told("projects.action", one.action)), " ", one.reason,
      h("span", { class: "quiet small block" }, `${moment(one.at)} · ${one.subject_id} (${told("role", one.role)})`),
      Object.keys(one.changes).length === 0 || one.action === "create" ? null : h("ul", { class: "cells small" }, Object.entries(one.changes).map(([field, value]) => h("li", null,
        h("span", { class: "mono" }, field), " ", h("del", null, plain(value.before)), " → ", h("ins", null, plain(value.after)))))))));
}

function plain(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
