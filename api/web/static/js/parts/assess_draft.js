/** A scenario as it is being made: names beside ids, growth in percent as people write it. */

/** Return an empty one. */
export function emptyDraft() {
  return { scenarioId: null, versionNo: null, name: "", scope: "all", first: [], excluded: [], growth: [], upgrades: [], withWorks: false, file: null };
}

/** Return the draft of a saved scenario; names of its projects are looked up by `nameOf`. */
export async function draftOf(saved, nameOf) {
  const named = (ids) => Promise.all(ids.map(async (id) => ({ id, name: await nameOf(id) })));
  return {
    ...emptyDraft(), scenarioId: saved.scenario_id, versionNo: saved.version_no, name: saved.name,
    first: await named(saved.first_ids), excluded: await named(saved.excluded_ids),
    growth: Object.entries(saved.growth_by_year_ratio).map(([year, ratio]) => ({ year, percent: String(Number((ratio * 100).toFixed(6))) })),
    upgrades: [...saved.upgrades], projectIds: saved.project_ids,
  };
}

/**
 * Return the scenario as the service takes it.
 * @param {Object} draft
 * @param {string} name Where none is given.
 */
export function entryOf(draft, name) {
  const growth = draft.growth.filter(({ year, percent }) => year !== "" && percent !== "").map(({ year, percent }) => [String(year), Number(percent) / 100]);
  return {
    name: draft.name.trim() || name,
    first_ids: draft.first.map(({ id }) => id),
    excluded_ids: draft.excluded.map(({ id }) => id),
    ...(draft.projectIds ? { project_ids: draft.projectIds } : {}),
    growth_by_year_ratio: Object.fromEntries(growth),
    upgrades: draft.upgrades,
  };
}
