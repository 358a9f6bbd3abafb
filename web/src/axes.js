/** Axes as text: d3-scale finds the ticks, svg.js writes them. */
import { tr } from "./language.js";
import { FAINT, GRID, figures, segment, words } from "./svg.js";

/** @typedef {import("d3-scale").ScaleContinuousNumeric<number, number>} Scale */

const LARGE = [{ least: 1e12, name: tr`trillion` }, { least: 1e9, name: tr`billion` }, { least: 1e6, name: tr`million` }];
const MOST_DECIMALS = 4;

/** The horizontal axis below a chart. @param {Scale} x @param {number} y @param {string} label @param {{ ticks?: number, format?: (value: number) => string, ends?: string[] }} [how] with words at both ends */
export function below(x, y, label, { ticks = 6, format, ends } = {}) {
  const [start, end] = x.range();
  const at = x.ticks(ticks);
  const { write, unit } = format ? { write: format, unit: "" } : formatOf(at);
  return [
    segment(Math.min(start, end), y, Math.max(start, end), y, { stroke: FAINT }),
    ...at.map((value) => segment(x(value), y, x(value), y + 5, { stroke: FAINT }) + words(x(value), y + 18, write(value), { "text-anchor": "middle", fill: FAINT })),
    words((start + end) / 2, y + 36, label + (label ? unit : ""), { "text-anchor": "middle" }),
    ends ? atEnds(start, end, y + 36, ends) : "",
  ].join("");
}

/** Every axis of lambda runs this way. */
export const STRENGTHS = [tr`← stronger`, tr`weaker →`];

/** Words at both ends of an axis. @param {number} start @param {number} end @param {number} y @param {string[]} ends */
export const atEnds = (start, end, y, [first, last]) => words(start, y, first, { fill: FAINT }) + words(end, y, last, { fill: FAINT, "text-anchor": "end" });

/** The vertical axis on the left of a chart with its grid lines. @param {Scale} y @param {number} x @param {number} end @param {string} label @param {{ ticks?: number, format?: (value: number) => string }} [how] */
export function beside(y, x, end, label, { ticks = 6, format } = {}) {
  const [bottom, top] = y.range();
  const at = y.ticks(ticks);
  const { write, unit } = format ? { write: format, unit: "" } : formatOf(at);
  return [
    ...at.map((value) => segment(x, y(value), end, y(value), { stroke: GRID }) + words(x - 6, y(value) + 4, write(value), { "text-anchor": "end", fill: FAINT })),
    words(0, 0, label + unit, { "text-anchor": "middle", transform: `translate(14 ${(bottom + top) / 2}) rotate(-90)` }),
  ].join("");
}

/**
 * How the ticks of one axis are written: all with as many decimals as tell neighbours apart, in millions and the like
 * (the unit, for the label of the axis) where they are large, and with an exponent where they are very small.
 * @param {number[]} ticks @returns {{ write: (value: number) => string, unit: string }}
 */
export function formatOf(ticks) {
  const most = Math.max(...ticks.map(Math.abs), 0);
  const step = Math.min(...ticks.slice(1).map((value, k) => Math.abs(value - ticks[k])), Infinity);
  const decimalsOf = (/** @type {number} */ unit) => Math.max(0, -Math.floor(Math.log10((Number.isFinite(step) ? step : most || 1) / unit) + 1e-9));
  const large = LARGE.find(({ least }) => most >= least && decimalsOf(least) <= MOST_DECIMALS);
  const unit = large?.least ?? 1;
  const decimals = decimalsOf(unit);
  if (decimals > MOST_DECIMALS) {
    const digits = Math.max(0, Math.floor(Math.log10(most)) + decimals);
    return { write: (value) => (value === 0 ? "0" : value.toExponential(Math.min(digits, 8)).replace("e+", "e")), unit: "" };
  }
  const write = (/** @type {number} */ value) => {
    const [whole, part] = Math.abs(value / unit).toFixed(decimals).split(".");
    const shown = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (part ? `.${part}` : "");
    return value < 0 ? `-${shown}` : shown;
  };
  return { write, unit: large ? tr`, ${large.name}s` : "" };
}

/** A number by itself, without noise of the last digit. @param {number} value */
export const tick = (value) => (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) ? value.toExponential(0).replace("e+", "e") : figures(value, 6).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""));
