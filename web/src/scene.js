/** What the geometry view shows, found in a payload: the loss of two coefficients, the solution, its gradient. */
import { tr } from "./language.js";
import { exchanged, slope, smooth } from "./contours.js";
import { centre, cleaned, part, solution, value, weights } from "./geometry.js";
import { known, nearest } from "./panels.js";
import { figures } from "./svg.js";

/**
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./payload.js").Payload} Payload
 * @typedef {import("./payload.js").Evidence} Evidence
 * @typedef {import("./payload.js").State} State
 *
 * @typedef {object} Scene
 * @property {[string, string]} names
 * @property {number} lambda
 * @property {import("./geometry.js").Weights} weights
 * @property {Point} at the solution, per SD
 * @property {Point} gradient of the loss at the solution
 * @property {(u: Point) => number} loss
 * @property {import("./geometry.js").Quadratic | null} quadratic the same, where it is one or is drawn as one
 * @property {[Point, Point] | null} known ranges of both coefficients where it is known, if not everywhere
 * @property {number} level the loss at the solution
 * @property {Point | null} centre the solution without penalty, where it is known exactly
 * @property {Point[]} path solutions by lambda
 * @property {string} caution "" where the contours are exact
 */

/** The scene, or a sentence for the reader where the numbers for it are not stored. @param {Payload} data @param {State} state @returns {Scene | string} */
export function scene(data, state) {
  const evidence = /** @type {Evidence} */ (data.evidence);
  const [j, k] = state.pair;
  const features = [data.features[j], data.features[k]];
  if (!features[0] || !features[1] || j === k) return tr`Choose two different features.`;
  /** @type {(of: (number | null)[] | undefined, otherwise: number) => Point} */
  const two = (of, otherwise) => [of?.[j] ?? otherwise, of?.[k] ?? otherwise];
  /** @type {Pick<Scene, "names" | "lambda" | "weights">} */
  const base = {
    names: [features[0].name, features[1].name],
    lambda: data.lambdas[state.index],
    weights: weights(data.l1_ratio, data.standardize, two(evidence.factors, 1), [features[0].scale, features[1].scale]),
  };
  if (state.slice === "model") return inModel(data, evidence, state, base, two(evidence.gradients[state.index], NaN));
  return data.mathematics.quadratic ? aloneClosed(data, evidence, state, base) : aloneStored(data, evidence, state, base);
}

/** @param {Payload} data @param {Evidence} evidence @param {State} state @param {Pick<Scene, "names" | "lambda" | "weights">} base @param {Point} gradient @returns {Scene | string} */
function inModel(data, evidence, { pair: [j, k], index }, base, gradient) {
  const path = data.lambdas.map((_, at) => /** @type {Point} */ ([coefficient(data, j, at), coefficient(data, k, at)]));
  const at = cleaned(path[index]);
  const level = evidence.loss[index];
  if (![...at, ...gradient, level].every(known)) return tr`The numbers of this lambda are not finite, so there is nothing to draw.`;
  const stored = evidence.slices.filter((one) => (one.j === j && one.k === k) || (one.j === k && one.k === j));
  const here = stored.find((one) => one.at === index);
  if (here) return { ...base, ...exact(here, here.j !== j, { at, gradient, value: level }), at, gradient, level, path, caution: "", centre: null };
  const quadratic = expanded(evidence, [j, k], index, at, gradient, level);
  if (!quadratic) return tr`Contours are stored for the first ${evidence.n_hessian} features of the list: choose two of them.`;
  const { quadratic: known_everywhere } = data.mathematics;
  const caution = known_everywhere ? "" : approximate(data, stored.map((one) => one.at), index);
  return { ...base, ...asQuadratic(quadratic), at, gradient, level, path, caution, centre: known_everywhere ? centre(quadratic) : null };
}

/** A stored slice: its quadratic about the solution, and what the loss has beyond that. @param {import("./payload.js").Slice} slice @param {boolean} turned @param {Omit<import("./geometry.js").Quadratic, "hessian">} about @returns {Pick<Scene, "loss" | "quadratic" | "known">} */
function exact(slice, turned, about) {
  const grid = { x: slice.x, y: slice.y, size: slice.size, loss: slice.beyond };
  const { x, y, ...rest } = turned ? exchanged(grid) : grid;
  const beyond = smooth({ x, y, ...rest });
  const [a, b, c] = slice.hessian;
  const quadratic = { ...about, hessian: /** @type {import("./geometry.js").Hessian} */ (turned ? [c, b, a] : [a, b, c]) };
  const away = (/** @type {Point} */ u) => Math.hypot(u[0] - about.at[0], u[1] - about.at[1]);
  return { loss: (u) => value(quadratic, u) + beyond(u) * away(u) ** 3, quadratic: null, known: [x, y] };
}

/** @param {import("./geometry.js").Quadratic} quadratic @returns {Pick<Scene, "loss" | "quadratic" | "known">} */
const asQuadratic = (quadratic) => ({ loss: (u) => value(quadratic, u), quadratic, known: null });

/** @param {Payload} data @param {number} feature @param {number} index */
const coefficient = (data, feature, index) => (data.features[feature].coefs[index] ?? NaN) * data.features[feature].scale;

/** The loss to second order about the solution; for squared error this is the loss itself. @param {Evidence} evidence @param {Point} pair @param {number} index @param {Point} at @param {Point} gradient @param {number} value */
function expanded(evidence, [j, k], index, at, gradient, value) {
  if (Math.max(j, k) >= evidence.n_hessian || evidence.hessians.length === 0) return null;
  const hessian = part(evidence.hessians[nearest(evidence.hessians_at, index)], j, k);
  return hessian.every(known) ? { hessian, gradient, at, value } : null;
}

/** @param {Payload} data @param {number[]} stored @param {number} index */
function approximate(data, stored, index) {
  const text = tr`The contours are approximate: the loss to second order about the solution.`;
  if (data.comparison && !data.evidence?.slices.length) return tr`${text} Exact ones are stored for the penalty that was selected.`;
  if (stored.length === 0) return tr`${text} Exact ones are stored for pairs of the first features of the list.`;
  return tr`${text} The nearest lambda with exact ones is ${figures(data.lambdas[stored[nearest(stored, index)]])}.`;
}

/** Two features alone, where the loss is a quadratic. @param {Payload} data @param {Evidence} evidence @param {State} state @param {Pick<Scene, "names" | "lambda" | "weights">} base @returns {Scene | string} */
function aloneClosed(data, evidence, { pair: [j, k], index }, base) {
  const ready = Math.max(j, k) < Math.min(evidence.n_hessian, evidence.alone.length) && evidence.hessians.length > 0;
  const hessian = ready ? part(evidence.hessians[0], j, k) : null;
  const numbers = [evidence.alone[j], evidence.alone[k]];
  if (!hessian || ![...hessian, ...numbers].every(known)) return tr`Two features alone are stored for the first ${evidence.alone.length} of the list: choose two of them.`;
  /** @type {import("./geometry.js").Quadratic} */
  const quadratic = { hessian, gradient: [-numbers[0], -numbers[1]], at: [0, 0], value: evidence.null_loss };
  const path = data.lambdas.map((lambda) => solution(quadratic, base.weights, lambda));
  const at = path[index];
  const moved = about(quadratic, at);
  return { ...base, ...asQuadratic(moved), at, gradient: moved.gradient, level: moved.value, centre: centre(quadratic), path, caution: "" };
}

/** @param {import("./geometry.js").Quadratic} q @param {Point} at @returns {import("./geometry.js").Quadratic} the same function, written about another point */
function about(q, at) {
  const hd = [q.hessian[0] * at[0] + q.hessian[1] * at[1], q.hessian[1] * at[0] + q.hessian[2] * at[1]];
  const value = q.value + q.gradient[0] * at[0] + q.gradient[1] * at[1] + (at[0] * hd[0] + at[1] * hd[1]) / 2;
  return { hessian: q.hessian, gradient: [q.gradient[0] + hd[0], q.gradient[1] + hd[1]], at, value };
}

/** Two features alone, where the loss is stored on a grid. @param {Payload} data @param {Evidence} evidence @param {State} state @param {Pick<Scene, "names" | "lambda" | "weights">} base @returns {Scene | string} */
function aloneStored(data, evidence, { pair: [j, k], index }, base) {
  const found = evidence.pairs.find((one) => (one.j === j && one.k === k) || (one.j === k && one.k === j));
  if (!found) return available(data, evidence);
  const turned = found.j !== j;
  /** @type {(u: Point) => Point} */
  const turn = (u) => (turned ? [u[1], u[0]] : u);
  const path = found.path.map(turn);
  const at = path[index] && cleaned(path[index]);
  if (!at || !at.every(known)) return tr`The solution of these two alone is not known at this lambda.`;
  const grid = turned ? exchanged(found) : found;
  const loss = smooth(grid);
  const step = (grid.x[1] - grid.x[0]) / (4 * grid.size);
  const gradient = atSolution(slope(loss, at, step), at, base.weights, base.lambda);
  return { ...base, loss, quadratic: null, known: [grid.x, grid.y], at, gradient, level: loss(at), centre: found.mle && turn(found.mle), path, caution: "" };
}

/** A kept coefficient's gradient follows from the penalty; only a zero's is read from the grid, and the penalty bounds it. @param {Point} read @param {Point} u @param {import("./geometry.js").Weights} w @param {number} lambda @returns {Point} */
function atSolution(read, u, w, lambda) {
  const of = (/** @type {0 | 1} */ i) => (u[i] === 0 ? Math.max(-lambda * w.l1[i], Math.min(lambda * w.l1[i], read[i])) : -lambda * (w.l1[i] * Math.sign(u[i]) + w.l2[i] * u[i]));
  return [of(0), of(1)];
}

/** @param {Payload} data @param {Evidence} evidence */
function available(data, evidence) {
  if (evidence.pairs.length === 0) return tr`Two features alone are not stored in this report; choose “in this model”.`;
  const listed = [...new Set(evidence.pairs.flatMap((one) => [one.j, one.k]))].map((at) => data.features[at].name);
  return tr`Two features alone are stored for pairs of ${listed.join(", ")}.`;
}
