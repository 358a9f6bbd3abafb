"""What is claimed about a solution, tested where the claim is not slack: by exact values, from both sides."""

from dataclasses import fields, replace

import numpy as np
import pytest
from sklearn.model_selection import BaseCrossValidator

import normball as nb
from normball.ball import _Point, _Search
from normball.findings import saturation
from normball.path import prepare_problem
from normball.solution import joined
from oracle import Problem
from payloads import described, made
from targets import FAMILIES, draw

# fit_ball


def ball_data(family):
    generator = np.random.default_rng(4)
    X = generator.normal(size=(40, 5)) @ generator.normal(size=(5, 5))
    eta = 0.4 * (X - X.mean(axis=0)) @ [0.5, -0.4, 0.2, 0.0, 0.0]
    return X, draw(family, eta, generator)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_the_bound_of_a_ball_is_the_dual_value_less_the_gap_of_the_penalised_fit(norm, family):
    """At points that are far from solved and radii far from their norm each of the terms shows."""
    X, y = ball_data(family)
    l1_ratio = float(norm == "l1")
    factors = np.array([1.0, 2.0, 0.5, 1.0, 1.0])
    options = {"family": family, "l1_ratio": l1_ratio, "tol": 0.5, "max_iter": 1, "penalty_factors": factors}
    search = _Search(prepare_problem(X, y, options), norm, 1.0, 0.5)
    problem = Problem(X, y, family, l1_ratio=l1_ratio, penalty_factors=factors)
    points = search.solve(problem.lambda_max() * np.array([0.3, 0.1, 0.03]))
    for point in [*points, *(shrunken(point, problem, search) for point in points)]:
        fit, lam = point.fit, point.fit.lam
        theta = problem.theta(fit.intercept, fit.coef)
        minimum = problem.objective(problem.solve(lam), lam)
        gap, excess = fit.dual_gap * fit.null_loss, problem.objective(theta, lam) - minimum
        assert excess <= gap + 1e-10
        for radius in (0.2 * point.norm, point.norm, 3.0 * point.norm):
            dual = minimum - lam * (radius if norm == "l1" else radius**2 / 2)
            assert point.dual_bound(radius, norm) == pytest.approx(dual + excess - gap, abs=1e-10)
            assert dual + excess - gap <= dual + 1e-10


def shrunken(point, problem, search):
    """A point that is no solution, with its gap by the oracle."""
    coef = 0.5 * point.fit.coef
    theta = problem.theta(point.fit.intercept, coef)
    gap = problem.gap(theta, point.fit.lam)
    assert gap > 1e-4
    return _Point(
        replace(point.fit, coef=coef, loss=problem.mean_loss(theta), dual_gap=gap),
        search.norm_of(coef * point.fit.scales),
    )


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_gap_of_a_ball_that_was_solved_badly_covers_its_excess(norm, family, monkeypatch):
    """Every penalised fit of the search stops after one step, and the search itself before it has looked further."""
    X, y = ball_data(family)
    problem = Problem(X, y, family, l1_ratio=float(norm == "l1"))
    for radius in (0.1, 0.4):
        with monkeypatch.context() as patch:
            patch.setattr("normball.ball._MAX_ROUNDS", 0)
            patch.setattr("normball.ball._TIGHTER", 1.0)
            fit = nb.fit_ball(X, y, radius=radius, norm=norm, family=family, tol=0.9, max_iter=1)
        exact = nb.fit_ball(X, y, radius=radius, norm=norm, family=family, tol=1e-7)
        lam = exact.lam  # the multiplier: its dual value is the minimum on the ball
        c = radius if norm == "l1" else radius**2 / 2
        minimum = problem.objective(problem.solve(lam), lam) - lam * c
        loss = problem.mean_loss(problem.theta(fit.intercept, fit.coef))
        assert fit.loss == pytest.approx(loss, rel=1e-9)
        assert fit.dual_gap * problem.null_loss >= loss - minimum - 1e-8


# choices on the path


def test_every_number_of_features_is_the_first_point_that_has_it():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 12))
    path = nb.fit_path(X, X @ 0.7 ** np.arange(12) + 0.1 * generator.normal(size=60))
    kept = np.count_nonzero(path.coefs, axis=1)
    reached = set()
    for k in range(kept.max() + 1):
        first = next(j for j in range(kept.size) if kept[j] >= k)
        assert path.at(n_nonzero=k).lam == path.lambdas[first]
        reached.add(kept[first])
    assert len(reached) >= 10  # there are points to be off by one


# folds


class Repeating(BaseCrossValidator):
    """Bootstrap samples for training, the other rows held out."""

    def split(self, X, y=None, groups=None):
        generator = np.random.default_rng(5)
        for _ in range(3):
            train = generator.integers(0, len(X), len(X))
            yield train, np.setdiff1d(np.arange(len(X)), train)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 3


@pytest.mark.parametrize("missing", ["error", "impute"])
def test_rows_that_a_splitter_repeats_count_as_often(missing):
    generator = np.random.default_rng(1)
    X, weights = generator.normal(size=(50, 4)), generator.uniform(0.5, 2.0, size=50)
    y = X[:, 0] - X[:, 1] + generator.normal(size=50)
    if missing == "impute":
        X[::9, 2] = np.nan
    cv = nb.cv_path(X, y, cv=Repeating(), sample_weight=weights, n_lambdas=10, missing=missing)
    for fold, (train, test) in enumerate(Repeating().split(X)):
        assert np.unique(train).size < train.size
        middle = np.nanmedian(X[train], axis=0)
        gaps = np.isnan(X[:, [2]]) if missing == "impute" else np.zeros((50, 0))
        filled = np.column_stack([np.where(np.isnan(X), middle, X)[:, :3], gaps, X[:, 3]])
        one = nb.fit_path(filled[train], y[train], sample_weight=weights[train], lambdas=cv.lambdas)
        errors = (y[test, None] - one.predict(filled[test], lam=cv.lambdas)) ** 2
        expected = np.average(errors, axis=0, weights=weights[test])
        np.testing.assert_allclose(cv.fold_scores[fold], expected, rtol=1e-4)


def test_solutions_are_joined_in_every_field():
    X = np.random.default_rng(0).normal(size=(30, 4))
    options = {"lambdas": [0.3, 0.1, 0.03], "family": "binomial"}
    problem = prepare_problem(X, X[:, 0] > 0.2, options)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, size=(3, 30))
    parts = [problem.solve(weights[:1]), problem.solve(weights[1:])]
    whole = joined(parts)
    assert whole.n_sweeps == sum(part.n_sweeps for part in parts)
    for field in fields(whole):
        values = getattr(whole, field.name)
        if field.name in ("lambdas", "n_features", "n_sweeps", "interrupted", "indptr", "indices", "values"):
            continue
        assert len(values) == 3, field.name
        np.testing.assert_array_equal(values[0], getattr(parts[0], field.name)[0])
        np.testing.assert_array_equal(values[1:], getattr(parts[1], field.name))
    for k, (part, j) in enumerate([(0, 0), (1, 0), (1, 1)]):
        np.testing.assert_array_equal(whole.coef_rows(k), parts[part].coef_rows(j))
        one, alone = problem.path(whole, 3, k), problem.path(parts[part], 3, j)
        for name in ("null_loss", "lambda_max", "scales", "loss", "coefs"):
            np.testing.assert_array_equal(getattr(one, name), getattr(alone, name))
    with pytest.raises(ValueError, match="different grids"):
        joined([parts[0], problem.solve(weights[:1], lambdas=np.array([0.3, 0.1]))])


# findings and the page


@pytest.mark.parametrize("lower_by", [0.049, 0.051, 0.1, 0.19])
def test_clearly_lower_is_five_percent(lower_by):
    """The held-out entropy at ten times the weights is lower by just so much than at the weights themselves."""
    entropy = np.array([0.9, 0.8, 0.5, 0.5, 0.5 * (1 - lower_by)])
    falling = np.array([0.9, 0.8, 0.5, 0.499, 0.5 * (1 - lower_by)])
    given = {"scales": saturation.SCALES, "flat": np.full(5, 0.6), "residual": entropy, "largest_margin": 9.0}
    clearly = lower_by > 0.05
    assert saturation.Saturation(**given, train=entropy, heldout=entropy).best_scale == (10 if clearly else 1)
    overconfident = saturation.Saturation(**given, train=entropy, heldout=entropy[[4, 3, 2, 1, 0]])
    assert (overconfident.finding() is not None) == clearly
    assert saturation.Saturation(**given, train=falling, heldout=None).grows_without_limit == clearly


def test_the_error_of_a_calibration_counts_rows_by_their_weight():
    """A row of weight 9 among rows of weight 1 is no nine rows: the weights' own effective number is what counts."""
    X, y = made("binomial", n=400)
    weights = np.where(np.arange(400) % 10 == 0, 30.0, 1.0)
    cv = nb.cv_path(X, y, family="binomial", cv=5, n_lambdas=5, keep_predictions=True, sample_weight=weights)
    told = described(cv, X, y, sample_weight=weights)["evidence"]["calibration"]
    index = 4
    eta = cv.predictions[:, index]
    order = np.argsort(eta, kind="stable")
    share = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    group = np.empty(400, dtype=int)
    group[order] = np.minimum((share * 10).astype(int), 9)
    group = np.unique(group, return_inverse=True)[1]
    assert told["counts"][index] == np.bincount(group).tolist()
    for k, (observed, error) in enumerate(zip(told["observed"][index], told["se"][index], strict=True)):
        rows = group == k
        w = weights[rows] / weights[rows].sum()
        mean = w @ y[rows]
        assert observed == pytest.approx(mean, rel=1e-3, abs=1e-4)
        # the variance of sum_i w_i y_i, each y_i with the variance of its group
        assert error == pytest.approx(np.sqrt((w**2).sum() * (w @ (y[rows] - mean) ** 2)), rel=1e-3, abs=1e-4)
