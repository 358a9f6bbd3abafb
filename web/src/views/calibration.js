/** Whether predictions can be taken at their word: what was observed where the model predicted so much. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { rangeOf, varianceAt } from "../mathematics.js";
import { NEEDS_DATA, box, boxOfKey, clipping, entryOfKey, inColumns, known, note, percent, shortened, sized, whole } from "../panels.js";
import { storedOf } from "./outputs.js";
import { COLOURS, DASHES, FAINT, curve, drawing, element, figures, segment, through } from "../svg.js";

/** @typedef {import("../payload.js").Payload} Payload */
/** @typedef {{ predicted: number, observed: number, se: number | null, count: number }} Bin */

const [LEFT, TOP, BOTTOM] = [84, 14, 380];

/** @type {import("../payload.js").View} */
export const calibration = {
  id: "calibration",
  title: tr`Predicted and observed`,
  missing: (data) => (data.evidence?.calibration || data.evidence?.outputs?.calibration ? "" : NEEDS_DATA),
  draw(data, state) {
    const { part, place, name, note } = /** @type {NonNullable<ReturnType<typeof storedOf<"calibration">>>} */ (storedOf(data, state, "calibration"));
    const bins = binsOf(part, place);
    const against = name ? tr`${name} against all other classes. ` : "";
    const sentence = against + told(data, state.index, bins, part.brier?.[place], part.log_loss?.[place]) + note;
    return { svg: groupsDrawn(state, frameOf(data, name || (data.classes[1] ?? "1"), bins), bins, sentence), sentence, table: table(bins) };
  },
};

/** The groups of rows at one place. @param {import("../payload.js").Calibration} part @param {number} place @returns {Bin[]} */
export function binsOf(part, place) {
  return (part.predicted[place] ?? []).flatMap((predicted, k) => {
    const observed = part.observed[place]?.[k];
    return known(predicted) && known(observed) ? [{ predicted, observed, se: part.se[place]?.[k] ?? null, count: part.counts[place]?.[k] ?? 0 }] : [];
  });
}

/** @param {Payload} data @param {string} name of the class @param {Bin[]} bins */
function frameOf(data, name, bins) {
  const { has_classes } = data.mathematics;
  const label = has_classes ? tr`share of ${shortened(name)}` : tr`mean of the target`;
  const across = has_classes ? tr`predicted probability of ${shortened(name)}` : tr`predicted mean`;
  return { id: "calibration", title: calibration.title, domain: extent(data.mathematics, bins), across, upwards: tr`observed ${label}` };
}

/**
 * Observed by predicted, a point a group.
 * @param {import("../payload.js").State} state @param {{ id: string, title: string, domain: [number, number], across: string, upwards: string }} frame with the names of its axes
 * @param {Bin[]} bins @param {string} description
 */
export function groupsDrawn(state, { id, title, domain, across, upwards }, bins, description) {
  const { width, right, style } = sized(state);
  const x = scaleLinear().domain(domain).range([LEFT, right]);
  const y = scaleLinear().domain(domain).range([BOTTOM, TOP]);
  const points = bins.map(({ predicted, observed }) => /** @type {[number, number]} */ ([x(predicted), y(observed)]));
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  return drawing({ id, width, style, height: state.narrow ? 564 : 540, title, description }, [
    clipping(`${id}-clip`, LEFT, TOP, right - LEFT, BOTTOM - TOP),
    beside(y, LEFT, right, upwards),
    box(LEFT, TOP, right - LEFT, BOTTOM - TOP),
    segment(x(domain[0]), y(domain[0]), x(domain[1]), y(domain[1]), { stroke: FAINT, "stroke-dasharray": DASHES[1], "stroke-width": 2 }),
    bins.length === 0 ? note((LEFT + right) / 2, 120, tr`no predictions are stored at this lambda`) : "",
    element("g", { "clip-path": `url(#${id}-clip)` }, bins.map((bin) => whisker(bin, x, y)).join("") + curve(through(points), { stroke: COLOURS[0], "stroke-width": 2 })),
    ...points.map(([a, b]) => element("circle", { cx: a, cy: b, r: 5, fill: COLOURS[0] })),
    ...bins.map(({ predicted, count }) => element("rect", { x: x(predicted) - 4, y: 430 - (36 * count) / most, width: 8, height: (36 * count) / most, fill: COLOURS[0], "fill-opacity": 0.6 })),
    below(x, 430, across),
    inColumns([
      (at, line) => entryOfKey(at, line, tr`observed, ± 2 standard errors`, { stroke: COLOURS[0] }),
      (at, line) => entryOfKey(at, line, tr`observed = predicted`, { stroke: FAINT, "stroke-dasharray": DASHES[1] }),
      (at, line) => boxOfKey(at, line, tr`bars below: rows of each group, at most ${whole(most)}`, { fill: COLOURS[0], "fill-opacity": 0.6 }),
    ], state.narrow ? [LEFT] : [LEFT, 360], 500),
  ]);
}

/** @param {Bin} bin @param {(at: number) => number} x @param {(at: number) => number} y */
function whisker({ predicted, observed, se }, x, y) {
  if (!known(se)) return "";
  const [low, high, at] = [y(observed - 2 * se), y(observed + 2 * se), x(predicted)];
  const look = { stroke: COLOURS[0], "stroke-width": 1.5 };
  return segment(at, low, at, high, look) + segment(at - 5, low, at + 5, low, look) + segment(at - 5, high, at + 5, high, look);
}

/** Both axes share one range, so that the diagonal is one. @param {import("../mathematics.js").Mathematics} mathematics @param {Bin[]} bins @returns {[number, number]} */
export function extent(mathematics, bins) {
  const [least, most] = rangeOf(mathematics);
  if (Number.isFinite(most - least)) return [least, most];
  const values = bins.flatMap(({ predicted, observed, se }) => [predicted, observed - 2 * (se ?? 0), observed + 2 * (se ?? 0)]);
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.05 * (high - low) || 1;
  return [Math.max(least, low - room), Math.min(most, high + room)];
}

/** @param {Payload} data @param {number} index @param {Bin[]} bins @param {number | null | undefined} brier @param {number | null | undefined} loss */
function told(data, index, bins, brier, loss) {
  const rows = data.evidence?.held_out ? tr`held-out rows` : tr`the rows of the fit itself, which flatter the model`;
  const start = tr`At lambda = ${figures(data.lambdas[index])}, for ${rows}: `;
  if (bins.length === 0) return tr`${start}no predictions are stored.`;
  const show = data.mathematics.has_classes ? percent : figures;
  const worst = bins.reduce((far, bin) => (Math.abs(bin.observed - bin.predicted) > Math.abs(far.observed - far.predicted) ? bin : far));
  const scores = known(brier) || known(loss) ? tr` Brier score ${figures(brier)}, log-loss ${figures(loss)} (half the deviance); lower is better.` : "";
  return tr`${start}where the model is furthest off it predicts ${show(worst.predicted)} and ${show(worst.observed)} was observed (${whole(worst.count)} rows).${agreement(data.mathematics, bins)}${scores}`;
}

/** How many groups are as predicted. @param {import("../mathematics.js").Mathematics} mathematics @param {Bin[]} bins */
export function agreement(mathematics, bins) {
  const tested = bins.filter((bin) => known(bin.se));
  const agree = tested.filter((bin) => Math.abs(bin.observed - bin.predicted) <= 2 * Math.max(Number(bin.se), expected(mathematics, bin))).length;
  return tested.length ? tr` ${agree} of ${tested.length} groups of rows agree within two standard errors.` : "";
}

/** The standard error that the prediction itself implies: where all rows of a group are alike, theirs is 0. @param {import("../mathematics.js").Mathematics} mathematics @param {Bin} bin */
function expected(mathematics, { predicted, count }) {
  return count > 0 ? Math.sqrt(varianceAt(mathematics, predicted) / count) : 0;
}

/** @param {Bin[]} bins */
const table = (bins) => ({ head: [tr`predicted`, tr`observed`, tr`standard error`, tr`rows`], rows: bins.map((bin) => [figures(bin.predicted), figures(bin.observed), figures(bin.se), bin.count]) });
