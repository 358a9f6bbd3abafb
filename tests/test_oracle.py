"""The oracle itself: its losses by derivatives, conjugates and limits, its minima by another program."""

from fractions import Fraction

import cvxpy
import numpy as np
import pytest

from oracle import Problem
from oracle_losses import IDENTITY, Gamma, Gaussian, Huber, NegativeBinomial, Poisson, Tweedie, exp_excess, find_loss
from targets import BUILT, NEW, draw
from test_certificate import make_design, make_target

LOSSES = [*NEW, "tweedie(1.02)", "tweedie(1.98)", "negative_binomial(0.1)", "negative_binomial(300)", "huber(0.05)"]
ALL = [*BUILT, *LOSSES]
ONE_PARAMETER = {"binomial": [0.0, 0.3, 1.0], "gamma": [1e-3, 0.7, 1.0, 40.0]}


def pairs(family, largest=6.0):
    """Every target of a few with every eta of many, as two vectors."""
    y = np.array(ONE_PARAMETER.get(family, [-3.0, 0.0, 2.5] if family.startswith(("ga", "hu")) else [0.0, 0.4, 1, 37]))
    eta = np.linspace(-largest, largest, 61) + 0.0123
    return [part.ravel() for part in np.meshgrid(y, eta)]


@pytest.mark.parametrize("family", ALL)
def test_slope_and_curvature_are_derivatives(family):
    loss, (y, eta) = find_loss(family), pairs(family)
    if isinstance(loss, Huber):  # no curvature at its two kinks
        away = np.abs(np.abs(eta - y) - loss.delta) > 2e-3
        y, eta = y[away], eta[away]
    h = 1e-3
    for function, derivative in ((loss.value, loss.slope), (loss.slope, loss.curvature)):
        at = [function(y, eta + k * h) for k in (-2, -1, 1, 2)]
        expected = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)
        size = np.abs(at).max(axis=0)
        assert (np.abs(derivative(y, eta) - expected) <= 1e-9 * np.abs(expected) + 1e-11 * (1 + size)).all()


@pytest.mark.parametrize("family", ALL)
def test_a_perfect_fit_has_no_loss_and_any_other_one_has(family):
    loss, (y, eta) = find_loss(family), pairs(family)
    assert (loss.value(y, eta) > 0).all() or family == "binomial"  # at y = 0 and far out it is rounded off
    if not isinstance(loss, IDENTITY):
        y = y[y > 0]
    own = y if isinstance(loss, IDENTITY) else np.log(y)
    if family == "binomial":
        y = y[y < 1]
        own = np.log(y / (1 - y))
    np.testing.assert_allclose(loss.value(y, own), 0, atol=2e-14)
    np.testing.assert_allclose(loss.slope(y, own), 0, atol=2e-14)


@pytest.mark.parametrize("family", ALL)
def test_fenchel_young(family):
    """f(eta) + f*(u) >= u eta, with equality at the slope, and the conjugate is infinite only outside the slopes."""
    loss, (y, eta) = find_loss(family), pairs(family)
    u = loss.slope(y, eta)
    value, conjugate = loss.value(y, eta), loss.conjugate(y, u)
    np.testing.assert_allclose(value + conjugate, u * eta, atol=1e-13 * (1 + np.abs(value) + np.abs(u * eta)).max())
    rng = np.random.default_rng(0)
    for other in (rng.permutation(eta), eta + 0.1, eta - 3.0):
        excess = loss.value(y, other) + conjugate - u * other
        assert (excess >= -1e-13 * (1 + np.abs(u * other) + np.abs(conjugate))).all()
    for shrink in (0.99, 0.5, 0.0):
        assert np.isfinite(loss.conjugate(y, shrink * u)).all()
    np.testing.assert_allclose(loss.conjugate(y, 0 * u), 0, atol=1e-13)  # minus the smallest loss


@pytest.mark.parametrize(
    ("family", "y", "outside"),
    [
        ("gamma", 2.0, [1.0001]),
        ("tweedie(1.5)", 0.0, [-1e-4]),
        ("negative_binomial(2)", 3.0, [-3.0001, 2.0001]),
        ("negative_binomial(2)", 0.0, [-1e-4]),
        ("huber(1.345)", 1.0, [1.346, -1.346]),
    ],
)
def test_the_domain_of_the_conjugate(family, y, outside):
    loss = find_loss(family)
    u = np.array(outside)
    assert np.isinf(loss.conjugate(np.full(u.size, y), u)).all()
    assert np.isfinite(loss.conjugate(np.full(u.size, y), u * (1 - 1e-3) if y or u.size > 1 else -u)).all()


def test_tweedie_at_one_and_a_half_by_its_closed_conjugate():
    """z = (u + sqrt(u^2 + 4 y))/2 is exp(eta/2), by the other root where that would cancel."""
    slopes = np.r_[-(10.0 ** np.arange(-9, 5)), 0, 9, 1e5]
    y, u = (part.ravel() for part in np.meshgrid([1e-6, 0.3, 1.0, 50.0, 1e6], slopes))
    root = np.sqrt(u**2 + 4 * y)
    z = np.where(u > 0, (u + root) / 2, 2 * y / (root - u))
    closed = 2 * u * np.log(z) - 2 * (z - np.sqrt(y)) ** 2 / z
    conjugate = Tweedie(1.5).conjugate(y, u)
    np.testing.assert_allclose(conjugate, closed, rtol=1e-13, atol=1e-15 * np.abs(u * np.log(z)).max(initial=0))


@pytest.mark.parametrize(("power", "end"), [(1 + 1e-9, Poisson()), (2 - 1e-9, Gamma())])
def test_tweedie_ends_in_poisson_and_gamma(power, end):
    y, eta = pairs("gamma")
    loss = Tweedie(power)
    for name in ("value", "slope", "curvature"):
        np.testing.assert_allclose(getattr(loss, name)(y, eta), getattr(end, name)(y, eta), rtol=1e-6, atol=1e-6)
    u = end.slope(y, eta)
    np.testing.assert_allclose(loss.conjugate(y, u), end.conjugate(y, u), rtol=1e-6, atol=1e-6)


def test_negative_binomial_ends_in_poisson_and_huber_in_squared_error():
    y, eta = pairs("poisson")
    for many, few in ((NegativeBinomial(1e12), Poisson()), (Huber(1e3), Gaussian())):
        for name in ("value", "slope", "curvature"):
            np.testing.assert_allclose(getattr(many, name)(y, eta), getattr(few, name)(y, eta), rtol=1e-6, atol=1e-6)
        u = few.slope(y, eta)
        np.testing.assert_allclose(many.conjugate(y, u), few.conjugate(y, u), rtol=1e-6, atol=1e-6)


def test_gamma_is_poisson_and_negative_binomial_is_binomial():
    """gamma(y, eta) = poisson(1, log y - eta); y + theta times binomial(y/(y + theta), eta - log theta)."""
    y, eta = pairs("gamma")
    np.testing.assert_allclose(Gamma.value(y, eta), Poisson.value(1.0, np.log(y) - eta), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(Gamma.slope(y, eta), -Poisson.slope(1.0, np.log(y) - eta), rtol=1e-12, atol=1e-14)
    y, eta = pairs("poisson")
    for theta in (0.2, 2.0, 50.0):
        own, other = NegativeBinomial(theta), find_loss("binomial")
        share, shifted = y / (y + theta), eta - np.log(theta)
        np.testing.assert_allclose(own.value(y, eta), (y + theta) * other.value(share, shifted), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(own.slope(y, eta), (y + theta) * other.slope(share, shifted), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("family", ALL)
def test_nothing_is_lost_near_a_perfect_fit_and_nothing_breaks_far_from_one(family):
    """Near, half of curvature times the square; far, no NaN and no lost sign where the value is finite."""
    loss, y = find_loss(family), np.array([0.3, 0.7])
    own = y if isinstance(loss, IDENTITY) else np.log(y)
    if family in NEW or family.startswith("tweedie"):
        step = 1e-7
        near = loss.curvature(y, own) * step**2 / 2
        rtol = 2e-2 if family.startswith("negative") else 1e-6  # a difference of logarithms there
        np.testing.assert_allclose(loss.value(y, own + step), near, rtol=rtol)
    y, eta = (part.ravel() for part in np.meshgrid([0.3, 1.0], [-700.0, -300.0, 300.0, 700.0]))
    for name in ("value", "slope", "curvature"):
        assert np.isfinite(getattr(loss, name)(y, eta)).all(), name
    u = loss.slope(y, eta)
    assert (loss.value(y, eta) >= 0).all()
    assert (np.sign(u) == np.sign(eta)).all() or family == "binomial"
    assert not np.isnan(loss.conjugate(y, u)).any()


def test_the_series_of_exp_excess():
    for t in (1e-12, -3e-5, 0.019, -0.0199, 0.0201, -0.5, 3.0):
        exact, term = Fraction(0), Fraction(t)
        for k in range(2, 60):
            term = term * Fraction(t) / k
            exact += term
        assert float(exp_excess(np.array(t))) == pytest.approx(float(exact), rel=2e-14)


@pytest.mark.parametrize("family", ALL)
def test_null_models(family):
    """By the closed forms where there are any, with an offset; elsewhere by the score, which crosses zero there."""
    rng = np.random.default_rng(3)
    y = draw(family, 1 + rng.normal(size=60), rng)
    w, o = rng.random(60), rng.normal(size=60)
    problem = Problem(rng.normal(size=(60, 2)), y, family, weights=w, offset=o)
    loss, b0 = problem.loss, problem.null[0]
    assert (problem.null[1:] == 0).all()
    if isinstance(loss, Tweedie | Gamma | Poisson):
        p = {Gamma: 2.0, Poisson: 1.0}.get(type(loss)) or loss.power
        closed = (w * y * np.exp(-(p - 1) * o)).sum() / (w * np.exp((2 - p) * o)).sum()
        assert b0 == pytest.approx(np.log(closed), rel=1e-12)
    else:
        assert w @ loss.slope(y, o + b0 - 1e-8) < 0 < w @ loss.slope(y, o + b0 + 1e-8)
    if isinstance(loss, NegativeBinomial):
        alone = Problem(rng.normal(size=(60, 2)), y, family, weights=w)
        assert alone.null[0] == pytest.approx(np.log(w @ y / w.sum()), rel=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("family", NEW)
@pytest.mark.parametrize("design", ["tall", "wide", "correlated", "sparse"])
def test_its_own_minima_have_no_gap(design, family, l1_ratio):
    """Two bounds that meet prove both, whatever was done to get there."""
    rng = np.random.default_rng(7)
    X = make_design(design, rng)
    y = make_target(family, X, rng)
    options = {"weights": rng.random(y.size), "offset": 0.3 * rng.normal(size=y.size), "l1_ratio": l1_ratio}
    problem = Problem(X, y, family, **options)
    for share in (0.5, 0.1):
        lam = share * problem.lambda_max()
        theta = problem.solve(lam)
        assert abs(problem.gap(theta, lam)) <= 1e-9
        assert problem.kkt(theta, lam) <= 1e-6 * lam
    above = problem.solve(1.001 * problem.lambda_max())
    assert (above[1:] == 0).all() or l1_ratio == 0


def cvxpy_loss(family, y, eta):
    """The loss less what depends on y alone, in cvxpy's atoms."""
    name, _, value = family.removesuffix(")").partition("(")
    match name:
        case "gaussian":
            return cvxpy.square(eta - y) / 2
        case "huber":
            return cvxpy.huber(eta - y, float(value)) / 2
        case "binomial":
            return cvxpy.logistic(eta) - cvxpy.multiply(y, eta)
        case "poisson":
            return cvxpy.exp(eta) - cvxpy.multiply(y, eta)
        case "gamma":
            return cvxpy.multiply(y, cvxpy.exp(-eta)) + eta
        case "tweedie":
            p = float(value)
            return cvxpy.exp((2 - p) * eta) / (2 - p) + cvxpy.multiply(y / (p - 1), cvxpy.exp((1 - p) * eta))
        case "negative_binomial":
            theta = float(value)
            return cvxpy.multiply(y + theta, cvxpy.logistic(eta - np.log(theta))) - cvxpy.multiply(y, eta)
    raise ValueError(family)


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("family", [*BUILT, *NEW])
def test_the_minimum_is_cvxpy_s(family, l1_ratio):
    rng = np.random.default_rng(12)
    X = make_design("correlated", rng)[:, :12]
    y = make_target(family, X, rng)
    problem = Problem(X, y, family, l1_ratio=l1_ratio, weights=rng.random(y.size), lower=-0.2)
    lam = 0.1 * problem.lambda_max()
    theta = problem.solve(lam)
    assert abs(problem.gap(theta, lam)) < 1e-10
    t = cvxpy.Variable(theta.size)
    loss = cvxpy_loss(family, y, problem.offset + problem.Z @ t)
    l1, l2 = problem.strengths(lam)
    penalty = l1 @ cvxpy.abs(t) + cvxpy.sum(cvxpy.multiply(l2 / 2, cvxpy.square(t)))
    bounds = [t[1:] >= problem.lo[1:]]
    cvxpy.Problem(cvxpy.Minimize(problem.w @ loss + penalty), bounds).solve(solver=cvxpy.CLARABEL)
    other = problem.objective(np.maximum(t.value, problem.lo), lam)
    assert problem.objective(theta, lam) <= other + 1e-12 * problem.null_loss
    assert other == pytest.approx(problem.objective(theta, lam), rel=1e-6)
