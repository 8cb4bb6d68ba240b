/** A table whose rows come in pages: it scrolls in itself, says how much is shown, and gets more when asked. */

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { addTexts, number, t } from "../base/texts.js";
import texts from "../texts/jobs.js";

addTexts(texts);

const ROWS = 100;

/**
 * Return the table and `load(path, query)`, which shows the rows from the beginning of what an address answers.
 * @param {{label: string, columns: {head: string, cell: function(Object): (Node|string|null), isNumber?: boolean}[],
 *   items?: string}} options `items`: name of the rows in the answer.
 */
export function longTable({ label, columns, items = "items" }) {
  const body = h("tbody");
  const shown = h("p", { class: "quiet small", "aria-live": "polite" });
  const more = h("div");
  const told = h("div");
  const node = h("div", null,
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      h("table", { class: "long" },
        h("thead", null, h("tr", null, columns.map(({ head, isNumber }) => h("th", { scope: "col", class: isNumber ? "number" : null }, head)))),
        body)),
    h("div", { class: "row" }, shown, more), told);
  let asked = 0;
  return { node, load };

  async function load(path, query = {}) {
    asked += 1;
    const mine = asked;
    const given = Object.entries(query).filter(([, value]) => value);
    await next(path, given, null, 0, mine);
  }

  async function next(path, given, cursor, before, mine) {
    const parameters = new URLSearchParams([...given, ["limit", ROWS], ...(cursor === null ? [] : [["cursor", cursor]])]);
    let page;
    try {
      page = await get(`${path}?${parameters}`);
    } catch (error) {
      if (mine === asked) replace(told, errorBox(error));
      return;
    }
    if (mine !== asked) return;
    replace(told);
    if (cursor === null) replace(body);
    body.append(...page[items].map(row));
    const count = before + page[items].length;
    tell(count, page.total ?? null, page.next_cursor);
    replace(more, page.next_cursor === null ? null
      : h("button", { type: "button", class: "second", onclick: () => next(path, given, page.next_cursor, count, mine) },
        t("table.more", { count: number(page.total === undefined ? ROWS : Math.min(ROWS, page.total - count)) })));
  }

  function tell(count, total, cursor) {
    shown.textContent = count === 0 ? t("table.empty")
      : total !== null ? t("table.shown", { shown: number(count), total: number(total) })
        : cursor !== null ? t("table.shown_more", { shown: number(count) }) : t("table.shown", { shown: number(count), total: number(count) });
  }

  function row(one) {
    return h("tr", null, columns.map(({ cell, isNumber }) => h("td", { class: isNumber ? "number" : null }, cell(one))));
  }
}
