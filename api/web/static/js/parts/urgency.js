/** How urgent a case is: a badge with the colour and the same in words. */

import { h } from "../base/dom.js";
import { addTexts, number, t, told } from "../base/texts.js";
import texts from "../texts/urgency.js";

addTexts(texts);

/** From the most urgent on, with the colour of its bars. */
export const URGENCIES = [
  { code: "overdue", colour: "#9b1c1c" },
  { code: "due", colour: "#c2570c" },
  { code: "soon", colour: "#d9a400" },
  { code: "ok", colour: "#2f8a57" },
  { code: "none", colour: "#7b8894" },
];

/** Return what is left of the time limit in words. */
export function leftText({ urgency, left_workdays: left }) {
  if (urgency === "overdue" && left !== 0) return t("urgency.late", { count: number(-left) });
  if (urgency === "soon" || urgency === "ok") return t("urgency.left", { count: number(left) });
  return told("urgency", urgency);
}

/** Return the badge of a case, with the last day below it. */
export function urgencyBadge(item) {
  return h("span", { class: "deadline" },
    h("span", { class: `badge urgency-${item.urgency}` }, leftText(item)),
    item.reply_due_on ? h("span", { class: "quiet small" }, t("urgency.until", { day: item.reply_due_on })) : null,
    item.alert ? h("span", { class: "small" }, t("urgency.alert", { colour: item.alert.text, receiver: item.alert.receiver })) : null);
}
