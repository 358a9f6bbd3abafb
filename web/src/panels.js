/** Pieces that several views of the data share: the lambda axis of a small panel, keys, hatching and bars. */
import { tr } from "./language.js";
import { scaleLog } from "d3-scale";
import { FAINT, GRID, element, figures, segment, words } from "./svg.js";
import { tick } from "./axes.js";

export const NEEDS_DATA = tr`This view needs the data: normball report model.json --data FILE.`;
/** What views of single coefficients say of a model whose penalty acts on groups of them. */
export const ON_GROUPS = tr`This view draws penalties of single coefficients; the penalty of this model acts on groups of features.`;

/** What views of one linear predictor say of a model that has several; the page leaves them out. */
export const ONE_OUTPUT = tr`This view draws a model with one prediction for each row; this one has several.`;

/** Charts of the data are drawn this wide: readable at 330 pixels, and no coarser on a wide screen. */
const WIDTH = 620;
/** All charts are drawn this wide for a phone. */
export const NARROW = 400;

/** Width and look of a chart of the data, and where its plot ends. @param {import("./payload.js").State} state */
export const sized = ({ narrow }) => (narrow ? { width: NARROW, right: 388, style: undefined } : { width: WIDTH, right: 604, style: "max-width: 44rem; min-width: 30rem" });

/** Entries of a key in columns, row after row. @param {((x: number, y: number) => string)[]} entries @param {number[]} columns @param {number} y of the first row */
export const inColumns = (entries, columns, y) => entries.map((entry, k) => entry(columns[k % columns.length], y + 24 * Math.floor(k / columns.length))).join("");

/** @param {number | null | undefined} value @returns {value is number} */
export const known = (value) => typeof value === "number" && Number.isFinite(value);

/** A whole number as people write it. @param {number} count */
export const whole = (count) => figures(Math.round(count), Math.max(1, String(Math.abs(Math.round(count))).length));

/** @param {number | null | undefined} share */
export function percent(share) {
  if (!known(share)) return "–";
  return share >= 0.9999 ? "100%" : `${figures(100 * share, share > 0.995 ? 4 : 2)}%`;
}

/** Strong penalties on the left. A lambda of 0 stands one step beyond the smallest positive one. @param {number[]} lambdas @param {[number, number]} range */
export function lambdaScale(lambdas, range) {
  const positive = lambdas.filter((lambda) => lambda > 0);
  const most = positive.length ? Math.max(...positive) : 1;
  const least = positive.length ? Math.min(...positive) : 1;
  const low = positive.length < lambdas.length || most === least ? least / 2 : least;
  const scale = scaleLog().domain([most === least ? most * 2 : most, low]).range(range);
  const place = (/** @type {number} */ lambda) => scale(Math.max(lambda, low));
  return { scale, place };
}

/** Tick words of a logarithmic axis: powers of ten, or 1, 2 and 5 where there are few of them. @param {[number, number]} domain */
export function logTicks(domain) {
  const decades = Math.abs(Math.log10(domain[0] / domain[1]));
  const wanted = decades > 1.9 ? [1] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / 5));
  return (/** @type {number} */ value) => {
    const power = Math.floor(Math.log10(value) + 1e-9);
    const first = Math.round(value / 10 ** power);
    return wanted.includes(first) && power % every === 0 ? tick(value) : "";
  };
}

/** The place of the stored lambda nearest to the one in use, as a position in `at`. @param {number[]} at @param {number} index */
export function nearest(at, index) {
  let best = 0;
  at.forEach((one, place) => {
    if (Math.abs(one - index) < Math.abs(at[best] - index)) best = place;
  });
  return best;
}

/** Said where a picture is of another lambda than the one in use. @param {number[]} lambdas @param {number} stored @param {number} index */
export const borrowed = (lambdas, stored, index) => (stored === index ? "" : tr` Stored for lambda = ${figures(lambdas[stored])}, the nearest to ${figures(lambdas[index])}.`);

/** A hatching of one colour under an id. @param {string} id @param {string} colour */
export const hatching = (id, colour) =>
  element("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, element("rect", { width: 6, height: 6, fill: "var(--card)" }) + segment(0, 0, 0, 6, { stroke: colour, "stroke-width": 5 }));

/** What lies outside a rectangle is not shown. @param {string} id @param {number} x @param {number} y @param {number} width @param {number} height */
export const clipping = (id, x, y, width, height) => element("clipPath", { id }, element("rect", { x, y, width, height }));

/** A vertical cursor. @param {number} x @param {number} top @param {number} bottom */
export const cursor = (x, top, bottom) => segment(x, top, x, bottom, { stroke: "var(--ink)", "stroke-dasharray": "2 3", "stroke-width": 1.5 });

/** Bars of counts between edges, upward from the base (or downward where `base` is the smaller end). @param {number[]} edges @param {(number | null)[]} counts @param {(at: number) => number} x @param {(count: number) => number} y @param {Record<string, string | number>} look */
export function bars(edges, counts, x, y, look) {
  return counts.map((count, k) => {
    if (!count || !known(edges[k + 1])) return "";
    const [left, right] = [x(edges[k]), x(edges[k + 1])];
    const [base, end] = [y(0), y(count)];
    return element("rect", { x: left, y: Math.min(base, end), width: Math.max(0.5, right - left - 1), height: Math.abs(end - base), ...look });
  }).join("");
}

/** An entry of a key: a stroke and its meaning. @param {number} x @param {number} y @param {string} text @param {Record<string, string | number>} look */
export const entryOfKey = (x, y, text, look) => segment(x, y - 4, x + 24, y - 4, { "stroke-width": 2.5, ...look }) + words(x + 30, y, text, { "font-size": 13 });

/** A box of a key. @param {number} x @param {number} y @param {string} text @param {Record<string, string | number>} look */
export const boxOfKey = (x, y, text, look) => element("rect", { x, y: y - 11, width: 22, height: 13, ...look }) + words(x + 30, y, text, { "font-size": 13 });

/** The heading of a panel. @param {number} x @param {number} y @param {string} text */
export const heading = (x, y, text) => words(x, y, text, { "font-size": 14, "font-weight": 600 });

/** A name that fits. @param {string} name @param {number} [most] */
export const shortened = (name, most = 24) => {
  const letters = [...name];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : name;
};

/** A panel without curves says why. @param {number} x @param {number} y @param {string} text */
export const note = (x, y, text) => words(x, y, text, { fill: FAINT, "font-size": 13, "text-anchor": "middle" });

/** The box around a panel. @param {number} x @param {number} y @param {number} width @param {number} height */
export const box = (x, y, width, height) => element("rect", { x, y, width, height, fill: "none", stroke: GRID });
