/** The page: sliders, handles and predictions bring the drawings to life. */
import { theme } from "../page/theme.js";
import { escape } from "../svg.js";
import { LESSONS } from "./lessons.js";
import { openingValues } from "./lesson.js";

/** @typedef {import("./lesson.js").Lesson} Lesson */
/** @typedef {import("./lesson.js").Control} Control */

const ARROWS = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] });
const NUDGE = 12; // units of the drawing, more than a step of any slider

/** @param {string} selector @param {ParentNode} [inside] @returns {HTMLElement} */
function the(selector, inside = document) {
  const found = inside.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`${selector} is missing`);
  return found;
}

/** @param {HTMLElement} section @param {Lesson} lesson @param {any} data */
function enliven(section, lesson, data) {
  const phone = window.matchMedia("(max-width: 34rem)");
  /** @type {import("./lesson.js").Values} */
  let values = { ...openingValues(lesson, data), narrow: Number(phone.matches) };
  const figure = the(".drawing", section);
  const controls = lesson.controls(data);
  const inputs = controls.map((control) => added(the(".controls", section), lesson, control, (value) => change({ ...values, [control.id]: value })));

  /** @param {import("./lesson.js").Values} next */
  function change(next) {
    values = next;
    const focused = figure.contains(document.activeElement) ? document.activeElement?.getAttribute("data-handle") : null;
    const shown = lesson.draw(data, values);
    figure.innerHTML = shown.svg; // every text in it went through svg.js `escape`
    the(".sentence", section).textContent = shown.sentence;
    the(".table", section).innerHTML = tableOf(shown.table);
    inputs.forEach((put, k) => put(values[controls[k].id]));
    if (focused) /** @type {SVGElement | null} */ (figure.querySelector(`[data-handle="${focused}"]`))?.focus();
  }

  const { grab, nudge } = lesson;
  if (grab) {
    draggable(figure, (name, x, y) => change(grab(data, values, name, x, y)));
    steerable(figure, (name, step, x, y) => change(nudge ? nudge(data, values, name, ...step) : grab(data, values, name, x + NUDGE * step[0], y + NUDGE * step[1])));
  }
  predictions(section, lesson);
  phone.addEventListener("change", () => change({ ...values, narrow: Number(phone.matches) }));
  change(values);
}

/** Add a slider or a choice; returns how to put a value into it. @param {HTMLElement} place @param {Lesson} lesson @param {Control} control @param {(value: number) => void} changed */
function added(place, lesson, control, changed) {
  const box = document.createElement("div");
  box.className = "control";
  const label = document.createElement("label");
  const id = `${lesson.id}-${control.id}`;
  label.htmlFor = id;
  label.textContent = control.label;
  const input = control.choices ? choice(control.choices) : slider(control);
  input.id = id;
  input.addEventListener("input", () => changed(Number(input.value)));
  const value = document.createElement("output");
  value.htmlFor.add(id);
  box.append(label, input, ...(control.choices ? [] : [value]));
  place.append(box);
  return (/** @type {number} */ now) => {
    input.value = String(now);
    const text = control.show ? control.show(now) : String(now);
    value.textContent = text;
    if (!control.choices) input.setAttribute("aria-valuetext", text);
  };
}

/** @param {string[]} names */
function choice(names) {
  const select = document.createElement("select");
  names.forEach((name, k) => select.add(new Option(name, String(k))));
  return select;
}

/** @param {Control} control */
function slider({ min, max, step }) {
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min: String(min), max: String(max), step: String(step) });
  return input;
}

/** @param {Event} event */
const handleOf = (event) => (event.target instanceof SVGElement ? event.target.getAttribute("data-handle") : null);

/** Handles move with the pointer. @param {HTMLElement} figure @param {(name: string, x: number, y: number) => void} move */
function draggable(figure, move) {
  /** @type {string | null} */
  let held = null;
  figure.addEventListener("pointerdown", (event) => {
    held = handleOf(event);
    if (!held) return;
    /** @type {SVGElement} */ (event.target).focus();
    figure.setPointerCapture(event.pointerId); // of the figure: the handle is drawn anew at every move
    event.preventDefault();
  });
  figure.addEventListener("pointermove", (event) => {
    const svg = figure.querySelector("svg");
    if (!held || !svg) return;
    const box = svg.getBoundingClientRect();
    const unit = svg.viewBox.baseVal.width / box.width;
    move(held, (event.clientX - box.left) * unit, (event.clientY - box.top) * unit);
  });
  for (const end of ["pointerup", "pointercancel"]) figure.addEventListener(end, () => (held = null));
}

/** Handles move with the arrow keys. @param {HTMLElement} figure @param {(name: string, step: [number, number], x: number, y: number) => void} move */
function steerable(figure, move) {
  figure.addEventListener("keydown", (event) => {
    const name = handleOf(event);
    const step = ARROWS[event.key];
    if (!name || !step) return;
    event.preventDefault();
    const target = /** @type {SVGElement} */ (event.target);
    move(name, step, Number(target.getAttribute("cx")), Number(target.getAttribute("cy")));
  });
}

/** First predict, then see. @param {HTMLElement} section @param {Lesson} lesson */
function predictions(section, lesson) {
  const { right, why, answers } = lesson.quiz;
  const verdict = the(".verdict", section);
  section.querySelectorAll(".answer").forEach((button, k) =>
    button.addEventListener("click", () => {
      verdict.textContent = `${k === right ? "Yes." : `Not quite: ${answers[right]}.`} ${why}`;
      section.querySelectorAll(".answer").forEach((other, j) => {
        other.setAttribute("aria-pressed", String(j === k));
        other.classList.toggle("right", j === right);
      });
      section.classList.add("answered");
    }),
  );
}

/** @param {{ head: string[], rows: (string | number)[][] }} table */
function tableOf({ head, rows }) {
  const title = head.map((cell) => `<th scope="col">${escape(cell)}</th>`).join("");
  const body = rows.map(([first, ...cells]) => `<tr><th scope="row">${escape(first)}</th>${cells.map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`).join("");
  return `<table><thead><tr>${title}</tr></thead><tbody>${body}</tbody></table>`;
}

const data = JSON.parse(the("#lesson-data").textContent ?? "{}");
document.documentElement.classList.add("alive");
theme(document);
for (const [id, lesson] of Object.entries(LESSONS)) {
  const section = document.getElementById(`lesson-${id}-section`);
  if (section) enliven(section, lesson, data[id]);
}
