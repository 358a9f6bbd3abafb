/** What `normball.charts` deflated. The browser's own DecompressionStream would answer after the first paint. */
import { strFromU8, unzlibSync } from "fflate";

/** What a character counts: 91 of them from # to }, with ~ and ! in place of < and &. @param {number} code */
const value = (code) => ({ 126: 60, 33: 38 })[code] ?? code;

/** The bytes that stand in the text, 13 bits in two characters. @param {string} text */
function bytes(text) {
  const found = new Uint8Array((text.length * 13) >> 4);
  let [held, size, at] = [0, 0, 0];
  for (let k = 0; k < text.length; k += 2) {
    const pair = (value(text.charCodeAt(k)) - 35) * 91 + value(text.charCodeAt(k + 1)) - 35;
    held = (held << 13) | pair;
    for (size += 13; size >= 8; size -= 8) found[at++] = held >> (size - 8);
    held &= (1 << size) - 1;
  }
  return found;
}

/** @param {string} text deflated */
export const inflated = (text) => strFromU8(unzlibSync(bytes(text)));

/** @param {string} text JSON, deflated @returns {any} */
export const unpack = (text) => JSON.parse(inflated(text));
