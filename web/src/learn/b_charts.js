/** The four charts of lesson b. */
import { tr } from "../language.js";
import { scaleLinear } from "d3-scale";
import { below, beside } from "../axes.js";
import { filled, lines } from "../contours.js";
import { clipping, lambdaScale, logTicks } from "../panels.js";
import { COLOURS, DASHES, FAINT, INK, curve, element, escape, figures, segment, through, words } from "../svg.js";
import { STRENGTH, markOf, sigma, smallMarks } from "./lesson.js";
import { cursor, legend, short } from "./plane.js";
import { REACH } from "./points.js";

/** @typedef {import("./b.js").Fitted} Fitted */
/** @typedef {import("./points.js").Point} Point */

const [LEFT, RIGHT, TOP, BOTTOM] = [50, 370, 44, 364];
const FINE = 65;

export const plane = () => ({ x: scaleLinear([-REACH, REACH], [LEFT, RIGHT]), y: scaleLinear([-REACH, REACH], [BOTTOM, TOP]) });

/** The points, and where the model gives each class one half; thin where it gives one of them nine tenths. @param {Fitted} model @param {number} at @param {{ k: number, point: Point }[]} points @param {import("./b.js").Plane} shown with the units of the axes @param {import("./lesson.js").Values} values */
export function field(model, at, points, { held_out, names, means, scales }, values) {
  const { x, y } = plane();
  const [across, upwards] = [x, y].map((scale, j) => scale.copy().domain([-REACH, REACH].map((u) => means[j] + scales[j] * u)));
  const inUnits = (/** @type {number} */ u, /** @type {number} */ j) => figures(means[j] + scales[j] * u);
  const label = (/** @type {number} */ j) => (names[j] === `x${j + 1}` ? names[j] : `x${j + 1}: ${short(names[j], 40)}`);
  const grid = filled([-REACH, REACH], [-REACH, REACH], FINE, ([u, v]) => model.at(u, v, at));
  const level = (/** @type {number} */ z, /** @type {Record<string, string | number>} */ look) =>
    lines(grid, z).map((line) => curve(through(line.map(([u, v]) => [x(u), y(v)])), { fill: "none", ...look })).join("");
  return [
    words(LEFT, 18, tr`● class 0 · ■ class 1 · small: held out`, { fill: FAINT }),
    words(LEFT, 34, values.adds ? tr`drag a point; a click adds a ■; drag it out to remove it` : tr`drag a point; a click adds a ●; drag it out to remove it`, { fill: FAINT }),
    element("rect", { x: LEFT, y: TOP, width: RIGHT - LEFT, height: BOTTOM - TOP, fill: "var(--card)" }),
    clipping("lesson-b-field", LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP),
    below(across, BOTTOM, label(0)),
    beside(upwards, LEFT, RIGHT, label(1)),
    smallMarks(held_out.map(([u, v, label]) => [x(u), y(v), label])),
    element("g", { "clip-path": "url(#lesson-b-field)" }, level(Math.log(9), { stroke: COLOURS[1], "stroke-dasharray": DASHES[1] }) + level(-Math.log(9), { stroke: COLOURS[0], "stroke-dasharray": DASHES[1] }) + level(0, { stroke: INK, "stroke-width": 2.5 })),
    ...points.map(({ point: [u, v, label] }) => markOf(x(u), y(v), label)),
    ...points.map(({ k, point: [u, v, label] }) =>
      element("circle", {
        class: "handle", "data-handle": String(k), tabindex: "0", role: "button", "aria-label": tr`point of class ${label} at ${inUnits(u, 0)}, ${inUnits(v, 1)}; move it with the arrow keys, take it away with Delete`,
        cx: x(u), cy: y(v), r: 12, fill: "transparent",
      }),
    ),
  ].join("");
}

/** Fitted and held-out error over lambda. @param {Fitted} model @param {number} at @param {number} best */
export function costs({ lambdas, fitted, held }, at, best) {
  const { scale, place } = lambdaScale(lambdas, [470, 800]);
  const known = [...fitted, ...held].flatMap((one) => (one === null ? [] : [one]));
  const top = Math.min(Math.max(...known), 2.5 * Math.max(held[0] ?? 0, fitted[0] ?? 0));
  const y = scaleLinear([0, 1.02 * top], [BOTTOM, 90]);
  /** @param {(number | null)[]} errors */
  const path = (errors) => through(errors.map((one, k) => [place(lambdas[k]), one === null || one > 1.02 * top ? NaN : y(one)]));
  const dots = [fitted, held].map((errors, k) => (errors[at] === null || Number(errors[at]) > top ? "" : element("circle", { cx: place(lambdas[at]), cy: y(Number(errors[at])), r: 5, fill: COLOURS[k], stroke: "var(--paper)" })));
  return [
    legend(470, 14, [[tr`error of the fitted`, COLOURS[0], ""], [tr`error of those held out`, COLOURS[1], DASHES[1]]]),
    words(470, 68, tr`held-out error least at lambda ${lambdas[best] ? figures(lambdas[best]) : "0"}`, { fill: FAINT }),
    below(scale, BOTTOM, STRENGTH, { ticks: 4, format: logTicks(/** @type {[number, number]} */ (scale.domain())) }),
    beside(y, 470, 800, ""),
    lambdas.at(-1) === 0 ? words(800, BOTTOM + 18, "0", { "text-anchor": "middle", fill: FAINT }) : "",
    segment(place(lambdas[best]), 90, place(lambdas[best]), BOTTOM, { stroke: COLOURS[1], "stroke-dasharray": DASHES[2] }),
    curve(path(fitted), { stroke: COLOURS[0], "stroke-width": 2.5 }),
    curve(path(held), { stroke: COLOURS[1], "stroke-width": 2.5, "stroke-dasharray": DASHES[1] }),
    cursor(place(lambdas[at]), 90, BOTTOM),
    ...dots,
  ].join("");
}

/** The rows on the sigmoid, where their sums put them. @param {Fitted} model @param {number} at */
export function sigmoid({ dots, sums }, at) {
  const reach = Math.min(60, 1.1 * Math.max(3, ...sums[at].map(Math.abs)));
  const x = scaleLinear([-reach, reach], [470, 800]);
  const y = scaleLinear([0, 1], [630, 460]);
  const grid = Array.from({ length: 161 }, (_, k) => -reach + (2 * reach * k) / 160);
  const within = (/** @type {number} */ z) => Math.max(-reach, Math.min(reach, z));
  const places = dots.map(({ label }, k) => /** @type {Point} */ ([x(within(sums[at][k])), y(sigma(sums[at][k])), label]));
  return [
    words(470, 442, tr`probability of class 1, for each row`, { fill: FAINT }),
    below(x, 630, tr`weighted sum`),
    beside(y, 470, 800, ""),
    curve(through(grid.map((z) => [x(z), y(sigma(z))])), { stroke: COLOURS[2], "stroke-width": 2.5 }),
    smallMarks(places.filter((_, k) => dots[k].held)),
    ...places.filter((_, k) => !dots[k].held).map((one) => markOf(...one)),
  ].join("");
}

/** A weight as a bar from 0. @param {number} y @param {number} value @param {number} most @param {number} from @param {number} to */
function bar(y, value, most, from, to) {
  const x = scaleLinear([-most, most], [from, to]);
  const start = Math.min(x(0), x(value));
  return (
    element("rect", { x: from, y, width: to - from, height: 14, fill: "var(--card)" }) +
    element("rect", { x: start, y, width: Math.abs(x(value) - x(0)), height: 14, fill: COLOURS[3] }) +
    segment(x(0), y - 2, x(0), y + 16, { stroke: FAINT })
  );
}

/** The weights in lines of name, bar and number. @param {Fitted} model @param {number} at */
export function weightsBelow({ names, weights }, at) {
  const most = Math.max(...weights[at].map(Math.abs), 1);
  return [
    words(LEFT, 442, tr`weights per standard deviation`, { "font-weight": 600 }),
    ...weights[at].map((value, j) => words(LEFT, 466 + 23 * j, names[j]) + bar(455 + 23 * j, value, most, LEFT + 60, 305) + words(315, 466 + 23 * j, figures(value))),
  ].join("");
}

/** The same with the names above the bars, for names of any length. @param {Fitted} model @param {number} at */
export function weightsBeside({ names, weights }, at) {
  const most = Math.max(...weights[at].map(Math.abs), 1e-12);
  return [
    words(20, 24, names.length < 12 ? tr`weights per standard deviation` : tr`the largest weights, per standard deviation`, { "font-weight": 600 }),
    ...weights[at].map((value, j) => element("text", { x: 20, y: 56 + 50 * j, fill: INK, "font-size": 12 }, escape(`${short(names[j], 40)}: ${figures(value)}`)) + bar(62 + 50 * j, value, most, 20, 370)),
  ].join("");
}
