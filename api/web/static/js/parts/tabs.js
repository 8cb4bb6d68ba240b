/** Tabs: arrows move between them, only the chosen one's panel is there; choosing it again folds it away. */

import { h } from "../base/dom.js";

/**
 * Make tabs.
 * @param {string} label
 * @param {{key: string, title: string, panel: HTMLElement}[]} tabs
 * @param {function(string|null): void} onChoose
 * @returns {{node: HTMLElement, show: function(string|null): void}}
 */
export function tabBar(label, tabs, onChoose) {
  let chosen = null;
  const buttons = tabs.map(({ key, title }, place) => h("button", {
    type: "button", role: "tab", id: `tab-${key}`, "aria-controls": `panel-${key}`, "aria-selected": "false", tabindex: place === 0 ? "0" : "-1",
    onclick: () => onChoose(chosen === key ? null : key), onkeydown: move,
  }, title));
  const panels = tabs.map(({ key, panel }) => h("div", { role: "tabpanel", id: `panel-${key}`, "aria-labelledby": `tab-${key}`, tabindex: "0", class: "hidden" }, panel));
  const node = h("section", { class: "tabs" }, h("div", { role: "tablist", "aria-label": label }, buttons), panels);
  return { node, show };

  function show(key) {
    chosen = key;
    node.classList.toggle("is-open", key !== null);
    tabs.forEach((tab, place) => {
      const is = tab.key === key;
      buttons[place].setAttribute("aria-selected", String(is));
      buttons[place].setAttribute("tabindex", is || (key === null && place === 0) ? "0" : "-1");
      panels[place].classList.toggle("hidden", !is);
    });
  }

  function move(event) {
    const at = buttons.indexOf(event.currentTarget);
    const to = { ArrowRight: (at + 1) % buttons.length, ArrowLeft: (at + buttons.length - 1) % buttons.length, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons[to].focus();
    onChoose(tabs[to].key);
  }
}
