/** The prediction for a row that the reader makes, and how far held-out rows with such a prediction were from it. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { meanAt, meansAt } from "../mathematics.js";
import { NARROW, known, whole } from "../panels.js";
import { COLOURS, FAINT, INK, drawing, element, figures, segment, words } from "../svg.js";
import { coefAt, coefOfOutput } from "./columns.js";
import { storedOf } from "./outputs.js";
import { shortened } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload */
/** @typedef {import("../payload.js").State} State */
/** @typedef {import("../payload.js").Column} Column */

export const FIRST = 8; // columns that are asked for, before all others
const MOST = 12; // outputs, and bars

/** The columns that can be set, those that count most first. @param {Payload} data @returns {number[]} */
export const asked = (data) => [...data.columns.keys()].filter((c) => data.columns[c].settable);

/** Whether a prediction can be made from the page: what a row starts from is only known where the data were at hand. @param {Payload} data */
export const ready = (data) => (data.outputs.length ? data.outputs.every((one) => one.rest !== null) : data.rest !== null) && asked(data).length > 0;

/** Whether there are columns that count somewhere, and cannot be set. @param {Payload} data */
export function someFixed(data) {
  const kept = (/** @type {number | null} */ place) => place !== null && (data.features[place]?.coefs.some((coef) => coef !== 0) ?? true);
  return !data.others_complete || data.columns.some((column) => !column.settable && [column.number, ...column.places].some(kept));
}

/** Where a column starts: a number at its middle value, a text at its commonest. @param {Column} column @returns {number} */
export function startOf({ is_number, range, n_rows }) {
  if (is_number) return range?.[1] ?? 0;
  return n_rows ? n_rows.indexOf(Math.max(...n_rows)) : 0;
}

/** What a column is set to, in words. @param {Column} column @param {number | "missing" | undefined} input */
export function named(column, input) {
  if (column.is_number) return input === "missing" ? `${column.name}: ${column.levels[0]}` : column.name;
  return `${column.name}: ${column.levels[Number(input ?? startOf(column))]}`;
}

/** What a column adds to the linear predictor. @param {Payload} data @param {Column} column @param {number | "missing"} input @param {number} output @param {number} index */
function added(data, column, input, output, index) {
  const coef = (/** @type {number | null} */ place) => (place === null ? 0 : data.outputs.length ? coefOfOutput(data, place, output, index) : coefAt(data, place, index));
  if (input === "missing") return (column.fill ?? 0) * coef(column.number) + coef(column.places[0]);
  return column.is_number ? input * coef(column.number) : coef(column.places[input]);
}

/**
 * @param {Payload} data @param {State} state
 * @returns {{ eta: number, value: number, typical: number, terms: { name: string, amount: number }[] }} `typical` with every column at its start; the terms are those of columns that are not
 */
export function predict(data, state) {
  const { index, output, inputs } = state;
  let eta = (data.outputs.length ? data.outputs[output].rest?.[index] : data.rest?.[index]) ?? 0;
  let start = eta;
  const terms = [];
  for (const c of asked(data)) {
    const column = data.columns[c];
    const [now, before] = [inputs[c] ?? startOf(column), startOf(column)].map((input) => added(data, column, input, output, index));
    eta += now;
    start += before;
    if ((inputs[c] ?? startOf(column)) !== startOf(column)) terms.push({ name: named(column, inputs[c]), amount: now - before });
  }
  return { eta, value: meanAt(data.mathematics, eta), typical: meanAt(data.mathematics, start), terms };
}

/**
 * The predictions of all outputs; `typical` with every column at its start.
 * @param {Payload} data @param {State} state @returns {{ values: number[], typical: number[] }}
 */
export function predictAll(data, state) {
  const [etas, starts] = [state, { ...state, inputs: {} }].map((one) => data.outputs.map((_, output) => predict(data, { ...one, output }).eta));
  return { values: meansAt(data.mathematics, etas), typical: meansAt(data.mathematics, starts) };
}

/** The classes to tell of: the most probable. @param {number[]} values */
export const likeliest = (values) => values.map((_, k) => k).sort((a, b) => values[b] - values[a]);

/** @param {number} share */
const percent = (share) => tr`${figures(100 * share, share >= 0.9995 ? 4 : 3)} %`;

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
  const frame = [words(x(0), 12, state.narrow ? tr`dashed: at the start` : tr`probability; dashed: at the start`, { fill: FAINT }), segment(x(0), 20, x(0), height, { stroke: INK })];
  const description = shown.map((k) => `${data.outputs[k].name} ${percent(values[k])}`).join(", ");
  return drawing({ id: "what_if", width, height, title: tr`Probability of each class`, description }, [...frame, ...body]);
}

/** The predictions in words: the most probable class, or the number of each target. @param {Payload} data @param {State} state */
export function inWords(data, state) {
  const { values, typical } = predictAll(data, state);
  const moved = Object.keys(state.inputs).length > 0;
  if (data.mathematics.has_classes) {
    const told = (/** @type {number[]} */ all) => tr`“${data.outputs[likeliest(all)[0]].name}” with ${percent(all[likeliest(all)[0]])}`;
    return tr`Most probable: ${told(values)}${moved ? tr` (at the start ${told(typical)})` : ""}`;
  }
  const told = values.slice(0, MOST).map((value, k) => `${data.outputs[k].name} ${figures(value, 4)}${moved ? tr` (at the start ${figures(typical[k], 4)})` : ""}`);
  return `${data.mathematics.predicted}: ${told.join(", ")}`;
}

/** What each input adds, as bars around zero. @param {Payload} data @param {State} state */
export function bars(data, state) {
  const { terms: all, value, typical } = predict(data, state);
  const terms = [...all].sort((a, b) => Math.abs(b.amount) - Math.abs(a.amount)).slice(0, MOST);
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
  const title = tr`What each input adds`;
  const description = tr`Prediction ${figures(value, 4)}; ${figures(typical, 4)} at the start.`;
  const caption = state.narrow ? { x: width, "text-anchor": "end" } : { x: x(0), "text-anchor": "middle" }; // no room on either side of 0
  const frame = [words(x(0), 12, data.outputs.length ? tr`what it adds to ${shortened(unit, 24)}, against the start` : tr`what it adds to the ${shortened(unit, 24)}, against the start`, { ...caption, fill: FAINT }), segment(x(0), 20, x(0), height, { stroke: INK })];
  return drawing({ id: "what_if", width, height, title, description }, [...frame, ...body]);
}

/**
 * How far the targets of held-out rows with a prediction like this one were spread; "" where that is not known.
 * @param {Payload} data @param {State} state
 */
export function spread(data, state) {
  if (data.outputs.length) return data.mathematics.has_classes ? spreadOfClasses(data, state) : spreadOfTargets(data, state);
  const part = data.evidence?.held_out ? data.evidence.calibration : null;
  const { value } = predict(data, state);
  if (part) return toldOf(data, part, state.index, value, data.classes[1] ?? "1");
  return data.cv?.by_root ? tr`Held-out rows were off by ${figures(Math.sqrt(data.cv.mean[state.index]))} (root mean squared error).` : "";
}

/**
 * The held-out rows whose predictions are nearest to one.
 * @param {Payload} data @param {import("../payload.js").Calibration} part @param {number} place @param {number} value @param {string} name of the class
 */
function toldOf(data, part, place, value, name) {
  const groups = part.predicted[place].flatMap((one, k) => (known(one) && known(part.observed[place][k]) ? [{ k, predicted: one }] : []));
  if (groups.length === 0) return "";
  const { k, predicted } = groups.reduce((best, one) => (Math.abs(one.predicted - value) < Math.abs(best.predicted - value) ? one : best));
  const who = (/** @type {string} */ mean) => tr`Of the ${whole(part.counts[place][k])} held-out rows with the nearest predictions (${mean} on average), `;
  if (data.mathematics.has_classes) return tr`${who(percent(predicted))}${percent(part.observed[place][k] ?? NaN)} were “${name}”.`;
  const [low, high] = part.spans?.[place]?.[k] ?? [];
  return known(low) && known(high) ? tr`${who(figures(predicted))}8 in 10 lay between ${told(low)} and ${told(high)}.` : "";
}

/** @param {number} value of a target, which may be a count */
const told = (value) => (Number.isInteger(value) ? whole(value) : figures(value));

/** The same for the most probable class. @param {Payload} data @param {State} state */
function spreadOfClasses(data, state) {
  const { values } = predictAll(data, state);
  const [output] = likeliest(values);
  const stored = storedOf(data, { ...state, output }, "calibration");
  return stored ? `${toldOf(data, stored.part, stored.place, values[output], stored.name)}${stored.note}` : "";
}

/** The typical error of each target. @param {Payload} data @param {State} state */
function spreadOfTargets(data, { index }) {
  const found = data.evidence?.outputs?.errors;
  if (!found) return "";
  const each = data.outputs.slice(0, MOST).map(({ name }, k) => `${name} ${figures(found.rmse[k][index])}`);
  return tr`Held-out rows were off by (root mean squared error): ${each.join(", ")}.`;
}
