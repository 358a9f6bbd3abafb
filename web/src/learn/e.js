/** e: where contours of the error touch the diamond or the disc. */
import { COLOURS, FAINT, INK, element, figures, words } from "../svg.js";
import { clamp, handle, inTwoParts, movable, snapped } from "./lesson.js";
import { awayFrom, legend, plane, pull } from "./plane.js";
import { cornerCount, least, loss, norm, touch, turned } from "./two_weights.js";

/** @typedef {import("./two_weights.js").Pair} Pair */
/** @typedef {{ quadratic: import("./two_weights.js").Quadratic | null, names: [string, string] }} Data without a quadratic the reader turns one */

export const N_ELLIPSES = 500;
const FRAME = { left: 70, top: 20, size: 320, id: "lesson-e" };

/** @param {Data} data @param {import("./lesson.js").Values} values */
const quadraticOf = (data, values) => data.quadratic ?? turned(values.angle, 1, values.correlation);

/** @type {import("./lesson.js").Lesson} */
export const e = {
  id: "e",
  title: "Why L1 gives zeros: the ellipse meets the diamond",
  text: [
    "Say it with a budget: the weights may have at most a total size t. For L1 these weights form a diamond, whose corners lie on the axes, where one weight is exactly zero. For L2 they form a disc, which has no corners.",
    "Every ellipse joins weights with the same error; the lowest error is at their centre. Grow the ellipse until it first touches the ball: that is the solution. A corner sticks out, so the ellipse often meets the diamond there. The disc is met on an axis only by accident, so L2 makes weights small, but hardly ever zero.",
    "The arrow is the pull towards smaller error. On a side of the ball it stands at right angles to the side. At a corner it may point anywhere within a fan: that is why a corner holds the solution for many data sets, not for one alone.",
  ],
  careful: "A corner is frequent, not certain. Move the sliders until the diamond is touched on a side: then L1 keeps both weights. The count in the chart shows how often corners win.",
  controls: (/** @type {Data} */ data) => {
    const most = data.quadratic ? norm("l1", least(data.quadratic)) : 1.6;
    const step = Number((most / 60).toPrecision(1));
    return [
      { id: "shape", label: "ball", min: 0, max: 1, step: 1, value: 0, choices: ["L1: diamond", "L2: disc"] },
      { id: "t", label: "budget t", min: step, max: snapped(1.1 * most, step), step, value: snapped(0.4 * most, step), show: (v) => figures(v) },
      ...(data.quadratic
        ? []
        : [
            { id: "angle", label: "direction of the lowest error", min: 0, max: 360, step: 5, value: 15, show: (/** @type {number} */ v) => `${v}°` },
            { id: "correlation", label: "correlation of the features", min: -0.9, max: 0.9, step: 0.05, value: 0.5, show: (/** @type {number} */ v) => figures(v) },
          ]),
    ];
  },
  grab(data, values, _, px, py) {
    const q = quadraticOf(data, values);
    const { x, y } = plane({ ...FRAME, reach: reachOf(q) }, data.names);
    if (data.quadratic) return values;
    const turn = (Math.atan2(y.invert(py), x.invert(px)) * 180) / Math.PI;
    return { ...values, angle: clamp(snapped((turn + 360) % 360, 5), 0, 360) };
  },
  nudge: (_, values, __, dx, dy) => ({ ...values, angle: (values.angle - 5 * (dx + dy) + 360) % 360 }),
  draw(/** @type {Data} */ data, values) {
    const shape = values.shape ? "l2" : "l1";
    const q = quadraticOf(data, values);
    const free = least(q);
    const at = touch(q, shape, values.t);
    const zeros = at.w.filter((value) => value === 0).length;
    const corners = counted();
    const where = at.lam === 0 ? "inside the ball: the budget is not used up" : shape === "l1" ? (zeros ? "at a corner: one weight is exactly zero" : "on a side: both weights stay") : "on the circle: both weights shrink";
    const sentence = `With t = ${figures(values.t)} the ${shape === "l1" ? "diamond" : "disc"} is touched at (${figures(at.w[0])}, ${figures(at.w[1])}), ${where}. lambda = ${figures(at.lam)}. Of ${N_ELLIPSES} ellipses drawn by chance, ${corners.l1} touch the diamond at a corner and ${corners.l2} touch the disc on an axis.`;
    const on = plane({ ...FRAME, reach: reachOf(q) }, data.names);
    const level = loss(q, at.w) - loss(q, free);
    const svg = movable(inTwoParts({ id: "lesson-e", width: 820, height: 385, title: e.title, description: sentence }, [
      on.axes,
      on.contours(q, [0.3, 0.6, 1.5, 2.2].map((share) => share * (level || 0.1 * q.base))),
      on.ball(shape, values.t),
      level > 0 ? on.contour(q, level) : "",
      data.quadratic ? on.mark(free, "lowest error", FAINT, awayFrom(free, at.w)) : handle("centre", "lowest error", on.x(free[0]), on.y(free[1]), FAINT),
      element("g", { "pointer-events": "none" }, pull(on, q, at.w)),
      on.mark(at.w, "solution", COLOURS[2], { ...awayFrom(at.w, free), dy: 20 }),
    ], [
      legend(440, 40, [
        [shape === "l1" ? "budget: sum of sizes is at most t" : "budget: sum of squares is at most t²", COLOURS[values.shape], shape === "l1" ? "" : "7 3"],
        ["error of the solution", INK, ""],
        ["other errors; the lowest is at the centre", FAINT, ""],
        ["pull towards smaller error", COLOURS[3], ""],
      ]),
      words(440, 150, "Where is the ball touched?", { "font-weight": 600 }),
      shares(corners),
    ], values, { height: 310 }));
    return {
      svg,
      sentence,
      table: {
        head: ["ball", "t", data.names[0], data.names[1], "exact zeros", "lambda", "error"],
        rows: /** @type {const} */ (["l1", "l2"]).flatMap((one) =>
          [0.25, 0.5, 0.75, 1].map((share) => {
            const t = share * norm(one, free);
            const met = touch(q, one, t);
            return [one === "l1" ? "diamond" : "disc", figures(t), figures(met.w[0]), figures(met.w[1]), met.w.filter((v) => v === 0).length, figures(met.lam), figures(loss(q, met.w), 4)];
          }),
        ),
      },
      numbers: { shape, t: values.t, w: at.w, lam: at.lam, kkt: at.kkt, corner: at.corner, corners, n_ellipses: N_ELLIPSES, corner_share: corners.l1 / N_ELLIPSES, lowest: free },
    };
  },
  quiz: {
    question: "An ellipse is drawn by chance. Will it touch the diamond at a corner?",
    answers: ["Always", "Often, but not always", "Never"],
    right: 1,
    why: "The arrow of the pull has to fall into the fan of a corner. In the count of this lesson it does so in nearly half of the cases; with a tighter budget, more often.",
  },
};

/** @type {{ l1: number, l2: number } | null} */
let counts = null;
/** The same for every drawing, so counted once. */
const counted = () => (counts ??= { l1: cornerCount("l1", N_ELLIPSES), l2: cornerCount("l2", N_ELLIPSES) });

/** @param {import("./two_weights.js").Quadratic} q */
const reachOf = (q) => 1.25 * norm("l1", least(q));

/** How often a corner, or an axis, is touched. @param {{ l1: number, l2: number }} corners */
function shares(corners) {
  return [
    ["diamond, at a corner", corners.l1, COLOURS[0]],
    ["diamond, on a side", N_ELLIPSES - corners.l1, COLOURS[4]],
    ["disc, on an axis", corners.l2, COLOURS[1]],
  ]
    .map(([label, count, fill], k) => {
      const width = (200 * Number(count)) / N_ELLIPSES;
      const y = 168 + 26 * k;
      return words(440, y + 11, label) + element("rect", { x: 590, y, width, height: 14, fill: String(fill) }) + words(598 + width, y + 11, `${count}`);
    })
    .join("") + words(440, 268, `of ${N_ELLIPSES} ellipses drawn by chance,`, { fill: FAINT }) + words(440, 286, "with half the budget that the lowest error asks for", { fill: FAINT });
}
