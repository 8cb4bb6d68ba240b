/** An assessment in a few figures, what it assumed, what it stands on, and its files. */

import { ApiError, download } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { day, kva, moment, number, percent, t, told } from "../base/texts.js";
import { sortedTable } from "./sorted_table.js";
import { verdictSign, VERDICTS } from "./verdicts.js";

const FORMS = ["xlsx", "pdf", "geojson", "json"];

/** Return the figures of an assessment that is done. */
export function headFigures({ counts, with_works: withWorks }, works) {
  const triggered = works.filter(({ work }) => work.is_triggered).length;
  const tile = (label, value, more = null, mark = null) => h("div", { class: "tile" }, h("dt", null, mark, label), h("dd", null, h("strong", null, value), more === null ? null : h("span", { class: "quiet small" }, more)));
  return h("dl", { class: "tiles" },
    VERDICTS.map((verdict) => tile(told("assess.verdict", verdict), number(counts.queue[verdict] ?? 0), t("assess.of_alone", { count: number(counts.alone[verdict] ?? 0) }), verdictSign(verdict))),
    tile(t("assess.served_kva"), kva(counts.served_kva), t("assess.of_asked", { kva: kva(counts.asked_kva), share: percent(counts.asked_kva > 0 ? counts.served_kva / counts.asked_kva : null, 0) })),
    tile(t("assess.count.conflicts"), number(counts.conflicts), t("assess.groups", { count: number(counts.groups) })),
    tile(t("assess.count.runs_out"), number(counts.runs_out)),
    withWorks ? tile(t("assess.count.works"), number(counts.works), t("assess.count.triggered", { count: number(triggered) })) : tile(t("assess.count.works"), "–", t("assess.not_planned")));
}

/** Return the buttons of the files. */
export function fileButtons(assessmentId) {
  const failed = h("div");
  return h("div", null, h("div", { class: "row" }, h("span", { class: "quiet" }, t("download")), FORMS.map((form) =>
    h("button", { type: "button", class: "second small", onclick: () => save(form) }, told("assess.file", form)))), failed);

  async function save(form) {
    replace(failed);
    try {
      await download(`/v1/assessments/${assessmentId}/files/${form}`, `${assessmentId}.${form}`);
    } catch (error) {
      replace(failed, errorBox(error));
      if (!(error instanceof ApiError)) throw error;
    }
  }
}

/** Return what was assumed and what the result stands on. */
export function basis(view, result) {
  const { scenario, provenance, findings, findings_total: total } = view;
  const nameOf = (id) => result.byId.get(id)?.name ?? id;
  const growth = Object.entries(scenario.growth_by_year_ratio);
  const rows = [
    ["assess.first", scenario.first_ids.map(nameOf).join("; ")],
    ["assess.excluded", scenario.excluded_ids.length === 0 ? "" : t("assess.count_told", { count: number(scenario.excluded_ids.length) })],
    ["assess.growth", growth.map(([year, ratio]) => `${year}: ${percent(ratio)}`).join("; ")],
    ["assess.upgrades", scenario.upgrades.map(upgradeText).join("; ")],
    ["assess.as_of", day(view.as_of)], ["assess.by", `${view.created_by} · ${moment(view.created_at)}`],
    ...(provenance === null ? [] : [["assess.profile", provenance.profile], ["assess.snapshot", h("code", null, provenance.snapshot_sha256.slice(0, 16))], ["assess.ledger", number(provenance.ledger_seq)], ["assess.policy", h("code", null, provenance.policy_sha256.slice(0, 16))], ["assess.version", provenance.version]]),
  ];
  const table = sortedTable({ label: t("assess.left_out"), columns: [
    { head: t("projects.row"), isNumber: true, order: ({ row }) => row, cell: ({ row }) => (row === null ? "" : String(row)) },
    { head: t("projects.name"), order: ({ element_id: id }) => id, cell: ({ element_id: id }) => h("span", { class: "mono" }, id ?? "") },
    { head: t("projects.column"), order: ({ column }) => column, cell: ({ column }) => column ?? "" },
    { head: t("projects.value"), cell: ({ value }) => value ?? "" },
    { head: t("projects.expected"), cell: ({ expected }) => expected },
    { head: t("projects.consequence"), cell: ({ consequence }) => consequence },
  ] });
  table.show(findings);
  return h("div", null, h("p", { class: "quiet small" }, t("assess.no_hold")),
    h("dl", { class: "facts" }, rows.map(([name, value]) => h("div", null, h("dt", null, t(name)), h("dd", null, value === "" ? h("span", { class: "quiet" }, t("none")) : value)))),
    findings.length === 0 ? null : [h("h3", null, t("assess.left_out_count", { count: number(total) })), table.node]);
}

/** Return an upgrade in words. */
export function upgradeText({ table, element_id: id, type_id: type, sn_kva: rating }) {
  return t("assess.upgrade", { element: `${told("assess.upgrade_table", table)} ${id}`, to: type ?? kva(rating) });
}
