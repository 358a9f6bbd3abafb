/** g: a bowl plus a V is still a bowl. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { COLOURS, DASHES, INK, curve, element, figures, segment, through, words } from "../svg.js";
import { clamp, handle, inTwoParts, movable, snapped } from "./lesson.js";
import { legend } from "./plane.js";
import * as m from "./mathml.js";

/** @typedef {{ bend: number, centre: number, base: number, name: string }} Data error = base + bend (w - centre)^2 / 2 */

/** Where the axis of the weight starts and ends. @param {import("./lesson.js").Values} values @returns {[number, number]} */
const ends = ({ narrow }) => [60, narrow ? 385 : 540];
/** @param {Data} data */
const unitOf = (data) => Math.abs(data.centre) || 1;
/**
 * Where the sum is lowest: under L1 the centre moved towards zero by lambda / bend, and no farther; for a lambda below
 * zero that is away from zero. Null where the sum falls without end, or is flat. @param {Data} data @param {import("./lesson.js").Values} values
 */
function lowestPoint({ bend, centre }, { shape, lam }) {
  if (shape) return bend + lam > 1e-9 * bend ? (bend * centre) / (bend + lam) : null;
  return Math.sign(centre) * Math.max(0, Math.abs(centre) - lam / bend);
}
/** @param {Data} data @param {import("./lesson.js").Values} values */
const across = (data, values) => scaleLinear([-2 * unitOf(data), 2 * unitOf(data)], ends(values));

/** @type {import("./lesson.js").Lesson} */
export const g = {
  id: "g",
  title: tr`How many valleys? A bowl plus a V`,
  text: [
    tr`Seen along one weight, the error of these models is a bowl. The L1 penalty is a V with its kink at zero, the L2 penalty a bowl of its own. All three are convex: a straight chord between any two of their points never runs below them.`,
    tr`When two convex curves are added the chords add up too, so the sum is convex again: it has one valley, no traps halfway, and a program that walks downhill finds the best point. With the V in the sum the lowest point can sit exactly in the kink, at zero, and stay there while the data change a little.`,
  ],
  formulas: [m.formula(m.text(tr`convex: `), m.mi("f"), m.mo("("), m.row(m.mo("("), m.mn("1"), m.mo("−"), m.mi("s"), m.mo(")"), m.mi("u"), m.mo("+"), m.mi("s"), m.mi("v")), m.mo(")"), m.mo("≤"), m.mo("("), m.mn("1"), m.mo("−"), m.mi("s"), m.mo(")"), m.mi("f"), m.mo("("), m.mi("u"), m.mo(")"), m.mo("+"), m.mi("s"), m.mi("f"), m.mo("("), m.mi("v"), m.mo(")"), m.text(tr` for every u, v and 0 ≤ s ≤ 1`))],
  careful: tr`The sum is convex because lambda is zero or more. The slider goes below zero to show what a negative price does: the V is turned over, and the sum may have a ridge in its middle and two valleys. L1 has a kink at zero and is convex, but not strictly; L2 bends everywhere, so with L2 and lambda > 0 there is exactly one best point. All this is about models that add up weighted features. The error of a neural network is not convex in its weights, with a penalty or without: it has many valleys, and where training ends depends on where it starts. What stays true there is the price of a single weight: weight decay (L2) pulls every weight towards zero at every step, and the kink of L1 can hold weights at exactly zero, if the optimiser treats it as a kink (normball.torch does; docs/torch.md of normball says how).`,
  controls: (/** @type {Data} */ data) => {
    const unit = unitOf(data);
    const strong = data.bend * unit;
    const step = Number((unit / 20).toPrecision(1));
    const side = Number((strong / 20).toPrecision(1));
    return [
      { id: "shape", label: tr`penalty`, min: 0, max: 1, step: 1, value: 0, choices: [tr`L1: a V`, tr`L2: a bowl`] },
      { id: "lam", label: tr`lambda`, min: snapped(-strong, side), max: snapped(1.5 * strong, side), step: side, value: snapped(0.5 * strong, side), falls: true, ends: [tr`stronger`, tr`below zero`], show: (v) => figures(v) },
      { id: "from", label: tr`chord from`, min: snapped(-1.9 * unit, step), max: snapped(1.9 * unit, step), step, value: snapped(-1.2 * unit, step), show: (v) => figures(v) },
      { id: "to", label: tr`chord to`, min: snapped(-1.9 * unit, step), max: snapped(1.9 * unit, step), step, value: snapped(1.6 * unit, step), show: (v) => figures(v) },
    ];
  },
  grab(data, values, name, px) {
    const { min, max, step } = g.controls(data)[2];
    return { ...values, [name]: snapped(clamp(across(data, values).invert(px), min, max), step) };
  },
  draw(/** @type {Data} */ data, values) {
    const { lam, from, to } = values;
    const size = values.shape ? (/** @type {number} */ w) => (w * w) / 2 : Math.abs;
    const error = (/** @type {number} */ w) => data.base + (data.bend * (w - data.centre) ** 2) / 2;
    const sum = (/** @type {number} */ w) => error(w) + lam * size(w);
    const chord = (/** @type {number} */ share) => (1 - share) * sum(from) + share * sum(to);
    const shares = Array.from({ length: 101 }, (_, k) => k / 100);
    const gap = Math.min(...shares.map((s) => chord(s) - sum((1 - s) * from + s * to)));
    const unit = unitOf(data);
    const grid = Array.from({ length: 201 }, (_, k) => (-100 + k) * (unit / 50));
    const lowest = lowestPoint(data, values);
    const above = gap >= -1e-9 * Math.max(1, Math.abs(sum(from)));
    const strictly = values.shape ? data.bend + lam > 0 : lam >= 0;
    const sentence =
      tr`With ${values.shape ? "L2" : "L1"} and lambda ${figures(lam)} the chord from ${figures(from)} to ${figures(to)} ${above ? tr`is nowhere below the sum` : tr`runs below the sum by up to ${figures(-gap)}`}. ` +
      tr`The sum is ${strictly ? tr`convex: one valley` : tr`not convex, since lambda is below zero`}. ${lowest === null ? tr`It has no lowest point.` : tr`Its lowest point is at ${figures(lowest)}.`}`;
    const x = across(data, values);
    const curves = [[tr`error`, error], [tr`lambda × penalty`, (/** @type {number} */ w) => lam * size(w)], [tr`their sum`, sum]];
    const values_ = grid.flatMap((w) => [lam * size(w), sum(w), error(w)]);
    const y = scaleLinear([Math.min(0, ...values_), Math.max(...values_)], [320, 20]);
    const svg = movable(inTwoParts({ id: "lesson-g", width: 820, height: 370, title: g.title, description: sentence }, [
      below(x, 320, tr`weight of ${data.name}`),
      beside(y, ...ends(values), tr`cost`),
      segment(x(0), 20, x(0), 320),
      ...curves.map(([, h], k) => curve(through(grid.map((w) => [x(w), y(/** @type {(w: number) => number} */ (h)(w))])), { stroke: COLOURS[k], "stroke-width": k === 2 ? 3 : 2, "stroke-dasharray": DASHES[2 - k] })),
      segment(x(from), y(sum(from)), x(to), y(sum(to)), { stroke: INK, "stroke-width": 2 }),
      lowest === null ? "" : element("circle", { cx: x(lowest), cy: y(sum(lowest)), r: 5, fill: COLOURS[2], stroke: "var(--paper)", "stroke-width": 1.5 }),
      handle("from", tr`start of the chord`, x(from), y(sum(from)), INK),
      handle("to", tr`end of the chord`, x(to), y(sum(to)), INK),
    ], [
      legend(580, 40, [...curves.map(([name], k) => /** @type {[string, string, string]} */ ([String(name), COLOURS[k], DASHES[2 - k]])), [tr`chord between the two dots`, INK, ""]]),
      words(580, 140, tr`slope just left of 0: ${figures(-data.bend * data.centre - (values.shape ? 0 : lam))}`),
      words(580, 160, tr`slope just right of 0: ${figures(-data.bend * data.centre + (values.shape ? 0 : lam))}`),
      words(580, 180, tr`lowest point: ${lowest === null ? tr`none` : figures(lowest)}`),
    ], values, { left: 560, height: 200 }));
    return {
      svg,
      sentence,
      table: { head: [tr`weight`, tr`error`, tr`lambda × penalty`, tr`sum`], rows: grid.filter((_, k) => k % 20 === 0).map((w) => [figures(w), figures(error(w)), figures(lam * size(w)), figures(sum(w))]) },
      numbers: {
        lam,
        chord_gap: gap,
        convex: strictly,
        strictly: values.shape ? data.bend + lam > 0 : data.bend > 0 && lam >= 0,
        penalty_slopes: values.shape ? [0, 0] : [-1, 1],
        penalty_bend: values.shape ? 1 : 0,
        slopes_at_zero: [-data.bend * data.centre - (values.shape ? 0 : lam), -data.bend * data.centre + (values.shape ? 0 : lam)],
        lowest,
      },
    };
  },
  quiz: {
    question: tr`The error is a bowl, and the V of L1 has a sharp kink. How many separate valleys can their sum have (lambda ≥ 0)?`,
    answers: [tr`One`, tr`Two`, tr`Any number`],
    right: 0,
    why: tr`Chords of both lie above their curves, so chords of the sum do. A kink is not a second valley.`,
  },
};
