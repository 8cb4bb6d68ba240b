/** Finding a place on the engineer's map by name, and the nodes on the screen as a list for the keyboard. */

import { get } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { kva, number, t, told } from "../base/texts.js";

const PAUSE_MS = 250;
const QUERY_MIN = 2;
const QUERY_MAX = 64;
const LISTED_MAX = 100;

/**
 * Make the search field with its findings.
 * @param {function({kind: string, id: string, lon_deg: number, lat_deg: number}): void} onPick
 */
export function searchBox(onPick) {
  const input = h("input", { id: "grid-search", type: "search", autocomplete: "off", maxlength: QUERY_MAX, placeholder: t("console.search_hint"), oninput: soon, onkeydown: down });
  const found = h("div", { "aria-live": "polite" });
  let timer = null;
  let asked = null;
  return h("form", { role: "search", onsubmit: (event) => { event.preventDefault(); ask(true); } },
    h("label", { for: "grid-search" }, t("console.search")), input, found);

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(() => ask(false), PAUSE_MS);
  }

  function down(event) {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      found.querySelector("[tabindex='0']")?.focus();
    } else if (event.key === "Escape") {
      input.value = "";
      replace(found);
    }
  }

  async function ask(isFirstTaken) {
    clearTimeout(timer);
    asked?.abort();
    const text = input.value.trim();
    if (text.length < QUERY_MIN) return replace(found);
    asked = new AbortController();
    const { signal } = asked;
    try {
      const { items } = await get(`/v1/search?q=${encodeURIComponent(text)}`, { signal });
      if (isFirstTaken && items.length > 0) return take(items[0]);
      replace(found, items.length === 0 ? h("p", { class: "quiet" }, t("console.nothing_found")) : pickList(t("console.found"),
        items.map((item) => ({ item, label: item.name ?? item.id, more: `${told("console.kind", item.kind)} · ${item.id}` })), take));
    } catch (error) {
      if (!signal.aborted) replace(found, errorBox(error));
    }
    return undefined;
  }

  function take(item) {
    replace(found);
    onPick(item);
  }
}

/**
 * Make the list of the nodes on the screen, those with most first.
 * @param {function(string): void} onPick
 * @returns {{node: HTMLElement, draw: function(Object[], string|null): void}}
 */
export function nodesInView(onPick) {
  const body = h("div");
  const title = h("summary", null, t("console.in_view"));
  let rows = [];
  let chosen = null;
  const node = h("details", { class: "in-view", ontoggle: fillIn }, title, body);
  return {
    node,
    draw(nodes, id) {
      rows = nodes;
      chosen = id;
      title.textContent = t("console.in_view_count", { count: number(nodes.length) });
      fillIn();
    },
  };

  function fillIn() {
    if (!node.open || body.contains(document.activeElement)) return;
    const sorted = [...rows].sort((one, other) => (other.open_kva ?? -1) - (one.open_kva ?? -1)).slice(0, LISTED_MAX);
    replace(body, sorted.length === 0 ? h("p", { class: "quiet" }, t("console.none_in_view")) : [
      rows.length > LISTED_MAX ? h("p", { class: "quiet small" }, t("console.in_view_cut", { count: number(LISTED_MAX) })) : null,
      pickList(t("console.in_view"), sorted.map((one) => ({ item: one.node_id, label: one.name ?? one.node_id, more: kva(one.open_kva), isChosen: one.node_id === chosen })), onPick)]);
  }
}

/** A list of which one entry is picked: arrows move, Enter and Space pick. */
function pickList(label, entries, onPick) {
  const list = h("ul", { class: "pick", role: "listbox", "aria-label": label, onkeydown: move });
  const first = Math.max(0, entries.findIndex(({ isChosen }) => isChosen));
  list.append(...entries.map(({ item, label: name, more, isChosen }, place) =>
    h("li", { role: "option", tabindex: place === first ? "0" : "-1", "aria-selected": isChosen ? "true" : "false", onclick: () => onPick(item) },
      h("span", null, name), h("span", { class: "quiet small" }, more))));
  return list;

  function move(event) {
    const options = [...list.children];
    const at = options.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[event.key];
    if (to !== undefined && options[to]) {
      event.preventDefault();
      options[at]?.setAttribute("tabindex", "-1");
      options[to].setAttribute("tabindex", "0");
      options[to].focus();
    } else if ((event.key === "Enter" || event.key === " ") && at >= 0) {
      event.preventDefault();
      onPick(entries[at].item);
    }
  }
}
