/** The views of times to an event: curves by risk, calibration up to one time, and the survival of a row. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../src/payload.js";
import { asCsv } from "../src/page/download.js";
import { VIEWS } from "../src/views/index.js";
import { drawn as effects } from "../src/views/effect_bars.js";
import { features } from "../src/views/features.js";
import { cv_curve } from "../src/views/cv_curve.js";
import { logHazards, reached, steps, survivalOf } from "../src/views/survival.js";
import { survival_calibration } from "../src/views/survival_calibration.js";
import { survival_curves } from "../src/views/survival_curves.js";
import { verdict } from "../src/views/verdict.js";
import { drawn, inWords, spread } from "../src/views/what_if_survival.js";
import { MATHEMATICS, payload } from "./payloads.js";

/** A Cox model with two strata. @returns {import("../src/payload.js").Payload} */
function cox() {
  const made = payload("poisson");
  const evidence = /** @type {import("../src/payload.js").Evidence} */ (made.evidence);
  return {
    ...made,
    title: "days, dead",
    time_name: "days",
    mathematics: { ...MATHEMATICS.poisson, of_times: true, factor: "hazard", factor_column: "hazard", eta: "log of the hazard", predicted: "Relative hazard" },
    cv: { mean: [5, 4, 3, 3, 4], se: [1, 1, 1, 1, 1], train: null, folds: [], n_folds: 5, score: "deviance", by_root: false, explained_of: 5, greater_is_better: false, null_score: 5, best: 3, one_se: 2, concordance: [0.5, 0.6, 0.7, 0.71, 0.7], concordance_se: [0, 0.02, 0.02, 0.02, 0.02] },
    hazards: {
      strata: ["a", "b <c>"],
      times: [[10, 20, 40], [5, 50]],
      ends: [60, 50],
      centres: [made.lambdas.map(() => Math.log(0.2)), made.lambdas.map(() => 0)],
      steps: [[[-693, 0, 693], ...made.lambdas.slice(1).map(() => [0, 0, 0])], [[-1000, 0], ...made.lambdas.slice(1).map(() => [100, 0])]],
    },
    evidence: {
      ...evidence, margins: null, scaling: null, calibration: null, residuals: null, decisions: null, observed: null, row_groups: null, convexity: null, slices: [], pairs: [],
      survival: {
        horizons: [10, 20],
        reached: [0.25, 0.5],
        horizon: 1,
        at: [0, 2],
        curves: {
          times: [10, 20, 40], ticks: [0, 20, 40, 60], survival: [[[0.9, 0.8, 0.4]], [[1, 0.95, 0.9], [0.9, 0.7, 0.6], [0.7, 0.4, null]]],
          ends: [[60], [60, 60, 30]], medians: [[40], [null, null, 20]], at_risk: [[[30, 20, 10, 2]], [[10, 9, 8, 2], [10, 8, 4, 0], [10, 4, 0, 0]]], events: [[12], [1, 4, 6]],
        },
        calibration: [{ predicted: [[0.9], [0.8, 0.9, 0.99, 0.99]], observed: [[0.9], [0.7, 0.9, 1, 1]], se: [[0.05], [0.1, 0.1, 0, 0]], counts: [[30], [10, 10, 10, 2]], events: [[6], [3, 2, 0, 0]] }, { predicted: [[0.8], [0.4, 0.7, 0.95, 0.99]], observed: [[0.8], [0.45, 0.4, 1, null]], se: [[0.05], [0.1, 0.1, 0, null]], counts: [[30], [10, 10, 10, 2]], events: [[12], [6, 4, 1, 0]] }],
      },
    },
  };
}

/** @param {number} index @param {boolean} [narrow] */
const at = (index, narrow = false) => ({ ...opening(cox()), index, narrow });

test("steps start at 1, fall at times and end where rows were last seen", () => {
  assert.deepEqual(steps(0, [10, 20], [0.5, null], 15), [[0, 1], [10, 1], [10, 0.5], [15, 0.5]]);
  assert.deepEqual([5, 10, 19, 20, 99].map((time) => reached([10, 20], [0.5, 0.25], time)), [1, 0.5, 0.5, 0.25, 0.25]);
});

test("hazards are centres and running sums of steps", () => {
  const hazards = /** @type {import("../src/payload.js").Hazards} */ (cox().hazards);
  assert.deepEqual(logHazards(hazards, 0, 4), [-0.693, 0, 0.693].map((step) => Math.log(0.2) + step));
  assert.ok(Math.abs(logHazards(hazards, 1, 3)[0] + 0.7) < 1e-12);
  const row = survivalOf(hazards, 0, 2, Math.log(4));
  assert.ok(Math.abs(row.values[1] - Math.exp(-0.8)) < 1e-12);
  assert.equal(row.median, 20);
  assert.equal(survivalOf(hazards, 0, 2, 0).median, Infinity);
});

test("curves say who is at risk, what happened up to the horizon, and for which lambda", () => {
  const data = cox();
  const { svg, sentence, table } = survival_curves.draw(data, at(2));
  assert.match(sentence, /At days = 20 \(by when 50% of the events had happened\), dotted, 95% of the lowest third are without the event and 40% of the highest third; half of the highest third have it by days = 20, more than half of the lowest third have none as long as they were seen\.$/);
  assert.match(survival_curves.draw(data, at(3)).sentence, /Stored for lambda = 0\.1/);
  assert.match(survival_curves.draw(data, at(0)).sentence, /all held-out rows have the same predicted risk; 80% are without the event/);
  assert.equal(svg.match(/rows still at risk/g)?.length, 1);
  assert.deepEqual(table.rows[2], ["40", "90%", "8", "60%", "4", "–", "0"]);
  for (const narrow of [false, true]) assert.doesNotMatch(survival_curves.draw(data, at(2, narrow)).svg, /NaN|undefined/);
  assert.notEqual(survival_curves.missing(payload("gaussian")), "");
});

test("calibration compares shares, and a group without an event is judged by its prediction", () => {
  const { svg, sentence, table } = survival_calibration.draw(cox(), at(2));
  assert.match(sentence, /furthest off it predicts 70% and 40% were without it \(10 rows\)\. 2 of 3 groups agree/);
  assert.equal(table.rows.length, 3);
  assert.doesNotMatch(svg, /NaN|undefined/);
});

test("another time changes every view that tells of one", () => {
  const data = cox();
  const first = { ...at(2), horizon: 0 };
  assert.equal(at(2).horizon, 1);
  assert.match(survival_curves.draw(data, first).sentence, /At days = 10 \(by when 25% of the events had happened\), dotted, 100% of the lowest third are without the event and 70% of the highest/);
  assert.match(survival_calibration.draw(data, first).sentence, /furthest off it predicts 80% and 70% were without it \(10 rows\)\. 4 of 4 groups agree/);
  assert.match(survival_calibration.draw(data, first).svg, /without the event at days = 10/);
  assert.match(inWords(data, first), /^Without the event at days = 10: /);
  assert.match(spread(data, first), /were without the event at days = 10\.$/);
  assert.notEqual(survival_curves.draw(data, first).svg, survival_curves.draw(data, at(2)).svg);
});

test("the survival of a row, beside that at the start", () => {
  const data = cox();
  const start = at(2);
  assert.match(inWords(data, start), /^Without the event at days = 20: \d+%\. Median days: (\d+|later than 60, the last that was seen)\.$/);
  const moved = { ...start, stratum: 1, inputs: { 0: 3 } };
  const coef = data.features[0].coefs[2];
  assert.match(inWords(data, moved), new RegExp(`The hazard is ${Math.exp(2 * coef).toPrecision(3)} times that at the start\\.$`));
  assert.match(drawn(data, moved).replaceAll("\n", ""), /this row.*at the start/);
  assert.doesNotMatch(drawn(data, start), /at the start|NaN/);
  assert.match(spread(data, start), /^Of the 10 held-out rows with the nearest predictions \(\d+% on average\), \d+% were without the event at days = 20\.$/);
});

test("hazard ratios per SD and per unit, and neither an intercept nor scores of fitted rows", () => {
  const data = cox();
  const { table, sentence } = features.draw(data, at(2));
  assert.deepEqual(table.head.slice(0, 5), ["feature", "per SD", "per unit", "hazard × / SD", "hazard × / unit"]);
  const coef = data.features[0].coefs[2];
  const row = table.rows.find(([name]) => name === data.features[0].name);
  assert.deepEqual(row?.slice(3, 5).map(Number), [2 * coef, coef].map((eta) => Number(Math.exp(eta).toPrecision(3))));
  assert.doesNotMatch(sentence, /Intercept/);
  const [head, first, ...rest] = asCsv(data, 2).split("\n");
  assert.equal(head, "feature,per_sd,per_unit,hazard_per_sd,hazard_per_unit");
  assert.equal(Number(first.split(",")[4]), Math.exp(coef));
  assert.ok(!rest.some((line) => line.startsWith("(intercept)")));
  assert.equal(asCsv({ ...data, features: [], others: [] }, 0), "feature\n");
  const curve = cv_curve.draw(data, at(2));
  assert.match(curve.sentence, /what they add to that of the others, per event\. A model without features has 5\.000\. The concordance is 0\.700 \(1 SE: 0\.020\), against 0\.5\.$/);
  assert.doesNotMatch(curve.svg, /fitted rows|NaN/);
  assert.deepEqual(verdict(data, 2).numbers[4], ["CV concordance (0.5 by chance)", "0.700 ± 0.020"]);
  const bars = effects(data, at(2), "title");
  assert.match(bars.svg, /event sooner →/);
  assert.match(effects(data, at(2, true), "title").svg, />sooner →/);
  assert.deepEqual(bars.table.head, ["feature", "per SD", "hazard ×", "hazard × / unit"]);
});

test("only held-out rows that do worse show what was learned by heart", () => {
  const data = cox();
  const scored = (/** @type {number[]} */ train, greater = true) => ({ ...data, cv: { .../** @type {import("../src/payload.js").CrossValidation} */ (data.cv), mean: [0.5, 0.6, 0.7, 0.7, 0.7], train, score: greater ? "concordance" : "brier", greater_is_better: greater } });
  const says = (/** @type {number[]} */ train, greater = true) => cv_curve.draw(scored(train, greater), at(2)).sentence;
  const [low, high] = [[0.5, 0.6, 0.65, 0.7, 0.7], [0.5, 0.6, 0.75, 0.7, 0.7]];
  for (const worse of [says(high), says(low, false)]) assert.match(worse, /on the fitted rows: the difference is what was learned by heart\./);
  for (const better of [says(low), says(high, false)]) assert.match(better, /on the fitted rows: held-out rows do no worse, so nothing shows/);
});

test("every view draws or says why not", () => {
  const data = cox();
  for (const view of VIEWS) if (view.missing(data) === "" && !["geometry", "ranges"].includes(view.id)) for (const index of [0, 2, 4]) assert.doesNotMatch(JSON.stringify(view.draw(data, at(index))), /NaN|undefined/, view.id);
});
