/** One click from reserve project to application (formal): what it will do before, what was answered after. */

import { ApiError, newKey, post } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, progressBar } from "../base/page.js";
import { day, kva, number, t } from "../base/texts.js";
import { demandText } from "./library_list.js";

/**
 * Return the dialog, open as soon as it stands in the page; it goes away when it is closed.
 * @param {Object} project
 * @param {function(): void} onDone The project became an application.
 */
export function conversionDialog(project, onDone) {
  let key = newKey();
  const reason = h("input", { type: "text", id: "convert-reason", maxlength: 200, value: t("projects.convert.reason"), required: true });
  const start = h("button", { type: "button", onclick: run }, t("projects.convert.start"));
  const told = h("div", { "aria-live": "polite" });
  const body = h("div", null,
    h("p", null, t("projects.convert.lead")),
    h("ol", { class: "next" }, [
      t("projects.convert.verify"), t("projects.convert.hold", { demand: demandText(project.entry.demand) }),
      t("projects.convert.carry", { count: number(project.documents.length) }), t("projects.convert.fixed"),
    ].map((text) => h("li", null, text))),
    h("p", { class: "notice" }, t("projects.convert.else")),
    h("div", { class: "field" }, h("label", { for: "convert-reason" }, t("projects.reason")), reason), told);
  const cancel = h("button", { type: "button", class: "second", onclick: () => dialog.close() }, t("close"));
  const dialog = h("dialog", { class: "convert", "aria-labelledby": "convert-title", onclose: () => dialog.remove() },
    h("h2", { id: "convert-title" }, t("projects.convert.title", { name: project.entry.name })), body,
    h("div", { class: "row actions" }, start, cancel));
  queueMicrotask(() => dialog.showModal());
  return dialog;

  async function run() {
    if (!reason.reportValidity()) return;
    start.disabled = true;
    replace(told, progressBar(t("projects.convert.running")).node);
    try {
      const done = await post(`/v1/projects/${project.project_id}:convert`, { reason: reason.value, variant_no: 1 }, { key });
      start.remove();
      replace(body, h("p", { class: "notice good", role: "status" }, t(done.is_earlier ? "projects.convert.earlier" : "projects.convert.done", { request: done.request_id }), h("span", { class: "block" }, holdText(done.hold))),
        done.hold.capacity_kva < (project.entry.demand.capacity_kva ?? 0) ? h("p", { class: "notice warn" }, t("projects.convert.partly", { demand: demandText(project.entry.demand), kva: kva(done.hold.capacity_kva) })) : null,
        h("p", null, h("a", { href: `/console/schemes/${encodeURIComponent(done.scheme_id)}` }, t("projects.open_scheme"))));
      cancel.focus();
      onDone();
    } catch (error) {
      replace(told, h("p", { class: "notice warn" }, t("projects.convert.refused")), refusalBox(error));
      start.disabled = false;
      key = newKey();
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

/** Return why something was refused, with the reasons and limits of the grid where they are told. */
export function refusalBox(error) {
  const problem = error instanceof ApiError ? { ...error.problem.context, ...error.problem } : {};
  const lines = [...(problem.reasons ?? []), ...(problem.limits ?? [])].map((one) => (typeof one === "string" ? one : [one.text ?? one.code, one.element_id].filter(Boolean).join(" · ")));
  return h("div", null, errorBox(error), lines.length > 0 ? h("ul", { class: "small" }, [...new Set(lines)].map((text) => h("li", null, text))) : null);
}

/** Return what a hold takes, in words. */
function holdText({ capacity_kva: capacity, expires_on: until }) {
  return t("projects.hold", { kva: kva(capacity), until: day(until) });
}
