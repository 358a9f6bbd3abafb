/** What the charts over the whole path share: the axis of the strength, the marks of the two rules, the cursor, names. */
import { tr } from "../language.js";
import { scaleLinear, scaleLog } from "d3-scale";
import { STRENGTHS, atEnds, below, tick } from "../axes.js";
import { NARROW } from "../panels.js";
import { FAINT, INK, curve, element, segment, words } from "../svg.js";

/** @typedef {import("../payload.js").Payload} Payload */
/** @typedef {import("../payload.js").State} State */

/** How wide charts over the whole path are. @param {State} state */
export const widthOf = (state) => (state.narrow ? NARROW : 820);
export const HEIGHT = 400;
export const LEFT = 78;
export const TOP = 40;
export const BOTTOM = 348;

/** Strengths that a logarithmic axis can show: an unpenalised end (zero) stands half a decade beyond the last positive one. @param {number[]} lambdas */
export function positive(lambdas) {
  const least = Math.min(...lambdas.filter((lam) => lam > 0));
  const floor = Number.isFinite(least) ? least / Math.sqrt(10) : 1;
  return lambdas.map((lam) => Math.max(lam, floor));
}

/**
 * Where each lambda stands from left (strong) to right (weak), and the axis that says so.
 * An axis of lambdas may end at one of them, `last`; what is weaker stands beyond it.
 * @param {Payload} data @param {State["axis"]} axis @param {number} right @param {number} [bottom] @param {number} [last]
 */
export function strengths(data, axis, right, bottom = BOTTOM, last = data.lambdas.length - 1) {
  if (axis === "lambda") {
    const logs = positive(data.lambdas);
    const [high, low] = [logs[0], logs[last]];
    const x = scaleLog().domain([high, low < high ? low : high / 10]).range([LEFT, right]);
    return { at: logs.map((lam) => x(lam)), axis: decades(x, bottom) };
  }
  const values = axis === "norm" ? data.norms : data.deviance_ratio.map((share) => 100 * share);
  const x = scaleLinear().domain([0, Math.max(...values) || 1]).range([LEFT, right]);
  const label = axis === "norm" ? tr`size of all coefficients together (sum of |coefficient| per SD)` : tr`% of the deviance explained on the fitted rows`;
  return { at: values.map((value) => x(value)), axis: below(x, bottom, label) };
}

/** A logarithmic axis with powers of ten, 2 and 5 between where there is room, and not every one where there is none. @param {import("d3-scale").ScaleLogarithmic<number, number>} x @param {number} bottom */
function decades(x, bottom) {
  const [high, low] = x.domain();
  const room = (x.range()[1] - LEFT) / Math.log10(high / low); // of a decade
  const every = Math.ceil(45 / room);
  /** @type {number[]} */
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const digit of room < 165 ? [1] : [1, 2, 5]) {
      const value = Number(`${digit}e${power}`);
      if (value >= low && value <= high && power % every === 0) ticks.push(value);
    }
  }
  const right = x.range()[1];
  return [
    segment(LEFT, bottom, right, bottom, { stroke: FAINT }),
    ...ticks.map((value) => segment(x(value), bottom, x(value), bottom + 5, { stroke: FAINT }) + words(x(value), bottom + 18, tick(value), { "text-anchor": "middle", fill: FAINT })),
    words((LEFT + right) / 2, bottom + 38, tr`lambda`, { "text-anchor": "middle" }),
    atEnds(LEFT, right, bottom + 38, STRENGTHS),
  ].join("");
}

/** How many features are kept, along the top; nothing for ridge, which uses all of them. @param {Payload} data @param {number[]} at @param {number} [right] where the axis ends */
export function kept(data, at, right = Infinity) {
  if (data.l1_ratio === 0) return "";
  let last = -Infinity;
  const numbers = data.n_nonzero.map((count, l) => {
    if ((at[l] - last < 48 && l > 0) || at[l] > right + 1) return "";
    last = at[l];
    return words(at[l], TOP - 24, whole(count), { "text-anchor": "middle", fill: FAINT });
  });
  return words(LEFT - 20, TOP - 24, tr`kept`, { "text-anchor": "end", fill: FAINT }) + numbers.join("");
}

/** Dashed lines where the two rules choose. @param {Payload} data @param {number[]} at @param {number} [bottom] */
export function marks(data, at, bottom = BOTTOM) {
  if (!data.cv) return "";
  const { best, one_se } = data.cv;
  const named = best === one_se ? [{ l: best, label: tr`best = 1-SE` }] : [{ l: one_se, label: tr`1-SE` }, { l: best, label: tr`best` }];
  const near = named.length === 2 && Math.abs(at[best] - at[one_se]) < 50;
  return named
    .map(({ l, label }, k) => {
      const anchor = near ? (at[l] < at[named[1 - k].l] ? "end" : "start") : "middle";
      return segment(at[l], TOP - 2, at[l], bottom, { stroke: INK, "stroke-dasharray": "4 3" }) + words(at[l], TOP - 7, label, { "text-anchor": anchor });
    })
    .join("");
}

/** The line that stands where the slider is. @param {number} x @param {number} [bottom] */
export const cursor = (x, bottom = BOTTOM) => segment(x, TOP, x, bottom, { stroke: INK, "stroke-width": 1.5 }) + element("circle", { cx: x, cy: bottom, r: 5, fill: INK });

/** Curves cut off at the frame. @param {string} id @param {number} right @param {string} content @param {number} [bottom] */
export function framed(id, right, content, bottom = BOTTOM) {
  const frame = element("clipPath", { id }, element("rect", { x: LEFT, y: TOP - 2, width: right - LEFT + 1, height: bottom - TOP + 4 }));
  return frame + element("g", { "clip-path": `url(#${id})` }, content);
}

/** The tip of an arrow where a curve leaves the frame, through its upper edge or its lower one. @param {number} x @param {number} edge @param {boolean} up @param {string} colour */
export function leaves(x, edge, up, colour) {
  const back = up ? 8 : -8;
  return curve(`M${x - 5} ${edge + back}L${x} ${edge}L${x + 5} ${edge + back}`, { stroke: colour, "stroke-width": 2 });
}

/** The indices of lambda that a frame fits: to a tenth of the weaker mark, and as far as the slider stands; beyond, curves may leave it. @param {Payload} data @param {number} index */
export function inFrame(data, index) {
  const weakest = data.lambdas[Math.max(data.picked, data.cv?.best ?? 0)];
  return data.lambdas.map((_, l) => l).filter((l) => l <= index || data.lambdas[l] >= weakest / 10);
}

/** How many ordinary characters a character is wide; no font is at hand to be asked. @param {string} letter */
const widthOfLetter = (letter) => (/[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{Emoji_Presentation}]/u.test(letter) ? 1.8 : /[<>=+~@%&#_mwMWOQ]/.test(letter) ? 1.4 : 1);

/**
 * A text on one line in the width of `room` characters; both ends survive, since names often differ at their end. Where
 * a part is isolated because it is written from right to left, all of it is when it has to be cut.
 * @param {string} name @param {number} room @returns {string}
 */
export function shortened(name, room) {
  const line = name.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066\u2067]/gu, "?").replace(/\s+/gu, " ");
  const bare = line.replace(/[\u2068\u2069]/gu, "");
  const letters = [...bare];
  const total = (/** @type {string[]} */ some) => some.reduce((sum, letter) => sum + widthOfLetter(letter), 0);
  if (total(letters) <= room) return line;
  const [front, back] = [letters.slice(0, Math.ceil(room)), letters.slice(-Math.floor(room / 2))];
  while (total(back) > (room - 1) / 2) back.shift();
  while (total(front) + total(back) + 1 > room) front.pop();
  const cut = `${front.join("")}…${back.join("")}`;
  return bare === line ? cut : `\u2068${cut}\u2069`;
}

/** A whole number with its thousands apart; not every engine knows how. @param {number} count */
export const whole = (count) => String(count).replace(/\B(?=(\d{3})+$)/gu, ",");

/** Whether a name is among those that the reader asked for. @param {string} name @param {string} filter */
export const matches = (name, filter) => name.toLowerCase().includes(filter.trim().toLowerCase());

/** The strength with the name of the rule that chose it. @param {Payload} data @param {number} index */
export function rule(data, index) {
  if (index === data.cv?.one_se) return "lambda_1se";
  return index === data.cv?.best ? "lambda_best" : tr`lambda`;
}
