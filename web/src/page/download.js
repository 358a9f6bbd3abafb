/** The coefficients at this lambda as a file or on the clipboard. */
import { tr } from "../language.js";
import { coefficientOf } from "../views/outputs.js";
import { all, one } from "./dom.js";

/** @typedef {import("../payload.js").Payload} Payload */

const MARK = "\ufeff"; // without it Excel takes a file for one of its own old alphabets

/** A name without the marks that isolate it in sentences. @param {string} name */
const plain = (name) => name.replace(/[\u2068\u2069]/gu, "");

/** @typedef {{ feature: string, output?: string, per_sd: number | null, per_unit: number, [factor: string]: string | number | null | undefined }} Row */

/** Every feature of the page that is not zero at a lambda, and the intercept, by the names of coefficients.csv. @param {Payload} data @param {number} index @returns {Row[]} */
export function coefficientRows(data, index) {
  if (data.outputs.length) return ofOutputs(data, index);
  const { factor_column: factor, of_times } = data.mathematics;
  /** @type {(coef: number, scale: number | null) => Record<string, number>} */
  const factors = (coef, scale) => (!factor ? {} : of_times ? { [`${factor}_per_sd`]: Math.exp(coef * (scale ?? 1)), [`${factor}_per_unit`]: Math.exp(coef) } : { [factor]: Math.exp(coef) });
  const row = (/** @type {string} */ feature, /** @type {number} */ coef, /** @type {number | null} */ scale) => ({ feature, per_sd: scale === null ? null : coef * scale, per_unit: coef, ...factors(coef, scale) });
  const listed = data.features.map((one) => row(one.name, one.coefs[index], one.scale));
  const others = data.others.map(({ name, scale, coefs }) => row(name, coefs.find(([l]) => l === index)?.[1] ?? 0, scale));
  const kept = [...listed, ...others].filter((one) => one.per_unit !== 0);
  return of_times ? kept : [...kept, row("(intercept)", data.intercepts[index], null)];
}

/** A row for each feature and output; of the features that are not listed the page knows lengths only. @param {Payload} data @param {number} index @returns {Row[]} */
function ofOutputs(data, index) {
  const intercepts = data.outputs.map(({ name, intercepts }) => ({ feature: "(intercept)", output: name, per_sd: null, per_unit: intercepts[index] }));
  const kept = data.features.filter((one) => one.coefs[index] !== 0);
  return [...kept.flatMap((one) => data.outputs.map(({ name }, k) => ({ feature: one.name, output: name, per_sd: coefficientOf(one, k, index, true), per_unit: coefficientOf(one, k, index, false) }))), ...intercepts];
}

/** Text that a spreadsheet takes for text, too: what looks like a formula gets an apostrophe. @param {string} text */
function quoted(text) {
  const guarded = /^[=+\-@\t\r]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/u.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** @param {Payload} data @param {number} index */
export function asCsv(data, index) {
  const rows = coefficientRows(data, index);
  const written = rows.map((row) => Object.values(row).map((cell) => (typeof cell === "string" ? quoted(cell) : String(cell ?? ""))));
  return [Object.keys(rows[0] ?? { feature: "" }), ...written, []].map((cells) => cells.join(",")).join("\n");
}

/** @param {Payload} data @param {number} index */
export function asJson(data, index) {
  const { title, family, penalty, version } = data;
  return JSON.stringify({ target: plain(title), family, penalty, lambda: data.lambdas[index], coefficients: coefficientRows(data, index), normball: version }, null, 1);
}

/** @param {Document} page @param {import("./store.js").Store} model */
export function downloads(page, { data, state }) {
  const place = page.querySelector('[data-view="features"]');
  if (!place) return;
  const complete = data.others_complete && (data.outputs.length === 0 || data.others.length === 0);
  const note = complete ? "" : tr` It has the features of this page; coefficients.csv beside it has all.`;
  const said = (/** @type {string} */ text) => (one(place, "[data-saved]").textContent = text + note);
  for (const button of all(place, "[data-save]")) {
    button.addEventListener("click", () => {
      const csv = button.dataset.save === "csv";
      const mix = data.comparison ? `${data.comparison.mixes[data.comparison.current].name.replaceAll(" ", "_")}_` : "";
      const name = `coefficients_${mix}${data.lambdas[state.index].toPrecision(3)}.${csv ? "csv" : "json"}`;
      save(page, name, csv ? MARK + asCsv(data, state.index) : asJson(data, state.index), csv ? "text/csv" : "application/json");
      said(tr`${name} is saved; where the browser does not allow that, use Copy.`);
    });
  }
  one(place, "[data-copy]").addEventListener("click", async () => {
    said((await copy(page, asCsv(data, state.index))) ? tr`Copied.` : tr`The browser does not allow copying here.`);
  });
}

/** @param {Document} page @param {string} name @param {string} text @param {string} kind */
export function save(page, name, text, kind) {
  const link = page.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: `${kind};charset=utf-8` }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** The clipboard may be forbidden, as in a frame without rights; then the old way is tried. @param {Document} page @param {string} text */
export async function copy(page, text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = page.createElement("textarea");
    area.value = text;
    page.body.append(area);
    area.select();
    const done = page.execCommand("copy");
    area.remove();
    return done;
  }
}
