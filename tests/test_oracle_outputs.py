"""The oracle of several outputs and of groups itself: its loss by derivatives, its minima by gaps and by cvxpy."""

import numpy as np
import pytest

import oracle
import oracle_cones
from oracle_outputs import Multinomial, Problem, indicators

GROUPS = np.array([0, 0, 0, -1, 1, 1, 1, 1, -1])


def make_data(family, rng, n=60, p=9, n_outputs=3):
    """X with columns of different scales, the last of group 1 a sum of others, and y of a family."""
    X = rng.normal(size=(n, p))
    X[:, 7] = X[:, 4] - X[:, 5] - X[:, 6]
    signal = X @ (rng.normal(size=(p, n_outputs)) * (rng.random((p, n_outputs)) < 0.5))
    X = X * 10.0 ** rng.integers(-2, 3, p) + rng.normal(size=p)
    match family:
        case "multinomial":
            return X, indicators((signal + rng.gumbel(size=signal.shape)).argmax(axis=1))
        case "multigaussian":
            return X, signal + rng.normal(size=signal.shape)
        case "gaussian":
            return X, signal[:, 0] + rng.normal(size=n)
        case "binomial":
            return X, (signal[:, 0] + rng.logistic(size=n) > 0).astype(float)
        case "poisson":
            return X, rng.poisson(np.exp(0.5 * signal[:, 0])).astype(float)


PENALTIES = [
    ("multinomial", {}),
    ("multinomial", {"grouped": True}),
    ("multinomial", {"penalty_factors": [1, 0, np.inf, 0.5, 2, 1, 1, 1, 3]}),
    ("multinomial", {"grouped": True, "penalty_factors": [1, 0, np.inf, 0.5, 2, 1, 1, 1, 3], "fit_intercept": False}),
    ("multinomial", {"lower": -0.1, "upper": 0.3, "standardize": False}),
    ("multigaussian", {}),
    ("multigaussian", {"grouped": False, "standardize": False}),
    ("multigaussian", {"penalty_factors": [1, 0, np.inf, 0.5, 2, 1, 1, 1, 3]}),
    ("gaussian", {"groups": GROUPS}),
    ("gaussian", {"groups": GROUPS, "fit_intercept": False, "group_weights": [0.5, 3.0]}),
    ("gaussian", {"groups": GROUPS, "group_ratio": 0.4}),
    ("binomial", {"groups": GROUPS, "penalty_factors": [2, 2, 2, 0, 0.5, 0.5, 0.5, 0.5, np.inf]}),
    ("binomial", {"groups": GROUPS, "group_ratio": 0.0}),
    ("poisson", {"groups": GROUPS, "orthonormalize": False}),
    ("poisson", {"groups": GROUPS, "group_ratio": 0.7, "penalty_factors": [0, 0, 0, 1, 1, 1, 1, 1, 2]}),
]


@pytest.fixture(params=PENALTIES, ids=lambda case: "-".join([case[0], *case[1]]))
def penalty(request):
    return request.param


def weighted(family, options, seed=7):
    rng = np.random.default_rng(seed)
    X, y = make_data(family, rng)
    return X, y, options | {"weights": rng.random(y.shape[0]), "offset": 0.3 * rng.normal(size=y.shape)}


def test_multinomial_is_what_it_should_be():
    """Slope and curvature by differences, the conjugate by Fenchel and Young; no loss where all is right."""
    rng = np.random.default_rng(0)
    loss, h = Multinomial(), 1e-5
    eta, y = 3 * rng.normal(size=(50, 4)), np.vstack([np.eye(4)[rng.integers(0, 4, 25)], rng.dirichlet(np.ones(4), 25)])
    for k in range(4):
        step = h * np.eye(4)[k]
        by_value = (loss.value(y, eta + step) - loss.value(y, eta - step)) / (2 * h)
        np.testing.assert_allclose(loss.slope(y, eta)[:, k], by_value, atol=1e-9)
        by_slope = (loss.slope(y, eta + step) - loss.slope(y, eta - step)) / (2 * h)
        np.testing.assert_allclose(loss.curvature(y, eta)[:, k], by_slope, atol=1e-9)
    u = loss.slope(y, eta)
    np.testing.assert_allclose(loss.value(y, eta) + loss.conjugate(y, u), (u * eta).sum(axis=1), atol=1e-13)
    other = rng.permutation(eta)
    assert (loss.value(y, other) + loss.conjugate(y, u) >= (u * other).sum(axis=1) - 1e-13).all()
    np.testing.assert_allclose(loss.conjugate(y, 0 * u), 0, atol=1e-14)
    assert np.isinf(loss.conjugate(y, 1.01 * (1 - y))).all()
    np.testing.assert_allclose(loss.value(y[25:], np.log(y[25:]) + 700), 0, atol=1e-12)
    assert np.isfinite(loss.value(y, 300 * eta)).all()


def test_two_classes_are_binomial_s_and_one_output_the_other_oracle_s():
    X, y, options = weighted("binomial", {})
    one = oracle.Problem(X, y, "binomial", **options)
    two = Problem(X, y, "binomial", **options)
    pair = np.column_stack([np.zeros(60), options["offset"]])
    both = Problem(X, indicators(y), "multinomial", **options | {"offset": pair})
    grouped = Problem(X, indicators(y), "multinomial", grouped=True, **options | {"offset": pair})
    assert two.lambda_max() == pytest.approx(one.lambda_max(), rel=1e-12)
    assert both.lambda_max() == pytest.approx(one.lambda_max(), rel=1e-12)
    assert grouped.lambda_max() == pytest.approx(np.sqrt(2) * one.lambda_max(), rel=1e-12)
    lam = 0.2 * one.lambda_max()
    theta = one.solve(lam)
    value = one.objective(theta, lam)
    assert two.objective(theta[:, None], lam) == pytest.approx(value, rel=1e-14)
    assert two.kkt(0.9 * theta[:, None], lam) == pytest.approx(one.kkt(0.9 * theta, lam), rel=1e-12)
    assert two.dual(0.9 * theta[:, None], lam) == pytest.approx(one.dual(0.9 * theta, lam), rel=1e-12)
    assert both.objective(both.solve(lam), lam) == pytest.approx(value, rel=1e-12)
    assert grouped.objective(grouped.solve(np.sqrt(2) * lam), np.sqrt(2) * lam) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
def test_its_own_minima_have_no_gap(penalty, l1_ratio):
    """Two bounds that meet prove both; and what is off the minimum has a gap, of at least what it is off."""
    family, options = penalty
    X, y, options = weighted(family, options | {"l1_ratio": l1_ratio})
    problem = Problem(X, y, family, **options)
    for share in (0.5, 0.05):
        lam = share * problem.lambda_max()
        theta = problem.solve(lam)
        assert abs(problem.gap(theta, lam)) <= 1e-13
        assert problem.kkt(theta, lam) <= 1e-8 * lam
        off = 0.99 * theta + 0.01 * problem.null
        excess = (problem.objective(off, lam) - problem.objective(theta, lam)) / problem.null_loss
        assert problem.gap(off, lam) == pytest.approx(excess, rel=1e-6, abs=1e-13)
        own = problem.dual(problem.polish(off, lam, problem.cost == 0), lam)
        assert own <= problem.objective(theta, lam) + 1e-14
    if options.get("lower") is None:
        above, below = (problem.solve(c * problem.lambda_max()) * (problem.cost > 0) for c in (1 + 1e-6, 1 - 1e-3))
        assert not above.any()
        assert below.any()


@pytest.mark.parametrize(
    ("family", "grouped"), [("multinomial", False), ("multinomial", True), ("multigaussian", True)]
)
def test_ridge_has_no_gap(family, grouped):
    X, y, options = weighted(family, {"l1_ratio": 0.0, "grouped": grouped})
    problem = Problem(X, y, family, **options)
    assert abs(problem.gap(problem.solve(0.1), 0.1)) <= 1e-13


def test_units_come_back(penalty):
    """Coefficients in the units of the data have the fit, and the penalty, of the theta that they are made of."""
    family, options = penalty
    X, y, options = weighted(family, options)
    problem = Problem(X, y, family, **options)
    theta = problem.solve(0.1 * problem.lambda_max())
    intercepts, coef = problem.coefficients(theta)
    np.testing.assert_allclose(problem.theta(intercepts, coef), theta, atol=1e-11)
    eta = problem.offset + intercepts + X @ coef.T
    np.testing.assert_allclose(problem.eta(theta), eta, atol=1e-10)


def test_the_minimum_is_cvxpy_s(penalty):
    family, options = penalty
    X, y, options = weighted(family, options | {"l1_ratio": 0.7}, seed=8)
    problem = Problem(X, y, family, **options)
    lam = 0.2 * problem.lambda_max()
    value = problem.objective(problem.solve(lam), lam)
    other = problem.objective(problem.theta(*oracle_cones.minimum(X, y, family, lam, **options)), lam)
    assert value <= other + 1e-13 * problem.null_loss
    assert other == pytest.approx(value, rel=1e-8)
