/**
 * The mathematics of the geometry view without its picture: two coefficients, the loss as a function of them, and the
 * penalty's ball. A penalty of two coefficients is P(u) = sum l1_i |u_i| + l2_i u_i^2 / 2, and the model minimises
 * loss + lambda P; at the solution minus the gradient of the loss lies in lambda times the subdifferential of P.
 *
 * @typedef {[number, number]} Point
 * @typedef {[number, number, number]} Hessian its entries jj, jk, kk
 * @typedef {{ l1: Point, l2: Point }} Weights what the penalty makes of |u| and of u^2 / 2, for each coefficient
 * @typedef {{ hessian: Hessian, gradient: Point, at: Point, value: number }} Quadratic value and gradient at a point
 */

/** A number smaller than this, of the largest, is a zero. */
const TINY = 1e-12;

/**
 * The weights of two coefficients per SD. The penalty counts coefficients per SD where the model standardises and per
 * unit where it does not; per unit = per SD / scale.
 * @param {number} l1_ratio @param {boolean} standardize @param {Point} factors @param {Point} scales @returns {Weights}
 */
export function weights(l1_ratio, standardize, factors, scales) {
  const unit = scales.map((scale) => (standardize || !(scale > 0) ? 1 : 1 / scale));
  return {
    l1: [l1_ratio * factors[0] * unit[0], l1_ratio * factors[1] * unit[1]],
    l2: [(1 - l1_ratio) * factors[0] * unit[0] ** 2, (1 - l1_ratio) * factors[1] * unit[1] ** 2],
  };
}

/** P(u). @param {Weights} w @param {Point} u */
export const penalty = (w, u) => w.l1[0] * Math.abs(u[0]) + w.l1[1] * Math.abs(u[1]) + (w.l2[0] * u[0] ** 2 + w.l2[1] * u[1] ** 2) / 2;

/** @param {Hessian} h @param {Point} u @returns {Point} */
const times = (h, u) => [h[0] * u[0] + h[1] * u[1], h[1] * u[0] + h[2] * u[1]];

/** @param {Quadratic} q @param {Point} u */
export function value(q, u) {
  /** @type {Point} */
  const d = [u[0] - q.at[0], u[1] - q.at[1]];
  const hd = times(q.hessian, d);
  return q.value + q.gradient[0] * d[0] + q.gradient[1] * d[1] + (d[0] * hd[0] + d[1] * hd[1]) / 2;
}

/** @param {Quadratic} q @param {Point} u @returns {Point} */
export function gradient(q, u) {
  const hd = times(q.hessian, [u[0] - q.at[0], u[1] - q.at[1]]);
  return [q.gradient[0] + hd[0], q.gradient[1] + hd[1]];
}

/** Where the quadratic is smallest; null where it has no single lowest point. @param {Quadratic} q @returns {Point | null} */
export function centre(q) {
  const d = solve(q.hessian, [-q.gradient[0], -q.gradient[1]]);
  return d && [q.at[0] + d[0], q.at[1] + d[1]];
}

/** @param {Hessian} h @param {Point} c @returns {Point | null} */
function solve(h, c) {
  const determinant = h[0] * h[2] - h[1] * h[1];
  if (!(determinant > 1e-10 * h[0] * h[2])) return null;
  return [(h[2] * c[0] - h[1] * c[1]) / determinant, (h[0] * c[1] - h[1] * c[0]) / determinant];
}

/** How far a point is from the conditions of the minimum: 0 at it. @param {Point} g gradient of the loss @param {Point} u @param {Weights} w @param {number} lambda */
export function violation(g, u, w, lambda) {
  const parts = [0, 1].map((i) => {
    const pull = -g[i] - lambda * w.l2[i] * u[i];
    const push = lambda * w.l1[i];
    return u[i] === 0 ? Math.max(0, Math.abs(pull) - push) : Math.abs(pull - push * Math.sign(u[i]));
  });
  return Math.max(parts[0], parts[1]);
}

/**
 * The minimum of quadratic + lambda P: each pattern of signs is a linear system, and the pattern whose solution meets
 * the conditions is the answer. Sparse patterns come first, so that they win ties.
 * @param {Quadratic} q @param {Weights} w @param {number} lambda @returns {Point}
 */
export function solution(q, w, lambda) {
  const at0 = gradient(q, [0, 0]);
  /** @type {Point} */
  let best = [0, 0];
  let least = violation(at0, best, w, lambda);
  for (const signs of PATTERNS) {
    const u = candidate(q.hessian, [-at0[0], -at0[1]], w, lambda, signs);
    const miss = u ? violation(gradient(q, u), u, w, lambda) : Infinity;
    if (u && miss < least * (1 - 1e-9)) [best, least] = [u, miss];
  }
  return best;
}

/** @type {Point[]} */
const PATTERNS = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [1, -1], [-1, 1], [-1, -1]];

/** @param {Hessian} h @param {Point} c @param {Weights} w @param {number} lambda @param {Point} signs @returns {Point | null} */
function candidate(h, c, w, lambda, signs) {
  const a = h[0] + lambda * w.l2[0];
  const d = h[2] + lambda * w.l2[1];
  /** @type {Point} */
  const pull = [c[0] - lambda * w.l1[0] * signs[0], c[1] - lambda * w.l1[1] * signs[1]];
  if (signs[1] === 0) return a > 0 ? [pull[0] / a, 0] : null;
  if (signs[0] === 0) return d > 0 ? [0, pull[1] / d] : null;
  return solve([a, h[1], d], pull);
}

/**
 * The lowest point of the ball P <= t and the lambda that leads to it. P falls as lambda grows, so halving finds it;
 * lambda is 0 where the centre of the contours is inside the ball.
 * @param {Quadratic} q @param {Weights} w @param {number} t @returns {{ point: Point, lambda: number }}
 */
export function tangent(q, w, t) {
  const free = solution(q, w, 0);
  if (penalty(w, free) <= t) return { point: free, lambda: 0 };
  let low = 0;
  let high = 1;
  while (penalty(w, solution(q, w, high)) > t && high < 1e12) high *= 2;
  for (let step = 0; step < 200 && high - low > 0; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (penalty(w, solution(q, w, middle)) > t) low = middle;
    else high = middle;
  }
  return { point: solution(q, w, high), lambda: high };
}

/** How far the ball P <= t reaches in a direction; Infinity where nothing is penalised. @param {Weights} w @param {number} t @param {Point} direction */
export function reach(w, t, direction) {
  const first = w.l1[0] * Math.abs(direction[0]) + w.l1[1] * Math.abs(direction[1]);
  const second = w.l2[0] * direction[0] ** 2 + w.l2[1] * direction[1] ** 2;
  const root = first + Math.sqrt(first * first + 2 * second * t);
  return t <= 0 ? 0 : root > 0 ? (2 * t) / root : Infinity;
}

/**
 * The boundary of the ball as a closed polygon with its corners in it; a direction without penalty is cut at `far`.
 * @param {Weights} w @param {number} t @param {number} far @param {number} [points] @returns {Point[]}
 */
export function ball(w, t, far, points = 180) {
  return Array.from({ length: points + 1 }, (_, k) => {
    /** @type {Point} */
    const direction = along((k % points) / points);
    const r = Math.min(far, reach(w, t, direction));
    return [r * direction[0], r * direction[1]];
  });
}

/** A direction from a share of the full turn; quarters are exact. @param {number} share @returns {Point} */
function along(share) {
  const quarter = share * 4;
  if (Number.isInteger(quarter)) return /** @type {Point[]} */ ([[1, 0], [0, 1], [-1, 0], [0, -1]])[quarter];
  return [Math.cos(2 * Math.PI * share), Math.sin(2 * Math.PI * share)];
}

/** A point with coordinates that are nothing but rounding, next to the other one, set to 0. @param {Point} u @returns {Point} */
export function cleaned(u) {
  const tiny = TINY * Math.max(Math.abs(u[0]), Math.abs(u[1]));
  return [Math.abs(u[0]) <= tiny ? 0 : u[0], Math.abs(u[1]) <= tiny ? 0 : u[1]];
}

/**
 * The normal cone of the ball at a point: the directions that it spans, one ray where the boundary is smooth, two edges
 * of a fan at a corner, none at the origin, where the ball is a single point and every direction is normal.
 * @param {Weights} w @param {Point} u @returns {Point[]} in the order of the coefficients' slopes
 */
export function cone(w, u) {
  if (u[0] === 0 && u[1] === 0) return [];
  const slopes = [0, 1].map((i) => (u[i] === 0 ? [0 - w.l1[i], w.l1[i]] : [w.l1[i] * Math.sign(u[i]) + w.l2[i] * u[i]]));
  const rays = slopes[0].flatMap((x) => slopes[1].map((y) => /** @type {Point} */ ([x, y])));
  const kept = rays.filter(([x, y]) => x !== 0 || y !== 0);
  return kept.length === 2 && kept[0][0] === kept[1][0] && kept[0][1] === kept[1][1] ? [kept[0]] : kept;
}

/** How far a vector points out of a cone, in radians; 0 inside. @param {Point[]} rays @param {Point} vector */
export function outside(rays, vector) {
  if (rays.length === 0) return 0;
  const angles = rays.map((ray) => Math.atan2(ray[0] * vector[1] - ray[1] * vector[0], ray[0] * vector[0] + ray[1] * vector[1]));
  if (rays.length === 2 && angles[0] * angles[1] <= 0 && Math.abs(angles[0] - angles[1]) < Math.PI) return 0;
  return Math.min(...angles.map(Math.abs));
}

/**
 * Half axes and tilt of the contour where the quadratic lies `above` its minimum.
 * @param {Hessian} h @param {number} above @returns {{ rx: number, ry: number, angle: number }} angle in radians of rx
 */
export function ellipse(h, above) {
  const middle = (h[0] + h[2]) / 2;
  const spread = Math.hypot((h[0] - h[2]) / 2, h[1]);
  const angle = Math.atan2(2 * h[1], h[0] - h[2]) / 2;
  return { rx: Math.sqrt((2 * above) / (middle + spread)), ry: Math.sqrt((2 * above) / (middle - spread)), angle };
}

/** One entry of a packed lower triangle. @param {number[]} packed @param {number} j @param {number} k */
export const entry = (packed, j, k) => (j >= k ? packed[(j * (j + 1)) / 2 + k] : packed[(k * (k + 1)) / 2 + j]);

/** The part of a packed lower triangle for two features. @param {number[]} packed @param {number} j @param {number} k @returns {Hessian} */
export const part = (packed, j, k) => [entry(packed, j, j), entry(packed, j, k), entry(packed, k, k)];
