/** What the features that count most do to the one target of a model, as signed bars. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { atEnds } from "../axes.js";
import { note } from "../panels.js";
import { COLOURS, FAINT, INK, drawing, element, figures, segment, words } from "../svg.js";
import { isLevel, stepOf } from "./columns.js";
import { rule, shortened, whole, widthOf } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State @typedef {{ name: string, value: number, step: number, unit: number, level: boolean, range: [number, number] | null }} Effect a coefficient per SD with its range over samples, and what a step and a unit of its feature add */

export const MOST = 12;
const [HEAD, LINE] = [26, 25];

/** The coefficients that count most, per SD where the penalty is. @param {Payload} data @param {number} index @returns {Effect[]} */
export function largest(data, index) {
  const { ranges } = data;
  const place = ranges?.at.indexOf(index) ?? -1; // ranges of other lambdas are not those of these bars
  /** @type {(j: number) => [number, number] | null} */
  const rangeOf = (j) => (ranges && place >= 0 ? [ranges.low[place][j], ranges.high[place][j]] : null);
  return data.features
    .map(({ name, coefs, scale }, j) => ({ name, value: coefs[index] * (data.standardize ? scale : 1), step: coefs[index] * stepOf(data, j), unit: coefs[index], level: isLevel(data, j), range: rangeOf(j) }))
    .filter(({ value }) => value !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, MOST);
}

/** @param {number} value */
const signed = (value) => (value > 0 ? `+${figures(value)}` : figures(value));

/** What a bar to the right stands for: more of what. @param {Payload} data */
export function subject({ classes, title, mathematics }) {
  if (!mathematics.has_classes) return title;
  const label = classes[1] ?? "1";
  return /^(-?[\d.]+|true|false)$/iu.test(label) ? `${title} = ${label}` : `“${label}”`;
}

/** @param {Payload} data @returns {[string, string]} */
const directions = (data) => data.mathematics.of_times ? [tr`event later`, tr`event sooner`] : (data.mathematics.has_classes ? [tr`less often ${subject(data)}`, tr`more often ${subject(data)}`] : [tr`less ${data.title}`, tr`more ${data.title}`]);

/** Whether held-out rows are predicted no better than without features at any lambda: bars would be of chance alone. @param {Payload} data */
function findsNothing({ cv }) {
  const score = cv?.mean[cv.best] ?? null;
  if (!cv || score === null || cv.null_score === null) return false;
  return cv.greater_is_better ? score <= cv.null_score : score >= cv.null_score;
}

/** The bars at this lambda with their sentence and table. @param {Payload} data @param {State} state @param {string} title @returns {import("../payload.js").Shown} */
export function drawn(data, state, title) {
  const effects = findsNothing(data) ? [] : largest(data, state.index);
  const sentence = told(data, state.index, effects);
  const { factor } = data.mathematics;
  const unit = data.standardize ? tr`per SD` : tr`per unit`;
  const both = data.mathematics.of_times && data.standardize;
  const head = [tr`feature`, unit, ...(factor ? [`${factor} ×`] : []), ...(both ? [`${factor} × / ${tr`unit`}`] : [])];
  const rows = effects.map(({ name, value, step, unit }) => [name, signed(value), ...(factor ? [figures(Math.exp(step))] : []), ...(both ? [figures(Math.exp(unit), 4)] : [])]);
  return { svg: picture(data, state, effects, title, sentence), sentence, table: { head, rows } };
}

/** @param {Payload} data @param {State} state @param {Effect[]} effects @param {string} title @param {string} description */
function picture(data, state, effects, title, description) {
  const width = widthOf(state);
  const { factor } = data.mathematics;
  const [names, end] = state.narrow ? [118, width - (factor ? 62 : 6)] : [210, width - (factor ? 96 : 10)];
  const room = 10 + 7 * Math.max(0, ...effects.map(({ value }) => signed(value).length)); // for numbers beside the bars
  const [low, high] = [names + room + 6, end - room];
  const ends = effects.flatMap(({ value, range }) => [value, ...(range ?? [])]);
  const [least, most] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const [negative, positive] = [least < 0, most > 0];
  const x = scaleLinear().domain(negative || positive ? [least, most] : [0, 1]).range([negative ? low : names + 8, positive ? high : end - 8]);
  const height = HEAD + LINE * Math.max(1, effects.length) + 8;
  const brief = data.mathematics.of_times ? [tr`later`, tr`sooner`] : [tr`less`, tr`more`];
  const [less, more] = state.narrow ? brief : directions(data).map((text) => shortened(text, 30));
  return drawing({ id: "effects", width, height, title, description }, [
    effects.length ? atEnds(names + 8, end, 14, [negative ? `← ${less}` : "", positive ? `${more} →` : ""]) : note(width / 2, HEAD + 14, findsNothing(data) ? tr`no effect was found` : tr`no feature is kept at this lambda`),
    factor && effects.length ? words(width, 14, factor, { fill: FAINT, "text-anchor": "end" }) : "",
    ...effects.map((effect, k) => row(data, effect, x, HEAD + LINE * k, names, width, state.narrow)),
    effects.length ? segment(x(0), HEAD - 4, x(0), height - 6, { stroke: INK }) : "",
  ]);
}

/** @param {Payload} data @param {Effect} effect @param {import("d3-scale").ScaleLinear<number, number>} x @param {number} top @param {number} names @param {number} width @param {boolean} narrow */
function row(data, { name, value, step, range }, x, top, names, width, narrow) {
  const [from, to] = [x(Math.min(0, value)), x(Math.max(0, value))];
  return [
    words(names, top + 13, shortened(name, Math.floor(names / (narrow ? 7.2 : 7))), { "text-anchor": "end" }),
    element("rect", { x: from, y: top, width: Math.max(to - from, 0.5), height: 18, rx: 2, fill: COLOURS[value < 0 ? 1 : 0] }),
    range ? whisker(x(range[0]), x(range[1]), top + 9) : "",
    words(value < 0 ? Math.min(from, x(range?.[0] ?? value)) - 4 : Math.max(to, x(range?.[1] ?? value)) + 4, top + 13, signed(value), { "text-anchor": value < 0 ? "end" : "start" }),
    data.mathematics.factor ? words(width, top + 13, `× ${figures(Math.exp(step))}`, { "text-anchor": "end", fill: FAINT }) : "",
  ].join("");
}

/** @param {number} low @param {number} high @param {number} y */
const whisker = (low, high, y) => segment(low, y, high, y, { stroke: INK, "stroke-width": 1.5 }) + [low, high].map((end) => segment(end, y - 4, end, y + 4, { stroke: INK, "stroke-width": 1.5 })).join("");

/** @param {Payload} data @param {number} index @param {Effect[]} effects */
function told(data, index, effects) {
  const at = tr`At ${rule(data, index)} = ${figures(data.lambdas[index])}`;
  if (findsNothing(data)) return tr`Held-out rows are predicted no better with features than without: there is no effect to draw. The coefficients stand in the table of features.`;
  if (effects.length === 0) return tr`${at} no feature is kept: the model predicts the same for every row.`;
  const [less, more] = directions(data);
  const side = (/** @type {number} */ sign) => {
    const first = effects.filter(({ value }) => value * sign > 0).slice(0, 3);
    const named = (/** @type {boolean} */ level) => first.filter((one) => one.level === level).map(({ name }) => shortened(name, 40)).join(", ");
    return [named(false) && tr`larger ${named(false)}`, named(true)].filter(Boolean).join(", ");
  };
  const parts = [1, -1].flatMap((sign) => (side(sign) ? [`${side(sign)}: ${sign > 0 ? more : less}`] : []));
  if (effects[0].value < 0) parts.reverse(); // the largest first
  const { factor, eta } = data.mathematics;
  const [first] = effects;
  const name = shortened(first.name, 40);
  const what = factor ? tr`multiplies the ${factor} by ${figures(Math.exp(first.step))}` : tr`changes the prediction by ${signed(first.step)}`;
  const alone = first.level ? tr`${name} ${what}, all else equal` : data.standardize ? tr`One standard deviation more of ${name} ${what}, all else equal` : tr`One unit more of ${name} ${what}, all else equal`;
  const count = data.l1_ratio === 0 ? data.n_features : data.n_nonzero[index];
  const rest = count > effects.length ? tr` Drawn are the ${whole(effects.length)} largest of ${whole(count)}.` : "";
  const whiskers = first.range && data.ranges ? tr` Whiskers: the middle ${Math.round(100 * data.ranges.middle)} % of ${whole(data.ranges.n_fits)} samples of the rows.` : "";
  return tr`${at}, ${parts.join("; ")}. ${alone} (bars: ${factor ? tr`the ${eta}` : data.title} ${data.standardize ? tr`per SD` : tr`per unit`}).${whiskers}${rest}`;
}
