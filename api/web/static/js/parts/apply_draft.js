/** The draft of an application: kept for this tab and this person until the service has answered it. */

import { newKey } from "../base/api.js";
import { FIELDS } from "./apply_fields.js";
import { today } from "./days.js";

const KEPT = "gridscheme.application";
const FROM_ADDRESS = { lon: "location.lon_deg", lat: "location.lat_deg", datum: "location.datum", kw: "demand.installed_kw", category: "applicant.category", business: "business" };
const ID_DIGITS = 8;

/**
 * Return the draft of this person with what stands in the address put over it.
 * @param {string} subject
 * @param {URLSearchParams} query
 * @returns {{subject: string, values: Object, ownId: string, sent: {text: string, key: string}|null}}
 */
export function openDraft(subject, query) {
  const kept = read();
  const draft = kept?.subject === subject ? kept : fresh(subject);
  for (const [name, path] of Object.entries(FROM_ADDRESS)) {
    const given = query.get(name);
    const { codes } = FIELDS[path];
    if (given !== null && (codes === undefined || codes.includes(given))) draft.values[path] = given.slice(0, 40);
  }
  return draft;
}

export function keepDraft(draft) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(draft));
  } catch {
    /* without storage the draft lasts as long as the page */
  }
}

export function dropDraft() {
  sessionStorage.removeItem(KEPT);
}

/** Return a new draft: what the form presets, and a number of its own. */
export function fresh(subject) {
  const values = Object.fromEntries(Object.entries(FIELDS).filter(([, { preset }]) => preset).map(([path, { preset }]) => [path, preset]));
  const ownId = makeId();
  return { subject, values: { ...values, request_id: ownId, received_on: today() }, ownId, sent: null };
}

/**
 * Return whether the draft was given a new number because the site has changed since it was sent: an application is for
 * one site. A number somebody chose stays.
 */
export function renumber(draft, location) {
  if (draft.sent === null || draft.values.request_id !== draft.ownId) return false;
  const before = JSON.parse(draft.sent.text).location;
  if (Object.keys(before).every((name) => before[name] === location[name])) return false;
  draft.ownId = makeId();
  draft.values.request_id = draft.ownId;
  return true;
}

/** Return the key to send a request under: the same for the same request, so that sending twice makes one. */
export function keyFor(draft, request) {
  const text = JSON.stringify(request);
  if (draft.sent?.text !== text) draft.sent = { text, key: newKey() };
  keepDraft(draft);
  return draft.sent.key;
}

function makeId() {
  const random = [...crypto.getRandomValues(new Uint8Array(ID_DIGITS / 2))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `WEB-${today().replaceAll("-", "")}-${random}`;
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null;
  }
}
