/** The cut-off between two classes: its slider, the costs of the two errors, and the cheapest of all. */
import { tick } from "../axes.js";
import { cellsOf, cheapest } from "../views/decisions.js";
import { all, one } from "./dom.js";

/** @param {Document} page @param {import("./store.js").Store} model */
export function cutoff(page, { data, state, set, listen }) {
  const stored = data.evidence?.decisions;
  if (!stored || !page.querySelector("[data-cutoff]")) return;
  /** @type {HTMLInputElement} */
  const slider = one(page, "[data-cutoff]");
  slider.max = String(stored.cutoffs.length - 1);
  slider.addEventListener("input", () => set({ cutoff: Number(slider.value) }));
  for (const element of all(page, "[data-cost]")) {
    const field = /** @type {HTMLInputElement} */ (element);
    const name = field.dataset.cost ?? "";
    field.value = String(Reflect.get(state, name));
    field.addEventListener("input", () => field.valueAsNumber >= 0 && set({ [name]: field.valueAsNumber }));
  }
  one(page, "[data-cheapest]").addEventListener("click", () => set({ cutoff: cheapest(cellsOf(stored, state.index, state)) }));
  one(page, "[data-even]").addEventListener("click", () => set({ cutoff: stored.cutoffs.indexOf(0.5) }));
  const show = () => {
    const value = tick(stored.cutoffs[state.cutoff]);
    slider.value = String(state.cutoff);
    slider.setAttribute("aria-valuetext", value);
    one(page, "[data-at-cutoff]").textContent = value;
  };
  listen((changed) => changed.has("cutoff") && show());
  show();
}
