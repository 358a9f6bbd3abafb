/** The report in a browser: one state, and everything on the page follows it. */
import { opening } from "../payload.js";
import { bar } from "./bar.js";
import { controls } from "./controls.js";
import { cutoff } from "./cutoff.js";
import { downloads } from "./download.js";
import { address, remembered } from "./hash.js";
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

/** @param {Document} page */
function start(page) {
  /** @type {import("../payload.js").Payload} */
  const data = unpack(/** @type {HTMLElement} */ (page.getElementById("payload")).textContent ?? "");
  const phone = window.matchMedia("(max-width: 34rem)");
  const model = store(data, { ...opening(data), ...remembered(data), narrow: phone.matches });
  phone.addEventListener("change", () => model.set({ narrow: phone.matches }));
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
  printing(page);
  address(model);
}

start(document);
