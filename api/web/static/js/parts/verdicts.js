/** What an assessment says of a project: a shape and a colour for each verdict, told apart without the colour, too. */

import { h, svg } from "../base/dom.js";
import { told } from "../base/texts.js";

export const VERDICTS = ["yes", "partly", "no", "not_assessable"];
/** Blue, amber, dark red and grey stay apart for the colour-blind; each has its own shape. */
export const COLOURS = { yes: "#0062a3", partly: "#e08a00", no: "#8c1329", not_assessable: "#6b7680" };
export const EDGE = "#ffffff";
const LOOKS = { yes: "verdict-yes", partly: "verdict-partly", no: "verdict-no", not_assessable: "" };
/** In a square of 20 by 20. */
const OUTLINES = {
  yes: "M10 1.5a8.5 8.5 0 1 0 0.01 0Z",
  partly: "M10 1.5L19 18H1Z",
  no: "M2.5 2.5H17.5V17.5H2.5Z",
  not_assessable: "M10 0.8L19.2 10L10 19.2L0.8 10Z",
};
const SIGN_PX = 20;

/** Return the sign of a verdict. */
export function verdictSign(verdict) {
  return svg("svg", { viewBox: `0 0 ${SIGN_PX} ${SIGN_PX}`, width: 14, height: 14, class: "verdict-sign", "aria-hidden": "true" },
    svg("path", { d: OUTLINES[verdict], fill: COLOURS[verdict] }));
}

/** Return sign and word. */
export function verdictBadge(verdict) {
  return h("span", { class: `badge verdict ${LOOKS[verdict] ?? ""}` }, verdictSign(verdict), told("assess.verdict", verdict));
}

/** Return sign, word and nothing around them, for legends. */
export function verdictKey(verdict) {
  return [verdictSign(verdict), told("assess.verdict", verdict)];
}

/** Draw the signs as pictures a map can show, `verdict-yes` and the like. */
export function addVerdictImages(map) {
  const ratio = 2;
  for (const verdict of VERDICTS) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = (SIGN_PX + 4) * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.translate(2, 2);
    const path = new Path2D(OUTLINES[verdict]);
    pen.lineWidth = 3;
    pen.lineJoin = "round";
    pen.strokeStyle = EDGE;
    pen.stroke(path);
    pen.fillStyle = COLOURS[verdict];
    pen.fill(path);
    map.addImage(`verdict-${verdict}`, pen.getImageData(0, 0, canvas.width, canvas.height), { pixelRatio: ratio });
  }
}
