/** The features that the model uses at a lambda, as a table; there is no drawing. */
import { figures } from "../svg.js";
import { ownerOf } from "./columns.js";
import { coefficientOf, kindOf } from "./outputs.js";
import { matches, rule, shortened, whole } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload */

const STABLE = 0.8;
const MOST_COLUMNS = 10; // outputs that are told one by one

/** A coefficient with its sign. @param {number} value */
const signed = (value) => (value > 0 ? `+${figures(value)}` : figures(value));

/** What odds or rates are multiplied by; close to 1 as many digits as tell it from 1. @param {number} value */
function factor(value) {
  const excess = Math.abs(value - 1);
  return excess > 1e-8 && excess < 0.1 ? value.toFixed(1 - Math.floor(Math.log10(excess))) : figures(value);
}

/**
 * The rows of the table with the numbers that they are sorted by.
 * @param {Payload} data @param {{ index: number, filter: string }} state
 * @returns {{ feature: number, cells: string[], values: (string | number)[] }[]}
 */
export function rows(data, { index, filter }) {
  return data.features
    .map((feature, j) => ({ feature, j, coef: feature.coefs[index] }))
    .filter(({ feature, coef }) => coef !== 0 && matches(feature.name, filter))
    .sort((a, b) => Math.abs(b.coef * b.feature.scale) - Math.abs(a.coef * a.feature.scale))
    .map(({ feature, j, coef }) => {
      const owner = ownerOf(data, j);
      const few = data.l1_ratio > 0 ? owner?.column.few_rows[owner.level] : "";
      const name = few ? `${feature.name} (${few})` : feature.name;
      const columns = [/** @type {[string, string | number]} */ ([name, feature.name])];
      if (data.outputs.length) columns.push(...ofOutputs(data, feature, index));
      else if (data.standardize) columns.push([signed(coef * feature.scale), coef * feature.scale]);
      if (!data.outputs.length) columns.push([signed(coef), coef]);
      if (data.mathematics.factor) columns.push([factor(Math.exp(coef)), coef]);
      if (data.l1_ratio > 0) {
        const entry = data.lambdas[feature.coefs.findIndex((value) => value !== 0)];
        columns.push([figures(entry), entry]);
      }
      if (owner?.column.counts && data.cv) columns.push(folds(owner.column.counts[index], feature.own_counts?.[index], data.cv.n_folds));
      return { feature: j, cells: columns.map(([cell]) => cell), values: columns.map(([, value]) => value) };
    });
}

/**
 * The length over the outputs and the coefficient of each; of very many the largest and whose it is. Per SD where the
 * penalty is.
 * @param {Payload} data @param {import("../payload.js").Feature} feature @param {number} index @returns {[string, string | number][]}
 */
function ofOutputs(data, feature, index) {
  const values = data.outputs.map((_, k) => coefficientOf(feature, k, index, data.standardize));
  const length = feature.coefs[index] * (data.standardize ? feature.scale : 1);
  /** @type {[string, number][]} */
  const each = values.map((value) => [value ? signed(value) : "0", value]);
  if (values.length <= MOST_COLUMNS) return [[figures(length), length], ...each];
  const largest = values.reduce((most, value, k) => (Math.abs(value) > Math.abs(values[most]) ? k : most), 0);
  return [[figures(length), length], [`${each[largest][0]} (${shortened(data.outputs[largest].name, 20)})`, values[largest]]];
}

/** @param {Payload} data */
function titlesOfOutputs(data) {
  const length = data.standardize ? "length per SD" : "length";
  return data.outputs.length > MOST_COLUMNS ? [length, "largest"] : [length, ...data.outputs.map((one) => shortened(one.name, 20))];
}

/** In how many folds its column was kept, a word where these are few, and in how many the feature itself if fewer. @param {number} count @param {number | undefined} own @param {number} all @returns {[string, number]} */
function folds(count, own, all) {
  const itself = own !== undefined && own < count ? ` (itself ${own}/${all})` : "";
  return [`${count}/${all}${count < STABLE * all ? " unstable" : ""}${itself}`, count];
}

/** @param {Payload} data */
export function titles(data) {
  const { factor } = data.mathematics;
  return [
    "feature",
    ...(data.outputs.length ? titlesOfOutputs(data) : [...(data.standardize ? ["per SD"] : []), "per unit"]),
    ...(factor ? [`${factor} × / unit`] : []),
    ...(data.l1_ratio > 0 ? ["enters at lambda"] : []),
    ...(data.cv && data.columns.some((column) => column.counts) ? ["kept in folds"] : []),
  ];
}

/** @type {import("../payload.js").View} */
export const features = {
  id: "features",
  title: "Selected features",
  missing: () => "",
  draw(data, state) {
    const shown = rows(data, state);
    return { svg: "", sentence: describe(data, state, shown.length), table: { head: titles(data), rows: shown.map((row) => row.cells) } };
  },
};

/** @param {Payload} data @param {import("../payload.js").State} state @param {number} shown */
function describe(data, state, shown) {
  const at = `At ${rule(data, state.index)} = ${figures(data.lambdas[state.index])}`;
  const used = data.l1_ratio === 0 ? data.n_features : data.n_nonzero[state.index];
  if (state.filter.trim() !== "") return `${at}, ${shown} of the features in this table have a name with “${state.filter.trim()}”.`;
  if (used === 0) return `${at} no feature is kept: the model predicts the same for every row.`;
  const count = data.l1_ratio === 0 ? `all ${whole(used)} features are used` : `${whole(used)} of ${whole(data.n_features)} features are kept`;
  const more = used > shown ? `; the ${whole(used - shown)} smaller ones are not in this table` : "";
  return `${at}, ${count}, the largest ${data.outputs.length ? `over all ${kindOf(data)[1]} (length${data.standardize ? " per SD" : ""})` : data.standardize ? "per SD" : "by their weight"} first${more}.${data.outputs.length ? "" : ` Intercept: ${figures(data.intercepts[state.index], 4)}.`}`;
}
