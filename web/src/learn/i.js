/** i: lasso, two mixes and ridge on the same rows held out. */
import { tr } from "../language.js";
import { scaleLinear, scaleLog } from "d3-scale";
import { below, beside } from "../axes.js";
import { whole } from "../panels.js";
import { COLOURS, DASHES, FAINT, curve, element, figures, segment, through, words } from "../svg.js";
import { inTwoParts, markOf } from "./lesson.js";
import * as m from "./mathml.js";
import { cursor } from "./plane.js";

/**
 * @typedef {object} Mix
 * @property {number} l1_ratio
 * @property {number[]} lambdas
 * @property {number[]} n features kept at each lambda
 * @property {number[]} errors on rows held out
 * @property {number} loss how much worse its best lambda is than the best of all mixes, mean over the folds
 * @property {number} loss_se standard error of that mean
 *
 * @typedef {object} Table
 * @property {string} name
 * @property {number} n_rows
 * @property {number} [n_all] of which the rows are a sample, where there are more
 * @property {number} n_features
 * @property {number} n_folds
 * @property {string} error what the errors are
 * @property {number} null error without features
 * @property {number} null_loss how much worse that is than the best of all
 * @property {number} null_loss_se
 * @property {Mix[]} mixes
 *
 * @typedef {{ tasks: number, data_sets: string[], ridge: number, lasso: number, unclear: number, mix: number }} Counted
 * @typedef {{ tables: Table[], counted: Counted }} Data
 */

const FINEST = 60; // with more features the slider takes steps that grow

/** @type {import("./lesson.js").Lesson} */
export const i = {
  id: "i",
  title: tr`L1, L2 or a mix: which one?`,
  text: (/** @type {Data} */ { counted }) => [
    tr`The penalties cannot say which of them is better: it depends on the data. Where few features matter, L1 finds them and leaves the chance of the others out. Where many matter a little, or say much the same, L2 or a mix loses less. So let rows decide that were not fitted: fit all of them, hold out the same folds for each, and compare the errors fold by fold.`,
    tr`It is often said that L2 usually gives better results. Counted over ${counted.tasks} tasks, made of the data sets that come with scikit-learn (${counted.data_sets.join(", ")}; with all rows and with few): ridge was better than the lasso in ${counted.ridge}, the lasso better than ridge in ${counted.lasso}, and in ${counted.unclear} the difference was within one standard error. In ${counted.mix} of them a mix of both had the least error of all. Neither is the safe choice; to compare them is.`,
    tr`There is a second question: how many features may the model have? Who must measure them, or explain them, may give up a little error for a short list. Each curve shows the least error of one mix with so many features. Ridge keeps all of them at every lambda, so it is a single point.`,
  ],
  formulas: [m.formula(m.text(tr`worse by\u2002`), m.frac(m.mn("1"), m.mi("K")), m.sum("k", m.row(m.mo("("), m.sub(m.text(tr`error`), m.mi("k")), m.mo("−"), m.sub(m.text(tr`least error`), m.mi("k")), m.mo(")"))), m.text(tr`, over K folds`))],
  careful: tr`Differences fold by fold are known better than the errors themselves, since a fold that is hard for one model is hard for all. A difference of less than its standard error decides nothing: take the model with fewer features then, or the one you can explain. The strength of each mix, and the best of them, were chosen by the same folds, so the least error is a little too good; rows that had no part in the choice would tell (normball fit --holdout).`,
  controls: (/** @type {Data} */ { tables }) => [
    ...(tables.length > 1 ? [{ id: "table", label: tr`data`, min: 0, max: tables.length - 1, step: 1, value: 0, choices: tables.map(({ name }) => name) }] : []),
    { id: "most", label: tr`features at most`, min: 0, max: stops(tables[0].n_features).length - 1, step: 1, value: Math.round(0.3 * (stops(tables[0].n_features).length - 1)), ends: [tr`few`, tr`all`], show: (v) => whole(stops(tables[0].n_features)[v]) },
  ],
  draw(/** @type {Data} */ data, values) {
    const table = data.tables[values.table ?? 0];
    const counts = stops(table.n_features);
    const most = counts[Math.min(values.most, counts.length - 1)];
    const within = table.mixes.map((mix) => leastWithin(mix, most));
    const sentence = forPrediction(table) + (Math.min(...table.mixes.map((mix) => mix.errors[bestOf(mix)])) < table.null ? ` ${forAList(table, within, most)}` : "");
    const frame = { id: "lesson-i", width: 820, height: 400, title: i.title, description: sentence };
    return {
      svg: inTwoParts(frame, [curves(table, within, most)], [losses(table)], values, { height: 345 }),
      sentence,
      table: {
        head: [tr`penalty`, tr`lambda`, tr`features`, table.error, tr`worse by`, tr`standard error`, tr`error with at most ${whole(most)} features`],
        rows: table.mixes.map((mix, k) => {
          const best = bestOf(mix);
          return [nameOf(mix), figures(mix.lambdas[best]), whole(mix.n[best]), figures(mix.errors[best]), figures(mix.loss), figures(mix.loss_se), figures(within[k]?.error)];
        }).concat([[tr`no features`, "", "0", figures(table.null), "", "", figures(table.null)]]),
      },
      numbers: { most, best: table.mixes.map((mix) => mix.errors[bestOf(mix)]), kept: table.mixes.map((mix) => mix.n[bestOf(mix)]), within: within.map((one) => one && { error: one.error, n: one.n }), null: table.null, counted: data.counted },
    };
  },
  quiz: {
    question: tr`Two models were compared on the same ten folds. One has the smaller mean error, by less than the standard error of the difference. Which is better?`,
    answers: [tr`The one with the smaller error`, tr`The folds do not tell`, tr`The one with more features`],
    right: 1,
    why: tr`Other folds might turn the order round. Where the data cannot tell, take the one that costs less: fewer features, or the one that is easier to explain.`,
  },
};

/** Where the slider stops. @param {number} p */
const stops = (p) => (p <= FINEST ? Array.from({ length: p }, (_, k) => k + 1) : [...new Set(Array.from({ length: FINEST }, (_, k) => Math.round(p ** (k / (FINEST - 1)))))]);

/** @param {Mix} mix */
const nameOf = ({ l1_ratio }) => (l1_ratio === 1 ? tr`lasso` : l1_ratio === 0 ? tr`ridge` : tr`elastic net ${l1_ratio}`);

/** @param {Mix} mix */
const bestOf = ({ errors }) => errors.indexOf(Math.min(...errors));

/** The least error of a mix with so many features; null where it cannot have so few. @param {Mix} mix @param {number} most */
function leastWithin(mix, most) {
  const places = mix.n.flatMap((n, k) => (n > 0 && n <= most ? [k] : []));
  if (!places.length) return null;
  const k = places.reduce((best, at) => (mix.errors[at] < mix.errors[best] ? at : best));
  return { name: nameOf(mix), error: mix.errors[k], n: mix.n[k], lambda: mix.lambdas[k] };
}

/** @param {Table} table */
const first = ({ mixes }) => mixes.reduce((best, mix) => (mix.errors[bestOf(mix)] < best.errors[bestOf(best)] ? mix : best));

/** @param {Table} table */
function forPrediction(table) {
  const best = first(table);
  const error = best.errors[bestOf(best)];
  const rows = tr`${whole(table.n_rows)} rows${table.n_all && table.n_all > table.n_rows ? tr` (a sample of ${whole(table.n_all)})` : ""}`;
  if (error >= table.null) return tr`Of ${rows} with ${whole(table.n_features)} features no penalty does better on rows held out than the model without features, ${figures(table.null)} (${table.error}).`;
  const others = table.mixes.filter((mix) => mix !== best).map((mix) => tr`${nameOf(mix)} by ${figures(mix.loss, 2)} ± ${figures(mix.loss_se, 2)}${mix.loss <= mix.loss_se ? tr` (not clearly)` : ""}`);
  return tr`For prediction: ${nameOf(best)} with ${whole(best.n[bestOf(best)])} of ${whole(table.n_features)} features leaves the least error on ${rows} held out in turn, ${figures(error)} (${table.error}; without features ${figures(table.null)}${table.null_loss <= table.null_loss_se ? tr`, which is not clearly worse` : ""}). Worse over the same ${table.n_folds} folds: ${others.join(", ")}.`;
}

/** @param {Table} table @param {ReturnType<typeof leastWithin>[]} within @param {number} most */
function forAList(table, within, most) {
  const able = within.flatMap((one) => (one ? [one] : []));
  if (!able.length) return tr`No penalty has a model with at most ${whole(most)} features.`;
  const best = able.reduce((one, other) => (other.error < one.error ? other : one));
  const least = Math.min(...table.mixes.map((mix) => mix.errors[bestOf(mix)]));
  const list = tr`With at most ${whole(most)} features: ${best.name} at lambda ${figures(best.lambda)} keeps ${whole(best.n)} and has error ${figures(best.error)}`;
  if (best.error >= table.null) return tr`${list}, no better than without features.`;
  return best.error === least ? tr`${list}, the least of all.` : tr`${list}, which gives up ${figures((100 * (best.error - least)) / (table.null - least), 2)}% of what the best model gains over the one without features.`;
}

/** Error over the number of features, a curve for each mix. @param {Table} table @param {ReturnType<typeof leastWithin>[]} within @param {number} most */
function curves(table, within, most) {
  const p = table.n_features;
  const x = p <= FINEST ? scaleLinear([0, p], [60, 385]) : scaleLog([0.8, p], [60, 385]);
  const all = table.mixes.flatMap(({ errors }) => errors.filter((error) => error <= table.null));
  const low = Math.min(...all, table.null);
  const y = scaleLinear([low - 0.06 * (table.null - low), table.null + 0.04 * (table.null - low || 1)], [330, 50]);
  const lines = table.mixes.map((mix, k) => {
    const counts = [...new Set(mix.n)].filter((n) => n > 0).sort((one, other) => one - other);
    const points = counts.map((n) => /** @type {[number, number]} */ ([x(n), y(Math.min(...mix.errors.filter((_, at) => mix.n[at] === n)))]));
    const shown = points.map(([at, height]) => /** @type {[number, number]} */ ([at, height < 46 ? NaN : height]));
    const best = bestOf(mix);
    const dot = mix.errors[best] <= table.null ? element("circle", { cx: x(Math.max(mix.n[best], 0.8)), cy: y(mix.errors[best]), r: mix.l1_ratio ? 5 : 7, fill: COLOURS[k], stroke: "var(--paper)", "stroke-width": 1.5 }) : "";
    return curve(through(shown), { stroke: COLOURS[k], "stroke-width": 2.5, "stroke-dasharray": DASHES[k] }) + dot;
  });
  const chosen = within.flatMap((one) => (one && one.error <= table.null ? [one] : [])).sort((one, other) => one.error - other.error)[0];
  return [
    words(60, 18, table.error, { fill: FAINT }),
    words(60, 34, tr`on rows held out; dots: the best of each mix`, { fill: FAINT }),
    below(x, 330, tr`features kept`, { ticks: p <= FINEST ? 6 : 4, format: (value) => (p <= FINEST || Number.isInteger(Math.log10(value)) ? whole(value) : "") }),
    beside(y, 60, 385, ""),
    segment(60, y(table.null), 385, y(table.null), { stroke: FAINT, "stroke-dasharray": "2 3" }),
    words(385, y(table.null) + 14, tr`without features`, { "text-anchor": "end", fill: FAINT }),
    ...lines,
    cursor(x(most), 50, 330),
    chosen ? markOf(x(chosen.n), y(chosen.error), 1) : "",
    words(60, 388, tr`■ the least error with at most so many features`, { fill: FAINT }),
  ].join("");
}

/** How much worse each mix is than the best, with the standard error of the difference. @param {Table} table */
function losses({ mixes, error }) {
  const end = Math.max(...mixes.map(({ loss, loss_se }) => loss + (loss_se || 0)), 1e-12);
  const x = scaleLinear([0, 1.05 * end], [470, 800]);
  const rows = mixes.map((mix, k) => {
    const top = 62 + 56 * k;
    const best = bestOf(mix);
    const [low, high] = [Math.max(0, mix.loss - mix.loss_se), mix.loss + mix.loss_se];
    return [
      segment(470, top - 4, 492, top - 4, { stroke: COLOURS[k], "stroke-width": 3, "stroke-dasharray": DASHES[k] }),
      words(500, top, tr`${nameOf(mix)}: error ${figures(mix.errors[best])} with ${whole(mix.n[best])} features`),
      element("rect", { x: 470, y: top + 8, width: Math.max(0, x(mix.loss) - 470), height: 14, fill: COLOURS[k] }),
      mix.loss > 0 ? segment(x(low), top + 15, x(high), top + 15, { stroke: "var(--ink)", "stroke-width": 1.5 }) + [low, high].map((one) => segment(x(one), top + 11, x(one), top + 19, { stroke: "var(--ink)", "stroke-width": 1.5 })).join("") : words(476, top + 20, tr`the best`, { fill: FAINT }),
    ].join("");
  });
  return [words(470, 18, tr`worse than the best, fold by fold`, { "font-weight": 600 }), words(470, 34, tr`whisker: one standard error`, { fill: FAINT }), ...rows, below(x, 62 + 56 * mixes.length, tr`more ${error}`, { ticks: 4 })].join("");
}
