/** What the results look at just now: a project, an element with everyone who wants it, or nothing; told to every part. */

/** @returns {{now: Object|null, set: function(Object|null): void, listen: function(function(Object|null): void): void}} */
export function openFocus() {
  const listeners = [];
  const focus = { now: null, set, listen: (listener) => listeners.push(listener) };
  return focus;

  /** `{project: id}`, `{kind, element}` or null. */
  function set(wanted) {
    focus.now = wanted;
    for (const listener of listeners) listener(wanted);
  }
}
