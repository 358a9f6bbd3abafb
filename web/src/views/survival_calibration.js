/** Whether predicted survival can be taken at its word: what happened to held-out rows up to one time. */
import { tr } from "../language.js";
import { NEEDS_DATA, borrowed, known, percent, whole } from "../panels.js";
import { figures } from "../svg.js";
import { groupsDrawn } from "./calibration.js";
import { rule } from "./strength.js";
import { evidenceOf, atHorizon, horizonOf, placeOf, timed } from "./survival.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State @typedef {import("./calibration.js").Bin} Bin */

/** @type {import("../payload.js").View} */
export const survival_calibration = {
  id: "survival_calibration",
  title: tr`Predicted and observed survival`,
  missing: (data) => (data.evidence?.survival?.calibration ? "" : NEEDS_DATA),
  draw(data, state) {
    const bins = binsAt(data, state);
    const { at } = evidenceOf(data);
    const sentence = told(data, state, bins) + borrowed(data.lambdas, /** @type {number[]} */ (at)[placeOf(data, state.index)], state.index);
    const label = tr`share without the event at ${timed(data, horizonOf(data, state))}`;
    const frame = { id: "survival_calibration", title: survival_calibration.title, domain: extent(bins), across: tr`predicted ${label}`, upwards: tr`observed share` };
    return { svg: groupsDrawn(state, frame, bins, sentence), sentence, table: table(bins) };
  },
};

/** The groups with like predictions. @param {Payload} data @param {State} state @returns {Bin[]} */
export function binsAt(data, { index, horizon }) {
  const { predicted, observed, se, counts } = /** @type {import("../payload.js").SurvivalCalibration[]} */ (evidenceOf(data).calibration)[horizon];
  const place = placeOf(data, index);
  return predicted[place].flatMap((value, k) => {
    const seen = observed[place][k];
    return known(value) && known(seen) ? [{ predicted: value, observed: seen, se: se[place][k], count: counts[place][k] }] : [];
  });
}

/** Both axes, no further than shares go. @param {Bin[]} bins @returns {[number, number]} */
function extent(bins) {
  const values = bins.flatMap(({ predicted, observed, se }) => [predicted, observed - 2 * (se ?? 0), observed + 2 * (se ?? 0)]);
  if (values.length === 0) return [0, 1];
  return [Math.max(0, Math.min(...values) - 0.03), Math.min(1, Math.max(...values) + 0.03)];
}

/** @param {Payload} data @param {State} state @param {Bin[]} bins */
function told(data, state, bins) {
  const { index } = state;
  const start = tr`At ${rule(data, index)} = ${figures(data.lambdas[index])}, for held-out rows: `;
  if (bins.length === 0) return tr`${start}nobody was seen as long as ${atHorizon(data, state)}.`;
  const worst = bins.reduce((far, bin) => (Math.abs(bin.observed - bin.predicted) > Math.abs(far.observed - far.predicted) ? bin : far));
  const error = (/** @type {Bin} */ { predicted, se, count }) => Math.max(se ?? 0, Math.sqrt((predicted * (1 - predicted)) / count)); // without an event the first is 0
  const agree = bins.filter((bin) => Math.abs(bin.observed - bin.predicted) <= 2 * error(bin)).length;
  return tr`${start}the share that is without the event at ${atHorizon(data, state)}, as predicted and as it was (Kaplan-Meier), in groups with like predictions. Where the model is furthest off it predicts ${percent(worst.predicted)} and ${percent(worst.observed)} were without it (${whole(worst.count)} rows). ${agree} of ${bins.length} groups agree within two standard errors.`;
}

/** @param {Bin[]} bins */
const table = (bins) => ({ head: [tr`predicted`, tr`observed`, tr`standard error`, tr`rows`], rows: bins.map((bin) => [percent(bin.predicted), percent(bin.observed), percent(bin.se), bin.count]) });
