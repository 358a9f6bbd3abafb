/** b: models that are really fitted, from a strong penalty to none, and rows that were not fitted. */
import { tr } from "../language.js";
import { whole } from "../panels.js";
import { figures } from "../svg.js";
import { inTwoParts, movable, slope } from "./lesson.js";
import { costs, field, plane, sigmoid, weightsBelow, weightsBeside } from "./b_charts.js";
import { cost, solvePath, sum } from "./logistic.js";
import { FEATURES, NAMES, REACH, add, pointsOf, put, remove, scaling } from "./points.js";
import * as m from "./mathml.js";

/**
 * @typedef {import("./points.js").Point} Point
 * @typedef {object} Own models of the reader's table
 * @property {number[]} fitted error of all fitted rows, for each lambda
 * @property {number[]} held_out
 * @property {number} n_fitted
 * @property {number} n_held_out
 * @property {number} n_features
 * @property {string[]} names of the features with the largest weights
 * @property {number[][]} weights
 * @property {[number, number][]} dots class of a sample of rows, and whether held out
 * @property {number[][]} sums of these rows, for each lambda
 *
 * @typedef {object} Plane points of two features that can be changed, in standard deviations
 * @property {Point[]} points those that are fitted
 * @property {Point[]} held_out
 * @property {[string, string]} names
 * @property {[number, number]} means of the features, in their units
 * @property {[number, number]} scales standard deviations
 *
 * @typedef {{ lambdas: number[], own: null, points: Point[], held_out: Point[] } | { lambdas: number[], own: Own, plane: Plane | null }} Data
 *
 * @typedef {object} Fitted
 * @property {number[]} lambdas
 * @property {(number | null)[]} fitted error; null where there are no best weights
 * @property {(number | null)[]} held
 * @property {string[]} names
 * @property {number[][]} weights
 * @property {{ label: number, held: boolean }[]} dots
 * @property {number[][]} sums
 * @property {number[]} violations
 * @property {(x: number, y: number, at: number) => number} at the sum at a place of the plane
 */

/** @type {import("./lesson.js").Lesson} */
export const b = {
  id: "b",
  title: tr`Less and less penalty: fitted rows, and held-out rows`,
  text: [
    tr`Here a model is really fitted, once for each strength of the penalty, from a strong one on the left to next to none on the right. A strong penalty keeps the weights small and the sigmoid flat: every probability stays near the middle. A weak one lets the weights grow until the fitted rows are explained as well as the model can.`,
    tr`The error of the fitted rows can only fall as the penalty weakens. Rows that were not fitted tell the other half. Their error falls while the weights learn what all rows have in common, and it may rise again once they learn by heart what these few rows happen to be: a mistake made with certainty costs more than all the certainty gains. That is overfitting. The penalty is there to keep the weights, on purpose, away from the minimum of the training error.`,
  ],
  formulas: [m.formula(m.least(m.row(m.frac(m.mn("1"), m.mi("n")), m.sum("i", m.row(m.mi("log"), m.mo("("), m.mn("1"), m.mo("+"), m.sup(m.mi("e"), m.row(m.mo("−"), m.sub(m.mi("m"), m.mi("i")))), m.mo(")"))), m.mo("+"), m.frac(m.lambda, m.mn("2")), m.sum("j", m.wj2))), m.mo(","), m.text("\u2003"), m.sub(m.mi("m"), m.mi("i")), m.text(tr`: the sum in favour of row i's own class`))],
  careful: tr`It is often said that large weights stop learning because the sigmoid is flat at its ends: its slope is 0.25 in the middle, 0.197 at a sum of 1 and 0.000045 at a sum of 10. With cross-entropy a row pulls at the weights with 1 − p, p being the probability given to the truth. So only rows that are right already stop pulling, and one that is badly wrong pulls with all its force. (With squared error the pull is multiplied by the slope, and rows that are hopelessly wrong do stop.) Overfitting shows in rows that were not fitted, not in flat slopes.`,
  names: NAMES,
  controls: (/** @type {Data} */ data) => [
    {
      id: "at", label: tr`lambda`, min: 0, max: data.lambdas.length - (data.own && !data.plane ? 1 : 0), step: 1, value: Math.round(0.35 * data.lambdas.length), ends: [tr`stronger`, tr`weaker`],
      show: (/** @type {number} */ v, /** @type {import("./lesson.js").Values} */ values) => strength(lambdasOf(data, values)[placeIn(data, { ...values, at: v })]),
    },
    ...(data.own && !data.plane
      ? []
      : [
          { id: "curved", label: tr`features`, min: 0, max: data.own ? 2 : 1, step: 1, value: 0, choices: [...(data.own ? [tr`all of the table, all rows`] : []), data.own ? tr`two, to drag: a straight line` : tr`x1 and x2: a straight line`, tr`their products up to the third: a curve`] },
          { id: "adds", label: tr`a click adds`, min: 0, max: 1, step: 1, value: 0, choices: [tr`● a point of class 0`, tr`■ a point of class 1`] },
        ]),
  ],
  buttons: (/** @type {Data} */ data) => (data.own && !data.plane ? [] : [{ label: tr`add a point in the middle`, act: (values) => inTheMiddle(data, values) }]),
  grab(data, values, name, px, py) {
    const given = planeOf(data, values)?.points ?? [];
    const { x, y } = plane();
    const [left, right, bottom, top] = [...x.range(), ...y.range()];
    if (px < left - 20 || px > right + 20 || py > bottom + 20 || py < top - 20) return remove(given, values, Number(name));
    return put(values, Number(name), x.invert(px), y.invert(py));
  },
  nudge: (data, values, name, dx, dy) => {
    const point = pointsOf(planeOf(data, values)?.points ?? [], values).find(({ k }) => k === Number(name))?.point;
    return point ? put(values, Number(name), point[0] + 0.1 * dx, point[1] - 0.1 * dy) : values;
  },
  press(data, values, px, py) {
    const given = planeOf(data, values)?.points;
    if (!given) return values;
    const { x, y } = plane();
    const [u, v] = [x.invert(px), y.invert(py)];
    return Math.max(Math.abs(u), Math.abs(v)) > REACH ? values : add(given, values, u, v, values.adds);
  },
  remove: (data, values, name) => remove(planeOf(data, values)?.points ?? [], values, Number(name)),
  draw(/** @type {Data} */ data, values) {
    const shown = planeOf(data, values);
    const model = shown ? fittedHere(shown, lambdasOf(data, values), curvedIn(data, values), values) : given(/** @type {Own} */ (data.own), data.lambdas);
    const { lambdas, fitted, held, weights } = model;
    const at = placeIn(data, values);
    const best = leastOf(held);
    const sentence = said(shown ? null : data.own, model, at, best) + (shown && data.own ? tr` The points are a sample of the rows, each to a tenth of a standard deviation.` : "");
    const points = shown ? pointsOf(shown.points, values) : [];
    const frame = { id: "lesson-b", width: 820, height: 680, title: b.title, description: sentence };
    const left = shown ? [field(model, at, points, shown, values), weightsBelow(model, at)] : [weightsBeside(model, at)];
    const svg = movable(inTwoParts(frame, left, [costs(model, at, best), sigmoid(model, at)], values));
    const rows = lambdas.map((lam, k) => [strength(lam), figures(fitted[k]), figures(held[k]), figures(Math.max(...weights[k].map(Math.abs)))]);
    return {
      svg,
      sentence,
      table: { head: [tr`lambda`, tr`error, fitted`, tr`error, held out`, tr`largest weight`], rows: rows.filter((_, k) => k % 4 === 0 || k === at || k === rows.length - 1) },
      numbers: {
        lam: lambdas[at], lambdas, fitted, held_out: held, best: lambdas[best], turns: turns(held, best), weights: weights[at], sums: model.sums[at], violation: Math.max(...model.violations),
        slopes: [slope(0), slope(1), slope(10)], points: points.map(({ point }) => point),
      },
    };
  },
  quiz: {
    question: tr`The penalty becomes weaker and weaker, and the model is fitted anew each time. What does the error of the fitted rows do?`,
    answers: [tr`It falls, or stays as it is`, tr`It rises`, tr`It falls first, and rises later`],
    right: 0,
    why: tr`With fewer restrictions the best fit never becomes worse. So nothing in the fitted rows ever says stop: a penalty must, or rows that were held out.`,
  },
};

/** A point more, near the middle, not on another one; of a table with all its features the two of the plane are shown then. @param {Data} data @param {import("./lesson.js").Values} before */
function inTheMiddle(data, before) {
  const values = planeOf(data, before) ? before : { ...before, curved: 1 };
  const { points } = /** @type {Plane} */ (planeOf(data, values));
  const there = pointsOf(points, values).map(({ point }) => point);
  const places = Array.from({ length: 60 }, (_, k) => [0.25 * Math.sqrt(k) * Math.cos(2.4 * k), 0.25 * Math.sqrt(k) * Math.sin(2.4 * k)]);
  const [x, y] = places.find(([u, v]) => there.every((point) => Math.hypot(point[0] - u, point[1] - v) > 0.4)) ?? [0, 0];
  return add(points, values, x, y, values.adds);
}

/** The points that are shown, if any: of a table only where its reader asks for two features. @param {Data} data @param {import("./lesson.js").Values} values @returns {Plane | null} */
const planeOf = (data, values) => (data.own ? (values.curved ? data.plane : null) : { points: data.points, held_out: data.held_out, names: ["x1", "x2"], means: [0, 0], scales: [1, 1] });

/** Whether products of the two features are features. @param {Data} data @param {import("./lesson.js").Values} values */
const curvedIn = (data, { curved }) => curved === (data.own ? 2 : 1);

/** With a last one of 0 where the model is fitted here. @param {Data} data @param {import("./lesson.js").Values} values */
const lambdasOf = (data, values) => (planeOf(data, values) ? [...data.lambdas, 0] : data.lambdas);

/** The place of the slider among these. @param {Data} data @param {import("./lesson.js").Values} values */
const placeIn = (data, values) => Math.min(values.at, lambdasOf(data, values).length - 1);

/** @param {number} lam */
const strength = (lam) => (lam === 0 ? tr`0: no penalty` : figures(lam));

/** The model that came with the page. @param {Own} own @param {number[]} lambdas @returns {Fitted} */
const given = (own, lambdas) => ({
  ...own, lambdas, held: own.held_out, dots: own.dots.map(([label, held]) => ({ label, held: held > 0 })), violations: [0], at: () => NaN,
});

/** The last answer: a slider of lambda moves nothing of it. @type {{ key: string, model: Fitted } | null} */
let memory = null;

/** The model of the points as they are now. @param {Plane} shown @param {number[]} lambdas @param {boolean} curved @param {import("./lesson.js").Values} values @returns {Fitted} */
function fittedHere(shown, lambdas, curved, values) {
  const points = pointsOf(shown.points, values).map(({ point }) => point);
  const key = JSON.stringify([points, curved, lambdas.length]);
  if (memory?.key === key) return memory.model;
  const { names, of } = curved ? FEATURES.curved : FEATURES.straight;
  const scaled = scaling(points.map(([x, y]) => of(x, y)));
  const rows = points.map(([x, y]) => scaled(of(x, y)));
  const labels = points.map((point) => point[2]);
  const heldRows = shown.held_out.map(([x, y]) => scaled(of(x, y)));
  const heldLabels = shown.held_out.map((point) => point[2]);
  const models = solvePath(rows, labels, lambdas);
  const drawn = models.map((model, k) => model ?? models[k - 1] ?? { w: names.map(() => 0), b: 0, violation: 0, solved: true });
  const model = {
    lambdas, names,
    fitted: models.map((one) => one && cost(one, rows, labels)),
    held: models.map((one) => one && cost(one, heldRows, heldLabels)),
    weights: drawn.map(({ w }) => w),
    dots: [...labels.map((label) => ({ label, held: false })), ...heldLabels.map((label) => ({ label, held: true }))],
    sums: drawn.map((one) => [...rows, ...heldRows].map((row) => sum(one, row))),
    violations: drawn.map(({ violation }) => violation),
    at: (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ k) => sum(drawn[k], scaled(of(x, y))),
  };
  memory = { key, model };
  return model;
}

/** Where an error is least. @param {(number | null)[]} errors */
const leastOf = (errors) => errors.reduce((/** @type {number} */ best, one, k) => (one !== null && one < (errors[best] ?? Infinity) ? k : best), 0);

/** Whether errors rise again, by more than a hundredth, after they were least. @param {(number | null)[]} errors @param {number} best */
const turns = (errors, best) => Math.max(...errors.slice(best).map((one) => one ?? 0)) > 1.01 * (errors[best] ?? Infinity);

/** @param {Own | null} own the table, where its models are shown @param {Fitted} model @param {number} at @param {number} best */
function said(own, { lambdas, fitted, held, weights, dots, sums }, at, best) {
  const how = lambdas[at] ? tr`With lambda ${figures(lambdas[at])}` : tr`Without a penalty`;
  const n = own ? own.n_fitted : dots.filter((dot) => !dot.held).length;
  const m = own ? own.n_held_out : dots.filter((dot) => dot.held).length;
  const rows = own ? tr`rows` : tr`points`;
  const margins = dots.flatMap((dot, k) => (dot.held ? [] : [dot.label ? sums[at][k] : -sums[at][k]]));
  const flat = margins.filter((margin) => slope(margin) < 0.01).length;
  const here = fitted[at] === null
    ? tr`Without a penalty these points have no best weights: the classes can be parted, so larger weights always cost the fitted points less; drawn are the weights of lambda ${figures(lambdas[at - 1])}.`
    : tr`${how} the mean error is ${figures(fitted[at])} on the ${whole(n)} fitted ${rows} and ${figures(held[at])} on the ${whole(m)} held out; the largest weight is ${figures(Math.max(...weights[at].map(Math.abs)))}.`;
  const last = held.reduce((/** @type {number} */ end, value, k) => (value === null ? end : k), 0);
  const there = turns(held, best)
    ? tr`The held-out error is least, ${figures(held[best])}, at lambda ${figures(lambdas[best])}, and turns upwards after it, to ${figures(held[last])} at lambda ${figures(lambdas[last])}.`
    : tr`Here held-out ${rows} do not turn upwards: ` + (best === last ? tr`their error is least, ${figures(held[best])}, at the weakest penalty.` : tr`their error is least, ${figures(held[best])}, at lambda ${figures(lambdas[best])}, and still ${figures(held[last])} at the weakest penalty.`);
  const slopes = own ? tr`Where the slope of the sigmoid is below 0.01: ${flat} of the ${margins.length} fitted rows drawn (a sample).` : tr`Where the slope of the sigmoid is below 0.01: ${flat} of the ${margins.length} fitted points.`;
  return `${here} ${there} ${slopes}`;
}
