/** One project's answers in words: alone, in the queue, and what stands in the way. */

import { h } from "../base/dom.js";
import { kva, number, t, told } from "../base/texts.js";
import { elementKey } from "./assess_data.js";

/** Return an answer in a few words. */
export function shortAnswer({ verdict, now_kva: now, asked_kva: asked, reason }) {
  if (verdict === "yes") return t("assess.answer.yes", { kva: kva(now) });
  if (verdict === "partly") return t("assess.answer.partly", { kva: kva(now), asked: kva(asked) });
  if (verdict === "no") return t("assess.answer.no", { asked: kva(asked) });
  return reason ?? told("assess.verdict", verdict);
}

/** Return both answers in one sentence. */
export function answerText({ alone, queue, queue_no: no }) {
  return t("assess.answer_told", { alone: shortAnswer(alone), queue: shortAnswer(queue), no: number(no) });
}

/** Return what is in the way; null where nothing is known to be. */
export function limiterText({ limiter }, names) {
  if (limiter === null) return null;
  const { kind, contested, element_id: id } = limiter;
  const element = contested === null ? id : elementName(names, ...contested);
  return [told("limit", kind), element].filter(Boolean).join(" · ");
}

/** Return what an element is called. */
export function elementName(names, kind, id) {
  return names.get(elementKey(kind, id)) ?? `${told("assess.element", kind)} ${id}`;
}

/** Return the connection point in words; null where there is none. */
export function pointText({ placement }) {
  return placement === null ? null : [placement.point_name || placement.element_source_id, placement.feeder].filter(Boolean).join(" · ");
}

/** Return a button that shows a project. */
export function projectButton({ project_id: id, name }, onPick) {
  return h("button", { type: "button", class: "plain name", onclick: () => onPick(id) }, name);
}
