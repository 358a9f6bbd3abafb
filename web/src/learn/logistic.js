/** Logistic regression with an L2 penalty, for few features and few rows: Newton's method, each answer with its proof. */
import { crossEntropy, sigma } from "./lesson.js";

/**
 * The minimum of mean cross-entropy + lambda / 2 * (sum of w squared); the intercept b is not penalised.
 * @typedef {object} Model
 * @property {number[]} w
 * @property {number} b
 * @property {number} violation the largest entry of the gradient there, without its sign
 * @property {boolean} solved violation <= TOLERANCE, and without a penalty also: Newton's next step would not lead away
 */

export const TOLERANCE = 1e-9;
const MOST_STEPS = 100;

/** @param {Pick<Model, "w" | "b">} model @param {number[]} row */
export const sum = ({ w, b }, row) => w.reduce((total, one, j) => total + one * row[j], b);

/** Mean cross-entropy of some rows. @param {Pick<Model, "w" | "b">} model @param {number[][]} rows @param {number[]} labels 0 or 1 */
export const cost = (model, rows, labels) => rows.reduce((total, row, i) => total + crossEntropy(labels[i] ? sum(model, row) : -sum(model, row)), 0) / rows.length;

/** @param {number[][]} rows @param {number[]} labels @param {number} lambda @param {Pick<Model, "w" | "b">} start @returns {Model} */
export function solve(rows, labels, lambda, start) {
  let model = start;
  const value = (/** @type {Pick<Model, "w" | "b">} */ at) => cost(at, rows, labels) + (lambda / 2) * at.w.reduce((total, one) => total + one * one, 0);
  let now = value(model);
  for (let count = 0; ; count += 1) {
    const { gradient, hessian } = derivatives(model, rows, labels, lambda);
    const violation = Math.max(...gradient.map(Math.abs));
    const step = direction(hessian, gradient);
    const far = lambda === 0 && Math.max(...step.map(Math.abs)) > 1e-3; // the gradient vanishes also on the way to infinity
    if (violation <= TOLERANCE / 10 || count === MOST_STEPS) return { ...model, violation, solved: violation <= TOLERANCE && !far };
    const slope = gradient.reduce((total, one, j) => total + one * step[j], 0);
    let length = 1;
    let next = moved(model, step, length);
    const rounding = 1e-14 * Math.abs(now); // near the minimum a full step changes less than the last digits show
    while (value(next) > now + 1e-4 * length * slope + rounding && length > 1e-6) {
      length /= 2;
      next = moved(model, step, length);
    }
    if (length <= 1e-6) return { ...model, violation, solved: violation <= TOLERANCE && !far }; // rounding allows no more
    model = next;
    now = value(model);
  }
}

/**
 * Models from the strongest penalty to the weakest, each from the one before. Where lambda is 0 and a line (or a curve of
 * the features) parts the classes no weights are best: larger ones always cost less. Then there is no model, null.
 * @param {number[][]} rows @param {number[]} labels both classes occur @param {number[]} lambdas descending
 * @returns {(Model | null)[]}
 */
export function solvePath(rows, labels, lambdas) {
  /** @type {Pick<Model, "w" | "b">} */
  let last = { w: rows[0].map(() => 0), b: 0 };
  return lambdas.map((lambda) => {
    const parted = lambda === 0 && rows.every((row, i) => (labels[i] ? 1 : -1) * sum(last, row) > 0);
    if (parted) return null;
    const model = solve(rows, labels, lambda, last);
    if (lambda === 0 && !model.solved) return null;
    last = model;
    return model;
  });
}

/** @param {Pick<Model, "w" | "b">} model @param {number[]} step of b and then of w @param {number} length */
const moved = ({ w, b }, step, length) => ({ b: b + length * step[0], w: w.map((one, j) => one + length * step[j + 1]) });

/** Of b and then of w. @param {Pick<Model, "w" | "b">} model @param {number[][]} rows @param {number[]} labels @param {number} lambda */
function derivatives(model, rows, labels, lambda) {
  const size = model.w.length + 1;
  const gradient = [0, ...model.w.map((one) => lambda * one)];
  const hessian = Array.from({ length: size }, (_, j) => Array.from({ length: size }, (_, k) => (j === k && j ? lambda : 0)));
  rows.forEach((row, i) => {
    const z = sum(model, row);
    const miss = (labels[i] ? -sigma(-z) : sigma(z)) / rows.length;
    const bend = (sigma(z) * sigma(-z)) / rows.length;
    const full = [1, ...row];
    full.forEach((x, j) => {
      gradient[j] += miss * x;
      for (let k = 0; k <= j; k += 1) hessian[j][k] += bend * x * full[k];
    });
  });
  return { gradient, hessian };
}

/** Newton's step: minus the inverse of the Hessian, by Cholesky, times the gradient. @param {number[][]} hessian its lower triangle @param {number[]} gradient */
function direction(hessian, gradient) {
  const size = gradient.length;
  const floor = 1e-14 * Math.max(...hessian.map((row, j) => row[j]));
  /** @type {number[][]} */
  const factor = [];
  for (let j = 0; j < size; j += 1) {
    factor.push([]);
    for (let k = 0; k <= j; k += 1) {
      let rest = hessian[j][k];
      for (let m = 0; m < k; m += 1) rest -= factor[j][m] * factor[k][m];
      factor[j].push(j === k ? Math.sqrt(Math.max(rest, floor)) : rest / factor[k][k]);
    }
  }
  const step = gradient.map((one) => -one);
  for (let j = 0; j < size; j += 1) {
    for (let k = 0; k < j; k += 1) step[j] -= factor[j][k] * step[k];
    step[j] /= factor[j][j];
  }
  for (let j = size - 1; j >= 0; j -= 1) {
    for (let k = j + 1; k < size; k += 1) step[j] -= factor[k][j] * step[k];
    step[j] /= factor[j][j];
  }
  return step;
}
