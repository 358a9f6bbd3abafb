/** Where the rows lie on the sigmoid, how flat it is there, and what larger weights do to fitted and held-out rows. */
import { tr } from "../language.js";
import { scaleLinear, scaleLog } from "d3-scale";
import { STRENGTHS, below, beside, tick } from "../axes.js";
import { NEEDS_DATA, ONE_OUTPUT, bars, borrowed, boxOfKey, cursor, entryOfKey, hatching, heading, inColumns, known, lambdaScale, logTicks, nearest, note, percent, shortened, sized, whole } from "../panels.js";
import { COLOURS, DASHES, curve, drawing, element, figures, segment, through, words } from "../svg.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State @typedef {NonNullable<import("../payload.js").Evidence["margins"]>} Margins @typedef {NonNullable<import("../payload.js").Evidence["scaling"]>} Scaling */

const [FIRST, SECOND] = [COLOURS[1], COLOURS[0]];
const FLAT = 4.585; // |margin| beyond which the slope of the sigmoid is below 0.01

/** @param {number} margin */
const probability = (margin) => 1 / (1 + Math.exp(-margin));

/** @type {import("../payload.js").View} */
export const sigmoid = {
  id: "sigmoid",
  title: tr`The sigmoid: where the rows lie, and what larger weights do`,
  missing(data) {
    if (data.outputs.length) return ONE_OUTPUT;
    if (!data.mathematics.has_classes) return tr`The target is no pair of classes, so the model has no sigmoid that could go flat.`;
    return data.evidence?.margins ? "" : NEEDS_DATA;
  },
  draw(data, state) {
    const margins = /** @type {Margins} */ (data.evidence?.margins);
    const scaling = data.evidence?.scaling ?? null;
    const sentence = told(data, state, margins, scaling);
    const { width, style } = sized(state);
    const svg = drawing({ id: "sigmoid", width, style, height: state.narrow ? 1200 : 820, title: sigmoid.title, description: sentence }, [
      hatching("sigmoid-hatch", FIRST),
      histogram(data, state, margins),
      // side by side, or below one another
      element("g", { transform: state.narrow ? "translate(0 24)" : "" }, flatness(data, state, margins)),
      element("g", { transform: state.narrow ? "translate(-312 332)" : "" }, scaled(state, scaling)),
      scaling?.at.length ? keyOfScaled(state) : "",
    ]);
    return { svg, sentence, table: table(state, scaling, margins) };
  },
};

/** @param {Payload} data @param {State} state @param {Margins} margins */
function histogram(data, state, { edges, counts, negative }) {
  const { index, narrow } = state;
  const { right } = sized(state);
  const x = scaleLinear().domain(span(edges, index, counts, negative)).range([60, right]);
  const share = scaleLinear().domain([0, 1]).range([180, 50]);
  const margins = x.ticks(120);
  const line = (/** @type {(margin: number) => number} */ of) => through(margins.map((at) => [x(at), share(of(at))]));
  const most = Math.max(1, ...(counts[index] ?? []), ...(negative[index] ?? []));
  const up = scaleLinear().domain([0, most]).range([285, 205]);
  const down = scaleLinear().domain([0, most]).range([285, 365]);
  const [zero, one] = [0, 1].map((k) => shortened(data.classes[k] ?? String(k), narrow ? 8 : 20));
  const columns = narrow ? [60] : [60, 330];
  return [
    heading(60, 16, tr`Rows on the sigmoid`),
    flatZones(x),
    beside(share, 60, right, tr`probability`, { ticks: 3 }),
    curve(line(probability), { "stroke-width": 2.5 }),
    curve(line((at) => 4 * probability(at) * probability(-at)), { "stroke-dasharray": DASHES[2], "stroke-width": 2.5 }),
    entryOfKey(60, 38, tr`probability of ${one}`, { stroke: "var(--ink)" }),
    entryOfKey(narrow ? 236 : 330, 38, tr`its slope, times 4`, { stroke: "var(--ink)", "stroke-dasharray": DASHES[2] }),
    bars(edges, counts[index] ?? [], x, up, { fill: SECOND }),
    bars(edges, negative[index] ?? [], x, down, { fill: "url(#sigmoid-hatch)", stroke: FIRST, "stroke-width": 0.7 }),
    segment(60, 285, right, 285, { stroke: "var(--faint)" }),
    words(54, 212, whole(most), { "text-anchor": "end", fill: "var(--faint)" }) + words(54, 289, "0", { "text-anchor": "end", fill: "var(--faint)" }) + words(54, 366, whole(most), { "text-anchor": "end", fill: "var(--faint)" }),
    words(0, 0, tr`rows`, { "text-anchor": "middle", transform: "translate(14 285) rotate(-90)" }),
    below(x, 372, tr`margin: intercept + sum of coefficient × value`),
    inColumns([
      (at, line) => boxOfKey(at, line, tr`rows of class ${one} (up)`, { fill: SECOND }),
      (at, line) => boxOfKey(at, line, tr`rows of class ${zero} (down)`, { fill: "url(#sigmoid-hatch)", stroke: FIRST }),
      (at, line) => boxOfKey(at, line, tr`flat: the slope is below 0.01`, { fill: "var(--band)" }),
    ], columns, 436),
  ].join("");
}

const REACHES = [8, 12, 16, 24, 32, 48, 64, 96, 128];

/** The margins shown, on each side in steps as they grow, and at least those where the sigmoid rises. @param {number[]} edges @param {number} index @param {number[][]} counts @param {number[][]} negative */
function span(edges, index, counts, negative) {
  const used = edges.filter((_, k) => [k - 1, k].some((bin) => (counts[index]?.[bin] ?? 0) + (negative[index]?.[bin] ?? 0) > 0));
  const reach = (/** @type {number} */ far) => REACHES.find((step) => step >= far) ?? far;
  return [-reach(-Math.min(0, ...used)), reach(Math.max(0, ...used))];
}

/** @param {import("d3-scale").ScaleLinear<number, number>} x */
function flatZones(x) {
  const [low, high] = x.domain();
  return [[low, Math.min(high, -FLAT)], [Math.max(low, FLAT), high]]
    .filter(([from, to]) => to > from)
    .map(([from, to]) => element("rect", { x: x(from), y: 50, width: x(to) - x(from), height: 322, fill: "var(--band)" }))
    .join("");
}

/** @param {Payload} data @param {State} state @param {Margins} margins */
function flatness(data, { index }, { flat }) {
  const { scale, place } = lambdaScale(data.lambdas, [60, 290]);
  const top = Math.max(0.01, ...flat.filter(known));
  const y = scaleLinear().domain([0, top]).range([730, 530]).nice();
  const points = data.lambdas.map((lambda, k) => /** @type {[number, number]} */ ([place(lambda), known(flat[k]) ? y(flat[k]) : NaN]));
  const here = points[index];
  return [
    heading(60, 500, tr`Share of flat rows`),
    beside(y, 60, 290, tr`share of rows`, { ticks: 5, format: percent }),
    below(scale, 730, tr`lambda`, { format: logTicks(/** @type {[number, number]} */ (scale.domain())), ends: STRENGTHS }),
    curve(through(points), { stroke: COLOURS[0], "stroke-width": 2.5 }),
    cursor(here[0], 520, 730),
    known(here[1]) ? element("circle", { cx: here[0], cy: here[1], r: 5, fill: COLOURS[0] }) : "",
  ].join("");
}

/** Losses and gradient against the factor. @param {State} state @param {Scaling | null} scaling */
function scaled(state, scaling) {
  const title = heading(372, 500, tr`Weights × 0.1 … 10`);
  if (!scaling || scaling.at.length === 0) return title + note(485, 620, tr`not stored`);
  const { train, held, gradient } = curvesOf(state, scaling);
  const x = scaleLog().domain([scaling.factors[0], scaling.factors[scaling.factors.length - 1]]).range([372, 602]);
  const values = [...train, ...held, ...gradient].filter(known);
  const least = Math.min(...train.filter(known));
  // larger weights can cost so much that the rest of the picture would be flat: the scale ends at a few times the loss at factor 0.1
  const most = Math.min(Math.max(...values, 0.01), 2 * Math.max(train[0] ?? 1, least, Math.log(2)));
  const y = scaleLinear().domain([0, most]).range([730, 530]).nice();
  const clip = element("clipPath", { id: "sigmoid-clip" }, element("rect", { x: 372, y: 526, width: 230, height: 206 }));
  const path = (/** @type {(number | null)[]} */ of, /** @type {Record<string, string | number>} */ look) => curve(through(of.map((one, k) => [x(scaling.factors[k]), known(one) ? y(one) : NaN])), { "stroke-width": 2.5, ...look });
  return [
    title,
    clip,
    beside(y, 372, 602, "", { ticks: 5 }),
    below(x, 730, tr`factor of the weights`, { format: logTicks(/** @type {[number, number]} */ (x.domain())) }),
    element("g", { "clip-path": "url(#sigmoid-clip)" }, path(train, LOOKS[0]) + path(held, LOOKS[1]) + path(gradient, LOOKS[2])),
    cursor(x(state.scaling), 520, 730),
  ].join("");
}

/** @param {State} state */
function keyOfScaled({ narrow }) {
  const entries = [tr`loss, fitted rows`, tr`loss, held-out rows`, tr`mean |p − y|`].map((name, k) => (/** @type {number} */ x, /** @type {number} */ y) => entryOfKey(x, y, name, LOOKS[k]));
  return inColumns(entries, narrow ? [60] : [60, 240, 430], narrow ? 1130 : 796);
}

/** @type {Record<string, string>[]} */
const LOOKS = [{ stroke: COLOURS[0] }, { stroke: COLOURS[1], "stroke-dasharray": DASHES[1] }, { stroke: COLOURS[2], "stroke-dasharray": DASHES[2] }];

/** @param {State} state @param {Scaling} scaling */
function curvesOf({ index }, scaling) {
  const at = nearest(scaling.at, index);
  return { stored: scaling.at[at], train: scaling.train[at] ?? [], held: scaling.held_out[at] ?? [], gradient: scaling.gradient[at] ?? [] };
}

/** A curve between its points, which lie on a scale of logarithms. @param {number[]} factors @param {(number | null)[]} values @param {number} factor */
function between(factors, values, factor) {
  const next = factors.findIndex((one) => one >= factor * (1 - 1e-9));
  if (next < 0) return values[values.length - 1];
  const [low, high] = [values[next - 1], values[next]];
  if (next === 0 || !known(low) || !known(high)) return values[next];
  const share = Math.log(factor / factors[next - 1]) / Math.log(factors[next] / factors[next - 1]);
  return low + (high - low) * Math.min(1, share);
}

/** @param {Payload} data @param {State} state @param {Margins} margins @param {Scaling | null} scaling */
function told(data, state, margins, scaling) {
  const { index } = state;
  const flat = tr`At lambda = ${figures(data.lambdas[index])} ${percent(margins.flat[index])} of ${whole(data.n_rows)} rows lie where the sigmoid is flat (slope below 0.01), and the largest margin is ${figures(margins.largest[index])}.`;
  const honest = tr` A flat sigmoid alone does no harm here: with cross-entropy the gradient of a row is p − y, so a row that is wrong keeps its pull however flat the sigmoid is; what shows overfitting is the loss of held-out rows.`;
  return flat + (scaling && scaling.at.length ? factorTold(data, state, scaling) : "") + honest;
}

/** @param {Payload} data @param {State} state @param {Scaling} scaling */
function factorTold(data, state, scaling) {
  const { stored, train, held, gradient } = curvesOf(state, scaling);
  const at = (/** @type {(number | null)[]} */ of, /** @type {number} */ factor) => figures(between(scaling.factors, of, factor));
  const now = state.scaling;
  const none = held.every((one) => !known(one));
  const size = tr` Weights × ${tick(now)}: loss ${at(train, now)} on fitted rows${none ? "" : tr` and ${at(held, now)} on held-out rows`}, mean |p − y| ${at(gradient, now)}`;
  const compared = now === 1 ? "." : ` (× 1: ${at(train, 1)}${none ? "" : `, ${at(held, 1)}`}, ${at(gradient, 1)}).`;
  return size + compared + best(scaling.factors, held) + (none ? tr` No predictions of held-out rows were at hand.` : "") + borrowed(data.lambdas, stored, state.index);
}

/** @param {number[]} factors @param {(number | null)[]} held */
function best(factors, held) {
  let least = -1;
  held.forEach((one, k) => {
    if (known(one) && (least < 0 || one < Number(held[least]))) least = k;
  });
  return least < 0 ? "" : tr` Held-out rows are predicted best at × ${figures(factors[least])}.`;
}

/** @param {State} state @param {Scaling | null} scaling @param {Margins} margins @returns {import("../payload.js").Shown["table"]} */
function table(state, scaling, margins) {
  if (!scaling || scaling.at.length === 0) {
    return { head: [tr`margin from`, tr`to`, tr`rows of the second class`, tr`rows of the first`], rows: (margins.counts[state.index] ?? []).map((one, k) => [figures(margins.edges[k]), figures(margins.edges[k + 1]), one, margins.negative[state.index]?.[k] ?? 0]) };
  }
  const { train, held, gradient } = curvesOf(state, scaling);
  return { head: [tr`weights ×`, tr`loss, fitted rows`, tr`loss, held-out rows`, tr`mean |p − y|`], rows: scaling.factors.map((factor, k) => [figures(factor), figures(train[k]), figures(held[k]), figures(gradient[k])]) };
}
