/** Losses on a square grid: look-up, slope and contour lines in the units of the coefficients. */
import { contours } from "d3-contour";

/**
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{ x: Point, y: Point, size: number, loss: (number | null)[] }} Grid values row by row, y slow and x fast
 */

/** Points along a side of what is drawn. */
export const FINE = 65;

/** The same grid with the two coefficients exchanged. @param {Grid} grid @returns {Grid} */
export function exchanged({ x, y, size, loss }) {
  return { x: y, y: x, size, loss: loss.map((_, at) => loss[(at % size) * size + Math.floor(at / size)]) };
}

/** A grid filled from a function. @param {Point} x @param {Point} y @param {number} size @param {(u: Point) => number} value @returns {Grid} */
export function filled(x, y, size, value) {
  const place = (/** @type {Point} */ range, /** @type {number} */ k) => range[0] + ((range[1] - range[0]) * k) / (size - 1);
  const loss = Array.from({ length: size * size }, (_, at) => value([place(x, at % size), place(y, Math.floor(at / size))]));
  return { x, y, size, loss };
}

/**
 * The loss between the points of a grid: cubics along both sides, exact for a parabola; NaN outside.
 * @param {Grid} grid @returns {(u: Point) => number}
 */
export function smooth({ x, y, size, loss }) {
  const last = size - 1;
  const place = (/** @type {Point} */ [low, high], /** @type {number} */ at) => snapped(((at - low) / (high - low)) * last, last);
  return (u) => {
    const [across, up] = [place(x, u[0]), place(y, u[1])];
    if (!(across >= 0 && up >= 0 && across <= last && up <= last)) return NaN;
    return cubic((row) => cubic((column) => loss[row * size + column] ?? NaN, last, across), last, up);
  };
}

/** Rounding puts the ends of a grid a trifle outside. @param {number} at @param {number} last */
const snapped = (at, last) => (Math.abs(at) < 1e-9 ? 0 : Math.abs(at - last) < 1e-9 ? last : at);

/**
 * The cubic through values at 0 ... last; before the first and after the last they go on as a parabola. Its slopes are
 * those of Catmull and Rom, but where values bend sharply no steeper than leaves a convex curve convex.
 * @param {(k: number) => number} value @param {number} last @param {number} at
 */
function cubic(value, last, at) {
  const k = Math.min(Math.floor(at), last - 1);
  const t = at - k;
  const [b, c] = [value(k), value(k + 1)];
  const a = k > 0 ? value(k - 1) : 3 * (b - c) + value(k + 2);
  const d = k + 2 <= last ? value(k + 2) : 3 * (c - b) + value(k - 1);
  const rise = c - b;
  let [left, right] = [rise - (c - a) / 2, (d - b) / 2 - rise]; // how much the slopes at both ends fall short and exceed
  if (left * right > 0) [left, right] = [clamped(left, 2 * right), clamped(right, 2 * left)];
  return b + t * (rise - left + t * (2 * left - right + t * (right - left)));
}

/** A number no larger than another one of the same sign. @param {number} one @param {number} most */
const clamped = (one, most) => (Math.abs(one) > Math.abs(most) ? most : one);

/** The gradient from differences. @param {(u: Point) => number} of @param {Point} u @param {number} step @returns {Point} */
export function slope(of, u, step) {
  return [(of([u[0] + step, u[1]]) - of([u[0] - step, u[1]])) / (2 * step), (of([u[0], u[1] + step]) - of([u[0], u[1] - step])) / (2 * step)];
}

/**
 * The field to draw the contour through `at` from: one of its own where the contour is so small that the field gives it corners.
 * @param {Grid} field @param {(u: Point) => number} of @param {Point} at @returns {Grid}
 */
export function closer(field, of, at) {
  const ring = [at, ...lines(field, of(at)).filter((one) => one.some(([a]) => !Number.isNaN(a))).flat()]; // without the field's own border
  const step = (field.x[1] - field.x[0]) / (field.size - 1);
  /** @type {(axis: 0 | 1) => Point} */
  const range = (axis) => [Math.min(...ring.map((u) => u[axis])) - 1.5 * step, Math.max(...ring.map((u) => u[axis])) + 1.5 * step];
  const [x, y] = [range(0), range(1)];
  const small = Math.max(x[1] - x[0], y[1] - y[0]) < (field.x[1] - field.x[0]) / 2; // not where it leaves the field, at NaN
  return small ? filled(x, y, FINE, of) : field;
}

/** The smallest finite value. @param {Grid} grid */
export const lowest = (grid) => grid.loss.reduce((/** @type {number} */ least, one) => (one !== null && one < least ? one : least), Infinity);

/**
 * The lines of one level; NaN points are gaps where a line leaves the grid.
 * @param {Grid} grid @param {number} level @returns {Point[][]}
 */
export function lines({ x, y, size, loss }, level) {
  const shape = contours().size([size, size]).contour(loss.map((one) => one ?? NaN), level);
  const inside = (/** @type {number} */ at) => at >= 0.5 && at <= size - 0.5;
  const place = (/** @type {Point} */ range, /** @type {number} */ at) => range[0] + ((range[1] - range[0]) * (at - 0.5)) / (size - 1);
  return shape.coordinates.flatMap((polygon) =>
    polygon.map((ring) => ring.map(([a, b]) => /** @type {Point} */ (inside(a) && inside(b) ? [place(x, a), place(y, b)] : [NaN, NaN]))),
  );
}

/**
 * Levels whose contours lie at even distances, as those of a quadratic do when the root of the loss above its minimum
 * takes even steps; the one through `mark` is drawn on its own, and none comes close to it.
 * @param {number} least @param {number} most @param {number} mark @param {number} [count]
 */
export function levels(least, most, mark, count = 10) {
  const step = Math.sqrt(Math.max(0, most - least)) / count;
  const own = Math.sqrt(Math.max(0, mark - least));
  const roots = Array.from({ length: count }, (_, k) => (k + 1) * step).filter((root) => Math.abs(root - own) > step / 4);
  return step > 0 ? roots.map((root) => least + root * root) : [];
}
