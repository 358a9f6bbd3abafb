/** Numbers and counts: what was observed where the model predicted so much, as a spread rather than a mean. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { NEEDS_DATA, borrowed, box, boxOfKey, clipping, entryOfKey, inColumns, known, nearest, note, percent, sized, whole } from "../panels.js";
import { agreement, binsOf, extent, groupsDrawn } from "./calibration.js";
import { rule } from "./strength.js";
import { COLOURS, DASHES, FAINT, drawing, element, figures, segment } from "../svg.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").Observed} Observed */
/** @typedef {{ predicted: number, points: number[], count: number }} Group rows with like predictions: 5, 25, 50, 75, 95 % points of the target */

const [LEFT, TOP, BOTTOM] = [84, 14, 380];

/** @type {import("../payload.js").View} */
export const observed = {
  id: "observed",
  title: tr`Fitted and observed`,
  missing: (data) => (data.evidence?.observed ? "" : NEEDS_DATA),
  draw(data, state) {
    const stored = /** @type {Observed} */ (data.evidence?.observed);
    const place = nearest(stored.at, state.index);
    const groups = stored.predicted[place].map((predicted, k) => ({ predicted: Number(predicted), points: stored.quantiles[place][k].map(Number), count: stored.counts[place][k] }));
    const note = borrowed(data.lambdas, stored.at[place], state.index);
    const means = meansOf(data, stored, place);
    if (means) {
      const sentence = errorsOf(data, state.index, stored, place) + ofMeans(data, means) + dispersed(data) + zeros(data, stored.zeros[place]) + note;
      const frame = { id: "observed", title: observed.title, domain: extent(data.mathematics, means), across: tr`predicted mean`, upwards: tr`observed mean` };
      return { svg: groupsDrawn(state, frame, means, sentence), sentence, table: tableOfMeans(means) };
    }
    const sentence = told(data, state.index, stored, place, groups) + note;
    return { svg: picture(data, state, groups, sentence), sentence, table: table(groups) };
  },
};

/**
 * Groups of counts by their means: where most targets are zero, so are the quantiles, and show nothing else.
 * @param {Payload} data @param {Observed} stored @param {number} place
 */
function meansOf(data, stored, place) {
  const shares = stored.zero_shares[place];
  const groups = data.evidence?.calibration ? binsOf(data.evidence.calibration, stored.at[place]) : [];
  if (!shares || shares.length !== groups.length || 2 * shares.filter((share) => Number(share) > 0.5).length <= groups.length) return null;
  return groups.map((group, k) => ({ ...group, zero: Number(shares[k]) }));
}

/** @param {Payload} data @param {NonNullable<ReturnType<typeof meansOf>>} means */
function ofMeans(data, means) {
  const shares = means.map(({ zero }) => zero);
  return tr` Most targets are zero (${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} of the rows of a group), so the means of groups with like predictions are drawn.${agreement(data.mathematics, means)}`;
}

/** @param {Payload} data @param {import("../payload.js").State} state @param {Group[]} groups @param {string} description */
function picture(data, state, groups, description) {
  const { width, right, style } = sized(state);
  const values = groups.flatMap(({ predicted, points }) => [predicted, points[0], points[4]]);
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const predictions = groups.map((group) => group.predicted);
  const [first, last] = predictions.length ? [Math.min(...predictions), Math.max(...predictions)] : [0, 1];
  const air = 0.06 * (last - first) || 0.5;
  const x = scaleLinear().domain([first - air, last + air]).range([LEFT, right]);
  const y = scaleLinear().domain([low, high === low ? low + 1 : high]).range([BOTTOM, TOP]).nice();
  const [start, end] = x.domain();
  return drawing({ id: "observed", width, style, height: state.narrow ? 510 : 486, title: observed.title, description }, [
    clipping("observed-clip", LEFT, TOP, right - LEFT, BOTTOM - TOP),
    beside(y, LEFT, right, tr`observed`),
    box(LEFT, TOP, right - LEFT, BOTTOM - TOP),
    groups.length === 0 ? note((LEFT + right) / 2, 120, tr`no predictions are stored at this lambda`) : "",
    element("g", { "clip-path": "url(#observed-clip)" }, segment(x(start), y(start), x(end), y(end), { stroke: FAINT, "stroke-dasharray": DASHES[1], "stroke-width": 2 }) + groups.map((group) => spread(group, x, y)).join("")),
    below(x, BOTTOM, tr`predicted ${data.outputs.length ? "" : tr`mean`}`.trim()),
    inColumns([
      (at, line) => entryOfKey(at, line, tr`nine in ten rows`, { stroke: COLOURS[0], "stroke-width": 1.5 }),
      (at, line) => boxOfKey(at, line, tr`half of them, and the median`, { fill: "var(--card)", stroke: COLOURS[0], "stroke-width": 2 }),
      (at, line) => entryOfKey(at, line, tr`observed = predicted`, { stroke: FAINT, "stroke-dasharray": DASHES[1] }),
    ], state.narrow ? [LEFT] : [LEFT, 330], 446),
  ]);
}

/** @param {Group} group @param {(at: number) => number} x @param {(at: number) => number} y */
function spread({ predicted, points }, x, y) {
  const [q5, q25, q50, q75, q95] = points.map(y);
  const at = x(predicted);
  const look = { stroke: COLOURS[0], "stroke-width": 1.5 };
  return segment(at, q5, at, q95, look) + element("rect", { x: at - 5, y: q75, width: 10, height: Math.max(1, q25 - q75), fill: "var(--card)", ...look, "stroke-width": 2 }) + segment(at - 5, q50, at + 5, q50, { ...look, "stroke-width": 3 });
}

/** @param {Payload} data @param {number} index */
const startOf = (data, index) => tr`At ${rule(data, index)} = ${figures(data.lambdas[index])}, for held-out rows: `;

/** @param {Payload} data @param {number} index @param {Observed} stored @param {number} place */
const errorsOf = (data, index, stored, place) => startOf(data, index) + tr`the root mean squared error is ${figures(stored.rmse[place])} and the mean absolute error ${figures(stored.mae[place])}, in the unit of the target.`;

/** @param {Payload} data @param {number} index @param {Observed} stored @param {number} place @param {Group[]} groups */
function told(data, index, stored, place, groups) {
  if (groups.length === 0) return tr`${startOf(data, index)}no predictions are stored.`;
  const group = groups[Math.floor(groups.length / 2)];
  const middle = tr` Where the model predicts about ${figures(group.predicted)} (${whole(group.count)} rows), half of the rows lie between ${figures(group.points[1])} and ${figures(group.points[3])}, nine in ten between ${figures(group.points[0])} and ${figures(group.points[4])}.`;
  return errorsOf(data, index, stored, place) + middle + dispersed(data) + zeros(data, stored.zeros[place]);
}

/** How many rows are zero, and how many the family expects of these means. @param {Payload} data @param {(number | null)[] | null} found */
function zeros({ family }, found) {
  if (!found || !found.every(known)) return "";
  const [met, expected, error] = found.map(Number);
  if (Math.max(met, expected) < 1) return "";
  const far = Math.abs(met - expected) > 3 * Math.max(error, 1);
  const told = tr` ${whole(met)} of the targets are zero, where ${family} expects ${whole(Math.round(expected))} ± ${whole(Math.max(1, Math.round(error)))} of these means`;
  if (!far) return tr`${told}.`;
  return met > expected ? tr`${told}: more than it has room for, as where some rows can only be zero.` : tr`${told}: fewer than it expects.`;
}

/** How the spread about the predictions compares with that of the family. @param {Payload} data */
function dispersed({ mathematics, family }) {
  const { dispersion, variance } = mathematics;
  if (!known(dispersion) || !variance.startsWith("mu") || variance === "mu^2" || variance === "mu^power") return "";
  const more = dispersion > 2 ? tr`: the counts vary ${figures(dispersion)} times as much about their predictions as the family allows for, so a range taken from it would be far too narrow` : "";
  return tr` The dispersion at lambda_best is ${figures(dispersion)} (1 for ${family} counts)${more}.`;
}

/** @param {Group[]} groups @returns {import("../payload.js").Shown["table"]} */
const table = (groups) => ({ head: [tr`predicted`, tr`${5} %`, tr`${25} %`, tr`median`, tr`${75} %`, tr`${95} %`, tr`rows`], rows: groups.map(({ predicted, points, count }) => [figures(predicted), ...points.map((point) => figures(point)), count]) });

/** @param {NonNullable<ReturnType<typeof meansOf>>} means @returns {import("../payload.js").Shown["table"]} */
const tableOfMeans = (means) => ({ head: [tr`predicted`, tr`observed`, tr`standard error`, tr`zero`, tr`rows`], rows: means.map(({ predicted, observed: mean, se, zero, count }) => [figures(predicted), figures(mean), figures(se), percent(zero), count]) });
