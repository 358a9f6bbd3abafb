/** The views of errors: cut-offs between two classes, the spread of what was observed, groups of rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { opening } from "../src/payload.js";
import { cellsOf, cheapest, decisions } from "../src/views/decisions.js";
import { observed } from "../src/views/observed.js";
import { ranges, rowsOf } from "../src/views/ranges.js";
import { row_groups } from "../src/views/row_groups.js";
import { FAMILIES, NASTY, payload } from "./payloads.js";

const VIEWS = [decisions, observed, row_groups];

for (const family of FAMILIES) {
  test(`${family}: the views of errors draw at every lambda and cut-off`, () => {
    const data = payload(family);
    data.classes = data.classes.length ? NASTY.slice(0, 2) : [];
    const shown = VIEWS.filter((view) => view.missing(data) === "");
    assert.deepEqual(shown.map((view) => view.id), family === "binomial" ? ["decisions", "row_groups"] : ["observed", "row_groups"]);
    for (const index of data.lambdas.keys()) {
      for (const cutoff of [0, 1, 2]) {
        for (const narrow of [false, true]) {
          for (const costs of [{ cost_missed: 5, cost_alarm: 1 }, { cost_missed: 0, cost_alarm: 0 }]) {
            for (const view of shown) {
              const { svg, sentence, table } = view.draw(data, { ...opening(data), index, cutoff, narrow, ...costs });
              assert.doesNotMatch(svg + sentence + JSON.stringify(table), /NaN|undefined|Infinity|null/, view.id);
              assert.doesNotMatch(svg, /<img|<script|onerror="|<b>/);
              assert.match(svg, new RegExp(`viewBox="0 0 ${narrow ? 400 : 620} `));
              table.rows.forEach((row) => assert.equal(row.length, table.head.length));
            }
          }
        }
      }
    }
  });
}

test("without held-out rows the views say what they need", () => {
  for (const view of VIEWS) assert.match(view.missing({ ...payload("binomial"), evidence: null }), /needs the data/);
});

test("the four cells are the rows on either side of a cut-off, and their cost", () => {
  const data = payload("binomial");
  const stored = /** @type {NonNullable<NonNullable<typeof data.evidence>["decisions"]>} */ (data.evidence?.decisions);
  const state = { ...opening(data), cost_missed: 5, cost_alarm: 1 };
  const cells = cellsOf(stored, 0, state);
  assert.deepEqual(cells[1], { cutoff: 0.5, found: 40, missed: 10, alarms: 15, passed: 35, cost: 65 });
  assert.equal(cells[cheapest(cells)].cost, Math.min(...cells.map((one) => one.cost)));
  assert.equal(cheapest(cellsOf(stored, 0, { ...state, cost_missed: 0 })), 2); // no alarm at all is cheapest
  assert.equal(cheapest(cellsOf(stored, 0, { ...state, cost_missed: 0, cost_alarm: 0 })), 1); // all alike: the middle one
  const { sentence, table } = decisions.draw(data, { ...state, index: 0 });
  assert.match(sentence, /above a probability of 0\.5: of 100 held-out rows 75 \(75%\) are right; always saying “no” would be right for 50%/);
  assert.match(sentence, /10 of 50 “<yes>” are missed, 15 of 50 “no” are called “<yes>”/);
  assert.match(sentence, /all errors cost 65; on these rows the cheapest cut-off is 0\.25 \(50\), and for probabilities that can be taken at their word it is 0\.167/);
  assert.deepEqual(table.rows[1], ["0.5", 40, 10, 15, 35, "75%", "73%", "80%", "65"]);
});

test("the ROC curve ends in both corners and passes through the cut-off in use", () => {
  const data = payload("binomial");
  const { svg } = decisions.draw(data, { ...opening(data), index: 0 });
  assert.ok(svg.includes('cx="63.6" cy="64.4"')); // 15 of 50 alarms, 40 of 50 found, of a square of 212 pixels
});

test("counts that vary more than their family allows are told", () => {
  const data = payload("poisson");
  assert.match(observed.draw(data, opening(data)).sentence, /The dispersion at lambda_best is 1\.50 \(1 for poisson counts\)\. 31 of the targets are zero, where poisson expects 30 ± 4 of these means\.$/);
  data.mathematics = { ...data.mathematics, dispersion: 76 };
  assert.match(observed.draw(data, opening(data)).sentence, /vary 76\.0 times as much about their predictions as the family allows for/);
  assert.match(observed.draw(data, { ...opening(data), index: 0 }).sentence, /31 of the targets are zero, where poisson expects 12 ± 3 of these means: more than it has room for/);
  assert.doesNotMatch(observed.draw(payload("gamma"), opening(payload("gamma"))).sentence, /dispersion/);
  assert.match(observed.draw(payload("gaussian"), { ...opening(payload("gaussian")), index: 1 }).sentence, /Stored for lambda/);
});

test("of counts that are mostly zero the means are drawn, and how many of each group are zero", () => {
  const data = payload("poisson");
  const stored = /** @type {import("../src/payload.js").Observed} */ (data.evidence?.observed);
  assert.doesNotMatch(observed.draw(data, opening(data)).sentence, /Most targets are zero/);
  stored.zero_shares = [[0.9], [0.95, 0.9, 0.4]];
  for (const narrow of [false, true]) {
    const { svg, sentence, table } = observed.draw(data, { ...opening(data), narrow });
    assert.match(sentence, /Most targets are zero \(40% to 95% of the rows of a group\), so the means of groups with like predictions are drawn\. \d of 2 groups of rows agree within two standard errors\. The dispersion .* 31 of the targets are zero/);
    assert.match(svg, />observed mean</);
    assert.doesNotMatch(svg, /nine in ten rows|NaN|undefined/);
    assert.deepEqual(table.rows.map(([, mean, , zero, rows]) => [mean, zero, rows]), [["0.150", "95%", 30], ["0.350", "90%", 40], ["0.900", "40%", 30]]);
  }
  if (data.evidence) data.evidence.calibration = null;
  assert.match(observed.draw(data, opening(data)).svg, /nine in ten rows/);
});

test("a group stands out when luck does not explain it, and its shift is told", () => {
  const data = payload("gaussian");
  const at = (/** @type {number} */ index) => row_groups.draw(data, { ...opening(data), index }).sentence;
  assert.match(at(3), /By more where age above 40: 0\.500 in 30 rows\. Where age above 40, predictions are too low by 0\.300/);
  assert.match(at(1), /No column parts the rows/);
  const stored = data.evidence?.row_groups;
  if (stored) stored.by_chance = 4.5;
  assert.match(at(3), /None of the 20 groups by single columns stands out/);
});

test("ranges over samples: bars of all rows with their whiskers, and what they are not", () => {
  const data = { ...payload("gaussian", { names: NASTY }), classes: [] };
  data.ranges = { at: [1, 3], n_fits: 50, middle: 0.9, low: [[-0.1, 0, 0], [0.2, 0.1, 0]], high: [[0.3, 0, 0], [1.5, 0.9, 0.1]], counts: [[20, 0, 30], [50, 44, 26]] };
  for (const narrow of [false, true]) {
    for (const index of data.lambdas.keys()) {
      const { svg, sentence, table } = ranges.draw(data, { ...opening(data), index, narrow });
      assert.doesNotMatch(svg + sentence + JSON.stringify(table), /NaN|undefined|Infinity|null/);
      assert.doesNotMatch(svg + sentence, /<img/);
      table.rows.forEach((row) => assert.equal(row.length, table.head.length));
    }
  }
  const stored = data.ranges;
  const rows = rowsOf(data, stored, 1);
  assert.deepEqual(rows.map((row) => row.count), [50, 44, 26]); // kept, or in more than half of the samples
  const { sentence } = ranges.draw(data, { ...opening(data), index: 3 });
  assert.match(sentence, /in 50 bootstrap samples of the rows, 2 of the 2 coefficients shown keep their sign/);
  assert.match(sentence, /no confidence interval/);
  assert.match(ranges.draw(data, { ...opening(data), index: 2 }).sentence, /Stored for lambda/);
  assert.match(ranges.missing(payload("gaussian")), /--bootstrap/);
  data.fold_ranges = { at: [3], n_fits: 10, middle: 1, low: [[0.5, 0.2, 0]], high: [[0.9, 0.4, 0]], counts: [[10, 10, 0]] };
  const both = ranges.draw(data, { ...opening(data), index: 3 });
  assert.match(both.svg, /from the least to the most of the folds/);
  assert.deepEqual(both.table.rows[0].slice(5), ["0.500", "0.900"]);
  data.ranges = null;
  const alone = ranges.draw(data, { ...opening(data), index: 3 });
  assert.match(alone.sentence, /in the models of 10 folds, 2 of the 2 coefficients/);
  assert.equal(alone.table.head.length, 5);
});
