/** By what the engineer's map is coloured: classes with their limits in numbers, as expressions and for counting. */

import { colours, UNKNOWN, ZERO } from "../base/classes.js";
import { number, percent, t } from "../base/texts.js";

const LOADING = ["#8296a6", "#3f7cac", "#b98300", "#d1590b", "#8f1414"];
const LOADING_WIDTHS = [1.6, 2, 2.8, 3.8, 5];
const VOLTAGE = ["#8c510a", "#d8b365", "#f6e8c3", "#c7eae5", "#5ab4ac", "#01665e"];
/** Parts of a limit, and of the way from the nominal voltage to the end of its band. */
const LOADING_PARTS = [0.25, 0.5, 0.75, 1];
const BAND_PARTS = [-1, -0.5, 0, 0.5, 1];
export const NEUTRAL = "#5f7281";

/**
 * Return how to colour: `of` says what is counted; `classes` are `{key, colour, label, mark?}`; `classOf` gives the key
 * of an object's properties; `colour` is the same as an expression.
 * @param {Object} grid answer of `/v1/grid`
 * @param {{by: string, hour: number|null}} wanted
 * @param {number[]} levels nominal voltages (kV) the legend is to tell the limits of
 */
export function colouring(grid, { by, hour }, levels = []) {
  if (by === "loading") return byLoading(grid);
  if (by === "voltage") return byVoltage(grid, levels);
  return byOpen(grid, hour !== null);
}

/** Colour of a figure of open capacity as the map has it. */
export function openColour(grid, openKva) {
  const scheme = byOpen(grid, false);
  return scheme.classes.find(({ key }) => key === scheme.classOf({ open_kva: openKva })).colour;
}

function byOpen(grid, isHour) {
  const bands = grid.classes.filter(({ open_kva_min: low }) => low !== null && low !== undefined);
  const shades = colours(bands.length);
  const edges = bands.slice(1).map(({ open_kva_min: low }) => low);
  const value = isHour ? ["feature-state", "h"] : ["get", "open_kva"];
  const classes = [
    { key: "unknown", colour: UNKNOWN, label: t("unknown"), mark: "unknown" },
    { key: "zero", colour: ZERO, label: t("console.zero"), mark: "zero" },
    ...bands.map((band, place) => ({ key: `c${place}`, colour: shades[place], label: bandLabel(band) })),
  ];
  const expression = (of) => ["case", isNot(of), UNKNOWN, ["<=", ["to-number", of], 0], ZERO, steps(of, edges, shades)];
  return {
    of: "nodes",
    classes,
    classOf: ({ open_kva: openKva }) => keyOf(openKva, edges),
    colour: expression(value),
    cells: expression(["get", "open_kva_max"]),
    isUnknown: isNot(value),
    isZero: ["case", isNot(value), false, ["<=", ["to-number", value], 0]],
  };
}

function bandLabel({ open_kva_min: low, open_kva_below: high }) {
  if (high === null || high === undefined) return t("console.class_from", { low: number(low) });
  return low > 0 ? t("console.class_between", { low: number(low), high: number(high) }) : t("console.class_below", { high: number(high) });
}

function byLoading(grid) {
  const limit = ["coalesce", ["get", "limit_ratio"], grid.loading_limits.line];
  const share = ["/", ["to-number", ["get", "loading_ratio"]], limit];
  const isUnknown = isNot(["get", "loading_ratio"]);
  const told = (part) => percent(part * grid.loading_limits.line, 0);
  const labels = [
    t("console.loading_below", { high: told(LOADING_PARTS[0]) }),
    ...LOADING_PARTS.slice(1).map((part, place) => `${told(LOADING_PARTS[place])} – ${told(part)}`),
    t("console.loading_over", { limit: told(1) }),
  ];
  return {
    of: "lines",
    classes: [
      { key: "unknown", colour: UNKNOWN, label: t("unknown"), mark: "dashed" },
      ...labels.map((label, place) => ({ key: `c${place}`, colour: LOADING[place], label, widthPx: LOADING_WIDTHS[place] })),
    ],
    classOf: ({ loading_ratio: ratio, limit_ratio: most }) =>
      keyOf(isNumber(ratio) ? ratio / (most ?? grid.loading_limits.line) : null, LOADING_PARTS, false),
    colour: ["case", isUnknown, UNKNOWN, steps(share, LOADING_PARTS, LOADING)],
    widthPx: ["case", isUnknown, LOADING_WIDTHS[0], steps(share, LOADING_PARTS, LOADING_WIDTHS)],
    isUnknown,
  };
}

function byVoltage(grid, levels) {
  const bands = grid.voltage_bands;
  const isIn = ({ u_nominal_kv_min: low, u_nominal_kv_max: high }) => ["all", [">=", ["get", "u_kv"], low], ["<=", ["get", "u_kv"], high]];
  const parts = (band) => steps(["get", "u_pu"], BAND_PARTS.map((part) => edge(band, part)), VOLTAGE);
  const labels = VOLTAGE.map((_, place) => voltageLabel(bands, levels, place));
  const isUnknown = ["any", isNot(["get", "u_pu"]), ["!", ["any", ...bands.map(isIn)]]];
  return {
    of: "nodes",
    classes: [
      { key: "unknown", colour: UNKNOWN, label: t("unknown"), mark: "unknown" },
      ...labels.map((label, place) => ({ key: `c${place}`, colour: VOLTAGE[place], label, isEdge: place === 0 || place === VOLTAGE.length - 1 })),
    ],
    classOf: ({ u_pu: u, u_kv: nominal }) => {
      const band = bandOf(bands, nominal);
      return band === undefined ? "unknown" : keyOf(u, BAND_PARTS.map((part) => edge(band, part)), false);
    },
    colour: ["case", isUnknown, UNKNOWN, ...bands.flatMap((band) => [isIn(band), parts(band)]), UNKNOWN],
    isOutside: ["case", isUnknown, false, ...bands.flatMap((band) => [isIn(band),
      ["any", ["<", ["get", "u_pu"], band.u_pu_min], [">", ["get", "u_pu"], band.u_pu_max]]]), false],
    isUnknown,
  };
}

function edge({ u_pu_min: low, u_pu_max: high }, part) {
  return part < 0 ? 1 + part * (1 - low) : 1 + part * (high - 1);
}

/** Return the first band a nominal voltage (kV) lies in: special ones stand before the general one. */
export function bandOf(bands, nominal) {
  return bands.find(({ u_nominal_kv_min: low, u_nominal_kv_max: high }) => nominal >= low && nominal <= high);
}

/** One line a level of voltage, or a single one where all have the same; the broadest band's where no level is known. */
function voltageLabel(bands, levels, place) {
  const range = (band) => {
    const [low, high] = [place - 1, place].map((at) => (BAND_PARTS[at] === undefined ? null : number(edge(band, BAND_PARTS[at]), 3)));
    return low === null ? `< ${high}` : high === null ? `> ${low}` : `${low} – ${high}`;
  };
  const known = levels.map((level) => [level, bandOf(bands, level)]).filter(([, band]) => band !== undefined);
  const width = ({ u_nominal_kv_min: low, u_nominal_kv_max: high }) => high - low;
  if (known.length === 0) return range(bands.reduce((broad, band) => (width(band) > width(broad) ? band : broad)));
  if (new Set(known.map(([, band]) => range(band))).size === 1) return range(known[0][1]);
  return known.map(([level, band]) => t("console.of_level", { range: range(band), level: number(level, 2) })).join("\n");
}

/** Return the key of a class: an edge itself belongs to the class above it. */
function keyOf(value, edges, hasZero = true) {
  if (!isNumber(value)) return "unknown";
  if (hasZero && value <= 0) return "zero";
  return `c${edges.filter((one) => value >= one).length}`;
}

function isNumber(value) {
  return typeof value === "number" && !Number.isNaN(value);
}

function isNot(value) {
  return ["!=", ["typeof", value], "number"];
}

function steps(value, edges, outputs) {
  return edges.length === 0 ? outputs[0] : ["step", ["to-number", value], outputs[0], ...edges.flatMap((one, place) => [one, outputs[place + 1]])];
}
