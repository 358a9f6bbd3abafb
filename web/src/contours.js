/** Losses on a square grid: look-up, slope and contour lines in the units of the coefficients. */
import { contours } from "d3-contour";

/**
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{ x: Point, y: Point, size: number, loss: (number | null)[] }} Grid values row by row, y slow and x fast
 */

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

/** The same loss on a finer grid, through cubics, so that contours are smooth. @param {Grid} grid @param {number} [parts] pieces of each step @returns {Grid} */
export function refined({ x, y, size, loss }, parts = 4) {
  const rows = Array.from({ length: size }, (_, row) => between(loss.slice(row * size, (row + 1) * size).map((one) => one ?? NaN), parts));
  const columns = rows[0].map((_, column) => between(rows.map((row) => row[column]), parts));
  const fine = columns.length;
  return { x, y, size: fine, loss: Array.from({ length: fine * fine }, (_, at) => columns[at % fine][Math.floor(at / fine)]) };
}

/** Values at even steps with others between them, on Catmull and Rom's cubics. @param {number[]} values @param {number} parts */
function between(values, parts) {
  const last = values.length - 1;
  const at = (/** @type {number} */ k) => (k < 0 ? 2 * values[0] - values[1] : k > last ? 2 * values[last] - values[last - 1] : values[k]);
  return Array.from({ length: last * parts + 1 }, (_, step) => {
    const k = Math.min(Math.floor(step / parts), last - 1);
    const t = step / parts - k;
    const [a, b, c, d] = [at(k - 1), at(k), at(k + 1), at(k + 2)];
    return b + (t / 2) * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
  });
}

/** The value between grid points, along both sides; NaN outside. @param {Grid} grid @param {Point} u */
export function lookup({ x, y, size, loss }, u) {
  const across = ((u[0] - x[0]) / (x[1] - x[0])) * (size - 1);
  const up = ((u[1] - y[0]) / (y[1] - y[0])) * (size - 1);
  if (!(across >= 0 && up >= 0 && across <= size - 1 && up <= size - 1)) return NaN;
  const column = Math.min(Math.floor(across), size - 2);
  const row = Math.min(Math.floor(up), size - 2);
  const at = (/** @type {number} */ r, /** @type {number} */ c) => loss[r * size + c] ?? NaN;
  const low = at(row, column) * (column + 1 - across) + at(row, column + 1) * (across - column);
  const high = at(row + 1, column) * (column + 1 - across) + at(row + 1, column + 1) * (across - column);
  return low * (row + 1 - up) + high * (up - row);
}

/** The gradient from differences over one step of the grid to each side. @param {Grid} grid @param {Point} u @returns {Point} */
export function slope(grid, u) {
  const dx = (grid.x[1] - grid.x[0]) / (grid.size - 1);
  const dy = (grid.y[1] - grid.y[0]) / (grid.size - 1);
  return [
    (lookup(grid, [u[0] + dx, u[1]]) - lookup(grid, [u[0] - dx, u[1]])) / (2 * dx),
    (lookup(grid, [u[0], u[1] + dy]) - lookup(grid, [u[0], u[1] - dy])) / (2 * dy),
  ];
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
