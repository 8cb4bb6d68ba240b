/** The drawer below the map: feeders against each other, loading, voltage along a feeder, hours, several places. */

import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { t } from "../base/texts.js";
import { TABS } from "./console_state.js";
import { loadingBars, loadingHistograms, voltagePlot } from "./feeder_profile.js";
import { feederTable } from "./feeder_table.js";
import { hourCurve } from "./node_panel.js";
import { severalTable } from "./several.js";
import { tabBar } from "./tabs.js";

/**
 * Make the drawer.
 * @param {{ask: function(string): Promise<any>}} data
 * @param {{onTab: function(string|null), onFeeder: function(string), onHour: function(number), onSeveral: function(Object[]),
 *   onNode: function(string)}} act
 * @returns {{node: HTMLElement, draw: function(Object, Object): void}} `draw(grid, state)`.
 */
export function openDrawer(data, act) {
  const league = feederTable((feeder) => act.onFeeder(feeder.feeder_id));
  const several = severalTable({ onChange: act.onSeveral, onShow: act.onNode });
  const panels = Object.fromEntries(TABS.map((key) => [key, key === "league" ? league.node : key === "several" ? several.node : h("div")]));
  const bar = tabBar(t("console.drawer"), TABS.map((key) => ({ key, title: t(`console.tab_${key}`), panel: panels[key] })), act.onTab);
  let drawn = null;
  const draws = {
    league: async (grid, { feeder }) => league.draw((await data.ask("/v1/feeders")).items, feeder, grid),
    loading: async (grid) => replace(panels.loading, loadingHistograms(await data.ask("/v1/grid/loading"), grid.loading_limits)),
    profile: async (grid, state, isStill) => drawProfile(panels.profile, data, act, grid, state, isStill),
    hours: async (grid, state, isStill) => drawHours(panels.hours, data, act, grid, state, isStill),
    several: async (grid, state, isStill) => drawSeveral(several, data, state, isStill),
  };
  return { node: bar.node, draw };

  async function draw(grid, state) {
    bar.show(state.tab);
    const { tab } = state;
    const wanted = JSON.stringify([tab, state.feeder, state.node, state.hour, state.several, grid.ledger_seq, grid.snapshot_sha256]);
    if (tab === null || drawn === wanted) return;
    drawn = wanted;
    const isStill = () => drawn === wanted;
    try {
      await draws[tab](grid, state, isStill);
    } catch (error) {
      if (isStill()) replace(panels[tab], errorBox(error));
    }
  }
}

async function drawProfile(panel, data, act, grid, { feeder, node }, isStill) {
  const { items } = await data.ask("/v1/feeders");
  const chosen = feeder ?? (node === null ? null : (await data.ask(`/v1/nodes/${encodeURIComponent(node)}`)).feeder_id);
  const profile = chosen === null || chosen === undefined ? null : await data.ask(`/v1/feeders/${encodeURIComponent(chosen)}/profile`);
  if (!isStill()) return;
  const select = h("select", { id: "profile-feeder", onchange: (event) => act.onFeeder(event.target.value) },
    profile === null ? h("option", { value: "", selected: true, disabled: true }, t("console.choose_feeder")) : null,
    items.map((one) => h("option", { value: one.feeder_id, selected: one.feeder_id === chosen }, one.name ?? one.feeder_id)));
  const hasVoltage = profile?.nodes.some(({ u_pu: u }) => typeof u === "number");
  replace(panel, h("div", { class: "field inline" }, h("label", { for: "profile-feeder" }, t("console.feeder")), select),
    profile === null ? h("p", { class: "quiet" }, t("console.profile_hint"))
      : h("div", { class: "columns" }, hasVoltage ? voltagePlot(profile, node) : h("p", { class: "notice warn" }, t("console.no_voltage")), loadingBars(profile, grid.loading_limits)));
}

async function drawHours(panel, data, act, grid, { node, hour }, isStill) {
  if (!grid.has_hours) return replace(panel, h("p", { class: "quiet" }, t("console.no_hours")));
  if (node === null) return replace(panel, h("p", { class: "quiet" }, t("console.hours_hint")));
  const path = `/v1/nodes/${encodeURIComponent(node)}`;
  const [found, curve] = await Promise.all([data.ask(path), data.ask(`${path}/hours`)]);
  if (!isStill()) return undefined;
  const isKnown = curve.open_kva.some((value) => value !== null);
  return replace(panel, isKnown ? hourCurve(curve, found.name ?? node, hour, act.onHour) : h("p", { class: "notice warn" }, t("console.open_unknown")));
}

async function drawSeveral(table, data, { several }, isStill) {
  const known = new Map();
  table.draw(several, known);
  const answers = await Promise.allSettled(several.map(({ node }) => data.ask(`/v1/nodes/${encodeURIComponent(node)}`)));
  if (!isStill()) return;
  answers.forEach(({ value }, place) => known.set(several[place].node, value ?? { node_id: several[place].node, open_kva: null }));
  table.draw(several, known);
}
