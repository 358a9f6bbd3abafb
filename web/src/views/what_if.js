/** The prediction for values that the reader sets, all other features at their means. */
import { scaleLinear } from "d3-scale";
import { meanAt, meansAt } from "../mathematics.js";
import { NARROW } from "../panels.js";
import { COLOURS, FAINT, INK, drawing, element, figures, segment, words } from "../svg.js";
import { coefficientOf } from "./outputs.js";
import { shortened } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload */
/** @typedef {import("../payload.js").State} State */

const INPUTS = 8;
const MOST = 12; // outputs

/** The features with an input: those that count most where the page opens. @param {Payload} data @returns {number[]} */
export function asked(data) {
  const weight = (/** @type {number} */ j) => Math.abs(data.features[j].coefs[data.picked] * data.features[j].scale);
  return data.features.map((_, j) => j).sort((a, b) => weight(b) - weight(a)).slice(0, INPUTS);
}

/** Whether a prediction can be made from the page: the means of the features are only known where the data were at hand. @param {Payload} data */
export const ready = (data) => (data.outputs.length ? data.outputs.every((one) => one.rest !== null) : data.rest !== null) && data.features.length > 0 && data.features.every((feature) => feature.mean !== null);

/** @param {import("../payload.js").Feature} feature */
export const mean = (feature) => feature.mean ?? 0;

/**
 * @param {Payload} data @param {State} state
 * @returns {{ eta: number, value: number, typical: number, terms: { name: string, amount: number }[] }} `typical` with every feature at its mean
 */
export function predict(data, state) {
  const { index, output } = state;
  const several = data.outputs.length > 0;
  let eta = (several ? data.outputs[output].rest?.[index] : (data.rest?.[index] ?? data.intercepts[index])) ?? 0;
  let middle = eta;
  const amounts = new Map();
  data.features.forEach((feature, j) => {
    const coef = several ? coefficientOf(feature, output, index, false) : feature.coefs[index];
    const value = state.inputs[j] ?? mean(feature);
    eta += coef * value;
    middle += coef * mean(feature);
    amounts.set(j, coef * (value - mean(feature)));
  });
  const terms = asked(data).map((j) => ({ name: data.features[j].name, amount: amounts.get(j) }));
  return { eta, value: meanAt(data.mathematics, eta), typical: meanAt(data.mathematics, middle), terms };
}

/**
 * The predictions of all outputs; `typical` with every feature at its mean.
 * @param {Payload} data @param {State} state @returns {{ values: number[], typical: number[] }}
 */
export function predictAll(data, state) {
  const [etas, middles] = [state, { ...state, inputs: {} }].map((one) => data.outputs.map((_, output) => predict(data, { ...one, output }).eta));
  return { values: meansAt(data.mathematics, etas), typical: meansAt(data.mathematics, middles) };
}

/** The classes to tell of: the most probable. @param {number[]} values */
export const likeliest = (values) => values.map((_, k) => k).sort((a, b) => values[b] - values[a]);

/** @param {number} share */
const percent = (share) => `${figures(100 * share, share >= 0.9995 ? 4 : 3)} %`;

/** The probability of each class as bars, a mark where it is with every feature at its mean. @param {Payload} data @param {State} state */
export function probabilities(data, state) {
  const { values, typical } = predictAll(data, state);
  const shown = data.outputs.length <= MOST ? values.map((_, k) => k) : likeliest(values).slice(0, MOST);
  const [names, right, width] = state.narrow ? [110, 300, NARROW] : [160, 600, 820];
  const x = scaleLinear().domain([0, 1]).range([names + 8, right]);
  const height = 30 + 26 * shown.length;
  const body = shown.map((k, line) => {
    const top = 24 + 26 * line;
    return [
      words(names, top + 13, shortened(data.outputs[k].name, Math.floor(names / 7.2)), { "text-anchor": "end" }),
      element("rect", { x: x(0), y: top, width: Math.max(x(values[k]) - x(0), 0.5), height: 18, fill: COLOURS[0] }),
      segment(x(typical[k]), top - 3, x(typical[k]), top + 21, { stroke: INK, "stroke-width": 2, "stroke-dasharray": "3 2" }),
      words(right + 10, top + 13, percent(values[k])),
    ].join("");
  });
  const frame = [words(x(0), 12, state.narrow ? "dashed: every feature at its mean" : "probability; dashed: with every feature at its mean", { fill: FAINT }), segment(x(0), 20, x(0), height, { stroke: INK })];
  const description = shown.map((k) => `${data.outputs[k].name} ${percent(values[k])}`).join(", ");
  return drawing({ id: "what_if", width, height, title: "Probability of each class", description }, [...frame, ...body]);
}

/** The predictions in words: the most probable class, or the number of each target. @param {Payload} data @param {State} state */
export function inWords(data, state) {
  const { values, typical } = predictAll(data, state);
  const moved = Object.keys(state.inputs).length > 0;
  if (data.mathematics.has_classes) {
    const told = (/** @type {number[]} */ all) => `${data.outputs[likeliest(all)[0]].name} with ${percent(all[likeliest(all)[0]])}`;
    return `Most probable: ${told(values)}${moved ? ` (${told(typical)}, every feature at its mean)` : ", every feature at its mean"}`;
  }
  const told = values.slice(0, MOST).map((value, k) => `${data.outputs[k].name} ${figures(value, 4)}${moved ? ` (${figures(typical[k], 4)})` : ""}`);
  return `${data.mathematics.predicted}: ${told.join(", ")}; ${moved ? "in brackets " : ""}with every feature at its mean`;
}

/** What each input adds, as bars around zero. @param {Payload} data @param {State} state */
export function bars(data, state) {
  const { terms, value, typical } = predict(data, state);
  const most = Math.max(...terms.map((term) => Math.abs(term.amount))) || 1;
  const [names, low, high, width] = state.narrow ? [110, 170, 340, NARROW] : [160, 260, 700, 820];
  const x = scaleLinear().domain([-most, most]).range([low, high]);
  const unit = data.outputs[state.output]?.name ?? data.mathematics.eta ?? data.title;
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
  const frame = [words(x(0), 12, `what it adds to ${data.outputs.length ? "" : "the "}${shortened(unit, 24)}, against its mean`, { "text-anchor": "middle", fill: FAINT }), segment(x(0), 20, x(0), height, { stroke: INK })];
  return drawing({ id: "what_if", width, height, title, description }, [...frame, ...body]);
}
