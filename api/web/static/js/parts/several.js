/** Several places asked for, side by side: each alone against what its node has; what they do to each other is a run. */

import { h, replace } from "../base/dom.js";
import { kva, number, t, told } from "../base/texts.js";
import { applyUrl } from "./node_panel.js";

/**
 * Make the table.
 * @param {{onChange: function({node: string, kva: number|null}[]): void, onShow: function(string): void}} act
 * @returns {{node: HTMLElement, draw: function({node: string, kva: number|null}[], Map<string, Object>): void}}
 */
export function severalTable({ onChange, onShow }) {
  const node = h("div");
  return { node, draw };

  function draw(list, known) {
    if (list.length === 0) {
      replace(node, h("p", { class: "quiet" }, t("console.several_none")));
      return;
    }
    replace(node,
      h("p", { class: "notice" }, t("console.several_hint"), " ", h("a", { href: "/console/projects" }, t("console.several_run"))),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("console.tab_several") }, h("table", { class: "compact", id: "several" },
        h("thead", null, h("tr", null, ["node", "asked", "open", "verdict", "limit", "voltage", "feeder", "act"].map((name) =>
          h("th", { scope: "col", class: ["asked", "open", "voltage"].includes(name) ? "number" : null }, t(`console.several_${name}`))))),
        h("tbody", null, list.map((one, place) => row(one, place, known.get(one.node), list))))),
      sums(list, known));
  }

  function row(one, place, found, list) {
    const change = (event) => onChange(list.map((other, at) => (at === place ? { ...other, kva: Number(event.target.value) > 0 ? Number(event.target.value) : null } : other)));
    return h("tr", null,
      h("th", { scope: "row" }, h("button", { type: "button", class: "plain", onclick: () => onShow(one.node) }, `${place + 1}. ${found?.name ?? one.node}`)),
      h("td", { class: "number" }, h("input", { type: "number", min: 0, step: "any", class: "short", value: one.kva ?? "", "aria-label": t("console.asked_of", { name: found?.name ?? one.node }), onchange: change })),
      h("td", { class: "number" }, found === undefined ? "…" : kva(found.open_kva)),
      h("td", null, verdict(one, found)),
      h("td", null, found?.limit ? `${told("limit", found.limit.kind)} · ${found.limit.name ?? found.limit.element_id ?? ""}` : "–"),
      h("td", { class: "number" }, found === undefined ? "…" : number(found.u_pu, 4)),
      h("td", null, found?.feeder_name ?? found?.feeder_id ?? "–"),
      h("td", null, typeof found?.lon_deg !== "number" ? null : h("a", { href: applyUrl(found) }, t("console.ask_here")), " ",
        h("button", { type: "button", class: "plain", "aria-label": t("console.remove_of", { name: found?.name ?? one.node }), onclick: () => onChange(list.filter((_, at) => at !== place)) }, t("console.remove"))));
  }
}

function verdict({ kva: asked }, found) {
  if (found === undefined) return "…";
  if (typeof found.open_kva !== "number") return h("span", { class: "badge" }, t("console.verdict_unknown"));
  if (asked === null) return h("span", { class: "quiet" }, t("console.verdict_ask"));
  return asked <= found.open_kva ? h("span", { class: "badge good" }, t("console.verdict_fits"))
    : h("span", { class: "badge bad" }, t("console.verdict_over", { kva: kva(asked - found.open_kva) }));
}

/** Those on one feeder weigh on the same account: their sum against the account's room. */
function sums(list, known) {
  const byAccount = new Map();
  for (const { node: id, kva: asked } of list) {
    for (const account of known.get(id)?.path ?? []) {
      const sum = byAccount.get(account.account_id) ?? { account, asked: 0, count: 0 };
      byAccount.set(account.account_id, { account, asked: sum.asked + (asked ?? 0), count: sum.count + 1 });
    }
  }
  const shared = [...byAccount.values()].filter(({ count }) => count > 1);
  if (shared.length === 0) return null;
  return h("ul", { class: "small" }, shared.map(({ account, asked, count }) => h("li", null,
    t("console.shared", { name: account.name ?? account.element_id, count, asked: kva(asked), open: kva(account.open_kva) }),
    typeof account.open_kva === "number" && asked > account.open_kva ? h("span", { class: "badge bad" }, t("console.over_limit")) : null)));
}
