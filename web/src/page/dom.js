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

const ROOM = 640; // pixels that a chart needs to be drawn wide

/** Whether a chart in this place is drawn as for a phone; what is folded away stays as it is. @param {Element} place @param {boolean} now */
export const isNarrow = (place, now) => (place.clientWidth > 0 ? place.clientWidth < ROOM : now);
