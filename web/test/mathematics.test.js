/** The functions that a payload names. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { meanAt, rangeOf, varianceAt } from "../src/mathematics.js";
import { MATHEMATICS } from "./payloads.js";

const close = (/** @type {number} */ a, /** @type {number} */ b) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);

test("the mean follows from the linear predictor", () => {
  close(meanAt(MATHEMATICS["huber(1.345)"], -3), -3);
  close(meanAt(MATHEMATICS.binomial, Math.log(3)), 0.75);
  close(meanAt(MATHEMATICS.gamma, Math.log(5)), 5);
  assert.deepEqual(rangeOf(MATHEMATICS.gaussian), [-Infinity, Infinity]);
  assert.deepEqual(rangeOf(MATHEMATICS.binomial), [0, 1]);
  assert.deepEqual(rangeOf(MATHEMATICS["tweedie(1.5)"]), [0, Infinity]);
});

test("the variance follows from the mean, the parameter and the dispersion", () => {
  close(varianceAt(MATHEMATICS.gaussian, 4), 0);
  close(varianceAt(MATHEMATICS.binomial, 0.25), 0.1875);
  close(varianceAt(MATHEMATICS.poisson, 4), 1.5 * 4);
  close(varianceAt(MATHEMATICS.gamma, 4), 0.7 * 16);
  close(varianceAt(MATHEMATICS["tweedie(1.5)"], 4), 3 * 8);
  close(varianceAt(MATHEMATICS["negative_binomial(2)"], 4), 1.1 * 12);
  close(varianceAt({ ...MATHEMATICS.gamma, dispersion: null }, 4), 0);
});
