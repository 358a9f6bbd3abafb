import assert from "node:assert/strict";
import { test } from "node:test";
import { crossEntropy, openingValues, sigma, slope } from "../src/learn/lesson.js";
import { LESSONS, lessons } from "../src/learn/lessons.js";
import { cornerLimit, ellipses, least, loss, norm, onAxis, touch, turned } from "../src/learn/two_weights.js";

const NAMES = ["<b>one</b>", 'two "quoted"'];
const path = { lambdas: [2, 1, 0.5], coefs: [[0, 0], [0.3, 0], [0.4, -0.2]] };
const quadratic = turned(35, 1, 0.4);
const DATA = {
  a: { points: [[0.5, 0.5, 1], [-1, -1, 0], [-0.4, -0.6, 1]], w: [1, 1], b: 0, names: NAMES, n_rows: 3, totals: null },
  b: { lambdas: [1, 0.1, 0.01], own: null, points: [[-1, -1, 0], [-0.5, 1, 0], [1, 1, 1], [-0.7, -1, 1]], held_out: [[0, 0, 1]] },
  c: { quadratic, lambdas: { l1: [2, 1, 0.5], l2: [3, 1, 0.1] }, names: NAMES },
  d: { quadratic: null, names: NAMES, lam: 0.1 },
  e: { quadratic: null, names: NAMES },
  f: { names: NAMES, truth: null, n_features: 2, concordance: null, concordance_se: null, n_folds: 10, paths: [1, 0.5, 0].map((l1_ratio) => ({ l1_ratio, ...path, n_nonzero: [0, 1, 2], unexplained: [1, 0.4, 0.5] })) },
  g: { bend: 1, centre: 1, base: 0.2, name: NAMES[0] },
  h: { quadratic, names: NAMES },
  i: {
    counted: { tasks: 3, data_sets: ["one", "two"], ridge: 1, lasso: 1, unclear: 1, mix: 0 },
    tables: ["few <b>", "many"].map((name) => ({
      name, n_rows: 100, n_features: 4, concordance: null, concordance_se: null, n_folds: 10, error: "mean cross-entropy", null: 0.7, null_loss: 0.2, null_loss_se: 0.1,
      mixes: [1, 0.5, 0.1, 0].map((l1_ratio) => ({ l1_ratio, lambdas: [1, 0.1, 0.01], n: l1_ratio ? [0, 2, 4] : [4, 4, 4], errors: [0.7, 0.5 + l1_ratio / 10, 0.6], loss: l1_ratio / 10, loss_se: 0.03 })),
    })),
  },
};
const IDS = Object.keys(LESSONS);

test("every lesson draws at every end of its controls, and escapes names", () => {
  for (const id of IDS) {
    const lesson = LESSONS[id];
    const data = DATA[/** @type {keyof typeof DATA} */ (id)];
    const opening = openingValues(lesson, data);
    for (const { id: name, min, max, value, step } of lesson.controls(data)) {
      assert.ok(step > 0 && min < max && min <= value && value <= max, `${id} ${name}`);
      for (const at of [min, max]) {
        const shown = lesson.draw(data, { ...opening, [name]: at });
        assert.ok(!/NaN|Infinity|undefined/.test(shown.svg), `${id} with ${name} = ${at}`);
        assert.ok(!shown.svg.includes("<b>"));
        assert.ok(shown.sentence.length > 40);
        for (const row of shown.table.rows) assert.equal(row.length, shown.table.head.length);
      }
    }
  }
});

test("the same data give the same drawing, and every lesson asks one question", () => {
  assert.deepEqual(lessons(DATA, IDS), lessons(DATA, IDS));
  for (const { quiz, careful } of Object.values(LESSONS)) {
    assert.ok(quiz.answers.length > 2 && quiz.right < quiz.answers.length && quiz.why);
    assert.ok(careful);
  }
  for (const { text } of lessons(DATA, IDS)) assert.ok(text.length > 1);
});

test("a handle put where it is stays there, and stops at the ends", () => {
  for (const [id, handle, control] of [["d", "point", "w1"], ["e", "centre", "angle"], ["g", "from", "from"], ["g", "to", "to"]]) {
    const lesson = LESSONS[id];
    const data = DATA[/** @type {keyof typeof DATA} */ (id)];
    const values = openingValues(lesson, data);
    const svg = lesson.draw(data, values).svg;
    const mark = svg.match(new RegExp(`data-handle="${handle}"[^>]*?cx="([\\d.]+)" cy="([\\d.]+)"`));
    assert.ok(mark && lesson.grab, `${id} ${handle}`);
    assert.deepEqual(lesson.grab(data, values, handle, Number(mark[1]), Number(mark[2])), values);
    const far = lesson.grab(data, values, handle, 5000, 5000)[control];
    const { min, max } = lesson.controls(data).find((one) => one.id === control) ?? { min: 0, max: 0 };
    assert.ok(far >= min && far <= max);
  }
});

test("sigmoid, slope and cross-entropy keep their digits at both ends", () => {
  assert.equal(slope(0), 0.25);
  assert.ok(Math.abs(sigma(1) - 0.7310585786300049) < 1e-15);
  assert.ok(Math.abs(crossEntropy(-10) - 10.000045398899218) < 1e-14);
  assert.equal(sigma(-800), 0);
  assert.equal(crossEntropy(-800), 800);
  assert.equal(crossEntropy(800), 0);
});

test("where the ball is touched no other point of it has less loss", () => {
  for (const angle of [10, 100, 200, 300]) {
    const q = turned(angle, 1, 0.6);
    for (const shape of /** @type {const} */ (["l1", "l2"])) {
      const t = norm(shape, least(q)) / 2;
      const { w, lam } = touch(q, shape, t);
      assert.ok(lam > 0 && Math.abs(norm(shape, w) - t) < 1e-9);
      for (let k = 0; k < 720; k += 1) {
        const [x, y] = [Math.cos((k * Math.PI) / 360), Math.sin((k * Math.PI) / 360)];
        const r = t / norm(shape, [x, y]);
        assert.ok(loss(q, [r * x, r * y]) >= loss(q, w) - 1e-12);
      }
    }
  }
});

test("the count of corners is the count of zeros where the balls are touched", () => {
  for (let angle = 0; angle < 360; angle += 7) {
    for (const shape of /** @type {const} */ (["l1", "l2"])) {
      const q = turned(angle + 0.5, 1, 0.5);
      const t = norm(shape, least(q)) / 2;
      assert.equal(onAxis(q, shape, t), touch(q, shape, t).corner);
    }
  }
  for (const q of ellipses(200)) {
    const whole = norm("l1", least(q));
    for (const share of [0.1, 0.5, 0.9]) assert.equal(cornerLimit(q) >= share, onAxis(q, "l1", share * whole));
    assert.ok(!onAxis(q, "l2", 0.5 * norm("l2", least(q))));
  }
});
