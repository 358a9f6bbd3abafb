/** What a reader can choose above single charts. */
import { figures } from "../svg.js";
import { timed } from "../views/survival.js";
import { all } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */

/** @param {Document} page @param {Store} model */
export function controls(page, model) {
  const { state, set } = model;
  for (const element of all(page, "[data-set]")) {
    const field = /** @type {HTMLInputElement | HTMLSelectElement} */ (element);
    const name = field.dataset.set ?? "";
    field.addEventListener(field instanceof HTMLSelectElement ? "change" : "input", () => {
      set(name === "per_sd" ? { per_sd: field.value === "sd" } : { [name]: name === "output" ? Number(field.value) : field.value });
    });
    const show = () => (field.value = name === "per_sd" ? (state.per_sd ? "sd" : "unit") : String(Reflect.get(state, name)));
    if (name === "output") model.listen((changed) => changed.has("output") && show()); // it stands above several charts
    show();
  }
  horizons(page, model);
  pairs(page, model);
  scaling(page, model);
}

/** The time up to which survival is told, above both charts that do. @param {Document} page @param {Store} model */
function horizons(page, { data, state, set, listen }) {
  const selects = all(page, "[data-horizon]").map((element) => /** @type {HTMLSelectElement} */ (element));
  const show = () => selects.forEach((select) => (select.value = String(state.horizon)));
  for (const select of selects) {
    data.evidence?.survival?.horizons.forEach((time, k) => select.add(new Option(timed(data, time), String(k))));
    select.addEventListener("change", () => set({ horizon: Number(select.value) }));
  }
  listen((changed) => changed.has("horizon") && show());
  show();
}

/** The two features of the geometry. @param {Document} page @param {Store} model */
function pairs(page, { data, state, set, listen }) {
  const selects = all(page, "[data-pair]").map((element) => /** @type {HTMLSelectElement} */ (element));
  const show = () => selects.forEach((select, k) => (select.value = String(state.pair[k])));
  selects.forEach((select, k) => {
    data.features.forEach((feature, j) => select.add(new Option(feature.name, String(j))));
    select.addEventListener("change", () => {
      const chosen = Number(select.value);
      const other = state.pair[1 - k] === chosen ? state.pair[k] : state.pair[1 - k];
      set({ pair: k === 0 ? [chosen, other] : [other, chosen] });
    });
  });
  listen((changed) => changed.has("pair") && show());
  show();
}

/** The slider of the weights, on a logarithmic scale. @param {Document} page @param {Store} model */
function scaling(page, { state, set }) {
  const slider = /** @type {HTMLInputElement | null} */ (page.querySelector("[data-scaling]"));
  const shown = page.querySelector("[data-scaled]");
  if (!slider || !shown) return;
  slider.value = String(Math.log10(state.scaling));
  slider.addEventListener("input", () => {
    const factor = 10 ** Number(slider.value);
    shown.textContent = figures(factor);
    slider.setAttribute("aria-valuetext", figures(factor));
    set({ scaling: factor });
  });
}
