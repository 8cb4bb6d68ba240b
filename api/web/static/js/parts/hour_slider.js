/** The hour the map shows: by slider, by keys, or running by itself; the least of all hours when none is chosen. */

import { h } from "../base/dom.js";
import { t } from "../base/texts.js";

const STEP_MS = 900;

/**
 * Make the slider.
 * @param {string[]} hours labels
 * @param {function(number|null): Promise<any>} onHour resolves once the map has what it needs; playing waits for it
 * @returns {{node: HTMLElement, show: function(number|null): void}}
 */
export function hourSlider(hours, onHour) {
  const range = h("input", { id: "hour", type: "range", min: 0, max: hours.length - 1, step: 1, value: 0, oninput: () => { stop(); onHour(Number(range.value)); } });
  const told = h("output", { for: "hour" });
  const play = h("button", { type: "button", class: "second small", onclick: () => (timer === null ? start() : stop()) }, t("console.play"));
  const all = h("button", { type: "button", class: "second small", onclick: () => { stop(); onHour(null); } }, t("console.hour_all"));
  let timer = null;
  let now = null;
  const node = h("section", { class: "hours", "aria-label": t("console.hour") },
    h("div", { class: "row between" }, h("label", { for: "hour" }, t("console.hour")), told), range, h("div", { class: "row" }, play, all));
  return { node, show };

  function show(hour) {
    now = hour;
    const label = hour === null ? t("console.hour_least") : hours[hour] ?? String(hour);
    range.value = String(hour ?? 0);
    range.setAttribute("aria-valuetext", label);
    told.textContent = label;
    all.disabled = hour === null;
    node.classList.toggle("is-idle", hour === null);
  }

  function start() {
    play.textContent = t("console.pause");
    timer = setTimeout(next, 0);
  }

  async function next() {
    const mine = timer;
    await onHour(now === null ? 0 : (now + 1) % hours.length);
    if (timer === mine) timer = setTimeout(next, STEP_MS);
  }

  function stop() {
    clearTimeout(timer);
    timer = null;
    play.textContent = t("console.play");
  }
}
