/** The places of the console: map, panel at its left, panel at its right, drawer below; each panel can be folded. */

import { h, replace } from "../base/dom.js";
import { day, number, t } from "../base/texts.js";
import { COLOURINGS } from "./console_state.js";

/**
 * Draw the empty frame.
 * @param {HTMLElement} main
 * @param {{search: HTMLElement, legend: HTMLElement, slider: HTMLElement|null, inView: HTMLElement, drawer: HTMLElement,
 *   onBy: function(string), onShown: function(Object)}} parts
 */
export function openFrame(main, { search, legend, slider, inView, drawer, onBy, onShown }) {
  const map = h("div", { class: "map" });
  const right = h("aside", { class: "panel right hidden", "aria-label": t("console.details") });
  const facts = h("div");
  const hint = h("details", null, h("summary", null, t("console.hint")), h("p", { class: "quiet small" }, t("console.hint_pick")), h("p", { class: "quiet small" }, t("console.hint_keys")));
  const by = colourings(onBy);
  const body = h("div", { class: "panel-body", id: "console-left" }, h("h1", null, t("console.title")), search, by.node, legend, slider, layersShown(onShown), inView, hint, facts);
  const fold = h("button", { type: "button", class: "fold", "aria-expanded": "true", "aria-controls": "console-left", "aria-label": t("console.fold"), onclick: () => {
    const isOpen = fold.getAttribute("aria-expanded") === "false";
    fold.setAttribute("aria-expanded", String(isOpen));
    body.classList.toggle("hidden", !isOpen);
  } }, h("span", { "aria-hidden": "true" }));
  const node = h("div", { class: "console" }, h("aside", { class: "panel left", "aria-label": t("console.tools") }, body, fold), map, right, h("div", { class: "drawer" }, drawer));
  replace(main, node);
  return {
    map,
    right,
    by,
    tellGrid: (grid) => replace(facts, gridFacts(grid)),
    clear: () => {
      node.classList.remove("has-choice");
      right.classList.add("hidden");
      replace(right);
    },
    fill: (...children) => {
      node.classList.add("has-choice");
      right.classList.remove("hidden");
      replace(right, ...children);
      right.scrollTop = 0;
    },
  };
}

function colourings(onBy) {
  const radios = COLOURINGS.map((by) => h("input", { type: "radio", name: "by", id: `by-${by}`, value: by, onchange: () => onBy(by) }));
  const node = h("fieldset", { class: "segments" }, h("legend", null, t("console.colour_by")),
    COLOURINGS.map((by, place) => h("span", null, radios[place], h("label", { for: `by-${by}` }, t(`console.by_${by}`)))));
  return { node, show: (by) => radios.forEach((radio) => { radio.checked = radio.value === by; }) };
}

function layersShown(onShown) {
  const shown = { nodes: true, lowVoltage: true, names: true };
  const box = (name) => h("label", { class: "check" }, h("input", { type: "checkbox", checked: true, onchange: (event) => {
    shown[name] = event.target.checked;
    onShown({ ...shown });
  } }), t(`console.show_${name}`));
  return h("details", null, h("summary", null, t("console.layers")), Object.keys(shown).map(box));
}

function gridFacts(grid) {
  const row = (name, value) => h("div", null, h("dt", null, t(name)), h("dd", null, value));
  const places = grid.bounds ? null : h("p", { class: "notice warn" }, t("console.no_places"));
  return [places, h("dl", { class: "facts small", id: "grid-facts" },
    row("console.as_of", day(grid.as_of)), row("console.snapshot", String(grid.snapshot_sha256 ?? "").slice(0, 12)), row("console.ledger", number(grid.ledger_seq)),
    row("console.profile", grid.profile), row("console.size", t("console.size_of", { nodes: number(grid.node_count), lines: number(grid.line_count), feeders: number(grid.feeder_count) })))];
}
