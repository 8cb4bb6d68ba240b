/** Checks of an application while it is filled in, and the request made of it; the service checks all of it again. */

import { number, t } from "../base/texts.js";
import { FIELDS, HARMONIC } from "./apply_fields.js";
import { isDay } from "./days.js";

const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const CONTROL = /[\u0000-\u001f\u007f\u2028\u2029\ufffe\uffff]/;
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)$/;
const SHIFT = 0xfee0;
const PERCENT = 100;

/** Return a typed number with full-width digits made plain and separators and spaces taken out. */
export function plainNumber(text) {
  return String(text ?? "").replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - SHIFT)).replace(/[\s,\u3000]/g, "");
}

/** Return the number a text stands for, `null` for none. */
export function numberOf(text) {
  const plain = plainNumber(text);
  return DECIMAL.test(plain) ? Number(plain) : null;
}

/**
 * Return what is wrong with the values: text by path of the field, empty where nothing is.
 * @param {Object<string, any>} values as typed, by path
 * @param {{today: string}} facts
 */
export function findErrors(values, { today }) {
  const found = {};
  for (const [path, field] of Object.entries(FIELDS)) {
    const wrong = checkField(values[path], field);
    if (wrong) found[path] = wrong;
  }
  for (const [path, wrong] of together(values, today)) found[path] ??= wrong;
  return found;
}

/** Return what is odd and allowed, by path of the field. */
export function findDoubts(values) {
  const installed = numberOf(values["demand.installed_kw"]);
  const capacity = numberOf(values["demand.capacity_kva"]);
  return installed !== null && capacity !== null && capacity < installed
    ? { "demand.capacity_kva": t("apply.doubt.capacity", { capacity: number(capacity, 1), installed: number(installed, 1) }) } : {};
}

function checkField(value, field) {
  if (field.kind === "harmonics") return checkHarmonics(value ?? [], field);
  if (field.kind === "several") return "";
  const text = String(value ?? "").trim();
  if (text === "") return field.required ? t("apply.wrong.required") : "";
  if (field.kind === "text") return checkText(text, field);
  if (field.kind === "day") return isDay(text) ? "" : t("apply.wrong.day");
  if (field.kind === "polygon") return checkPolygon(text);
  return ["number", "percent", "whole"].includes(field.kind) ? checkNumber(text, field) : "";
}

function checkText(text, { most, form }) {
  if ([...text].length > most) return t("apply.wrong.long", { most });
  if (CONTROL.test(text) || text.isWellFormed?.() === false) return t("apply.wrong.control");
  return form === "id" && !REQUEST_ID.test(text) ? t("apply.wrong.id") : "";
}

function checkNumber(text, { kind, above, least, most, unit = "" }) {
  const typed = numberOf(text);
  if (typed === null) return t("apply.wrong.number");
  if (kind === "whole" && !Number.isInteger(typed)) return t("apply.wrong.whole");
  const factor = kind === "percent" ? PERCENT : 1;
  const told = (limit) => `${number(limit * factor, 3)}${unit && ` ${unit}`}`;
  if (above !== undefined && typed <= above * factor) return t("apply.wrong.above", { limit: told(above) });
  if (least !== undefined && typed < least * factor) return t("apply.wrong.least", { limit: told(least) });
  return typed > most * factor ? t("apply.wrong.most", { limit: told(most) }) : "";
}

function checkHarmonics(rows, { most }) {
  if (rows.length > most) return t("apply.wrong.rows", { most });
  for (const row of rows) {
    const wrong = checkField(row.order, HARMONIC.order) || checkField(row.current_a, HARMONIC.current_a);
    if (wrong) return t("apply.wrong.row", { row: rows.indexOf(row) + 1, wrong });
  }
  const orders = rows.map(({ order }) => numberOf(order));
  return new Set(orders).size < orders.length ? t("apply.wrong.twice") : "";
}

function checkPolygon(text) {
  const polygon = polygonOf(text);
  const isPlace = (place) => Array.isArray(place) && place.length === 2 && place.every(Number.isFinite)
    && Math.abs(place[0]) <= FIELDS["location.lon_deg"].most && Math.abs(place[1]) <= FIELDS["location.lat_deg"].most;
  const isClosed = (ring) => ring[0].join() === ring[ring.length - 1].join();
  const isRing = (ring) => Array.isArray(ring) && ring.length >= 4 && ring.every(isPlace) && isClosed(ring);
  const isGood = polygon?.type === "Polygon" && Array.isArray(polygon.coordinates) && polygon.coordinates.length > 0
    && Object.keys(polygon).length === 2 && polygon.coordinates.every(isRing);
  return isGood ? "" : t("apply.wrong.polygon");
}

function polygonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What several fields say together. */
function* together(values, today) {
  const of = (path) => numberOf(values[path]);
  const installed = of("demand.installed_kw");
  const motor = of("demand.largest_motor_kw");
  if (installed !== null && motor !== null && motor > installed) yield ["demand.largest_motor_kw", t("apply.wrong.motor")];
  const starts = ["demand.start_method", "demand.start_current_ratio", "demand.starts_per_hour"];
  if (motor === null && starts.some((path) => String(values[path] ?? "").trim() !== "")) yield ["demand.largest_motor_kw", t("apply.wrong.motor_missing")];
  const classes = (of("circumstances.load_class1_kw") ?? 0) + (of("circumstances.load_class2_kw") ?? 0);
  if (installed !== null && classes > installed) {
    yield [of("circumstances.load_class1_kw") ? "circumstances.load_class1_kw" : "circumstances.load_class2_kw", t("apply.wrong.classes")];
  }
  if (isDay(values.needed_on ?? "") && values.needed_on < today) yield ["needed_on", t("apply.wrong.past")];
  if (isDay(values.received_on ?? "") && values.received_on > today) yield ["received_on", t("apply.wrong.future")];
}

/** Return the request as the service takes it; what was left empty is left out. */
export function buildRequest(values) {
  const request = {};
  for (const [path, field] of Object.entries(FIELDS)) {
    const value = plain(values[path], field);
    if (value === undefined) continue;
    const steps = path.split(".");
    const last = steps.pop();
    steps.reduce((part, step) => (part[step] ??= {}), request)[last] = value;
  }
  return request;
}

function plain(value, { kind }) {
  if (kind === "harmonics") return value?.length ? value.map(({ order, current_a: current }) => ({ order: numberOf(order), current_a: numberOf(current) })) : undefined;
  if (kind === "several") return value?.length ? value : undefined;
  const text = String(value ?? "").trim();
  if (text === "") return undefined;
  if (kind === "flag") return text === "yes";
  if (kind === "polygon") return polygonOf(text);
  if (kind === "percent") return Number((numberOf(text) / PERCENT).toFixed(6));
  return kind === "number" || kind === "whole" ? numberOf(text) : text;
}
