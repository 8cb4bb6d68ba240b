/** Views of one page, each with its address: links that change the page without loading it again, back and forward. */

import { h, replace } from "../base/dom.js";

/**
 * Return the bar of links, the place of the view, and `go(query)`.
 * @param {{label: string, views: {name: string, title: string}[], nameOf: function(URLSearchParams): string,
 *   draw: function(HTMLElement, URLSearchParams): void}} options `nameOf`: which view an address shows.
 */
export function pageViews({ label, views, nameOf, draw }) {
  const list = h("ul");
  const place = h("div", { class: "view" });
  addEventListener("popstate", show);
  return { bar: h("nav", { class: "views", "aria-label": label }, list), place, go, show, link };

  function show() {
    const query = new URLSearchParams(location.search);
    const now = nameOf(query);
    replace(list, views.map(({ name, title }) => h("li", null, link({ view: name }, title, { "aria-current": name === now ? "page" : null }))));
    draw(place, query);
  }

  /** Show another address; `isSame` keeps the step before out of the history. */
  function go(values, isSame = false) {
    history[isSame ? "replaceState" : "pushState"](null, "", address(values));
    show();
  }

  function link(values, text, props = {}) {
    return h("a", { href: address(values), ...props, onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      go(values);
    } }, text);
  }
}

function address(values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
  return `${location.pathname}?${query}`;
}
