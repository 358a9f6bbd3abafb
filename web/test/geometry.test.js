import assert from "node:assert/strict";
import { test } from "node:test";
import { closer, exchanged, filled, levels, lines, lowest, slope, smooth } from "../src/contours.js";
import { ball, centre, cleaned, cone, ellipse, entry, gradient, outside, penalty, reach, solution, tangent, value, violation, weights } from "../src/geometry.js";
import { randoms } from "./payloads.js";

/** @typedef {import("../src/geometry.js").Point} Point @typedef {import("../src/geometry.js").Quadratic} Quadratic */

/** A loss of two features with any correlation, seen from the origin. @param {() => number} random @returns {Quadratic} */
function loss(random) {
  const [a, d] = [0.2 + 2 * random(), 0.2 + 2 * random()];
  const b = (2 * random() - 1) * 0.98 * Math.sqrt(a * d);
  return { hessian: [a, b, d], gradient: [4 * random() - 2, 4 * random() - 2], at: [0, 0], value: 3 };
}

const MIXES = [1, 0.5, 0.1, 0];

/** @param {() => number} random @param {number} l1_ratio */
const charge = (random, l1_ratio) => weights(l1_ratio, true, [0.5 + random(), 0.5 + random()], [1, 1]);

test("the solution meets the conditions of the minimum, and nothing near is lower", () => {
  const random = randoms(1);
  for (let k = 0; k < 4000; k++) {
    const [q, w, lambda] = [loss(random), charge(random, MIXES[k % 4]), 3 * random()];
    const u = solution(q, w, lambda);
    assert.ok(violation(gradient(q, u), u, w, lambda) < 1e-12, `${k}`);
    const own = value(q, u) + lambda * penalty(w, u);
    for (let turn = 0; turn < 8; turn++) {
      /** @type {Point} */
      const other = [u[0] + 0.01 * Math.cos(turn), u[1] + 0.01 * Math.sin(turn)];
      assert.ok(value(q, other) + lambda * penalty(w, other) >= own - 1e-12);
    }
  }
});

test("the tangent point is the lowest point of the ball, and ball and contour touch there", () => {
  const random = randoms(2);
  for (let k = 0; k < 3000; k++) {
    const [q, w] = [loss(random), charge(random, MIXES[k % 4])];
    const free = /** @type {Point} */ (centre(q));
    const t = penalty(w, free) * (0.02 + 0.9 * random());
    const { point, lambda } = tangent(q, w, t);
    assert.ok(Math.abs(penalty(w, point) - t) < 1e-9 * Math.max(1, t), "on the boundary");
    assert.ok(violation(gradient(q, point), point, w, lambda) < 1e-8, "KKT");
    const least = Math.min(...ball(w, t, 1e9, 720).map((u) => value(q, u)));
    assert.ok(value(q, point) <= least + 1e-8, "no point of the boundary is lower");
    assert.ok(least - value(q, point) < 0.02 * Math.max(1, Math.abs(least)), "and brute force comes close");
    const pull = gradient(q, point).map((one) => -one);
    assert.ok(outside(cone(w, cleaned(point)), /** @type {Point} */ (pull)) < 1e-6, "minus the gradient is normal to the ball");
  }
});

test("the solution for a lambda is the tangent point of its own ball, with the same lambda", () => {
  const random = randoms(3);
  for (let k = 0; k < 1000; k++) {
    const [q, w, lambda] = [loss(random), charge(random, MIXES[k % 4]), 0.02 + 0.5 * random()];
    const u = solution(q, w, lambda);
    if (u[0] === 0 || u[1] === 0) continue; // a corner holds the solution for a range of lambda
    const found = tangent(q, w, penalty(w, u));
    assert.ok(Math.hypot(found.point[0] - u[0], found.point[1] - u[1]) < 1e-8);
    assert.ok(Math.abs(found.lambda - lambda) < 1e-7);
  }
});

test("corners hold the solution often with L1, never with L2", () => {
  const share = (/** @type {number} */ l1_ratio) => {
    const random = randoms(4);
    let corners = 0;
    for (let k = 0; k < 1000; k++) {
      const [q, w] = [loss(random), weights(l1_ratio, true, [1, 1], [1, 1])];
      const { point } = tangent(q, w, 0.1 * penalty(w, /** @type {Point} */ (centre(q))));
      if (point[0] === 0 || point[1] === 0) corners++;
    }
    return corners / 1000;
  };
  assert.ok(share(1) > 0.5);
  assert.ok(share(0.5) > 0.3 && share(0.5) < share(1));
  assert.equal(share(0), 0);
});

test("the ball's boundary has the corners and the size it says, with penalty factors", () => {
  const w = weights(1, true, [1, 2], [1, 1]);
  const outline = ball(w, 3, 100);
  assert.deepEqual([outline[0], outline[45], outline[90]], [[3, 0], [0, 1.5], [-3, 0]]);
  for (const u of ball(weights(0.3, true, [1, 2], [1, 1]), 0.7, 100)) assert.ok(Math.abs(penalty(weights(0.3, true, [1, 2], [1, 1]), u) - 0.7) < 1e-12);
  assert.equal(reach(weights(1, true, [0, 1], [1, 1]), 1, [1, 0]), Infinity);
  assert.ok(ball(weights(1, true, [0, 1], [1, 1]), 1, 50).flat().every(Number.isFinite), "an unpenalised side is cut");
  assert.ok(ball(w, 0, 10).every(([x, y]) => x === 0 && y === 0), "a ball of size 0 is the origin");
});

test("without standardising, the penalty counts coefficients per unit", () => {
  const w = weights(0.5, false, [1, 1], [2, 0.5]);
  const perUnit = [3 / 2, -1 / 0.5];
  assert.equal(penalty(w, [3, -1]), 0.5 * (1.5 + 2) + (0.5 * (perUnit[0] ** 2 + perUnit[1] ** 2)) / 2);
});

test("normal cones: a fan at a corner, one ray elsewhere, everything at the origin", () => {
  const w = weights(1, true, [1, 1], [1, 1]);
  assert.deepEqual(cone(w, [2, 0]), [[1, -1], [1, 1]]);
  assert.deepEqual(cone(w, [2, -1]), [[1, -1]]);
  assert.deepEqual(cone(weights(0, true, [1, 1], [1, 1]), [2, 0]), [[2, 0]]);
  assert.deepEqual(cone(w, [0, 0]), []);
  assert.equal(outside(cone(w, [2, 0]), [1, 0.3]), 0);
  assert.ok(outside(cone(w, [2, 0]), [1, 2]) > 0.3);
  assert.ok(outside(cone(w, [2, 0]), [-1, 0]) > 2);
});

test("twins have a solution, and no centre", () => {
  /** @type {Quadratic} */
  const q = { hessian: [1, 1, 1], gradient: [-1, -1], at: [0, 0], value: 0 };
  assert.equal(centre(q), null);
  const w = weights(1, true, [1, 1], [1, 1]);
  const u = solution(q, w, 0.25);
  assert.ok(violation(gradient(q, u), u, w, 0.25) < 1e-12);
  assert.ok(solution(q, weights(0, true, [1, 1], [1, 1]), 0.25).every((one) => Math.abs(one - 1 / 2.25) < 1e-12));
});

test("an ellipse lies on its level", () => {
  const random = randoms(5);
  for (let k = 0; k < 200; k++) {
    const q = loss(random);
    const middle = /** @type {Point} */ (centre(q));
    const { rx, ry, angle } = ellipse(q.hessian, 0.4);
    for (const [a, b] of [[rx, 0], [0, ry], [rx * Math.SQRT1_2, ry * Math.SQRT1_2]]) {
      /** @type {Point} */
      const u = [middle[0] + a * Math.cos(angle) - b * Math.sin(angle), middle[1] + a * Math.sin(angle) + b * Math.cos(angle)];
      assert.ok(Math.abs(value(q, u) - value(q, middle) - 0.4) < 1e-9);
    }
  }
});

test("grids: values between points, slope, exchange and contour lines are those of the function", () => {
  const of = (/** @type {Point} */ [x, y]) => (x - 1) ** 2 + 2 * (y + 0.5) ** 2;
  const grid = filled([-3, 3], [-2, 2], 41, of);
  const between = smooth(filled([-3, 3], [-2, 2], 5, of));
  for (const u of /** @type {Point[]} */ ([[0.37, -1.21], [-2.9, -1.99], [3, 2], [-3, 0.1], [2.99, 1.7]])) assert.ok(Math.abs(between(u) - of(u)) < 1e-12);
  assert.ok(Number.isNaN(between([3.1, 0])));
  const bent = smooth(filled([-3, 3], [-2, 2], 17, ([x, y]) => Math.exp(x / 2 + y / 3)));
  assert.ok(Math.abs(bent([0.4, -0.3]) - Math.exp(0.1)) < 1e-4);
  slope(between, [0, 1], 0.1).forEach((one, i) => assert.ok(Math.abs(one - [-2, 6][i]) < 1e-9));
  assert.ok(Math.abs(smooth(exchanged(grid))([-1, 2]) - of([2, -1])) < 1e-12);
  assert.ok(lowest(grid) < 0.02);
  const points = lines(grid, 2).flat().filter(([x]) => Number.isFinite(x));
  assert.ok(points.length > 40);
  for (const u of points) assert.ok(Math.abs(of(u) - 2) < 0.02);
  const open = lines(grid, 8).flat();
  assert.ok(open.some(([x]) => Number.isNaN(x)), "a line that leaves the grid has a gap");
});

test("a contour smaller than the cells of a grid is drawn from a finer one", () => {
  const of = (/** @type {Point} */ [x, y]) => (x - 0.31) ** 2 + (y - 0.27) ** 2;
  const field = filled([-1, 1], [-1, 1], 21, of);
  const /** @type {Point} */ at = [0.36, 0.27];
  const ring = lines(closer(field, of, at), of(at)).flat().filter(([x]) => Number.isFinite(x));
  assert.ok(ring.length > 20);
  for (const u of ring) assert.ok(Math.abs(Math.hypot(u[0] - 0.31, u[1] - 0.27) - 0.05) < 0.002);
  assert.equal(closer(field, of, [-0.9, 0]), field, "a contour that leaves the field stays as it is");
});

test("levels take even steps of the root and leave room for the one that is marked", () => {
  assert.deepEqual(levels(0, 100, 0, 4), [6.25, 25, 56.25, 100]);
  assert.ok(!levels(0, 100, 25, 4).includes(25));
  assert.deepEqual(levels(1, 1, 1), []);
});

test("a packed triangle is symmetric", () => {
  assert.equal(entry([1, 2, 3, 4, 5, 6], 2, 1), 5);
  assert.equal(entry([1, 2, 3, 4, 5, 6], 1, 2), 5);
});
