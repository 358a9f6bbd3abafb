/** Paper cannot be unfolded: the explanations are open while the page is printed. */
import { all } from "./dom.js";

/** @param {Document} page @param {import("./store.js").Model} model */
export function printing(page, { signal }) {
  const folded = () => all(page, '[aria-labelledby="reading"] details:not([open])');
  /** @type {HTMLElement[]} */
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = folded();
    opened.forEach((one) => one.setAttribute("open", ""));
  }, { signal });
  window.addEventListener("afterprint", () => opened.forEach((one) => one.removeAttribute("open")), { signal });
}
