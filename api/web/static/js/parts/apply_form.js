/** The controls of an application: one for each field, what is wrong beside it, and a summary above them. */

import { h, replace } from "../base/dom.js";
import { getLanguage, t, told } from "../base/texts.js";
import { findDoubts, findErrors } from "./apply_check.js";
import { FIELDS, HARMONIC, SECTIONS, idOf } from "./apply_fields.js";
import { today } from "./days.js";

/**
 * Make the form.
 * @param {Object<string, any>} values as typed, by path; changed while one types
 * @param {{onChange: function(): void, onSend: function(): void, map: HTMLElement}} parts
 * @returns {{node: HTMLElement, check: function(): boolean, place: function(Object<string, string>, string=): void, set: function(string, string): void}}
 */
export function makeForm(values, { onChange, onSend, map }) {
  const summary = h("div", { class: "apply-summary" });
  const boxes = new Map();
  const touched = new Set();
  const fromService = new Map();
  let isSent = false;
  const sections = SECTIONS.map((section) => drawSection(section));
  const node = h("form", { class: "apply", novalidate: true, "aria-label": t("apply.title"), onsubmit: (event) => {
    event.preventDefault();
    onSend();
  } }, summary, sections, h("div", { class: "row apply-send" }, h("button", { type: "submit" }, t("apply.send")), h("p", { class: "quiet" }, t("apply.send_hint"))));
  refresh();
  return { node, check, place, set };

  function drawSection({ name, fields, isFolded = false, hasMap = false }) {
    const grid = h("div", { class: "apply-grid" }, fields.map((path) => drawField(path)));
    const body = hasMap ? h("div", { class: "apply-site" }, grid, map) : grid;
    if (!isFolded) return h("fieldset", null, h("legend", null, t(`apply.section.${name}`)), body);
    const isUsed = fields.some((path) => !isEmpty(values[path]) && !["request_id", "received_on"].includes(path) && values[path] !== FIELDS[path].preset);
    return h("details", { class: "card", open: isUsed }, h("summary", null, t(`apply.section.${name}`)), body);
  }

  function drawField(path) {
    const field = FIELDS[path];
    const wrong = h("p", { class: "wrong", id: `${idOf(path)}-wrong` });
    const doubt = h("p", { class: "doubt", id: `${idOf(path)}-doubt` });
    const hasHint = HINTS.has(path);
    const described = [hasHint ? `${idOf(path)}-hint` : null, wrong.id, doubt.id].filter(Boolean).join(" ");
    const control = controlOf(path, field, { values, described, onInput: changed, onLeave: left });
    boxes.set(path, { control, wrong, doubt });
    const label = [t(`apply.field.${path}`), field.unit ? h("span", { class: "unit" }, ` (${field.unit})`) : null,
      field.required ? h("span", { class: "needed" }, t("apply.needed")) : null];
    const hint = hasHint ? h("p", { class: "hint", id: `${idOf(path)}-hint` }, t(`apply.hint.${path}`)) : null;
    const isGroup = control.matches("[role=group]");
    return h("div", { class: `field${isGroup || field.kind === "polygon" ? " is-wide" : ""}` },
      isGroup ? h("span", { class: "label-text", id: `${idOf(path)}-label` }, label) : h("label", { for: idOf(path) }, label), control, hint, wrong, doubt);
  }

  function changed(path, value) {
    values[path] = value;
    fromService.delete(path);
    if (path.startsWith("location.")) for (const other of [...fromService.keys()]) if (other.startsWith("location.")) fromService.delete(other);
    refresh();
    onChange();
  }

  function left(path) {
    if (!isEmpty(values[path])) touched.add(path);
    refresh();
  }

  /** Show what is wrong with what was touched or sent, nothing about what one has not come to yet. */
  function refresh() {
    const errors = { ...findErrors(values, { today: today() }), ...Object.fromEntries(fromService) };
    const doubts = findDoubts(values);
    for (const [path, { control, wrong, doubt }] of boxes) {
      const text = isSent || touched.has(path) || fromService.has(path) ? errors[path] ?? "" : "";
      replace(wrong, text);
      replace(doubt, text === "" ? doubts[path] ?? "" : "");
      control.setAttribute("aria-invalid", String(text !== ""));
    }
    return errors;
  }

  function check() {
    isSent = true;
    const errors = refresh();
    showSummary(errors);
    return Object.keys(errors).length === 0;
  }

  /** Put what the service refused beside its field, the rest above the form. */
  function place(byPath, general = "") {
    for (const [path, text] of Object.entries(byPath)) fromService.set(path, text);
    showSummary(refresh(), general);
  }

  function set(path, value) {
    values[path] = value;
    const { control } = boxes.get(path);
    control.value = value;
    changed(path, value);
  }

  function showSummary(errors, general = "") {
    const paths = [...boxes.keys()].filter((path) => errors[path]);
    if (paths.length === 0 && general === "") {
      replace(summary);
      return;
    }
    for (const path of paths) boxes.get(path).control.closest("details")?.setAttribute("open", "");
    const box = h("div", { class: "notice bad", role: "alert", tabindex: "-1" },
      h("strong", null, general || t("apply.summary", { count: paths.length })),
      paths.length > 0 ? h("ul", null, paths.map((path) => h("li", null,
        h("a", { href: `#${idOf(path)}`, onclick: (event) => focusOn(event, boxes.get(path).control) }, t(`apply.field.${path}`)), t("apply.colon"), errors[path]))) : null);
    replace(summary, box);
    box.focus();
    box.scrollIntoView({ block: "nearest" });
  }
}

const HINTS = new Set(["applicant.category", "location.datum", "demand.installed_kw", "demand.capacity_kva", "purpose", "request_id", "circumstances.red_line", "circumstances.load_class1_kw", "demand.start_current_ratio"]);

function focusOn(event, control) {
  event.preventDefault();
  (control.matches("input, select, textarea") ? control : control.querySelector("input, button"))?.focus();
}

function isEmpty(value) {
  return Array.isArray(value) ? value.length === 0 : String(value ?? "").trim() === "";
}

function controlOf(path, field, { values, described, onInput, onLeave }) {
  const common = {
    id: idOf(path), name: path, "aria-describedby": described, "aria-required": field.required ? "true" : null,
    oninput: (event) => onInput(path, event.target.value), onblur: () => onLeave(path),
  };
  const value = String(values[path] ?? "");
  if (field.kind === "choice" || field.kind === "flag") return choice(path, field, common, value);
  if (field.kind === "several") return several(path, field, values, described, onInput);
  if (field.kind === "harmonics") return harmonics(path, field, values, described, onInput);
  if (field.kind === "polygon") return h("textarea", { ...common, rows: 3, spellcheck: "false", value });
  if (field.kind === "day") {
    const isPast = path === "received_on";
    return h("input", { ...common, type: "date", min: isPast ? null : today(), max: isPast ? today() : null, lang: getLanguage() === "zh" ? "zh-CN" : "en-GB", value });
  }
  const isNumber = field.kind !== "text";
  return h("input", { ...common, type: "text", inputmode: isNumber ? "decimal" : null, class: isNumber ? "number" : null, autocomplete: field.autocomplete ?? "off", value });
}

function choice(path, field, common, value) {
  const codes = field.kind === "flag" ? ["yes", "no"] : field.codes;
  const name = (code) => (field.kind === "flag" ? told("apply.flag", code) : field.common ? told(field.common, code) : told(`apply.code.${path.split(".").pop()}`, code));
  const open = field.preset ? null : h("option", { value: "" }, field.required ? t("apply.choose") : t("apply.not_said"));
  const node = h("select", common, open, codes.map((code) => h("option", { value: code }, name(code))));
  node.value = value;
  return node;
}

function several(path, field, values, described, onInput) {
  const chosen = new Set(values[path] ?? []);
  return h("div", { id: idOf(path), role: "group", class: "row", "aria-labelledby": `${idOf(path)}-label`, "aria-describedby": described }, field.codes.map((code) =>
    h("label", { class: "plain" }, h("input", { type: "checkbox", value: code, checked: chosen.has(code), onchange: (event) => {
      if (event.target.checked) chosen.add(code);
      else chosen.delete(code);
      onInput(path, field.codes.filter((one) => chosen.has(one)));
    } }), told("apply.code.special_loads", code))));
}

/** Rows of order and current, added and taken away one by one. */
function harmonics(path, field, values, described, onInput) {
  const list = h("div", { class: "rows" });
  const node = h("div", { id: idOf(path), role: "group", "aria-labelledby": `${idOf(path)}-label`, "aria-describedby": described }, list,
    h("button", { type: "button", class: "second small", onclick: () => {
      change([...rows(), { order: "", current_a: "" }]);
      list.lastElementChild.querySelector("input").focus();
    } }, t("apply.row.add")));
  draw();
  return node;

  function rows() {
    return values[path] ?? [];
  }

  function change(next) {
    onInput(path, next);
    draw();
  }

  function draw() {
    replace(list, rows().map((row, place) => h("div", { class: "row" },
      Object.keys(HARMONIC).map((name) => h("label", { class: "plain" }, t(`apply.row.${name}`, { row: place + 1 }),
        h("input", { type: "text", inputmode: "decimal", class: "number", value: row[name], oninput: (event) => {
          row[name] = event.target.value;
          onInput(path, rows());
        } }))),
      h("button", { type: "button", class: "plain", "aria-label": t("apply.row.remove", { row: place + 1 }), onclick: () => change(rows().filter((_, at) => at !== place)) }, t("apply.row.remove_short")))));
  }
}
