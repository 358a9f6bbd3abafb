/** a: the same line, written with small and with large weights. */
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { COLOURS, FAINT, curve, element, figures, segment, through, words } from "../svg.js";
import { crossEntropy, inTwoParts, sigma, times } from "./lesson.js";
import { legend, short } from "./plane.js";

/** @typedef {{ points: [number, number, number][], fitted: boolean[], w: [number, number], b: number, names: [string, string] }} Data */

/** @type {import("./lesson.js").Lesson} */
export const a = {
  id: "a",
  title: "The same line, with small and with large weights",
  text: [
    "A model that tells two classes apart adds up its features, each times a weight, and turns the sum into a probability with the S-shaped sigmoid. Where the sum is 0 the probability is one half: these places form the line between the classes.",
    "Multiply all weights by 10. The sum is 0 at the same places, so the line does not move, and every point keeps its side. But all sums are ten times as large: each probability is pushed towards 0 or 1. The model is not better, only far more certain.",
    "A point on its right side now costs next to nothing. The point on the wrong side costs about ten times as much. (The cost is the cross-entropy: minus the logarithm of the probability that was given to what really happened.)",
  ],
  careful: "Large weights are not wrong in themselves. If the classes really are that clear, certainty is earned; if they are not, the wrong points pay for it.",
  controls: () => [{ id: "scale", label: "all weights times", min: -1, max: 2, step: 0.05, value: 1, show: (v) => times(10 ** v) }],
  draw(/** @type {Data} */ data, values) {
    const scale = 10 ** values.scale;
    const rows = data.points.map(([x, y, label], k) => {
      const z = data.b + data.w[0] * x + data.w[1] * y;
      return { x, y, label, z, margin: label ? z : -z, fitted: data.fitted[k] };
    });
    const right = nearest(rows.filter(({ margin }) => margin > 0).map(({ margin }) => margin));
    const wrong = nearest(rows.filter(({ margin }) => margin <= 0).map(({ margin }) => margin));
    const sentence =
      `With all weights times ${times(scale)} the line is the same. A point on its right side, with a sum of ${times(Math.abs(right))} in its favour: probability ${figures(sigma(right), 4)} before, ${figures(sigma(scale * right), 5)} now, ` +
      `cost ${figures(crossEntropy(right))} before, ${little(crossEntropy(scale * right))} now.` +
      (Number.isFinite(wrong) ? ` A point on the wrong side: cost ${figures(crossEntropy(wrong), 4)} before, ${figures(crossEntropy(scale * wrong), 7)} now.` : " No point is on the wrong side.");
    const shown = rows.slice(0, 30);
    return {
      svg: inTwoParts({ id: "lesson-a", width: 820, height: 370, title: a.title, description: sentence }, [field(data, rows)], [sigmoids(rows, scale)], values),
      sentence,
      table: {
        head: ["point", "class", "sum", "probability", "cost", "sum now", "probability now", "cost now"],
        rows: shown.map(({ label, z, margin }, k) => [k + 1, label, figures(z), figures(sigma(z), 4), figures(crossEntropy(margin), 4), figures(scale * z), figures(sigma(scale * z), 5), figures(crossEntropy(scale * margin), 5)]),
      },
      numbers: {
        scale,
        margin_right: right,
        margin_wrong: Number.isFinite(wrong) ? wrong : null,
        probability: [sigma(right), sigma(scale * right)],
        loss_right: [crossEntropy(right), crossEntropy(scale * right)],
        loss_wrong: Number.isFinite(wrong) ? [crossEntropy(wrong), crossEntropy(scale * wrong)] : null,
        line: [[data.w[0], data.w[1], data.b], [scale * data.w[0], scale * data.w[1], scale * data.b]].map(([u, v, b]) => [-b / v, -u / v]),
      },
    };
  },
  quiz: {
    question: "All weights become ten times as large. Which points change sides?",
    answers: ["Those near the line", "None", "All of them"],
    right: 1,
    why: "The sum is 0 exactly where ten times the sum is 0. Only the certainty grows.",
  },
};

/** Small costs without an exponent. @param {number} x */
const little = (x) => (x < 1e-3 && x >= 1e-6 ? x.toFixed(6) : figures(x));

/** The margin nearest to 1 in size: the one the text speaks of. @param {number[]} margins */
const nearest = (margins) => margins.reduce((best, m) => (Math.abs(Math.abs(m) - 1) < Math.abs(Math.abs(best) - 1) ? m : best), Infinity);

/** @typedef {{ x: number, y: number, label: number, z: number, margin: number, fitted: boolean }} Row */

/** @param {number} cx @param {number} cy @param {Row} row */
function point(cx, cy, { label, fitted }) {
  const colour = COLOURS[label ? 1 : 0];
  const look = { fill: fitted ? colour : "var(--paper)", stroke: colour, "stroke-width": 2 };
  return label ? element("rect", { x: cx - 5, y: cy - 5, width: 10, height: 10, ...look }) : element("circle", { cx, cy, r: 5.5, ...look });
}

/** The two features and the line. @param {Data} data @param {Row[]} rows */
function field({ w, b, names }, rows) {
  const reach = 1.15 * Math.max(...rows.map(({ x, y }) => Math.max(Math.abs(x), Math.abs(y))));
  const x = scaleLinear([-reach, reach], [60, 350]);
  const y = scaleLinear([-reach, reach], [310, 20]);
  // from far on one side to far on the other, whatever the slope
  const size = Math.hypot(...w);
  const foot = [(-b * w[0]) / size ** 2, (-b * w[1]) / size ** 2];
  const along = [(-w[1] / size) * 4 * reach, (w[0] / size) * 4 * reach];
  return [
    below(x, 310, short(names[0])),
    beside(y, 60, 350, short(names[1])),
    element("clipPath", { id: "lesson-a-field" }, element("rect", { x: 60, y: 20, width: 290, height: 290 })),
    segment(x(foot[0] - along[0]), y(foot[1] - along[1]), x(foot[0] + along[0]), y(foot[1] + along[1]), { stroke: "var(--ink)", "stroke-width": 2, "clip-path": "url(#lesson-a-field)" }),
    ...rows.map((row) => point(x(row.x), y(row.y), row)),
    words(205, 364, `● class 0 · ■ class 1${rows.every(({ fitted }) => fitted) ? "" : " · hollow: not fitted"}`, { "text-anchor": "middle", fill: FAINT }),
  ].join("");
}

/** Probabilities before and now over the sum before. @param {Row[]} rows @param {number} scale */
function sigmoids(rows, scale) {
  const reach = 1.1 * Math.max(3, ...rows.map(({ z }) => Math.abs(z)));
  const x = scaleLinear([-reach, reach], [460, 800]);
  const y = scaleLinear([0, 1], [310, 50]);
  const grid = Array.from({ length: 161 }, (_, k) => -reach + (2 * reach * k) / 160);
  /** @param {number} factor */
  const line = (factor) => through(grid.map((z) => [x(z), y(sigma(factor * z))]));
  return [
    below(x, 310, "weighted sum with the first weights"),
    beside(y, 460, 800, ""),
    words(460, 14, "probability of class 1", { fill: FAINT }),
    curve(line(1), { stroke: FAINT, "stroke-width": 2, "stroke-dasharray": "7 3" }),
    curve(line(scale), { stroke: COLOURS[2], "stroke-width": 2.5 }),
    ...rows.map((row) => point(x(row.z), y(sigma(scale * row.z)), row)),
    legend(470, 32, [[`weights times ${times(scale)}`, COLOURS[2], ""]]),
    legend(650, 32, [["weights as they are", FAINT, "7 3"]]),
  ].join("");
}
