/** The functions that a payload names: a family is known by these alone. */

/** The mean by the linear predictor. */
const INVERSE_LINKS = {
  identity: (/** @type {number} */ eta) => eta,
  softmax: (/** @type {number} */ odds) => 1 / (1 + Math.exp(-odds)), // of one class, by its log-odds against all others
  logistic: (/** @type {number} */ eta) => 1 / (1 + Math.exp(-eta)),
  exp: Math.exp,
};

/** The variance of a row by its mean and the family's parameter, but for the dispersion; 0 where the family says nothing about it. @satisfies {Record<string, (mu: number, parameter: number) => number>} */
const VARIANCES = {
  "": () => 0,
  "mu (1 - mu)": (/** @type {number} */ mu) => mu * (1 - mu),
  mu: (/** @type {number} */ mu) => mu,
  "mu^2": (/** @type {number} */ mu) => mu ** 2,
  "mu^power": (/** @type {number} */ mu, /** @type {number} */ power) => mu ** power,
  "mu + mu^2 / theta": (/** @type {number} */ mu, /** @type {number} */ theta) => mu + mu ** 2 / theta,
};

/**
 * @typedef {object} Mathematics what a page has to know of the family
 * @property {keyof typeof INVERSE_LINKS} inverse_link
 * @property {keyof typeof VARIANCES} variance
 * @property {number | null} parameter the power or theta of that
 * @property {number | null} dispersion what it is to be multiplied by; null where that is not known
 * @property {boolean} has_classes whether the target is a class, or proportions of classes
 * @property {boolean} quadratic whether the loss is the squared error, so that its quadratic about any point is exact
 * @property {boolean} of_times whether the target is a time to an event: there is no intercept, and hazards take its place
 * @property {string} factor what exp(coefficient) multiplies, as "odds"; "" where it means nothing
 * @property {string} factor_column the same as the title of a column of coefficients.csv
 * @property {string | null} eta the linear predictor in words, as "log-odds"; null for the target itself
 * @property {string} predicted what a prediction is, as "Probability", "Expected"
 */

/** The expected target. @param {Mathematics} of @param {number} eta */
export const meanAt = (of, eta) => INVERSE_LINKS[of.inverse_link](eta);

/** The expected targets of several outputs. @param {Mathematics} of @param {number[]} etas */
export function meansAt(of, etas) {
  if (of.inverse_link !== "softmax") return etas.map((eta) => meanAt(of, eta));
  const most = Math.max(...etas);
  const sizes = etas.map((eta) => Math.exp(eta - most));
  const sum = sizes.reduce((total, size) => total + size, 0);
  return sizes.map((size) => size / sum);
}

/** What means lie between. @param {Mathematics} of @returns {[number, number]} */
export const rangeOf = (of) => [meanAt(of, -Infinity), meanAt(of, Infinity)];

/** The variance of a row whose mean is `mu`; 0 where it is not known. @param {Mathematics} of @param {number} mu */
export const varianceAt = (of, mu) => Math.max(0, (of.dispersion ?? 0) * VARIANCES[of.variance](mu, of.parameter ?? NaN));
