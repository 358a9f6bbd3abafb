/** How well rows are predicted that the fit has not seen, along the path. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { beside } from "../axes.js";
import { NARROW } from "../panels.js";
import { COLOURS, FAINT, apart, curve, drawing, figures, segment, through, words } from "../svg.js";
import { LEFT, TOP, cursor, framed, kept, leaves, marks, positive, rule, strengths } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload */

/** It stands beside other things on every screen, and is drawn as for a phone. */
const BOTTOM = 268;
/** How far beyond what lies between the ends of `extent` a curve is followed, and where the axis ends if it goes farther, in heights of that. */
const [FAR, BEYOND] = [1, 0.4];
/** Where the curves end. */
const RIGHT = NARROW - 110;

/** Squared errors are shown by their root, in the unit of the target. @param {Payload} data */
export function shownScore(data) {
  const squared = data.cv?.by_root ?? false;
  /** @type {(value: number | null) => number} */
  const number = (value) => (value === null ? NaN : value);
  const digits = data.mathematics.of_times && data.cv?.score === "deviance" ? 4 : 3; // what features take from it is little beside the whole
  return { digits, name: squared ? tr`RMSE` : (data.cv?.score ?? ""), of: squared ? /** @param {number | null} value */ (value) => Math.sqrt(Math.max(0, number(value))) : number };
}

/** @param {Payload} data */
function lines(data) {
  const cv = /** @type {import("../payload.js").CrossValidation} */ (data.cv);
  const { of } = shownScore(data);
  const error = cv.se.map((se) => se ?? NaN);
  return {
    mean: cv.mean.map(of),
    upper: cv.mean.map((mean, l) => of(mean + error[l])),
    lower: cv.mean.map((mean, l) => of(mean - error[l])),
    train: cv.train?.map(of) ?? null,
    folds: cv.folds.map((fold) => fold.map(of)),
    nothing: of(cv.null_score),
  };
}

/** @type {import("../payload.js").View} */
export const cv_curve = {
  id: "cv_curve",
  title: tr`Error on held-out rows`,
  missing: (data) => (data.cv ? "" : tr`The model was not cross-validated.`),
  draw(data, state) {
    const { mean, upper, lower, train, folds, nothing } = lines(data);
    const x = alongChart(data, state.index);
    const y = scaleLinear().domain(extent(data)).range([BOTTOM, TOP]);
    const along = (/** @type {number[]} */ line) => through(line.map((value, l) => [x.at[l], y(value)]));
    const known = mean.map((_, l) => l).filter((l) => Number.isFinite(upper[l]) && Number.isFinite(lower[l]));
    const band = [...known.map((l) => [x.at[l], y(upper[l])]), ...known.reverse().map((l) => [x.at[l], y(lower[l])])];
    const line = lastShown(data, state.index);
    const ends = apart([mean, ...(train ? [train] : [])].map((values) => clamp(y(values[line]))), 15, TOP + 6, BOTTOM - 4);
    const body = [
      beside(y, LEFT, RIGHT, tr`CV ${shownScore(data).name}`),
      x.axis,
      kept(data, x.at, RIGHT),
      framed("cv_curve-frame", RIGHT, [
        band.length ? curve(`${through(/** @type {[number, number][]} */ (band))}Z`, { stroke: "none", fill: "var(--band)" }) : "",
        ...folds.map((fold) => curve(along(fold), { stroke: FAINT, "stroke-width": 0.7, opacity: 0.5 })),
        Number.isFinite(nothing) ? segment(LEFT, y(nothing), RIGHT, y(nothing), { stroke: FAINT, "stroke-dasharray": "1 3", "stroke-width": 1.5 }) : "",
        train ? curve(along(train), { stroke: COLOURS[1], "stroke-width": 2, "stroke-dasharray": "7 3" }) : "",
        curve(along(mean), { stroke: COLOURS[0], "stroke-width": 2.5 }),
      ].join(""), BOTTOM),
      nullLabel(nothing, y),
      leaving(data, x.at, y),
      marks(data, x.at, BOTTOM),
      words(RIGHT + 6, ends[0] + 4, tr`held-out rows`),
      train ? words(RIGHT + 6, ends[1] + 4, tr`fitted rows`) : "",
      cursor(x.at[state.index], BOTTOM),
    ];
    const left = departure(data);
    const sentence = describe(data, state.index) + (left ? tr` Weaker penalties take the curve out of the chart: it reaches ${figures(left.far)}.` : "");
    const frame = { id: "cv_curve", width: NARROW, height: BOTTOM + 48, title: tr`Cross-validation curve`, description: sentence };
    return { svg: drawing(frame, body), sentence, table: table(data) };
  },
};

/**
 * The ends of the axis: all that lies between the model without features and the best one, and of weaker penalties what
 * is not far beyond. Where their error grows without bound the minimum would look flat beside it.
 * @param {Payload} data @returns {[number, number]}
 */
function extent(data) {
  const { mean, upper, lower, train, nothing } = lines(data);
  const last = Math.max(data.picked, data.cv?.best ?? 0);
  const each = mean.map((_, l) => [mean[l], upper[l], lower[l], train?.[l] ?? NaN]);
  const told = (/** @type {number[]} */ values) => values.filter(Number.isFinite);
  const core = told([...each.slice(0, last + 1).flat(), nothing]);
  if (core.length === 0) return [0, 1];
  const [low, high] = [Math.min(...core), Math.max(...core)];
  const room = high - low || Math.abs(high) * 0.05 || 1;
  const end = (/** @type {number} */ near, /** @type {number} */ far) => (Math.abs(far - near) <= FAR * room ? far : near + Math.sign(far - near) * BEYOND * room);
  const all = told(each.flat());
  const [first, top] = [end(low, Math.min(low, ...all)), end(high, Math.max(high, ...all))];
  const air = 0.05 * (top - first) || room;
  return [first - air, top + air];
}

/** Where the curve of held-out rows leaves the chart for good, if it does: the place in the grid, and how far it gets. @param {Payload} data */
function departure(data) {
  const { mean } = lines(data);
  const [low, high] = extent(data);
  const outside = mean.map((value) => value < low || value > high);
  const first = outside.lastIndexOf(false) + 1;
  if (first === 0 || first === mean.length || !Number.isFinite(mean[first - 1])) return null;
  const rest = mean.slice(first);
  return mean[first] > high ? { first, up: true, far: Math.max(...rest) } : { first, up: false, far: Math.min(...rest) };
}

/** The last lambda of the axis: all of them, or where the curve leaves the chart a quarter more than what it shows of the curve, and as far as the slider stands. @param {Payload} data @param {number} index */
function lastShown(data, index) {
  const left = departure(data);
  if (!left) return data.lambdas.length - 1;
  const logs = positive(data.lambdas).map(Math.log);
  const end = logs.findIndex((log) => logs[0] - log >= 1.25 * (logs[0] - logs[left.first]));
  return end < 0 ? logs.length - 1 : Math.max(end, index, data.picked, data.cv?.best ?? 0);
}

/** Where each lambda stands in the chart, and its axis. @param {Payload} data @param {number} index of the lambda shown */
export const alongChart = (data, index) => strengths(data, "lambda", RIGHT, BOTTOM, lastShown(data, index));

/** An arrow there, and how far the curve gets. @param {Payload} data @param {number[]} at @param {(value: number) => number} y */
function leaving(data, at, y) {
  const found = departure(data);
  if (!found) return "";
  const { first, up, far } = found;
  const { mean } = lines(data);
  const edge = up ? TOP : BOTTOM;
  const share = (edge - y(mean[first - 1])) / (y(mean[first]) - y(mean[first - 1]));
  const x = at[first - 1] + share * (at[first] - at[first - 1]);
  const right = x > (LEFT + RIGHT) / 2;
  const place = right ? [x - 10, "end"] : [x + 10, "start"];
  return leaves(x, edge, up, COLOURS[0]) + words(Number(place[0]), edge + (up ? 12 : -5), tr`reaches ${figures(far)}`, { "text-anchor": place[1], fill: FAINT });
}

/** @param {number} height */
const clamp = (height) => (Number.isFinite(height) ? Math.min(BOTTOM, Math.max(TOP, height)) : BOTTOM);

/** A name beside the line of the model without features, where the frame shows it. @param {number} nothing @param {import("d3-scale").ScaleLinear<number, number>} y */
function nullLabel(nothing, y) {
  const height = y(nothing);
  if (!Number.isFinite(height) || height < TOP || height > BOTTOM) return "";
  return words(RIGHT - 4, height < TOP + 16 ? height + 14 : height - 5, tr`without features`, { "text-anchor": "end", fill: FAINT });
}

/** @param {Payload} data @param {number} index */
function describe(data, index) {
  const { mean, upper, train, nothing } = lines(data);
  const { name, digits } = shownScore(data);
  const error = upper[index] - mean[index];
  const spread = Number.isFinite(error) ? tr` (1 SE: ${figures(error, 2)})` : "";
  const against = Number.isFinite(nothing) ? tr` A model without features has ${figures(nothing, digits)}.` : "";
  if (!train) return tr`At ${rule(data, index)} = ${figures(data.lambdas[index])} the ${name} is ${figures(mean[index], digits)}${spread} on held-out rows: what they add to that of the others, per event.${against}${ranked(data, index)}`;
  return tr`At ${rule(data, index)} = ${figures(data.lambdas[index])} the ${name} is ${figures(mean[index])}${spread} on held-out rows and ${figures(train[index])} on the fitted rows${difference(data, index, mean[index], train[index])}.${against}`;
}

/** What the scores of held-out and of fitted rows say beside each other. @param {Payload} data @param {number} index @param {number} mean @param {number} train */
function difference(data, index, mean, train) {
  if (data.n_nonzero[index] === 0) return tr`; no feature is kept, though single folds may keep some`;
  const worse = data.cv?.greater_is_better ? train - mean : mean - train;
  return worse > 0 ? tr`: the difference is what was learned by heart` : tr`: held-out rows do no worse, so nothing shows that rows were learned by heart`;
}

/** How well held-out rows are ranked. @param {Payload} data @param {number} index */
function ranked({ cv }, index) {
  const [value, error] = [cv?.concordance?.[index] ?? NaN, cv?.concordance_se?.[index] ?? NaN];
  return Number.isFinite(value) ? tr` The concordance is ${figures(value)} (1 SE: ${figures(error, 2)}), against 0.5.` : "";
}

/** @param {Payload} data */
function table(data) {
  const { mean, upper, train } = lines(data);
  const { name } = shownScore(data);
  const head = [tr`lambda`, ...(data.l1_ratio === 0 ? [] : [tr`kept`]), tr`CV ${name}`, tr`1 SE`, ...(train ? [tr`fitted rows`] : [])];
  const rows = data.lambdas.map((lam, l) => [figures(lam), ...(data.l1_ratio === 0 ? [] : [data.n_nonzero[l]]), figures(mean[l], 4), figures(upper[l] - mean[l], 2), ...(train ? [figures(train[l], 4)] : [])]);
  return { head, rows };
}
