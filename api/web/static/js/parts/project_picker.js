/** A list of projects made by searching for them: put in order, or just named. */

import { ApiError, get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { t } from "../base/texts.js";
import { isOpen } from "./library_list.js";

const FOUND = 8;
const SEARCH_MS = 300;

/**
 * Return the list and what is chosen.
 * @param {{id: string, label: string, hint: string, isOrdered: boolean, list: {id: string, name: string}[]}} options
 *   `list` is changed in place.
 */
export function projectPicker({ id, label, hint, isOrdered, list }) {
  const shown = h(isOrdered ? "ol" : "ul", { class: "picked-list" });
  const found = h("ul", { class: "found-list", "aria-live": "polite" });
  let timer = null;
  let asked = 0;
  const input = h("input", { type: "search", id, maxlength: 64, placeholder: t("assess.pick"), oninput: () => {
    clearTimeout(timer);
    timer = setTimeout(search, SEARCH_MS);
  } });
  draw();
  return h("div", { class: "field picker" }, h("label", { for: id }, label), h("p", { class: "hint" }, hint), shown, input, found);

  async function search() {
    asked += 1;
    const mine = asked;
    const q = input.value.trim();
    if (q === "") {
      replace(found);
      return;
    }
    try {
      const { items } = await get(`/v1/projects?${new URLSearchParams({ q, limit: FOUND * 2 })}`);
      if (mine !== asked) return;
      const rows = items.filter(isOpen).filter((row) => !list.some((one) => one.id === row.project_id)).slice(0, FOUND);
      replace(found, rows.length === 0 ? h("li", { class: "quiet" }, t("projects.list.none")) : rows.map((row) => h("li", null,
        h("button", { type: "button", class: "plain name", onclick: () => add(row) }, row.entry.name), h("span", { class: "quiet small mono" }, ` ${row.entry.source_id}`))));
    } catch (error) {
      if (mine === asked) replace(found, h("li", null, errorBox(error)));
      if (!(error instanceof ApiError)) throw error;
    }
  }

  function add({ project_id: added, entry }) {
    list.push({ id: added, name: entry.name });
    input.value = "";
    replace(found);
    draw();
    input.focus();
  }

  function draw() {
    replace(shown, list.map((one, place) => h("li", null, h("span", null, one.name), " ",
      isOrdered && place > 0 ? h("button", { type: "button", class: "plain small", "aria-label": t("assess.up", { name: one.name }), onclick: () => up(place) }, "↑") : null,
      h("button", { type: "button", class: "plain small", "aria-label": t("assess.remove", { name: one.name }), onclick: () => {
        list.splice(place, 1);
        draw();
      } }, "×"))));
  }

  function up(place) {
    list.splice(place - 1, 2, list[place], list[place - 1]);
    draw();
  }
}
