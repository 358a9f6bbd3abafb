"""Several targets, warm starts and budgets of iterations: scikit-learn's meaning, and certified answers."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as sk
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

from normball import drop_in

RNG = np.random.default_rng(0)
X, Y = load_diabetes(return_X_y=True)
X = X[:, [0, 2, 4, 5, 8]] * np.array([1.0, 10.0, 20.0, 30.0, 5.0]) + np.arange(5)
TARGETS = np.column_stack([Y, Y[::-1], 0.01 * Y**2])
WIDE = RNG.normal(size=(40, 90))
WIDE_Y = WIDE[:, :5].sum(axis=1) + RNG.normal(size=40)
WEIGHTS = RNG.uniform(0.5, 2.0, size=40)


# -- several targets


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weights", [None, np.arange(Y.size) % 4 + 0.5])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Lasso", {"alpha": 2.0}),
        ("ElasticNet", {"alpha": 0.3, "positive": True}),
        ("ElasticNet", {"alpha": 0.3, "fit_intercept": False}),
        ("Ridge", {"alpha": 5.0}),
        ("Ridge", {"alpha": np.array([0.1, 5.0, 100.0])}),
    ],
)
def test_each_target_gets_the_model_of_its_own(name, options, weights, container):
    design = container(X)
    model = getattr(drop_in, name)(**options).fit(design, TARGETS, sample_weight=weights)
    theirs = getattr(sk, name)(**options).fit(X, TARGETS, sample_weight=weights)
    for attribute in ("coef_", "intercept_"):
        assert np.shape(getattr(model, attribute)) == np.shape(getattr(theirs, attribute))
    assert len(model.n_iter_) == model.dual_gap_.size == 3
    for k, target in enumerate(TARGETS.T):
        alpha = options["alpha"][k] if np.ndim(options["alpha"]) else options["alpha"]
        alone = clone(model).set_params(alpha=alpha).fit(design, target, sample_weight=weights)
        assert model.coef_[k] == pytest.approx(alone.coef_, rel=1e-4, abs=1e-6)
        assert np.broadcast_to(model.intercept_, 3)[k] == pytest.approx(alone.intercept_, rel=1e-5)
    assert model.predict(design).shape == TARGETS.shape


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet", "Ridge", "RidgeCV"])
def test_a_single_column_of_targets_has_scikit_learns_shapes(name):
    ours, theirs = (getattr(module, name)().fit(X, Y[:, None]) for module in (drop_in, sk))
    for attribute in ("coef_", "intercept_"):
        assert np.shape(getattr(ours, attribute)) == np.shape(getattr(theirs, attribute))
    assert ours.predict(X).shape == theirs.predict(X).shape


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("per_target", [True, False])
@pytest.mark.parametrize("scoring", [None, "r2"])
@pytest.mark.parametrize("wide", [True, False])
def test_ridge_cv_leaves_one_out_for_several_targets(wide, scoring, per_target, weights):
    design = WIDE if wide else WIDE[:, :6]
    targets = np.column_stack([WIDE_Y, RNG.normal(size=40)])
    options = {"alphas": [0.3, 30.0, 3000.0], "scoring": scoring, "alpha_per_target": per_target}
    ours, theirs = (
        module.RidgeCV(**options, store_cv_results=True).fit(design, targets, sample_weight=weights)
        for module in (drop_in, sk)
    )
    assert np.array_equal(ours.alpha_, theirs.alpha_)
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-6)
    assert ours.cv_results_ == pytest.approx(theirs.cv_results_, rel=1e-5, abs=1e-8)
    assert ours.coef_ == pytest.approx(theirs.coef_, rel=1e-5, abs=1e-8)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-5)


def test_leaving_one_out_keeps_its_digits_where_hardly_anything_is_penalised():
    model = drop_in.RidgeCV(alphas=[1e-9], scoring="r2", store_cv_results=True).fit(WIDE, WIDE_Y)
    for row in range(40):
        others = np.arange(40) != row
        mean, y_mean = WIDE[others].mean(axis=0), WIDE_Y[others].mean()
        shortest = np.linalg.lstsq(WIDE[others] - mean, WIDE_Y[others] - y_mean)[0]
        assert model.cv_results_[row, 0] == pytest.approx(y_mean + (WIDE[row] - mean) @ shortest, abs=1e-8)


@pytest.mark.parametrize("name", ["LassoCV", "ElasticNetCV", "LogisticRegression", "LogisticRegressionCV"])
def test_several_targets_are_refused_where_scikit_learn_refuses_them(name):
    with pytest.raises(ValueError, match=rf"{name} fits one target, but y has 3 columns"):
        getattr(drop_in, name)().fit(X, TARGETS > 100)


# -- warm starts and budgets


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("options", [{"fit_intercept": False}, {"positive": True}, {"l1_ratio": 0.9}])
def test_a_warm_start_goes_on_from_the_last_fit(options, several, container):
    target = np.column_stack([WIDE_Y, WIDE[:, 7]]) if several else WIDE_Y
    design = container(WIDE)
    cold = drop_in.ElasticNet(alpha=0.01, **options).fit(design, target, sample_weight=WEIGHTS)
    warm = drop_in.ElasticNet(alpha=0.1, warm_start=True, **options).fit(design, target, sample_weight=WEIGHTS)
    warm.set_params(alpha=0.01).fit(design, target, sample_weight=WEIGHTS)
    assert np.sum(warm.n_iter_) < np.sum(cold.n_iter_)
    assert warm.coef_ == pytest.approx(cold.coef_, abs=1e-4)
    kept, intercept = warm.coef_.copy(), warm.intercept_
    warm.fit(design, target, sample_weight=WEIGHTS)
    assert np.sum(warm.n_iter_) == 0
    assert (warm.coef_ == kept).all()
    assert warm.intercept_ == pytest.approx(intercept)
    other = warm.fit(design, -target, sample_weight=WEIGHTS)  # other data: nothing of the old answer is left
    fresh = clone(other).fit(design, -target, sample_weight=WEIGHTS)
    assert np.sum(other.n_iter_) > 0
    assert other.coef_ == pytest.approx(fresh.coef_, abs=1e-4)


@pytest.mark.parametrize("planted", [np.nan, -1e3])
def test_a_warm_start_from_a_bad_place_ends_in_the_right_one(planted):
    model = drop_in.Lasso(alpha=0.1, warm_start=True, positive=planted < 0.0)
    model.coef_ = np.full(90, planted)
    found = model.fit(WIDE, WIDE_Y).coef_
    assert (found == clone(model).fit(WIDE, WIDE_Y).coef_).all()


def test_a_bound_that_is_new_is_met_after_a_warm_start():
    model = drop_in.Lasso(alpha=0.1, warm_start=True).fit(WIDE, WIDE_Y)
    assert model.coef_.min() < 0.0
    model.set_params(positive=True).fit(WIDE, WIDE_Y)
    assert model.coef_.min() >= 0.0
    assert model.coef_ == pytest.approx(clone(model).fit(WIDE, WIDE_Y).coef_, abs=1e-6)


def excess(model, theirs):
    """How far the objective of a lasso without intercept is above that of scikit-learn's exact one."""
    values = []
    for one in (model, theirs):
        residual = WIDE_Y - WIDE @ one.coef_
        values.append(residual @ residual / 80 + model.alpha * abs(one.coef_).sum())
    return values[0] - values[1]


def test_max_iter_is_a_budget_and_the_gap_says_what_is_left():
    exact = sk.Lasso(alpha=0.01, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(WIDE, WIDE_Y)
    enough = drop_in.Lasso(alpha=0.01, fit_intercept=False).fit(WIDE, WIDE_Y)
    gaps = []
    for max_iter in (1, 8, enough.n_iter_ - 1):
        model = drop_in.Lasso(alpha=0.01, fit_intercept=False, max_iter=max_iter)
        with pytest.warns(ConvergenceWarning, match="Objective did not converge"):
            model.fit(WIDE, WIDE_Y)
        assert model.n_iter_ <= max_iter
        residual = WIDE_Y - WIDE @ model.coef_
        scaled = residual * 0.01 * 40 / max(abs(WIDE.T @ residual).max(), 0.4)
        primal = residual @ residual / 80 + 0.01 * abs(model.coef_).sum()
        dual = (WIDE_Y @ WIDE_Y - np.sum((WIDE_Y - scaled) ** 2)) / 80
        assert model.dual_gap_ == pytest.approx(primal - dual)
        assert model.dual_gap_ >= excess(model, exact)
        gaps.append(model.dual_gap_)
    assert gaps == sorted(gaps, reverse=True)
    assert drop_in.Lasso(alpha=0.01, fit_intercept=False, max_iter=enough.n_iter_).fit(WIDE, WIDE_Y).dual_gap_ < 1e-6
    assert excess(enough, exact) <= enough.dual_gap_ + 1e-9


def test_two_short_fits_are_one_long_fit():
    short = drop_in.ElasticNet(alpha=0.01, max_iter=5, warm_start=True)
    for _ in range(2):
        with pytest.warns(ConvergenceWarning):
            short.fit(WIDE, WIDE_Y)
    with pytest.warns(ConvergenceWarning):
        long = drop_in.ElasticNet(alpha=0.01, max_iter=10).fit(WIDE, WIDE_Y)
    assert short.coef_ == pytest.approx(long.coef_, abs=1e-6)
