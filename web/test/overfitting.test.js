import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, valuesIn } from "../src/learn/address.js";
import { b } from "../src/learn/b.js";
import { TOLERANCE, cost, solve, solvePath } from "../src/learn/logistic.js";
import { openingValues } from "../src/learn/lesson.js";
import { add, pointsOf, put, remove } from "../src/learn/points.js";
import { randoms } from "./payloads.js";

/** Rows of two classes that overlap. @param {number} seed @param {number} n @param {number} p */
function overlapping(seed, n, p) {
  const chance = randoms(seed);
  const rows = Array.from({ length: n }, () => Array.from({ length: p }, () => 4 * chance() - 2));
  return { rows, labels: rows.map((row) => Number(row[0] + 3 * (chance() - 0.5) > 0)) };
}

/** The same minimum by another way: slow steps downhill on the formula itself. @param {number[][]} rows @param {number[]} labels @param {number} lambda */
function downhill(rows, labels, lambda) {
  let [b0, ...w] = [0, ...rows[0].map(() => 0)];
  for (let step = 0; step < 40000; step += 1) {
    const misses = rows.map((row, i) => 1 / (1 + Math.exp(-(b0 + row.reduce((total, x, j) => total + x * w[j], 0)))) - labels[i]);
    b0 -= (0.3 * misses.reduce((total, one) => total + one, 0)) / rows.length;
    w = w.map((one, j) => one - 0.3 * (misses.reduce((total, miss, i) => total + miss * rows[i][j], 0) / rows.length + lambda * one));
  }
  return { w, b: b0 };
}

test("Newton finds what walking downhill finds, and proves it", () => {
  for (const [seed, p, lambda] of [[1, 2, 1], [2, 2, 0.03], [3, 3, 0.01], [4, 2, 0]]) {
    const { rows, labels } = overlapping(seed, 40, p);
    const found = solve(rows, labels, lambda, { w: Array(p).fill(0), b: 0 });
    const slow = downhill(rows, labels, lambda);
    assert.ok(found.solved && found.violation <= TOLERANCE);
    [found.b, ...found.w].forEach((one, j) => assert.ok(Math.abs(one - [slow.b, ...slow.w][j]) < 1e-6, `${seed} ${j}`));
    assert.ok(cost(found, rows, labels) + (lambda / 2) * found.w.reduce((total, one) => total + one * one, 0) <= cost(slow, rows, labels) + (lambda / 2) * slow.w.reduce((total, one) => total + one * one, 0) + 1e-12);
  }
});

test("no model without a penalty where larger weights always cost less", () => {
  const rows = [[-2, 1], [-1, 0], [0, 2], [0, -1], [1, 0], [2, 1]];
  const apart = solvePath(rows, [0, 0, 0, 1, 1, 1], [1, 1e-3, 0]); // a line parts them
  const touching = solvePath([[-2], [-1], [0], [0], [1], [2]], [0, 0, 0, 1, 1, 1], [1, 1e-3, 0]); // but for two that lie on it
  const mixed = solvePath(rows, [0, 1, 0, 1, 0, 1], [1, 1e-3, 0]);
  assert.deepEqual([apart, touching, mixed].map((models) => models.map((one) => one !== null)), [[true, true, false], [true, true, false], [true, true, true]]);
  for (const model of [...apart, ...touching, ...mixed]) assert.ok(!model || model.solved);
});

/** @type {import("../src/learn/points.js").Point[]} */
const GIVEN = [[-1, -1, 0], [-0.5, 1, 0], [-2, 0.2, 0], [1, 1, 1], [0.6, -1, 1], [-0.8, 0.3, 1]];
const DATA = { lambdas: [10, 1, 0.1, 1e-3, 1e-5], own: null, points: GIVEN, held_out: [...GIVEN, [0.2, 0.1, 0]] };
const OPENING = openingValues(b, DATA);

test("points are put within the frame, added where there is room, and a class never gets lost", () => {
  assert.deepEqual(pointsOf(GIVEN, put({}, 1, 9, 0.449))[1].point, [2.5, 0.4, 0]);
  const more = add(GIVEN, {}, 0.5, 0.5, 1);
  assert.deepEqual(pointsOf(GIVEN, more).at(-1), { k: 6, point: [0.5, 0.5, 1] });
  let values = more;
  for (const k of [0, 1, 2]) values = remove(GIVEN, values, k);
  assert.equal(pointsOf(GIVEN, values).filter(({ point }) => point[2] === 0).length, 2);
  assert.deepEqual(pointsOf(GIVEN, add(GIVEN, values, 0, 0, 1))[0].point, [0, 0, 1]); // takes the free number
  let full = {};
  for (let k = 0; k < 80; k += 1) full = add(GIVEN, full, 0.1 * (k % 20), 1, k % 2);
  assert.equal(pointsOf(GIVEN, full).length, 60);
});

test("a press adds a point of the chosen class, a press outside adds none; keys move and take away", () => {
  const points = (/** @type {import("../src/learn/lesson.js").Values} */ values) => b.draw(DATA, values).numbers.points;
  const pressed = b.press?.(DATA, { ...OPENING, adds: 1 }, 210, 204) ?? {};
  assert.deepEqual(points(pressed).at(-1), [0, 0, 1]);
  assert.deepEqual(b.press?.(DATA, OPENING, 600, 204), OPENING);
  assert.deepEqual(points(b.nudge?.(DATA, OPENING, "0", 1, 0) ?? {})[0], [-0.9, -1, 0]);
  assert.equal(points(b.remove?.(DATA, OPENING, "0") ?? {}).length, 5);
  assert.equal(points(b.grab?.(DATA, OPENING, "0", 600, 600) ?? {}).length, 5); // dragged out of the frame
  assert.equal(points(b.buttons?.(DATA)[0].act(OPENING) ?? {}).length, 7);
});

test("a table is shown with all its features, or as points of two in their units that can be changed", () => {
  const lambdas = DATA.lambdas;
  const own = { fitted: lambdas.map(() => 0.5), held_out: lambdas.map(() => 0.6), n_fitted: 50, n_held_out: 50, n_features: 3, names: ["age"], weights: lambdas.map(() => [1]), dots: [[0, 0], [1, 1]], sums: lambdas.map(() => [-1, 1]) };
  const plane = { points: DATA.points, held_out: DATA.held_out, names: ["age", "dose"], means: [40, 0.5], scales: [10, 0.1] };
  const table = { lambdas, own, plane };
  const values = openingValues(b, table);
  const [slider, features] = b.controls(table);
  assert.deepEqual([slider.max, features.max], [5, 2]);
  assert.equal(slider.show?.(5, values), slider.show?.(4, values)); // the table has no model without a penalty
  assert.equal(slider.show?.(5, { ...values, curved: 1 }), "0: no penalty");
  const whole = b.draw(table, { ...values, at: 5 });
  assert.match(whole.sentence, /0\.500 on the 50 fitted rows/);
  assert.doesNotMatch(whole.svg, /data-handle/);
  assert.deepEqual(b.press?.(table, values, 210, 204), values);
  const straight = { ...values, curved: 1, adds: 1 };
  const { svg, numbers, sentence } = b.draw(table, straight);
  assert.deepEqual(numbers.fitted, b.draw(DATA, OPENING).numbers.fitted);
  assert.match(svg, />x1: age<[^]*>x2: dose</);
  assert.match(svg, /point of class 0 at 30\.0, 0\.400;/);
  assert.match(sentence, /The points are a sample of the rows/);
  assert.deepEqual(b.draw(table, b.press?.(table, straight, 210, 204) ?? {}).numbers.points.at(-1), [0, 0, 1]);
  assert.equal(b.draw(table, b.remove?.(table, straight, "0") ?? {}).numbers.points.length, 5);
  assert.deepEqual(b.draw(table, b.nudge?.(table, straight, "0", 1, 0) ?? {}).numbers.points[0], [-0.9, -1, 0]);
  assert.deepEqual(b.draw(table, { ...values, curved: 2 }).numbers.fitted, b.draw(DATA, { ...OPENING, curved: 1 }).numbers.fitted);
  const added = b.buttons?.(table)[0].act(values) ?? {};
  assert.equal(added.curved, 1); // and shows what it adds to
  assert.deepEqual([b.controls({ lambdas, own, plane: null }).length, b.buttons?.({ lambdas, own, plane: null }).length], [1, 0]);
});

test("one point on the wrong side gives a model without a penalty its best weights back", () => {
  const parted = put(OPENING, 5, 1.5, 0.5);
  const last = DATA.lambdas.length;
  assert.equal(b.draw(DATA, { ...parted, at: last }).numbers.fitted[last], null);
  assert.ok(b.draw(DATA, { ...OPENING, at: last }).numbers.fitted[last] > 0);
});

test("the address holds what differs from the opening, and nothing else comes out of it", () => {
  const values = { ...put(OPENING, 5, 1.5, 0.5), at: 1, narrow: 1 };
  const words = changes(b, OPENING, values);
  assert.deepEqual({ ...OPENING, ...valuesIn(`#b?${words}`, b, b.controls(DATA)) }, { ...OPENING, at: 1, x5: 1.5, y5: 0.5 });
  assert.equal(changes(b, OPENING, OPENING), "");
  assert.deepEqual(valuesIn("#b?at=99&curved=0.4&x5=nonsense&y5=&other=1&narrow=1&class5=1e999", b, b.controls(DATA)), { at: 5, curved: 0 });
  for (const other of ["", "#b", "#c?at=1", "#lesson-b-section"]) assert.equal(valuesIn(other, b, b.controls(DATA)), null);
});
