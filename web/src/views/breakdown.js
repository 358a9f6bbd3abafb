/** What the objective is made of: error and penalty, along the path and at this lambda, and who pays the penalty. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { STRENGTHS, below, beside } from "../axes.js";
import { weights } from "../geometry.js";
import { NEEDS_DATA, ON_GROUPS, boxOfKey, cursor, hatching, heading, known, lambdaScale, logTicks, note, percent, shortened, sized } from "../panels.js";
import { COLOURS, curve, drawing, element, figures, through, words } from "../svg.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").Evidence} Evidence @typedef {{ name: string, share: number, paid: number }} Payer */

const MOST = 10;
const LEFT = 78;
const HATCH = "url(#breakdown-hatch)";

/** @type {import("../payload.js").View} */
export const breakdown = {
  id: "breakdown",
  title: tr`The objective: error and penalty`,
  missing: (data) => (data.n_groups > 0 ? ON_GROUPS : data.evidence ? "" : NEEDS_DATA),
  draw(data, state) {
    const { index } = state;
    const { width, right, style } = sized(state);
    const evidence = /** @type {Evidence} */ (data.evidence);
    const error = evidence.loss[index];
    const penalty = charged(data, evidence, index);
    const payers = shares(data, evidence, index, penalty);
    const sentence = told(data, index, error, penalty, payers);
    const svg = drawing({ id: "breakdown", width, style, height: 434 + 26 * Math.max(1, Math.min(MOST, payers.length)), title: breakdown.title, description: sentence }, [
      hatching("breakdown-hatch", COLOURS[1]),
      bar(right, error, penalty),
      along(right, data, evidence, index),
      paid(right, payers),
    ]);
    return { svg, sentence, table: table(error, penalty, payers) };
  },
};

/** The penalty as the objective counts it. @param {Payload} data @param {Evidence} evidence @param {number} index */
function charged(data, evidence, index) {
  return data.lambdas[index] * (data.l1_ratio * evidence.penalty_l1[index] + (1 - data.l1_ratio) * evidence.penalty_l2[index]);
}

/** @param {Payload} data @param {Evidence} evidence @param {number} index @param {number} total @returns {Payer[]} */
function shares(data, evidence, index, total) {
  const paid = data.features.map(({ name, scale, coefs, by_output }, k) => {
    const u = (coefs[index] ?? 0) * scale;
    const factor = evidence.factors[k] ?? 0;
    const { l1, l2 } = weights(data.l1_ratio, data.standardize, [factor, 0], [scale, 1]);
    const apart = by_output && !data.grouped ? by_output.reduce((sum, one) => sum + Math.abs(one[index] ?? 0), 0) * scale : Math.abs(u);
    const cost = data.lambdas[index] * (l1[0] * apart + (l2[0] * u * u) / 2);
    return { name, paid: cost, share: total > 0 ? cost / total : 0 };
  });
  return paid.filter(({ share }) => known(share) && share > 0).sort((a, b) => b.share - a.share);
}

/** The objective at this lambda as one bar. @param {number} right @param {number} error @param {number} penalty */
function bar(right, error, penalty) {
  const title = heading(LEFT, 16, tr`At this lambda`);
  const total = error + penalty;
  const keys = boxOfKey(LEFT, 78, tr`error ${figures(error)}`, { fill: COLOURS[0] }) + boxOfKey((LEFT + right) / 2, 78, tr`penalty ${figures(penalty)}`, { fill: HATCH, stroke: COLOURS[1] });
  if (!known(total) || total <= 0 || error < 0) return title + keys;
  const split = LEFT + ((right - LEFT) * error) / total;
  return title + keys + element("rect", { x: LEFT, y: 28, width: split - LEFT, height: 26, fill: COLOURS[0] }) + element("rect", { x: split, y: 28, width: right - split, height: 26, fill: HATCH, stroke: COLOURS[1] });
}

/** Both parts by lambda, the penalty on top of the error. @param {number} right @param {Payload} data @param {Evidence} evidence @param {number} index */
function along(right, data, evidence, index) {
  const { scale, place } = lambdaScale(data.lambdas, [LEFT, right]);
  const rows = data.lambdas.map((lambda, k) => ({ x: place(lambda), error: evidence.loss[k], sum: evidence.loss[k] + charged(data, evidence, k) }));
  const most = Math.max(...rows.map(({ sum }) => sum).filter(known), 1e-12);
  const y = scaleLinear().domain([Math.min(0, ...rows.map(({ error }) => error).filter(known)), most]).range([330, 140]).nice();
  const whole = rows.filter(({ error, sum }) => known(error) && known(sum));
  /** @type {(low: (row: typeof rows[number]) => number, high: (row: typeof rows[number]) => number, fill: string) => string} */
  const layer = (low, high, fill) => {
    const [top, bottom] = [high, low].map((of) => whole.map((row) => /** @type {[number, number]} */ ([row.x, y(of(row))])));
    return curve(through([...top, ...bottom.reverse()]), { fill, stroke: "none" });
  };
  return [
    heading(LEFT, 120, tr`Along the path`),
    beside(y, LEFT, right, tr`objective`),
    layer(() => y.domain()[0], (row) => row.error, COLOURS[0]),
    layer((row) => row.error, (row) => row.sum, HATCH),
    below(scale, 330, tr`lambda`, { format: logTicks(/** @type {[number, number]} */ (scale.domain())), ends: STRENGTHS }),
    cursor(place(data.lambdas[index]), 132, 330),
  ].join("");
}

/** Bars from the middle of the drawing, with room for the share beside the longest. @param {number} right @param {Payer[]} payers */
function paid(right, payers) {
  const title = heading(LEFT, 404, tr`Who pays the penalty${payers.length > MOST ? tr` (the ${MOST} largest of ${payers.length})` : ""}`);
  if (payers.length === 0) return title + note((LEFT + right) / 2, 436, tr`no feature is kept, so there is no penalty`);
  const start = 0.4 * right;
  const width = (right - start - 60) / Math.max(payers[0].share, 1e-12);
  const rows = payers.slice(0, MOST).map(({ name, share }, k) => {
    const y = 420 + 26 * k;
    const end = start + share * width;
    return words(start - 8, y + 14, shortened(name, Math.floor(start / 8.4)), { "text-anchor": "end", "font-size": 13 }) + element("rect", { x: start, y, width: Math.max(1, end - start), height: 18, fill: HATCH, stroke: COLOURS[1] }) + words(end + 8, y + 14, percent(share), { "font-size": 13 });
  });
  return title + rows.join("");
}

/** @param {Payload} data @param {number} index @param {number} error @param {number} penalty @param {Payer[]} payers */
function told(data, index, error, penalty, payers) {
  const total = error + penalty;
  const start = tr`At lambda = ${figures(data.lambdas[index])} the objective is ${figures(total)}: error ${figures(error)} and penalty ${figures(penalty)}${total > 0 ? tr` (${percent(penalty / total)} of it)` : ""}.`;
  if (payers.length === 0) return tr`${start} No feature pays a penalty here.`;
  const listed = payers.slice(0, 3).map(({ name, share }) => `${name} ${percent(share)}`).join(", ");
  return tr`${start} The penalty is paid most by ${listed}.`;
}

/** @param {number} error @param {number} penalty @param {Payer[]} payers @returns {import("../payload.js").Shown["table"]} */
const table = (error, penalty, payers) => ({
  head: [tr`part of the objective`, tr`value`, tr`share of the penalty`],
  rows: [[tr`error`, figures(error, 5), ""], [tr`penalty`, figures(penalty, 5), "100%"], ...payers.slice(0, MOST).map((one) => [tr`penalty of ${one.name}`, figures(one.paid), percent(one.share)])],
});
