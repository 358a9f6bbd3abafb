/** Survival of held-out rows by predicted risk: a model that ranks rows keeps the curves apart. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside, formatOf } from "../axes.js";
import { NEEDS_DATA, borrowed, box, percent, sized, whole } from "../panels.js";
import { COLOURS, DASHES, FAINT, curve, drawing, figures, segment, through, words } from "../svg.js";
import { rule } from "./strength.js";
import { atHorizon, evidenceOf, horizonOf, moment, named, placeOf, reached, steps, timed } from "./survival.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {{ name: string, values: (number | null)[], end: number, median: number | null, at_risk: number[], events: number }} Group */

const [LEFT, TOP, BOTTOM, ROW] = [130, 14, 330, 20];
const COLOUR = [COLOURS[0], COLOURS[2], COLOURS[1]];

/** @type {import("../payload.js").View} */
export const survival_curves = {
  id: "survival_curves",
  title: tr`Survival by predicted risk`,
  missing: (data) => (data.evidence?.survival?.curves ? "" : NEEDS_DATA),
  draw(data, state) {
    const groups = groupsAt(data, state.index);
    const sentence = told(data, state, groups);
    return { svg: picture(data, state, groups, sentence), sentence, table: table(data, groups) };
  },
};

/** What is stored of the view. @param {Payload} data */
const stored = (data) => /** @type {import("../payload.js").SurvivalCurves} */ (data.evidence?.survival?.curves);

/** @param {Payload} data @param {number} index @returns {Group[]} */
function groupsAt(data, index) {
  const { survival, ends, medians, at_risk, events } = stored(data);
  const place = placeOf(data, index);
  const names = named(survival[place].length);
  return survival[place].map((values, k) => ({ name: names[k], values, end: ends[place][k], median: medians[place][k], at_risk: at_risk[place][k], events: events[place][k] }));
}

/** @param {Payload} data @param {import("../payload.js").State} state @param {Group[]} groups @param {string} description */
function picture(data, state, groups, description) {
  const { width, right, style } = sized(state);
  const { times, ticks } = stored(data);
  const horizon = horizonOf(data, state);
  const start = Math.min(0, ticks[0] ?? 0);
  const x = scaleLinear().domain([start, Math.max(...groups.map(({ end }) => end), ...ticks)]).range([LEFT, right]);
  const y = scaleLinear().domain([0, 1]).range([BOTTOM, TOP]);
  const { write, unit } = formatOf(ticks);
  const axis = Object.assign(x.copy(), { ticks: () => ticks });
  const heads = BOTTOM + 64;
  const look = (/** @type {number} */ k) => ({ stroke: groups.length === 1 ? COLOURS[0] : COLOUR[k * (groups.length === 2 ? 2 : 1)], "stroke-dasharray": DASHES[k], "stroke-width": 2.5 });
  return drawing({ id: "survival_curves", width, style, height: heads + ROW * groups.length + 16, title: survival_curves.title, description }, [
    beside(y, LEFT, right, tr`share without the event`, { format: (value) => `${Math.round(100 * value)}%` }),
    box(LEFT, TOP, right - LEFT, BOTTOM - TOP),
    segment(x(horizon), TOP, x(horizon), BOTTOM, { stroke: FAINT, "stroke-dasharray": "1 3", "stroke-width": 1.5 }),
    ...groups.map(({ values, end }, k) => curve(through(steps(start, times, values, end).map(([time, share]) => [x(time), y(share)])), look(k))),
    below(axis, BOTTOM, data.time_name + unit, { format: write }),
    words(0, heads, tr`rows still at risk`, { fill: FAINT }),
    ...groups.map(({ name, at_risk }, k) => {
      const line = heads + ROW * (k + 1);
      return segment(0, line - 4, 22, line - 4, look(k)) + words(28, line, name) + ticks.map((tick, j) => words(x(tick), line, whole(at_risk[j]), { "text-anchor": "middle" })).join("");
    }),
  ]);
}

/** @param {Payload} data @param {import("../payload.js").State} state @param {Group[]} groups */
function told(data, state, groups) {
  const { index } = state;
  const { at } = evidenceOf(data);
  const { times } = stored(data);
  const place = /** @type {number[]} */ (at)[placeOf(data, index)];
  const start = tr`At ${rule(data, index)} = ${figures(data.lambdas[index])}`;
  const note = borrowed(data.lambdas, place, index);
  const share = (/** @type {Group} */ { values }) => percent(reached(times, values, horizonOf(data, state)));
  if (groups.length === 1) return tr`${start} all held-out rows have the same predicted risk; ${share(groups[0])} are without the event at ${atHorizon(data, state)}.${note}`;
  const [first, last] = [groups[0], groups[groups.length - 1]];
  const halves = groups.length === 3 ? tr`thirds` : tr`halves`;
  const median = (/** @type {Group} */ one) => (one.median === null ? tr`more than half of the ${one.name} have none as long as they were seen` : tr`half of the ${one.name} have it by ${timed(data, one.median)}`);
  return tr`${start}, rows are put into ${halves} by the risk that a model predicts which has not seen them; lines are the Kaplan-Meier estimates of what happened to them. At ${atHorizon(data, state)}, dotted, ${share(first)} of the ${first.name} are without the event and ${share(last)} of the ${last.name}; ${median(last)}, ${median(first)}.${note}`;
}

/** @param {Payload} data @param {Group[]} groups */
function table(data, groups) {
  const { times, ticks } = stored(data);
  const head = [data.time_name, ...groups.flatMap(({ name }) => [name, tr`at risk`])];
  const rows = ticks.map((tick, j) => [moment(tick), ...groups.flatMap(({ values, end, at_risk }) => [tick > end ? "–" : percent(reached(times, values, tick)), whole(at_risk[j])])]);
  return { head, rows: [...rows, [tr`events`, ...groups.flatMap(({ events }) => [whole(events), ""])]] };
}
