/** The state of a lesson in the address, `#e?t=0.4&shape=1`: a link leads to a lesson as somebody left it. */
import { clamp } from "./lesson.js";

/** @typedef {import("./lesson.js").Lesson} Lesson */
/** @typedef {import("./lesson.js").Values} Values */

/** What differs from the opening, as an address holds it. @param {Pick<Lesson, "names">} lesson @param {Values} opening @param {Values} values */
export function changes({ names }, opening, values) {
  const changed = Object.entries(values).filter(([name, value]) => (name in opening ? value !== opening[name] : names?.test(name)));
  return new URLSearchParams(changed.map(([name, value]) => [name, String(value)])).toString();
}

/**
 * What an address says of a lesson, kept within the ends of its controls; null where it speaks of another one.
 * @param {string} hash @param {Pick<Lesson, "id" | "names">} lesson @param {import("./lesson.js").Control[]} controls @returns {Values | null}
 */
export function valuesIn(hash, { id, names }, controls) {
  const [of, words] = hash.replace(/^#/, "").split("?");
  if (of !== id || words === undefined) return null;
  /** @type {Values} */
  const said = {};
  for (const [name, word] of new URLSearchParams(words)) {
    const value = Number(word);
    const control = controls.find((one) => one.id === name);
    if (word === "" || !Number.isFinite(value)) continue;
    if (control) said[name] = clamp(control.step >= 1 ? Math.round(value) : value, control.min, control.max);
    else if (names?.test(name)) said[name] = value;
  }
  return said;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;

/** Write the address, once the page rests. @param {Pick<Lesson, "id">} lesson @param {string} changed */
export function remember({ id }, changed) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    try {
      history.replaceState(null, "", changed ? `#${id}?${changed}` : `#lesson-${id}-section`);
    } catch {
      // a sandboxed frame has no address of its own
    }
  }, 300);
}

/** Follow the address, now and where a link changes it. @param {HTMLElement} section @param {Lesson} lesson @param {import("./lesson.js").Control[]} controls @param {(values: Values) => void} show */
export function arrive(section, lesson, controls, show) {
  const follow = () => {
    const said = valuesIn(location.hash, lesson, controls);
    if (!said) return;
    show(said);
    requestAnimationFrame(() => section.scrollIntoView({ behavior: "instant" })); // when all lessons have their charts
  };
  window.addEventListener("hashchange", follow);
  follow();
}
