/** The result at a lambda in two sentences and six numbers. */
import { figures } from "../svg.js";
import { hits, percent } from "./confusion.js";
import { shownScore } from "./cv_curve.js";
import { errorsOf } from "./errors.js";
import { rule, shortened, whole } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload */

/**
 * @param {Payload} data @param {number} index of lambda
 * @returns {{ sentence: string, numbers: [string, string][] }}
 */
export function verdict(data, index) {
  return { sentence: `${use(data, index)}${score(data, index)}`, numbers: numbers(data, index) };
}

/** @param {Payload} data @param {number} index */
function use(data, index) {
  const at = `At ${rule(data, index)} = ${figures(data.lambdas[index])}`;
  const used = data.l1_ratio === 0 ? data.n_features : data.n_nonzero[index];
  if (used === 0) return `${at} no feature is kept: the model predicts the same for every row.`;
  const largest = data.features
    .filter((feature) => feature.coefs[index] !== 0)
    .sort((a, b) => Math.abs(b.coefs[index] * b.scale) - Math.abs(a.coefs[index] * a.scale))
    .slice(0, 4)
    .map((feature) => shortened(feature.name, 40));
  const more = used > largest.length ? ` and ${(used - largest.length).toLocaleString("en-US")} more` : "";
  if (data.l1_ratio === 0) return `${at}, all ${whole(used)} features are used ${data.outputs.length && data.mathematics.has_classes ? `to tell the ${data.outputs.length} classes of ${data.title} apart` : `to explain ${data.title}`}; those that count most: ${largest.join(", ")}.`;
  return `${at}, ${whole(used)} of ${whole(data.n_features)} features ${data.outputs.length && data.mathematics.has_classes ? `tell the ${data.outputs.length} classes of ${data.title} apart` : `explain ${data.title}`}: ${largest.join(", ")}${more}.`;
}

/** @param {Payload} data @param {number} index */
function score(data, index) {
  if (!data.cv) return "";
  const found = hits(data, index);
  if (found) return ` Of ${whole(found.rows)} rows not used for their fit, ${percent(found.share)} are put into the right class; always saying the commonest (${shortened(found.common, 40)}) would be right for ${percent(found.commonShare)}.`;
  const share = explained(data, index);
  if (share) return ` On rows that were left out, ${share} of the deviance is explained${bestAndWorst(data, index)}.`;
  const { name, of } = shownScore(data);
  const words = name === "RMSE" ? "typical error (root mean squared error)" : name;
  const against = data.cv.null_score === null ? "" : `, against ${figures(of(data.cv.null_score))} without features`;
  return ` On rows that were left out, the ${words} is ${figures(of(data.cv.mean[index]))}${against}.`;
}

/** Which of several targets is predicted best and which worst, by its variance that is explained. @param {Payload} data @param {number} index */
function bestAndWorst(data, index) {
  const rows = errorsOf(data, index);
  if (rows.length < 2) return "";
  const told = (/** @type {typeof rows[number]} */ { name, ratio }) => `of ${shortened(name, 40)} ${percent(1 - ratio ** 2)}`;
  return `: ${told(rows[0])} at best, ${told(rows[rows.length - 1])} at worst`;
}

/** The share of the deviance that is explained on left-out rows, where that is what to say. @param {Payload} data @param {number} index */
function explained({ cv }, index) {
  return cv?.explained_of ? percent(1 - cv.mean[index] / cv.explained_of) : "";
}

/** @param {Payload} data @param {number} index @returns {[string, string]} */
function last(data, index) {
  const margins = data.evidence?.margins;
  const found = hits(data, index);
  if (found) return ["right class, left-out rows", percent(found.share)];
  if (margins) return ["rows with a flat slope", percent(margins.flat[index])];
  const share = explained(data, index);
  return share ? ["CV deviance explained", share] : ["fitted rows", figures(data.cv ? shownScore(data).of(data.cv.train[index]) : NaN)];
}

/** @param {Payload} data @param {number} index @returns {[string, string][]} */
function numbers(data, index) {
  const { name, of } = shownScore(data);
  const mean = data.cv ? of(data.cv.mean[index]) : NaN;
  const error = data.cv ? of(data.cv.mean[index] + (data.cv.se[index] ?? NaN)) - mean : NaN;
  const size = whole(data.n_features);
  return [
    ["lambda", figures(data.lambdas[index])],
    data.l1_ratio === 0 ? ["features used", size] : ["features kept", `${whole(data.n_nonzero[index])} of ${size}`],
    [`CV ${name}`.trim(), `${figures(mean)}${Number.isFinite(error) ? ` ± ${figures(error, 2)}` : ""}`],
    ["without features", figures(data.cv ? of(data.cv.null_score) : NaN)],
    ["deviance explained", percent(data.deviance_ratio[index])],
    last(data, index),
  ];
}
