import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../src/payload.js";
import { asked, bars, named, predict, ready, someFixed, spread, startOf } from "../src/views/what_if.js";
import { payload } from "./payloads.js";

/** @typedef {import("../src/payload.js").Payload} Payload */

/** The features become: a number with gaps, and two levels of four; the third level is beside the listed ones, the fourth is never kept. */
function withLevels() {
  const data = payload("binomial");
  const [age, hour] = data.columns;
  Object.assign(age, { name: "age", levels: ["(missing)"], places: [1], n_rows: [5], few_rows: [""], fill: 1.5 });
  Object.assign(hour, { name: "hr", is_number: false, number: null, range: null, levels: ["1", "2", "3", "4"], places: [2, null, 3, null], n_rows: [10, 40, 30, 20], few_rows: ["", "", "", ""] });
  data.columns = [age, hour];
  data.others = [{ name: "hr: 3", key: "hr = 3", scale: 1, coefs: [[3, 0.25], [4, 0.5]], by_output: null }];
  data.rest = data.lambdas.map((_, l) => l / 10);
  data.features[2].coefs = [0, 0, 0, 0.3, -0.7];
  return data;
}

/** @param {Payload} data @param {number} index @param {Record<string, number | "missing">} inputs */
const eta = (data, index, inputs) => predict(data, { ...opening(data), index, inputs }).eta;

test("a number counts its coefficient, a text that of its level alone", () => {
  const data = withLevels();
  const [age, , first] = data.features.map((feature) => feature.coefs[4]);
  assert.deepEqual(asked(data), [0, 1]);
  assert.deepEqual(data.columns.map(startOf), [1, 1]); // the median, the commonest level
  const near = (/** @type {number} */ value, /** @type {number} */ wanted) => assert.ok(Math.abs(value - wanted) < 1e-14, `${value} is not ${wanted}`);
  near(eta(data, 4, {}), 0.4 + age);
  near(eta(data, 4, { 0: 3, 1: 0 }), 0.4 + 3 * age + first);
  near(eta(data, 4, { 0: 3, 1: 2 }), 0.4 + 3 * age + 0.5);
  near(eta(data, 4, { 1: 3 }), 0.4 + age);
  near(eta(data, 2, { 1: 2 }), 0.2 + data.features[0].coefs[2]); // not yet kept there
});

test("a missing number is its filling and the mark of a gap", () => {
  const data = withLevels();
  const [age, gap] = data.features.map((feature) => feature.coefs[4]);
  assert.ok(Math.abs(eta(data, 4, { 0: "missing" }) - (0.4 + 1.5 * age + gap)) < 1e-14);
  assert.equal(named(data.columns[0], "missing"), "age: (missing)");
  assert.equal(named(data.columns[1], undefined), "hr: 2");
});

test("the bars tell of the columns, against the start", () => {
  const data = withLevels();
  const { terms, typical } = predict(data, { ...opening(data), index: 4, inputs: { 1: 2 } });
  assert.deepEqual(terms.map((term) => term.name), ["hr: 3"]);
  assert.ok(Math.abs(terms[0].amount - 0.5) < 1e-14);
  assert.ok(Math.abs(typical - 1 / (1 + Math.exp(-0.4 - data.features[0].coefs[4]))) < 1e-14);
  assert.match(bars(data, { ...opening(data), index: 4, inputs: { 1: 2 } }), /hr: 3/);
});

test("a prediction needs to know what it starts from", () => {
  const data = withLevels();
  assert.equal(ready(data), true);
  assert.equal(someFixed(data), false);
  data.columns[1].settable = false;
  assert.equal(someFixed(data), true);
  assert.equal(ready({ ...data, rest: null }), false);
  assert.equal(ready({ ...data, columns: data.columns.map((column) => ({ ...column, settable: false })) }), false);
});

test("how far held-out rows with the nearest predictions were spread", () => {
  const counts = payload("poisson");
  const at = (/** @type {Payload} */ data, /** @type {number} */ rest) => spread({ ...data, rest: data.lambdas.map(() => rest), columns: data.columns.map((column) => ({ ...column, range: [0, 0, 1] })) }, opening(data));
  assert.equal(at(counts, Math.log(0.37)), "Of the 40 held-out rows with the nearest predictions (0.400 on average), 8 in 10 lay between 0.500 and 3.");
  assert.equal(at(counts, 9), "Of the 30 held-out rows with the nearest predictions (0.800 on average), 8 in 10 lay between 2 and 9.");
  assert.equal(at(payload("binomial"), -3), "Of the 30 held-out rows with the nearest predictions (10.0 % on average), 15.0 % were “<yes>”.");
  const numbers = payload("gaussian");
  numbers.cv = { mean: [9, 9, 4, 9, 9], se: [], train: [], folds: [], concordance: null, concordance_se: null, n_folds: 5, score: "deviance", by_root: true, explained_of: null, greater_is_better: false, null_score: 9, best: 2, one_se: 2 };
  assert.match(at(numbers, 0), /8 in 10 lay between/);
  const evidence = { .../** @type {NonNullable<Payload["evidence"]>} */ (numbers.evidence), held_out: false, calibration: null };
  assert.equal(at({ ...numbers, evidence }, 0), "Held-out rows were off by 2.00 (root mean squared error).");
});
