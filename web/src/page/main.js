/** The report in a browser: one state, and everything on the page follows it. */
import { opening } from "../payload.js";
import { bar } from "./bar.js";
import { controls } from "./controls.js";
import { cutoff } from "./cutoff.js";
import { downloads } from "./download.js";
import { address, remembered } from "./hash.js";
import { choice, mixes } from "./mixes.js";
import { panels } from "./panels.js";
import { pictures } from "./pictures.js";
import { pointing } from "./pointing.js";
import { printing } from "./print.js";
import { recipes } from "./recipes.js";
import { store } from "./store.js";
import { featureTable } from "./table.js";
import { theme } from "./theme.js";
import { unpack } from "./unpack.js";
import { verdictLine } from "./verdict.js";
import { whatIf } from "./what_if.js";

/** @typedef {import("../payload.js").State} State */

/** @param {Document} page */
function start(page) {
  const held = mixes(page, unpack(/** @type {HTMLElement} */ (page.getElementById("payload")).textContent ?? ""));
  const first = held.asked();
  let left = new AbortController();
  let current = first;

  /** Shows a penalty, by the address or as the reader left another one; `drawn` where the file has its drawings. @param {number} k @param {State | null} before @param {boolean} drawn */
  function open(k, before, drawn) {
    left.abort();
    left = new AbortController();
    const state = shown(page, held.bring(k), { before, drawn, signal: left.signal, open: (other) => open(other, state, false) });
    current = k;
  }
  open(first, null, first === held.current);
  window.addEventListener("hashchange", () => held.asked() !== current && open(held.asked(), null, false));
}

/** What a reader chose that means the same under another penalty. @param {State} state @returns {Partial<State>} */
const carried = ({ axis, per_sd, slice, scaling, filter, output, horizon }) => ({ axis, per_sd, slice, scaling, filter, output, horizon });

/**
 * The page of one penalty, until the signal.
 * @param {Document} page @param {import("../payload.js").Payload} data
 * @param {{ before: State | null, drawn: boolean, signal: AbortSignal, open: (k: number) => void }} how
 */
function shown(page, data, { before, drawn, signal, open }) {
  const phone = window.matchMedia("(max-width: 34rem)");
  const first = opening(data);
  const chosen = before ? { ...carried(before), index: first.index } : {}; // another penalty has other lambdas
  const model = { ...store(data, { ...first, ...remembered(data), ...chosen, narrow: phone.matches }), drawn, signal };
  phone.addEventListener("change", () => model.set({ narrow: phone.matches }), { signal });
  theme(page);
  bar(page, model);
  verdictLine(page, model);
  panels(page, model);
  featureTable(page, model);
  pictures(page);
  pointing(page, model);
  controls(page, model);
  cutoff(page, model);
  whatIf(page, model);
  downloads(page, model);
  recipes(page, model);
  printing(page, model);
  address(model);
  choice(page, data, open);
  return model.state;
}

start(document);
