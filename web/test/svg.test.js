import assert from "node:assert/strict";
import { test } from "node:test";
import { strToU8, zlibSync } from "fflate";
import { unpack } from "../src/page/unpack.js";
import { through } from "../src/svg.js";

/** @param {string} d @returns {[number, number][][]} runs of points */
const runs = (d) => d.split("M").slice(1).map((run) => run.split("L").map((pair) => /** @type {[number, number]} */ (pair.split(",").map(Number))));

test("a straight run keeps its ends only", () => {
  const flat = Array.from({ length: 100 }, (_, k) => /** @type {[number, number]} */ ([k, 5]));
  assert.equal(through(flat), "M0,5L99,5");
  assert.equal(through([]), "");
  assert.equal(through([[NaN, 1]]), "");
});

test("gaps stay, and a lone point between them", () => {
  const d = through([[0, 0], [1, 0], [2, 0], [3, NaN], [4, 7], [Infinity, 0], [6, 1], [7, 1], [8, 1]]);
  assert.deepEqual(runs(d).map((run) => run.length), [2, 1, 2]);
});

test("a bend is followed to a tenth of a pixel", () => {
  const points = Array.from({ length: 300 }, (_, k) => /** @type {[number, number]} */ ([2 * k, 150 + 50 * Math.sin(k / 60)]));
  const [run] = runs(through(points));
  assert.ok(run.length < 150);
  for (const [x, y] of points) {
    const k = Math.max(1, run.findIndex(([u]) => u >= x - 0.05));
    const [[x0, y0], [x1, y1]] = [run[k - 1], run[k]];
    const slope = (y1 - y0) / (x1 - x0);
    assert.ok(Math.abs(y0 + slope * (x - x0) - y) / Math.hypot(1, slope) < 0.16);
  }
});

test("a closed outline is not one point", () => {
  const square = /** @type {[number, number][]} */ ([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]);
  assert.equal(through(square), "M0,0L10,0L10,10L0,10L0,0");
});

test("a payload comes out as it went in", () => {
  const data = { name: "\u202e😀 </script>", numbers: [1 / 3, -1e-300, 0] };
  const bits = [...zlibSync(strToU8(JSON.stringify(data)))].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const pairs = bits.match(/.{1,13}/g)?.map((group) => parseInt(group.padEnd(13, "0"), 2)) ?? [];
  const letter = (/** @type {number} */ digit) => ({ "<": "~", "&": "!" })[String.fromCharCode(35 + digit)] ?? String.fromCharCode(35 + digit);
  const text = pairs.map((pair) => letter(Math.floor(pair / 91)) + letter(pair % 91)).join("");
  assert.deepEqual(unpack(text), data);
});
