/** The result at a lambda: the answer in words, and six numbers for those who want them. */
import { tr } from "../language.js";
import { figures } from "../svg.js";
import { percent } from "./confusion.js";
import { shownScore } from "./cv_curve.js";
import { keptOf } from "./columns.js";

/** @typedef {import("../payload.js").Payload} Payload */

/**
 * @param {Payload} data @param {number} index of lambda
 * @returns {{ found: string, quality: string, numbers: [string, string][] }}
 */
export function verdict(data, index) {
  const [found, quality] = data.answers[index];
  return { found, quality, numbers: numbers(data, index) };
}

/** @param {import("../payload.js").CrossValidation} cv @param {number} index */
const ranked = ({ concordance, concordance_se }, index) => `${figures(concordance?.[index])} ± ${figures(concordance_se?.[index], 2)}`;

/** The errors first, then what was reached on the fitted rows, by that name. @param {Payload} data @param {number} index @returns {[string, string][]} */
function numbers(data, index) {
  const { cv } = data;
  const { name, of, digits } = shownScore(data);
  const mean = cv ? of(cv.mean[index]) : NaN;
  const error = cv ? of(cv.mean[index] + (cv.se[index] ?? NaN)) - mean : NaN;
  const share = cv?.explained_of ? percent(1 - cv.mean[index] / cv.explained_of) : "–";
  return [
    [tr`lambda`, figures(data.lambdas[index])],
    [data.l1_ratio === 0 ? tr`used` : tr`kept`, keptOf(data, index)],
    [tr`CV ${name}`.trim(), `${figures(mean, digits)}${Number.isFinite(error) ? ` ± ${figures(error, 2)}` : ""}`],
    [tr`without features`, figures(cv ? of(cv.null_score) : NaN, digits)],
    cv?.concordance && cv.score !== "concordance" ? [tr`CV concordance (0.5 by chance)`, ranked(cv, index)] : [tr`CV deviance explained`, share],
    [tr`explained, fitted rows`, percent(data.deviance_ratio[index])],
  ];
}
