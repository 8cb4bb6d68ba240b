/** The table of cases: one link a row, arrows move between them. */

import { h, replace } from "../base/dom.js";
import { addTexts, number, t, told } from "../base/texts.js";
import texts from "../texts/queue.js";
import { urgencyBadge } from "./urgency.js";

addTexts(texts);

const VERDICT_TONES = { answered: "good", transition: "warn", joint_work: "bad" };
const STATE_TONES = { held: "warn", committed: "good", energised: "good" };
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** Return the badge of a verdict. */
export function verdictBadge(verdict) {
  return h("span", { class: `badge ${VERDICT_TONES[verdict] ?? ""}` }, told("verdict", verdict));
}

/** Return the badge of a state of the ledger. */
export function stateBadge(state) {
  return h("span", { class: `badge ${STATE_TONES[state] ?? ""}` }, told("state", state));
}

/** Return the table and `show(items)`; the focus stays on the case it was on. */
export function queueTable() {
  const body = h("tbody");
  const heads = ["deadline", "applicant", "category", "capacity", "installed", "voltage", "verdict", "reasons", "state", "received"];
  const numbers = new Set(["capacity", "installed"]);
  const node = h("div", { class: "scroll queue", role: "region", "aria-label": t("queue.table"), tabindex: "0" },
    h("table", null,
      h("thead", null, h("tr", null, heads.map((head) => h("th", { scope: "col", class: numbers.has(head) ? "number" : null }, t(`queue.${head}`))))),
      body));
  body.addEventListener("keydown", move);
  return { node, show };

  function show(items) {
    const focused = document.activeElement?.closest?.("[data-scheme]")?.dataset.scheme;
    replace(body, items.map(row));
    const links = [...body.querySelectorAll("a")];
    const kept = links.find((link) => link.closest("[data-scheme]").dataset.scheme === focused);
    if (kept) kept.focus({ preventScroll: true });
  }

  function move(event) {
    const links = [...body.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (at < 0) return;
    const to = { Home: 0, End: links.length - 1 }[event.key] ?? (STEPS[event.key] === undefined ? -1 : at + STEPS[event.key]);
    if (to < 0 || to >= links.length) return;
    event.preventDefault();
    links[to].focus();
    links[to].closest("tr").scrollIntoView({ block: "nearest" });
  }
}

function row(item) {
  const cells = [
    [urgencyBadge(item)],
    [h("a", { href: `/console/schemes/${encodeURIComponent(item.scheme_id)}` }, item.applicant_name ?? t("queue.nameless")), h("span", { class: "quiet small block" }, item.request_id)],
    [told("category", item.category)],
    [number(item.capacity_kva, 1)],
    [number(item.installed_kw, 1)],
    [item.voltage ?? t("unknown")],
    [verdictBadge(item.verdict)],
    [item.reasons.length === 0 ? h("span", { class: "quiet" }, t("none")) : h("ul", { class: "cells" }, item.reasons.map(({ text }) => h("li", null, text)))],
    [stateBadge(item.state), handedOver(item), ["quote", "held"].includes(item.state) && item.expires_on ? h("span", { class: "quiet small block" }, t("queue.valid_to", { day: item.expires_on })) : null],
    [item.received_on ?? t("unknown")],
  ];
  return h("tr", { "data-scheme": item.scheme_id, class: `urgency-row-${item.urgency}` },
    cells.map((content, place) => h("td", { class: place === 3 || place === 4 ? "number" : null }, content)));
}

function handedOver({ hand_over: made }) {
  if (made === null) return null;
  return h("span", { class: "badge warn", title: made.reason }, made.department === null ? t("queue.handed_over") : t("queue.handed_over_to", { department: made.department }));
}
