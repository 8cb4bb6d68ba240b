/** The engineer's queue of requests: what is urgent first, found by words and filters, kept up by itself. */

import { ApiError, get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, openPage, say } from "../base/page.js";
import { day, moment, number, t, told } from "../base/texts.js";
import { queueCounts } from "../parts/queue_counts.js";
import { queueTable } from "../parts/queue_table.js";
import texts from "../texts/queue.js";

const ROWS = 50;
const ROWS_MAX = 200;
const REFRESH_MS = 30_000;
const TYPING_MS = 300;
const STATES = ["open", "quote", "held", "committed", "energised", "handed_over", "withdrawn", "cancelled", "expired", "reduced", "superseded", "closed"];
const VERDICTS = ["answered", "transition", "joint_work"];

openPage({ title: "queue.title", texts, roles: ["engineer"], wide: false, draw });

async function draw(main) {
  main.classList.add("broad");
  const wanted = readAddress();
  const shown = { items: [], cursor: null, counts: null, asOf: null, at: null, told: "" };
  const intro = h("p", { class: "quiet" });
  const counts = queueCounts((urgency) => change({ urgency }));
  const table = queueTable();
  const foot = h("div", { class: "row between" });
  const told_ = h("div");
  const refreshed = h("span", { class: "quiet small" });
  const auto = h("input", { type: "checkbox", id: "queue-auto", checked: true });
  let asked = 0;
  replace(main, h("h1", null, t("queue.title")), intro, counts.node,
    filters(wanted, change),
    h("div", { class: "row between small" }, h("span", { class: "quiet" }, t("queue.keys")),
      h("span", { class: "row" }, h("label", { for: "queue-auto", class: "inline" }, auto, t("queue.auto")), refreshed)),
    told_, table.node, foot);
  await load();
  setInterval(refresh, REFRESH_MS);
  document.addEventListener("visibilitychange", refresh);

  function change(changes) {
    Object.assign(wanted, changes);
    writeAddress(wanted);
    return load();
  }

  async function load() {
    asked += 1;
    const mine = asked;
    try {
      const page = await ask(wanted, null, ROWS);
      if (mine === asked) take(page, page.items);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === asked) replace(told_, errorBox(error));
    }
  }

  async function more() {
    const mine = asked;
    const page = await ask(wanted, shown.cursor, ROWS);
    if (mine === asked) take(page, [...shown.items, ...page.items]);
  }

  /** Ask again for what is on the page; who works on something else is not disturbed. */
  async function refresh() {
    if (!auto.checked || document.hidden || shown.at === null) return;
    const mine = asked;
    try {
      const page = await ask(wanted, null, Math.min(ROWS_MAX, Math.max(ROWS, shown.items.length)));
      if (mine !== asked || shown.items.length > ROWS_MAX) return;
      const before = shown.told;
      take(page, page.items);
      if (before !== shown.told) say(t("queue.changed"));
    } catch {
      replace(told_, h("p", { class: "notice warn" }, t("queue.stale", { time: moment(shown.at) })));
    }
  }

  function take(page, items) {
    const said = JSON.stringify([page.counts, items]);
    Object.assign(shown, { items, cursor: page.next_cursor, at: new Date().toISOString() });
    replace(told_);
    refreshed.textContent = t("queue.refreshed", { time: moment(shown.at) });
    if (said === shown.told) return;
    shown.told = said;
    intro.textContent = t("queue.intro", { day: day(page.as_of) });
    counts.show(page.counts, wanted.urgency);
    table.show(items);
    const total = wanted.urgency === null ? Object.values(page.counts).reduce((sum, count) => sum + count, 0) : page.counts[wanted.urgency];
    replace(foot, h("p", { class: "quiet", "aria-live": "polite" }, items.length === 0 ? t("queue.empty") : t("queue.shown", { shown: number(items.length), total: number(total) })),
      shown.cursor === null ? null : h("button", { type: "button", class: "second", onclick: more }, t("queue.more")));
  }
}

function filters(wanted, change) {
  let timer = null;
  const search = h("input", {
    id: "queue-search", type: "search", value: wanted.q ?? "", maxlength: "64", autocomplete: "off",
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => change({ q: search.value.trim() || null }), TYPING_MS);
    },
  });
  const choose = (name, options) => {
    const select = h("select", { id: `queue-${name}`, onchange: () => change({ [name]: select.value || null }) },
      options.map(([value, text]) => h("option", { value, selected: (wanted[name] ?? options[0][0]) === value }, text)));
    return field(name, select);
  };
  const stateText = (state) => (["open", "handed_over"].includes(state) ? t(`queue.state_${state}`) : told("state", state));
  return h("form", { class: "queue-filters", role: "search", "aria-label": t("queue.filters"), onsubmit: (event) => event.preventDefault() },
    field("search", search),
    choose("state", [["", t("queue.state_all")], ...STATES.map((state) => [state, stateText(state)])]),
    choose("verdict", [["", t("queue.verdict_all")], ...VERDICTS.map((verdict) => [verdict, told("verdict", verdict)])]),
    choose("sort", [["urgent", t("queue.sort_urgent")], ["newest", t("queue.sort_newest")]]));
}

function field(name, control) {
  return h("div", null, h("label", { for: `queue-${name}` }, t(`queue.${name}`)), control);
}

function ask(wanted, cursor, limit) {
  const given = Object.entries({ ...wanted, cursor, limit }).filter(([, value]) => value !== null);
  return get(`/v1/queue?${new URLSearchParams(given)}`);
}

function readAddress() {
  const given = new URLSearchParams(location.search);
  return Object.fromEntries(["q", "state", "verdict", "urgency", "sort"].map((name) => [name, given.get(name) || null]));
}

function writeAddress(wanted) {
  const given = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== null));
  history.replaceState(null, "", given.size > 0 ? `?${given}` : location.pathname);
}
