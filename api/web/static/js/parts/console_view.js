/** The console at work: every change goes through the state in the address, and from there to map, panels and drawer. */

import { h } from "../base/dom.js";
import { errorBox, say } from "../base/page.js";
import { t } from "../base/texts.js";
import { openDrawer } from "./console_drawer.js";
import { openFrame } from "./console_frame.js";
import { legend } from "./console_legend.js";
import { nodesInView, searchBox } from "./console_search.js";
import { openState } from "./console_state.js";
import { feederPanel } from "./feeder_panel.js";
import { openData, watchGrid } from "./grid_data.js";
import { openGridMap } from "./grid_map.js";
import { hourSlider } from "./hour_slider.js";
import { nodePanel } from "./node_panel.js";

/**
 * Run the console until the page is left.
 * @param {HTMLElement} main
 * @param {Object} grid answer of `/v1/grid`
 */
export async function runConsole(main, grid) {
  const one = new Console(grid);
  one.frame = openFrame(main, one.parts());
  one.map = await openGridMap(one.frame.map, grid, one.mapOptions());
  one.start();
}

class Console {
  constructor(grid) {
    this.grid = grid;
    this.state = openState();
    this.data = openData();
    this.shown = { nodes: true, lowVoltage: true, names: true };
    this.line = null;
    this.others = [];
    this.filled = Promise.resolve();
    this.hourDrawn = null;
    this.node = null;
    this.isHeadingWanted = false;
    this.legend = legend();
    this.inView = nodesInView((id) => this.pickNode(id, true));
    this.slider = grid.has_hours ? hourSlider(grid.hours, (hour) => this.showHour(hour)) : null;
    this.drawer = openDrawer(this.data, {
      onTab: (tab) => this.state.set({ tab }),
      onFeeder: (feeder) => this.pickFeeder(feeder),
      onHour: (hour) => this.state.set({ hour }),
      onSeveral: (several) => this.state.set({ several }),
      onNode: (id) => this.pickNode(id, true),
    });
  }

  parts() {
    return {
      search: searchBox((item) => this.pickFound(item)),
      legend: this.legend.node,
      slider: this.slider?.node ?? null,
      inView: this.inView.node,
      drawer: this.drawer.node,
      onBy: (by) => this.state.set({ by }),
      onShown: (shown) => {
        this.shown = shown;
        this.paint();
      },
    };
  }

  mapOptions() {
    return {
      view: this.state.now.view,
      onNode: (id, others) => this.pickNode(id, false, others),
      onLine: (line) => this.pickLine(line),
      onView: (view) => this.state.move(view),
      onIdle: () => this.tellVisible(),
    };
  }

  start() {
    this.state.listen((now, changed) => this.follow(now, changed));
    this.follow(this.state.now, new Set(["node", "feeder", "by", "hour", "tab", "several"]));
    this.frame.tellGrid(this.grid);
    if (this.state.now.view === null && this.state.now.node === null && this.state.now.feeder !== null) this.zoomToFeeder();
    watchGrid(this.grid, (grid) => this.move(grid));
  }

  /** Draw what changed. */
  follow(now, changed) {
    if (changed.has("view")) this.map.jumpTo(now.view);
    if (changed.has("hour")) this.filled = this.fillHour();
    if (changed.has("by") || changed.has("feeder")) this.paint();
    if (changed.has("node") || changed.has("feeder")) this.fillPanel();
    this.drawer.draw(this.grid, now);
    if (changed.has("several")) this.mark();
  }

  paint() {
    const { by, feeder } = this.state.now;
    this.frame.by.show(by);
    this.map.paint({ by, hour: this.hourDrawn, feeder, shown: this.shown });
    this.tellVisible();
  }

  tellVisible() {
    if (this.map === undefined) return;
    const { by, node } = this.state.now;
    const visible = this.map.visible();
    this.legend.draw(this.grid, { by, hour: this.hourDrawn }, visible);
    this.inView.draw(visible.nodes, node);
  }

  pickNode(id, isByKeys, others = []) {
    this.line = null;
    this.others = others;
    this.isHeadingWanted = isByKeys;
    this.state.set({ node: id });
  }

  pickLine(line) {
    this.line = line;
    const isSame = this.state.now.feeder === (line.feeder_id ?? null) && this.state.now.node === null;
    this.state.set({ node: null, feeder: line.feeder_id ?? null });
    if (isSame) this.fillPanel();
  }

  pickFeeder(id) {
    this.line = null;
    this.state.set({ node: null, feeder: id });
    this.zoomToFeeder();
  }

  pickFound({ kind, id, lon_deg: lon, lat_deg: lat }) {
    if (kind === "feeder") this.pickFeeder(id);
    else {
      if (typeof lon === "number") this.map.flyTo(lon, lat);
      if (kind === "node") this.pickNode(id, true);
    }
  }

  async zoomToFeeder() {
    const feeder = await this.feeder(this.state.now.feeder);
    if (feeder?.bounds) this.map.fit(feeder.bounds);
  }

  async feeder(id) {
    const { items } = await this.data.ask("/v1/feeders");
    return items.find(({ feeder_id: one }) => one === id);
  }

  showHour(hour) {
    this.state.set({ hour });
    return this.filled;
  }

  /** The map goes on showing the hour before until this one is worked out. */
  async fillHour() {
    const { hour } = this.state.now;
    this.slider?.show(hour);
    try {
      const answer = hour === null ? null : await this.data.ask(`/v1/capacity/hours/${hour}`);
      if (this.state.now.hour !== hour) return;
      this.map.setHour(answer);
      this.hourDrawn = hour;
      this.paint();
    } catch (error) {
      this.frame.fill(errorBox(error));
    }
  }

  async fillPanel() {
    const { node, feeder } = this.state.now;
    const isStill = () => this.state.now.node === node && this.state.now.feeder === feeder;
    this.node = null;
    this.mark();
    if (node === null && feeder === null) {
      if (this.line === null) this.frame.clear();
      else this.frame.fill(...feederPanel({ name: this.line.name, feeder_id: t("console.no_feeder") }, this.line, this.feederActs()).slice(0, 3));
      return;
    }
    this.frame.fill(h("p", { class: "quiet" }, t("loading")));
    try {
      if (node !== null) {
        const found = await this.data.ask(`/v1/nodes/${encodeURIComponent(node)}`);
        if (isStill()) this.showNode(found);
      } else {
        const found = await this.feeder(feeder);
        if (isStill()) this.frame.fill(found === undefined ? h("p", { class: "notice warn" }, t("console.nothing_found")) : feederPanel(found, this.line, this.feederActs()));
      }
    } catch (error) {
      if (isStill()) this.frame.fill(errorBox(error));
    }
  }

  showNode(node) {
    this.node = node;
    const others = this.others.filter(({ node_id: id }) => id !== node.node_id);
    this.frame.fill(nodePanel(this.grid, node, others, {
      onOther: (id) => this.pickNode(id, true, [...others, node]),
      onClose: () => this.state.set({ node: null }),
      onFeeder: () => this.pickFeeder(node.feeder_id),
      onLimit: () => this.showLimit(node),
      onSeveral: () => this.addToSeveral(node.node_id),
      onHours: () => this.state.set({ tab: "hours" }),
    }));
    this.mark();
    if (hasPlace(node) && !this.map.contains(node.lon_deg, node.lat_deg)) this.map.flyTo(node.lon_deg, node.lat_deg);
    if (this.isHeadingWanted) this.frame.right.querySelector("h2").focus();
    this.isHeadingWanted = false;
  }

  feederActs() {
    return {
      onClose: () => {
        this.line = null;
        this.state.set({ feeder: null });
        this.fillPanel();
      },
      onZoom: () => this.zoomToFeeder(),
      onProfile: () => this.state.set({ tab: "profile" }),
    };
  }

  showLimit({ limit }) {
    if (limit.geometry && limit.geometry.type !== "Point") this.map.fitGeometry(limit.geometry);
    else this.map.flyTo(limit.lon_deg, limit.lat_deg);
  }

  addToSeveral(id) {
    const { several } = this.state.now;
    if (!several.some(({ node }) => node === id)) this.state.set({ several: [...several, { node: id, kva: null }], tab: "several" });
    else this.state.set({ tab: "several" });
  }

  /** Draw what is marked: the node, what binds it, the way of its supply, and the places compared. */
  async mark() {
    const { several } = this.state.now;
    const compared = await Promise.allSettled(several.map(({ node }) => this.data.ask(`/v1/nodes/${encodeURIComponent(node)}`)));
    const tried = compared.map(({ value }, place) => hasPlace(value) && point(value.lon_deg, value.lat_deg, { role: "tried", label: String(place + 1) }));
    this.map.mark([...marksOf(this.node), ...tried.filter(Boolean)]);
    const at = (geometry) => (geometry ? "1" : "0");
    this.frame.map.dataset.marked = this.node === null ? "" : `${this.node.node_id} ${at(this.node.limit?.geometry)}${at(this.node.path_geometry)}`;
  }

  /** The ledger or the network moved: ask again for what is shown; unchanged tiles stay where they are. */
  move(grid) {
    const isOther = grid.snapshot_sha256 !== this.grid.snapshot_sha256;
    this.grid = grid;
    this.data.forget();
    this.map.refresh();
    this.frame.tellGrid(grid);
    say(t(isOther ? "console.snapshot_moved" : "console.ledger_moved"));
    this.follow(this.state.now, new Set(["node", "feeder", "by", "hour", "tab", "several"]));
  }
}

function marksOf(node) {
  if (node === null) return [];
  const { limit, path_geometry: path } = node;
  const features = hasPlace(node) ? [point(node.lon_deg, node.lat_deg, { role: "node" })] : [];
  if (path) features.push({ type: "Feature", geometry: path, properties: { role: "path" } });
  if (!limit) return features;
  const isLine = limit.geometry && limit.geometry.type !== "Point";
  if (isLine) features.push({ type: "Feature", geometry: limit.geometry, properties: { role: "limit" } });
  const label = t("console.limit_label", { name: limit.name ?? limit.element_id ?? "" });
  const at = isLine ? middle(limit.geometry) : [limit.lon_deg, limit.lat_deg];
  if (typeof at[0] === "number") features.push(point(at[0], at[1], { role: "limit_point", label }));
  return features;
}

function hasPlace(node) {
  return typeof node?.lon_deg === "number" && typeof node.lat_deg === "number";
}

function point(lon, lat, properties) {
  return { type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties };
}

/** Half way between the ends of a line's middle section. */
function middle({ type, coordinates }) {
  const line = type === "MultiLineString" ? coordinates[0] : coordinates;
  const place = Math.floor((line.length - 1) / 2);
  const [from, to] = [line[place], line[place + 1] ?? line[place]];
  return [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
}
