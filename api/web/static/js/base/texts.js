/** Texts in the language of the reader: Chinese first, English by a switch; numbers and dates as that language has them. */

import common from "../texts/common.js";

const KEPT = "gridscheme.language";
const PLACE = { zh: 0, en: 1 };
const texts = new Map();
let language = read();

/**
 * Add the texts of a page: `{key: [Chinese, English]}`.
 * @param {Object<string, [string, string]>} table
 */
export function addTexts(table) {
  for (const [key, both] of Object.entries(table)) texts.set(key, both);
}

/**
 * Return a text; `{name}` in it is replaced by `values.name`.
 * @param {string} key
 * @param {Object} [values]
 */
export function t(key, values = {}) {
  const both = texts.get(key);
  if (both === undefined) throw new Error(`no text ${key}`);
  return both[PLACE[language]].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Return the text of a code that came from the service, or the code itself where there is none. */
export function told(prefix, code) {
  const key = `${prefix}.${code}`;
  return texts.has(key) ? t(key) : String(code ?? t("unknown"));
}

export function getLanguage() {
  return language;
}

/** Change the language; the page is drawn again by reloading it, its state is in the address. */
export function setLanguage(wanted) {
  try {
    localStorage.setItem(KEPT, wanted);
  } catch {
    /* without storage the switch lasts for this page alone */
  }
  language = wanted;
  location.reload();
}

const LOCALE = { zh: "zh-CN", en: "en-GB" };

/** Return a number with at most `digits` digits after the point, or the word for "unknown". */
export function number(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return t("unknown");
  return new Intl.NumberFormat(LOCALE[language], { maximumFractionDigits: digits }).format(value);
}

export function kva(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return t("unknown");
  return `${number(value, value < 100 ? 1 : 0)} kVA`;
}

/** Return a share (0.83) in percent. */
export function percent(ratio, digits = 1) {
  if (ratio === null || ratio === undefined || Number.isNaN(ratio)) return t("unknown");
  return new Intl.NumberFormat(LOCALE[language], { style: "percent", maximumFractionDigits: digits }).format(ratio);
}

/** Return an amount in yuan. */
export function yuan(value) {
  if (value === null || value === undefined) return t("unknown");
  return t("yuan", { amount: number(value, 0) });
}

/** Return a day given as `2026-11-23`. */
export function day(text) {
  if (!text) return t("unknown");
  const [year, month, date] = String(text).slice(0, 10).split("-").map(Number);
  return t("day", { year, month, date });
}

/** Return a moment given in RFC 3339, in the reader's time zone. */
export function moment(text) {
  if (!text) return t("unknown");
  return new Intl.DateTimeFormat(LOCALE[language], { dateStyle: "short", timeStyle: "medium" }).format(new Date(text));
}

function read() {
  try {
    return localStorage.getItem(KEPT) === "en" ? "en" : "zh";
  } catch {
    return "zh";
  }
}

addTexts(common);
