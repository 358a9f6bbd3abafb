/** The charts: drawn again when what they show has changed, but only while they can be seen. */
import { opening } from "../payload.js";
import { VIEWS } from "../views/index.js";
import { all, one } from "./dom.js";
import { rows as tableRows } from "./table.js";

/** What else than lambda and the width of the window a view shows. @type {Record<string, string[]>} */
const SHOWS = {
  coefficients: ["axis", "per_sd", "hovered", "filter"],
  effects: ["output"],
  calibration: ["output"],
  residuals: ["output"],
  geometry: ["pair", "slice"],
  sigmoid: ["scaling"],
  decisions: ["cutoff", "cost_missed", "cost_alarm"],
};

/** @param {Document} page @param {import("./store.js").Store} model */
export function panels(page, { data, state, listen }) {
  const shown = VIEWS.filter((view) => view.id !== "features").flatMap((view) => {
    const section = page.querySelector(`[data-view="${view.id}"]`);
    const place = section?.querySelector("[data-live]");
    return section && place ? [panel(view, section, /** @type {HTMLElement} */ (place), data, state)] : [];
  });
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const found = shown.find((one) => one.place === entry.target);
      found?.see(entry.isIntersecting);
    }
  }, { rootMargin: "100px" });
  shown.forEach((one) => watch.observe(one.place));
  listen((changed) => shown.forEach((one) => (changed.has("index") || changed.has("narrow") || SHOWS[one.id]?.some((name) => changed.has(name))) && one.stale()));
  window.addEventListener("beforeprint", () => shown.forEach((one) => one.draw()));
  // the file has the drawings of the opening state
  if (JSON.stringify(state) !== JSON.stringify(opening(data))) shown.forEach((one) => one.stale());
}

/**
 * One chart with its sentence and its table.
 * @param {import("../payload.js").View} view @param {Element} section @param {HTMLElement} place
 * @param {import("../payload.js").Payload} data @param {import("../payload.js").State} state
 */
function panel(view, section, place, data, state) {
  let [visible, fresh] = [false, true];
  /** @type {HTMLDetailsElement} */
  const twin = one(section, "details");
  const box = one(section, "[data-table]");
  all(section, "[data-controls]").forEach((controls) => (controls.hidden = false));

  function draw() {
    if (fresh) return;
    const drawn = view.draw(data, state);
    place.innerHTML = drawn.svg;
    one(section, "[data-sentence]").textContent = drawn.sentence;
    if (twin.open) box.replaceChildren(tableRows(section.ownerDocument, drawn.table));
    fresh = true;
  }
  twin.addEventListener("toggle", () => {
    if (twin.open) box.replaceChildren(tableRows(section.ownerDocument, view.draw(data, state).table));
  });
  return {
    id: view.id,
    place,
    draw,
    stale() {
      fresh = false;
      if (visible) draw();
    },
    /** @param {boolean} now */
    see(now) {
      visible = now;
      if (now) draw();
    },
  };
}
