/** Axes as text: d3-scale finds the ticks, svg.js writes them. */
import { FAINT, GRID, figures, segment, words } from "./svg.js";

/** @typedef {import("d3-scale").ScaleContinuousNumeric<number, number>} Scale */

/** The horizontal axis below a chart. @param {Scale} x @param {number} y @param {string} label @param {{ ticks?: number, format?: (value: number) => string }} [how] */
export function below(x, y, label, { ticks = 6, format = tick } = {}) {
  const [start, end] = x.range();
  return [
    segment(Math.min(start, end), y, Math.max(start, end), y, { stroke: FAINT }),
    ...x.ticks(ticks).map((at) => segment(x(at), y, x(at), y + 5, { stroke: FAINT }) + words(x(at), y + 18, format(at), { "text-anchor": "middle", fill: FAINT })),
    words((start + end) / 2, y + 36, label, { "text-anchor": "middle" }),
  ].join("");
}

/** The vertical axis on the left of a chart with its grid lines. @param {Scale} y @param {number} x @param {number} end @param {string} label @param {{ ticks?: number, format?: (value: number) => string }} [how] */
export function beside(y, x, end, label, { ticks = 6, format = tick } = {}) {
  const [bottom, top] = y.range();
  return [
    ...y.ticks(ticks).map((at) => segment(x, y(at), end, y(at), { stroke: GRID }) + words(x - 6, y(at) + 4, format(at), { "text-anchor": "end", fill: FAINT })),
    words(0, 0, label, { "text-anchor": "middle", transform: `translate(14 ${(bottom + top) / 2}) rotate(-90)` }),
  ].join("");
}

/** A tick without noise of the last digit. @param {number} value */
export const tick = (value) => (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) ? value.toExponential(0).replace("e+", "e") : figures(value, 6).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""));
