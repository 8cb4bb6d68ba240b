/** What the published class of a place lets one expect: an indication, never a promise. */

import { kva, t } from "../base/texts.js";

/**
 * Judge a wish by the class of the square it lies in. A class says what at least half of the transformers of the square
 * can take at low voltage for one customer; it says nothing of 10 kV.
 * @param {{supply: Object|null}} guide What the rules say.
 * @param {{used: Object|null, isAround: boolean}|null} judged `classOf` of the square; null: no place, or no square there.
 * @returns {{answer: "yes"|"up_to"|"needs_works"|"unknown"|"review", tone: string, text: string, why: string}}
 */
export function indicate(guide, judged) {
  const told = (answer, tone, values = {}) => ({ answer, tone, text: t(`public_map.says.${answer}`, values), why: t(`public_map.why.${answer}`, values) });
  if (guide.supply === null) return told("review", "warn");
  const wanted = guide.supply.capacity_kva;
  const silent = (why) => ({ answer: "unknown", tone: "", text: t("public_map.says.unknown"), why: t(why) });
  if (guide.supply.voltage === "10kV") return silent("public_map.why.ten_kv");
  if (judged === null) return silent("public_map.why.no_square");
  const { used } = judged;
  if (used === null || used.kind !== "band") return silent("public_map.why.unknown");
  const values = { wanted: kva(wanted), min: kva(used.minKva), below: used.belowKva === null ? "" : kva(used.belowKva) };
  if (used.minKva === 0) return told("needs_works", "bad", values);
  return wanted <= used.minKva ? told("yes", "good", values) : told("up_to", "warn", values);
}
