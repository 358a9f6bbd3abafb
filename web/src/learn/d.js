/** d: two features that say the same: (1, 0) against (0.5, 0.5). */
import { COLOURS, DASHES, INK, curve, element, figures, through, words } from "../svg.js";
import { clamp, handle, inTwoParts, movable, snapped } from "./lesson.js";
import { legend, plane } from "./plane.js";
import { ellipse, least, loss, norm } from "./two_weights.js";

/** @typedef {import("./two_weights.js").Pair} Pair */
/** @typedef {{ quadratic: import("./two_weights.js").Quadratic, names: [string, string], correlation: number, unit: number, lam: number, l1: Pair, l2: Pair }} Data lam: of the two solutions */

const FRAME = { left: 70, top: 20, size: 310, id: "lesson-d" };
/** @param {Data} data */
const reachOf = (data) => 1.4 * data.unit;

/** @type {import("./lesson.js").Lesson} */
export const d = {
  id: "d",
  title: "Two features that say the same: (1, 0) or (0.5, 0.5)?",
  text: [
    "Let two features be almost copies of one another. The model may give all the weight to the first, (1, 0), or share it, (0.5, 0.5): the predictions are the same. Which one do the penalties choose?",
    "L1 adds up sizes: 1 + 0 and 0.5 + 0.5 are both 1. L2 adds up squares: 1 + 0 = 1, but 0.25 + 0.25 = 0.5. So L2 has a clear wish, to share, and so keeps every weight small. Move the point and watch both sums.",
  ],
  careful: "L1 does not prefer (1, 0) to (0.5, 0.5): to L1 they cost the same. Among such twins the error decides, by differences that may be pure chance, and often one of the two weights ends at zero. Another sample may keep the other twin.",
  controls: (/** @type {Data} */ data) => {
    const step = Number((data.unit / 20).toPrecision(1));
    const reach = snapped(1.3 * data.unit, step);
    /** @param {number} k */
    const slider = (k) => ({ id: `w${k + 1}`, label: `weight of ${data.names[k]}`, min: -reach, max: reach, step, value: snapped((k ? 0.3 : 0.7) * data.unit, step), show: (/** @type {number} */ v) => figures(v) });
    return [slider(0), slider(1)];
  },
  grab(data, values, _, px, py) {
    const { x, y } = plane({ ...FRAME, reach: reachOf(data) }, data.names);
    const [{ min, max, step }] = d.controls(data);
    return { ...values, w1: snapped(clamp(x.invert(px), min, max), step), w2: snapped(clamp(y.invert(py), min, max), step) };
  },
  draw(/** @type {Data} */ data, values) {
    /** @type {Pair} */
    const w = [values.w1, values.w2];
    const u = data.unit;
    /** @type {[string, Pair][]} */
    const places = [
      ["all on one", [u, 0]],
      ["shared", [u / 2, (Math.sign(data.correlation) * u) / 2]],
      ["your point", w],
      [`L1 with lambda ${figures(data.lam)}`, data.l1],
      [`L2 with lambda ${figures(data.lam)}`, data.l2],
    ];
    const rows = places.map(([name, p]) => ({ name, p, l1: norm("l1", p), l2: norm("l2", p) ** 2, error: loss(data.quadratic, p) }));
    const mine = rows[2];
    const sentence =
      `Your point (${figures(w[0])}, ${figures(w[1])}): sum of sizes ${figures(mine.l1)}, sum of squares ${figures(mine.l2)}, error ${figures(mine.error)}. ` +
      `(${figures(u)}, 0) and (${figures(places[1][1][0])}, ${figures(places[1][1][1])}) have the same sum of sizes, ${figures(rows[0].l1)}; their sums of squares are ${figures(rows[0].l2)} and ${figures(rows[1].l2)}.`;
    const on = plane({ ...FRAME, reach: reachOf(data) }, data.names);
    const svg = movable(inTwoParts({ id: "lesson-d", width: 820, height: 375, title: d.title, description: sentence }, [
      on.axes,
      on.ball("l1", mine.l1, false),
      on.ball("l2", Math.sqrt(mine.l2), false),
      element("g", { "clip-path": "url(#lesson-d-plane)" }, curve(through(sameError(data.quadratic, mine.error).map(([a, b]) => [on.x(a), on.y(b)])), { stroke: INK, "stroke-width": 2, "stroke-dasharray": DASHES[2] })),
      on.mark(data.l1, "L1", COLOURS[0], { dx: 0, dy: 24, anchor: "middle" }),
      on.mark(data.l2, "L2", COLOURS[1], { dx: -8, dy: 16, anchor: "end" }),
      handle("point", "your point", on.x(w[0]), on.y(w[1]), COLOURS[3]),
    ], [
      legend(430, 40, [
        ["same sum of sizes as your point (L1)", COLOURS[0], ""],
        ["same sum of squares as your point (L2)", COLOURS[1], DASHES[1]],
        ["same error as your point", INK, DASHES[2]],
      ]),
      words(430, 115, "sum of sizes", { "font-weight": 600 }),
      bars(rows.slice(0, 3).map(({ name, l1 }) => [name, l1]), 135, COLOURS[0]),
      words(430, 235, "sum of squares", { "font-weight": 600 }),
      bars(rows.slice(0, 3).map(({ name, l2 }) => [name, l2]), 255, COLOURS[1]),
    ], values, { height: 350 }));
    return {
      svg,
      sentence,
      table: { head: ["weights", data.names[0], data.names[1], "sum of sizes", "sum of squares", "error"], rows: rows.map(({ name, p, l1, l2, error }) => [name, figures(p[0]), figures(p[1]), figures(l1), figures(l2), figures(error, 4)]) },
      numbers: { l1: rows.map(({ l1 }) => l1), l2: rows.map(({ l2 }) => l2), error: rows.map(({ error }) => error), correlation: data.correlation, solutions: { l1: data.l1, l2: data.l2 } },
    };
  },
  quiz: {
    question: "Two features are exact copies. Which penalty prefers (0.5, 0.5) to (1, 0)?",
    answers: ["L1", "L2", "Both", "Neither"],
    right: 1,
    why: "0.5² + 0.5² = 0.5 is less than 1² = 1. For L1 both are 1: a tie.",
  },
};

/** The curve of all weights with this error: an ellipse, or for exact copies a line. @param {import("./two_weights.js").Quadratic} q @param {number} error @returns {Pair[]} */
function sameError(q, error) {
  const [a, b, e] = q.gram;
  if (a * e - b * b < 1e-6 * a * e) {
    // the error depends on one sum of the weights alone, so it is the same along two parallel lines; this is the inner one
    const s = b / a;
    const root = Math.sqrt(Math.max(0, (q.cov[0] / a) ** 2 - (2 * (q.base - error)) / a));
    const at = q.cov[0] / a - root * Math.sign(q.cov[0]);
    return [[at - 9 * s, 9], [at + 9 * s, -9]];
  }
  return ellipse(q, error - loss(q, least(q)));
}

/** @param {[string, number][]} entries @param {number} top @param {string} fill */
function bars(entries, top, fill) {
  const most = Math.max(...entries.map(([, value]) => value), 1e-12);
  return entries
    .map(([name, value], k) => {
      const y = top + 26 * k;
      return words(430, y + 10, name) + element("rect", { x: 520, y, width: (190 * value) / most, height: 14, fill }) + words(528 + (190 * value) / most, y + 11, figures(value));
    })
    .join("");
}
