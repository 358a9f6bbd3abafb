/** What the model leaves unexplained: the distribution of target minus prediction. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { NEEDS_DATA, bars, boxOfKey, entryOfKey, inColumns, known, note, sized } from "../panels.js";
import { storedOf } from "./outputs.js";
import { COLOURS, drawing, element, figures, segment } from "../svg.js";

/** @typedef {import("../payload.js").Residuals} Residuals */

const [LEFT, TOP, BOTTOM] = [70, 54, 300];
const POINTS = [5, 25, 50, 75, 95].map((share) => tr`${share} %`);

/** @type {import("../payload.js").View} */
export const residuals = {
  id: "residuals",
  title: tr`Residuals: what the model leaves unexplained`,
  missing(data) {
    if (data.mathematics.has_classes) return tr`A pair of classes has no residuals that a histogram would show; see “Predicted and observed”.`;
    return data.evidence?.residuals || data.evidence?.outputs?.residuals ? "" : NEEDS_DATA;
  },
  draw(data, state) {
    const { part, place, name, note } = /** @type {NonNullable<ReturnType<typeof storedOf<"residuals">>>} */ (storedOf(data, state, "residuals"));
    const quantiles = part.quantiles[place] ?? [];
    const rows = data.evidence?.held_out ? tr`held-out rows` : tr`rows of the fit`;
    const sentence = (name ? `${name}. ` : "") + told(data.lambdas[state.index], quantiles, rows) + note;
    return { svg: picture(part, state, place, sentence, rows), sentence, table: table(part, place) };
  },
};

/** @param {Residuals} stored @param {import("../payload.js").State} state @param {number} index of what is stored @param {string} description @param {string} rows */
function picture({ edges, counts, quantiles }, state, index, description, rows) {
  const { width, right, style } = sized(state);
  const here = counts[index] ?? [];
  const most = Math.max(1, ...counts.flat().filter(known));
  const x = scaleLinear().domain(filled(edges, here)).range([LEFT, right]);
  const y = scaleLinear().domain([0, most]).range([BOTTOM, TOP]).nice();
  return drawing({ id: "residuals", width, style, height: state.narrow ? 416 : 392, title: residuals.title, description }, [
    beside(y, LEFT, right, rows),
    bars(edges, here, x, y, { fill: COLOURS[0] }),
    segment(x(0), TOP - 8, x(0), BOTTOM, { stroke: "var(--ink)", "stroke-dasharray": "2 3", "stroke-width": 1.5 }),
    here.some((one) => one > 0) ? spread(quantiles[index] ?? [], x) : note((LEFT + right) / 2, 150, tr`no residuals are stored at this lambda`),
    below(x, BOTTOM, tr`residual: observed − predicted`, { ticks: state.narrow ? 4 : 6 }),
    inColumns([
      (at, line) => entryOfKey(at, line, tr`middle 90 %`, { stroke: COLOURS[1] }),
      (at, line) => boxOfKey(at, line, tr`middle half, with the median`, { fill: "var(--card)", stroke: COLOURS[1], "stroke-width": 2 }),
    ], state.narrow ? [LEFT] : [LEFT, 230], 376),
  ]);
}

/** From the first bin with rows to the last, and 0 between them. @param {number[]} edges @param {number[]} counts @returns {[number, number]} */
function filled(edges, counts) {
  const used = edges.filter((_, k) => (counts[k - 1] ?? 0) + (counts[k] ?? 0) > 0);
  return used.length ? [Math.min(0, used[0]), Math.max(0, used[used.length - 1])] : [edges[0] ?? -1, edges[edges.length - 1] ?? 1];
}

/** The quantiles as a box with whiskers above the histogram. @param {(number | null)[]} quantiles @param {(at: number) => number} x */
function spread(quantiles, x) {
  const [q5, q25, q50, q75, q95] = quantiles;
  if (!known(q5) || !known(q25) || !known(q50) || !known(q75) || !known(q95)) return "";
  const look = { stroke: COLOURS[1], "stroke-width": 2.5 };
  return [
    segment(x(q5), 26, x(q95), 26, look),
    element("rect", { x: x(q25), y: 16, width: Math.max(1, x(q75) - x(q25)), height: 20, fill: "var(--card)", ...look }),
    segment(x(q50), 16, x(q50), 36, look),
  ].join("");
}

/** @param {number} lambda @param {(number | null)[]} quantiles @param {string} rows */
function told(lambda, quantiles, rows) {
  const [q5, q25, q50, q75, q95] = quantiles;
  const start = tr`At lambda = ${figures(lambda)}, for ${rows}: `;
  if (!known(q50)) return tr`${start}no residuals are stored.`;
  return tr`${start}half of the residuals lie between ${figures(q25)} and ${figures(q75)}, nine in ten between ${figures(q5)} and ${figures(q95)}; their median is ${figures(q50)}.`;
}

/** @param {Residuals} stored @param {number} index */
const table = ({ quantiles }, index) => ({ head: [tr`share of rows below`, tr`residual`], rows: POINTS.map((point, k) => [point, figures(quantiles[index]?.[k])]) });
