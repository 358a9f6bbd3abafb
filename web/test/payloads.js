/** Payloads made by hand for the tests of the views: small data, every family, and everything that may be missing. */
import { part, solution, weights } from "../src/geometry.js";
import { filled } from "../src/contours.js";

/** @typedef {"gaussian" | "binomial" | "poisson" | "gamma" | "tweedie(1.5)" | "negative_binomial(2)" | "huber(1.345)"} Family */
export const FAMILIES = /** @type {const} @satisfies {readonly Family[]} */ (["gaussian", "binomial", "poisson", "gamma", "tweedie(1.5)", "negative_binomial(2)", "huber(1.345)"]);

/** What Python says of these families. @type {Record<Family, import("../src/mathematics.js").Mathematics>} */
export const MATHEMATICS = {
  gaussian: { inverse_link: "identity", variance: "", parameter: null, dispersion: null, has_classes: false, quadratic: true, of_times: false, factor: "", factor_column: "", eta: null, predicted: "Predicted" },
  binomial: { inverse_link: "logistic", variance: "mu (1 - mu)", parameter: null, dispersion: 1, has_classes: true, quadratic: false, of_times: false, factor: "odds", factor_column: "odds", eta: "log-odds", predicted: "Probability" },
  poisson: { inverse_link: "exp", variance: "mu", parameter: null, dispersion: 1.5, has_classes: false, quadratic: false, of_times: false, factor: "rate", factor_column: "rate", eta: "log of the rate", predicted: "Expected" },
  gamma: { inverse_link: "exp", variance: "mu^2", parameter: null, dispersion: 0.7, has_classes: false, quadratic: false, of_times: false, factor: "mean", factor_column: "mean", eta: "log of the mean", predicted: "Expected" },
  "tweedie(1.5)": { inverse_link: "exp", variance: "mu^power", parameter: 1.5, dispersion: 3, has_classes: false, quadratic: false, of_times: false, factor: "mean", factor_column: "mean", eta: "log of the mean", predicted: "Expected" },
  "negative_binomial(2)": { inverse_link: "exp", variance: "mu + mu^2 / theta", parameter: 2, dispersion: 1.1, has_classes: false, quadratic: false, of_times: false, factor: "rate", factor_column: "rate", eta: "log of the rate", predicted: "Expected" },
  "huber(1.345)": { inverse_link: "identity", variance: "", parameter: 1.345, dispersion: null, has_classes: false, quadratic: false, of_times: false, factor: "", factor_column: "", eta: null, predicted: "Predicted" },
};

/** Numbers that look random and are the same each time. @param {number} seed @returns {() => number} */
export function randoms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const LAMBDAS = [1, 0.3, 0.1, 0.03, 0.01];
export const NASTY = ["</script><img src=x onerror=alert(1)>", "a & \"b\" 'c'", "مرحبا", "x".repeat(200)];

/**
 * A model of at most three features.
 * @param {Family} family @param {{ features?: number, l1_ratio?: number, names?: string[] }} [how]
 * @returns {import("../src/payload.js").Payload}
 */
export function payload(family, { features = 3, l1_ratio = 1, names = ["age", "dose", "weight"] } = {}) {
  const hessian = [1, 0.4, 1, -0.2, 0.1, 1];
  const pulls = [0.9, 0.5, -0.2];
  const pair = part(hessian, 0, 1);
  const w = weights(l1_ratio, true, [1, 1], [1, 1]);
  const q = { hessian: pair, gradient: /** @type {[number, number]} */ ([-pulls[0], -pulls[1]]), at: /** @type {[number, number]} */ ([0, 0]), value: 0.7 };
  const solutions = LAMBDAS.map((lambda) => solution(q, w, lambda));
  const listed = Array.from({ length: features }, (_, k) => ({ name: names[k % names.length], key: names[k % names.length], scale: 2, mean: 1, coefs: solutions.map((u) => (u[k] ?? 0) / 2), by_output: null, own_counts: null }));
  const columns = listed.map(({ name }, k) => numberColumn(name, k));
  const byLambda = (/** @type {(k: number) => number} */ of) => LAMBDAS.map((_, k) => of(k));
  return {
    version: "0", title: "target", family, mathematics: MATHEMATICS[family], penalty: "L1", l1_ratio, n_groups: 0, grouped: false, outputs: [], standardize: true, classes: family === "binomial" ? ["no", "<yes>"] : [], comparison: null,
    n_rows: 100, n_features: features, lambdas: LAMBDAS, picked: 2, answers: LAMBDAS.map((_, k) => [`found ${k}`, `quality ${k}`]), intercepts: byLambda(() => 0), rest: byLambda(() => 0), n_nonzero: byLambda((k) => Math.min(k, features)),
    norms: byLambda((k) => k), deviance_ratio: byLambda((k) => k / 10), dual_gaps: byLambda(() => 1e-8), kkt: byLambda(() => 1e-8), statuses: LAMBDAS.map(() => "solved"),
    cv: null, features: listed, others: [], others_complete: true, columns, n_columns: features, columns_kept: byLambda((k) => Math.min(k, features)), hazards: null, time_name: "time", recipes: [LAMBDAS.map((lam) => `fit(${lam})`)], ranges: null, fold_ranges: null, evidence: evidence(family, features, { hessian, pulls, solutions, l1_ratio, q }),
  };
}

/** A column of numbers from 0 to 3. @param {string} name @param {number} place @returns {import("../src/payload.js").Column} */
export const numberColumn = (name, place) => ({ name, is_number: true, number: place, range: [0, 1, 3], whole: false, fill: null, levels: [], places: [], n_rows: null, indicators: null, n_features: 1, few_rows: [], counts: null, settable: true });

/** @param {string} family @param {number} features @param {{ hessian: number[], pulls: number[], solutions: [number, number][], l1_ratio: number, q: import("../src/geometry.js").Quadratic }} model @returns {import("../src/payload.js").Evidence} */
function evidence(family, features, { hessian, pulls, solutions, q }) {
  const at = solutions.map((_, k) => k);
  const gradients = solutions.map((u) => [0, 1, 2].map((i) => row(hessian, i)[0] * u[0] + row(hessian, i)[1] * u[1] - pulls[i]).slice(0, features));
  const grid = filled([-2, 2], [-2, 2], 21, (u) => 0.7 + q.gradient[0] * u[0] + q.gradient[1] * u[1] + (q.hessian[0] * u[0] ** 2 + 2 * q.hessian[1] * u[0] * u[1] + q.hessian[2] * u[1] ** 2) / 2);
  const loss = solutions.map((u) => 0.7 - pulls[0] * u[0] - pulls[1] * u[1] + (u[0] ** 2 + 0.8 * u[0] * u[1] + u[1] ** 2) / 2);
  const curved = family !== "gaussian";
  const slices = curved && features > 1 ? [{ j: 0, k: 1, at: 2, x: grid.x, y: grid.y, size: 21, hessian: /** @type {[number, number, number]} */ (hessian.slice(0, 3)), beyond: grid.loss.map(() => 0) }] : [];
  const pairs = curved && features > 1 ? [{ j: 0, k: 1, x: grid.x, y: grid.y, size: 21, loss: /** @type {number[]} */ (grid.loss), path: solutions, mle: null }] : [];
  const bins = [0.1, 0.4, 0.8];
  return {
    loss, penalty_l1: solutions.map((u) => Math.abs(u[0]) + Math.abs(u[1])), penalty_l2: solutions.map((u) => (u[0] ** 2 + u[1] ** 2) / 2), null_loss: 0.7,
    factors: [1, 1, 1].slice(0, features), gradients, hessians_at: [0], hessians: [hessian.slice(0, (features * (features + 1)) / 2)], n_hessian: features, alone: curved ? [] : pulls.slice(0, features),
    slices, pairs,
    margins: family === "binomial" ? { edges: [-9, -3, 0, 3, 9], counts: at.map((k) => [0, k, 10, 20]), negative: at.map((k) => [20, 10, k, 0]), flat: at.map((k) => k / 20), largest: at.map((k) => 2 * k) } : null,
    scaling: family === "binomial" ? { at: [0, 2], factors: [0.1, 1, 10], train: [[0.6, 0.5, 0.4], [0.5, 0.3, 0.2]], held_out: [[null, null, null], [0.5, 0.35, 0.9]], gradient: [[0.4, 0.3, 0.2], [0.4, 0.2, 0.1]] } : null,
    calibration: { predicted: at.map(() => [...bins, null]), observed: at.map(() => [0.15, 0.35, 0.9, null]), se: at.map(() => [0.1, null, 0, null]), counts: at.map(() => [30, 40, 30, 0]), spans: family === "binomial" ? null : at.map(() => [[0, 1], [0.5, 3], [2, 9]]), brier: at.map(() => null), log_loss: at.map(() => 0.5) },
    residuals: curved && family === "binomial" ? null : { edges: [-4, -1, 1, 4], counts: at.map((k) => [10, 50 + k, 20]), quantiles: at.map(() => [-3, -1, 0.1, 1.2, 3.3]) },
    convexity: { at: [1, 2], t: [0, 0.5, 1, 1.5, 2], loss: [[0.7, 0.5, 0.4, 0.5, 0.8], [0.7, 0.4, 0.3, 0.4, 0.7]], penalty: [[0, 0.1, 0.2, 0.3, 0.4], [0, 0.05, 0.1, 0.15, 0.2]] },
    decisions: family === "binomial" ? { cutoffs: [0.25, 0.5, 0.75], positive: at.map((k) => [4 - k, 6, 10, 30 + k]), negative: at.map((k) => [20 + k, 15, 10, 5 - k]), auc: at.map((k) => (k ? 0.7 + k / 20 : null)), average_precision: at.map(() => 0.8) } : null,
    observed: family === "binomial" ? null : { at: [0, 2], predicted: [[1], [1, 2, 4]], quantiles: [[[0, 1, 2, 3, 9]], [[0, 0, 1, 2, 3], [0, 1, 2, 3, 5], [1, 2, 4, 6, 9]]], counts: [[90], [30, 30, 30]], rmse: [2, 1.5], mae: [1.6, null], zeros: [[31, 12.4, 3.1], [31, 29.8, 4.2]], zero_shares: [[0.4], [0.6, 0.2, 0]] },
    survival: null,
    row_groups: { at: [1, 3], overall: [0.3, 0.25], n_groups: 20, by_chance: 2.8, told: [[], [{ name: "age above 40", n_rows: 30, error: 0.5, excess: 4, bias: 0.3, bias_se: 0.05 }, { name: "dose = <b>", n_rows: 21, error: 0.3, excess: 1, bias: 0, bias_se: 0 }]] },
    held_out: true, outputs: null,
  };
}

/** @param {number[]} packed @param {number} i */
const row = (packed, i) => [[packed[0], packed[1]], [packed[1], packed[2]], [packed[3], packed[4]]][i];

/** Everything that JSON may hold in place of a number taken away. @template T @param {T} value @returns {T} */
export function without(value) {
  /** @type {(one: any) => any} */
  const gone = (one) => (Array.isArray(one) ? one.map(gone) : typeof one === "number" ? null : one);
  return gone(value);
}
