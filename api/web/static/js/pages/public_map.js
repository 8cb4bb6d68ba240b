/** The customer map: squares of the publication, a place, and what the rules and the squares say of a wish for power. */

import { download, get, ApiError } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox, openPage, say } from "../base/page.js";
import { t } from "../base/texts.js";
import { classOf, legendList, markSelected, readClasses, squareLayers, swatch } from "../parts/capacity_classes.js";
import { convert, placeForm } from "../parts/place_form.js";
import { siteQuestion } from "../parts/site_question.js";
import { squareList } from "../parts/square_list.js";
import texts from "../texts/public_map.js";

const VIEW_DIGITS = 5;
const PLACE_ZOOM = 13;
const BESIDE_LEGEND = { top: 24, right: 56, bottom: 40, left: 340 };
const PINNED = ["lon", "lat", "datum", "kw", "category", "business", "view", "at"];

openPage({ title: "public_map.title", texts, wide: true, draw });

const isWide = () => matchMedia("(min-width: 70rem)").matches;

async function draw(main, who) {
  const state = readState();
  const published = await findPublished();
  const page = new PublicMap(main, who, state, published);
  await page.start();
}

/** Return legend and tiles of the publication, null where there is none for this person. */
async function findPublished() {
  try {
    const [legend, tiles] = await Promise.all([get("/v1/public/legend"), get("/v1/public/tiles.json")]);
    return { legend, tiles, classes: readClasses(legend.legend) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function readState() {
  const given = new URLSearchParams(location.search);
  const state = Object.fromEntries(PINNED.map((name) => [name, given.get(name)]));
  const [lon, lat] = [state.lon, state.lat].map((text) => (text === null || text.trim() === "" ? NaN : Number(text)));
  const isPlace = Math.abs(lon) <= 180 && Math.abs(lat) <= 90 && state.datum !== null;
  return { ...state, place: isPlace ? { lon, lat, datum: state.datum } : null };
}

class PublicMap {
  constructor(main, who, state, published) {
    Object.assign(this, { main, state, published, map: null, list: null, marker: null, square: null });
    this.isViewGiven = state.at !== null;
    this.placeForm = placeForm((place) => this.goTo(place));
    this.question = siteQuestion({
      who, state, getPlace: () => this.state.place, judge: () => this.judge(),
      onAsked: (wish) => this.remember(wish),
    });
    this.told = h("div", { class: "pm-square", "aria-live": "polite" });
    this.mapBox = h("div", { class: "map" });
    this.listBox = h("div", { class: "pm-list-box hidden" });
    this.listButton = h("button", { type: "button", class: "second small", "aria-expanded": "false", onclick: () => this.toggleList() }, t("public_map.show_list"));
  }

  async start() {
    const { published } = this;
    replace(this.main, h("div", { class: published ? "pm" : "pm pm-without" }, this.panel(), published ? this.stage() : null));
    if (this.state.place) this.placeForm.show(this.state.place);
    if (published) {
      if (this.state.view === "list") await this.toggleList();
      await this.openMap();
    }
    if (this.state.place) await this.goTo(this.state.place, { isFirst: true });
    else if (this.state.kw) await this.question.ask();
  }

  panel() {
    const { published } = this;
    return h("section", { class: "pm-panel", "aria-label": t("public_map.title") },
      h("h1", null, t("public_map.title")),
      published ? this.head() : h("div", { class: "notice" }, h("p", null, h("strong", null, t("public_map.none"))), h("p", null, t("public_map.none.more"))),
      h("h2", { class: "visually-hidden" }, t("public_map.place.title")), this.placeForm.node, this.told, this.question.node,
      published ? this.about() : null);
  }

  head() {
    return h("div", null,
      h("p", { class: "row" }, h("span", { class: "badge" }, t("public_map.month", { month: this.published.legend.data_month })), h("span", { class: "badge warn" }, t("public_map.not_a_promise"))),
      h("p", { class: "quiet" }, t("not_additive"), " ", t("unknown_not_zero")));
  }

  about() {
    const { legend } = this.published;
    const month = legend.data_month;
    const save = (path, ending) => h("button", { type: "button", class: "second small", onclick: () => download(path, `open_capacity_${month}.${ending}`).catch((error) => this.fail(error)) }, t(`public_map.save.${ending}`));
    return h("section", { class: "pm-about" },
      h("h2", null, t("public_map.about")),
      h("p", null, t("public_map.method")),
      h("details", null, h("summary", null, t("public_map.method.more")), legend.method.map((text) => h("p", { class: "small", lang: "zh-CN" }, text)), h("p", { class: "small", lang: "zh-CN" }, legend.note)),
      h("p", { class: "row" }, save("/v1/public/capacity.csv", "csv"), save("/v1/public/capacity", "geojson")));
  }

  stage() {
    return h("section", { class: "pm-stage", "aria-label": t("public_map.map") },
      h("div", { class: "pm-map-box" }, this.mapBox, h("span", { class: "pm-cross", "aria-hidden": "true" }),
        h("details", { class: "pm-legend", open: isWide() }, h("summary", null, t("public_map.legend")), legendList(this.published.classes))),
      h("div", { class: "pm-bar row" }, this.listButton, h("span", { class: "quiet small" }, t("public_map.keys"))),
      this.listBox);
  }

  async openMap() {
    const { classes, tiles } = this.published;
    try {
      const { createMap, hatch, Marker } = await import("../base/map.js");
      const squares = squareLayers(classes, tiles, Boolean(document.documentElement.dataset.basemapUrl));
      this.map = await createMap(this.mapBox, { bounds: tiles.bounds, label: t("public_map.map.label"), padding: isWide() ? BESIDE_LEGEND : 16, ...squares });
      squares.hatchUnknown(this.map, hatch);
      this.Marker = Marker;
    } catch (error) {
      replace(this.mapBox, h("div", { class: "notice warn pm-no-map" }, t("public_map.no_map")));
      console.warn(error);
      if (this.listBox.classList.contains("hidden")) await this.toggleList();
      return;
    }
    this.restoreView();
    this.map.on("click", ({ lngLat }) => this.pick(lngLat));
    this.map.on("moveend", () => this.keepView());
    this.map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.pick(this.map.getCenter());
    });
    this.map.on("mousemove", "squares", () => { this.map.getCanvas().style.cursor = "pointer"; });
    this.map.on("mouseleave", "squares", () => { this.map.getCanvas().style.cursor = ""; });
  }

  restoreView() {
    const [zoom, lat, lon] = (this.state.at ?? "").split("/").map(Number);
    if (Number.isFinite(zoom) && Math.abs(lat) <= 90 && Math.abs(lon) <= 180) this.map.jumpTo({ center: [lon, lat], zoom });
  }

  keepView() {
    const { lng, lat } = this.map.getCenter();
    this.remember({ at: [this.map.getZoom().toFixed(2), lat.toFixed(VIEW_DIGITS), lng.toFixed(VIEW_DIGITS)].join("/") });
  }

  /** A place chosen on the map stands in the map's own datum. */
  pick({ lng, lat }) {
    const place = { lon: Number(lng.toFixed(6)), lat: Number(lat.toFixed(6)), datum: "CGCS2000" };
    this.placeForm.show(place);
    return this.goTo(place, { isPicked: true }).catch((error) => this.fail(error));
  }

  /** Show a place and its square, and ask again what was asked. */
  async goTo(place, { isPicked = false, isFirst = false } = {}) {
    const at = place.datum === "CGCS2000" ? [place.lon, place.lat] : await convert(place);
    this.state.place = place;
    this.remember({ lon: String(place.lon), lat: String(place.lat), datum: place.datum });
    if (this.map) {
      this.marker ??= new this.Marker({ color: "#d6006c" });
      this.marker.setLngLat(at).addTo(this.map);
      const isInSight = this.map.getBounds().contains(at);
      if (!isPicked && !(isFirst && this.isViewGiven && isInSight)) this.map.jumpTo({ center: at, zoom: Math.max(PLACE_ZOOM, this.map.getZoom()) });
    }
    await this.select(await this.findSquare(at));
    await this.question.ask();
  }

  /** Return the square a place lies in, from what the map has drawn or, without a map, from the list. */
  async findSquare(at) {
    if (!this.published) return null;
    if (this.list) {
      const row = this.list.find(...at);
      return row && { id: row.id, told: row.told };
    }
    if (!this.map) return null;
    await this.drawn();
    const [found] = this.map.queryRenderedFeatures(this.map.project(at), { layers: ["squares"] });
    return found ? { id: found.properties.cell_id, told: found.properties } : null;
  }

  drawn() {
    return this.map.loaded() && this.map.areTilesLoaded() ? Promise.resolve() : new Promise((done) => this.map.once("idle", done));
  }

  async select(square) {
    this.square = square;
    if (this.map) markSelected(this.map, square?.id);
    this.list?.mark(square?.id ?? null);
    replace(this.told, this.published ? this.describe(square) : null);
  }

  describe(square) {
    if (!square) return h("p", { class: "notice" }, t("public_map.outside"));
    const { own, used, isAround } = classOf(square.told, this.published.classes);
    const flag = square.told.is_restricted ?? square.told.surroundings_is_restricted ?? null;
    return h("div", { class: "card" }, h("h2", null, t("public_map.here")),
      h("p", { class: "pm-class" }, swatch(own), own.label),
      isAround ? h("p", null, used ? [swatch(used, true), t("public_map.around_is", { label: used.label })] : t("public_map.around_none")) : null,
      h("p", { class: "small" }, t("public_map.restricted"), " ", flag === null ? t("unknown") : t(flag ? "yes" : "no"), " · ", t("public_map.square"), " ", h("span", { class: "mono" }, square.id)));
  }

  async judge() {
    return this.published && this.square ? classOf(this.square.told, this.published.classes) : null;
  }

  async toggleList() {
    const isHidden = this.listBox.classList.contains("hidden");
    if (isHidden && this.list === null) {
      replace(this.listBox, h("p", null, t("loading")));
      this.listBox.classList.remove("hidden");
      try {
        this.list = await squareList(this.published.classes, (row) => this.choose(row));
        replace(this.listBox, this.list.node);
        this.list.mark(this.square?.id ?? null);
      } catch (error) {
        replace(this.listBox, errorBox(error));
        return;
      }
    }
    this.listBox.classList.toggle("hidden", !isHidden);
    this.listButton.setAttribute("aria-expanded", String(isHidden));
    this.listButton.textContent = t(isHidden ? "public_map.hide_list" : "public_map.show_list");
    this.remember({ view: isHidden ? "list" : null });
    this.map?.resize();
  }

  /** A square chosen in the list stands for its middle. */
  async choose({ middle }) {
    const place = { lon: Number(middle[0].toFixed(6)), lat: Number(middle[1].toFixed(6)), datum: "CGCS2000" };
    this.placeForm.show(place);
    await this.goTo(place);
    say(t("public_map.chosen"));
  }

  /** Keep what is shown in the address, so that it can be handed on. */
  remember(changes) {
    Object.assign(this.state, changes);
    const kept = PINNED.filter((name) => this.state[name]).map((name) => [name, this.state[name]]);
    const query = new URLSearchParams(kept).toString().replaceAll("%2F", "/");
    history.replaceState(null, "", query === "" ? location.pathname : `?${query}`);
  }

  fail(error) {
    replace(this.told, errorBox(error));
  }
}
