/** Lasso, elastic nets and ridge on the same folds: how well each predicts held-out rows with so many features. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { beside, below } from "../axes.js";
import { entryOfKey, inColumns, percent } from "../panels.js";
import { COLOURS, DASHES, FAINT, INK, curve, drawing, element, figures, segment, through, words } from "../svg.js";
import { shownScore } from "./cv_curve.js";
import { BOTTOM, HEIGHT, LEFT, TOP, framed, leaves, rule, whole, widthOf } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload */
/** @typedef {import("../payload.js").Comparison} Comparison */

const ROW = 24; // of the key
const AIR = 0.05;
const NEAREST = 30; // pixels between two ticks

/** Places of numbers of features: close together where there are many, and none has a place, too. @param {number} count */
const spread = (count) => Math.log10(1 + count);

/** The best score with each number of features, fewest first. @param {import("../payload.js").Mix} mix @param {boolean} greater @returns {[number, number][]} */
export function frontier({ n_nonzero, mean }, greater) {
  /** @type {Map<number, number>} */
  const best = new Map();
  n_nonzero.forEach((count, l) => {
    const [score, known] = [mean[l], best.get(count)];
    if (score !== null && (known === undefined || (greater ? score > known : score < known))) best.set(count, score);
  });
  return [...best.entries()].sort((a, b) => a[0] - b[0]);
}

/** The look of a mix, the same in curve and key. @param {number} k */
const look = (k) => ({ stroke: COLOURS[k % COLOURS.length], "stroke-dasharray": DASHES[k % DASHES.length] });

/** @type {import("../payload.js").View} */
export const mixes = {
  id: "mixes",
  title: tr`Lasso, elastic net or ridge?`,
  missing: (data) => (data.comparison ? "" : tr`Only one penalty was fitted.`),
  draw(data, state) {
    const { mixes: all, null_mean, current } = /** @type {Comparison} */ (data.comparison);
    const { name, of } = shownScore(data);
    const greater = data.cv?.greater_is_better ?? false;
    const right = widthOf(state) - 24;
    const curves = all.map((mix) => frontier(mix, greater));
    const most = Math.max(1, ...all.flatMap(({ n_nonzero }) => n_nonzero));
    const nothing = of(null_mean);
    // what is worse than no features at all may leave the frame
    const seen = [...all.flatMap((mix) => [mix.mean[mix.best], mix.mean[mix.one_se]].map(of)), nothing].filter(Number.isFinite);
    const [low, high] = [Math.min(...seen), Math.max(...seen)];
    const air = AIR * (high - low) || 1;
    const x = scaleLinear().domain([0, spread(most)]).range([LEFT, right]);
    const y = scaleLinear().domain([low - air, high + air]).range([BOTTOM, TOP]);
    const inside = (/** @type {number} */ score) => Math.min(BOTTOM, Math.max(TOP, y(of(score))));
    const places = curves.map((points) => points.map(([count, score]) => /** @type {[number, number]} */ ([x(spread(count)), y(of(score))])));
    const columns = state.narrow ? [LEFT, LEFT + 170] : [LEFT, LEFT + 180, LEFT + 360, LEFT + 540];
    const rows = Math.ceil(all.length / columns.length);
    const here = data.cv?.mean[state.index] ?? NaN;
    const body = [
      beside(y, LEFT, right, tr`CV ${name}`),
      counts(x, most),
      Number.isFinite(nothing) ? segment(LEFT, y(nothing), right, y(nothing), { stroke: FAINT, "stroke-dasharray": "1 3", "stroke-width": 1.5 }) + words(right - 4, y(nothing) + 14, tr`without features`, { "text-anchor": "end", fill: FAINT }) : "",
      framed("mixes-frame", right, places.map((points, k) => curve(through(points), { ...look(k), "stroke-width": k === current ? 3.5 : 2 })).join("")),
      ...places.map((points, k) => departure(points, look(k).stroke)),
      ...all.map((mix, k) => marks(mix, x, inside, look(k).stroke)),
      Number.isFinite(of(here)) ? element("circle", { cx: x(spread(data.n_nonzero[state.index])), cy: inside(here), r: 10, fill: "none", stroke: INK, "stroke-width": 2 }) : "",
      inColumns(all.map((mix, k) => (across, down) => entryOfKey(across, down, mix.name, look(k))), columns, HEIGHT + ROW),
      words(LEFT, HEIGHT + ROW * (rows + 1), tr`● best lambda   ○ 1-SE   ◯ the model shown`, { fill: FAINT }),
    ];
    const sentence = describe(data, state);
    const frame = { id: "mixes", width: widthOf(state), height: HEIGHT + ROW * (rows + 2), title: tr`Error against number of features`, description: sentence };
    return { svg: drawing(frame, body), sentence, table: table(data) };
  },
};

/** Numbers of features along the bottom: none, powers of ten and three times these as far as they go, and the largest. @param {import("d3-scale").ScaleLinear<number, number>} x @param {number} most */
function counts(x, most) {
  const ticks = [0, 1, 3, ...[1, 2, 3, 4, 5, 6].flatMap((power) => [10 ** power, 3 * 10 ** power])].filter((count) => count === most || x(spread(most)) - x(spread(count)) > NEAREST).filter((count) => count <= most);
  if (!ticks.includes(most)) ticks.push(most);
  const places = new Map(ticks.map((count) => [spread(count), whole(count)]));
  const scale = Object.assign(x.copy(), { ticks: () => [...places.keys()] });
  return below(scale, BOTTOM, tr`features kept`, { format: (place) => places.get(place) ?? "" });
}

/** An arrow where a curve leaves the chart for good, if it does. @param {[number, number][]} points @param {string} colour */
function departure(points, colour) {
  const first = points.map(([, height]) => height >= TOP && height <= BOTTOM).lastIndexOf(true) + 1;
  if (first === 0 || first === points.length) return "";
  const [[x0, y0], [x1, y1]] = [points[first - 1], points[first]];
  const edge = y1 < TOP ? TOP : BOTTOM;
  return leaves(x0 + ((edge - y0) / (y1 - y0)) * (x1 - x0), edge, y1 < TOP, colour);
}

/** @param {import("../payload.js").Mix} mix @param {import("d3-scale").ScaleLinear<number, number>} x @param {(score: number) => number} y @param {string} colour */
function marks({ n_nonzero, mean, best, one_se }, x, y, colour) {
  const at = (/** @type {number} */ l, /** @type {string} */ fill) => {
    const score = mean[l];
    return score === null ? "" : element("circle", { cx: x(spread(n_nonzero[l])), cy: y(score), r: 5, fill, stroke: colour, "stroke-width": 2 });
  };
  return at(best, colour) + (one_se === best ? "" : at(one_se, "var(--card)"));
}

/** @param {Payload} data @param {import("../payload.js").State} state */
function describe(data, state) {
  const { mixes: all, current, null_mean } = /** @type {Comparison} */ (data.comparison);
  const { name, of } = shownScore(data);
  const mean = data.cv?.mean[state.index] ?? null;
  const most = null_mean === null ? NaN : best(data) - null_mean; // what the best model of all gains
  const gains = mean !== null && null_mean !== null && (data.cv?.greater_is_better ? most > 0 : most < 0);
  const share = !gains ? "" : tr`, ${percent(Math.max(0, (mean - null_mean) / most))} of what the best model of all gains over no features`;
  const kept = data.n_nonzero[state.index];
  return tr`All penalties were cross-validated on the same folds. This page shows ${all[current].name} at ${rule(data, state.index)} = ${figures(data.lambdas[state.index])}: ${kept === 1 ? tr`1 feature` : tr`${whole(kept)} features`}, CV ${name} ${figures(of(mean))}${share}.`;
}

/** The best mean score of all. @param {Payload} data */
function best(data) {
  const { mixes: all } = /** @type {Comparison} */ (data.comparison);
  const scores = all.map((mix) => mix.mean[mix.best] ?? NaN);
  return data.cv?.greater_is_better ? Math.max(...scores) : Math.min(...scores);
}

/** @param {Payload} data */
function table(data) {
  const { mixes: all, null_mean } = /** @type {Comparison} */ (data.comparison);
  const { name, of } = shownScore(data);
  const score = data.cv?.score ?? "";
  const rows = all.map((mix) => [mix.name, figures(of(mix.mean[mix.best])), whole(mix.n_nonzero[mix.best]), mix.loss === 0 ? tr`the best` : `${figures(mix.loss)} ± ${figures(mix.loss_se, 2)}`, figures(of(mix.mean[mix.one_se])), whole(mix.n_nonzero[mix.one_se])]);
  return { head: [tr`penalty`, tr`CV ${name} at its best`, tr`features`, tr`worse by (${score})`, tr`CV ${name} at 1-SE`, tr`features`], rows: [...rows, [tr`no features`, figures(of(null_mean)), "0", "", "", ""]] };
}
