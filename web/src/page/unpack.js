/** What `normball.charts` deflated. The browser's own DecompressionStream would answer after the first paint. */
import { strFromU8, unzlibSync } from "fflate";

/** @param {string} text deflated, in base64 */
export const inflated = (text) => strFromU8(unzlibSync(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))));

/** @param {string} text JSON, deflated, in base64 @returns {any} */
export const unpack = (text) => JSON.parse(inflated(text));
