/** d: two features that say the same: all the weight on one, or shared? */
import { tr } from "../language.js";
import { COLOURS, DASHES, INK, curve, element, figures, segment, through, words } from "../svg.js";
import { clamp, handle, inTwoParts, movable, snapped } from "./lesson.js";
import { legend, plane, short } from "./plane.js";
import { ellipse, least, loss, minimisers, norm } from "./two_weights.js";
import * as m from "./mathml.js";

/** @typedef {import("./two_weights.js").Pair} Pair */
/** @typedef {import("./two_weights.js").Quadratic} Quadratic */
/** @typedef {import("./lesson.js").Values} Values */
/** @typedef {{ quadratic: Quadratic | null, names: [string, string], lam: number }} Data without a quadratic the reader makes the second feature from the first */

const FRAME = { left: 70, top: 20, size: 310, id: "lesson-d" };
const PULL = 1.1; // of the target on the first feature

/**
 * The second feature is (the first + noise) on its own scale; the chance is how far the noise goes with the target.
 * @param {Data} data @param {Values} values @returns {Quadratic}
 */
function quadraticOf(data, { noise, chance }) {
  if (data.quadratic) return data.quadratic;
  const size = Math.hypot(1, noise);
  return { gram: [1, 1 / size, 1], cov: [PULL, (PULL + noise * chance) / size], base: 0.655 };
}

/** How large the weight is that one of the two would have alone, with its sign. @param {Data} data */
const unitOf = ({ quadratic, lam }) => (quadratic ? (norm("l1", minimisers(quadratic, "l1", lam)[0]) || 1) * (quadratic.cov[0] < 0 ? -1 : 1) : 1);
/** @param {Data} data */
const reachOf = (data) => 1.4 * Math.abs(unitOf(data));
/** Whether the two features go in opposite directions. @param {Data} data */
const turned = (data) => (data.quadratic && data.quadratic.gram[1] < 0 ? -1 : 1);

/** @type {import("./lesson.js").Lesson} */
export const d = {
  id: "d",
  title: tr`Two features that say the same: one weight, or two halves?`,
  text: (/** @type {Data} */ data) => [
    data.quadratic
      ? tr`The correlation of ${data.names[0]} and ${data.names[1]} is ${figures(data.quadratic.gram[1])}. ${turned(data) < 0 ? tr`One rises where the other falls, so weights of opposite signs say the same. The model may give all the weight to the first, (1, 0), or share it, (0.5, −0.5)` : tr`The model may give all the weight to the first, (1, 0), or share it, (0.5, 0.5)`}: the closer the two are to copies, the more alike are the predictions. Which one do the penalties choose?`
      : tr`Let one feature be a copy of another. The model may give all the weight to the first, (1, 0), or share it, (0.5, 0.5): the predictions are the same. Which one do the penalties choose?`,
    tr`L1 adds up sizes: 1 + 0 and 0.5 + 0.5 are both 1. L2 adds up squares: 1 + 0 = 1, but 0.25 + 0.25 = 0.5. So L2 has a clear wish, to share, and so keeps every weight small. Move the point and watch both sums.${data.quadratic ? "" : tr` Then give the copy some noise of its own: it says less about the target now, unless by chance its noise goes with the target.`}`,
  ],
  formulas: [
    m.formula(m.size(m.sub(m.mi("w"), m.mn("1"))), m.mo("+"), m.size(m.sub(m.mi("w"), m.mn("2"))), m.text(tr` is the same for every split;`)),
    m.formula(m.subsup(m.mi("w"), m.mn("1"), m.mn("2")), m.mo("+"), m.subsup(m.mi("w"), m.mn("2"), m.mn("2")), m.text(tr` is least for two halves`)),
  ],
  careful: tr`L1 does not prefer one weight to two halves: to L1 they cost the same. Between exact copies every split is equally good, and which one a program returns is up to the program. As soon as the two differ, the error decides, by differences that may be pure chance, and often one of the two weights ends at zero. Another sample may keep the other twin.`,
  controls: (/** @type {Data} */ data) => {
    const unit = unitOf(data);
    const step = Number((Math.abs(unit) / 20).toPrecision(1));
    const reach = snapped(1.3 * Math.abs(unit), step);
    /** @param {number} k */
    const slider = (k) => ({ id: `w${k + 1}`, label: tr`weight of ${data.names[k]}`, min: -reach, max: reach, step, value: snapped((k ? 0.3 * turned(data) : 0.7) * unit, step), show: (/** @type {number} */ v) => figures(v) });
    return [
      slider(0),
      slider(1),
      ...(data.quadratic
        ? []
        : [
            { id: "noise", label: tr`noise of the copy`, min: 0, max: 1, step: 0.05, value: 0, ends: /** @type {[string, string]} */ ([tr`exact copy`, tr`noisy`]), show: (/** @type {number} */ v) => figures(v) },
            { id: "chance", label: tr`its noise goes with the target`, min: -0.3, max: 0.3, step: 0.05, value: 0, ends: /** @type {[string, string]} */ ([tr`against`, tr`with`]), show: (/** @type {number} */ v) => figures(v) },
          ]),
    ];
  },
  grab(data, values, _, px, py) {
    const { x, y } = plane({ ...FRAME, reach: reachOf(data) }, data.names);
    const [{ min, max, step }] = d.controls(data);
    return { ...values, w1: snapped(clamp(x.invert(px), min, max), step), w2: snapped(clamp(y.invert(py), min, max), step) };
  },
  draw(/** @type {Data} */ data, values) {
    const q = quadraticOf(data, values);
    const u = unitOf(data);
    /** @type {Pair} */
    const w = [values.w1, values.w2];
    const l1 = minimisers(q, "l1", data.lam);
    const [l2] = minimisers(q, "l2", data.lam);
    /** @type {[string, Pair][]} */
    const places = [
      [tr`all on one`, [u, 0]],
      [tr`shared`, [u / 2, (turned(data) * u) / 2]],
      [tr`your point`, w],
      ...l1.map((one) => /** @type {[string, Pair]} */ ([tr`L1 with lambda ${figures(data.lam)}`, one])),
      [tr`L2 with lambda ${figures(data.lam)}`, l2],
    ];
    const rows = places.map(([name, p]) => ({ name, p, l1: norm("l1", p), l2: norm("l2", p) ** 2, error: loss(q, p) }));
    const mine = rows[2];
    const sentence =
      tr`Your point (${figures(w[0])}, ${figures(w[1])}): sum of sizes ${figures(mine.l1)}, sum of squares ${figures(mine.l2)}, error ${figures(mine.error)}. ` +
      tr`(${figures(u)}, 0) and (${figures(places[1][1][0])}, ${figures(places[1][1][1])}) have the same sum of sizes, ${figures(rows[0].l1)}; their sums of squares are ${figures(rows[0].l2)} and ${figures(rows[1].l2)}. ` +
      chosen(data, l1, l2) +
      (values.noise === 0 && values.chance ? tr` The copy is exact: it has no noise yet that could go with the target.` : "");
    const on = plane({ ...FRAME, reach: reachOf(data) }, data.names);
    const far = l1[l1.length - 1];
    const svg = movable(inTwoParts({ id: "lesson-d", width: 820, height: 375, title: d.title, description: sentence }, [
      on.axes,
      on.ball("l1", mine.l1, false),
      on.ball("l2", Math.sqrt(mine.l2), false),
      element("g", { "clip-path": "url(#lesson-d-plane)" }, curve(through(sameError(q, mine.error).map(([a, b]) => [on.x(a), on.y(b)])), { stroke: INK, "stroke-width": 2, "stroke-dasharray": DASHES[2] })),
      l1.length > 1 ? segment(on.x(l1[0][0]), on.y(l1[0][1]), on.x(far[0]), on.y(far[1]), { stroke: COLOURS[0], "stroke-width": 7, "stroke-opacity": 0.55, "stroke-linecap": "round" }) : "",
      on.mark(l1[0], l1.length > 1 ? tr`L1: all of the thick line` : "L1", COLOURS[0], l1.length > 1 ? { dx: 20, dy: 24, anchor: "end" } : { dx: 10, dy: 16 }),
      l1.length > 1 ? on.mark(far, "", COLOURS[0]) : "",
      on.mark(l2, "L2", COLOURS[1], { dx: -8, dy: 16, anchor: "end" }),
      handle("point", tr`your point`, on.x(w[0]), on.y(w[1]), COLOURS[3]),
    ], [
      legend(430, 40, [
        [tr`same sum of sizes as your point (L1)`, COLOURS[0], ""],
        [tr`same sum of squares as your point (L2)`, COLOURS[1], DASHES[1]],
        [tr`same error as your point`, INK, DASHES[2]],
      ]),
      words(430, 115, tr`sum of sizes`, { "font-weight": 600 }),
      bars(rows.slice(0, 3).map(({ name, l1: size }) => [name, size]), 135, COLOURS[0]),
      words(430, 235, tr`sum of squares`, { "font-weight": 600 }),
      bars(rows.slice(0, 3).map(({ name, l2: size }) => [name, size]), 255, COLOURS[1]),
    ], values, { height: 350 }));
    return {
      svg,
      sentence,
      table: { head: [tr`weights`, data.names[0], data.names[1], tr`sum of sizes`, tr`sum of squares`, tr`error`], rows: rows.map(({ name, p, l1: size, l2: squares, error }) => [name, figures(p[0]), figures(p[1]), figures(size), figures(squares), figures(error, 4)]) },
      numbers: { l1: rows.map((row) => row.l1), l2: rows.map((row) => row.l2), error: rows.map(({ error }) => error), quadratic: q, correlation: q.gram[1], lam: data.lam, solutions: { l1, l2: [l2] } },
    };
  },
  quiz: {
    question: tr`Two features are exact copies. Which penalty costs less at (0.5, 0.5) than at (1, 0)?`,
    answers: ["L1", "L2", tr`Both`, tr`Neither`],
    right: 1,
    why: tr`0.5² + 0.5² = 0.5 is less than 1² = 1. For L1 both are 1: a tie.`,
  },
};

/** What the two penalties do with the pair. @param {Data} data @param {Pair[]} l1 @param {Pair} l2 */
function chosen(data, l1, l2) {
  const point = (/** @type {Pair} */ [a, b]) => `(${figures(a)}, ${figures(b)})`;
  const first = tr`With lambda ${figures(data.lam)}, L1 `;
  const shares = tr`L2 takes ${point(l2)}.`;
  if (l1.length > 1) return tr`${first}is lowest at every point from ${point(l1[0])} to ${point(l1[1])}: a tie. ${shares}`;
  const zeros = l1[0].filter((value) => value === 0).length;
  if (zeros === 2) return tr`${first}leaves out both. ${shares}`;
  if (zeros === 1) return tr`${first}keeps ${short(data.names[l1[0].findIndex((value) => value !== 0)])} alone, ${point(l1[0])}. ${shares}`;
  return tr`${first}keeps both, ${point(l1[0])}. ${shares}`;
}

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
