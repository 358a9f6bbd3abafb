/** The charts: drawn again when what they show has changed, but only while they can be seen. */
import { opening } from "../payload.js";
import { VIEWS } from "../views/index.js";
import { all, isNarrow, one } from "./dom.js";
import { rows as tableRows } from "./table.js";

/** What else than lambda a view shows. @type {Record<string, string[]>} */
const SHOWS = {
  coefficients: ["axis", "per_sd", "hovered", "filter"],
  effects: ["output"],
  calibration: ["output"],
  residuals: ["output"],
  geometry: ["pair", "slice"],
  sigmoid: ["scaling"],
  survival_curves: ["horizon"],
  survival_calibration: ["horizon"],
  decisions: ["cutoff", "cost_missed", "cost_alarm"],
};

/** @param {Document} page @param {import("./store.js").Model} model */
export function panels(page, { data, state, listen, drawn, signal }) {
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
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => shown.find((one) => one.place === entry.target)?.fit()));
  shown.forEach((one) => sizes.observe(one.place));
  listen((changed) => shown.forEach((one) => (changed.has("index") || SHOWS[one.id]?.some((name) => changed.has(name))) && one.stale()));
  window.addEventListener("beforeprint", () => shown.forEach((one) => one.draw()), { signal });
  signal.addEventListener("abort", () => watch.disconnect());
  // the file has the drawings of the opening state
  if (!drawn) {
    shown.forEach((one) => {
      one.stale();
      one.draw();
    });
  } else if (JSON.stringify({ ...state, narrow: false }) !== JSON.stringify(opening(data))) shown.forEach((one) => one.stale());
}

/**
 * One chart with its sentence and its table.
 * @param {import("../payload.js").View} view @param {Element} section @param {HTMLElement} place
 * @param {import("../payload.js").Payload} data @param {import("../payload.js").State} state
 */
function panel(view, section, place, data, state) {
  let [visible, fresh, narrow] = [false, true, false];
  /** @type {HTMLDetailsElement} */
  const twin = one(section, "details");
  const box = one(section, "[data-table]");
  all(section, "[data-controls]").forEach((controls) => (controls.hidden = false));

  function draw() {
    if (fresh) return;
    const drawn = view.draw(data, { ...state, narrow });
    place.innerHTML = drawn.svg;
    one(section, "[data-sentence]").textContent = drawn.sentence;
    if (twin.open) box.replaceChildren(tableRows(section.ownerDocument, drawn.table));
    fresh = true;
  }
  function stale() {
    fresh = false;
    if (visible) draw();
  }
  twin.addEventListener("toggle", () => {
    if (twin.open) box.replaceChildren(tableRows(section.ownerDocument, view.draw(data, state).table));
  });
  return {
    id: view.id,
    place,
    draw,
    stale,
    /** Draws anew where the room is now that of a phone, or no longer. */
    fit() {
      if (isNarrow(place, narrow) === narrow) return;
      narrow = !narrow;
      stale();
    },
    /** @param {boolean} now */
    see(now) {
      visible = now;
      if (!now) return;
      if (isNarrow(place, narrow) !== narrow) [narrow, fresh] = [!narrow, false]; // it was folded away when the room changed
      draw();
    },
  };
}
