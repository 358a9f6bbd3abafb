/** b: the slope of the sigmoid, and what it does to learning. */
import { scaleLinear, scaleLog } from "d3-scale";
import { below, beside } from "../axes.js";
import { COLOURS, DASHES, curve, element, figures, through, words } from "../svg.js";
import { crossEntropy, inTwoParts, sigma, slope, times } from "./lesson.js";
import { cursor, legend } from "./plane.js";

/** @typedef {{ fitted: number[], held_out: number[] }} Data margins in favour of each row's own class */

const SCALES = Array.from({ length: 61 }, (_, k) => 10 ** (-1 + k / 20));

/** @type {import("./lesson.js").Lesson} */
export const b = {
  id: "b",
  title: "When large weights hurt: slopes and rows not seen",
  text: [
    "Weights are learned by following slopes. The sigmoid is steepest in the middle, with a slope of 0.25, and flat at both ends: at a sum of 1 the slope is 0.197, at a sum of 10 it is 0.000045. Large weights put nearly every row on the flat ends.",
    "The first chart shows how hard a row pulls at the weights. To its left are rows on the wrong side. With cross-entropy the pull is 1 − p, p being the probability given to the truth: it vanishes only for rows that are right already. With squared error it is multiplied by the slope, and rows that are hopelessly wrong stop pulling.",
    "The second chart asks what matters in the end. On the rows that were fitted, larger weights look ever better as long as all of these rows are on their right side. On rows held out, one confident mistake costs more than all the certainty gains: the curve turns upwards. This, and not the flat slope, is what overfitting means.",
  ],
  careful: "It is often said that large weights stop learning because the slope vanishes. With cross-entropy this holds for rows already right; the slope p(1 − p) returns as the curvature, which flattens for all rows. And overfitting is shown by the loss on held-out rows, not by flat slopes.",
  controls: () => [{ id: "scale", label: "all weights times", min: -1, max: 2, step: 0.05, value: 0, show: (v) => times(10 ** v) }],
  draw(/** @type {Data} */ data, values) {
    const scale = 10 ** values.scale;
    const train = SCALES.map((s) => mean(data.fitted, s));
    const held = SCALES.map((s) => mean(data.held_out, s));
    const best = SCALES[held.indexOf(Math.min(...held))];
    const flat = data.fitted.concat(data.held_out).filter((m) => slope(scale * m) < 0.01).length;
    const n = data.fitted.length + data.held_out.length;
    const sentence =
      `With weights times ${times(scale)}, ${flat} of ${n} rows are where the slope is below 0.01. Mean cost of the fitted rows ${figures(mean(data.fitted, scale))}, ` +
      `of the held-out rows ${figures(mean(data.held_out, scale))}; the latter is least, ${figures(Math.min(...held))}, with weights times ${figures(best, 2)}.`;
    return {
      svg: inTwoParts({ id: "lesson-b", width: 820, height: 370, title: b.title, description: sentence }, [pulls(data, scale)], [costs(train, held, scale)], values),
      sentence,
      table: {
        head: ["weights times", "slope at a sum of 1", "cost, fitted rows", "cost, held-out rows"],
        rows: [0.1, 0.3, 1, 3, 10, 30, 100].map((s) => [s, figures(slope(s)), figures(mean(data.fitted, s)), figures(mean(data.held_out, s))]),
      },
      numbers: { scale, slopes: [slope(0), slope(1), slope(10)], fitted: mean(data.fitted, scale), held_out: mean(data.held_out, scale), best, scales: SCALES, train, held, n_flat: flat },
    };
  },
  quiz: {
    question: "Every fitted row is on its right side, and you make all weights ten times as large. What happens to the cost of the fitted rows?",
    answers: ["It falls further", "It rises", "It stays"],
    right: 0,
    why: "Each of these rows gets more certain of what is true. So nothing in the fitted rows ever says stop: a penalty must, or held-out rows.",
  },
};

/** Mean cross-entropy. @param {number[]} margins @param {number} scale */
const mean = (margins, scale) => margins.reduce((sum, m) => sum + crossEntropy(scale * m), 0) / margins.length;

/** How hard rows pull, over the sum in favour of the truth. @param {Data} data @param {number} scale */
function pulls(data, scale) {
  const x = scaleLinear([-8, 8], [60, 390]);
  const y = scaleLinear([0, 1], [310, 70]);
  const grid = Array.from({ length: 81 }, (_, k) => -8 + k / 5);
  /** @type {[string, (z: number) => number][]} */
  const lines = [
    ["pull with cross-entropy, 1 − p", (z) => sigma(-z)],
    ["pull with squared error, 2 (1 − p) slope", (z) => 2 * sigma(-z) * slope(z)],
    ["slope = curvature, p (1 − p)", slope],
  ];
  const rows = [...data.fitted.map((m) => ({ m, fill: COLOURS[0] })), ...data.held_out.map((m) => ({ m, fill: "var(--paper)" }))];
  return [
    below(x, 310, "sum in favour of the row's own class"),
    beside(y, 60, 390, ""),
    ...lines.map(([, f], k) => curve(through(grid.map((z) => [x(z), y(f(z))])), { stroke: COLOURS[k], "stroke-width": 2.5, "stroke-dasharray": DASHES[k] })),
    ...rows.map(({ m, fill }) => element("circle", { cx: x(Math.max(-8, Math.min(8, scale * m))), cy: y(slope(scale * m)), r: 4.5, fill, stroke: COLOURS[0], "stroke-width": 1.5 })),
    legend(60, 14, lines.map(([name], k) => [name, COLOURS[k], DASHES[k]])),
    words(225, 364, "dots: rows on the slope; hollow: held out", { "text-anchor": "middle", fill: "var(--faint)" }),
  ].join("");
}

/** Costs over the scale. @param {number[]} train @param {number[]} held @param {number} scale */
function costs(train, held, scale) {
  const x = scaleLog([0.1, 100], [470, 800]);
  const top = Math.min(Math.max(...held, ...train), 4 * Math.max(held[0], train[0]));
  const y = scaleLinear([0, top], [310, 70]).clamp(false);
  /** @param {number[]} values */
  const path = (values) => through(values.map((v, k) => [x(SCALES[k]), v > top ? NaN : y(v)]));
  return [
    below(x, 310, "all weights times", { ticks: 3 }),
    beside(y, 470, 800, ""),
    curve(path(train), { stroke: COLOURS[0], "stroke-width": 2.5 }),
    curve(path(held), { stroke: COLOURS[1], "stroke-width": 2.5, "stroke-dasharray": DASHES[1] }),
    cursor(x(scale), 70, 310),
    legend(470, 32, [["mean cost of fitted rows", COLOURS[0], ""], ["mean cost of held-out rows", COLOURS[1], DASHES[1]]]),
  ].join("");
}
