/** The operator's page: is it well, what runs, what is public, are the books right, who did what. */

import { ApiError } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, openPage } from "../base/page.js";
import { t } from "../base/texts.js";
import { auditTrail } from "../parts/operator_audit.js";
import { health, metrics } from "../parts/operator_health.js";
import { jobs, ledger } from "../parts/operator_jobs.js";
import { publications } from "../parts/operator_publications.js";
import texts from "../texts/operator.js";

openPage({ title: "operator.title", texts, roles: ["operator"], draw });

async function draw(main, who) {
  const parts = [
    ["health", "operator.health", health],
    ["jobs", "operator.jobs", jobs],
    ["publication", "operator.publication", () => publications(who)],
    ["ledger", "operator.ledger", ledger],
    ["audit", "operator.audit", auditTrail],
    ["metrics", "operator.metrics", metrics],
  ];
  const places = parts.map(([id, title, draw]) => ({ id, title, draw, body: h("div", null, h("p", { class: "quiet" }, t("loading"))) }));
  replace(main, h("h1", null, t("operator.title")),
    h("nav", { class: "jump", "aria-label": t("operator.title") }, h("ul", null, places.map(({ id, title }) => h("li", null, h("a", { href: `#${id}` }, t(title)))))),
    places.map(({ id, title, body }) => h("section", { class: "card", id }, h("h2", null, t(title)), body)));
  await Promise.all(places.map(fill));
}

/** One part that fails leaves the others as they are. */
async function fill({ body, draw }) {
  try {
    replace(body, await draw());
  } catch (error) {
    replace(body, errorBox(error));
    if (!(error instanceof ApiError)) throw error;
  }
}
