/** The person's own applications, newest first: what came of each and how far it is. */

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, openPage } from "../base/page.js";
import { day, moment, t, told } from "../base/texts.js";
import texts from "../texts/cases.js";

const BADGES = { answered: "good", transition: "warn", joint_work: "warn" };

openPage({ title: "cases.title", texts, roles: ["customer", "engineer"], draw });

async function draw(main) {
  const body = h("tbody");
  const more = h("div", { class: "row" });
  const list = h("div", { class: "scroll cases", tabindex: "0", role: "region", "aria-label": t("cases.title") },
    h("table", null, h("thead", null, h("tr", null, ["request", "made", "verdict", "state", "kept", "open"].map((name) => h("th", { scope: "col" }, t(`cases.head.${name}`))))), body));
  const [first, kept] = await Promise.all([page(null), keptUntil()]);
  const apply = h("p", null, h("a", { class: "button", href: "/apply" }, t("cases.apply")));
  if (first.items.length === 0) {
    replace(main, h("h1", null, t("cases.title")), h("section", { class: "card" }, h("p", null, t("cases.none")), apply));
    return;
  }
  replace(main, h("h1", null, t("cases.title")), apply, list, more);
  add(first);

  function add({ items, next_cursor: next }) {
    body.append(...items.map((line) => row(line, kept.get(line.scheme_id))));
    replace(more, next ? h("button", { type: "button", class: "second", onclick: () => load(next) }, t("cases.more")) : null);
  }

  async function load(cursor) {
    try {
      add(await page(cursor));
    } catch (error) {
      replace(more, errorBox(error));
    }
  }
}

function page(cursor) {
  return get(`/v1/schemes?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
}

/** Return the last valid day of what is held, by scheme. */
async function keptUntil() {
  const { items } = await get("/v1/holds?limit=200");
  return new Map(items.map((hold) => [hold.scheme_id, hold.expires_on]));
}

function row(line, kept) {
  const href = `/cases/${encodeURIComponent(line.scheme_id)}`;
  return h("tr", null,
    h("th", { scope: "row" }, h("a", { href }, line.request_id)),
    h("td", null, moment(line.created_at)),
    h("td", null, h("span", { class: `badge ${BADGES[line.verdict] ?? ""}` }, told("verdict", line.verdict))),
    h("td", null, told("state", line.state)),
    h("td", null, kept ? day(kept) : t("none")),
    h("td", null, h("a", { href, "aria-label": t("cases.open_one", { request: line.request_id }) }, t("cases.open"))));
}
