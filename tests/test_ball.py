"""fit_ball: optimal on the ball, by the optimality conditions and by a duality gap recomputed in NumPy."""

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball import ball
from oracle_losses import find_loss
from targets import FAMILIES, NEW, draw


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(2)
    X = generator.normal(size=(70, 6)) @ generator.normal(size=(6, 6)) + 1.0
    eta = (X - X.mean(axis=0)) @ [0.5, -0.4, 0.2, 0.0, 0.0, 0.0]
    targets = {
        "gaussian": eta + generator.normal(size=70),
        "binomial": (eta + generator.logistic(size=70) > 0).astype(float),
        "poisson": generator.poisson(np.exp(0.3 * eta)).astype(float),
    }
    weights = generator.uniform(0.5, 2.0, size=70)
    return X, targets | {family: draw(family, eta, generator, log=(0.0, 0.3)) for family in NEW}, weights


def pieces(fit, X, y, weights, offset):
    """Loss, and its gradient per standardised coefficient."""
    share = weights / weights.sum()
    eta = X @ fit.coef + fit.intercept + offset
    own = find_loss(fit.family)
    loss, slope = share @ own.value(y, eta), own.slope(y, eta)
    standardised = (X - share @ X) / fit.scales
    return loss, standardised.T @ (share * slope), share @ slope


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("radius", [0.05, 0.4, 0.9])
def test_the_solution_lies_on_the_ball_and_is_optimal_there(table, family, norm, radius):
    X, targets, weights = table
    y, offset = targets[family], np.linspace(-0.1, 0.1, 70)
    fit = nb.fit_ball(X, y, radius=radius, norm=norm, family=family, sample_weight=weights, offset=offset)
    assert (fit.status, fit.radius) == ("converged", radius)
    assert 0 <= fit.dual_gap <= 1e-6
    size = fit.l1_norm if norm == "l1" else fit.l2_norm
    assert size == pytest.approx(radius, rel=1e-8)
    loss, gradient, balance = pieces(fit, X, y, weights, offset)
    assert fit.loss == pytest.approx(loss, rel=1e-9)
    assert abs(balance) < 1e-6
    # minus the gradient points out of the ball, and its length is the strength
    b = fit.coef_per_sd
    if norm == "l1":
        assert np.abs(gradient).max() == pytest.approx(fit.lam, rel=1e-5)
        np.testing.assert_allclose(-gradient[b != 0], fit.lam * np.sign(b[b != 0]), rtol=1e-4)
    else:
        np.testing.assert_allclose(-gradient, fit.lam * b, atol=1e-5)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_the_gap_is_that_of_the_ball_problem(table, norm):
    X, targets, _ = table
    y, radius = targets["gaussian"], 0.5
    fit = nb.fit_ball(X, y, radius=radius, norm=norm)
    loss, gradient, _ = pieces(fit, X, y, np.ones(70), 0.0)
    u = X @ fit.coef + fit.intercept - y
    u -= u.mean()
    length = np.abs(gradient).max() if norm == "l1" else np.linalg.norm(gradient)
    dual = -(u**2 / 2 + u * y).mean() - radius * length
    assert loss - dual == pytest.approx(0.0, abs=1e-6 * fit.null_loss)
    assert fit.dual_gap <= 1e-6


@pytest.mark.parametrize(("norm", "l1_ratio"), [("l1", 1.0), ("l2", 0.0)])
def test_the_penalised_problem_with_this_strength_has_the_same_solution(table, norm, l1_ratio):
    X, targets, _ = table
    fit = nb.fit_ball(X, targets["binomial"], radius=0.6, norm=norm, family="binomial")
    same = nb.fit_path(X, targets["binomial"], family="binomial", l1_ratio=l1_ratio, lambdas=[fit.lam], tol=1e-12)
    np.testing.assert_allclose(same.coefs[0], fit.coef, atol=1e-6)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_a_ball_that_holds_the_unconstrained_optimum(table, norm):
    X, targets, _ = table
    fit = nb.fit_ball(X, targets["gaussian"], radius=100.0, norm=norm)
    assert fit.lam == 0.0
    with_ones = np.column_stack([np.ones(70), X])
    np.testing.assert_allclose(fit.coef, np.linalg.lstsq(with_ones, targets["gaussian"], rcond=None)[0][1:], atol=1e-4)
    assert fit.dual_gap <= 1e-6


def test_a_disc_smaller_than_the_first_point_of_the_grid(table):
    X, targets, _ = table
    grid = nb.fit_path(X, targets["gaussian"], l1_ratio=0.0)
    fit = nb.fit_ball(X, targets["gaussian"], radius=grid.l2_norms[0] / 100, norm="l2")
    assert fit.lam > grid.lambda_max
    assert fit.l2_norm == pytest.approx(grid.l2_norms[0] / 100, rel=1e-8)
    assert fit.dual_gap <= 1e-6


def test_a_separable_target_has_no_optimum_but_every_ball_has():
    X = np.arange(20.0)[:, None]
    fit = nb.fit_ball(X, X[:, 0] > 9, radius=30.0, family="binomial")
    assert fit.l1_norm == pytest.approx(30.0, rel=1e-8)
    assert fit.lam > 0
    assert fit.status == "converged"


def test_more_features_than_rows():
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(15, 40)), generator.normal(size=15)
    fit = nb.fit_ball(X, y, radius=0.7)
    assert fit.l1_norm == pytest.approx(0.7, rel=1e-8)
    assert fit.dual_gap <= 1e-6
    out_of_reach = nb.fit_ball(X, y, radius=50.0)
    assert out_of_reach.lam > 0
    assert out_of_reach.l1_norm < 50.0
    assert out_of_reach.deviance_ratio > 0.999


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_unpenalised_excluded_and_bounded_features(table, norm):
    X, targets, _ = table
    factors = np.array([0.0, 1.0, 2.0, np.inf, 1.0, 1.0])
    fit = nb.fit_ball(
        X, targets["gaussian"], radius=0.3, norm=norm, penalty_factors=factors, lower_bounds={"x1": -0.05}
    )
    b = fit.coef_per_sd
    assert fit.coef[3] == 0.0
    assert fit.coef[1] >= -0.05
    finite = np.array([0.0, 1.0, 2.0, 0.0, 1.0, 1.0])
    size = finite @ np.abs(b) if norm == "l1" else np.sqrt(finite @ b**2)
    assert size == pytest.approx(0.3, rel=1e-8)
    assert fit.dual_gap <= 1e-6


def test_frames_and_the_result_as_a_fit(table):
    X, targets, _ = table
    frame = pl.DataFrame(X, schema=list("abcdef")).with_columns(pl.Series("y", targets["gaussian"]))
    fit = nb.fit_ball(frame, "y", radius=0.5)
    assert fit.feature_names == tuple("abcdef")
    np.testing.assert_allclose(fit.predict(frame), X @ fit.coef + fit.intercept)
    assert "radius               0.5" in fit.summary()
    assert fit.to_frame().height == 7


def test_a_gap_that_stays_open_is_said(table):
    X, targets, _ = table
    with pytest.warns(nb.NotConverged, match="relative duality gap is .*, above tol=1e-06") as caught:
        fit = nb.fit_ball(X, targets["poisson"], radius=0.5, family="poisson", max_iter=1)
    assert fit.status == "max_iter"
    assert fit.dual_gap > 1e-6
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_gap_that_rounding_keeps_open_is_never_called_converged(table, monkeypatch):
    X, targets, _ = table
    bound = ball._Point.dual_bound
    monkeypatch.setattr(ball._Point, "dual_bound", lambda *given: bound(*given) - 1e-3)
    with pytest.warns(nb.NotConverged, match="relative duality gap is .*, above tol=1e-06"):
        fit = nb.fit_ball(X, targets["gaussian"], radius=0.5)
    assert fit.status == "numerical"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"radius": 0}, ValueError, "radius is 0, but must be above 0"),
        ({"radius": -1.0}, ValueError, "radius is -1"),
        ({"radius": np.inf}, ValueError, "radius is inf"),
        ({"radius": "big"}, TypeError, "radius is 'big', but must be a number"),
        ({"radius": 1.0, "norm": "l0"}, ValueError, "norm is 'l0', but must be"),
        ({"radius": 1.0, "lam": 0.1}, TypeError, "The strength follows from radius"),
        ({"radius": 1.0, "alpha": 0.1}, TypeError, "called lam here.*The strength follows from radius"),
        ({"radius": 1.0, "l1_ratio": 0.5}, TypeError, "the mix from norm"),
        ({"radius": 1.0, "radios": 0.5}, TypeError, 'Did you mean "radius"'),
    ],
)
def test_arguments_that_make_no_sense(table, options, error, message):
    X, targets, _ = table
    with pytest.raises(error, match=message):
        nb.fit_ball(X, targets["gaussian"], **options)


def test_stopping(table):
    X, targets, _ = table
    with pytest.raises(nb.Interrupted, match="before the radius was met"):
        nb.fit_ball(X, targets["gaussian"], radius=1.0, progress=lambda *_: True)
