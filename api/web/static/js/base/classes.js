/** Colours of capacity: one sequence that stays in order for the colour-blind and in grey, and patterns for "unknown". */

/** From little to much; ColorBrewer's YlGnBu, of which every second step differs by a contrast of at least 1.3. */
export const SEQUENCE = ["#ffffcc", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84"];
export const ZERO = "#b2182b";
export const UNKNOWN = "#bdbdbd";
export const EDGE = "#33424f";

/** Return one colour for each of `count` classes, from little to much. */
export function colours(count) {
  if (count <= 1) return [SEQUENCE[3]];
  return Array.from({ length: count }, (_, place) => SEQUENCE[Math.round((place * (SEQUENCE.length - 1)) / (count - 1))]);
}

/** Return black or white, whichever is read better on a colour (WCAG 2.2, relative luminance). */
export function inkOn(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}
