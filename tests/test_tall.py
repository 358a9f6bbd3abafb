"""Tall data with a curved loss: many rows, few columns, solved for a window of strengths at once."""

import numpy as np
import pytest

import normball as nb
from normball import _native
from oracle import Problem
from targets import CURVED, draw
from test_native import arguments

TOL = 1e-9
WORDS = {"sample_weight": "weights", "lower_bounds": "lower", "upper_bounds": "upper"}


def table(family, n=400, p=12, seed=0, correlated=True):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.5 * correlated * rng.normal(size=(p, p)))
    eta = 0.4 * X @ rng.normal(size=p) / np.sqrt(p)
    return X, draw(family, eta, rng), rng


@np.errstate(over="ignore", invalid="ignore")  # in the oracle's own trial steps
def assert_solved(path, X, y, family, tol=TOL, **options):
    """Every point is optimal to `tol` by an oracle that shares no code with the package."""
    assert (np.asarray(path.statuses) == "converged").all()
    problem = Problem(X, y, family, **{WORDS.get(name, name): value for name, value in options.items()})
    assert path.null_loss == pytest.approx(problem.null_loss, rel=1e-8)
    for index, lam in enumerate(path.lambdas):
        theta = problem.theta(path.intercepts[index], path.coefs[index])
        best, gap = problem.polish(theta, lam), problem.gap(theta, lam)
        excess = (problem.objective(theta, lam) - problem.objective(best, lam)) / problem.null_loss
        assert excess <= path.dual_gaps[index] + 1e-12
        assert gap <= 3 * tol
        assert path.loss[index] == pytest.approx(problem.mean_loss(theta), rel=1e-10, abs=1e-13 * problem.null_loss)


def each_option(rng, n, p):
    factors = rng.uniform(0.5, 2, p)
    factors[:3] = [0, 0, np.inf]
    weights = rng.uniform(0.2, 2, n)
    weights[::5] = 0
    return {
        "plain": {},
        "weights": {"sample_weight": weights},
        "factors": {"penalty_factors": factors},
        "bounds": {"lower_bounds": np.where(np.arange(p) % 2, -0.05, 0.0), "upper_bounds": np.full(p, 0.1)},
        "offset": {"offset": rng.normal(size=n)},
        "no intercept": {"fit_intercept": False},
        "not standardised": {"standardize": False},
        "everything": {"sample_weight": weights, "penalty_factors": factors, "offset": rng.normal(size=n),
                       "lower_bounds": np.full(p, -0.2)},
    }  # fmt: skip


@pytest.mark.parametrize("family", CURVED)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", list(each_option(np.random.default_rng(0), 10, 12)))
def test_every_option_is_solved(family, l1_ratio, name):
    X, y, rng = table(family)
    options = {"l1_ratio": l1_ratio, **each_option(rng, *X.shape)[name]}
    path = nb.fit_path(X, y, family=family, n_lambdas=12, lambda_min_ratio=1e-3, tol=TOL, **options)
    assert_solved(path, X, y, family, **options)


@pytest.mark.parametrize("family", CURVED)
def test_the_layout_is_nothing(family):
    X, y, _ = table(family)
    X = np.float32(X).astype(float)
    plain = nb.fit_path(X, y, family=family, tol=1e-10)
    for other in (np.asfortranarray(X), np.float32(X), np.asfortranarray(np.float32(X))):
        path = nb.fit_path(other, y, family=family, tol=1e-10)
        np.testing.assert_allclose(path.lambdas, plain.lambdas, rtol=1e-10)
        np.testing.assert_allclose(path.coefs, plain.coefs, atol=1e-5)


@pytest.mark.parametrize("family", CURVED)
def test_threads_change_no_bit(family):
    X, y, _ = table(family, n=20_000, p=15)
    one, two = (nb.fit_path(X, y, family=family, n_lambdas=20, n_threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.coefs, two.coefs)
    np.testing.assert_array_equal(one.intercepts, two.intercepts)
    np.testing.assert_array_equal(one.dual_gaps, two.dual_gaps)


@pytest.mark.parametrize("family", CURVED)
def test_in_company_a_problem_is_certified_as_alone(family):
    """The sums of BLAS depend on what else is multiplied, so bits may differ; what is proved of both does not."""
    X, y, rng = table(family, n=3000, p=300, correlated=False)
    weights = rng.integers(1, 3, (3, y.size)).astype(float)
    weights[1:] -= 1
    many = solve(X, np.stack([y, y, rng.permutation(y)]), weights, family)
    alone = solve(X, y[None], weights[:1], family)
    for answer in (many, alone):
        assert (answer["statuses"] == 0).all()
        assert (answer["dual_gaps"] <= 1e-7).all()
    np.testing.assert_allclose(many["null_loss"][0], alone["null_loss"][0], rtol=1e-12)
    strengths = alone["lambdas"]
    for answer in (many, alone):
        penalty = strengths * np.abs(rows_of(answer, 300) * answer["scales"][0]).sum(axis=1)
        answer["objective"] = answer["loss"][0] + penalty
    both = 2e-7 * alone["null_loss"][0]
    np.testing.assert_allclose(many["objective"], alone["objective"], rtol=0, atol=both)


def rows_of(answer, p):
    """Return the first problem's coefficients, dense."""
    n_lambdas = len(answer["lambdas"])
    rows = np.zeros((n_lambdas, p))
    for row in range(n_lambdas):
        span = slice(answer["indptr"][row], answer["indptr"][row + 1])
        rows[row, answer["indices"][span]] = answer["values"][span]
    return rows


def solve(X, responses, weights, family, **changes):
    given = {"n_lambdas": 15, "tol": 1e-7} | changes
    return _native.solve_path(**arguments(X, np.ascontiguousarray(responses), weights, family, **given))


@pytest.mark.parametrize("family", CURVED)
def test_problems_that_share_nothing_but_the_rows(family):
    """Responses and weights of their own: a borrowed curvature is of little use, and the answer the same."""
    X, y, rng = table(family, n=600, p=20)
    responses = np.stack([y, rng.permutation(y), np.roll(y, 7)])
    weights = np.stack([np.ones(600), rng.exponential(size=600), rng.integers(0, 3, 600).astype(float)])
    batch = solve(X, responses, weights, family, tol=1e-9)
    assert (batch["statuses"] == 0).all()
    for k in range(3):
        alone = solve(X, responses[k : k + 1], weights[k : k + 1], family, tol=1e-9, lambdas=batch["lambdas"])
        np.testing.assert_allclose(batch["loss"][k], alone["loss"][0], rtol=1e-6)


@pytest.mark.parametrize("lambdas", [[1e-4], [0.5, 1e-3], [0.05, 0.0], [100.0, 1e-2]])
@pytest.mark.parametrize("family", CURVED)
def test_far_jumps_between_strengths(family, lambdas):
    X, y, _ = table(family)
    path = nb.fit_path(X, y, family=family, lambdas=lambdas, tol=TOL)
    assert_solved(path, X, y, family)


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_separable_labels(l1_ratio):
    X, _, _ = table("binomial", correlated=False)
    y = (X[:, 0] + 0.1 * X[:, 1] > 0.05).astype(float)
    path = nb.fit_path(X, y, family="binomial", l1_ratio=l1_ratio, lambda_min_ratio=1e-4, tol=1e-7)
    assert_solved(path, X, y, "binomial", tol=1e-7, l1_ratio=l1_ratio)


@pytest.mark.parametrize("size", [1e-3, 1e3, 1e6])
def test_counts_of_any_size(size):
    X, _, rng = table("poisson")
    y = rng.poisson(size * np.exp(X[:, 0] - 0.5 * X[:, 1])).astype(float)
    y[0] = max(y[0], 1.0)
    path = nb.fit_path(X, y, family="poisson", n_lambdas=30, tol=1e-8)
    assert_solved(path, X, y, "poisson", tol=1e-8)


def test_columns_far_from_zero_and_nearly_equal():
    X, y, rng = table("binomial")
    X[:, 1] = X[:, 0] + 1e-4 * rng.normal(size=400)
    X[:, 2] = 1e6 + X[:, 2]
    X[:, 3] = 4.0
    path = nb.fit_path(X, y, family="binomial", n_lambdas=30, tol=1e-7)
    assert (np.asarray(path.statuses) == "converged").all()
    assert (path.coefs[:, 3] == 0).all()


def test_the_limit_of_steps_is_kept():
    X, y, _ = table("binomial")
    with pytest.warns(nb.NotConverged):
        path = nb.fit_path(X, y, family="binomial", n_lambdas=5, tol=1e-12, max_iter=1)
    assert "max_iter" in set(path.statuses)
    assert (np.asarray(path.n_iters) <= 1).all()


# --- the losses in vector code, seen through models without any coefficient


def losses(family, y, eta):
    """The loss, and its gradient by the column of ones, of each sample on its own: one problem a sample."""
    n = y.size
    keys = {"offsets": eta[None], "fit_intercept": False, "standardize": False, "lambdas": np.array([1e300])}
    result = solve(np.ones((n, 1)), y[None], np.eye(n), family, **keys)
    return result["null_loss"], result["lambda_max"]


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_losses_over_wide_ranges(family):
    largest = 745 if family == "binomial" else 300
    near = np.r_[np.linspace(-5, 5, 60), [-1e-300, 0.0, 1e-300, -1e-17, 0.3465, 0.3466, -0.8814, -0.88137]]
    eta = np.r_[near, np.linspace(-largest, largest, 70)]
    y = np.resize([0.0, 1.0, 0.25] if family == "binomial" else [0.0, 3.0, 1e5], eta.size)
    value, slope = losses(family, y, eta)
    if family == "binomial":
        entropy = np.where((y > 0) & (y < 1), 0.25 * np.log(0.25) + 0.75 * np.log(0.75), 0.0)
        wanted = np.logaddexp(0, -np.abs(eta)) + np.maximum(eta, 0) - y * eta + entropy
        up, down = np.exp(-np.logaddexp(0, -eta)), np.exp(-np.logaddexp(0, eta))
        gradient = (1 - y) * up - y * down
        scale = np.abs(wanted) + np.abs(y * eta) + 1e-300
    else:
        constant = y - y * np.log(np.maximum(y, 1))
        wanted, gradient = np.exp(eta) - y * eta - constant, np.exp(eta) - y
        scale = np.exp(eta) + np.abs(y * eta) + np.abs(constant)
    assert (np.abs(value - wanted) <= 1e-15 * scale).all()
    np.testing.assert_allclose(slope, np.abs(gradient), rtol=5e-15, atol=1e-15 * y.max())
