/** The coefficient paths of a few outputs: one small picture for each, over the same axes. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { entryOfKey, heading, inColumns, lambdaScale, logTicks } from "../panels.js";
import { COLOURS, DASHES, FAINT, INK, drawing, element, escape, figures, segment, through, words } from "../svg.js";
import { SIDE_BY_SIDE, coefficientOf } from "./outputs.js";
import { inFrame, shortened, widthOf } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State @typedef {import("d3-scale").ScaleLinear<number, number>} Linear */

const [LEFT, TOP] = [62, 34];
const LINE = 22; // of the key

/** Whether each output has a picture of its own. @param {Payload} data */
export const pictured = ({ outputs }) => outputs.length > 0 && outputs.length <= SIDE_BY_SIDE;

/** The pictures in rows, and the plot of each. @param {Payload} data @param {State} state */
function layout(data, state) {
  const count = data.outputs.length;
  const columns = state.narrow ? 1 : count === 4 ? 2 : Math.min(3, count);
  const [wide, high] = [widthOf(state) / columns, state.narrow ? 200 : 250];
  return { columns, wide, high, right: wide - 14, bottom: high - 34, rows: Math.ceil(count / columns) };
}

/** Where each lambda stands in a picture, and the axis below it. @param {Payload} data @param {State} state */
function across(data, state) {
  const { right, bottom } = layout(data, state);
  if (state.axis === "lambda") {
    const { scale, place } = lambdaScale(data.lambdas, [LEFT, right]);
    return { at: data.lambdas.map(place), axis: below(scale, bottom, "", { format: logTicks(/** @type {[number, number]} */ (scale.domain())) }), label: tr`lambda: stronger on the left, weaker on the right` };
  }
  const values = state.axis === "norm" ? data.norms : data.deviance_ratio.map((share) => 100 * share);
  const x = scaleLinear().domain([0, Math.max(...values) || 1]).range([LEFT, right]);
  const label = state.axis === "norm" ? tr`size of all coefficients together (sum of |coefficient| per SD)` : tr`% of the deviance explained on the fitted rows`;
  return { at: values.map((value) => x(value)), axis: below(x, bottom, "", { ticks: 4 }), label };
}

/** The scale of each picture: one for all classes, which compare; targets have units of their own. @param {Payload} data @param {State} state @returns {Linear[]} */
function heights(data, state) {
  const { bottom } = layout(data, state);
  const seen = inFrame(data, state.index);
  const values = data.outputs.map((_, k) => data.features.flatMap((feature) => seen.map((l) => coefficientOf(feature, k, l, state.per_sd))));
  const all = values.flat();
  return values.map((own) => {
    const shown = data.mathematics.has_classes ? all : own;
    const [low, high] = shown.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [0, 0]);
    const air = 0.05 * (high - low) || 1;
    return scaleLinear().domain([low - air, high + air]).range([bottom, TOP]);
  });
}

/** @param {number} rank @param {boolean} forward @returns {Record<string, string | number>} */
const look = (rank, forward) =>
  rank < 0 ? { stroke: FAINT, "stroke-width": forward ? 2 : 0.7 } : { stroke: COLOURS[rank % COLOURS.length], "stroke-width": forward ? 3.5 : 2, "stroke-dasharray": DASHES[Math.floor(rank / COLOURS.length) % DASHES.length] };

/**
 * The pictures and the key below them.
 * @param {Payload} data @param {State} state @param {number[]} named the features of the key @param {string} description
 */
export function pictures(data, state, named, description) {
  const { columns, wide, high, rows } = layout(data, state);
  const x = across(data, state);
  const scales = heights(data, state);
  const width = widthOf(state);
  const drawn = data.outputs.map((_, k) => element("g", { transform: `translate(${(k % columns) * wide} ${Math.floor(k / columns) * high})` }, picture(data, state, named, x, scales[k], k)));
  const places = state.narrow ? [16, 210] : [LEFT, LEFT + 190, LEFT + 380, LEFT + 570];
  const key = named.map((j, rank) => (/** @type {number} */ at, /** @type {number} */ line) => entryOfKey(at, line, shortened(data.features[j].name, state.narrow ? 19 : 20), look(rank, j === state.hovered)));
  const end = rows * high + 14;
  const body = [...drawn, words((LEFT + width) / 2, end, x.label, { "text-anchor": "middle" }), inColumns(key, places, end + LINE + 8)];
  const height = end + LINE * Math.ceil(named.length / places.length) + 24;
  return drawing({ id: "coefficients", width, height, title: tr`Coefficient paths`, description }, body);
}

/** @param {Payload} data @param {State} state @param {number[]} named @param {ReturnType<typeof across>} x @param {Linear} y @param {number} k */
function picture(data, state, named, x, y, k) {
  const { wide, right, bottom, columns } = layout(data, state);
  const lines = data.features.map((feature, j) => {
    const rank = named.indexOf(j);
    const quiet = state.hovered !== null ? j !== state.hovered : rank < 0 && state.filter.trim() !== "";
    const path = through(x.at.map((at, l) => [at, y(coefficientOf(feature, k, l, state.per_sd))]));
    return element("path", { d: path, fill: "none", ...look(rank, j === state.hovered), opacity: quiet ? 0.2 : undefined }, element("title", {}, escape(feature.name)));
  });
  const frame = element("clipPath", { id: `coefficients-frame-${k}` }, element("rect", { x: LEFT, y: TOP - 2, width: right - LEFT + 1, height: bottom - TOP + 4 }));
  return [
    beside(y, LEFT, right, k % columns === 0 ? tr`coefficient ${state.per_sd ? tr`per SD` : tr`per unit`}` : "", { ticks: 4 }),
    heading(LEFT, 14, shortened(data.outputs[k].name, Math.floor((wide - LEFT) / 9))),
    x.axis,
    segment(LEFT, y(0), right, y(0), { stroke: FAINT }),
    frame + element("g", { "clip-path": `url(#coefficients-frame-${k})` }, lines.reverse().join("")),
    rules(data, x.at, bottom),
    segment(x.at[state.index], TOP, x.at[state.index], bottom, { stroke: INK, "stroke-width": 1.5 }) + element("circle", { cx: x.at[state.index], cy: bottom, r: 4, fill: INK }),
  ].join("");
}

/** Dashed lines where the two rules choose, with their names above. @param {Payload} data @param {number[]} at @param {number} bottom */
function rules(data, at, bottom) {
  if (!data.cv) return "";
  const { best, one_se } = data.cv;
  const named = best === one_se ? [{ l: best, label: tr`best = 1-SE` }] : [{ l: one_se, label: tr`1-SE` }, { l: best, label: tr`best` }];
  return named
    .map(({ l, label }, k) => {
      const other = named[1 - k]?.l;
      const anchor = other === undefined || Math.abs(at[l] - at[other]) > 50 ? "middle" : at[l] < at[other] ? "end" : "start";
      return segment(at[l], TOP - 2, at[l], bottom, { stroke: INK, "stroke-dasharray": "4 3" }) + words(at[l], TOP - 6, label, { "text-anchor": anchor, "font-size": 11 });
    })
    .join("");
}

/** What is nearest to a place in the drawing: the index of lambda, and the curve if one is near. @param {Payload} data @param {State} state @param {number} right @param {number} down @returns {{ index: number, feature: number | null }} */
export function nearestInPictures(data, state, right, down) {
  const { columns, wide, high, bottom } = layout(data, state);
  const [column, row] = [Math.min(columns - 1, Math.floor(right / wide)), Math.floor(down / high)];
  const [px, py, k] = [right - column * wide, down - row * high, row * columns + column];
  const { at } = across(data, state);
  const index = at.reduce((best, place, l) => (Math.abs(place - px) < Math.abs(at[best] - px) ? l : best), 0);
  if (k >= data.outputs.length) return { index: state.index, feature: null };
  if (px < LEFT || py < TOP || py > bottom) return { index, feature: null };
  const y = heights(data, state)[k];
  let [feature, closest] = [/** @type {number | null} */ (null), 14];
  data.features.forEach((one, j) => {
    const away = Math.abs(y(coefficientOf(one, k, index, state.per_sd)) - py);
    if (away < closest && coefficientOf(one, k, index, true) !== 0) [feature, closest] = [j, away];
  });
  return { index, feature };
}

/** The coefficients at this lambda, a column for each output. @param {Payload} data @param {State} state */
export function tableOf(data, state) {
  const head = [tr`feature`, ...data.outputs.map((one) => one.name)];
  return { head, rows: data.features.map((feature) => [feature.name, ...data.outputs.map((_, k) => figures(coefficientOf(feature, k, state.index, state.per_sd)))]) };
}
