/**
 * Messages in the language of the page. English stands in the source; the table of another language holds its messages
 * by the English ones, with places {0}, {1} for what is put in. It has to be there before this module is read.
 *
 * A Korean particle has two forms, "{0}{0|은/는}": the first after a consonant, the second after a vowel; {0|으로/로} has
 * the second after an l, too. Numbers are read digit by digit, Latin words as they are spelled in Korean. After brackets
 * that follow a word without a space the form is that of the word.
 */
const PLACE = /\{(\d+)(?:\|([^/}]*)\/([^}]*))?\}/g;

/** @type {Record<string, string>} */
const table = Reflect.get(globalThis, "normballMessages") ?? {};

/** @type {WeakMap<TemplateStringsArray, string>} */
const keys = new WeakMap();

/** A message: tr`${kept} of ${all}` is looked up as "{0} of {1}". @param {TemplateStringsArray} parts @param {...unknown} values @returns {string} */
export function tr(parts, ...values) {
  let key = keys.get(parts);
  if (key === undefined) keys.set(parts, (key = parts.reduce((text, part, k) => `${text}{${k - 1}}${part}`)));
  return (table[key] ?? key).replace(PLACE, (_, place, closed, open) => (closed ? particle(String(values[place]), closed, open) : String(values[place])));
}

/** The form of a particle that goes with a text; where nobody can tell, both. @param {string} text @param {string} closed @param {string} open */
function particle(text, closed, open) {
  const before = text.replace(/(?<=[^\s(])\([^()]*\)[^\p{L}\p{N}]*$/u, "");
  const end = finalOf(before.replace(/[^\p{L}\p{N}%]+$/u, ""));
  if (end === null) return `${closed}(${open})`;
  return end === "" || (end === "l" && closed === "으로") ? open : closed;
}

/** The consonant at the end of a word: "" where there is none, "l", "x" for another one, null where nobody can tell. @param {string} word */
function finalOf(word) {
  const code = word.charCodeAt(word.length - 1);
  if (code >= 0xac00 && code <= 0xd7a3) return (code - 0xac00) % 28 === 8 ? "l" : (code - 0xac00) % 28 ? "x" : "";
  if (/[178]$/.test(word)) return "l"; // 일, 칠, 팔
  if (/[036]$/.test(word)) return "x"; // 영, 삼, 육
  if (/[\d%]$/.test(word)) return "";
  const [latin] = word.match(/[a-z]+$/i) ?? [""];
  if (!latin) return null;
  if (/^.$|^[A-Z]+$/.test(latin)) return /[lr]$/i.test(latin) ? "l" : /[mn]$/i.test(latin) ? "x" : ""; // by the names of letters
  if (/le?$/i.test(latin)) return "l";
  return /(me?|ne?|ng|^[^aeiou]*[aeiou][ckpt])$/i.test(latin) ? "x" : "";
}
