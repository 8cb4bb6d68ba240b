/** What the engineer's map shows, kept in the address: a link shows the same, back and forward go through the steps. */

/** How nodes and lines may be coloured. */
export const COLOURINGS = ["open", "loading", "voltage"];
export const TABS = ["league", "loading", "profile", "hours", "several"];
const STEPS = ["node", "feeder", "by", "hour", "tab", "several"];
/** Changes of these alone are no step back: an hour may run by itself. */
const PASSING = new Set(["hour", "tab"]);

/**
 * Open the state in the address.
 * @returns {{now: Object, set: function(Object): void, move: function({lon: number, lat: number, zoom: number}): void,
 *   listen: function(function(Object, Set<string>): void): void}} `set` makes a step of the history, `move` does not;
 *   listeners hear what is now and which names changed (`view` only from the history).
 */
export function openState() {
  const listeners = [];
  const state = { now: read(), set, move, listen: (listener) => listeners.push(listener) };
  addEventListener("popstate", () => take(read(), true));
  return state;

  function set(changes) {
    const before = state.now;
    const next = { ...before, ...changes };
    const differ = STEPS.filter((name) => !same(before[name], next[name]));
    if (differ.length === 0) return;
    const isPassing = differ.every((name) => PASSING.has(name));
    history[isPassing ? "replaceState" : "pushState"](null, "", write(next));
    take(next, false);
  }

  function move(view) {
    state.now = { ...state.now, view };
    history.replaceState(null, "", write(state.now));
  }

  function take(next, hasView) {
    const before = state.now;
    state.now = next;
    const changed = new Set(STEPS.filter((name) => !same(before[name], next[name])));
    if (hasView && next.view !== null && !same(before.view, next.view)) changed.add("view");
    for (const listener of listeners) listener(next, changed);
  }
}

function read() {
  const query = new URLSearchParams(location.search);
  const hour = Number(query.get("hour") ?? NaN);
  return {
    node: query.get("node"),
    feeder: query.get("feeder"),
    by: COLOURINGS.includes(query.get("by")) ? query.get("by") : COLOURINGS[0],
    hour: Number.isInteger(hour) && hour >= 0 && query.get("hour") !== null ? hour : null,
    tab: TABS.includes(query.get("tab")) ? query.get("tab") : null,
    several: readSeveral(query.getAll("try")),
    view: readView(query.get("at")),
  };
}

function write({ node, feeder, by, hour, tab, several, view }) {
  const query = new URLSearchParams();
  if (node !== null) query.set("node", node);
  if (feeder !== null) query.set("feeder", feeder);
  if (by !== COLOURINGS[0]) query.set("by", by);
  if (hour !== null) query.set("hour", String(hour));
  if (tab !== null) query.set("tab", tab);
  for (const { node: id, kva } of several) query.append("try", `${kva ?? ""} ${id}`);
  if (view !== null) query.set("at", [view.lon.toFixed(6), view.lat.toFixed(6), view.zoom.toFixed(2)].join(","));
  const text = query.toString().replaceAll("%2C", ",");
  return text ? `${location.pathname}?${text}` : location.pathname;
}

/** Each is "kVA id": an id may hold anything, a number no blank. */
function readSeveral(texts) {
  return texts.map((text) => {
    const cut = text.indexOf(" ");
    const kva = Number(text.slice(0, cut));
    return { node: text.slice(cut + 1), kva: cut > 0 && kva > 0 ? kva : null };
  }).filter(({ node }) => node !== "");
}

function readView(text) {
  const [lon, lat, zoom] = (text ?? "").split(",").map(Number);
  const isView = [lon, lat, zoom].every(Number.isFinite) && Math.abs(lon) <= 180 && Math.abs(lat) < 90;
  return isView ? { lon, lat, zoom } : null;
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
