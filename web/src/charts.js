/** What Python calls: data in, text out, no document. */
import { opening } from "./payload.js";
import { VIEWS } from "./views/index.js";
export { lessons } from "./learn/lessons.js";

export { verdict } from "./views/verdict.js";

/**
 * Every view of a report at its opening state, for the file as it is before any script has run.
 * @param {import("./payload.js").Payload} data
 */
export function report(data) {
  const state = opening(data);
  return VIEWS.map((view) => {
    const missing = view.missing(data);
    return { id: view.id, title: view.title, missing, ...(missing ? {} : view.draw(data, state)) };
  });
}

/**
 * What stands above each view, and why it cannot be drawn where it cannot.
 * @param {import("./payload.js").Payload} data
 */
export const outline = (data) => VIEWS.map(({ id, title, missing }) => ({ id, title, missing: missing(data) }));
