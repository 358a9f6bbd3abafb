/** e: where contours of the error touch the diamond and the disc. */
import { tr } from "../language.js";
import { COLOURS, FAINT, INK, element, figures, words } from "../svg.js";
import { clamp, handle, inTwoParts, movable, snapped } from "./lesson.js";
import { awayFrom, legend, plane, pull } from "./plane.js";
import { cornerLimit, ellipses, least, loss, norm, onAxis, touch, turned } from "./two_weights.js";
import * as m from "./mathml.js";

/** @typedef {import("./two_weights.js").Pair} Pair */
/** @typedef {import("./two_weights.js").Shape} Shape */
/** @typedef {{ quadratic: import("./two_weights.js").Quadratic | null, names: [string, string] }} Data without a quadratic the reader turns one */

export const N_ELLIPSES = 500;
const SHAPES = /** @type {const} */ (["l1", "l2"]);
const NAMES = { l1: tr`diamond`, l2: tr`disc` };
const FRAMES = {
  l1: { left: 70, top: 44, size: 310, id: "lesson-e-l1" },
  l2: { left: 490, top: 44, size: 310, id: "lesson-e-l2" },
};

/** @param {Data} data @param {import("./lesson.js").Values} values */
const quadraticOf = (data, values) => data.quadratic ?? turned(values.angle, 1, values.correlation);

/** @type {import("./lesson.js").Lesson} */
export const e = {
  id: "e",
  title: tr`Where do zeros come from? The ellipse meets the diamond and the disc`,
  text: [
    tr`Say it with a budget: the weights may have at most a total size t. For L1 these weights form a diamond, whose corners lie on the axes, where one weight is exactly zero. For L2 they form a disc, which has no corners.`,
    tr`Every ellipse joins weights with the same error; the lowest error is at their centre. Grow the ellipse until it first touches the ball: that is the solution. A corner sticks out, so the ellipse often meets the diamond there. The disc is met on an axis only by accident, so L2 makes weights small, but hardly ever zero.`,
    tr`The arrow is the pull towards smaller error. On a side of the ball it stands at right angles to the side. At a corner it may point anywhere within a fan: that is why a corner holds the solution for many data sets, not for one alone.`,
  ],
  formulas: [
    m.formula(m.text(tr`diamond: `), m.least(m.error), m.text(tr` while `), m.sum("j", m.size(m.wj)), m.mo("≤"), m.mi("t")),
    m.formula(m.text(tr`disc: `), m.least(m.error), m.text(tr` while `), m.sum("j", m.wj2), m.mo("≤"), m.sup(m.mi("t"), m.mn("2"))),
  ],
  careful: tr`A corner is frequent, not certain. Move the sliders until the diamond is touched on a side: then L1 keeps both weights. The count below shows how often corners win, and that they win more often with a tighter budget. Sometimes the disc is drawn inside the diamond, and L2 is said to give smaller weights for that reason. The reason is wrong. With the same t it is the diamond that lies inside the disc (the faint line in the drawing of L2), and a disc inside the diamond is only one with a smaller budget. How large the weights are is a matter of the budget; how they share it is a matter of the shape.`,
  controls: (/** @type {Data} */ data) => {
    const most = data.quadratic ? norm("l1", least(data.quadratic)) : 1.6;
    const step = Number((most / 60).toPrecision(1));
    return [
      { id: "t", label: tr`budget t`, min: step, max: snapped(1.1 * most, step), step, value: snapped(0.4 * most, step), ends: [tr`tighter`, tr`wider`], show: (v) => figures(v) },
      ...(data.quadratic
        ? []
        : [
            { id: "angle", label: tr`direction of the lowest error`, min: 0, max: 360, step: 5, value: 15, show: (/** @type {number} */ v) => `${v}°` },
            { id: "correlation", label: tr`correlation of the features`, min: -0.9, max: 0.9, step: 0.05, value: 0.5, show: (/** @type {number} */ v) => figures(v) },
          ]),
    ];
  },
  grab(data, values, _, px, py) {
    const q = quadraticOf(data, values);
    const { x, y } = plane({ ...FRAMES.l1, reach: reachOf(q) }, data.names);
    if (data.quadratic) return values;
    const turn = (Math.atan2(y.invert(py), x.invert(px)) * 180) / Math.PI;
    return { ...values, angle: clamp(snapped((turn + 360) % 360, 5), 0, 360) };
  },
  nudge: (_, values, __, dx, dy) => ({ ...values, angle: (values.angle - 5 * (dx + dy) + 360) % 360 }),
  draw(/** @type {Data} */ data, values) {
    const q = quadraticOf(data, values);
    const free = least(q);
    const met = { l1: touch(q, "l1", values.t), l2: touch(q, "l2", values.t) };
    const shares = { l1: shareOf("l1", values.t, free), l2: shareOf("l2", values.t, free) };
    const corners = counted(shares);
    const sentence = tr`With t = ${figures(values.t)}: ${SHAPES.map((shape) => where(shape, met[shape])).join("; ")}. Of ${N_ELLIPSES} ellipses drawn by chance, with budgets as tight as here, ${corners.l1} touch the diamond at a corner and ${corners.l2} touch the disc on an axis.`;
    const svg = movable(inTwoParts({ id: "lesson-e", width: 820, height: 524, title: e.title, description: sentence }, [
      words(70, 20, tr`L1: sum of sizes at most t`, { fill: COLOURS[0], "font-weight": 600 }),
      ball(q, data, "l1", values.t, met.l1, !data.quadratic),
      legend(70, 424, [
        [tr`error of the solution`, INK, ""],
        [tr`other errors; the lowest is at the centre`, FAINT, ""],
        [tr`pull towards smaller error`, COLOURS[3], ""],
      ]),
    ], [
      words(490, 20, tr`L2: sum of squares at most t²`, { fill: COLOURS[1], "font-weight": 600 }),
      ball(q, data, "l2", values.t, met.l2, false),
      bars(corners, shares),
    ], values, { left: 420 }));
    return {
      svg,
      sentence,
      table: {
        head: [tr`ball`, "t", data.names[0], data.names[1], tr`exact zeros`, tr`lambda`, tr`error`],
        rows: SHAPES.flatMap((shape) =>
          [0.25, 0.5, 0.75, 1].map((share) => {
            const t = share * norm(shape, free);
            const at = touch(q, shape, t);
            return [NAMES[shape], figures(t), figures(at.w[0]), figures(at.w[1]), at.w.filter((v) => v === 0).length, figures(at.lam), figures(loss(q, at.w), 4)];
          }),
        ),
      },
      numbers: { t: values.t, l1: met.l1, l2: met.l2, corners, shares, n_ellipses: N_ELLIPSES, lowest: free },
    };
  },
  quiz: {
    question: tr`An ellipse is drawn by chance. Will it touch the diamond at a corner?`,
    answers: [tr`Always`, tr`Often, but not always`, tr`Never`],
    right: 1,
    why: tr`The arrow of the pull has to fall into the fan of a corner. With half the budget that the lowest error asks for it does so in nearly half of the cases; with a tighter budget, more often.`,
  },
};

/** How large a part of the size that the lowest error asks for the budget is. @param {Shape} shape @param {number} t @param {Pair} free */
const shareOf = (shape, t, free) => Math.min(1, Number((t / norm(shape, free)).toFixed(2)));

/** Of every ellipse, once: its limit does not change with the budget. @type {number[] | null} */
let limits = null;

/** How many of the ellipses touch the diamond at a corner, and the disc on an axis. @param {Record<Shape, number>} shares */
function counted(shares) {
  limits ??= ellipses(N_ELLIPSES).map(cornerLimit);
  const l1 = shares.l1 < 1 ? limits.filter((limit) => limit >= shares.l1).length : 0;
  return { l1, l2: shares.l2 < 1 ? axisCount(shares.l2) : 0 };
}

/** @param {number} share */
const axisCount = (share) => ellipses(N_ELLIPSES).filter((q) => onAxis(q, "l2", share * norm("l2", least(q)))).length;

/** @param {import("./two_weights.js").Quadratic} q */
const reachOf = (q) => 1.25 * norm("l1", least(q));

/** Where a ball is touched. @param {Shape} shape @param {import("./two_weights.js").Touch} at */
function where(shape, { w, lam }) {
  const point = `(${figures(w[0])}, ${figures(w[1])})`;
  if (lam === 0) return tr`the lowest error lies inside the ${NAMES[shape]}, ${point}: the budget is not used up`;
  const how = w.includes(0) ? (shape === "l1" ? tr`at a corner: one weight is exactly zero` : tr`on an axis: one weight is exactly zero`) : shape === "l1" ? tr`on a side: both weights stay` : tr`beside the axes: both weights stay`;
  return tr`the ${NAMES[shape]} is touched at ${point}, ${how}`;
}

/** @param {import("./two_weights.js").Quadratic} q @param {Data} data @param {Shape} shape @param {number} t @param {import("./two_weights.js").Touch} at @param {boolean} movable */
function ball(q, data, shape, t, at, movable) {
  const on = plane({ ...FRAMES[shape], reach: reachOf(q) }, data.names);
  const free = least(q);
  const level = loss(q, at.w) - loss(q, free);
  return [
    on.axes,
    on.contours(q, [0.3, 0.6, 1.5, 2.2].map((share) => share * (level || 0.1 * q.base))),
    on.ball(shape, t),
    shape === "l2" ? element("g", { "stroke-opacity": 0.4 }, on.ball("l1", t, false)) : "",
    level > 0 ? on.contour(q, level) : "",
    movable ? handle("centre", tr`lowest error`, on.x(free[0]), on.y(free[1]), FAINT) : on.mark(free, tr`lowest error`, FAINT, free[0] > 0.5 * reachOf(q) ? { dx: 30, dy: 24, anchor: "end" } : awayFrom(free, at.w)),
    element("g", { "pointer-events": "none" }, pull(on, q, at.w)),
    on.mark(at.w, tr`solution`, COLOURS[2], { ...awayFrom(at.w, free), dy: 20 }),
  ].join("");
}

/** How often a corner, or an axis, is touched. @param {Record<Shape, number>} corners @param {Record<Shape, number>} shares */
function bars(corners, shares) {
  const percent = (/** @type {number} */ share) => `${figures(100 * share)}%`;
  return words(490, 420, tr`How often? ${N_ELLIPSES} ellipses drawn by chance`, { "font-weight": 600 }) + SHAPES.map((shape, k) => {
    const width = (160 * corners[shape]) / N_ELLIPSES;
    const y = 434 + 24 * k;
    return words(490, y + 11, shape === "l1" ? tr`diamond, at a corner` : tr`disc, on an axis`) + element("rect", { x: 625, y, width: 160, height: 14, fill: "var(--card)" }) + element("rect", { x: 625, y, width, height: 14, fill: COLOURS[k] }) + words(632 + width, y + 11, `${corners[shape]}`);
  }).join("") + words(490, 498, tr`with ${percent(shares.l1)} (diamond) and ${percent(shares.l2)} (disc) of the`, { fill: FAINT }) + words(490, 516, tr`budget that the lowest error asks for`, { fill: FAINT });
}
