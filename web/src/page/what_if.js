/** Inputs for the features that count most, and the prediction for them. */
import { figures } from "../svg.js";
import { asked, bars, inWords, mean, predict, predictAll, probabilities, ready } from "../views/what_if.js";
import { all, one } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */

/** @param {Document} page @param {Store} model */
export function whatIf(page, model) {
  const { data, state, set, listen } = model;
  const [several, { has_classes }] = [data.outputs.length > 0, data.mathematics];
  /** @type {HTMLElement} */
  const section = one(page, "[data-what-if]");
  if (!ready(data)) return;
  section.hidden = false;
  one(page, "[data-what-if-link]").hidden = false;
  const fields = asked(data).map((j) => field(page, model, j));
  one(section, "[data-inputs]").append(...fields.map((made) => made.place));
  one(section, "[data-reset]").addEventListener("click", () => {
    set({ inputs: {} });
    fields.forEach((made) => made.reset());
  });

  function show() {
    const { value, typical, terms } = predict(data, state);
    const moved = several && has_classes ? true : terms.some((term) => term.amount !== 0);
    const output = one(section, "[data-prediction]");
    output.textContent = several ? inWords(data, state) : `${words(data)}: ${figures(value, 4)} (${figures(typical, 4)} with every feature at its mean)`;
    output.dataset.value = String(several ? predictAll(data, state).values : value);
    one(section, "[data-terms]").innerHTML = !moved ? "" : several && has_classes ? probabilities(data, state) : bars(data, state);
    one(section, "[data-terms]").hidden = !moved;
    one(section, "[data-unmoved]").hidden = moved;
  }
  listen((changed) => ["index", "inputs", "narrow", "output"].some((name) => changed.has(name)) && show());
  show();
  all(section, "input").forEach((input) => input.setAttribute("autocomplete", "off"));
}

/** @param {import("../payload.js").Payload} data */
function words(data) {
  const { has_classes, predicted } = data.mathematics;
  return has_classes ? `${predicted} of ${data.title} = ${data.classes[1] ?? 1}` : `${predicted} ${data.title}`;
}

/** A slider and a number box for one feature. @param {Document} page @param {Store} model @param {number} j */
function field(page, { data, state, set }, j) {
  const feature = data.features[j];
  const low = data.evidence?.ranges_low[j] ?? mean(feature) - 2 * feature.scale;
  const high = data.evidence?.ranges_high[j] ?? mean(feature) + 2 * feature.scale;
  const place = page.createElement("div");
  const label = page.createElement("label");
  label.htmlFor = `input-${j}`;
  const name = page.createElement("bdi");
  name.textContent = feature.name;
  label.append(name);
  const slider = input(page, "range", { min: low, max: high, step: "any" });
  slider.setAttribute("aria-label", `${feature.name}, slider`);
  const box = input(page, "number", { step: "any" });
  box.id = `input-${j}`;
  box.dataset.input = String(j);
  place.append(label, slider, box);

  const reset = () => {
    const middle = Math.abs(mean(feature)) < 1e-9 * feature.scale ? 0 : mean(feature); // a centred column
    slider.value = String(middle);
    box.value = String(Number(middle.toPrecision(4)));
  };
  const take = (/** @type {number} */ value) => set({ inputs: { ...state.inputs, [j]: value } });
  slider.addEventListener("input", () => {
    const value = Number(Number(slider.value).toPrecision(4));
    box.value = String(value);
    take(value);
  });
  box.addEventListener("input", () => {
    if (!Number.isFinite(box.valueAsNumber)) return;
    slider.value = box.value;
    take(box.valueAsNumber);
  });
  reset();
  return { place, reset };
}

/** @param {Document} page @param {string} type @param {Record<string, string | number>} attributes */
function input(page, type, attributes) {
  const made = page.createElement("input");
  made.type = type;
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, String(value)));
  return made;
}
