"""The certificate on a grid of everything it may depend on, recomputed by the oracle."""

import itertools

import numpy as np
import pytest
import scipy.sparse

import normball as nb
from oracle import Problem
from targets import FAMILIES, draw

TOL = 1e-6
DESIGNS = ("tall", "wide", "correlated", "badly scaled", "sparse")
L1_RATIOS = (0.0, 0.3, 1.0)
OPTIONS = list(
    itertools.product(
        ("C", "F", "csc"), (np.float64, np.float32), (False, True), (False, True), (False, True), (False, True)
    )
)
PER_COMBINATION = 6


def make_design(kind, rng):
    n, p = {"wide": (40, 80), "correlated": (80, 30)}.get(kind, (120, 12))
    X = rng.normal(size=(n, p))
    if kind == "correlated":
        X = np.sqrt(0.95) * rng.normal(size=(n, 1)) + np.sqrt(0.05) * X
    if kind == "badly scaled":
        X = X * 10.0 ** rng.integers(-3, 4, p) + 10.0 ** rng.integers(-3, 3, p)
    if kind == "sparse":
        X[rng.random((n, p)) < 0.8] = 0
    return X


def make_target(family, X, rng):
    signal = (X[:, :3] - X[:, :3].mean(axis=0)) / X[:, :3].std(axis=0) @ [0.8, -0.6, 0.4]
    return draw(family, signal, rng, identity=(3.0, 1.0), logit=(0.5, 1.0), log=(0.5, 0.7))


def laid_out(X, layout, dtype):
    X = X.astype(dtype)
    return scipy.sparse.csc_array(X) if layout == "csc" else np.array(X, order=layout)


def assert_certified(path, problem, tol=TOL):
    """Everything that a path claims about its optimality, against the oracle."""
    assert set(path.statuses) == {"converged"}
    assert path.null_loss == pytest.approx(problem.null_loss, rel=1e-9, abs=1e-12)
    assert path.lambda_max == pytest.approx(problem.lambda_max(), rel=1e-7)
    np.testing.assert_allclose(path.scales, problem.scales, rtol=1e-7)
    size = max(path.lambda_max, np.abs(problem.gradient(problem.null)).max())  # bounds may leave a lambda_max of 0
    for index, lam in enumerate(path.lambdas):
        theta = problem.theta(path.intercepts[index], path.coefs[index])
        value, reported = problem.objective(theta, lam), path.dual_gaps[index]
        best = problem.objective(problem.polish(theta, lam), lam)
        gap = problem.gap(theta, lam)
        assert gap <= tol
        assert reported <= tol
        assert reported >= (value - best) / problem.null_loss - 1e-11  # never less than the truth
        loss = problem.mean_loss(theta)
        assert path.loss[index] == pytest.approx(loss, rel=1e-10, abs=1e-10 * problem.null_loss)
        bend = problem.w * problem.loss.curvature(problem.y, problem.eta(theta))
        steepest = (bend @ problem.Z**2 + problem.strengths(lam)[1]).max()
        kkt = problem.kkt(theta, lam)
        assert np.abs(problem.residual(theta, lam)).max() <= 3 * np.sqrt(
            2 * max(gap, 1e-14) * problem.null_loss * steepest
        )
        assert kkt <= max(1e-3 * lam, 1e-10 * np.abs(problem.gradient(problem.null)).max())
        assert path.kkt_violations[index] == pytest.approx(kkt, rel=0.01, abs=1e-9 * size)


def cases():
    order = np.random.default_rng(0).permutation(len(OPTIONS))
    for k, combination in enumerate(itertools.product(DESIGNS, FAMILIES, L1_RATIOS)):
        for i in range(PER_COMBINATION):
            options = OPTIONS[order[(k * PER_COMBINATION + i) % len(OPTIONS)]]
            names = ("weights", "offset", "standardize", "intercept")
            words = [n for n, on in zip(names, options[2:], strict=True) if on]
            label = "-".join([combination[0].replace(" ", "_"), combination[1], str(combination[2])])
            yield pytest.param(*combination, *options, id="-".join([label, options[0], options[1].__name__, *words]))


@pytest.mark.parametrize(
    ("design", "family", "l1_ratio", "layout", "dtype", "weighted", "shifted", "standardize", "fit_intercept"),
    list(cases()),
)
def test_certificate(design, family, l1_ratio, layout, dtype, weighted, shifted, standardize, fit_intercept):
    rng = np.random.default_rng([DESIGNS.index(design), FAMILIES.index(family), weighted, shifted])
    X = make_design(design, rng)
    y = make_target(family, X, rng)
    X = laid_out(X, layout, dtype)
    weights = rng.integers(0, 4, y.size) * rng.random(y.size) if weighted else None
    offset = 0.3 * rng.normal(size=y.size) if shifted else None
    options = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "standardize": standardize}
    problem = Problem(X, y, family, weights=weights, offset=offset, **options)
    path = nb.fit_path(X, y, family=family, sample_weight=weights, offset=offset, n_lambdas=8, tol=TOL, **options)
    assert path.lambdas[0] == pytest.approx(problem.lambda_max(), rel=1e-7)
    assert_certified(path, problem)


@pytest.mark.parametrize("layout", ["F", "csc"])
@pytest.mark.parametrize("l1_ratio", L1_RATIOS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_certificate_with_bounds_and_penalty_factors(family, l1_ratio, layout, fit_intercept):
    rng = np.random.default_rng(5)
    X = make_design("sparse", rng)
    y = make_target(family, X, rng)
    weights, offset = rng.random(y.size), 0.3 * rng.normal(size=y.size)
    factors = np.array([1, 1, 1, 0, 0, np.inf, 0.3, 3, 1, 1, 1, 1.0])
    lower = np.array([-0.1, -0.05, -np.inf, -0.02, -np.inf, -1, 0, 0, -np.inf, -0.01, -1, -1])
    upper = np.array([0.2, np.inf, 0.05, np.inf, 0.0, 1, 0, np.inf, 0, 0.01, 1, 1])
    options = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "penalty_factors": factors}
    problem = Problem(X, y, family, weights=weights, offset=offset, lower=lower, upper=upper, **options)
    path = nb.fit_path(
        laid_out(X, layout, np.float64), y, family=family, sample_weight=weights, offset=offset,
        lower_bounds=lower, upper_bounds=upper, n_lambdas=12, tol=TOL, **options,
    )  # fmt: skip
    assert_certified(path, problem)
    assert (path.coefs >= lower).all()
    assert (path.coefs <= upper).all()
    assert (path.coefs[:, 5] == 0).all()
    assert path.coefs[0, 3] != 0  # the unpenalised one, from the first strength on


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(-0.1, 0.1), (-0.1, np.inf), (0, np.inf), (-np.inf, 0.1), (-np.inf, 0), (0, 0.1)],
    ids=str,
)
@pytest.mark.parametrize("l1_ratio", L1_RATIOS)
@pytest.mark.parametrize("family", FAMILIES)
def test_bounds_on_one_side_or_both(family, l1_ratio, lower, upper):
    rng = np.random.default_rng(6)
    X = rng.normal(size=(50, 4))
    y = make_target(family, X, rng)
    path = nb.fit_path(X, y, family=family, l1_ratio=l1_ratio, lower_bounds=lower, upper_bounds=upper, n_lambdas=12)
    assert_certified(path, Problem(X, y, family, l1_ratio=l1_ratio, lower=lower, upper=upper))


@pytest.mark.parametrize("shape", [(65, 4), (80, 70), (40, 60)])
@pytest.mark.parametrize("l1_ratio", L1_RATIOS)
@pytest.mark.parametrize("family", FAMILIES)
def test_nearly_collinear_columns(family, l1_ratio, shape):
    """Correlation 0.999: what coordinate descent crawls on."""
    rng = np.random.default_rng(0)
    X = np.sqrt(0.999) * rng.normal(size=(shape[0], 1)) + np.sqrt(0.001) * rng.normal(size=shape)
    y = make_target(family, X, rng)
    path = nb.fit_path(X, y, family=family, l1_ratio=l1_ratio, n_lambdas=16)
    assert_certified(path, Problem(X, y, family, l1_ratio=l1_ratio))


@pytest.mark.parametrize("family", FAMILIES)
def test_tight_tolerance(family):
    """Asked for more, the solver certifies more."""
    rng = np.random.default_rng(9)
    X = make_design("correlated", rng)
    y = make_target(family, X, rng)
    path = nb.fit_path(X, y, family=family, n_lambdas=10, tol=1e-10)
    assert_certified(path, Problem(X, y, family), tol=1e-10)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_penalty_at_all(family):
    rng = np.random.default_rng(10)
    X = make_design("tall", rng)
    y = make_target(family, X, rng)
    path = nb.fit_path(X, y, family=family, lambdas=[0.1, 0.0])
    assert_certified(path, Problem(X, y, family))


def test_too_few_iterations_are_admitted():
    """A run that its limit stops says so, and its reported gap is still true."""
    rng = np.random.default_rng(11)
    X = make_design("correlated", rng)[:, :8]
    y = make_target("binomial", X, rng)
    problem = Problem(X, y, "binomial")
    with pytest.warns(nb.NotConverged, match="did not reach"):
        path = nb.fit_path(X, y, family="binomial", lambdas=[problem.lambda_max() * 1e-3], tol=1e-13, max_iter=1)
    theta = problem.theta(path.intercepts[0], path.coefs[0])
    lam = path.lambdas[0]
    excess = problem.objective(theta, lam) - problem.objective(problem.solve(lam), lam)
    assert path.statuses[0] == "max_iter"
    assert path.dual_gaps[0] > 1e-13
    assert path.dual_gaps[0] >= excess / problem.null_loss - 1e-12


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("layout", ["F", "csc"])
def test_the_model_s_dual_point_proves_what_the_residual_cannot(family, layout):
    """Few steps a lambda, at gaps far below what their residual proves, and never below the truth."""
    rng = np.random.default_rng(12)
    X = rng.normal(size=(150, 600)) + 0.5 * rng.normal(size=(150, 1))
    X[rng.random(X.shape) < 0.8 * (layout == "csc")] = 0
    y = make_target(family, X, rng)
    path = nb.fit_path(laid_out(X, layout, float), y, family=family, n_lambdas=60, lambda_min_ratio=0.02)
    assert path.n_iters.mean() < 2.2
    problem = Problem(X, y, family)
    n_better = 0
    for index, lam in enumerate(path.lambdas):
        theta = problem.theta(path.intercepts[index], path.coefs[index])
        value = problem.objective(theta, lam)
        excess = value - problem.objective(problem.polish(theta, lam), lam)
        assert path.dual_gaps[index] >= excess / problem.null_loss - 1e-11
        own = max(problem.dual(theta, lam, c) for c in (1.0, 0.999))
        n_better += (value - own) / problem.null_loss > 10 * path.dual_gaps[index]
    # side by side, lambdas stop nearer to what is asked
    assert n_better > (30 if layout == "F" else 20)
