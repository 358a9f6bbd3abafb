/** Paper cannot be unfolded: the explanations are open while the page is printed. */
import { all } from "./dom.js";

/** @param {Document} page */
export function printing(page) {
  const folded = () => all(page, '[aria-labelledby="reading"] details:not([open])');
  /** @type {HTMLElement[]} */
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = folded();
    opened.forEach((one) => one.setAttribute("open", ""));
  });
  window.addEventListener("afterprint", () => opened.forEach((one) => one.removeAttribute("open")));
}
