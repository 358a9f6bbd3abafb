/** Loss, penalty and their sum along a straight line of models: both are convex, so the sum is, and has one valley. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside, tick } from "../axes.js";
import { NEEDS_DATA, ONE_OUTPUT, ON_GROUPS, borrowed, clipping, cursor, entryOfKey, inColumns, known, nearest, sized } from "../panels.js";
import { COLOURS, DASHES, FAINT, curve, drawing, element, figures, segment, through, words } from "../svg.js";

/** @typedef {{ t: number, loss: number, penalty: number, sum: number }} Step */

const [LEFT, TOP, BOTTOM] = [78, 20, 320];
/** @type {Record<string, string>[]} */
const LOOKS = [{ stroke: COLOURS[0], "stroke-dasharray": DASHES[1] }, { stroke: COLOURS[1], "stroke-dasharray": DASHES[2] }, { stroke: COLOURS[2] }];

/** @type {import("../payload.js").View} */
export const convexity = {
  id: "convexity",
  title: tr`Loss + penalty along a line: one valley`,
  missing: (data) => (data.outputs.length ? ONE_OUTPUT : data.n_groups > 0 ? ON_GROUPS : data.evidence?.convexity?.at.length ? "" : NEEDS_DATA),
  draw(data, state) {
    const { index } = state;
    const stored = /** @type {NonNullable<import("../payload.js").Evidence["convexity"]>} */ (data.evidence?.convexity);
    const place = nearest(stored.at, index);
    const steps = stored.t.flatMap((t, k) => {
      const [loss, penalty] = [stored.loss[place]?.[k], stored.penalty[place]?.[k]];
      return known(loss) && known(penalty) ? [{ t, loss, penalty, sum: loss + penalty }] : [];
    });
    const lowest = steps.reduce((/** @type {Step | null} */ least, step) => (least === null || step.sum < least.sum ? step : least), null);
    const sentence = told(data.lambdas[stored.at[place]], steps, lowest) + borrowed(data.lambdas, stored.at[place], index);
    const rows = steps.map((step) => [figures(step.t), figures(step.loss, 5), figures(step.penalty, 5), figures(step.sum, 5)]);
    return { svg: picture(state, steps, lowest, sentence), sentence, table: { head: [tr`position on the line`, tr`loss`, tr`penalty`, tr`sum`], rows } };
  },
};

/** @param {import("../payload.js").State} state @param {Step[]} steps @param {Step | null} lowest @param {string} description */
function picture(state, steps, lowest, description) {
  const { width, right, style } = sized(state);
  const base = ground(steps);
  const raised = steps.map((step) => ({ ...step, loss: step.loss - base, sum: step.sum - base }));
  const x = scaleLinear().domain([steps[0]?.t ?? 0, steps[steps.length - 1]?.t ?? 1]).range([LEFT, right]);
  const y = scaleLinear().domain(window(raised)).range([BOTTOM, TOP]).nice();
  const path = (/** @type {"loss" | "penalty" | "sum"} */ of, /** @type {Record<string, string>} */ look) => curve(through(raised.map((step) => [x(step.t), y(step[of])])), { "stroke-width": 2.5, ...look });
  const [first, last] = [raised[0], raised[raised.length - 1]];
  const chord = first && segment(x(first.t), y(first.sum), x(last.t), y(last.sum), { stroke: FAINT, "stroke-width": 1.5 });
  return drawing({ id: "convexity", width, style, height: state.narrow ? 476 : 430, title: convexity.title, description }, [
    clipping("convexity-clip", LEFT, TOP - 4, right - LEFT, BOTTOM - TOP + 8),
    beside(y, LEFT, right, base ? tr`penalty; loss and sum less ${figures(base, 4)}` : tr`loss, penalty and sum`),
    below(x, BOTTOM, tr`position on the line: 0 = no features, 1 = this model${state.narrow ? "" : tr`, beyond 1 = larger weights`}`),
    element("g", { "clip-path": "url(#convexity-clip)" }, [chord ?? "", path("loss", LOOKS[0]), path("penalty", LOOKS[1]), path("sum", LOOKS[2])].join("")),
    lowest ? cursor(x(lowest.t), TOP, BOTTOM) + element("circle", { cx: x(lowest.t), cy: y(lowest.sum - base), r: 6, fill: COLOURS[2], stroke: "var(--paper)", "stroke-width": 2 }) : words(LEFT + 20, 60, tr`nothing is stored at this lambda`, { fill: FAINT }),
    inColumns([
      ...[tr`loss`, tr`penalty`, tr`sum, with its minimum`].map((name, k) => (/** @type {number} */ at, /** @type {number} */ line) => entryOfKey(at, line, name, LOOKS[k])),
      (at, line) => entryOfKey(at, line, tr`chord: above the sum${state.narrow ? "" : tr`, as over any convex curve`}`, { stroke: FAINT, "stroke-width": 1.5 }),
    ], state.narrow ? [LEFT] : [LEFT, LEFT + 150, LEFT + 300], 388),
  ]);
}

/** What is taken off loss and sum: the lowest loss, where the valley would be too flat to be seen above zero. @param {Step[]} steps */
function ground(steps) {
  const model = steps.filter((step) => step.t >= 0 && step.t <= 1);
  const [least, most] = [Math.min(...steps.map(({ loss }) => loss)), Math.max(...model.map(({ sum }) => sum))];
  return model.length && least > 0.8 * most ? least : 0;
}

/** The range of values shown: whole, but for a loss that explodes beyond the model. @param {Step[]} steps @returns {[number, number]} */
function window(steps) {
  const values = steps.flatMap(({ loss, penalty, sum }) => [loss, penalty, sum]);
  if (values.length === 0) return [0, 1];
  const model = steps.filter((step) => step.t <= 1).flatMap(({ penalty, sum }) => [penalty, sum]);
  return [Math.min(0, ...values), Math.min(Math.max(...values), 3 * Math.max(1e-12, ...model))];
}

/** @param {number} lambda @param {Step[]} steps @param {Step | null} lowest */
function told(lambda, steps, lowest) {
  if (!lowest) return tr`Nothing is stored at lambda = ${figures(lambda)}.`;
  const least = (/** @type {(step: Step) => number} */ of) => steps.reduce((best, step) => (of(step) < of(best) ? step : best));
  const [start, free] = [least((step) => Math.abs(step.t)), least((step) => step.loss)];
  const parts = tr`loss ${figures(lowest.loss)} + penalty ${figures(lowest.penalty)} = ${figures(lowest.sum)}`;
  const line = tr`At lambda = ${figures(lambda)}, along the line from the model without features (0, loss ${figures(start.loss)}) to this model (1) and beyond, the sum is lowest at ${tick(lowest.t)}: ${parts}.`;
  const beyond = free === steps[steps.length - 1] ? tr`falls to the end of the line` : tr`is lowest at ${tick(free.t)}`;
  return tr`${line} The loss alone ${beyond}, the penalty alone is lowest at 0; both are convex, so their sum has a single valley.`;
}
