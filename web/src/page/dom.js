/** Finding elements by their data-attributes. */

/** All elements that match. @param {ParentNode} within @param {string} selector @returns {HTMLElement[]} */
export const all = (within, selector) => [...within.querySelectorAll(selector)].map((found) => /** @type {HTMLElement} */ (found));

/** The one element that the template has. @template {HTMLElement} T @param {ParentNode} within @param {string} selector @returns {T} */
export function one(within, selector) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return /** @type {T} */ (found);
}

/** Calls back once it has been quiet for a while. @param {() => void} act @param {number} wait milliseconds */
export function quietly(act, wait) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(act, wait);
  };
}
