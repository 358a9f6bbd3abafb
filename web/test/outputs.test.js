import assert from "node:assert/strict";
import { test } from "node:test";
import { meansAt } from "../src/mathematics.js";
import { opening } from "../src/payload.js";
import { asCsv, asJson } from "../src/page/download.js";
import { breakdown } from "../src/views/breakdown.js";
import { calibration } from "../src/views/calibration.js";
import { coefficients, nearest } from "../src/views/coefficients.js";
import { confusion } from "../src/views/confusion.js";
import { convexity } from "../src/views/convexity.js";
import { effects } from "../src/views/effects.js";
import { errors } from "../src/views/errors.js";
import { features, rows, titles } from "../src/views/features.js";
import { geometry } from "../src/views/geometry.js";
import { VIEWS } from "../src/views/index.js";
import { residuals } from "../src/views/residuals.js";
import { sigmoid } from "../src/views/sigmoid.js";
import { verdict } from "../src/views/verdict.js";
import { inWords, predictAll, probabilities, ready, spread } from "../src/views/what_if.js";
import { NASTY, payload } from "./payloads.js";

/** @typedef {import("../src/payload.js").Payload} Payload @typedef {import("../src/payload.js").State} State */

const CLASSES = { inverse_link: /** @type {const} */ ("softmax"), variance: /** @type {const} */ ("mu (1 - mu)"), parameter: null, dispersion: 1, has_classes: true, quadratic: false, of_times: false, factor: "", factor_column: "", eta: "log of the probability", predicted: "Probability" };

/**
 * A model of several classes or targets: the features count for output k as (k - 1) times what they count for the first.
 * @param {"classes" | "targets"} kind @param {number} [count] @param {string[]} [names]
 */
function several(kind, count = 3, names = []) {
  const data = payload("gaussian");
  const called = Array.from({ length: count }, (_, k) => names[k] ?? `out ${k}`);
  const flat = data.lambdas.map(() => 0);
  data.outputs = called.map((name, k) => ({ name, intercepts: flat.map(() => k / 10), rest: flat.map(() => k / 10) }));
  [data.intercepts, data.rest] = [[], null];
  for (const feature of data.features) {
    feature.by_output = called.map((_, k) => feature.coefs.map((coef) => (k - 1) * coef));
    feature.coefs = feature.coefs.map((_, l) => Math.hypot(...called.map((_, k) => feature.by_output?.[k][l] ?? 0)));
  }
  data.cv = { mean: [4, 3, 2, 1, 1], se: [1, 1, 1, 1, 1], train: [4, 3, 2, 1, 0], folds: [], concordance: null, concordance_se: null, n_folds: 5, score: "deviance", greater_is_better: false, by_root: false, explained_of: kind === "classes" ? null : 5, null_score: 5, best: 3, one_se: 2 };
  const evidence = /** @type {NonNullable<Payload["evidence"]>} */ (data.evidence);
  const at = [0, 2, 4];
  const one = /** @type {NonNullable<typeof evidence.calibration>} */ ({ ...evidence.calibration, spans: null });
  const [calibrations, left] = [called.map(() => one), called.map(() => /** @type {NonNullable<typeof evidence.residuals>} */ (evidence.residuals))];
  Object.assign(evidence, { calibration: null, residuals: null, observed: null, convexity: null, gradients: [], hessians: [], alone: [] });
  if (kind === "targets") {
    evidence.outputs = { at, calibration: null, residuals: left, confusion: null, errors: { rmse: called.map((_, k) => flat.map((_, l) => 10 ** k / (1 + l))), null: called.map((_, k) => 10 ** k) } };
    return data;
  }
  const width = Math.min(count, 3) + Number(count > 3);
  const square = Array.from({ length: width ** 2 }, (_, c) => (c % (width + 1) === 0 ? 8 : c === 1 ? 2 : 0));
  evidence.outputs = { at, calibration: calibrations, residuals: null, errors: null, confusion: { at, named: [0, 1, 2].slice(0, count), counts: at.map(() => square), right: [8, 10, 24, 25, 26], n_rows: 30, commonest: 1, n_commonest: 12 } };
  data.mathematics = CLASSES;
  data.classes = called;
  return data;
}

/** @param {Payload} data @param {Partial<State>} [change] */
const stateOf = (data, change) => ({ ...opening(data), ...change });

for (const kind of /** @type {const} */ (["classes", "targets"])) {
  test(`${kind}: every view draws at every lambda, however many there are`, () => {
    for (const count of [2, 3, 4, 6, 7, 12]) {
      const data = several(kind, count, NASTY);
      for (const index of data.lambdas.keys()) {
        for (const narrow of [false, true]) {
          const state = stateOf(data, { index, narrow, output: count - 1, axis: /** @type {const} */ (["lambda", "norm", "deviance"])[index % 3], hovered: index % 2 ? 1 : null });
          for (const view of VIEWS.filter((one) => one.missing(data) === "")) {
            const { svg, sentence, table } = view.draw(data, state);
            const text = svg + sentence + JSON.stringify(table);
            assert.doesNotMatch(text, /NaN|undefined|Infinity|null/, `${view.id}: ${text.match(/.{60}(NaN|undefined|Infinity|null).{20}/)?.[0]}`);
            assert.doesNotMatch(svg, /<img|<script|onerror="/);
            assert.ok(sentence.length > 20, view.id);
            for (const row of table.rows) assert.equal(row.length, table.head.length, view.id);
          }
          assert.doesNotMatch(JSON.stringify(verdict(data, index)), /NaN|undefined/);
        }
      }
    }
  });
}

test("views of one linear predictor are not drawn, nor those of several for one", () => {
  for (const view of [geometry, sigmoid, convexity]) assert.match(view.missing(several("classes")), /this one has several/);
  assert.deepEqual([confusion, errors].map((view) => view.missing(payload("gaussian")) === ""), [false, false]);
  assert.deepEqual([calibration, confusion].map((view) => view.missing(several("targets")) === ""), [false, false]);
  assert.deepEqual([residuals, errors].map((view) => view.missing(several("classes")) === ""), [false, false]);
});

test("a few outputs have a picture each, many one of lengths", () => {
  const drawn = (/** @type {number} */ count) => coefficients.draw(several("classes", count), stateOf(several("classes", count))).svg;
  for (const count of [2, 4, 6]) assert.equal(drawn(count).match(/clipPath id=/g)?.length, count);
  assert.match(drawn(7), /length over the classes, per SD/);
  assert.equal(drawn(7).match(/clipPath id=/g)?.length, 1);
});

test("the pointer finds the curve in the picture below it", () => {
  const data = several("classes", 4);
  for (const narrow of [false, true]) {
    const state = stateOf(data, { narrow });
    const { svg } = coefficients.draw(data, state);
    const found = [...svg.matchAll(/<g transform="translate\(([\d.]+) ([\d.]+)\)">/g)].map((one) => [Number(one[1]), Number(one[2])]);
    const ends = [...svg.matchAll(/<path d="M[^"]*L([\d.]+),([\d.]+)"[^>]*stroke="var\(--c1\)"/g)].map((one) => [Number(one[1]), Number(one[2])]);
    assert.deepEqual([found.length, ends.length], [4, 4]);
    for (const k of [0, 2, 3]) assert.deepEqual(nearest(data, state, found[k][0] + ends[k][0], found[k][1] + ends[k][1]), { index: 4, feature: 0 });
    assert.equal(nearest(data, state, found[1][0] + ends[1][0], found[1][1] + ends[1][1]).feature, null); // zero for this class
  }
});

test("a target that is predicted worse than by its mean says so", () => {
  const data = several("targets", 3);
  const stored = /** @type {NonNullable<NonNullable<NonNullable<Payload["evidence"]>["outputs"]>["errors"]>} */ (data.evidence?.outputs?.errors);
  stored.rmse[2] = stored.rmse[2].map(() => 120);
  const shown = errors.draw(data, stateOf(data));
  assert.deepEqual(shown.table.rows[2], ["out 2", "120.0", "100.0", "120.0 %", "-44.0 %"]);
  assert.match(shown.svg, /120 instead of 100/);
});

test("the square of classes has counts and the shares of a row", () => {
  const data = several("classes");
  const { svg, sentence, table } = confusion.draw(data, stateOf(data));
  assert.deepEqual(table.rows[0], ["out 0", "10", "8 (80%)", "2 (20%)", "0"]);
  assert.match(svg, />8<\/text><text[^>]*>80%</);
  assert.match(sentence, /Most often “out 0” is taken for “out 1” \(2 rows\)\. Found least is “out 0”: 8 of 10 rows\.$/);
  assert.match(confusion.draw(data, stateOf(data, { index: 1 })).sentence, /Stored for lambda = 1\.00, the nearest to 0\.300\.$/);
  const many = several("classes", 12);
  const folded = confusion.draw(many, stateOf(many));
  assert.deepEqual(folded.table.head.slice(-1), ["as 9 others"]);
  assert.equal(folded.svg.match(/>100%</g)?.length, 5); // two classes, in their cell and beside it, and the cell of the others
});

test("calibration and residuals follow the class or target that is chosen", () => {
  const data = several("classes");
  const stored = /** @type {NonNullable<NonNullable<Payload["evidence"]>["outputs"]>} */ (data.evidence?.outputs);
  stored.calibration = data.outputs.map((_, k) => ({ predicted: [[0.1], [0.2], [0.3]], observed: [[0.1], [0.2], [0.4 + k / 10]], se: [[0.1], [0.1], [0.1]], counts: [[9], [9], [9]], spans: null, brier: [0.1, 0.1, 0.1], log_loss: [0.1, 0.1, 0.1] }));
  const shown = calibration.draw(data, stateOf(data, { output: 2, index: 3 }));
  assert.match(shown.sentence, /^out 2 against all other classes\..*it predicts 20% and 20% was observed \(9 rows\).*Stored for lambda = 0\.100/);
  assert.match(shown.svg, /observed share of out 2/);
  assert.match(residuals.draw(several("targets"), stateOf(several("targets"), { output: 1 })).sentence, /^out 1\. At lambda/);
});

test("the table has a column for each class, and for very many the largest", () => {
  const data = several("classes");
  assert.deepEqual(titles(data), ["feature", "length per SD", "out 0", "out 1", "out 2", "enters at lambda"]);
  const [first] = rows(data, { index: 4, filter: "" });
  assert.equal(first.cells.length, titles(data).length);
  assert.deepEqual(first.cells.slice(2, 5).map((cell) => cell[0]), ["-", "0", "+"]);
  const many = several("classes", 12);
  assert.deepEqual(titles(many).slice(1, 3), ["length per SD", "largest"]);
  assert.match(rows(many, { index: 4, filter: "" })[0].cells[2], /^\+[\d.]+ \(out 11\)$/);
  assert.match(features.draw(data, stateOf(data)).sentence, /the largest over all classes \(length per SD\) first\.$/);
});

test("bars of many classes are those of the chosen one", () => {
  const [few, many] = [several("classes", 6), several("classes", 7)];
  assert.deepEqual(effects.draw(few, stateOf(few)).table.head, ["feature", ...few.classes]);
  const { table, sentence } = effects.draw(many, stateOf(many, { output: 3 }));
  assert.deepEqual(table.head, ["feature", "out 3"]);
  assert.match(sentence, /Most for out 3: age \(\+/);
  assert.match(effects.draw(few, stateOf(few, { index: 0 })).sentence, /no feature is kept/);
});

test("the penalty of outputs that go together is paid by lengths, else by each", () => {
  const data = several("classes");
  const shares = (/** @type {boolean} */ grouped) => breakdown.draw({ ...data, grouped }, stateOf(data, { index: 4 })).table.rows.slice(2).map((row) => parseFloat(String(row[1])));
  const [apart, together] = [shares(false), shares(true)];
  apart.forEach((paid, k) => assert.ok(Math.abs(paid / together[k] - Math.SQRT2) < 0.01, `${paid} ${together[k]}`));
});

test("what-if gives the probability of every class", () => {
  const data = several("classes");
  const state = stateOf(data, { index: 4, inputs: { 0: 3 } });
  const etas = data.outputs.map((one, k) => one.intercepts[4] + data.features.reduce((sum, feature, j) => sum + (feature.by_output?.[k][4] ?? 0) * (j === 0 ? 3 : 1), 0));
  const sizes = etas.map(Math.exp);
  const total = sizes[0] + sizes[1] + sizes[2];
  const { values, typical } = predictAll(data, state);
  values.forEach((value, k) => assert.ok(Math.abs(value - sizes[k] / total) < 1e-14));
  assert.ok(Math.abs(typical[0] + typical[1] + typical[2] - 1) < 1e-14);
  assert.deepEqual(meansAt(CLASSES, [1000, 0]), [1, 0]);
  assert.match(probabilities(data, state), /Probability of each class/);
  assert.match(inWords(data, state), /^Most probable: “out 2” with [\d.]+ % \(at the start “out 2” with [\d.]+ %\)$/);
  assert.match(inWords(data, stateOf(data)), /^Most probable: “out \d” with [\d.]+ %$/);
  assert.match(inWords(several("targets"), stateOf(several("targets"))), /^Predicted: out 0 [-\d.]+, out 1 0\.1000, out 2 [-\d.]+$/);
  assert.match(spread(data, state), /^Of the 30 held-out rows with the nearest predictions \(80\.0 % on average\), 90\.0 % were “out 2”\.$/);
  assert.match(spread(several("targets"), stateOf(several("targets"))), /^Held-out rows were off by \(root mean squared error\): out 0 0\.333, out 1 3\.33, out 2 33\.3\.$/);
  assert.equal(ready(data), true);
  data.outputs[1].rest = null;
  assert.equal(ready(data), false);
});

test("what is saved has a row for each feature and output", () => {
  const data = several("targets", 2, ["=u", "v"]);
  const lines = asCsv(data, 4).trim().split("\n");
  assert.equal(lines[0], "feature,output,per_sd,per_unit");
  assert.equal(lines.at(-2), "(intercept),'=u,,0");
  assert.equal(lines.length, 1 + 2 + 2 * data.features.filter((one) => one.coefs[4] !== 0).length);
  const saved = JSON.parse(asJson(data, 4)).coefficients;
  assert.deepEqual(Object.keys(saved.at(-1)), ["feature", "output", "per_sd", "per_unit"]);
});
