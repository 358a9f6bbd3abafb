/**
 * What a lesson is. Its data come from `normball/learn/data.py`; everything else is here.
 *
 * @typedef {object} Control
 * @property {string} id
 * @property {string} label
 * @property {number} min of a slider
 * @property {number} max
 * @property {number} step
 * @property {number} value at the opening
 * @property {string[]} [choices] a choice instead of a slider: the value is an index
 * @property {(value: number, values: Values) => string} [show] what to write beside the slider
 * @property {boolean} [falls] its largest value stands on the left
 * @property {[string, string]} [ends] what stands at both ends of the slider
 *
 * @typedef {Record<string, number>} Values of the controls, and `narrow`: 1 where the window is that of a phone
 *
 * @typedef {object} Shown
 * @property {string} svg
 * @property {string} sentence
 * @property {{ head: string[], rows: (string | number)[][] }} table
 * @property {Record<string, any>} numbers what the sentence and the table stand on, with all digits
 *
 * @typedef {object} Lesson
 * @property {string} id
 * @property {string} title
 * @property {string[] | ((data: any) => string[])} text paragraphs
 * @property {string[]} formulas MathML
 * @property {string} careful what the usual picture leaves out
 * @property {(data: any) => Control[]} controls
 * @property {(data: any, values: Values) => Shown} draw a pure function: no document, no clock, no chance
 * @property {(data: any, values: Values, handle: string, x: number, y: number) => Values} [grab] the values after a handle was moved to a place of the drawing
 * @property {(data: any, values: Values, handle: string, dx: number, dy: number) => Values} [nudge] the values after an arrow key, where a step along an axis is not what moves the handle
 * @property {(data: any, values: Values, x: number, y: number) => Values} [press] the values after a press on a place without a handle
 * @property {(data: any, values: Values, handle: string) => Values} [remove] the values after the key Delete on a handle
 * @property {(data: any) => { label: string, act: (values: Values) => Values }[]} [buttons]
 * @property {RegExp} [names] of values that no control holds
 * @property {{ question: string, answers: string[], right: number, why: string }} quiz
 */
import { tr } from "../language.js";
import { tick } from "../axes.js";
import { NARROW } from "../panels.js";
import { COLOURS, drawing, element, px } from "../svg.js";

/** Below an axis of strengths: they grow weaker to the right everywhere. */
export const STRENGTH = tr`stronger ← lambda → weaker`;

/** The values a lesson opens with. @param {Lesson} lesson @param {any} data @returns {Values} */
export const openingValues = (lesson, data) => Object.fromEntries(lesson.controls(data).map(({ id, value }) => [id, value]));

/** @param {number} x @param {number} low @param {number} high */
export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

/** To the nearest step of a slider, without the noise of the last digits. @param {number} x @param {number} step */
export const snapped = (x, step) => Number((Math.round(x / step) * step).toFixed(6));

/** A factor as people say it: 10, not 10.0. @param {number} x */
export const times = (x) => tick(Number(x.toPrecision(3)));

/** The sigmoid. @param {number} z */
export const sigma = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

/** The slope of the sigmoid. @param {number} z */
export const slope = (z) => sigma(z) * sigma(-z);

/** Cross-entropy of a row whose margin in favour of its own class is m. @param {number} m */
export const crossEntropy = (m) => (m > 0 ? Math.log1p(Math.exp(-m)) : -m + Math.log1p(Math.exp(m)));

/** The mark of a row that was fitted: a circle for class 0, a square for class 1. @param {number} cx @param {number} cy @param {number} label */
export function markOf(cx, cy, label) {
  const look = { fill: COLOURS[label ? 1 : 0], stroke: "var(--paper)" };
  return label ? element("rect", { x: cx - 5.5, y: cy - 5.5, width: 11, height: 11, ...look }) : element("circle", { cx, cy, r: 5.5, ...look });
}

/** Small hollow marks of the rows that were not. @param {[number, number, number][]} rows x, y and class */
export const smallMarks = (rows) =>
  [0, 1]
    .map((label) => {
      const shape = label ? "m-3-3h6v6h-6z" : "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z";
      return element("path", { d: rows.filter((row) => row[2] === label).map(([x, y]) => `M${px(x)} ${px(y)}${shape}`).join(""), fill: "var(--paper)", stroke: COLOURS[label], "stroke-width": 1.2 });
    })
    .join("");

/** A mark that can be dragged, also with the arrow keys. @param {string} name @param {string} label @param {number} cx @param {number} cy @param {string} fill */
export const handle = (name, label, cx, cy, fill) =>
  element("circle", { class: "handle", "data-handle": name, tabindex: "0", role: "button", "aria-label": tr`${label}; move it with the arrow keys`, cx, cy, r: 9, fill, stroke: "var(--paper)", "stroke-width": 2 });

/** A drawing with handles in it: a group, since nothing inside an image can be reached. @param {string} svg */
export const movable = (svg) => svg.replace('role="img"', 'role="group"');

/**
 * A drawing of two parts, side by side, or below one another for a phone: the first part is in its first 400 units.
 * @param {Parameters<typeof drawing>[0]} frame of both side by side
 * @param {string[]} first @param {string[]} second @param {Values} values
 * @param {{ left?: number, height?: number }} [lower] where the second part begins, and its height
 */
export function inTwoParts(frame, first, second, { narrow }, { left = 410, height = frame.height } = {}) {
  if (!narrow) return drawing(frame, [...first, ...second]);
  const below = element("g", { transform: `translate(${-left} ${frame.height})` }, second.join(""));
  return drawing({ ...frame, width: NARROW, height: frame.height + height }, [...first, below]);
}
