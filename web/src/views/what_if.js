/** The prediction for values that the reader sets, all other features at their means. */
import { scaleLinear } from "d3-scale";
import { meanAt } from "../mathematics.js";
import { NARROW } from "../panels.js";
import { COLOURS, FAINT, INK, drawing, element, figures, segment, words } from "../svg.js";
import { shortened } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload */
/** @typedef {import("../payload.js").State} State */

const INPUTS = 8;

/** The features with an input: those that count most where the page opens. @param {Payload} data @returns {number[]} */
export function asked(data) {
  const weight = (/** @type {number} */ j) => Math.abs(data.features[j].coefs[data.picked] * data.features[j].scale);
  return data.features.map((_, j) => j).sort((a, b) => weight(b) - weight(a)).slice(0, INPUTS);
}

/** Whether a prediction can be made from the page: the means of the features are only known where the data were at hand. @param {Payload} data */
export const ready = (data) => data.rest !== null && data.features.length > 0 && data.features.every((feature) => feature.mean !== null);

/** @param {import("../payload.js").Feature} feature */
export const mean = (feature) => feature.mean ?? 0;

/**
 * @param {Payload} data @param {State} state
 * @returns {{ eta: number, value: number, typical: number, terms: { name: string, amount: number }[] }} `typical` with every feature at its mean
 */
export function predict(data, state) {
  let eta = data.rest?.[state.index] ?? data.intercepts[state.index];
  let middle = eta;
  const amounts = new Map();
  data.features.forEach((feature, j) => {
    const coef = feature.coefs[state.index];
    const value = state.inputs[j] ?? mean(feature);
    eta += coef * value;
    middle += coef * mean(feature);
    amounts.set(j, coef * (value - mean(feature)));
  });
  const terms = asked(data).map((j) => ({ name: data.features[j].name, amount: amounts.get(j) }));
  return { eta, value: meanAt(data.mathematics, eta), typical: meanAt(data.mathematics, middle), terms };
}

/** What each input adds, as bars around zero. @param {Payload} data @param {State} state */
export function bars(data, state) {
  const { terms, value, typical } = predict(data, state);
  const most = Math.max(...terms.map((term) => Math.abs(term.amount))) || 1;
  const [names, low, high, width] = state.narrow ? [110, 170, 340, NARROW] : [160, 260, 700, 820];
  const x = scaleLinear().domain([-most, most]).range([low, high]);
  const unit = data.mathematics.eta ?? data.title;
  const height = 30 + 26 * terms.length;
  const body = terms.map(({ name, amount }, k) => {
    const top = 24 + 26 * k;
    const [from, to] = [x(Math.min(0, amount)), x(Math.max(0, amount))];
    return [
      words(names, top + 13, shortened(name, Math.floor(names / 7.2)), { "text-anchor": "end" }),
      element("rect", { x: from, y: top, width: Math.max(to - from, 0.5), height: 18, fill: COLOURS[amount < 0 ? 1 : 0] }),
      words(amount < 0 ? from - 6 : to + 6, top + 13, `${amount > 0 ? "+" : ""}${figures(amount)}`, { "text-anchor": amount < 0 ? "end" : "start" }),
    ].join("");
  });
  const title = "What each input adds";
  const description = `Prediction ${figures(value, 4)}; ${figures(typical, 4)} with every feature at its mean.`;
  const frame = [words(x(0), 12, `what it adds to the ${shortened(unit, 24)}, against its mean`, { "text-anchor": "middle", fill: FAINT }), segment(x(0), 20, x(0), height, { stroke: INK })];
  return drawing({ id: "what_if", width, height, title, description }, [...frame, ...body]);
}
