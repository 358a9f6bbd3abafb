/** How far coefficients lie apart in the folds, and when the rows are drawn anew. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below } from "../axes.js";
import { borrowed, entryOfKey, inColumns, nearest, sized } from "../panels.js";
import { rule, shortened } from "./strength.js";
import { COLOURS, FAINT, INK, curve, drawing, element, figures, px, segment, words } from "../svg.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").Ranges} Ranges */
/** @typedef {{ name: string, coef: number, low: number, high: number, count: number, folds: [number, number] | null }} Row a coefficient per SD with its range, in how many fits it is not zero, and its range over the folds beside that over samples */

const [TOP, STEP, MOST, OFTEN] = [22, 26, 15, 0.8];

/** The coefficients of a stored lambda with their ranges, the largest first. @param {Payload} data @param {Ranges} stored @param {number} place @returns {Row[]} */
export function rowsOf(data, stored, place) {
  return data.features
    .map((feature, j) => ({ name: feature.name, coef: feature.coefs[stored.at[place]] * feature.scale, low: stored.low[place][j], high: stored.high[place][j], count: stored.counts[place][j], folds: beside(data, stored, place, j) }))
    .filter((row) => row.coef !== 0 || 2 * row.count > stored.n_fits)
    .sort((a, b) => Math.abs(b.coef) - Math.abs(a.coef));
}

/** The range over the folds, where that over samples is the other one. @param {Payload} data @param {Ranges} stored @param {number} place @param {number} j @returns {[number, number] | null} */
function beside({ fold_ranges }, stored, place, j) {
  const there = fold_ranges && fold_ranges !== stored ? fold_ranges.at.indexOf(stored.at[place]) : -1;
  return fold_ranges && there >= 0 ? [fold_ranges.low[there][j], fold_ranges.high[there][j]] : null;
}

/** What the fits are. @param {Ranges} stored */
const kindOf = ({ middle, n_fits }) => (middle < 1 ? tr`${n_fits} bootstrap samples of the rows` : tr`the models of ${n_fits} folds`);

/** @type {import("../payload.js").View} */
export const ranges = {
  id: "ranges",
  title: tr`How much each coefficient owes to these rows`,
  missing: (data) => (data.ranges || data.fold_ranges ? "" : tr`No bootstrap samples were drawn: normball fit --bootstrap 100.`),
  draw(data, state) {
    const stored = /** @type {Ranges} */ (data.ranges ?? data.fold_ranges);
    const place = nearest(stored.at, state.index);
    const rows = rowsOf(data, stored, place);
    const sentence = told(data, stored, place, rows) + borrowed(data.lambdas, stored.at[place], state.index);
    return { svg: picture(data, state, stored, rows.slice(0, MOST), sentence), sentence, table: table(stored, rows) };
  },
};

/** @param {Payload} data @param {import("../payload.js").State} state @param {Ranges} stored @param {Row[]} rows @param {string} description */
function picture(data, state, stored, rows, description) {
  const { width, right, style } = sized(state);
  const left = state.narrow ? 128 : 200;
  const values = rows.flatMap(({ coef, low, high, folds }) => [coef, low, high, ...(folds ?? [])]);
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const x = scaleLinear().domain([least, most === least ? 1 : most]).range([left, right - 68]).nice();
  const bottom = TOP + STEP * Math.max(1, rows.length) + 4;
  const drawn = rows.map(({ name, coef, low, high, count, folds }, k) => {
    const y = TOP + STEP * k + STEP / 2;
    const colour = COLOURS[coef < 0 ? 1 : 0];
    return words(left - 8, y + 4, shortened(name, state.narrow ? 16 : 26), { "text-anchor": "end" })
      + element("rect", { x: Math.min(x(0), x(coef)), y: y - 8, width: Math.abs(x(coef) - x(0)), height: 16, fill: colour, "fill-opacity": 0.55 })
      + (folds ? segment(x(folds[0]), y, x(folds[1]), y, { stroke: INK, "stroke-width": 5, "stroke-opacity": 0.45 }) : "")
      + curve(`M${px(x(low))} ${y - 4}v8m0-4H${px(x(high))}m0-4v8`)
      + words(right - 60, y + 4, `${count}/${stored.n_fits}`, { fill: FAINT });
  });
  const share = stored.middle < 1 ? tr`whisker: the middle ${Math.round(100 * stored.middle)} % of samples` : tr`whisker: from the least to the most of the folds`;
  const columns = state.narrow ? [20] : stored.middle < 1 ? [60, 320] : [60]; // what is said of folds is too long for two
  return drawing({ id: "ranges", width, style, height: bottom + (state.narrow ? 130 : 100), title: ranges.title, description }, [
    words(right - 60, TOP - 6, tr`not zero`, { fill: FAINT }),
    ...drawn,
    segment(x(0), TOP - 2, x(0), bottom, { stroke: FAINT }),
    below(x, bottom, tr`coefficient per ${data.standardize ? tr`SD` : tr`unit`}`, { ticks: state.narrow ? 4 : 6 }),
    inColumns([
      (at, line) => entryOfKey(at, line, tr`coefficient of all rows`, { stroke: COLOURS[0], "stroke-width": 9, "stroke-opacity": 0.55 }),
      (at, line) => entryOfKey(at, line, share, { stroke: INK, "stroke-width": 1.5 }),
      ...(rows.some((row) => row.folds) ? [(/** @type {number} */ at, /** @type {number} */ line) => entryOfKey(at, line, tr`from the least to the most of the folds`, { stroke: INK, "stroke-width": 5, "stroke-opacity": 0.45 })] : []),
    ], columns, bottom + 66),
  ]);
}

/** @param {Payload} data @param {Ranges} stored @param {number} place @param {Row[]} rows */
function told(data, stored, place, rows) {
  const index = stored.at[place];
  const at = tr`At ${rule(data, index)} = ${figures(data.lambdas[index])}, in ${kindOf(stored)}`;
  if (!rows.length) return tr`${at}, no coefficient of these is mostly kept.`;
  const kept = rows.filter((row) => row.coef !== 0);
  const steady = kept.filter((row) => row.low * row.high > 0 && row.count >= OFTEN * stored.n_fits);
  const first = !kept.length ? tr`${at}, some coefficients are mostly kept that the model of all rows leaves out.` : tr`${at}, ${steady.length} of the ${kept.length} coefficients shown keep their sign in nearly all of them.`;
  return tr`${first} The range says how much a coefficient owes to the rows at hand, the penalty being the same. It is no confidence interval: the penalty pulls every coefficient towards zero in every fit, so that a range lies too close to zero for the effect without a penalty, and one that leaves zero out is no proof of an effect.`;
}

/** @param {Ranges} stored @param {Row[]} rows @returns {import("../payload.js").Shown["table"]} */
const table = (stored, rows) => ({
  head: [tr`feature`, tr`coefficient`, tr`from`, tr`to`, tr`not zero`, ...(rows.some((row) => row.folds) ? [tr`folds from`, tr`folds to`] : [])],
  rows: rows.map(({ name, coef, low, high, count, folds }) => [name, figures(coef), figures(low), figures(high), `${count}/${stored.n_fits}`, ...(folds ?? []).map((value) => figures(value))]),
});
