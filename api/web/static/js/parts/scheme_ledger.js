/** What a scheme has taken of the grid: its hold, where it stands, and every booking of the ledger. */

import { h } from "../base/dom.js";
import { day, kva, moment, number, t, told } from "../base/texts.js";
import { plainTable } from "./plain_table.js";
import { stateBadge } from "./queue_table.js";

/** Return the ledger's side of a scheme; `hold` is `null` where it was never issued. */
export function ledger(hold) {
  if (hold === null) return h("p", { class: "quiet" }, t("scheme.no_hold"));
  const delta = (value) => (value === 0 ? "0" : `${value > 0 ? "+" : "−"}${number(Math.abs(value), 3)}`);
  return h("div", null,
    h("dl", { class: "facts wide" },
      fact("state", stateBadge(hold.state)), fact("capacity", kva(hold.capacity_kva)), fact("expires_on", day(hold.expires_on)),
      fact("created_at", moment(hold.created_at)), fact("hold_id", hold.hold_id), fact("certificate_id", hold.certificate_id)),
    hold.is_orphan ? h("p", { class: "notice bad" }, t("scheme.orphan")) : null,
    plainTable(t("scheme.sources"), hold.sources, [
      ["source", ({ source_no: no }) => number(no)], ["node", ({ node_element_id: id }) => id], ["capacity", ({ share_kva: share }) => kva(share), true],
      ["accounts", ({ path }) => path.join(" → ")]]),
    plainTable(t("scheme.entries"), hold.entries, [
      ["seq", ({ seq }) => number(seq), true], ["at", ({ at }) => moment(at)], ["kind", ({ kind }) => told("scheme.entry", kind)], ["account", ({ account_id: id }) => id ?? ""],
      ["held_delta", ({ held_delta_kva: value }) => delta(value), true], ["posted_delta", ({ posted_delta_kva: value }) => delta(value), true]]));
}

function fact(name, content) {
  return h("div", null, h("dt", null, t(`scheme.${name}`)), h("dd", null, content));
}
