/**
 * Points of two classes that the reader moves, adds and takes away. What the reader did is among the values of the
 * lesson, three numbers a point (x7, y7, class7), so that an address can hold it; class -1 is a point taken away.
 */
import { clamp, snapped } from "./lesson.js";

/** @typedef {[number, number, number]} Point x, y and class */
/** @typedef {import("./lesson.js").Values} Values */

export const REACH = 2.5;
const STEP = 0.1;
const MOST = 60;
const FEWEST = 2; // of a class

/** Values of points. */
export const NAMES = /^(x|y|class)\d{1,2}$/;

/** Each point with its number. @param {Point[]} given @param {Values} values @returns {{ k: number, point: Point }[]} */
export function pointsOf(given, values) {
  return Array.from({ length: MOST }, (_, k) => ({ k, point: pointOf(given, values, k) })).filter((one) => one.point !== null && one.point[2] >= 0).map(({ k, point }) => ({ k, point: /** @type {Point} */ (point) }));
}

/** @param {Point[]} given @param {Values} values @param {number} k @returns {Point | null} */
function pointOf(given, values, k) {
  const [x, y, label] = ["x", "y", "class"].map((name, i) => values[name + k] ?? given[k]?.[i]);
  if (![x, y, label].every(Number.isFinite)) return null;
  return [placed(x), placed(y), label < 0 ? -1 : Number(label > 0)];
}

/** Within the frame, and on its grid. @param {number} x */
const placed = (x) => snapped(clamp(x, -REACH, REACH), STEP);

/** @param {Values} values @param {number} k @param {number} x @param {number} y @returns {Values} */
export const put = (values, k, x, y) => ({ ...values, [`x${k}`]: placed(x), [`y${k}`]: placed(y) });

/** One point more, where there is room. @param {Point[]} given @param {Values} values @param {number} x @param {number} y @param {number} label @returns {Values} */
export function add(given, values, x, y, label) {
  const k = Array.from({ length: MOST }, (_, at) => at).find((at) => (pointOf(given, values, at)?.[2] ?? -1) < 0);
  return k === undefined ? values : { ...put(values, k, x, y), [`class${k}`]: label };
}

/** One point less, while enough of its class stay. @param {Point[]} given @param {Values} values @param {number} k @returns {Values} */
export function remove(given, values, k) {
  const label = pointOf(given, values, k)?.[2];
  const others = pointsOf(given, values).filter(({ point }) => point[2] === label);
  return others.length > FEWEST ? { ...values, [`class${k}`]: -1 } : values;
}

/** The features of a place: two, or all products of up to three of them. */
export const FEATURES = {
  straight: { names: ["x1", "x2"], of: (/** @type {number} */ x, /** @type {number} */ y) => [x, y] },
  curved: {
    names: ["x1", "x2", "x1²", "x1·x2", "x2²", "x1³", "x1²·x2", "x1·x2²", "x2³"],
    of: (/** @type {number} */ x, /** @type {number} */ y) => [x, y, x * x, x * y, y * y, x ** 3, x * x * y, x * y * y, y ** 3],
  },
};

/** Means and standard deviations of the columns. @param {number[][]} rows */
export function scaling(rows) {
  const means = rows[0].map((_, j) => rows.reduce((total, row) => total + row[j], 0) / rows.length);
  const scales = means.map((mean, j) => Math.sqrt(rows.reduce((total, row) => total + (row[j] - mean) ** 2, 0) / rows.length) || 1);
  return (/** @type {number[]} */ row) => row.map((x, j) => (x - means[j]) / scales[j]);
}
