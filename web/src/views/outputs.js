/** What views of several outputs share: how they are called, and where the numbers of one of them stand. */
import { tr } from "../language.js";
import { borrowed, nearest } from "../panels.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State @typedef {import("../payload.js").Feature} Feature */

/** Outputs that are told side by side; of more one is chosen. */
export const SIDE_BY_SIDE = 6;

/** What one is, and what several are. @param {Payload} data @returns {[string, string]} */
export const kindOf = (data) => (data.mathematics.has_classes ? [tr`class`, tr`classes`] : [tr`target`, tr`targets`]);

/** A coefficient of one output. @param {Feature} feature @param {number} output @param {number} l index of lambda @param {boolean} perSd */
export const coefficientOf = (feature, output, l, perSd) => (feature.by_output?.[output]?.[l] ?? 0) * (perSd ? feature.scale : 1);

/**
 * What is stored of the calibration or the residuals, and at which place: of a single output by lambda, of several for
 * the chosen one at the nearest lambda that has it.
 * @template {"calibration" | "residuals"} Name
 * @param {Payload} data @param {State} state @param {Name} name
 * @returns {{ part: NonNullable<import("../payload.js").Evidence[Name]>, place: number, name: string, note: string } | null}
 */
export function storedOf(data, { index, output }, name) {
  const { evidence } = data;
  /** @typedef {NonNullable<import("../payload.js").Evidence[Name]>} Part */
  if (data.outputs.length === 0) {
    const part = evidence?.[name];
    return part ? { part: /** @type {Part} */ (part), place: index, name: "", note: "" } : null;
  }
  const several = evidence?.outputs;
  const part = several?.[name]?.[output];
  if (!several || !part) return null;
  const place = nearest(several.at, index);
  return { part: /** @type {Part} */ (part), place, name: data.outputs[output].name, note: borrowed(data.lambdas, several.at[place], index) };
}
