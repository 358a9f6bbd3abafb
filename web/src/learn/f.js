/** f: a few weights that are large, or all weights that are small. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { tick } from "../axes.js";
import { NARROW } from "../panels.js";
import { COLOURS, FAINT, drawing, element, figures, segment, words } from "../svg.js";
import { short } from "./plane.js";
import * as m from "./mathml.js";

/**
 * @typedef {object} Path
 * @property {number} l1_ratio
 * @property {number[]} lambdas
 * @property {number[][]} coefs of the features listed
 * @property {number[]} n_nonzero of all features
 * @property {number[]} unexplained share of the target's variance that is left on held-out rows, mean over the folds
 *
 * @typedef {{ names: string[], truth: number[] | null, n_features: number, n_folds: number, paths: Path[] }} Data at most 30 features are listed
 */

const MIXES = [tr`1: L1 alone (lasso)`, tr`0.5: half of each (elastic net)`, tr`0: L2 alone (ridge)`];

/** @type {import("./lesson.js").Lesson} */
export const f = {
  id: "f",
  title: tr`Many features: what becomes of their weights?`,
  text: [
    tr`Now with many features at once. L1 leaves out whole features: their weights are exactly zero, and the rest can be read at a glance. L2 keeps every feature and makes all weights small.`,
    tr`The elastic net mixes both: l1_ratio = 1 is L1 alone, 0 is L2 alone. In between, some weights are zero, and features that say the same tend to stay or leave together.`,
    tr`Which should one take, and with which lambda? The weights do not say. Rows that were not fitted do: the rows are parted into folds, each fold is held out once, and below the chart stands how much of the target's variance is then left unexplained. Lesson i compares the mixes in this way.`,
  ],
  formulas: [m.formula(m.least(m.row(m.error, m.mo("+"), m.lambda, m.sum("j", m.row(m.mo("("), m.text("l1_ratio"), m.mo("·"), m.size(m.wj), m.mo("+"), m.frac(m.row(m.mn("1"), m.mo("−"), m.text("l1_ratio")), m.mn("2")), m.wj2, m.mo(")"))))))],
  careful: tr`A zero is not proof that a feature has no effect, and a kept feature is not proof that it has one. L1 also makes the weights of the features it keeps smaller than they should be.`,
  controls: (/** @type {Data} */ data) => [
    { id: "mix", label: "l1_ratio", min: 0, max: 2, step: 1, value: 0, choices: MIXES },
    { id: "at", label: tr`lambda`, min: 0, max: data.paths[0].lambdas.length - 1, step: 1, value: Math.floor(data.paths[0].lambdas.length * 0.28), ends: [tr`stronger`, tr`weaker`], show: (v, values) => figures(data.paths[values.mix].lambdas[v]) },
  ],
  draw(/** @type {Data} */ data, values) {
    const path = data.paths[values.mix];
    const other = data.paths[values.mix === 2 ? 0 : 2];
    const zeros = data.n_features - path.n_nonzero[values.at];
    const sentence = tr`With l1_ratio ${path.l1_ratio} and lambda ${figures(path.lambdas[values.at])}, ${zeros} of ${data.n_features} weights are exactly zero. ${values.mix === 2 ? tr`With L1` : tr`With L2`} at the same point of its path: ${data.n_features - other.n_nonzero[values.at]}. ${notSeen(data, values)}`;
    const w = path.coefs[values.at];
    return {
      svg: drawing({ id: "lesson-f", width: values.narrow ? NARROW : 820, height: 400, title: f.title, description: sentence }, [chart(data, w, values.narrow ? NARROW : 820), key(data)]),
      sentence,
      table: {
        head: [tr`feature`, ...(data.truth ? [tr`true weight`] : []), ...data.paths.map(({ l1_ratio }) => `l1_ratio ${l1_ratio}`)],
        rows: data.names.map((name, j) => [name, ...(data.truth ? [data.truth[j]] : []), ...data.paths.map(({ coefs }) => figures(coefs[values.at][j]))]),
      },
      numbers: { l1_ratio: path.l1_ratio, at: values.at, lam: path.lambdas[values.at], zeros, zeros_by_mix: data.paths.map(({ n_nonzero }) => data.n_features - n_nonzero[values.at]), weights: w, unexplained: path.unexplained[values.at], least: data.paths.map(({ unexplained }) => Math.min(...unexplained)) },
    };
  },
  quiz: {
    question: tr`There are 20 features, and only 4 of them matter. How many weights does L2 (ridge) set to exactly zero?`,
    answers: ["16", tr`About half`, tr`None`],
    right: 2,
    why: tr`The price of a last small bit of weight under L2 is nearly nothing, so nothing is ever pushed all the way to zero.`,
  },
};

/** How it does on rows held out, beside the best lambda of this mix and the best of all. @param {Data} data @param {import("./lesson.js").Values} values */
function notSeen({ paths, n_folds, n_features }, { mix, at }) {
  const best = paths.map(({ unexplained }) => unexplained.indexOf(Math.min(...unexplained)));
  const { lambdas, unexplained, n_nonzero, l1_ratio } = paths[mix];
  const first = paths.reduce((top, path, k) => (path.unexplained[best[k]] < paths[top].unexplained[best[top]] ? k : top), 0);
  const own = best[mix];
  const said = tr`On rows not fitted (${n_folds} folds) it leaves ${figures(unexplained[at])} of the target's variance unexplained; with this l1_ratio the least is ${figures(unexplained[own])}, at lambda ${figures(lambdas[own])} with ${n_features - n_nonzero[own]} zeros.`;
  return first === mix ? tr`${said} That is the least of all three mixes.` : tr`${said} The least of all three is ${figures(paths[first].unexplained[best[first]])}, with l1_ratio ${paths[first].l1_ratio} instead of ${l1_ratio}.`;
}

/** @param {Data} data */
function key({ names, truth }) {
  const top = 318 + 6.4 * Math.max(...names.map((name) => Math.min(12, name.length)));
  return words(66, top, tr`filled: the weight; open ring: exactly zero`, { fill: FAINT }) + (truth ? words(66, top + 18, tr`dash: the weight that made the data`, { fill: FAINT }) : "");
}

/** @param {Data} data @param {number[]} w @param {number} width */
function chart({ names, truth, paths }, w, width) {
  const most = 1.05 * Math.max(1e-12, ...(truth ?? []).map(Math.abs), ...paths.flatMap(({ coefs }) => coefs.flatMap((row) => row.map(Math.abs))));
  const y = scaleLinear([-most, most], [290, 20]);
  const step = (width - 80) / names.length;
  return [
    ...y.ticks(6).map((at) => segment(60, y(at), width - 10, y(at)) + words(54, y(at) + 4, tick(at), { "text-anchor": "end", fill: FAINT })),
    segment(60, y(0), width - 10, y(0), { stroke: FAINT }),
    words(0, 0, tr`weight per standard deviation`, { "text-anchor": "middle", transform: "translate(14 155) rotate(-90)" }),
    ...w.map((value, j) => {
      const x = 66 + step * (j + 0.5);
      const wide = Math.min(18, 0.6 * step);
      const reach = Math.min(13, 0.45 * step);
      const mark =
        value === 0
          ? element("circle", { cx: x, cy: y(0), r: 4.5, fill: "var(--paper)", stroke: FAINT, "stroke-width": 2 })
          : element("rect", { x: x - wide / 2, y: Math.min(y(0), y(value)), width: wide, height: Math.max(1, Math.abs(y(value) - y(0))), fill: COLOURS[0] });
      const real = truth && truth[j] !== 0 ? segment(x - reach, y(truth[j]), x + reach, y(truth[j]), { stroke: COLOURS[1], "stroke-width": 3 }) : "";
      return mark + real + words(0, 0, short(names[j], 12), { "text-anchor": "end", transform: `translate(${x + 4} 304) rotate(-55)`, fill: value === 0 ? FAINT : "var(--ink)" });
    }),
  ].join("");
}
