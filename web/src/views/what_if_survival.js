/** The survival of a row that the reader makes, beside that of the row at the start. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside, formatOf } from "../axes.js";
import { box, entryOfKey, inColumns, percent, sized, whole } from "../panels.js";
import { COLOURS, FAINT, curve, drawing, figures, segment, through } from "../svg.js";
import { horizonOf, moment, reached, steps, survivalOf, timed } from "./survival.js";
import { binsAt } from "./survival_calibration.js";
import { predict } from "./what_if.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State */

const [LEFT, TOP, BOTTOM] = [76, 14, 250];

/** Both rows: as it is now, and with every input at its start. @param {Payload} data @param {State} state */
export function survivals(data, state) {
  const hazards = /** @type {import("../payload.js").Hazards} */ (data.hazards);
  const of = (/** @type {State} */ one) => ({ ...survivalOf(hazards, one.stratum, one.index, predict(data, one).eta), stratum: one.stratum });
  return { now: of(state), before: of({ ...state, inputs: {}, stratum: 0 }) };
}

/** Whether the row is another one than at the start. @param {State} state */
export const moved = ({ inputs, stratum }) => Object.keys(inputs).length > 0 || stratum > 0;

/** What is said of the row first: how many such rows are without the event at the horizon, and when half have it. @param {Payload} data @param {State} state */
export function inWords(data, state) {
  const { now, before } = survivals(data, state);
  const horizon = horizonOf(data, state);
  const share = (/** @type {typeof now} */ one) => (horizon > one.end ? "–" : percent(reached(one.times, one.values, horizon)));
  const median = (/** @type {typeof now} */ one) => (Number.isFinite(one.median) ? moment(one.median) : tr`later than ${moment(one.end)}, the last that was seen`);
  const told = tr`Without the event at ${timed(data, horizon)}: ${share(now)}. Median ${data.time_name}: ${median(now)}.`;
  if (!moved(state)) return told;
  const { eta } = predict(data, state);
  const ratio = Math.exp(eta - predict(data, { ...state, inputs: {} }).eta);
  return tr`${told} At the start it is ${share(before)}, the median ${median(before)}. The hazard is ${figures(ratio)} times that at the start.`;
}

/** Both curves. @param {Payload} data @param {State} state */
export function drawn(data, state) {
  const { now, before } = survivals(data, state);
  const { width, right, style } = sized(state);
  const x = scaleLinear().domain([Math.min(0, ...now.times), Math.max(now.end, before.end)]).range([LEFT, right]);
  const y = scaleLinear().domain([0, 1]).range([BOTTOM, TOP]);
  const { write, unit } = formatOf(x.ticks(state.narrow ? 4 : 6));
  const line = (/** @type {typeof now} */ { times, values, end }) => through(steps(x.domain()[0], times, values, end).map(([time, share]) => [x(time), y(share)]));
  /** @type {Record<string, string | number>[]} */
  const looks = [{ stroke: COLOURS[0], "stroke-width": 2.5 }, { stroke: FAINT, "stroke-width": 2, "stroke-dasharray": "5 3" }];
  return drawing({ id: "what_if_survival", width, style, height: BOTTOM + 76, title: tr`Survival of this row`, description: inWords(data, state) }, [
    beside(y, LEFT, right, tr`share without the event`, { format: (value) => `${Math.round(100 * value)}%` }),
    box(LEFT, TOP, right - LEFT, BOTTOM - TOP),
    segment(LEFT, y(0.5), right, y(0.5), { stroke: FAINT, "stroke-dasharray": "1 3" }),
    moved(state) ? curve(line(before), looks[1]) : "",
    curve(line(now), looks[0]),
    Number.isFinite(now.median) ? segment(x(now.median), y(0.5), x(now.median), BOTTOM, { stroke: COLOURS[0], "stroke-dasharray": "1 3", "stroke-width": 1.5 }) : "",
    below(x, BOTTOM, data.time_name + unit, { ticks: state.narrow ? 4 : 6, format: write }),
    inColumns([
      (at, row) => entryOfKey(at, row, tr`this row`, looks[0]),
      ...(moved(state) ? [(/** @type {number} */ at, /** @type {number} */ row) => entryOfKey(at, row, tr`at the start`, looks[1])] : []),
    ], [LEFT, LEFT + 150], BOTTOM + 64),
  ]);
}

/** What happened to the held-out rows whose predictions are nearest to that of the row. @param {Payload} data @param {State} state */
export function spread(data, state) {
  if (!data.evidence?.survival?.calibration) return "";
  const horizon = horizonOf(data, state);
  const { now } = survivals(data, state);
  const value = reached(now.times, now.values, horizon);
  const bins = binsAt(data, state);
  if (bins.length === 0 || !Number.isFinite(value)) return "";
  const near = bins.reduce((best, bin) => (Math.abs(bin.predicted - value) < Math.abs(best.predicted - value) ? bin : best));
  return tr`Of the ${whole(near.count)} held-out rows with the nearest predictions (${percent(near.predicted)} on average), ${percent(near.observed)} were without the event at ${timed(data, horizon)}.`;
}
