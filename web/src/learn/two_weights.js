/** Two weights and a squared error: the loss is a quadratic, so that everything here is exact. */
import * as geometry from "../geometry.js";

/**
 * Half the mean squared error as a function of two weights: `base - c.w + w.G w / 2`.
 * @typedef {object} Quadratic
 * @property {[number, number, number]} gram G11, G12, G22
 * @property {[number, number]} cov c
 * @property {number} base loss of w = 0
 */

/**
 * @typedef {object} Touch the smallest loss on a ball
 * @property {[number, number]} w
 * @property {number} lam the lambda with the same solution, for L2 before half the sum of squares; 0 inside the ball
 * @property {number} kkt how far w is from meeting the conditions of an optimum
 * @property {boolean} corner whether a weight is exactly zero (a corner of the diamond)
 */

/** @typedef {"l1" | "l2"} Shape */
/** @typedef {[number, number]} Pair */

/** Features whose correlation is this near to 1 are exact copies, but for rounding. */
const COPIES = 1e-10;

/** The same quadratic as `geometry.js` writes it. @param {Quadratic} q @returns {geometry.Quadratic} */
const written = ({ gram, cov, base }) => ({ hessian: gram, gradient: [-cov[0], -cov[1]], at: [0, 0], value: base });

/** @type {Record<Shape, geometry.Weights>} */
const WEIGHTS = { l1: { l1: [1, 1], l2: [0, 0] }, l2: { l1: [0, 0], l2: [1, 1] } };

/** @param {Quadratic} q @param {Pair} w */
export const loss = (q, w) => geometry.value(written(q), w);

/** @param {Quadratic} q @param {Pair} w @returns {Pair} */
export const gradient = (q, w) => geometry.gradient(written(q), w);

/** The weights of the smallest loss. @param {Quadratic} q @returns {Pair} */
export const least = (q) => geometry.centre(written(q)) ?? [NaN, NaN];

/** @param {Shape} shape @param {Pair} w */
export const norm = (shape, [x, y]) => (shape === "l1" ? Math.abs(x) + Math.abs(y) : Math.hypot(x, y));

/**
 * The smallest loss with norm(w) <= t. Never the unpenalised solution pulled towards zero: the ball is met elsewhere.
 * @param {Quadratic} q @param {Shape} shape @param {number} t @returns {Touch}
 */
export function touch(q, shape, t) {
  const { point, lambda } = geometry.tangent(written(q), WEIGHTS[shape], shape === "l1" ? t : (t * t) / 2);
  return { w: point, lam: lambda, kkt: geometry.violation(gradient(q, point), point, WEIGHTS[shape], lambda), corner: point.includes(0) };
}

/**
 * The weights where loss + lambda × penalty is lowest: one point, or for L1 and exact copies the two ends of a segment,
 * all of which is as low.
 * @param {Quadratic} q @param {Shape} shape @param {number} lam @returns {Pair[]}
 */
export function minimisers(q, shape, lam) {
  const [a, b, e] = q.gram;
  const exact = a * e - b * b < COPIES * a * e && Math.abs(b * q.cov[0] - a * q.cov[1]) < COPIES * Math.abs(a * q.cov[0]);
  const point = geometry.solution(written(q), WEIGHTS[shape], lam);
  if (shape === "l2" || !exact || norm(shape, point) === 0) return [point];
  const size = norm("l1", point);
  return [[Math.sign(q.cov[0]) * size, 0], [0, Math.sign(q.cov[1]) * size]];
}

/**
 * What one more unit of budget would save, minus the slope of the smallest error over t: the pull in the dual norm.
 * @param {Quadratic} q @param {Shape} shape @param {Touch} touch
 */
export const priceOf = (q, shape, { w, lam }) => (lam === 0 ? 0 : dual(shape, gradient(q, w)));

/** @param {Shape} shape @param {Pair} g */
const dual = (shape, [x, y]) => (shape === "l1" ? Math.max(Math.abs(x), Math.abs(y)) : Math.hypot(x, y));

/** The points of the ellipse on which the loss is `level` above its smallest value. @param {Quadratic} q @param {number} level @returns {Pair[]} */
export function ellipse(q, level) {
  const [cx, cy] = least(q);
  const { rx, ry, angle } = geometry.ellipse(q.gram, level);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return Array.from({ length: 121 }, (_, k) => {
    const [u, v] = [rx * Math.cos((k * Math.PI) / 60), ry * Math.sin((k * Math.PI) / 60)];
    return /** @type {Pair} */ ([cx + cos * u - sin * v, cy + sin * u + cos * v]);
  });
}

/** A quadratic from the direction and length of its lowest point and a correlation. @param {number} degrees @param {number} length @param {number} correlation @returns {Quadratic} */
export function turned(degrees, length, correlation) {
  const [x, y] = [length * Math.cos((degrees * Math.PI) / 180), length * Math.sin((degrees * Math.PI) / 180)];
  const r = correlation;
  return { gram: [1, r, 1], cov: [x + r * y, r * x + y], base: (x * x + 2 * r * x * y + y * y) / 2 + 0.1 };
}

/** Whether the ball is touched where a weight is exactly zero. @param {Quadratic} q @param {Shape} shape @param {number} t */
export function onAxis(q, shape, t) {
  return [[t, 0], [-t, 0], [0, t], [0, -t]].some(([x, y]) => {
    const g = gradient(q, [x, y]);
    const pull = -(g[0] * x + g[1] * y) / t; // along the axis, outwards
    return pull >= 0 && geometry.violation(g, [x, y], WEIGHTS[shape], shape === "l1" ? pull : pull / t) < 1e-12;
  });
}

/** Ellipses drawn by chance, from a fixed sequence, so that every reader sees the same count. @param {number} n @returns {Quadratic[]} */
export function ellipses(n) {
  let seed = 20260101;
  const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  return Array.from({ length: n }, () => turned(360 * chance(), 1, 1.8 * chance() - 0.9));
}

/**
 * Up to which share of the budget that its lowest error asks for the diamond is touched at a corner: the larger weight is
 * alone until the pull on the other one is as strong. Both features have unit length. @param {Quadratic} q
 */
export function cornerLimit(q) {
  const [r, [c, d]] = [q.gram[1], Math.abs(q.cov[0]) >= Math.abs(q.cov[1]) ? q.cov : [q.cov[1], q.cov[0]]];
  const joins = [1, -1].map((side) => (side * (d - r * c)) / (1 - side * r * Math.sign(c))).filter((lam) => lam <= Math.abs(c));
  return (Math.abs(c) - Math.max(0, ...joins)) / norm("l1", least(q));
}
