/** The slider of lambda that stays on top, its number box and its keys. */
import { tr } from "../language.js";
import { figures } from "../svg.js";
import { keptOf } from "../views/columns.js";
import { shownScore } from "../views/cv_curve.js";
import { rule } from "../views/strength.js";
import { all, one } from "./dom.js";
import { nearestLambda } from "./store.js";

const THUMB = 16; // pixels: the middle of the thumb never reaches the ends of the track

/** @param {Document} page @param {import("./store.js").Store} model */
export function bar(page, model) {
  const { data, state, set, listen } = model;
  /** @type {HTMLElement} */
  const place = one(page, "[data-bar]");
  /** @type {HTMLInputElement} */
  const slider = one(place, "[data-slider]");
  /** @type {HTMLInputElement} */
  const box = one(place, "[data-number]");
  const rules = { best: data.cv?.best ?? data.picked, one_se: data.cv?.one_se ?? data.picked };
  slider.max = String(data.lambdas.length - 1);
  place.hidden = false;
  ticks(slider, data);

  slider.addEventListener("input", () => set({ index: Number(slider.value) }));
  const refused = one(place, "[data-refused]");
  let refusedAt = state.index; // what was said of the box holds as long as lambda stays
  box.addEventListener("change", () => {
    const { value, problem } = typed(box.value, data.lambdas);
    box.setAttribute("aria-invalid", String(value === null));
    refused.textContent = problem;
    refusedAt = value === null ? state.index : nearestLambda(data.lambdas, value);
    if (value === null) return; // what was typed stays to be mended
    set({ index: refusedAt });
    box.value = figures(data.lambdas[state.index]);
  });
  if (rules.best === rules.one_se) {
    one(place, '[data-go="best"]').hidden = true;
    one(place, '[data-go="one_se"]').textContent = tr`best = 1-SE`;
  }
  for (const button of all(place, "[data-go]")) {
    button.addEventListener("click", () => set({ index: rules[/** @type {"best" | "one_se"} */ (button.dataset.go)] }));
  }
  // single letters only where the focus is on the slider or on a chart, so that they are in nobody's way elsewhere
  for (const target of [slider, ...all(page, "[data-live]")]) {
    target.addEventListener("keydown", (event) => {
      const index = afterKey(event, state.index, data.lambdas.length - 1, rules);
      if (index === null || event.target !== target) return;
      event.preventDefault();
      set({ index });
    });
  }

  function show() {
    const count = keptOf(data, state.index);
    const used = data.l1_ratio === 0 ? count : tr`${count} kept`;
    slider.value = String(state.index);
    slider.setAttribute("aria-valuetext", `${figures(data.lambdas[state.index])}, ${used}`);
    if (page.activeElement !== box) {
      box.value = figures(data.lambdas[state.index]);
      box.removeAttribute("aria-invalid");
    }
    if (state.index !== refusedAt) refused.textContent = "";
    const name = rule(data, state.index);
    one(place, "[data-where]").textContent = `${name === tr`lambda` ? "" : `${name} · `}${used}${error(data, state.index)}`;
    for (const button of all(place, "[data-go]")) {
      button.setAttribute("aria-pressed", String(rules[/** @type {"best" | "one_se"} */ (button.dataset.go)] === state.index));
    }
  }
  listen((changed) => changed.has("index") && show());
  show();
}

/** The error of held-out rows, so that it is in sight wherever the reader is. @param {import("../payload.js").Payload} data @param {number} index */
function error(data, index) {
  const { name, of, digits } = shownScore(data);
  return data.cv ? tr` · CV ${name} ${figures(of(data.cv.mean[index]), digits)}` : "";
}

/**
 * The number that somebody typed, as the page writes numbers (3,464 or 1.2e-7) or with a decimal comma (0,05); else null,
 * and what is wrong. A lambda beyond the path is taken for its end, and that is said.
 * @param {string} text @param {number[]} lambdas @returns {{ value: number | null, problem: string }}
 */
export function typed(text, lambdas) {
  const plain = text.trim().replaceAll(" ", "");
  const grouped = /^[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(plain);
  const value = Number(grouped ? plain.replaceAll(",", "") : plain.replace(",", "."));
  const [most, least] = [lambdas[0], lambdas[lambdas.length - 1]];
  if (!plain || !Number.isFinite(value)) return { value: null, problem: tr`“${text.trim()}” is no number. Type one as 0.05 or 3,464.` };
  if (value < 0) return { value: null, problem: tr`lambda is never negative.` };
  if (value > most * 1.01 || value < least / 1.01) return { value, problem: tr`The path goes from ${figures(most)} to ${figures(least)}; shown is its end.` };
  return { value, problem: "" };
}

/** Where a key leads, or null. @param {KeyboardEvent} event @param {number} index @param {number} last @param {{ best: number, one_se: number }} rules */
export function afterKey(event, index, last, rules) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const page = Math.max(1, Math.round(last / 10));
  /** @type {Record<string, number>} */
  const to = {
    ArrowRight: index + 1, ArrowUp: index + 1, ArrowLeft: index - 1, ArrowDown: index - 1,
    PageUp: index + page, PageDown: index - page, Home: 0, End: last,
    b: rules.best, s: rules.one_se,
  };
  return event.key in to ? Math.min(last, Math.max(0, to[event.key])) : null;
}

/** Where the two rules stand, below the track. @param {HTMLInputElement} slider @param {import("../payload.js").Payload} data */
function ticks(slider, data) {
  if (!data.cv) return;
  const { best, one_se } = data.cv;
  const last = Math.max(1, data.lambdas.length - 1);
  const near = best !== one_se && Math.abs(best - one_se) / last < 0.16;
  const first = Math.min(best, one_se);
  const shared = near && (first / last < 0.12 || Math.max(best, one_se) / last > 0.88); // one label for both ticks
  const named = best === one_se ? [{ l: best, label: tr`best = 1-SE` }] : [{ l: one_se, label: shared ? tr`1-SE, best` : tr`1-SE` }, { l: best, label: shared ? "" : tr`best` }];
  for (const { l, label } of named) {
    const mark = slider.ownerDocument.createElement("span");
    mark.textContent = label;
    mark.setAttribute("aria-hidden", "true");
    mark.style.left = `calc(${THUMB / 2}px + ${l / last} * (100% - ${THUMB}px))`;
    // the part of the label that stands left of its tick: near ticks turn away from each other, those at the ends turn inwards
    mark.style.setProperty("--left", String(near && !shared ? Number(l === first) : l / last));
    slider.after(mark);
  }
}
