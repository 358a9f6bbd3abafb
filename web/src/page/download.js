/** The coefficients at this lambda as a file or on the clipboard. */
import { coefficientOf } from "../views/outputs.js";
import { all, one } from "./dom.js";

/** @typedef {import("../payload.js").Payload} Payload */

/** A name without the marks that isolate it in sentences. @param {string} name */
const plain = (name) => name.replace(/[\u2068\u2069]/gu, "");

/** The intercept and every feature of the page that is not zero at a lambda. @param {Payload} data @param {number} index @returns {{ feature: string, output?: string, coef: number, coef_per_sd: number | null }[]} */
export function coefficientRows(data, index) {
  if (data.outputs.length) return ofOutputs(data, index);
  const listed = data.features.map((one) => ({ feature: one.key, coef: one.coefs[index], coef_per_sd: one.coefs[index] * one.scale }));
  const others = data.others.map(({ key, scale, coefs }) => {
    const coef = coefs.find(([l]) => l === index)?.[1] ?? 0;
    return { feature: key, coef, coef_per_sd: coef * scale };
  });
  return [{ feature: "(intercept)", coef: data.intercepts[index], coef_per_sd: null }, ...[...listed, ...others].filter((row) => row.coef !== 0)];
}

/** A row for each feature and output; of the features that are not listed the page knows lengths only. @param {Payload} data @param {number} index */
function ofOutputs(data, index) {
  const intercepts = data.outputs.map(({ name, intercepts }) => ({ feature: "(intercept)", output: plain(name), coef: intercepts[index], coef_per_sd: null }));
  const kept = data.features.filter((one) => one.coefs[index] !== 0);
  return [...intercepts, ...kept.flatMap((one) => data.outputs.map(({ name }, k) => ({ feature: one.key, output: plain(name), coef: coefficientOf(one, k, index, false), coef_per_sd: coefficientOf(one, k, index, true) })))];
}

/** Text that a spreadsheet takes for text, too: what looks like a formula gets an apostrophe. @param {string} text */
function quoted(text) {
  const guarded = /^[=+\-@\t\r]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/u.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** @param {Payload} data @param {number} index */
export function asCsv(data, index) {
  const several = data.outputs.length > 0;
  const rows = coefficientRows(data, index).map((row) => `${quoted(row.feature)},${several ? `${quoted(row.output ?? "")},` : ""}${row.coef},${row.coef_per_sd ?? ""}`);
  return [`feature,${several ? "output," : ""}coef,coef_per_sd`, ...rows, ""].join("\n");
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
  const note = complete ? "" : " It has the features of this page; coefficients.csv beside it has all.";
  const said = (/** @type {string} */ text) => (one(place, "[data-saved]").textContent = text + note);
  for (const button of all(place, "[data-save]")) {
    button.addEventListener("click", () => {
      const csv = button.dataset.save === "csv";
      const name = `coefficients_${data.lambdas[state.index].toPrecision(3)}.${csv ? "csv" : "json"}`;
      save(page, name, csv ? asCsv(data, state.index) : asJson(data, state.index), csv ? "text/csv" : "application/json");
      said(`${name} is saved; where the browser does not allow that, use Copy.`);
    });
  }
  one(place, "[data-copy]").addEventListener("click", async () => {
    said((await copy(page, asCsv(data, state.index))) ? "Copied." : "The browser does not allow copying here.");
  });
}

/** @param {Document} page @param {string} name @param {string} text @param {string} kind */
function save(page, name, text, kind) {
  const link = page.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: `${kind};charset=utf-8` }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** The clipboard may be forbidden, as in a frame without rights; then the old way is tried. @param {Document} page @param {string} text */
async function copy(page, text) {
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
