/** The functions that a payload names: a family is known by these alone. */

/** The mean by the linear predictor. */
const INVERSE_LINKS = {
  identity: (/** @type {number} */ eta) => eta,
  logistic: (/** @type {number} */ eta) => 1 / (1 + Math.exp(-eta)),
  exp: Math.exp,
};

/** The variance of a row by its mean; 0 where the family says nothing about it. */
const VARIANCES = {
  "": () => 0,
  "mu (1 - mu)": (/** @type {number} */ mu) => mu * (1 - mu),
  mu: (/** @type {number} */ mu) => mu,
};

/**
 * @typedef {object} Mathematics what a page has to know of the family
 * @property {keyof typeof INVERSE_LINKS} inverse_link
 * @property {keyof typeof VARIANCES} variance
 * @property {boolean} has_classes whether the target is one of two classes, or a proportion
 * @property {boolean} quadratic whether the loss is the squared error, so that its quadratic about any point is exact
 * @property {string} factor what exp(coefficient) multiplies, as "odds"; "" where it means nothing
 * @property {string | null} eta the linear predictor in words, as "log-odds"; null for the target itself
 * @property {string} predicted what a prediction is, as "Probability", "Expected"
 */

/** The expected target. @param {Mathematics} of @param {number} eta */
export const meanAt = (of, eta) => INVERSE_LINKS[of.inverse_link](eta);

/** What means lie between. @param {Mathematics} of @returns {[number, number]} */
export const rangeOf = (of) => [meanAt(of, -Infinity), meanAt(of, Infinity)];

/** The variance of a row whose mean is `mu`. @param {Mathematics} of @param {number} mu */
export const varianceAt = (of, mu) => Math.max(0, VARIANCES[of.variance](mu));
