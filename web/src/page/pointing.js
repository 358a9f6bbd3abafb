/** The pointer on the charts over the path: near a curve it isolates it, a click moves lambda there. */
import { coefficients, nearest } from "../views/coefficients.js";
import { alongChart } from "../views/cv_curve.js";
import { LEFT } from "../views/strength.js";
import { isNarrow } from "./dom.js";

/** @typedef {import("./store.js").Store} Store */

/** @param {Document} page @param {Store} model */
export function pointing(page, model) {
  const { data, state, set } = model;
  const path = page.querySelector('[data-live="coefficients"]');
  if (path && !coefficients.missing(data)) {
    const here = () => ({ ...state, narrow: isNarrow(path, state.narrow) });
    on(path, "pointermove", (across, down) => set({ hovered: nearest(data, here(), across, down).feature }));
    on(path, "click", (across, down) => set({ index: nearest(data, here(), across, down).index }));
    path.addEventListener("pointerleave", () => set({ hovered: null }));
  }
  const curve = page.querySelector('[data-live="cv_curve"]');
  if (curve && data.cv) {
    on(curve, "click", (across) => {
      if (across < LEFT) return;
      const { at } = alongChart(data, state.index);
      set({ index: at.reduce((best, place, l) => (Math.abs(place - across) < Math.abs(at[best] - across) ? l : best), 0) });
    });
  }
}

/** Calls back with the place in the units of the drawing. @param {Element} place @param {"click" | "pointermove"} kind @param {(across: number, down: number) => void} act */
function on(place, kind, act) {
  place.addEventListener(kind, (event) => {
    const drawing = place.querySelector("svg");
    const box = drawing?.getBoundingClientRect();
    if (!drawing || !box?.width || !(event instanceof MouseEvent)) return;
    const unit = drawing.viewBox.baseVal.width / box.width;
    act((event.clientX - box.left) * unit, (event.clientY - box.top) * unit);
  });
}
