/** The page: sliders, handles and predictions bring the drawings to life. */
import { tr } from "../language.js";
import { theme } from "../page/theme.js";
import { unpack } from "../page/unpack.js";
import { escape } from "../svg.js";
import { arrive, changes, remember } from "./address.js";
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
  const opening = openingValues(lesson, data);
  /** @type {import("./lesson.js").Values} */
  let values = { ...opening, narrow: Number(phone.matches) };
  const figure = the(".drawing", section);
  const controls = lesson.controls(data);
  const place = the(".controls", section);
  const inputs = controls.map((control) => added(place, lesson, control, (value) => change({ ...values, [control.id]: value })));
  const reset = button(tr`reset`, () => change({ ...opening, narrow: values.narrow }));
  const buttons = (lesson.buttons?.(data) ?? []).map(({ label, act }) => button(label, () => change(act(values))));
  place.append(Object.assign(document.createElement("div"), { className: "buttons" }));
  the(".buttons", place).append(...buttons, reset);

  /** @param {import("./lesson.js").Values} next */
  function show(next) {
    values = next;
    const focused = figure.contains(document.activeElement) ? document.activeElement?.getAttribute("data-handle") : null;
    const shown = lesson.draw(data, values);
    figure.innerHTML = shown.svg; // every text in it went through svg.js `escape`
    the(".sentence", section).textContent = shown.sentence;
    the(".table", section).innerHTML = tableOf(shown.table);
    tell();
    if (focused) /** @type {SVGElement | null} */ (figure.querySelector(`[data-handle="${focused}"]`))?.focus();
  }

  /** The controls say what the values are. */
  function tell() {
    inputs.forEach((put, k) => put(values[controls[k].id], values));
    reset.disabled = changes(lesson, opening, values) === "";
  }

  /** @param {import("./lesson.js").Values} next */
  function change(next) {
    show(next);
    remember(lesson, changes(lesson, opening, values));
  }

  const { grab, nudge, press, remove } = lesson;
  if (grab) {
    draggable(figure, (name, x, y) => change(grab(data, values, name, x, y)), (x, y) => press && change(press(data, values, x, y)));
    steerable(figure, (name, step, x, y) => change(nudge ? nudge(data, values, name, ...step) : grab(data, values, name, x + NUDGE * step[0], y + NUDGE * step[1])), (name) => remove && change(remove(data, values, name)));
  }
  predictions(section, lesson);
  phone.addEventListener("change", () => show({ ...values, narrow: Number(phone.matches) }));
  if (phone.matches) show(values);
  else tell(); // the file holds this drawing
  arrive(section, lesson, controls, (said) => show({ ...opening, narrow: values.narrow, ...said }));
}

/** @param {string} label @param {() => void} act */
function button(label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
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
  const turned = (/** @type {number} */ v) => (control.falls ? Number((control.min + control.max - v).toFixed(6)) : v);
  input.addEventListener("input", () => changed(turned(Number(input.value))));
  const value = document.createElement("output");
  value.htmlFor.add(id);
  box.append(label, input, ...(control.choices ? [] : control.ends ? [ends(control.ends, value)] : [value]));
  place.append(box);
  return (/** @type {number} */ now, /** @type {import("./lesson.js").Values} */ values) => {
    input.value = String(turned(now));
    const text = control.show ? control.show(now, values) : String(now);
    value.textContent = text;
    if (!control.choices) input.setAttribute("aria-valuetext", text);
  };
}

/** The value between what stands at the two ends. @param {[string, string]} words @param {HTMLOutputElement} value */
function ends(words, value) {
  const line = document.createElement("div");
  line.className = "ends";
  const [left, right] = words.map((word) => Object.assign(document.createElement("span"), { textContent: word }));
  line.append(left, value, right);
  return line;
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

/** Handles move with the pointer; a press elsewhere that moves nothing is one on that place. @param {HTMLElement} figure @param {(name: string, x: number, y: number) => void} move @param {(x: number, y: number) => void} press */
function draggable(figure, move, press) {
  /** @type {string | null} */
  let held = null;
  /** @type {[number, number] | null} */
  let pressed = null;
  /** @param {PointerEvent} event @returns {[number, number]} */
  const place = (event) => {
    const svg = figure.querySelector("svg");
    const box = svg?.getBoundingClientRect() ?? new DOMRect();
    const unit = (svg?.viewBox.baseVal.width ?? 0) / box.width;
    return [(event.clientX - box.left) * unit, (event.clientY - box.top) * unit];
  };
  figure.addEventListener("pointerdown", (event) => {
    held = handleOf(event);
    pressed = held ? null : place(event);
    if (!held) return;
    /** @type {SVGElement} */ (event.target).focus();
    figure.setPointerCapture(event.pointerId); // of the figure: the handle is drawn anew at every move
    event.preventDefault();
  });
  figure.addEventListener("pointermove", (event) => held && move(held, ...place(event)));
  figure.addEventListener("pointerup", (event) => {
    const [x, y] = place(event);
    if (pressed && Math.hypot(x - pressed[0], y - pressed[1]) < 5) press(x, y);
  });
  for (const end of ["pointerup", "pointercancel"]) figure.addEventListener(end, () => (held = pressed = null));
}

/** Handles move with the arrow keys. @param {HTMLElement} figure @param {(name: string, step: [number, number], x: number, y: number) => void} move @param {(name: string) => void} remove */
function steerable(figure, move, remove) {
  figure.addEventListener("keydown", (event) => {
    const name = handleOf(event);
    const step = ARROWS[event.key];
    const away = event.key === "Delete" || event.key === "Backspace";
    if (!name || !(step || away)) return;
    event.preventDefault();
    const target = /** @type {SVGElement} */ (event.target);
    if (away) remove(name);
    else move(name, step, Number(target.getAttribute("cx")), Number(target.getAttribute("cy")));
  });
}

/** Lessons whose question was answered, and whether the first answer was right. @type {Record<string, boolean>} */
const counted = {};

/** How the reader does. */
function score() {
  const answers = Object.values(counted);
  const open = document.querySelectorAll(".lesson").length - answers.length;
  return tr`${answers.filter(Boolean).length} of ${answers.length} right at the first answer${open ? tr`, ${open} to go` : ""}.`;
}

/** First predict, then see. @param {HTMLElement} section @param {Lesson} lesson */
function predictions(section, lesson) {
  const { right, why, answers } = lesson.quiz;
  const verdict = the(".verdict", section);
  section.querySelectorAll(".choice").forEach((button, k) =>
    button.addEventListener("click", () => {
      counted[lesson.id] ??= k === right; // the first answer counts
      verdict.textContent = `${k === right ? tr`Yes.` : tr`Not quite. The answer is “${answers[right]}”.`} ${why} ${score()}`;
      the(".score").textContent = score();
      section.querySelectorAll(".choice").forEach((other, j) => {
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

const data = unpack(the("#lesson-data").textContent ?? "");
document.documentElement.classList.add("alive");
theme(document);
for (const [id, lesson] of Object.entries(LESSONS)) {
  const section = document.getElementById(`lesson-${id}-section`);
  if (section) enliven(section, lesson, data[id]);
}
