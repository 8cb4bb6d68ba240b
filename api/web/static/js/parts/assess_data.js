/** An assessment as the service keeps it: its parts asked for once, projects page by page, elements by kind and name. */

import { get } from "../base/api.js";

const PAGE = 200;
const LOOKED_AT_MAX = 20;

/** Return every row of a list that comes in pages; `onPage` is told how many there are by now, and in all where that is known. */
export async function allPages(path, query = {}, onPage = null) {
  const rows = [];
  let cursor = null;
  do {
    const asked = new URLSearchParams([...Object.entries(query), ["limit", PAGE], ...(cursor === null ? [] : [["cursor", cursor]])]);
    const page = await get(`${path}?${asked}`);
    rows.push(...page.items);
    cursor = page.next_cursor;
    onPage?.(rows.length, page.total ?? null);
  } while (cursor !== null);
  return rows;
}

/** Return one page of assessments, newest first. */
export async function listAssessments(limit = 50) {
  return (await get(`/v1/assessments?${new URLSearchParams({ limit })}`)).items;
}

/**
 * Return the projects of the newest assessment of the library on the grid and in the queue as they are, by id; none where
 * there is no such one: what would be after works says nothing of today.
 * @returns {{read: function(): Promise<Map<string, Object>>, forget: function(): void}}
 */
export function lastAnswers() {
  let kept = null;
  return { read: () => (kept ??= find()), forget: () => { kept = null; } };

  async function find() {
    const done = (await listAssessments()).filter(({ state, file }) => state === "done" && file === null);
    for (const { assessment_id: id } of done.slice(0, LOOKED_AT_MAX)) {
      const { scenario } = await get(`/v1/assessments/${id}`);
      if (!isAsItIs(scenario)) continue;
      const rows = await allPages(`/v1/assessments/${id}/projects`);
      return new Map(rows.map((row) => [row.project_id, row]));
    }
    return new Map();
  }
}

function isAsItIs({ upgrades, first_ids: first, excluded_ids: excluded }) {
  return upgrades.length + first.length + excluded.length === 0;
}

/** Return everything a result page shows. */
export async function loadResult(assessmentId, onPage) {
  const path = `/v1/assessments/${assessmentId}`;
  const [projects, conflicts, years, works, quotas] = await Promise.all([
    allPages(`${path}/projects`, {}, onPage), ...["conflicts", "years", "works", "quotas"].map(async (part) => (await get(`${path}/${part}`)).items),
  ]);
  const byId = new Map(projects.map((row) => [row.project_id, row]));
  const names = new Map([...years, ...conflicts].map((one) => [elementKey(one.element_kind, one.element_id), one.name]));
  const contests = new Map(conflicts.map((one) => [elementKey(one.element_kind, one.element_id), one]));
  return { projects, conflicts, years, works, quotas, byId, names, contests };
}

export function elementKey(kind, id) {
  return `${kind}:${id}`;
}

/** Return the projects an element would carry, each where it would be alone or is in the queue. */
export function projectsOf(result, kind, id) {
  const isThere = (answer) => answer.placement?.elements.some(([one, other]) => one === kind && other === id);
  return result.projects.filter(({ alone, queue }) => isThere(alone) || isThere(queue));
}

/** Return the feeders on which the projects of an element stand, to be shown on the map. */
export function feedersOf(result, kind, id) {
  if (kind === "feeder") return [id];
  const found = projectsOf(result, kind, id).flatMap(({ alone, queue }) => [alone, queue]).filter(({ placement }) => placement?.elements.some(([one, other]) => one === kind && other === id))
    .flatMap(({ placement }) => placement.elements.filter(([one]) => one === "feeder").map(([, feeder]) => feeder));
  return [...new Set(found)];
}
