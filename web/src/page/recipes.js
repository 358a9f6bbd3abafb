/** The code for other programs, and the row of the certificates, at this lambda. */
import { all } from "./dom.js";

/** @param {Document} page @param {import("./store.js").Store} model */
export function recipes(page, { data, state, listen }) {
  const places = all(page, "[data-recipe]");
  // a strength that was picked by its number may lie between two of the grid: the file has the code for it
  const picked = places.map((place) => place.textContent ?? "");
  const rows = all(page, "[data-every-lambda] tbody tr");
  /** @type {HTMLElement | undefined} */
  let marked;
  const show = () => {
    places.forEach((place, k) => (place.textContent = state.index === data.picked ? picked[k] : data.recipes[Number(place.dataset.recipe)][state.index]));
    const row = rows[state.index];
    marked?.classList.remove("on");
    marked?.removeAttribute("aria-current");
    row.classList.add("on");
    row.setAttribute("aria-current", "true");
    marked = row;
  };
  listen((changed) => changed.has("index") && show());
  show();
}
