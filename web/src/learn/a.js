/** a: the same line, written with small and with large weights. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { whole } from "../panels.js";
import { COLOURS, FAINT, curve, element, figures, segment, through, words } from "../svg.js";
import { crossEntropy, inTwoParts, markOf, sigma, times } from "./lesson.js";
import { legend, short } from "./plane.js";
import * as m from "./mathml.js";

/**
 * @typedef {object} Data
 * @property {[number, number, number][]} points x, y and class
 * @property {[number, number]} w
 * @property {number} b
 * @property {[string, string]} names
 * @property {number} n_rows of which `points` may be a sample
 * @property {number[] | null} totals error of all rows for each step of the slider, where `points` is a sample
 */

const [LEAST, MOST, STEP] = [-1, 2, 0.05];

/** @type {import("./lesson.js").Lesson} */
export const a = {
  id: "a",
  title: tr`All weights times ten: what changes?`,
  text: [
    tr`A model that tells two classes apart adds up its features, each times a weight, and turns the sum into a probability with the S-shaped sigmoid. Where the sum is 0 the probability is one half: these places form the line between the classes.`,
    tr`Multiply all weights by 10, the intercept included. The sum is 0 at the same places, so the line does not move, and every point keeps its side. But all sums are ten times as large: each probability is pushed towards 0 or 1.`,
    tr`A point on its right side now costs next to nothing. A point on the wrong side costs more, the farther from the line the nearer to ten times as much. (The cost of a point is the cross-entropy: minus the logarithm of the probability that was given to what really happened. The total over all points is minus the logarithm of the likelihood, the probability that the model gives to all that happened together. The least total error and the maximum likelihood are the same thing.)`,
  ],
  formulas: [
    m.formula(m.mi("z"), m.mo("="), m.mi("b"), m.mo("+"), m.sum("j", m.row(m.wj, m.sub(m.mi("x"), m.mi("j")))), m.mo(","), m.text("\u2003"), m.mi("p"), m.mo("="), m.frac(m.mn("1"), m.row(m.mn("1"), m.mo("+"), m.sup(m.mi("e"), m.row(m.mo("−"), m.mi("z")))))),
    m.formula(m.text(tr`total error`), m.mo("="), m.mo("−"), m.sum("i", m.row(m.mi("log"), m.text(" "), m.sub(m.mi("q"), m.mi("i")))), m.mo("="), m.mo("−"), m.mi("log"), m.text(tr` likelihood,`)),
    m.formula(m.sub(m.mi("q"), m.mi("i")), m.text(tr`: the probability given to what happened to point `), m.mi("i")),
  ],
  careful: tr`Large weights are not wrong in themselves, and the total decides between the two: if all points are on their right sides, larger weights always have the larger likelihood, however far one goes; if some are not, these pay for the certainty. But the total is over these points alone: how others fare is the question of lesson b.`,
  controls: () => [{ id: "scale", label: tr`all weights times`, min: LEAST, max: MOST, step: STEP, value: 1, ends: [tr`smaller`, tr`larger`], show: (v) => times(10 ** v) }],
  draw(/** @type {Data} */ data, values) {
    const scale = 10 ** values.scale;
    const rows = data.points.map(([x, y, label]) => {
      const z = data.b + data.w[0] * x + data.w[1] * y;
      return { x, y, label, z, margin: label ? z : -z };
    });
    const total = (/** @type {number} */ v) => data.totals?.[Math.round((v - LEAST) / STEP)] ?? rows.reduce((sum, { margin }) => sum + crossEntropy(10 ** v * margin), 0);
    const right = nearest(rows.filter(({ margin }) => margin > 0).map(({ margin }) => margin));
    const wrong = nearest(rows.filter(({ margin }) => margin <= 0).map(({ margin }) => margin));
    const [before, now] = [total(0), total(values.scale)];
    const sentence = `${said(right, wrong, scale)} ${totalSaid(data, before, now, scale)}`;
    return {
      svg: inTwoParts({ id: "lesson-a", width: 820, height: 370, title: a.title, description: sentence }, [field(data, rows)], [sigmoids(rows, scale)], values),
      sentence,
      table: {
        head: [tr`point`, tr`class`, tr`sum`, tr`probability`, tr`cost`, tr`sum now`, tr`probability now`, tr`cost now`],
        rows: [
          ...rows.slice(0, 30).map(({ label, z, margin }, k) => [k + 1, label, figures(z), figures(sigma(z), 4), figures(crossEntropy(margin), 4), figures(scale * z), figures(sigma(scale * z), 5), figures(crossEntropy(scale * margin), 5)]),
          [tr`all`, "", "", "", figures(before, 4), "", "", figures(now, 4)],
        ],
      },
      numbers: {
        scale,
        margin_right: right,
        margin_wrong: Number.isFinite(wrong) ? wrong : null,
        probability: [sigma(right), sigma(scale * right)],
        loss_right: [crossEntropy(right), crossEntropy(scale * right)],
        loss_wrong: Number.isFinite(wrong) ? [crossEntropy(wrong), crossEntropy(scale * wrong)] : null,
        total: [before, now],
        line: [[data.w[0], data.w[1], data.b], [scale * data.w[0], scale * data.w[1], scale * data.b]].map(([u, v, b]) => [-b / v, -u / v]),
      },
    };
  },
  quiz: {
    question: tr`All weights become ten times as large. Which points change sides?`,
    answers: [tr`Those near the line`, tr`None`, tr`All of them`],
    right: 1,
    why: tr`The sum is 0 exactly where ten times the sum is 0. Only the certainty grows.`,
  },
};

/** What becomes of two points. @param {number} right @param {number} wrong @param {number} scale */
function said(right, wrong, scale) {
  const first = tr`With all weights times ${times(scale)} the line is the same. A point on its right side, with a sum of ${times(Math.abs(right))} in its favour: probability ${figures(sigma(right), 4)} before, ${figures(sigma(scale * right), 5)} now, cost ${figures(crossEntropy(right))} before, ${little(crossEntropy(scale * right))} now.`;
  if (!Number.isFinite(wrong)) return tr`${first} No point is on the wrong side.`;
  const [before, now] = [crossEntropy(wrong), crossEntropy(scale * wrong)];
  return tr`${first} A point on the wrong side: cost ${figures(before, 4)} before, ${figures(now, 4)} now, ${figures(now / before, 2)} times as much.`;
}

/** Which of the two lines has the less error in total. @param {Data} data @param {number} before @param {number} now @param {number} scale */
function totalSaid({ n_rows, totals }, before, now, scale) {
  const first = tr`Total error of all ${whole(n_rows)} ${totals ? tr`rows` : tr`points`}: ${figures(before, 4)} before, ${figures(now, 4)} now.`;
  if (scale === 1) return tr`${first} These are the weights as they are.`;
  const winner = now < before ? tr`The weights times ${times(scale)} have` : tr`The weights as they were have`;
  return tr`${first} ${winner} the smaller error, and so the larger likelihood${before < 120 && now < 120 ? tr`: ${figures(Math.exp(-before))} before, ${figures(Math.exp(-now))} now` : ""}.`;
}

/** Small costs without an exponent. @param {number} x */
const little = (x) => (x < 1e-3 && x >= 1e-6 ? x.toFixed(6) : figures(x));

/** The margin nearest to 1 in size: the one the text speaks of. @param {number[]} margins */
const nearest = (margins) => margins.reduce((best, m) => (Math.abs(Math.abs(m) - 1) < Math.abs(Math.abs(best) - 1) ? m : best), Infinity);

/** @typedef {{ x: number, y: number, label: number, z: number, margin: number }} Row */

/** Marks at one place, drawn apart in a spiral around it. @param {[number, number, number][]} marks x, y and class, in the drawing */
function apart(marks) {
  /** @type {Record<string, number>} */
  const seen = {};
  return marks.map(([x, y, label]) => {
    const k = (seen[`${Math.round(x)} ${Math.round(y)}`] = (seen[`${Math.round(x)} ${Math.round(y)}`] ?? -1) + 1);
    return markOf(x + 9 * Math.sqrt(k) * Math.cos(2.4 * k), y + 9 * Math.sqrt(k) * Math.sin(2.4 * k), label);
  });
}

/** The two features and the line. @param {Data} data @param {Row[]} rows */
function field({ w, b, names }, rows) {
  const reach = 1.15 * Math.max(...rows.map(({ x, y }) => Math.max(Math.abs(x), Math.abs(y))));
  const x = scaleLinear([-reach, reach], [60, 350]);
  const y = scaleLinear([-reach, reach], [310, 20]);
  // from far on one side to far on the other, whatever the slope
  const size = Math.hypot(...w);
  const together = new Set(rows.map((row) => `${row.x} ${row.y}`)).size < rows.length;
  const foot = [(-b * w[0]) / size ** 2, (-b * w[1]) / size ** 2];
  const along = [(-w[1] / size) * 4 * reach, (w[0] / size) * 4 * reach];
  return [
    below(x, 310, short(names[0])),
    beside(y, 60, 350, short(names[1])),
    element("clipPath", { id: "lesson-a-field" }, element("rect", { x: 60, y: 20, width: 290, height: 290 })),
    segment(x(foot[0] - along[0]), y(foot[1] - along[1]), x(foot[0] + along[0]), y(foot[1] + along[1]), { stroke: "var(--ink)", "stroke-width": 2, "clip-path": "url(#lesson-a-field)" }),
    ...apart(rows.map((row) => [x(row.x), y(row.y), row.label])),
    words(205, 364, together ? tr`● class 0 · ■ class 1 · those at one place are drawn apart` : tr`● class 0 · ■ class 1`, { "text-anchor": "middle", fill: FAINT }),
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
    below(x, 310, tr`weighted sum with the first weights`),
    beside(y, 460, 800, ""),
    words(460, 14, tr`probability of class 1`, { fill: FAINT }),
    curve(line(1), { stroke: FAINT, "stroke-width": 2, "stroke-dasharray": "7 3" }),
    curve(line(scale), { stroke: COLOURS[2], "stroke-width": 2.5 }),
    ...rows.map((row) => markOf(x(row.z), y(sigma(scale * row.z)), row.label)),
    legend(470, 32, [[tr`weights times ${times(scale)}`, COLOURS[2], ""]]),
    legend(650, 32, [[tr`weights as they are`, FAINT, "7 3"]]),
  ].join("");
}
