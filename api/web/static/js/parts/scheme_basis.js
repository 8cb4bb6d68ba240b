/** What a scheme rests on: policy values with clause, where it was computed from, how to repeat it, its documents. */

import { download, getBlob } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { errorBox } from "../base/page.js";
import { number, percent, t, told } from "../base/texts.js";

/** Kind in the address by file, as the service serves them. */
const KINDS = {
  "scheme.json": "json", "scheme.docx": "docx", "scheme.pdf": "pdf", "diagram.svg": "diagram", "diagram.dxf": "diagram_dxf",
  "map.svg": "map", "works_order.docx": "works_order_docx", "works_order.pdf": "works_order_pdf",
};
const OPS = { lt: "<", le: "≤", ge: "≥", gt: ">" };

/** Return the searchable table of policy values. */
export function policyReads(scheme) {
  const body = h("tbody");
  const shown = h("p", { class: "quiet small", "aria-live": "polite" });
  const search = h("input", { id: "policy-search", type: "search", autocomplete: "off", oninput: fill });
  fill();
  return h("div", null,
    h("div", { class: "field" }, h("label", { for: "policy-search" }, t("scheme.policy_search")), search), shown,
    h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": t("scheme.policy") }, h("table", { class: "compact" },
      h("thead", null, h("tr", null, ["parameter", "value", "clause", "profile", "effective"].map((name) => h("th", { scope: "col" }, t(`scheme.${name}`))))), body)));

  function fill() {
    const words = search.value.trim().toLowerCase();
    const found = scheme.policy_reads.filter((read) => [read.name, read.id, read.clause, read.document].some((text) => text.toLowerCase().includes(words)));
    shown.textContent = t("scheme.policy_shown", { shown: number(found.length), total: number(scheme.policy_reads.length) });
    replace(body, found.map((read) => h("tr", null,
      h("td", null, read.name || read.id, h("span", { class: "quiet small block" }, read.id)),
      h("td", null, valueOf(read)),
      h("td", null, read.clause, read.document !== read.clause ? h("span", { class: "quiet small block" }, read.document) : null),
      h("td", null, read.profile), h("td", null, read.effective_from))));
  }
}

function valueOf({ value, unit, op }) {
  const sign = op === null ? "" : `${OPS[op] ?? op} `;
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (typeof value === "number") return unit === "ratio" ? `${sign}${percent(value, 2)}` : `${sign}${number(value, 6)} ${told("scheme.policy_unit", unit)}`;
  if (typeof value === "string") return value;
  return h("details", null, h("summary", null, t("scheme.show_value")), h("pre", null, JSON.stringify(value, null, 1)));
}

/** Return where the scheme comes from, the command that repeats it, and its documents. */
export function provenance(scheme) {
  const names = ["as_of", "profile", "engine", "version", "snapshot_sha256", "policy_sha256", "catalogue_sha256", "capacity_parameters_sha256", "stock_sha256", "ledger_seq", "ledger_sha256"];
  const told_ = h("div");
  const save = (kind, file) => async () => {
    try {
      await download(address(scheme, kind), `${scheme.scheme_id}-${file}`);
      replace(told_);
    } catch (error) {
      replace(told_, errorBox(error));
    }
  };
  const files = scheme.documents.filter(({ file }) => KINDS[file] !== undefined);
  return h("div", null,
    h("h3", null, t("scheme.documents")), told_,
    h("ul", { class: "row documents" }, files.map(({ file, template_version: version }) => h("li", null,
      h("button", { type: "button", class: "second", onclick: save(KINDS[file], file) }, `${t("download")} ${told("scheme.document", KINDS[file])}`),
      version ? h("span", { class: "quiet small" }, ` ${t("scheme.template", { version })}`) : null))),
    h("h3", null, t("scheme.replay")), h("p", null, t("scheme.replay_text")), h("pre", null, `gridscheme replay ${scheme.scheme_id}-scheme.json`),
    h("h3", null, t("scheme.provenance")),
    h("dl", { class: "facts wide" }, names.map((name) => h("div", null, h("dt", null, t(`scheme.${name}`)), h("dd", { class: "digest" }, String(scheme.provenance[name] ?? t("none")))))));
}

/** Return the single-line diagram: an image, never markup of this page. */
export function diagram(scheme) {
  const place = h("div", { class: "diagram" }, h("p", { class: "quiet" }, t("loading")));
  if (!scheme.documents.some(({ file }) => file === "diagram.svg")) return replace(place, h("p", { class: "quiet" }, t("scheme.no_diagram")));
  getBlob(address(scheme, "diagram")).then((blob) => {
    const image = h("img", { src: URL.createObjectURL(new Blob([blob], { type: "image/svg+xml" })), alt: t("scheme.diagram_alt") });
    replace(place, image);
  }, (error) => replace(place, errorBox(error)));
  return place;
}

function address(scheme, kind) {
  return `/v1/schemes/${encodeURIComponent(scheme.scheme_id)}/documents/${kind}`;
}
