/** What the features that count most do to the target, or to each class or target, as bars. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { note } from "../panels.js";
import { COLOURS, FAINT, INK, drawing, element, figures, segment, words } from "../svg.js";
import { MOST, drawn } from "./effect_bars.js";
import { SIDE_BY_SIDE, coefficientOf, kindOf } from "./outputs.js";
import { rule, shortened, widthOf } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State @typedef {import("../payload.js").Feature} Feature */

const LINE = 24;
const HEAD = 30;

/** @param {number} value */
const signed = (value) => (value > 0 ? `+${figures(value)}` : figures(value));

/** The outputs that are drawn: all, or where they are many the chosen one. @param {Payload} data @param {State} state */
const shown = ({ outputs }, { output }) => (outputs.length > SIDE_BY_SIDE ? [output] : outputs.map((_, k) => k));

/** The features that count most for these outputs. @param {Payload} data @param {State} state @param {number[]} outputs */
function largest(data, state, outputs) {
  const size = (/** @type {Feature} */ feature) => Math.hypot(...outputs.map((k) => coefficientOf(feature, k, state.index, data.standardize)));
  return data.features
    .map((feature) => ({ feature, size: size(feature) }))
    .filter((one) => one.size > 0)
    .sort((a, b) => b.size - a.size)
    .slice(0, MOST)
    .map((one) => one.feature);
}

/** @type {import("../payload.js").View} */
export const effects = {
  id: "effects",
  title: tr`What the features do`,
  missing: (data) => (data.features.length ? "" : tr`No feature is kept at any lambda.`),
  draw(data, state) {
    if (data.outputs.length === 0) return drawn(data, state, effects.title);
    const outputs = shown(data, state);
    const features = largest(data, state, outputs);
    const sentence = told(data, state, outputs, features);
    const value = (/** @type {Feature} */ feature, /** @type {number} */ k) => coefficientOf(feature, k, state.index, data.standardize);
    const head = [tr`feature`, ...outputs.map((k) => data.outputs[k].name)];
    const table = { head, rows: features.map((feature) => [feature.name, ...outputs.map((k) => signed(value(feature, k)))]) };
    return { svg: picture(data, state, outputs, features, sentence), sentence, table };
  },
};

/** @param {Payload} data @param {State} state @param {number[]} outputs @param {Feature[]} features @param {string} description */
function picture(data, state, outputs, features, description) {
  const width = widthOf(state);
  const names = state.narrow ? 104 : 150;
  const across = Math.min(outputs.length, state.narrow ? 2 : SIDE_BY_SIDE);
  const [wide, high] = [(width - names) / across, HEAD + LINE * Math.max(1, features.length) + 16];
  const most = outputs.map((k) => Math.max(...features.map((feature) => Math.abs(coefficientOf(feature, k, state.index, data.standardize))), 0));
  const written = wide > 125; // room for numbers beside the bars
  const body = outputs.map((k, at) => {
    const limit = (data.mathematics.has_classes ? Math.max(...most) : most[at]) || 1;
    const half = wide / 2;
    const x = scaleLinear().domain([-limit, limit]).range([written ? 46 : 8, wide - (written ? 46 : 8)]);
    const bars = features.map((feature, row) => bar(coefficientOf(feature, k, state.index, data.standardize), x, HEAD + LINE * row, written));
    const inside = words(half, 16, shortened(data.outputs[k].name, Math.floor(wide / 9.5)), { "text-anchor": "middle", "font-size": 14, "font-weight": 600 }) + segment(half, HEAD - 6, half, high - 16, { stroke: INK }) + bars.join("");
    return element("g", { transform: `translate(${names + (at % across) * wide} ${Math.floor(at / across) * high})` }, inside);
  });
  const rows = Math.ceil(outputs.length / across);
  const labels = Array.from({ length: rows }, (_, line) => features.map((feature, row) => words(names - 4, line * high + HEAD + LINE * row + 13, shortened(feature.name, Math.floor(names / 7.6)), { "text-anchor": "end" })));
  const nothing = features.length ? "" : note(width / 2, HEAD + 14, tr`no feature is kept at this lambda`);
  return drawing({ id: "effects", width, height: rows * high, title: effects.title, description }, [...labels.flat(), ...body, nothing]);
}

/** @param {number} value @param {import("d3-scale").ScaleLinear<number, number>} x @param {number} top @param {boolean} written */
function bar(value, x, top, written) {
  if (value === 0) return element("circle", { cx: x(0), cy: top + 9, r: 1.5, fill: FAINT });
  const [from, to] = [x(Math.min(0, value)), x(Math.max(0, value))];
  const number = written ? words(value < 0 ? from - 4 : to + 4, top + 13, signed(value), { "text-anchor": value < 0 ? "end" : "start", "font-size": 11 }) : "";
  return element("rect", { x: from, y: top, width: Math.max(to - from, 0.5), height: 18, fill: COLOURS[value < 0 ? 1 : 0] }) + number;
}

/** @param {Payload} data @param {State} state @param {number[]} outputs @param {Feature[]} features */
function told(data, state, outputs, features) {
  const at = tr`At ${rule(data, state.index)} = ${figures(data.lambdas[state.index])}`;
  const step = data.standardize ? tr`one standard deviation more of a feature` : tr`one unit more of a feature`;
  const does = data.mathematics.has_classes ? tr`speaks for a class (bar to the right) or against it (to the left)` : tr`adds to a ${kindOf(data)[0]} as much as its bar says, in the unit of the ${kindOf(data)[0]}`;
  if (features.length === 0) return tr`${at} no feature is kept.`;
  const most = outputs.map((k) => {
    const value = (/** @type {Feature} */ feature) => coefficientOf(feature, k, state.index, data.standardize);
    const first = features.reduce((best, feature) => (Math.abs(value(feature)) > Math.abs(value(best)) ? feature : best));
    return `${data.outputs[k].name}: ${value(first) === 0 ? tr`nothing` : `${first.name} (${signed(value(first))})`}`;
  });
  const own = data.mathematics.has_classes ? tr` Numbers add to the logarithm of a probability, and only differences between classes count.` : "";
  return tr`${at}, ${step} ${does}. Most for ${most.join(tr`; for `)}.${own}`;
}
