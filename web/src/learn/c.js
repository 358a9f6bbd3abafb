/** c: error plus lambda times penalty. */
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { COLOURS, DASHES, curve, element, escape, figures, through } from "../svg.js";
import { inTwoParts } from "./lesson.js";
import { cursor, legend, short } from "./plane.js";
import * as m from "./mathml.js";

/**
 * @typedef {{ lambdas: number[], loss: number[], size: number[], coefs: [number, number][] }} Curve solutions, the strongest lambda first; size: sum |w| or sum w^2 / 2
 * @typedef {{ l1: Curve, l2: Curve, names: [string, string] }} Data
 */

/** @type {import("./lesson.js").Lesson} */
export const c = {
  id: "c",
  title: "The bargain: error plus lambda times penalty",
  text: [
    "Regularisation puts a price on weights. What is made as small as possible is no longer the error alone, but error + lambda × penalty. L1 counts the sum of the sizes of the weights. L2 counts the sum of their squares.",
    "The chart shows the bargain. Further to the right the weights may be larger in total, and the error falls, but less and less. The penalty rises. Their sum is lowest somewhere between: there the model stops. A higher price, lambda, moves that place to the left.",
  ],
  formulas: [
    m.formula(m.text("L1: "), m.least(m.row(m.error, m.mo("+"), m.lambda, m.sum("j", m.size(m.wj))))),
    m.formula(m.text("L2: "), m.least(m.row(m.error, m.mo("+"), m.lambda, m.half, m.sum("j", m.wj2)))),
  ],
  careful: "normball counts half of the squares in L2, so that the price of a little more weight is lambda × w without a factor 2. The intercept is never penalised, and features are put on one scale first: otherwise centimetres would be cheaper than metres.",
  controls: (/** @type {Data} */ data) => [
    { id: "shape", label: "penalty", min: 0, max: 1, step: 1, value: 0, choices: ["L1: sum of sizes", "L2: half the sum of squares"] },
    { id: "at", label: "lambda", min: 0, max: data.l1.lambdas.length - 1, step: 1, value: Math.floor(data.l1.lambdas.length * 0.3), show: (v) => `${figures(data.l1.lambdas[v])} (L1), ${figures(data.l2.lambdas[v])} (L2)` },
  ],
  draw(/** @type {Data} */ data, values) {
    const name = values.shape ? "L2" : "L1";
    const { lambdas, loss, size, coefs } = values.shape ? data.l2 : data.l1;
    const at = values.at;
    const lam = lambdas[at];
    const price = size.map((s) => lam * s);
    const sum = loss.map((e, k) => e + price[k]);
    const sentence = `With ${name} and lambda ${figures(lam)} the sum ${figures(sum[at])} = error ${figures(loss[at])} + penalty ${figures(price[at])} is lowest, with weights ${figures(coefs[at][0])} and ${figures(coefs[at][1])}.`;
    const end = values.narrow ? 385 : 560;
    const x = scaleLinear([0, Math.max(...size)], [70, end]);
    const top = Math.min(Math.max(...sum), 2.2 * loss[0]);
    const y = scaleLinear([0, top], [300, 20]);
    /** @param {number[]} v */
    const path = (v) => through(v.map((e, k) => [x(size[k]), e > top ? NaN : y(e)]));
    const lines = [["error", loss], ["lambda × penalty", price], ["their sum", sum]];
    const svg = inTwoParts({ id: "lesson-c", width: 820, height: 350, title: c.title, description: sentence }, [
      below(x, 300, values.shape ? "half the sum of squared weights" : "sum of the sizes of the weights"),
      beside(y, 70, end, "cost"),
      ...lines.map(([, v], k) => curve(path(/** @type {number[]} */ (v)), { stroke: COLOURS[k], "stroke-width": k === 2 ? 3 : 2, "stroke-dasharray": DASHES[2 - k] })),
      cursor(x(size[at]), 20, 300),
      element("circle", { cx: x(size[at]), cy: y(sum[at]), r: 6, fill: COLOURS[2], stroke: "var(--paper)", "stroke-width": 2 }),
    ], [
      legend(590, 40, lines.map(([label], k) => [String(label), COLOURS[k], DASHES[2 - k]])),
      bars(data.names, coefs[at], Math.max(...coefs.flat().map(Math.abs))),
    ], values, { left: 570, height: 250 });
    return {
      svg,
      sentence,
      table: {
        head: ["lambda", "error", "lambda × penalty", "sum", `weight of ${data.names[0]}`, `weight of ${data.names[1]}`],
        rows: lambdas.map((one, k) => [figures(one), figures(loss[k], 4), figures(one * size[k], 4), figures(loss[k] + one * size[k], 4), figures(coefs[k][0]), figures(coefs[k][1])]).filter((_, k) => k % 4 === 0 || k === at),
      },
      numbers: { lam, error: loss[at], penalty: price[at], sum: sum[at], sums: sum, lowest: sum.indexOf(Math.min(...sum)), at, weights: coefs[at] },
    };
  },
  quiz: {
    question: "lambda is set to 0. Which weights come out?",
    answers: ["All zero", "Those with the least error, however large", "The same as before"],
    right: 1,
    why: "Without a price only the error counts. With an enormous price only the penalty counts, and all weights are zero.",
  },
};

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
