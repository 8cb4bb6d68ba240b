/** What is known of one feeder, and of the line of it that was pointed at. */

import { h } from "../base/dom.js";
import { number, percent, t } from "../base/texts.js";

/**
 * Draw one feeder.
 * @param {Object} feeder one of the items of `/v1/feeders`
 * @param {Object|null} line properties of a line on the map
 * @param {{onZoom: function(), onProfile: function(), onClose: function()}} act
 * @returns {(HTMLElement|null)[]}
 */
export function feederPanel(feeder, line, act) {
  const row = (name, value) => h("div", null, h("dt", null, t(name)), h("dd", { class: "figure" }, value));
  return [
    h("div", { class: "row between" }, h("h2", { tabindex: "-1" }, feeder.name ?? feeder.feeder_id),
      h("button", { type: "button", class: "plain", onclick: act.onClose }, t("close"))),
    h("p", { class: "quiet" }, [t("console.feeder"), feeder.feeder_id, feeder.substation_id].filter(Boolean).join(" · ")),
    lineFacts(line),
    h("dl", { class: "facts", id: "feeder-facts" },
      row("console.league_open_kva_max", number(feeder.open_kva_max)),
      row("console.league_open_kva_median", number(feeder.open_kva_median)),
      row("console.league_promised_kva", number(feeder.promised_kva)),
      row("console.league_limit_kva", number(feeder.limit_kva)),
      row("console.league_loading_ratio_max", percent(feeder.loading_ratio_max)),
      row("console.league_u_pu_min", number(feeder.u_pu_min, 4)),
      row("console.league_length_km", number(feeder.length_km, 1)),
      row("console.league_node_count", number(feeder.node_count))),
    h("div", { class: "row" },
      h("button", { type: "button", onclick: act.onProfile }, t("console.show_profile")),
      h("button", { type: "button", class: "second", onclick: act.onZoom }, t("console.zoom_to"))),
    h("p", { class: "quiet small" }, t("not_additive")),
  ];
}

function lineFacts(line) {
  if (line === null) return null;
  const isOver = typeof line.loading_ratio === "number" && typeof line.limit_ratio === "number" && line.loading_ratio > line.limit_ratio;
  return h("p", { class: `notice ${isOver ? "bad" : ""}`, id: "line-facts" }, h("strong", null, line.name ?? line.line_id), " ",
    t("console.tip_loading", { ratio: percent(line.loading_ratio), limit: percent(line.limit_ratio, 0) }),
    ` · ${number(line.u_kv, 2)} kV`);
}
