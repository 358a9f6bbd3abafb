/** The nine lessons and their drawings at the opening, for Python and for the file as it is before any script has run. */
import { a } from "./a.js";
import { b } from "./b.js";
import { c } from "./c.js";
import { d } from "./d.js";
import { e } from "./e.js";
import { f } from "./f.js";
import { g } from "./g.js";
import { h } from "./h.js";
import { i } from "./i.js";
import { openingValues } from "./lesson.js";

/** @type {Record<string, import("./lesson.js").Lesson>} */
export const LESSONS = { a, b, c, d, e, f, g, h, i };

/**
 * @param {Record<string, any>} data of the lessons, by id
 * @param {string[]} ids
 * @param {Record<string, number>} [values] of controls, instead of those of the opening
 */
export function lessons(data, ids, values = {}) {
  return ids.map((id) => {
    const lesson = LESSONS[id];
    const { title, formulas, careful, quiz } = lesson;
    const text = typeof lesson.text === "function" ? lesson.text(data[id]) : lesson.text;
    return { id, title, text, formulas, careful, quiz, ...lesson.draw(data[id], { ...openingValues(lesson, data[id]), ...values }) };
  });
}
