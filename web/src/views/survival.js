/** Survival of groups of held-out rows and of a row that the reader makes: what is stored, and steps as lines. */
import { tr } from "../language.js";
import { nearest, percent, whole } from "../panels.js";
import { figures } from "../svg.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State @typedef {import("../payload.js").Hazards} Hazards */

/** What groups by risk are called, the lowest first. @param {number} count */
export const named = (count) => (count === 3 ? [tr`lowest third`, tr`middle third`, tr`highest third`] : count === 2 ? [tr`lower half`, tr`higher half`] : [tr`all rows`]);

/** What is told of held-out rows. @param {Payload} data */
export const evidenceOf = (data) => /** @type {import("../payload.js").SurvivalEvidence} */ (data.evidence?.survival);

/** A time as people write it. @param {number} time */
export const moment = (time) => (Number.isInteger(time) ? whole(time) : figures(time, 4));

/** A time with the name of its column. @param {Payload} data @param {number} time */
export const timed = (data, time) => `${data.time_name} = ${moment(time)}`;

/** The time up to which survival is told. @param {Payload} data @param {State} state */
export const horizonOf = (data, state) => data.evidence?.survival?.horizons[state.horizon] ?? NaN;

/** The same in words. @param {Payload} data @param {State} state */
export const atHorizon = (data, state) => tr`${timed(data, horizonOf(data, state))} (by when ${percent(evidenceOf(data).reached[state.horizon])} of the events had happened)`;

/** The place of the stored lambda nearest to the one in use. @param {Payload} data @param {number} index */
export const placeOf = (data, index) => nearest(data.evidence?.survival?.at ?? [], index);

/** What a curve of steps has reached at a time: the last value up to then, and 1 before the first. @param {number[]} times @param {(number | null)[]} values @param {number} time */
export function reached(times, values, time) {
  let last = -1;
  while (last + 1 < times.length && times[last + 1] <= time) last += 1;
  return last < 0 ? 1 : (values[last] ?? NaN);
}

/** The points of a curve that starts at 1 and falls in steps, up to where its rows were last seen. @param {number} start @param {number[]} times @param {(number | null)[]} values @param {number} end @returns {[number, number][]} */
export function steps(start, times, values, end) {
  /** @type {[number, number][]} */
  const points = [[start, 1]];
  let level = 1;
  times.forEach((time, k) => {
    const value = values[k];
    if (value === null || time > end) return;
    points.push([time, level], [time, value]);
    level = value;
  });
  points.push([Math.max(end, points[points.length - 1][0]), level]);
  return points;
}

/** The logarithm of a stratum's cumulative hazards at its times, for a row with linear predictor 0. @param {Hazards} hazards @param {number} stratum @param {number} index of lambda */
export function logHazards({ centres, steps }, stratum, index) {
  const sums = (steps[stratum][0] ?? []).map(() => 0);
  for (const row of steps[stratum].slice(0, index + 1)) row.forEach((step, k) => (sums[k] += step));
  return sums.map((sum) => centres[stratum][index] + sum / 1000);
}

/**
 * The survival of a row with a linear predictor: its curve, and the time by which half of such rows have the event.
 * @param {Hazards} hazards @param {number} stratum @param {number} index of lambda @param {number} eta
 * @returns {{ times: number[], values: number[], end: number, median: number }} the median is infinite where more than half have none as long as anybody was seen
 */
export function survivalOf(hazards, stratum, index, eta) {
  const [times, end] = [hazards.times[stratum], hazards.ends[stratum] ?? NaN];
  const logs = logHazards(hazards, stratum, index);
  const place = logs.findIndex((log) => log + eta >= Math.log(Math.LN2));
  return { times, values: logs.map((log) => Math.exp(-Math.exp(log + eta))), end, median: place < 0 ? Infinity : times[place] };
}
