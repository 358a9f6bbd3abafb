/** A row that the reader makes, one input for each column of the table, and the prediction for it. */
import { tr } from "../language.js";
import { figures } from "../svg.js";
import { FIRST, asked, bars, inWords, predict, predictAll, probabilities, ready, someFixed, spread, startOf } from "../views/what_if.js";
import { matches, whole } from "../views/strength.js";
import * as survival from "../views/what_if_survival.js";
import { all, one } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("../payload.js").Column} Column */
/** @typedef {{ place: HTMLElement, show: () => void }} Field */

/** @param {Document} page @param {Store} model */
export function whatIf(page, model) {
  const { data, state, set, listen } = model;
  const classes = data.outputs.length > 0 && data.mathematics.has_classes;
  const ofTimes = data.hazards !== null;
  /** @type {HTMLElement} */
  const section = one(page, "[data-what-if]");
  if (!ready(data)) return;
  section.hidden = false;
  one(page, "[data-what-if-link]").hidden = false;
  const columns = asked(data);
  const stratum = strata(page, model);
  if (stratum) one(section, "[data-inputs]").append(stratum);
  const fields = columns.slice(0, FIRST).map((c) => field(page, model, c));
  one(section, "[data-inputs]").append(...fields.map((made) => made.place));
  others(section, () => columns.slice(FIRST).map((c) => field(page, model, c)), columns.length - FIRST, fields);
  one(section, "[data-fixed]").hidden = !someFixed(data);
  one(section, "[data-reset]").addEventListener("click", () => {
    set({ inputs: {}, stratum: 0 });
    if (stratum) /** @type {HTMLSelectElement} */ (one(stratum, "select")).value = "0";
    fields.forEach((made) => made.show());
  });

  function show() {
    const { terms } = predict(data, state);
    const moved = classes || terms.length > 0;
    const output = one(section, "[data-prediction]");
    output.textContent = ofTimes ? survival.inWords(data, state) : data.outputs.length ? inWords(data, state) : ofOne(model);
    output.dataset.value = String(data.outputs.length ? predictAll(data, state).values : predict(data, state).value);
    one(section, "[data-spread]").textContent = ofTimes ? survival.spread(data, state) : spread(data, state);
    one(section, "[data-survival]").hidden = !ofTimes;
    if (ofTimes) one(section, "[data-survival]").innerHTML = survival.drawn(data, state);
    one(section, "[data-terms]").innerHTML = !moved ? "" : classes ? probabilities(data, state) : bars(data, state);
    one(section, "[data-terms]").hidden = !moved;
    one(section, "[data-unmoved]").hidden = moved;
  }
  listen((changed) => ["index", "inputs", "narrow", "output", "stratum", "horizon"].some((name) => changed.has(name)) && show());
  show();
}

/** The choice of a stratum, which has a hazard of its own; null where there is one. @param {Document} page @param {Store} model */
function strata(page, { data, state, set }) {
  const names = data.hazards?.strata ?? [];
  if (names.length < 2) return null;
  const place = page.createElement("div");
  const label = page.createElement("label");
  label.htmlFor = "input-stratum";
  label.textContent = tr`stratum`;
  const select = page.createElement("select");
  select.id = "input-stratum";
  select.dataset.stratum = "";
  select.autocomplete = "off";
  names.forEach((name, k) => select.add(new Option(name, String(k))));
  select.value = String(state.stratum);
  select.addEventListener("change", () => set({ stratum: Number(select.value) }));
  place.append(label, select);
  return place;
}

/** The prediction of a model with one output. @param {Store} model */
function ofOne({ data, state }) {
  const { has_classes, predicted } = data.mathematics;
  const { value, typical } = predict(data, state);
  const what = has_classes ? tr`${predicted} of “${data.classes[1] ?? 1}”` : tr`${predicted} ${data.title}`;
  return `${what}: ${figures(value, 4)}${Object.keys(state.inputs).length ? tr` (at the start ${figures(typical, 4)})` : ""}`;
}

/**
 * The columns that count less, folded, with a search for their names; made when they are first unfolded.
 * @param {HTMLElement} section @param {() => Field[]} make @param {number} count @param {Field[]} fields
 */
function others(section, make, count, fields) {
  /** @type {HTMLDetailsElement} */
  const more = one(section, "[data-more]");
  more.hidden = count <= 0;
  one(more, "summary").textContent = count === 1 ? tr`1 more column` : tr`${count} more columns`;
  /** @type {HTMLInputElement} */
  const search = one(more, "input[type=search]");
  const place = one(more, "[data-more-inputs]");
  more.addEventListener("toggle", () => {
    if (place.childElementCount) return;
    const made = make();
    fields.push(...made);
    place.append(...made.map((other) => other.place));
  });
  search.addEventListener("input", () => {
    for (const made of all(place, ":scope > div")) made.hidden = !matches(made.dataset.name ?? "", search.value);
  });
}

/** The input of one column: a choice of its levels, or a number. @param {Document} page @param {Store} model @param {number} c @returns {Field} */
function field(page, model, c) {
  const column = model.data.columns[c];
  const place = page.createElement("div");
  place.dataset.name = column.name;
  const label = page.createElement("label");
  label.htmlFor = `input-${c}`;
  const name = page.createElement("bdi");
  name.textContent = column.name;
  label.append(name);
  place.append(label);
  const take = (/** @type {number | "missing"} */ input) => model.set({ inputs: { ...model.state.inputs, [c]: input } });
  const show = column.is_number ? numberField(page, place, column, c, take) : choice(page, place, column, c, take);
  show();
  return { place, show };
}

/**
 * A list of levels with the number of rows of each; all other levels of the column are then zero.
 * @param {Document} page @param {HTMLElement} place @param {Column} column @param {number} c @param {(input: number) => void} take
 */
function choice(page, place, column, c, take) {
  const select = page.createElement("select");
  select.id = `input-${c}`;
  select.dataset.input = String(c);
  select.autocomplete = "off";
  const order = new Intl.Collator(page.documentElement.lang, { numeric: true }).compare;
  const levels = [...column.levels.keys()].sort((a, b) => order(column.levels[a], column.levels[b]));
  for (const k of levels) select.add(new Option(`${column.levels[k]} (${rowsOf(column, k)})`, String(k)));
  select.addEventListener("change", () => take(Number(select.value)));
  place.append(select);
  return () => (select.value = String(startOf(column)));
}

/** @param {Column} column @param {number} k */
function rowsOf({ n_rows }, k) {
  const count = n_rows?.[k] ?? 0;
  return count === 1 ? tr`1 row` : tr`${whole(count)} rows`;
}

/**
 * A slider and a number box that stay within what the data hold, and a mark for a missing value where there were any.
 * @param {Document} page @param {HTMLElement} place @param {Column} column @param {number} c @param {(input: number | "missing") => void} take
 */
function numberField(page, place, column, c, take) {
  const [low, middle, high] = column.range ?? [0, 0, 0];
  const digits = column.whole || high === low ? 0 : Math.max(0, 3 - Math.floor(Math.log10(high - low)));
  const rounded = (/** @type {number} */ value) => Math.min(high, Math.max(low, digits > 20 ? value : Number(value.toFixed(digits))));
  const told = (/** @type {number} */ value) => (column.whole ? whole(value) : figures(value, 4));
  const slider = input(page, "range", { min: low, max: high, step: column.whole ? 1 : "any", "aria-label": tr`${column.name}, slider` });
  const box = input(page, "number", { min: low, max: high, step: column.whole ? 1 : "any", id: `input-${c}`, "data-input": c });
  const note = page.createElement("p");
  note.className = "faint";
  note.setAttribute("role", "status");
  const known = column.number !== null; // otherwise it counts only whether the number is missing
  if (known) place.append(slider, box);
  const gap = input(page, "checkbox", {});
  if (column.levels.length > 0) {
    const label = page.createElement("label");
    label.append(gap, known ? tr` missing` : tr` ${column.name} is missing`);
    place.append(label);
  }
  place.append(note);
  const within = (/** @type {number} */ value) => {
    const held = Math.min(high, Math.max(low, value));
    note.textContent = held === value ? "" : tr`The data hold ${told(low)} to ${told(high)}: counted as ${told(held)}.`;
    slider.value = String(held);
    take(held);
  };
  slider.addEventListener("input", () => {
    box.value = String(rounded(Number(slider.value)));
    within(Number(box.value));
  });
  box.addEventListener("input", () => Number.isFinite(box.valueAsNumber) && within(box.valueAsNumber));
  gap.addEventListener("change", () => {
    slider.disabled = box.disabled = gap.checked;
    take(gap.checked ? "missing" : known ? Number(slider.value) : middle);
  });
  return () => {
    gap.checked = slider.disabled = box.disabled = false;
    note.textContent = "";
    slider.value = box.value = String(middle);
  };
}

/** @param {Document} page @param {string} type @param {Record<string, string | number>} attributes */
function input(page, type, attributes) {
  const made = page.createElement("input");
  made.type = type;
  made.autocomplete = "off";
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, String(value)));
  return made;
}
