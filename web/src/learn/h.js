/** h: the budget holds the solution off the minimum; the price that does the same is what one more unit would save. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { COLOURS, DASHES, FAINT, curve, element, figures, through, words } from "../svg.js";
import { inTwoParts, snapped } from "./lesson.js";
import { awayFrom, cursor, legend, plane, pull } from "./plane.js";
import { gradient, least, loss, norm, priceOf, touch } from "./two_weights.js";
import * as m from "./mathml.js";

/** @typedef {{ quadratic: import("./two_weights.js").Quadratic, names: [string, string] }} Data */

/** @type {import("./lesson.js").Lesson} */
export const h = {
  id: "h",
  title: tr`A budget and a price`,
  text: [
    tr`One may fix a budget: the least error with weights of total size at most t. Or one may fix a price: the least error + price × size. Both give the same solutions. Wherever the budget stops the weights, there is a price at which they would have stopped by themselves. Either way they are kept, on purpose, away from the minimum of the training error.`,
    tr`The price is how much error one more unit of budget would save: the slope of the error over t. It can be read off the pull, the arrow towards smaller error. For the diamond of L1 the price is the largest component of the pull, since all of a little more budget goes where it saves most. For the disc of L2 it is the length of the pull. The second chart draws the price over t. A tight budget means a high price; once the budget covers the weights of least error, more of it saves nothing.`,
  ],
  formulas: [
    m.formula(m.mi("E"), m.mo("("), m.mi("t"), m.mo(")"), m.mo("="), m.text(tr`least error with size at most t`)),
    m.formula(m.text(tr`price`), m.mo("="), m.mo("−"), m.frac(m.row(m.mi("d"), m.mi("E")), m.row(m.mi("d"), m.mi("t")))),
    m.formula(m.text("L1: "), m.lambda, m.mo("="), m.text(tr`price`), m.mo(","), m.text("\u2003L2: "), m.lambda, m.mo("="), m.frac(m.text(tr`price`), m.mi("t"))),
  ],
  careful: tr`The lambda of L1 is this price. The lambda of L2, which stands before half the sum of squares, is the price of one more unit of t²/2, so the price divided by t. Which budget goes with which lambda depends on the data, and not always one to one: every t beyond the end of the curve has price zero; under L1 every lambda above the start of the curve gives t = 0, while under L2 no lambda, however large, does.`,
  controls: (/** @type {Data} */ data) => {
    const most = norm("l1", least(data.quadratic));
    const step = Number((most / 60).toPrecision(1));
    return [
      { id: "shape", label: tr`ball`, min: 0, max: 1, step: 1, value: 0, choices: [tr`L1: diamond`, tr`L2: disc`] },
      { id: "t", label: tr`budget t`, min: step, max: snapped(1.3 * most, step), step, value: snapped(0.5 * most, step), ends: [tr`tighter`, tr`wider`], show: (v) => figures(v) },
    ];
  },
  draw(/** @type {Data} */ data, values) {
    const shape = values.shape ? "l2" : "l1";
    const q = data.quadratic;
    const { t } = values;
    const free = least(q);
    const at = touch(q, shape, t);
    const g = gradient(q, at.w);
    const price = priceOf(q, shape, at);
    const most = h.controls(data)[1].max;
    const ts = Array.from({ length: 82 }, (_, k) => (most * k) / 81);
    const met = ts.map((one) => touch(q, shape, one));
    const prices = met.map((one) => priceOf(q, shape, one));
    const sentence = said(shape, t, at, [-g[0], -g[1]], price, norm(shape, free));
    const on = plane({ left: 70, top: 20, size: 310, reach: 1.35 * norm("l1", free), id: "lesson-h" }, data.names);
    const x = scaleLinear([0, most], [470, 800]);
    const y = scaleLinear([0, 1.04 * prices[0]], [330, 68]);
    const level = loss(q, at.w) - loss(q, free);
    const svg = inTwoParts({ id: "lesson-h", width: 820, height: 375, title: h.title, description: sentence }, [
      on.axes,
      on.contours(q, [0.25, 0.6, 1.5].map((share) => share * (level || 0.1 * q.base))),
      on.ball(shape, t),
      level > 0 ? on.contour(q, level) : "",
      element("g", {}, curve(through(met.map(({ w: [u, v] }) => [on.x(u), on.y(v)])), { stroke: COLOURS[3], "stroke-dasharray": DASHES[2], "stroke-width": 2 })),
      pull(on, q, at.w),
      on.mark(free, tr`lowest error`, FAINT, awayFrom(free, at.w)),
      on.mark(at.w, tr`solution`, COLOURS[2], { ...awayFrom(at.w, free), dy: 20 }),
    ], [
      below(x, 330, tr`budget t`),
      beside(y, 470, 800, ""),
      curve(through(ts.map((one, k) => [x(one), y(prices[k])])), { stroke: COLOURS[values.shape], "stroke-width": 2.5 }),
      cursor(x(t), 68, 330),
      element("circle", { cx: x(t), cy: y(price), r: 6, fill: COLOURS[2], stroke: "var(--paper)", "stroke-width": 2 }),
      legend(470, 16, [[tr`price: error saved by one more unit of t`, COLOURS[values.shape], ""]]),
      legend(470, 34, [[tr`solutions of all budgets`, COLOURS[3], DASHES[2]]]),
      words(470, 56, tr`arrow: the pull towards smaller error`, { fill: FAINT }),
    ], values);
    return {
      svg,
      sentence,
      table: {
        head: [tr`ball`, "t", tr`size used`, tr`price`, tr`lambda`, data.names[0], data.names[1], tr`error`],
        rows: [0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.2].map((share) => {
          const one = touch(q, shape, share * norm(shape, free));
          return [shape === "l1" ? tr`diamond` : tr`disc`, figures(share * norm(shape, free)), figures(norm(shape, one.w)), figures(priceOf(q, shape, one)), figures(one.lam), figures(one.w[0]), figures(one.w[1]), figures(loss(q, one.w), 4)];
        }),
      },
      numbers: { shape, t, w: at.w, lam: at.lam, kkt: at.kkt, price, pull: [-g[0], -g[1]], error: loss(q, at.w), used: norm(shape, at.w), end: norm(shape, free), ts, prices },
    };
  },
  quiz: {
    question: tr`The budget t is larger than the size of the unpenalised weights. What is the price?`,
    answers: [tr`Very large`, tr`Zero`, tr`It cannot be said`],
    right: 1,
    why: tr`More budget would not change the solution, so it is worth nothing.`,
  },
};

/** @param {import("./two_weights.js").Shape} shape @param {number} t @param {import("./two_weights.js").Touch} at @param {import("./two_weights.js").Pair} force @param {number} price @param {number} end */
function said(shape, t, at, force, price, end) {
  if (at.lam === 0) return tr`A budget of ${figures(t)} is more than the ${figures(end)} that the weights of least error use: nothing is stopped, and more budget would save nothing. The price is 0, and so is lambda.`;
  const where = tr`A budget of ${figures(t)} stops the weights at (${figures(at.w[0])}, ${figures(at.w[1])}). The pull there is (${figures(force[0])}, ${figures(force[1])})`;
  return shape === "l1"
    ? tr`${where}; its largest component, ${figures(price)}, is the price, and the lambda of L1.`
    : tr`${where}; its length, ${figures(price)}, is the price. The lambda of L2 is the price divided by t: ${figures(at.lam)}.`;
}
