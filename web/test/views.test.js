import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../src/payload.js";
import { breakdown } from "../src/views/breakdown.js";
import { cv_curve } from "../src/views/cv_curve.js";
import { calibration } from "../src/views/calibration.js";
import { coefficients } from "../src/views/coefficients.js";
import { convexity } from "../src/views/convexity.js";
import { effects } from "../src/views/effects.js";
import { geometry } from "../src/views/geometry.js";
import { residuals } from "../src/views/residuals.js";
import { sigmoid } from "../src/views/sigmoid.js";
import { FAMILIES, NASTY, payload, without } from "./payloads.js";

/** @typedef {import("../src/payload.js").Payload} Payload @typedef {import("../src/payload.js").State} State */

const VIEWS = [geometry, sigmoid, calibration, residuals, convexity, breakdown];

/** Draws what can be drawn and looks for what no reader should see. @param {Payload} data @param {Partial<State>} [change] */
function drawn(data, change = {}) {
  const state = { ...opening(data), ...change };
  return VIEWS.filter((view) => view.missing(data) === "").map((view) => {
    const shown = view.draw(data, state);
    const text = shown.svg + shown.sentence + JSON.stringify(shown.table);
    assert.doesNotMatch(text, /NaN|undefined|Infinity|null/, `${view.id}: ${text.match(/.{60}(NaN|undefined|Infinity|null).{20}/)?.[0]}`);
    assert.doesNotMatch(shown.svg, /<(?!\/?(svg|title|desc|g|rect|line|path|text|circle|ellipse|clipPath|pattern)\b)/, view.id);
    assert.ok(shown.sentence.length > 20);
    for (const row of shown.table.rows) assert.equal(row.length, shown.table.head.length, view.id);
    return view.id;
  });
}

for (const family of FAMILIES) {
  test(`${family}: every view draws at every lambda, penalty and mode`, () => {
    for (const l1_ratio of [1, 0.5, 0]) {
      const data = payload(family, { l1_ratio });
      for (const index of data.lambdas.keys()) {
        for (const slice of /** @type {const} */ (["model", "alone"])) {
          for (const pair of /** @type {[number, number][]} */ ([[0, 1], [1, 0], [2, 0]])) {
            const ids = drawn(data, { index, slice, pair, scaling: 4 });
            assert.equal(ids.length, 5);
          }
        }
      }
    }
  });

  test(`${family}: one feature, no kept feature, a single lambda, strange names`, () => {
    assert.ok(!drawn(payload(family, { features: 1 })).includes("geometry"));
    drawn(payload(family), { index: 0 });
    drawn(payload(family), { pair: [1, 1] });
    drawn(payload(family), { pair: [0, 7] });
    drawn(payload(family, { names: NASTY }));
    const zeros = payload(family);
    for (const feature of zeros.features) feature.coefs = feature.coefs.map(() => 0);
    drawn(zeros);
    const single = payload(family);
    single.lambdas = [0.1];
    single.picked = 0;
    drawn(single);
    const last = payload(family);
    last.lambdas = [1, 0.3, 0.1, 0.03, 0];
    drawn(last, { index: 4 });
  });

  test(`${family}: numbers that are not there leave gaps`, () => {
    const data = payload(family);
    const evidence = /** @type {NonNullable<Payload["evidence"]>} */ (data.evidence);
    for (const key of /** @type {(keyof typeof evidence)[]} */ (["loss", "gradients", "hessians", "alone", "factors", "penalty_l1", "penalty_l2"])) {
      drawn({ ...data, evidence: { ...evidence, [key]: without(evidence[key]) } });
    }
    for (const key of /** @type {const} */ (["calibration", "residuals", "convexity", "margins", "scaling"])) {
      const part = evidence[key];
      if (part === null) continue;
      for (const name of Object.keys(part).filter((one) => !["at", "edges", "factors", "t"].includes(one))) {
        drawn({ ...data, evidence: { ...evidence, [key]: { ...part, [name]: without(/** @type {any} */ (part)[name]) } } });
      }
    }
    const gaps = { ...data, features: data.features.map((one) => ({ ...one, coefs: without(one.coefs) })) };
    drawn(gaps);
  });
}

test("without the data every view says what it needs", () => {
  const data = { ...payload("binomial"), evidence: null };
  for (const view of VIEWS.filter((one) => one !== residuals)) assert.match(view.missing(data), /needs the data: normball report/);
  assert.match(sigmoid.missing(payload("poisson")), /no pair of classes/);
  assert.match(residuals.missing(payload("binomial")), /pair of classes/);
  assert.match(geometry.missing(payload("gaussian", { features: 1 })), /two features/);
  const grouped = VIEWS.filter((view) => /acts on groups/.test(view.missing({ ...payload("binomial"), n_groups: 2 })));
  assert.deepEqual(grouped.map(({ id }) => id).sort(), ["breakdown", "convexity", "geometry"]);
});

test("the geometry tells a corner from a face", () => {
  const data = payload("gaussian");
  const told = (/** @type {number} */ index) => geometry.draw(data, { ...opening(data), index }).sentence;
  assert.match(told(0), /shrunk to the origin/);
  assert.match(told(1), /corner|one normal/);
  assert.match(told(4), /one normal.*as strong as lambda/);
});

test("contours are called approximate only where no exact grid is stored", () => {
  const data = payload("binomial");
  const told = (/** @type {Partial<State>} */ change) => geometry.draw(data, { ...opening(data), ...change }).sentence;
  assert.doesNotMatch(told({ index: 2 }), /approximate/);
  assert.match(told({ index: 3 }), /approximate.*nearest lambda with exact ones is 0\.1/);
  assert.match(told({ pair: [0, 2] }), /approximate/);
  assert.match(told({ pair: [0, 2], slice: "alone" }), /stored for pairs of age, dose/);
});

test("the sigmoid says what overfits and what does not", () => {
  const data = payload("binomial");
  const { sentence } = sigmoid.draw(data, { ...opening(data), scaling: 10 });
  assert.match(sentence, /Weights × 10: loss 0\.200 on fitted rows and 0\.900 on held-out rows/);
  assert.match(sentence, /best at × 1\.00|best at × 1\b/);
  assert.match(sentence, /a row that is wrong keeps its pull/);
});

test("the shares of the penalty sum to one", () => {
  const data = payload("gaussian", { l1_ratio: 0.5 });
  const { table } = breakdown.draw(data, { ...opening(data), index: 4 });
  const sum = table.rows.slice(2).reduce((all, row) => all + parseFloat(String(row[2])), 0);
  assert.ok(Math.abs(sum - 100) < 1, `${sum}`);
});

test("whiskers in the path stand where their lambda does, for the curves that have one", () => {
  const data = payload("gaussian");
  const draw = (/** @type {Partial<import("../src/payload.js").State>} */ state) => coefficients.draw(data, { ...opening(data), ...state });
  assert.doesNotMatch(draw({ index: 3 }).sentence, /Whiskers/);
  const far = data.features.map(() => 0);
  data.fold_ranges = { at: [3], n_fits: 10, middle: 1, low: [far.map(() => -1)], high: [far.map(() => 1)], counts: [far] };
  const kept = data.features.filter(({ coefs }) => coefs[3] !== 0).length;
  const clipped = (/** @type {string} */ svg) => svg.split("coefficients-ranges")[1] ? [...svg.slice(svg.indexOf("coefficients-ranges")).split("</g>")[0].matchAll(/<line/g)].length : 0;
  assert.ok(kept > 0);
  assert.equal(clipped(draw({ index: 3 }).svg), Math.min(kept, 6));
  assert.match(draw({ index: 3 }).sentence, /Whiskers: from the least to the most of the 10 folds\./);
  assert.equal(clipped(draw({ index: 2 }).svg), 0);
  const hovered = data.features.findIndex(({ coefs }) => coefs[3] !== 0);
  assert.equal(clipped(draw({ index: 3, hovered }).svg), 1);
});

test("where nothing was found there are no bars", () => {
  const data = payload("gaussian");
  const score = [1, 1.1, 1.2, 1.3, 1.4];
  const cv = { mean: score, se: score, train: score, folds: [], concordance: null, concordance_se: null, n_folds: 5, score: "deviance", by_root: false, explained_of: null, greater_is_better: false, null_score: 1.5, best: 0, one_se: 0 };
  const bars = (/** @type {number} */ null_score) => effects.draw({ ...data, cv: { ...cv, null_score } }, { ...opening(data), index: 3 });
  assert.match(bars(1.5).svg, /<rect/);
  assert.doesNotMatch(bars(0.9).svg, /<rect/);
  assert.match(bars(0.9).sentence, /no effect to draw/);
});

test("a curve that grows without bound does not flatten its minimum, and is said to leave the chart", () => {
  const model = payload("gaussian");
  const cv = { mean: [1, 0.8, 0.7, 0.9, 57], se: [0.05, 0.05, 0.05, 0.1, 20], train: [1, 0.8, 0.6, 0.5, 0.4], folds: [], n_folds: 5, score: "deviance", by_root: false, explained_of: 1, greater_is_better: false, null_score: 1, best: 2, one_se: 1, concordance: null, concordance_se: null };
  const shown = (/** @type {Partial<import("../src/payload.js").CrossValidation>} */ change) => cv_curve.draw({ ...model, cv: { ...cv, ...change } }, opening(model));
  const heights = (/** @type {string} */ svg) => [...svg.matchAll(/<text x="72" y="([\d.]+)"[^>]*>([\d.]+)</g)].map(([, y, value]) => [Number(value), Number(y)]);
  const far = shown({});
  assert.ok(Math.max(...heights(far.svg).map(([value]) => value)) < 2);
  const [first, last] = [heights(far.svg)[0], heights(far.svg).slice(-1)[0]];
  const perUnit = (first[1] - last[1]) / (last[0] - first[0]);
  assert.ok(0.3 * perUnit > 50, `${perUnit}`); // what the best model gains is a good part of the chart
  assert.match(far.svg, /reaches 57\.0/);
  assert.match(far.sentence, /Weaker penalties take the curve out of the chart: it reaches 57\.0\.$/);
  assert.equal(cv_curve.draw({ ...model, cv }, { ...opening(model), index: 4 }).svg.match(/>reaches/g)?.length, 1); // wherever the slider stands
  const near = shown({ mean: [1, 0.8, 0.7, 0.9, 1.1], se: [0.05, 0.05, 0.05, 0.1, 0.1] });
  assert.doesNotMatch(near.svg + near.sentence, /reaches/);
  const lower = shown({ mean: [0, 0.2, 0.3, 0.1, -57], train: [0, 0.2, 0.4, 0.5, 0.6], null_score: 0, score: "r2", greater_is_better: true });
  assert.match(lower.svg, /reaches -57\.0/);
  for (const odd of [shown({ mean: Array(5).fill(NaN), se: [null, null, null, null, null], train: null, null_score: null }), shown({ mean: [1, 1, 1, 1, 1], se: [0, 0, 0, 0, 0], train: [1, 1, 1, 1, 1] })]) assert.doesNotMatch(odd.svg, /NaN|undefined|reaches/);
});

test("the axis of lambda ends near where the curve leaves the chart, or where the slider stands", () => {
  const model = payload("gaussian");
  const lambdas = Array.from({ length: 40 }, (_, l) => 10 ** (-l / 10));
  const of = (/** @type {(l: number) => number} */ value) => lambdas.map((_, l) => value(l));
  const cv = { mean: of((l) => (l < 8 ? 1 - l / 20 : 10 ** (l - 8))), se: of(() => 0.05), train: of(() => 0.6), folds: [], n_folds: 5, score: "deviance", by_root: false, explained_of: 1, greater_is_better: false, null_score: 1, best: 7, one_se: 5, concordance: null, concordance_se: null };
  const data = { ...model, lambdas, cv, picked: 5, n_nonzero: of((l) => l) };
  const cursorAt = (/** @type {number} */ index) => Number(cv_curve.draw(data, { ...opening(data), index }).svg.match(/<circle cx="([\d.]+)" cy="268"/)?.[1]);
  const left = cursorAt(0);
  assert.ok(cursorAt(7) - left > 100, `${cursorAt(7)}`); // of 212 pixels; all 40 would leave it 38
  assert.ok(cursorAt(39) <= 290);
});
