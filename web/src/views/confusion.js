/** Which classes are taken for which, on rows that were not used for their fit. */
import { tr } from "../language.js";
import { NEEDS_DATA, borrowed, nearest } from "../panels.js";
import { COLOURS, FAINT, GRID, drawing, element, figures, words } from "../svg.js";
import { rule, shortened, whole, widthOf } from "./strength.js";

/** @typedef {import("../payload.js").Payload} Payload @typedef {import("../payload.js").State} State @typedef {import("../payload.js").Confusion} Confusion */
/** @typedef {{ names: string[], counts: number[][], sizes: number[], rest: boolean }} Square rows by class and by the class they are put into; whether the last one stands for several */

const [LARGEST, WHOLE] = [76, 560]; // pixels of a cell, and of all of a row
const [FOR_SHARE, FOR_COUNT] = [40, 25]; // pixels of a cell that these need

/** @param {number} share */
export const percent = (share) => tr`${(100 * share).toFixed(1)} %`;

/** @param {Payload} data @param {Confusion} stored @param {number} place @returns {Square} */
function squareOf(data, { named, counts }, place) {
  const left = data.outputs.length - named.length;
  const names = [...named.map((k) => data.outputs[k].name), ...(left ? [tr`${whole(left)} others`] : [])];
  const rows = names.map((_, i) => counts[place].slice(i * names.length, (i + 1) * names.length));
  return { names, counts: rows, sizes: rows.map((row) => row.reduce((sum, count) => sum + count, 0)), rest: left > 0 };
}

/** @type {import("../payload.js").View} */
export const confusion = {
  id: "confusion",
  title: tr`Which classes are taken for which`,
  missing: (data) => (data.evidence?.outputs?.confusion ? "" : NEEDS_DATA),
  draw(data, state) {
    const stored = /** @type {Confusion} */ (data.evidence?.outputs?.confusion);
    const place = nearest(stored.at, state.index);
    const square = squareOf(data, stored, place);
    const sentence = told(data, state.index, square) + borrowed(data.lambdas, stored.at[place], state.index);
    return { svg: picture(square, state, sentence), sentence, table: table(square) };
  },
};

/** The share of a row's class that is put where; of a class without rows nothing. @param {Square} square @param {number} i @param {number} j */
const shareAt = ({ counts, sizes }, i, j) => (sizes[i] ? counts[i][j] / sizes[i] : 0);

/** Whether rows in a cell are right; where several classes share it nobody knows. @param {Square} square @param {number} i @param {number} j */
const isRight = ({ names, rest }, i, j) => i === j && !(rest && i === names.length - 1);

/** @param {Square} square @param {State} state @param {string} description */
function picture(square, state, description) {
  const width = widthOf(state);
  const { names, counts, sizes } = square;
  const longest = Math.max(...names.map((name) => Math.min(16, name.length)));
  const left = Math.min(state.narrow ? 96 : 190, 30 + 8 * longest);
  const size = Math.min(LARGEST, Math.max(WHOLE, 30 * names.length) / names.length, (width - left - (state.narrow ? 50 : 70)) / names.length);
  const turned = 7.5 * longest > size;
  const top = 40 + (turned ? Math.min(96, 8 * longest) * 0.72 : 10);
  const cells = names.flatMap((_, i) => names.map((_, j) => cell(square, i, j, left + j * size, top + i * size, size)));
  const aside = names.map((name, i) => {
    const y = top + (i + 0.5) * size + 4;
    const found = sizes[i] && isRight(square, i, i) ? percentOf(shareAt(square, i, i)) : "";
    return words(left - 6, y, shortened(name, Math.floor((left - 8) / 7.8)), { "text-anchor": "end" }) + words(left + names.length * size + 8, y, found, { fill: FAINT });
  });
  const above = names.map((name, j) => {
    const x = left + (j + 0.5) * size;
    const text = shortened(name, 12);
    return turned ? words(0, 0, text, { transform: `translate(${x + 4} ${top - 8}) rotate(-45)` }) : words(x, top - 8, text, { "text-anchor": "middle" });
  });
  const titles = [
    words(left, 14, tr`put into the class`, { fill: FAINT }),
    words(left - 6, top - 8, turned || left < 118 ? tr`class` : tr`class of the row`, { fill: FAINT, "text-anchor": "end" }),
    words(left + names.length * size + 8, top - 8, tr`found`, { fill: FAINT }),
  ];
  return drawing({ id: "confusion", width, height: top + counts.length * size + 12, title: confusion.title, description }, [...titles, ...cells, ...above, ...aside]);
}

/** @param {number} share */
const percentOf = (share) => `${Math.round(100 * share)}%`;

/** One cell: the darker, the more of its class; as much in words as there is room for. @param {Square} square @param {number} i @param {number} j @param {number} x @param {number} y @param {number} size */
function cell(square, i, j, x, y, size) {
  const [count, share] = [square.counts[i][j], shareAt(square, i, j)];
  const fill = element("rect", { x: x + 0.5, y: y + 0.5, width: size - 1, height: size - 1, fill: count ? COLOURS[isRight(square, i, j) ? 0 : 1] : "none", "fill-opacity": count ? (0.08 + 0.42 * share).toFixed(3) : undefined, stroke: GRID });
  if (!count || size < FOR_COUNT) return fill;
  const middle = { "text-anchor": "middle" };
  if (size < FOR_SHARE) return fill + words(x + size / 2, y + size / 2 + 4, whole(count), { ...middle, "font-size": count > 999 ? 9 : 11 });
  return fill + words(x + size / 2, y + size / 2, whole(count), middle) + words(x + size / 2, y + size / 2 + 14, percentOf(share), { ...middle, "font-size": 11 });
}

/**
 * How many held-out rows are put into the right class, and what saying always the same would reach.
 * @param {Payload} data @param {number} index
 * @returns {{ right: number, rows: number, share: number, common: string, commonShare: number } | null}
 */
export function hits(data, index) {
  const stored = data.evidence?.outputs?.confusion;
  if (!stored || !stored.n_rows) return null;
  return { right: stored.right[index], rows: stored.n_rows, share: stored.right[index] / stored.n_rows, common: data.outputs[stored.commonest].name, commonShare: stored.n_commonest / stored.n_rows };
}

/** @param {Payload} data @param {number} index @param {Square} square */
function told(data, index, square) {
  const found = hits(data, index);
  const at = tr`At ${rule(data, index)} = ${figures(data.lambdas[index])}`;
  if (!found) return tr`${at} no row has a prediction by a model that was not fitted to it.`;
  const start = tr`${at}, of ${whole(found.rows)} held-out rows ${whole(found.right)} (${percent(found.share)}) are put into the right class; always saying “${found.common}” would be right for ${percent(found.commonShare)}.`;
  const pairs = square.names.flatMap((_, i) => square.names.map((_, j) => ({ i, j, count: square.counts[i][j] }))).filter(({ i, j }) => i !== j);
  const worst = pairs.reduce((most, pair) => (pair.count > most.count ? pair : most), { i: 0, j: 0, count: 0 });
  const rows = (/** @type {number} */ count) => (count === 1 ? tr`1 row` : tr`${whole(count)} rows`);
  const confused = worst.count ? tr` Most often “${square.names[worst.i]}” is taken for “${square.names[worst.j]}” (${rows(worst.count)}).` : "";
  const known = square.names.map((_, i) => i).filter((i) => square.sizes[i] && isRight(square, i, i));
  const least = known.reduce((low, i) => (shareAt(square, i, i) < shareAt(square, low, low) ? i : low), known[0] ?? 0);
  const hard = worst.count && known.length ? tr` Found least is “${square.names[least]}”: ${square.counts[least][least]} of ${rows(square.sizes[least])}.` : "";
  return `${start}${confused}${hard}`;
}

/** @param {Square} square @returns {import("../payload.js").Shown["table"]} */
function table(square) {
  const { names, counts, sizes } = square;
  const head = [tr`class of the row`, tr`rows`, ...names.map((name) => tr`as ${name}`)];
  return { head, rows: names.map((name, i) => [name, whole(sizes[i]), ...counts[i].map((count, j) => (count ? `${whole(count)} (${percentOf(shareAt(square, i, j))})` : "0"))]) };
}
