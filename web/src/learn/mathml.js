/** Formulas as MathML, which browsers draw themselves: a few marks that put each other together. */
import { tr } from "../language.js";

/** @param {string} tag */
const tag = (tag) => (/** @type {string[]} */ ...inside) => `<${tag}>${inside.join("")}</${tag}>`;

/** Names of one letter are slanted, as usual. */
export const mi = tag("mi");
export const mn = tag("mn");
export const mo = tag("mo");
export const row = tag("mrow");
export const sub = tag("msub");
export const sup = tag("msup");
export const subsup = tag("msubsup");
export const frac = tag("mfrac");
/** Words within a formula; spaces at their ends would be lost. @param {string} words */
export const text = (words) => tag("mtext")(words.replaceAll(" ", "\u00a0"));

/** |w_j|, or any other thing between bars. @param {string} inside */
export const size = (inside) => row(mo("|"), inside, mo("|"));
/** w_j */
export const wj = sub(mi("w"), mi("j"));
/** w_j squared */
export const wj2 = subsup(mi("w"), mi("j"), mn("2"));
export const lambda = mi("λ");
/** The sum over features or rows. @param {string} index @param {string} of */
export const sum = (index, of) => row(`<munder>${mo("∑")}${mi(index)}</munder>`, of);
/** Something under "minimise over w". @param {string} what */
export const least = (what) => row(`<munder>${mo("min")}${mi("w")}</munder>`, what);
/** The mean cross-entropy or squared error of all rows, "error(w)". */
export const error = row(text(tr`error`), mo("("), mi("w"), mo(")"));
export const half = frac(mn("1"), mn("2"));

/** A line of its own. @param {string[]} inside */
export const formula = (...inside) => `<math display="block" xmlns="http://www.w3.org/1998/Math/MathML">${row(...inside)}</math>`;
