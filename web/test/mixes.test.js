/** Error against number of features, one curve a mix. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../src/payload.js";
import { frontier, mixes } from "../src/views/mixes.js";
import { payload } from "./payloads.js";

/** @returns {import("../src/payload.js").Payload} */
function compared() {
  const data = payload("binomial");
  data.cv = { mean: [1.3, 1.1, 0.9, 0.8, 0.85], se: [0.1, 0.1, 0.1, 0.1, 0.1], train: [1, 1, 1, 1, 1], folds: [], concordance: null, concordance_se: null, n_folds: 5, score: "deviance", greater_is_better: false, by_root: false, explained_of: null, null_score: 1.3, best: 3, one_se: 2 };
  const mix = { l1_ratio: 1, n_nonzero: [0, 1, 2, 3, 3], mean: [1.3, 1.1, 0.9, 0.8, 0.85], best: 3, one_se: 2, loss: 0.1, loss_se: 0.05 };
  data.comparison = { null_mean: 1.3, current: 0, mixes: [{ ...mix, name: "lasso" }, { ...mix, name: "ridge <b>", l1_ratio: 0, n_nonzero: [3, 3, 3, 3, 3], mean: [1.3, 1.0, null, 0.7, 0.75], loss: 0, loss_se: null }] };
  return data;
}

test("a frontier has the best score for each number of features", () => {
  const [lasso, ridge] = /** @type {import("../src/payload.js").Comparison} */ (compared().comparison).mixes;
  assert.deepEqual(frontier(lasso, false), [[0, 1.3], [1, 1.1], [2, 0.9], [3, 0.8]]);
  assert.deepEqual(frontier(ridge, false), [[3, 0.7]]);
  assert.deepEqual(frontier(ridge, true), [[3, 1.3]]);
});

test("the sentence tells the model shown and what of the gain is left", () => {
  const data = compared();
  const { sentence, table } = mixes.draw(data, { ...opening(data), index: 2 });
  // (0.9 - 1.3) / (0.7 - 1.3)
  assert.match(sentence, /lasso at lambda_1se = 0\.100: 2 features, CV deviance 0\.900, 67% of what the best model of all gains/);
  assert.deepEqual(table.rows.map((row) => row[0]), ["lasso", "ridge <b>", "no features"]);
  assert.equal(table.rows[0][3], "0.100 ± 0.050");
  assert.equal(table.rows[1][3], "the best");
});

test("the drawing has a curve for each mix, marks the model shown, and escapes names", () => {
  const data = compared();
  for (const narrow of [false, true]) {
    const { svg } = mixes.draw(data, { ...opening(data), narrow });
    assert.equal(svg.match(/r="10"/g)?.length, 1);
    assert.ok(!svg.includes("NaN"));
    assert.ok(!svg.includes("<b>"));
    assert.ok(svg.includes("without features"));
  }
  assert.equal(mixes.missing({ ...data, comparison: null }), "Only one penalty was fitted.");
});

test("a curve that leaves the chart ends there, with an arrow", () => {
  const data = compared();
  const { mixes: all } = /** @type {import("../src/payload.js").Comparison} */ (data.comparison);
  all[0] = { ...all[0], n_nonzero: [0, 1, 2, 3, 4], mean: [1.3, 1.1, 0.9, 0.8, 2000], best: 3 };
  const arrows = (/** @type {string} */ svg) => svg.match(/M[\d.]+ 48L[\d.]+ 40L[\d.]+ 48/g)?.length ?? 0;
  assert.equal(arrows(mixes.draw(compared(), opening(data)).svg), 0);
  const { svg } = mixes.draw(data, opening(data));
  assert.equal(arrows(svg), 1);
  assert.match(svg, /clip-path="url\(#mixes-frame\)"/);
});
