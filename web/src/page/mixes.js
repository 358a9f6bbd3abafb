/** The penalties that were compared: another one brings its own data, and its own words, to the page. */
import { unpack } from "./unpack.js";

/** @typedef {import("../payload.js").Payload} Payload */
/**
 * @typedef {Record<string, any[]>} ByName something of each penalty
 * @typedef {{ data: ByName, evidence: ByName | null, sections: ByName }} Held what the page holds of all: their payloads, the evidence apart, and the sections that differ, "" where a penalty has none
 */

/**
 * @param {Document} page @param {Payload} opened of the penalty that the file opens with
 */
export function mixes(page, opened) {
  const { comparison } = opened;
  const text = page.getElementById("others")?.textContent ?? "";
  const main = /** @type {HTMLElement} */ (page.querySelector("main"));
  const untouched = comparison && text ? /** @type {HTMLElement} */ (main.cloneNode(true)) : null;
  /** @type {Held | undefined} */
  let held;
  let as_in_file = true;

  /** Puts the page of a penalty in place of the one that is there. @param {number} k @returns {Payload} */
  function bring(k) {
    if (!comparison || !untouched || (as_in_file && k === comparison.current)) {
      as_in_file = false;
      return opened;
    }
    as_in_file = false;
    const fresh = /** @type {HTMLElement} */ (untouched.cloneNode(true));
    if (k === comparison.current) {
      page.querySelector("main")?.replaceWith(fresh);
      return opened;
    }
    held ??= /** @type {Held} */ (unpack(text));
    for (const [name, html] of Object.entries(of(held.sections, k))) if (html !== null) replaced(fresh, name, html);
    page.querySelector("main")?.replaceWith(fresh);
    const evidence = held.evidence && of(held.evidence, k);
    return /** @type {Payload} */ ({ ...of(held.data, k), evidence, comparison: { ...comparison, current: k } });
  }
  return { current: comparison?.current ?? 0, bring, asked: () => asked(opened) };
}

/** What stands there of one penalty. @param {ByName} by_name @param {number} k @returns {Record<string, any>} */
const of = (by_name, k) => Object.fromEntries(Object.entries(by_name).map(([name, values]) => [name, values[k]]));

/** The penalty that the address asks for. @param {Payload} opened */
function asked({ comparison }) {
  if (!comparison) return 0;
  try {
    const wanted = new URLSearchParams(location.hash.slice(1)).get("m");
    const found = comparison.mixes.findIndex((mix) => String(mix.l1_ratio) === wanted);
    return found < 0 ? comparison.current : found;
  } catch {
    return comparison.current;
  }
}

/** @param {HTMLElement} main @param {string} name @param {string} html */
function replaced(main, name, html) {
  const old = main.querySelector(`section[aria-labelledby="${name}"], nav[aria-labelledby="${name}"], div[id="${name}"]`);
  const made = document.createElement("template");
  made.innerHTML = html;
  if (old) old.replaceWith(made.content);
  else main.querySelector('section[aria-labelledby="certificate"]')?.before(made.content);
}

/** The choice above the chart; calls back with the penalty wanted. @param {Document} page @param {Payload} data @param {(k: number) => void} open */
export function choice(page, { comparison }, open) {
  const select = /** @type {HTMLSelectElement | null} */ (page.querySelector("[data-mix]"));
  if (!select || !comparison) return;
  select.value = String(comparison.current);
  select.addEventListener("change", () => {
    const top = select.getBoundingClientRect().top;
    open(Number(select.value));
    const now = /** @type {HTMLSelectElement | null} */ (page.querySelector("[data-mix]"));
    if (!now) return;
    window.scrollBy(0, now.getBoundingClientRect().top - top);
    now.focus({ preventScroll: true });
  });
}
