/** c: error plus lambda times penalty. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { COLOURS, DASHES, curve, element, escape, figures, through } from "../svg.js";
import { inTwoParts } from "./lesson.js";
import { cursor, legend, short } from "./plane.js";
import * as m from "./mathml.js";
import { loss, minimisers, norm } from "./two_weights.js";

/** @typedef {{ quadratic: import("./two_weights.js").Quadratic, lambdas: { l1: number[], l2: number[] }, names: [string, string] }} Data the strongest lambda first */

const FINER = 4; // solutions drawn for each step of the slider

/** @param {Data} data @param {import("./lesson.js").Values} values */
const lambdasOf = (data, values) => data.lambdas[values.shape ? "l2" : "l1"];

/** @type {import("./lesson.js").Lesson} */
export const c = {
  id: "c",
  title: tr`The bargain: error plus lambda times penalty`,
  text: [
    tr`Regularisation puts a price on weights. What is made as small as possible is no longer the error alone, but error + lambda × penalty. L1 counts the sum of the sizes of the weights. L2 counts the sum of their squares.`,
    tr`The chart shows the bargain. Further to the right the penalty is weaker, the weights may be larger in total, and the error falls, but less and less. The penalty rises. Their sum is lowest somewhere between: there the model stops, on purpose away from the least error. A higher price, lambda, moves that place to the left. Which price is right neither curve can say: that takes rows that were not fitted (lessons b, f and i).`,
  ],
  formulas: [
    m.formula(m.text("L1: "), m.least(m.row(m.error, m.mo("+"), m.lambda, m.sum("j", m.size(m.wj))))),
    m.formula(m.text("L2: "), m.least(m.row(m.error, m.mo("+"), m.lambda, m.half, m.sum("j", m.wj2)))),
  ],
  careful: tr`normball counts half of the squares in L2, so that the price of a little more weight is lambda × w without a factor 2. The intercept is never penalised, and features are put on one scale first: otherwise centimetres would be cheaper than metres.`,
  controls: (/** @type {Data} */ data) => [
    { id: "shape", label: tr`penalty`, min: 0, max: 1, step: 1, value: 0, choices: [tr`L1: sum of sizes`, tr`L2: half the sum of squares`] },
    { id: "at", label: tr`lambda`, min: 0, max: data.lambdas.l1.length - 1, step: 1, value: Math.floor(data.lambdas.l1.length * 0.3), ends: [tr`stronger`, tr`weaker`], show: (v, values) => figures(lambdasOf(data, values)[v]) },
  ],
  draw(/** @type {Data} */ data, values) {
    const shape = values.shape ? "l2" : "l1";
    const name = values.shape ? "L2" : "L1";
    const lambdas = lambdasOf(data, values);
    const { at } = values;
    const lam = lambdas[at];
    const sizeOf = (/** @type {import("./two_weights.js").Pair} */ w) => (values.shape ? norm("l2", w) ** 2 / 2 : norm("l1", w));
    const solutions = finer(lambdas).map((one) => minimisers(data.quadratic, shape, one)[0]);
    const size = solutions.map(sizeOf);
    const error = solutions.map((w) => loss(data.quadratic, w));
    const price = size.map((one) => lam * one);
    const sum = error.map((one, k) => one + price[k]);
    const here = at * FINER;
    const w = solutions[here];
    const sentence = tr`With ${name} and lambda ${figures(lam)} the sum ${figures(sum[here])} = error ${figures(error[here])} + penalty ${figures(price[here])} is lowest, with weights ${figures(w[0])} and ${figures(w[1])}.`;
    const end = values.narrow ? 385 : 560;
    const x = scaleLinear([0, Math.max(...size)], [70, end]);
    const top = Math.min(Math.max(...sum), 2.2 * error[0]);
    const y = scaleLinear([0, top], [300, 20]);
    /** @param {number[]} v */
    const path = (v) => through(v.map((e, k) => [x(size[k]), e > top ? NaN : y(e)]));
    const lines = [[tr`error`, error], [tr`lambda × penalty`, price], [tr`their sum`, sum]];
    const svg = inTwoParts({ id: "lesson-c", width: 820, height: 350, title: c.title, description: sentence }, [
      below(x, 300, values.shape ? tr`half the sum of squared weights` : tr`sum of the sizes of the weights`),
      beside(y, 70, end, tr`cost`),
      ...lines.map(([, v], k) => curve(path(/** @type {number[]} */ (v)), { stroke: COLOURS[k], "stroke-width": k === 2 ? 3 : 2, "stroke-dasharray": DASHES[2 - k] })),
      cursor(x(size[here]), 20, 300),
      element("circle", { cx: x(size[here]), cy: y(sum[here]), r: 6, fill: COLOURS[2], stroke: "var(--paper)", "stroke-width": 2 }),
    ], [
      legend(590, 40, lines.map(([label], k) => [String(label), COLOURS[k], DASHES[2 - k]])),
      bars(data.names, w, Math.max(...solutions.flat().map(Math.abs))),
    ], values, { left: 570, height: 250 });
    return {
      svg,
      sentence,
      table: {
        head: [tr`lambda`, tr`error`, tr`lambda × penalty`, tr`sum`, tr`weight of ${data.names[0]}`, tr`weight of ${data.names[1]}`],
        rows: lambdas.map((one, k) => [one, k * FINER]).filter((_, k) => k % 4 === 0 || k === at).map(([one, k]) => [figures(one), figures(error[k], 4), figures(one * size[k], 4), figures(error[k] + one * size[k], 4), figures(solutions[k][0]), figures(solutions[k][1])]),
      },
      numbers: { lam, error: error[here], penalty: price[here], sum: sum[here], sums: sum, at, weights: w },
    };
  },
  quiz: {
    question: tr`lambda is set to 0. Which weights come out?`,
    answers: [tr`All zero`, tr`Those with the least error, however large`, tr`The same as before`],
    right: 1,
    why: tr`Without a price only the error counts. With an enormous price only the penalty counts, and all weights are zero.`,
  },
};

/** Strengths between those of the slider, so that the curves have no corners that are not theirs. @param {number[]} lambdas */
const finer = (lambdas) => lambdas.flatMap((lam, k) => (k === lambdas.length - 1 ? [lam] : Array.from({ length: FINER }, (_, part) => lam * (lambdas[k + 1] / lam) ** (part / FINER))));

/** The two weights. @param {[string, string]} names @param {[number, number]} w @param {number} most */
function bars(names, w, most) {
  const x = scaleLinear([-most, most], [600, 800]);
  return w
    .map((value, k) => {
      const y = 150 + 60 * k;
      const from = Math.min(x(0), x(value));
      return (
        element("text", { x: 600, y: y - 6, fill: "var(--ink)", "font-size": 12 }, escape(`${short(names[k], 20)}: ${figures(value)}`)) +
        element("rect", { x: 600, y, width: 200, height: 16, fill: "var(--card)" }) +
        element("rect", { x: from, y, width: Math.abs(x(value) - x(0)), height: 16, fill: COLOURS[3] }) +
        element("line", { x1: x(0), x2: x(0), y1: y - 3, y2: y + 19, stroke: "var(--faint)" })
      );
    })
    .join("");
}
