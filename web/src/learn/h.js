/** h: the budget holds the solution off the minimum; the price that does the same is lambda. */
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { COLOURS, DASHES, FAINT, curve, element, figures, through } from "../svg.js";
import { inTwoParts, snapped } from "./lesson.js";
import { awayFrom, cursor, legend, plane } from "./plane.js";
import { least, loss, norm, touch } from "./two_weights.js";

/** @typedef {{ quadratic: import("./two_weights.js").Quadratic, names: [string, string] }} Data */

/** @type {import("./lesson.js").Lesson} */
export const h = {
  id: "h",
  title: "A budget and a price are the same thing",
  text: [
    "One may fix a budget: the least error with weights of total size at most t. Or one may fix a price: the least error + lambda × size. Both give the same solutions. Wherever the budget stops the weights, there is a price at which they would have stopped by themselves.",
    "That price is how much error one more unit of budget would save: the length of the pull at the solution. The second chart draws it over t. A tight budget means a high price. Once the budget covers the weights of least error, more of it saves nothing: the price is zero.",
  ],
  careful: "The two match for a suitable pair of lambda and t, which depends on the data, and not always one to one: every t beyond the end of the curve has lambda = 0, and every lambda above its start has t = 0.",
  controls: (/** @type {Data} */ data) => {
    const most = norm("l1", least(data.quadratic));
    const step = Number((most / 60).toPrecision(1));
    return [
      { id: "shape", label: "ball", min: 0, max: 1, step: 1, value: 0, choices: ["L1: diamond", "L2: disc"] },
      { id: "t", label: "budget t", min: step, max: snapped(1.3 * most, step), step, value: snapped(0.5 * most, step), show: (v) => figures(v) },
    ];
  },
  draw(/** @type {Data} */ data, values) {
    const shape = values.shape ? "l2" : "l1";
    const q = data.quadratic;
    const free = least(q);
    const end = norm(shape, free);
    const at = touch(q, shape, values.t);
    const used = norm(shape, at.w);
    const sentence =
      at.lam > 0
        ? `A budget of ${figures(values.t)} stops the weights at (${figures(at.w[0])}, ${figures(at.w[1])}). The price that does the same is lambda = ${figures(at.lam)}.`
        : `A budget of ${figures(values.t)} is more than the ${figures(end)} that the weights of least error use: nothing is stopped, lambda = 0.`;
    const reach = 1.35 * norm("l1", free);
    const on = plane({ left: 70, top: 20, size: 310, reach, id: "lesson-h" }, data.names);
    const most = h.controls(data)[1].max;
    const ts = Array.from({ length: 81 }, (_, k) => (most * (k + 1)) / 81);
    const lams = ts.map((t) => touch(q, shape, t).lam);
    const x = scaleLinear([0, most], [470, 800]);
    const top = Math.min(Math.max(...lams), 3 * touch(q, shape, end / 4).lam);
    const y = scaleLinear([0, top], [330, 50]);
    const level = loss(q, at.w) - loss(q, free);
    const svg = inTwoParts({ id: "lesson-h", width: 820, height: 375, title: h.title, description: sentence }, [
      on.axes,
      on.contours(q, [0.25, 0.6, 1.5].map((share) => share * (level || 0.1 * q.base))),
      on.ball(shape, values.t),
      level > 0 ? on.contour(q, level) : "",
      element("g", {}, curve(through(ts.map((t) => touch(q, shape, t).w).map(([u, v]) => [on.x(u), on.y(v)])), { stroke: COLOURS[3], "stroke-dasharray": DASHES[2], "stroke-width": 2 })),
      on.mark(free, "lowest error", FAINT, awayFrom(free, at.w)),
      on.mark(at.w, "solution", COLOURS[2], { ...awayFrom(at.w, free), dy: 20 }),
    ], [
      below(x, 330, "budget t"),
      beside(y, 470, 800, ""),
      curve(through(ts.map((t, k) => [x(t), lams[k] > top ? NaN : y(lams[k])])), { stroke: COLOURS[values.shape], "stroke-width": 2.5 }),
      cursor(x(values.t), 50, 330),
      element("circle", { cx: x(values.t), cy: y(Math.min(top, at.lam)), r: 6, fill: COLOURS[2], stroke: "var(--paper)", "stroke-width": 2 }),
      legend(470, 16, [["the price lambda for each budget", COLOURS[values.shape], ""]]),
      legend(470, 34, [["solutions of all budgets", COLOURS[3], DASHES[2]]]),
    ], values);
    return {
      svg,
      sentence,
      table: {
        head: ["ball", "t", "size used", "lambda", data.names[0], data.names[1], "error"],
        rows: [0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.2].map((share) => {
          const met = touch(q, shape, share * end);
          return [shape === "l1" ? "diamond" : "disc", figures(share * end), figures(norm(shape, met.w)), figures(met.lam), figures(met.w[0]), figures(met.w[1]), figures(loss(q, met.w), 4)];
        }),
      },
      numbers: { shape, t: values.t, w: at.w, lam: at.lam, kkt: at.kkt, used, end, ts, lams },
    };
  },
  quiz: {
    question: "The budget t is larger than the size of the unpenalised weights. What is lambda?",
    answers: ["Very large", "Zero", "It cannot be said"],
    right: 1,
    why: "More budget would not change the solution, so it is worth nothing: the price is zero.",
  },
};
