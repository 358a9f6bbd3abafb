/** How well rows are predicted that the fit has not seen, along the path. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { beside } from "../axes.js";
import { NARROW } from "../panels.js";
import { COLOURS, FAINT, apart, curve, drawing, figures, segment, through, words } from "../svg.js";
import { LEFT, TOP, cursor, framed, inFrame, kept, marks, rule, strengths } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload */

/** It stands beside other things on every screen, and is drawn as for a phone. */
const BOTTOM = 268;
/** Where the curves end. */
export const RIGHT = NARROW - 96;

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
    const x = strengths(data, "lambda", RIGHT, BOTTOM);
    const seen = inFrame(data, state.index);
    const values = seen.flatMap((l) => [mean[l], upper[l], lower[l], train?.[l] ?? NaN]).filter(Number.isFinite);
    const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
    const air = 0.05 * (high - low) || Math.abs(high) * 0.05 || 1;
    const y = scaleLinear().domain([low - air, high + air]).range([BOTTOM, TOP]);
    const along = (/** @type {number[]} */ line) => through(line.map((value, l) => [x.at[l], y(value)]));
    const known = mean.map((_, l) => l).filter((l) => Number.isFinite(upper[l]) && Number.isFinite(lower[l]));
    const band = [...known.map((l) => [x.at[l], y(upper[l])]), ...known.reverse().map((l) => [x.at[l], y(lower[l])])];
    const line = mean.length - 1;
    const ends = apart([mean, ...(train ? [train] : [])].map((values) => clamp(y(values[line]))), 15, TOP + 6, BOTTOM - 4);
    const body = [
      beside(y, LEFT, RIGHT, tr`CV ${shownScore(data).name}`),
      x.axis,
      kept(data, x.at),
      framed("cv_curve-frame", RIGHT, [
        band.length ? curve(`${through(/** @type {[number, number][]} */ (band))}Z`, { stroke: "none", fill: "var(--band)" }) : "",
        ...folds.map((fold) => curve(along(fold), { stroke: FAINT, "stroke-width": 0.7, opacity: 0.5 })),
        Number.isFinite(nothing) ? segment(LEFT, y(nothing), RIGHT, y(nothing), { stroke: FAINT, "stroke-dasharray": "1 3", "stroke-width": 1.5 }) : "",
        train ? curve(along(train), { stroke: COLOURS[1], "stroke-width": 2, "stroke-dasharray": "7 3" }) : "",
        curve(along(mean), { stroke: COLOURS[0], "stroke-width": 2.5 }),
      ].join(""), BOTTOM),
      nullLabel(nothing, y),
      marks(data, x.at, BOTTOM),
      words(RIGHT + 6, ends[0] + 4, tr`held-out rows`),
      train ? words(RIGHT + 6, ends[1] + 4, tr`fitted rows`) : "",
      cursor(x.at[state.index], BOTTOM),
    ];
    const sentence = describe(data, state.index);
    const frame = { id: "cv_curve", width: NARROW, height: BOTTOM + 48, title: tr`Cross-validation curve`, description: sentence };
    return { svg: drawing(frame, body), sentence, table: table(data) };
  },
};

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
