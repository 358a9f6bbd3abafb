/** How well each of several targets is predicted on rows that were left out, in its own unit. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below } from "../axes.js";
import { NEEDS_DATA, known } from "../panels.js";
import { COLOURS, INK, drawing, element, figures, segment, words } from "../svg.js";
import { rule, shortened, whole, widthOf } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State */
/** @typedef {{ name: string, error: number, null: number, ratio: number }} Row */

const MOST = 20;
const [TOP, LINE] = [26, 28];

/** The error of each target, the best predicted first. @param {Payload} data @param {number} index @returns {Row[]} */
export function errorsOf(data, index) {
  const stored = data.evidence?.outputs?.errors;
  if (!stored) return [];
  return data.outputs
    .map(({ name }, k) => ({ name, error: stored.rmse[k][index], null: stored.null[k], ratio: stored.null[k] > 0 ? stored.rmse[k][index] / stored.null[k] : NaN }))
    .filter((row) => known(row.error) && known(row.ratio))
    .sort((a, b) => a.ratio - b.ratio);
}

/** @type {import("../payload.js").View} */
export const errors = {
  id: "errors",
  title: tr`How well each target is predicted`,
  missing: (data) => (data.evidence?.outputs?.errors ? "" : NEEDS_DATA),
  draw(data, state) {
    const rows = errorsOf(data, state.index);
    const sentence = told(data, state.index, rows);
    const head = [tr`target`, tr`typical error (RMSE)`, tr`its mean alone`, tr`error left`, tr`variance explained`];
    const table = { head, rows: rows.map((row) => [row.name, figures(row.error, 4), figures(row.null, 4), percent(row.ratio), percent(1 - row.ratio ** 2)]) };
    return { svg: picture(state, rows, sentence), sentence, table };
  },
};

/** @param {number} share */
const percent = (share) => tr`${(100 * share).toFixed(1)} %`;

/** @param {State} state @param {Row[]} all @param {string} description */
function picture(state, all, description) {
  const rows = all.slice(0, MOST);
  const width = widthOf(state);
  const [left, right] = state.narrow ? [104, 280] : [160, 610];
  const x = scaleLinear().domain([0, Math.max(1, ...rows.map(({ ratio }) => ratio)) * 1.05]).range([left, right]);
  const bottom = TOP + LINE * rows.length;
  const bars = rows.map(({ name, error, null: alone, ratio }, k) => {
    const top = TOP + LINE * k;
    return [
      words(left - 8, top + 15, shortened(name, Math.floor(left / 7.6)), { "text-anchor": "end" }),
      element("rect", { x: left, y: top + 2, width: Math.max(0.5, x(ratio) - left), height: 18, fill: COLOURS[ratio < 1 ? 0 : 1] }),
      words(right + 8, top + 15, state.narrow ? tr`${figures(error)} of ${figures(alone)}` : tr`${figures(error)} instead of ${figures(alone)}`),
    ].join("");
  });
  return drawing({ id: "errors", width, height: bottom + 44, title: errors.title, description }, [
    words(x(1), TOP - 10, tr`its mean alone`, { "text-anchor": "middle" }),
    ...bars,
    segment(x(1), TOP - 4, x(1), bottom, { stroke: INK, "stroke-dasharray": "4 3" }),
    below(x, bottom, state.narrow ? tr`typical error, 1 = mean alone` : tr`typical error of held-out rows as a share of that of the mean alone`, { ticks: state.narrow ? 3 : 6 }),
  ]);
}

/** @param {Payload} data @param {number} index @param {Row[]} rows */
function told(data, index, rows) {
  const at = tr`At ${rule(data, index)} = ${figures(data.lambdas[index])}`;
  if (rows.length === 0) return tr`${at} no errors are stored.`;
  const one = (/** @type {Row} */ { name, error, null: alone }) => tr`${name} by ${figures(error)} (its mean alone by ${figures(alone)})`;
  const more = rows.length > MOST ? tr` Drawn are the ${MOST} that are predicted best; the table has all ${whole(rows.length)}.` : "";
  if (rows.length <= 4) return tr`${at}, held-out rows are typically missed in ${rows.map(one).join(tr`, in `)}.${more}`;
  return tr`${at}, held-out rows are typically missed in ${one(rows[0])} at best, in ${one(rows[rows.length - 1])} at worst.${more}`;
}
