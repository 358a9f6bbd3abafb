import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../src/payload.js";
import { formatOf } from "../src/axes.js";
import { afterKey, typed } from "../src/page/bar.js";
import { asCsv, asJson } from "../src/page/download.js";
import { nearestLambda } from "../src/page/store.js";
import { coefficients, nearest } from "../src/views/coefficients.js";
import { cv_curve } from "../src/views/cv_curve.js";
import { effects } from "../src/views/effects.js";
import { features, rows, titles } from "../src/views/features.js";
import { residuals } from "../src/views/residuals.js";
import { shortened, whole } from "../src/views/strength.js";
import { verdict } from "../src/views/verdict.js";
import { FAMILIES, NASTY, payload } from "./payloads.js";

/** @param {import("./payloads.js").Family} family @param {Parameters<typeof payload>[1]} [how] */
function validated(family, how) {
  const data = payload(family, how);
  const mean = data.lambdas.map((_, l) => 4 - 0.5 * l);
  data.cv = { mean, se: mean.map(() => 0.3), train: mean.map((value) => value - 0.5), folds: [mean, mean.map(() => null)], concordance: null, concordance_se: null, n_folds: 10, score: "deviance", greater_is_better: false, by_root: family === "gaussian", explained_of: null, null_score: 5, best: 4, one_se: 2 };
  data.columns.forEach((column, j) => (column.counts = data.l1_ratio > 0 ? data.lambdas.map(() => 10 - 3 * j) : null));
  return data;
}

for (const family of FAMILIES) {
  test(`${family}: the views over the path draw at every lambda, axis and unit`, () => {
    for (const l1_ratio of [1, 0]) {
      const data = validated(family, { l1_ratio, names: NASTY });
      for (const axis of /** @type {const} */ (["lambda", "norm", "deviance"])) {
        for (const index of data.lambdas.keys()) {
          const state = { ...opening(data), axis, index, per_sd: index % 2 === 0, hovered: index % 2 ? 1 : null, filter: index === 3 ? "img" : "" };
          for (const view of [coefficients, cv_curve, features]) {
            const { svg, sentence, table } = view.draw(data, state);
            assert.doesNotMatch(svg + sentence + JSON.stringify(table), /NaN|undefined|Infinity/, view.id);
            assert.doesNotMatch(svg, /<img|<script|onerror="/);
            table.rows.forEach((row) => assert.equal(row.length, table.head.length));
          }
        }
      }
    }
  });
}

test("the pointer finds the curve and the lambda below it", () => {
  const data = validated("gaussian");
  const state = opening(data);
  const { svg } = coefficients.draw(data, state);
  const [across, down] = (svg.match(/<path d="M[^"]*L([\d.]+,[\d.]+)"[^>]*stroke="var\(--c1\)"/)?.[1] ?? "").split(",").map(Number);
  assert.deepEqual(nearest(data, state, across, down), { index: data.lambdas.length - 1, feature: 0 });
  assert.equal(nearest(data, state, across, 0).feature, null);
});

test("names stand where lambda is, for the curves that are not at zero there", () => {
  const data = validated("gaussian");
  for (const [index, side] of /** @type {[number, string][]} */ ([[1, "start"], [4, "end"]])) {
    const state = { ...opening(data), index };
    const { svg } = coefficients.draw(data, state);
    const cursor = Number(svg.match(/<circle cx="([\d.]+)"/)?.[1]);
    const named = [...svg.matchAll(/<text x="([\d.]+)" y="[\d.]+"[^>]*text-anchor="(\w+)"[^>]*paint-order[^>]*>|<text x="([\d.]+)"[^>]*paint-order="stroke"[^>]*text-anchor="(\w+)"[^>]*>(age|dose|weight)</g)].filter((one) => one[5]);
    assert.deepEqual(named.map((one) => one[5]).sort(), data.features.filter(({ coefs }) => coefs[index] !== 0).map(({ name }) => name).sort());
    for (const one of named) assert.deepEqual([Math.abs(Number(one[3]) - cursor) < 20, one[4]], [true, side]);
  }
});

test("bars have whiskers where ranges of this lambda are known, and nowhere else", () => {
  const data = validated("gaussian");
  data.ranges = { at: [2], n_fits: 40, middle: 0.9, low: [data.features.map(() => -3)], high: [data.features.map(() => 4)], counts: [data.features.map(() => 40)] };
  const bars = (/** @type {number} */ index) => effects.draw(data, { ...opening(data), index });
  const kept = data.features.filter(({ coefs }) => coefs[2] !== 0).length;
  assert.equal(bars(2).svg.match(/stroke-width="1.5"/g)?.length, 3 * kept);
  assert.match(bars(2).sentence, /the middle 90 % of 40 samples/);
  assert.doesNotMatch(bars(3).svg + bars(3).sentence, /stroke-width="1.5"|samples/);
  assert.doesNotMatch(bars(0).svg, /NaN|<rect/);
  assert.match(bars(0).sentence, /no feature is kept/);
});

test("ridge uses all features and selects none", () => {
  const data = validated("gaussian", { l1_ratio: 0 });
  const text = coefficients.draw(data, opening(data)).sentence + titles(data).join() + JSON.stringify(verdict(data, 2).numbers);
  assert.match(text, /all 3 features are used/);
  assert.doesNotMatch(text, /kept|selected/);
});

test("the answer is that of the lambda, and numbers of fitted rows are called so", () => {
  const data = validated("gaussian");
  if (data.cv) data.cv.explained_of = 5;
  const { found, quality, numbers } = verdict(data, 0);
  assert.deepEqual([found, quality], data.answers[0]);
  assert.deepEqual(numbers.slice(2, 5), [["CV RMSE", "2.00 ± 0.074"], ["without features", "2.24"], ["CV deviance explained", "20.0 %"]]);
  assert.deepEqual(numbers[5], ["explained, fitted rows", "0.0 %"]);
  if (data.cv) data.cv.explained_of = null;
  assert.equal(verdict(data, 0).numbers[4][1], "–");
});

test("features that few folds keep are called unstable", () => {
  const shown = rows(validated("binomial"), { index: 4, filter: "" });
  assert.deepEqual(shown.map((row) => row.cells.at(-1)), ["10/10", "7/10 unstable"]);
  assert.equal(titles(validated("binomial")).length, shown[0].cells.length);
});

test("keys move lambda, and stay on the path", () => {
  const rules = { best: 40, one_se: 20 };
  const after = (/** @type {string} */ key, index = 5, more = {}) => afterKey(/** @type {KeyboardEvent} */ (/** @type {unknown} */ ({ key, ...more })), index, 99, rules);
  assert.deepEqual(["ArrowRight", "ArrowLeft", "PageUp", "PageDown", "Home", "End", "b", "s", "x"].map((key) => after(key)), [6, 4, 15, 0, 0, 99, 40, 20, null]);
  assert.equal(after("ArrowRight", 99), 99);
  assert.equal(after("s", 5, { ctrlKey: true }), null);
  assert.equal(nearestLambda([1, 0.1, 0.01, 0], 0.05), 1);
});

test("the box of lambda reads what the page writes, and says what it cannot read", () => {
  const path = [5000, 3464, 50, 0.05, 0.005];
  const read = (/** @type {string} */ text) => typed(text, path).value;
  assert.deepEqual(["3,464", "3464", " 3 464 ", "1,234.5", "0,05", "0.05", "5e-3", "3,4"].map(read), [3464, 3464, 3464, 1234.5, 0.05, 0.05, 0.005, 3.4]);
  assert.equal(read("0,005"), 0.005);
  for (const text of ["abc", "", "-5", "1,2,3", "Infinity"]) assert.equal(read(text), null, text);
  assert.match(typed("abc", path).problem, /“abc” is no number/);
  assert.match(typed("-5", path).problem, /never negative/);
  assert.match(typed("9e9", path).problem, /The path goes from 5,000 to 0\.00500/);
});

test("the ticks of an axis are told apart", () => {
  const written = (/** @type {number[]} */ ticks) => [...ticks.map(formatOf(ticks).write), formatOf(ticks).unit].join(" ");
  assert.equal(written([0, 5e8, 1e9, 1.5e9, 2e9]), "0.0 0.5 1.0 1.5 2.0 , billions");
  assert.equal(written([-10, 0, 10]), "-10 0 10 ");
  assert.equal(written([0, 2000, 4000]), "0 2,000 4,000 ");
  assert.equal(written([0.1, 0.15, 0.2]), "0.10 0.15 0.20 ");
  assert.equal(written([0, 0.00001, 0.00002]), "0 1e-5 2e-5 ");
  assert.equal(written([1e6, 1000010, 1000020]), "1,000,000 1,000,010 1,000,020 ");
  assert.equal(written([5]), "5 ");
});

test("the histogram of residuals ends where they end", () => {
  const data = validated("gaussian");
  const stored = /** @type {import("../src/payload.js").Residuals} */ (data.evidence?.residuals);
  stored.edges = [-4, -1, 1, 4, 204];
  stored.counts = data.lambdas.map((_, l) => [5, 50, 5, l === 4 ? 1 : 0]);
  const ticks = (/** @type {number} */ index) => [...residuals.draw(data, { ...opening(data), index }).svg.matchAll(/y="318" fill[^>]*>([^<]+)</g)].map((one) => Number(one[1]));
  assert.ok(ticks(1).length > 2);
  assert.ok(Math.max(...ticks(1)) <= 4);
  assert.ok(Math.max(...ticks(4)) >= 150);
});

test("what spreadsheets take for formulas is guarded", () => {
  const data = validated("gaussian", { features: 2, names: ["=1+1", 'a "b", c'] });
  const lines = asCsv(data, 4).split("\n");
  assert.equal(lines[0], "feature,per_sd,per_unit");
  assert.ok(lines.some((line) => line.startsWith("'=1+1,")));
  assert.ok(lines.some((line) => line.startsWith('"a ""b"", c",')));
  const saved = JSON.parse(asJson(data, 4)).coefficients;
  assert.deepEqual(saved.map((/** @type {{ feature: string }} */ one) => one.feature), ["=1+1", 'a "b", c', "(intercept)"]);
  assert.equal(saved[0].per_sd, saved[0].per_unit * data.features[0].scale);
});

test("what is saved has the columns of coefficients.csv", () => {
  const data = validated("binomial", { features: 2 });
  const [head, ...lines] = asCsv(data, 4).trim().split("\n");
  assert.equal(head, `feature,per_sd,per_unit,${data.mathematics.factor}`);
  const [name, perSd, perUnit, factor] = lines[0].split(",");
  assert.equal(name, data.features[0].name);
  assert.deepEqual([perUnit, perSd, factor].map(Number), [data.features[0].coefs[4], data.features[0].coefs[4] * data.features[0].scale, Math.exp(data.features[0].coefs[4])]);
  assert.equal(lines.at(-1), `(intercept),,${data.intercepts[4]},${Math.exp(data.intercepts[4])}`);
});

test("names and counts", () => {
  assert.equal(shortened("left\u202eright\n" + "x".repeat(30), 20).length, 20);
  const isolated = "less \u2068\u0645\u0631\u062d\u0628\u0627\u2069";
  assert.equal(shortened(isolated, 10), isolated); // the marks take no room
  assert.equal(shortened(isolated, 6), `\u2068${shortened("less \u0645\u0631\u062d\u0628\u0627", 6)}\u2069`);
  assert.equal(whole(1234567), "1,234,567");
});
