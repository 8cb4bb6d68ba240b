/** The audit trail: who changed what, in which role, why; newest first, by object or by person. */

import { h } from "../base/dom.js";
import { moment, number, t, told } from "../base/texts.js";
import { longTable } from "./long_table.js";

/** Return the trail with its filter. */
export function auditTrail() {
  const table = longTable({ label: t("operator.audit"), columns: [
    { head: t("operator.audit.seq"), cell: ({ seq }) => number(seq), isNumber: true },
    { head: t("operator.audit.at"), cell: ({ at }) => moment(at) },
    { head: t("operator.audit.action"), cell: ({ action }) => h("code", null, action) },
    { head: t("operator.audit.object"), cell: ({ object_id: object }) => pick("object", object) },
    { head: t("operator.audit.subject"), cell: ({ subject_id: subject }) => pick("subject", subject) },
    { head: t("operator.audit.role"), cell: ({ role }) => told("role", role) },
    { head: t("operator.audit.reason"), cell: ({ reason }) => reason },
  ] });
  const object = h("input", { id: "audit-object", autocomplete: "off", spellcheck: "false" });
  const subject = h("input", { id: "audit-subject", autocomplete: "off", spellcheck: "false" });
  find();
  return h("div", null,
    h("form", { class: "filters", onsubmit: (event) => { event.preventDefault(); find(); } },
      h("div", null, h("label", { for: "audit-object" }, t("operator.audit.object")), object, h("p", { class: "quiet small" }, t("operator.audit.object.hint"))),
      h("div", null, h("label", { for: "audit-subject" }, t("operator.audit.subject")), subject),
      h("button", { type: "submit" }, t("operator.audit.find"))),
    table.node);

  function find() {
    table.load("/v1/audit", { object_id: object.value.trim(), subject_id: subject.value.trim() });
  }

  function pick(which, value) {
    return h("button", { type: "button", class: "plain", onclick: () => {
      (which === "object" ? object : subject).value = value;
      find();
    } }, value);
  }
}
