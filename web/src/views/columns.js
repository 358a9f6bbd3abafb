/** The columns of the table: which features they give, and where the coefficients of these stand. */
import { tr } from "../language.js";
import { coefficientOf } from "./outputs.js";
import { whole } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").Column} Column */
/** @typedef {{ place: number, level: number }} Part a feature of a column: the number itself has the level -1 */

/** The features of a column that are ever kept, or listed. @param {Column} column @returns {Part[]} */
export function partsOf({ number, places }) {
  const levels = places.flatMap((place, level) => (place === null ? [] : [{ place, level }]));
  return number === null ? levels : [{ place: number, level: -1 }, ...levels];
}

/** The feature at a place. @param {Payload} data @param {number} place */
export const featureAt = (data, place) => data.features[place] ?? data.others[place - data.features.length];

/** Its coefficient, or of several outputs the length over them. @param {Payload} data @param {number} place @param {number} index of lambda */
export const coefAt = (data, place, index) => data.features[place]?.coefs[index] ?? entry(data.others[place - data.features.length].coefs, index);

/** Its coefficient for one of several outputs. @param {Payload} data @param {number} place @param {number} output @param {number} index of lambda */
export function coefOfOutput(data, place, output, index) {
  const feature = data.features[place];
  return feature ? coefficientOf(feature, output, index, false) : entry(data.others[place - data.features.length].by_output?.[output] ?? [], index);
}

/** @param {[number, number][]} coefs @param {number} index */
const entry = (coefs, index) => coefs.find(([l]) => l === index)?.[1] ?? 0;

/** Whether it is a level: a row has it or not. @param {Payload} data @param {number} place */
export const isLevel = (data, place) =>
  data.columns.some(({ places, indicators }) => places.includes(place) && (indicators?.[places.indexOf(place)] ?? true));

/** A step of it that one can imagine: a level instead of none, or one standard deviation of a number. @param {Payload} data @param {number} place */
export const stepOf = (data, place) => (data.standardize && !isLevel(data, place) ? featureAt(data, place).scale : 1);

/** The strongest lambda at which it is kept. @param {Payload} data @param {number} place */
export const entryOf = (data, place) => data.lambdas[data.lambdas.findIndex((_, l) => coefAt(data, place, l) !== 0)];

/** Columns and features that are kept, as `12 of 73 columns (35 of 314 features)`. @param {Payload} data @param {number} index of lambda */
export function keptOf(data, index) {
  const { n_columns, n_features, columns_kept, n_nonzero } = data;
  const columns = whole(n_columns);
  const features = whole(n_features);
  if (data.l1_ratio === 0) return n_columns === n_features ? tr`${features} features` : tr`${columns} columns (${features} features)`;
  const kept = whole(n_nonzero[index]);
  if (n_columns === n_features) return tr`${kept} of ${features} features`;
  return tr`${whole(columns_kept[index])} of ${columns} columns (${kept} of ${features} features)`;
}

/** What coefficients of levels are measured against. @param {Payload} data @param {Column} column @param {number} index of lambda */
export function against(data, column, index) {
  if (data.l1_ratio === 0) return column.levels.length > column.n_features ? tr`against “${column.levels[column.levels.length - 1]}”` : tr`against the average of the column`; // the last one has no feature
  if (!column.settable && !data.others_complete) return tr`against the other levels`;
  const zero = column.levels.filter((_, level) => (column.places[level] === null ? 0 : coefAt(data, column.places[level] ?? 0, index)) === 0);
  if (zero.length === 0) return tr`against one another`;
  return zero.length === 1 ? tr`against “${zero[0]}”` : tr`against the ${whole(zero.length)} other levels`;
}



