"""Gamma, tweedie, negative binomial and Huber: identities with other families, other programs, and what they refuse."""

import re

import cvxpy
import numpy as np
import pytest
import scipy.sparse
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor

import normball as nb
from oracle import Problem
from targets import NEW, draw
from test_certificate import assert_certified, make_design, make_target


def is_known(family):
    """Whether the normball that is installed fits this family."""
    try:
        nb.fit_path([[0.0], [1.0], [3.0]], [1.0, 2.0, 4.0], family=family, n_lambdas=2)
    except ValueError as error:
        if "must be one of" not in str(error):
            raise
        return False
    return True


pytestmark = pytest.mark.skipif(not all(map(is_known, NEW)), reason="this normball has no losses for the new families")

TIGHT = 1e-11
LOG_LINK = [family for family in NEW if not family.startswith("huber")]
WORDS = {"sample_weight": "weights", "lower_bounds": "lower", "upper_bounds": "upper"}


def data(family, n=150, p=8, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.4 * rng.normal(size=(p, p)))
    return X, make_target(family, X, rng), rng


def each_option(X, rng):
    """One option at a time, and all of them."""
    n, p = X.shape
    weights = rng.integers(0, 4, n) * rng.random(n)
    offset = 0.4 * rng.normal(size=n)
    bounds = {"lower_bounds": np.where(np.arange(p) % 2, -0.05, -np.inf), "upper_bounds": np.full(p, 0.15)}
    factors = {"penalty_factors": np.r_[0, 2, 0.5, np.inf, rng.uniform(0.5, 2, p - 4)]}
    return {
        "plain": {},
        "weights": {"sample_weight": weights},
        "offset": {"offset": offset},
        "bounds": bounds,
        "factors": factors,
        "no intercept": {"fit_intercept": False},
        "everything": {"sample_weight": weights, "offset": offset, **bounds, **factors},
    }


OPTIONS = list(each_option(np.zeros((9, 8)), np.random.default_rng(0)))


def oracle(X, y, family, options):
    return Problem(X, y, family, **{WORDS.get(name, name): value for name, value in options.items()})


def assert_same_minima(problem, path, intercepts, coefs, tol=TIGHT):
    """Both sequences of points have the objective of the minimum, and where it is curved the same coefficients."""
    assert set(path.statuses) == {"converged"}
    size = np.abs(coefs).max()
    assert size > 1e-3
    for lam, *points in zip(path.lambdas, path.intercepts, path.coefs, intercepts, coefs, strict=True):
        one, other = problem.theta(*points[:2]), problem.theta(*points[2:])
        least = problem.objective(problem.polish(one, lam), lam)
        for theta in (one, other):
            assert problem.objective(theta, lam) - least <= 3 * tol * problem.null_loss
        np.testing.assert_allclose(points[1], points[3], rtol=0, atol=3e-4 * size)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.6, 1.0])
def test_gamma_is_poisson_with_one_claim_a_row(l1_ratio, name):
    """Target 1, offset log y - o; the coefficients and their bounds change sign."""
    X, y, rng = data("gamma")
    options = {"l1_ratio": l1_ratio, **each_option(X, rng)[name]}
    path = nb.fit_path(X, y, family="gamma", n_lambdas=15, lambda_min_ratio=1e-3, tol=TIGHT, **options)
    turned = dict(options)
    turned["offset"] = np.log(y) - options.get("offset", 0.0)
    if "upper_bounds" in options:
        turned |= {"lower_bounds": -options["upper_bounds"], "upper_bounds": -options["lower_bounds"]}
    twin = nb.fit_path(X, np.ones(y.size), family="poisson", lambdas=path.lambdas, tol=TIGHT, **turned)
    assert path.lambda_max == pytest.approx(twin.lambda_max, rel=1e-9)
    assert path.null_loss == pytest.approx(twin.null_loss, rel=1e-9)
    np.testing.assert_allclose(path.loss, twin.loss, rtol=3e-5)
    assert_same_minima(oracle(X, y, "gamma", options), path, -twin.intercepts, -twin.coefs)


@pytest.mark.parametrize("theta", [0.3, 2.0, 40.0])
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("l1_ratio", [0.0, 0.6, 1.0])
def test_negative_binomial_is_binomial_with_heavier_rows(l1_ratio, name, theta):
    """A share y/(y + theta) with y + theta in the loss, not in the scales nor in the sum of the weights.

    The share is a row of each class, with the weights y and theta.  Columns are scaled beforehand, and
    lambda is divided by the mean of y + theta, by which the loss of the binomial fit is too small.
    """
    family = f"negative_binomial({theta:g})"
    X, y, rng = data(family)
    options = {"l1_ratio": l1_ratio, **each_option(X, rng)[name]}
    w, o = options.get("sample_weight", np.ones(y.size)), options.get("offset", np.zeros(y.size))
    X = (X - w @ X / w.sum()) / np.sqrt(w @ (X - w @ X / w.sum()) ** 2 / w.sum())
    path = nb.fit_path(X, y, family=family, n_lambdas=15, lambda_min_ratio=1e-3, tol=TIGHT, **options)
    np.testing.assert_allclose(path.scales, 1.0, rtol=1e-12)
    heavier = w @ (y + theta) / w.sum()
    twice = {
        **options,
        "sample_weight": np.r_[w * y, w * theta],
        "offset": np.r_[o, o] - np.log(theta),
        "standardize": False,
    }
    labels = np.repeat([1.0, 0.0], y.size)
    lambdas = path.lambdas / heavier
    twin = nb.fit_path(np.r_[X, X], labels, family="binomial", lambdas=lambdas, tol=TIGHT / heavier, **twice)
    assert_same_minima(oracle(X, y, family, options), path, twin.intercepts, twin.coefs)


@pytest.mark.parametrize(("power", "end"), [(1.0001, "poisson"), (1.9999, "gamma")])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_tweedie_near_its_ends(l1_ratio, power, end):
    X, y, rng = data(end)
    options = {"sample_weight": rng.random(y.size), "offset": 0.3 * rng.normal(size=y.size), "l1_ratio": l1_ratio}
    other = nb.fit_path(X, y, family=end, n_lambdas=12, lambda_min_ratio=1e-2, tol=TIGHT, **options)
    path = nb.fit_path(X, y, family=f"tweedie({power})", lambdas=other.lambdas, tol=TIGHT, **options)
    assert_certified(path, oracle(X, y, f"tweedie({power})", options), tol=TIGHT)
    np.testing.assert_allclose(path.coefs, other.coefs, rtol=0, atol=3e-3 * np.abs(other.coefs).max())
    np.testing.assert_allclose(path.loss, other.loss, rtol=2e-2)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("family", "model"),
    [
        ("gamma", GammaRegressor()),
        ("tweedie(1.5)", TweedieRegressor(power=1.5)),
        ("tweedie(1.1)", TweedieRegressor(power=1.1)),
        ("tweedie(1.9)", TweedieRegressor(power=1.9)),
        ("poisson", PoissonRegressor()),
    ],
)
def test_scikit_learn_s_l2_models(family, model, weighted):
    """Its alpha is our lambda at standardize=False."""
    X, y, rng = data(family, n=300)
    weights = rng.uniform(0.2, 3.0, y.size) if weighted else None
    lambdas = np.array([1.0, 0.1, 1e-2, 1e-4])
    options = {"sample_weight": weights, "l1_ratio": 0.0, "standardize": False}
    path = nb.fit_path(X, y, family=family, lambdas=lambdas, tol=1e-13, **options)
    problem = oracle(X, y, family, options)
    for index, lam in enumerate(path.lambdas):
        model.set_params(alpha=lam, tol=1e-12, max_iter=500, solver="newton-cholesky").fit(X, y, sample_weight=weights)
        ours = problem.objective(problem.theta(path.intercepts[index], path.coefs[index]), lam)
        theirs = problem.objective(problem.theta(model.intercept_, model.coef_), lam)
        assert ours == pytest.approx(theirs, rel=1e-10)
        np.testing.assert_allclose(path.coefs[index], model.coef_, rtol=0, atol=1e-5 * np.abs(model.coef_).max())


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("delta", [0.2, 1.345, 5.0])
def test_huber_is_cvxpy_s(delta, l1_ratio):
    family = f"huber({delta})"
    X, y, rng = data(family)
    options = {"l1_ratio": l1_ratio, "sample_weight": rng.random(y.size)}
    problem = oracle(X, y, family, options)
    lambdas = problem.lambda_max() * np.array([0.5, 0.1, 1e-3])
    path = nb.fit_path(X, y, family=family, lambdas=lambdas, tol=TIGHT, **options)
    for index, lam in enumerate(path.lambdas):
        t = cvxpy.Variable(problem.v.size)
        l1, l2 = problem.strengths(lam)
        penalty = l1 @ cvxpy.abs(t) + cvxpy.sum(cvxpy.multiply(l2 / 2, cvxpy.square(t)))
        loss = problem.w @ cvxpy.huber(problem.Z @ t - y, delta) / 2
        tight = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}
        cvxpy.Problem(cvxpy.Minimize(loss + penalty)).solve(solver=cvxpy.CLARABEL, **tight)
        ours = problem.objective(problem.theta(path.intercepts[index], path.coefs[index]), lam)
        theirs = problem.objective(t.value, lam)
        assert ours == pytest.approx(theirs, rel=1e-8)
        assert ours <= theirs + 3 * TIGHT * problem.null_loss


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_huber_without_a_corner_is_squared_error(l1_ratio):
    X, y, rng = data("gaussian")
    options = {"l1_ratio": l1_ratio, "sample_weight": rng.random(y.size), "tol": TIGHT, "n_lambdas": 12}
    square, huber = (nb.fit_path(X, y, family=family, **options) for family in ("gaussian", "huber(1e6)"))
    np.testing.assert_allclose(huber.lambdas, square.lambdas, rtol=1e-9)
    np.testing.assert_allclose(huber.loss, square.loss, rtol=1e-6)
    np.testing.assert_allclose(huber.coefs, square.coefs, rtol=0, atol=1e-5 * np.abs(square.coefs).max())


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_huber_s_curvature_follows_the_rows_that_cross_the_corner(fit_intercept, weighted):
    """Few steps a lambda say so: with rows added where they were lost these take thousands."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 800)) + 3
    y = X[:, :10].sum(axis=1) + rng.standard_t(1.5, 200)
    weights = rng.choice([0.0, 1.0, 2.0], 200) if weighted else None
    path = nb.fit_path(X, y, family="huber(1)", fit_intercept=fit_intercept, sample_weight=weights)
    assert set(path.statuses) == {"converged"}
    assert path.n_iters.sum() < 500


@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize(("shape", "lambdas"), [((200, 8), [0.3, 0.1, 0.03]), ((60, 150), [0.5, 0.3, 0.2])])
def test_how_far_an_outlier_lies_is_nothing_to_huber(shape, lambdas, l1_ratio):
    """Five of a hundred targets at a million, then at a billion: the residuals that count are clipped all the same.

    Below these lambdas the lasso on 150 columns goes out to the outliers, which pay their penalty.
    """
    X, y, rng = data("gaussian", *shape)
    far = rng.permutation(y.size)[: y.size // 20]
    sides = rng.choice([-1.0, 1.0], far.size)
    coefs = []
    for distance in (1e6, 1e9):
        y[far] = distance * sides
        problem = Problem(X, y, "huber(1.345)", l1_ratio=l1_ratio)
        path = nb.fit_path(X, y, family="huber(1.345)", l1_ratio=l1_ratio, lambdas=lambdas, tol=1e-10)
        assert set(path.statuses) == {"converged"}
        for lam, intercept, coef in zip(lambdas, path.intercepts, path.coefs, strict=True):
            assert problem.kkt(problem.theta(intercept, coef), lam) <= 1e-3 * lam
        coefs.append(path.coefs)
    assert np.abs(coefs[0]).max() > 0.05
    np.testing.assert_allclose(coefs[1], coefs[0], rtol=0, atol=1e-6 * np.abs(coefs[0]).max())


@pytest.mark.parametrize("family", NEW)
def test_weights_are_rows(family):
    """Weight 0 is a row that is absent, weight 2 a row that is there twice; their scale and the order are nothing."""
    X, y, rng = data(family)
    weights = rng.integers(0, 3, y.size).astype(float)
    offset = 0.3 * rng.normal(size=y.size)
    rows = rng.permutation(np.repeat(np.arange(y.size), weights.astype(int)))
    columns = rng.permutation(X.shape[1])
    path = nb.fit_path(X, y, family=family, sample_weight=weights, offset=offset, n_lambdas=10, tol=TIGHT)
    options = {"family": family, "lambdas": path.lambdas, "tol": TIGHT}
    problem = Problem(X, y, family, weights=weights, offset=offset)
    scaled = nb.fit_path(X, y, sample_weight=1e3 * weights, offset=offset, **options)
    again = nb.fit_path(X[rows][:, columns], y[rows], offset=offset[rows], **options)
    assert again.lambda_max == pytest.approx(path.lambda_max, rel=1e-9)
    assert again.null_loss == pytest.approx(path.null_loss, rel=1e-9)
    assert_same_minima(problem, path, scaled.intercepts, scaled.coefs)
    assert_same_minima(problem, path, again.intercepts, again.coefs[:, np.argsort(columns)])


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("family", NEW)
def test_sparse_is_dense(family, standardize):
    rng = np.random.default_rng(1)
    X = make_design("sparse", rng)
    y = make_target(family, X, rng)
    options = {"family": family, "standardize": standardize, "n_lambdas": 10, "tol": TIGHT}
    dense, sparse = (nb.fit_path(given, y, **options) for given in (X, scipy.sparse.csc_array(X)))
    np.testing.assert_allclose(sparse.lambdas, dense.lambdas, rtol=1e-9)
    assert_same_minima(oracle(X, y, family, {"standardize": standardize}), dense, sparse.intercepts, sparse.coefs)


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("family", NEW)
def test_nothing_is_chosen_from_lambda_max_on(family, l1_ratio):
    X, y, rng = data(family)
    options = {"sample_weight": rng.random(y.size), "offset": 0.3 * rng.normal(size=y.size), "l1_ratio": l1_ratio}
    largest = oracle(X, y, family, options).lambda_max()
    path = nb.fit_path(X, y, family=family, lambdas=largest * np.array([10, 1 + 1e-6, 0.9]), **options)
    assert path.lambda_max == pytest.approx(largest, rel=1e-7)
    assert (path.coefs[:2] == 0).all()
    assert (path.coefs[2] != 0).any()


@pytest.mark.parametrize("family", NEW)
def test_predictions(family):
    """A mean: exp(eta) with the log link, eta itself with Huber's loss; the family keeps its name."""
    X, y, rng = data(family)
    offset = 0.3 * rng.normal(size=y.size)
    path = nb.fit_path(X, y, family=family, offset=offset, n_lambdas=10)
    assert path.family == family
    lam = path.lambdas[6]
    eta = path.intercepts[6] + X @ path.coefs[6] + offset
    np.testing.assert_allclose(path.predict(X, lam=lam, offset=offset), eta, rtol=1e-10, atol=1e-12)
    mean = np.exp(eta) if family in LOG_LINK else eta
    np.testing.assert_allclose(path.predict(X, lam=lam, offset=offset, kind="response"), mean, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("family", ["inverse_gaussian", "tweedie(2.5)", "tweedie(3)"])
def test_losses_that_are_not_convex_are_refused(family):
    with pytest.raises(ValueError, match=r"(?s)" + re.escape(family) + ".*convex"):
        nb.fit_path(np.eye(6), np.arange(1.0, 7.0), family=family)


@pytest.mark.parametrize(
    "family", ["tweedie(0.5)", "tweedie(x)", "negative_binomial(0)", "huber(-1)", "huber(nan)", "gamma(2)"]
)
def test_values_that_make_no_sense_are_refused(family):
    with pytest.raises(ValueError, match=re.escape(family)):
        nb.fit_path(np.eye(6), np.arange(1.0, 7.0), family=family)


@pytest.mark.parametrize(
    ("family", "bad"), [("gamma", -2.0), ("gamma", 0.0), ("tweedie(1.5)", -2.0), ("negative_binomial(2)", -2.0)]
)
def test_targets_outside_the_family_are_refused(family, bad):
    X, y, _ = data(family)
    y[[3, 7]] = bad
    with pytest.raises(nb.DataError, match=r"(?s)E13 .*\b2\b"):
        nb.fit_path(X, y, family=family)


def value_of(path, name):
    found = re.fullmatch(rf"{name}\((.+)\)", path.family)
    assert found, path.family
    return float(found[1])


@pytest.mark.parametrize("name", ["tweedie", "negative_binomial", "huber"])
def test_a_bare_name_says_which_value_it_took(name):
    """The name with that value is the same fit."""
    full = next(family for family in NEW if family.startswith(name))
    X, y, _ = data(full)
    path = nb.fit_path(X, y, family=name, n_lambdas=6)
    value = value_of(path, name)
    again = nb.fit_path(X, y, family=path.family, n_lambdas=6)
    np.testing.assert_array_equal(again.coefs, path.coefs)
    assert f"{value:.3g}" in path.summary()


def test_the_values_that_bare_names_take():
    """1.5; moments or likelihood of the null model, near the truth; 1.345 robust standard deviations."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(4000, 3))
    counts = draw("negative_binomial(2)", np.ones(4000), rng)
    y = draw("huber(1.345)", X[:, 0], rng)
    assert value_of(nb.fit_path(X, draw("tweedie(1.5)", X[:, 0], rng), family="tweedie", n_lambdas=2), "tweedie") == 1.5
    theta = value_of(nb.fit_path(X, counts, family="negative_binomial", n_lambdas=2), "negative_binomial")
    assert theta == pytest.approx(2.0, rel=0.2)
    delta = value_of(nb.fit_path(X, y, family="huber", n_lambdas=2), "huber")
    assert delta == pytest.approx(1.345 * np.median(np.abs(y - np.median(y))) / 0.6745, rel=1e-2)
