"""The drop-ins with more than two classes, and of several targets together."""

import doctest

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn import linear_model as sk
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_linnerud, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from normball import drop_in
from normball.drop_in._class_models import ClassProblem, targets_of

RNG = np.random.default_rng(0)
IRIS, SPECIES = load_iris(return_X_y=True)
LABELS = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
WEIGHTS = RNG.integers(0, 4, size=150).astype(float)
WINE, KINDS = load_wine(return_X_y=True)
WINE = (WINE - WINE.mean(0)) / WINE.std(0)
DIGITS, DIGIT = load_digits(return_X_y=True)
FITNESS = load_linnerud(return_X_y=True)
TALL = RNG.normal(size=(80, 10)) + 1.0
TARGETS = TALL[:, :3] @ RNG.normal(size=(3, 4)) + RNG.normal(size=(80, 4)) + 5.0
TALL_WEIGHTS = RNG.integers(0, 4, size=80).astype(float)


@pytest.fixture
def metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_examples_run():
    assert doctest.testmod(drop_in.multi_task).failed == 0


# -- classes


def logistic_objective(model, X, codes, weights, C, l1_ratio):
    """Return the mean loss and the penalty, 1 / (C * sum of weights) being its strength."""
    eta = X @ model.coef_.T + model.intercept_
    loss = np.logaddexp.reduce(eta, axis=1) - eta[np.arange(len(codes)), codes]
    penalty = l1_ratio * abs(model.coef_).sum() + (1 - l1_ratio) / 2 * (model.coef_**2).sum()
    return weights @ loss / weights.sum() + penalty / (C * weights.sum())


@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"C": 0.05, "solver": "newton-cg"},
        {"C": 0.1, "l1_ratio": 1.0, "solver": "saga"},
        {"l1_ratio": 0.4, "solver": "saga", "fit_intercept": False},
        {"C": 2.0, "class_weight": "balanced"},
        {"class_weight": {"setosa": 0.3, "virginica": 5.0}, "fit_intercept": False},
    ],
)
def test_many_classes_reach_the_minimum_of_scikit_learn(options, weights, container):
    ours = drop_in.LogisticRegression(**options, tol=1e-9).fit(container(IRIS), LABELS, sample_weight=weights)
    theirs = sk.LogisticRegression(**options, tol=1e-8, max_iter=20_000, random_state=0)
    theirs.fit(IRIS, LABELS, sample_weight=weights)
    w = np.ones(150) if weights is None else weights.copy()
    if options.get("class_weight") == "balanced":
        w *= w.sum() / (3 * np.bincount(SPECIES, w)[SPECIES])
    elif "class_weight" in options:
        w *= np.array([0.3, 1.0, 5.0])[SPECIES]
    at = {"X": IRIS, "codes": SPECIES, "weights": w, "C": options.get("C", 1.0), "l1_ratio": options.get("l1_ratio", 0)}
    found, wanted = (logistic_objective(model, **at) for model in (ours, theirs))
    assert found <= wanted + 1e-9
    assert found - wanted >= -1e-5
    assert 0.0 <= ours.dual_gap_ <= 1.1e-9
    assert ours.predict_proba(container(IRIS)) == pytest.approx(theirs.predict_proba(IRIS), abs=1e-3)
    for attribute in ("coef_", "intercept_", "classes_", "n_iter_"):
        assert np.shape(getattr(ours, attribute)) == np.shape(getattr(theirs, attribute))


@pytest.mark.parametrize(("X", "y"), [(WINE, KINDS), (DIGITS[:300] / 16, DIGIT[:300])])
def test_other_data_of_many_classes(X, y):
    ours = drop_in.LogisticRegression(C=0.5).fit(X, y)
    theirs = sk.LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(X, y)
    assert ours.coef_ == pytest.approx(theirs.coef_, abs=1e-3)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-3)
    assert ours.coef_.sum(axis=0) == pytest.approx(0.0, abs=1e-12)
    assert ours.intercept_.sum() == pytest.approx(0.0, abs=1e-12)
    assert (ours.predict(X) == theirs.predict(X)).all()


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:Setting penalty=None")
def test_no_penalty():
    apart = WINE[:, :2], KINDS
    ours = [drop_in.LogisticRegression(**given, tol=1e-10).fit(*apart) for given in ({"C": np.inf}, {"penalty": None})]
    theirs = sk.LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(*apart)
    for model in ours:
        assert model.coef_ == pytest.approx(theirs.coef_, abs=1e-3)
        assert model.coef_.sum(axis=0) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("cls", [drop_in.LogisticRegression, drop_in.LogisticRegressionCV])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_liblinear_takes_two_classes(cls):
    for fit_intercept in (True, False):
        with pytest.raises(ValueError, match="does not support multiclass classification"):
            cls(solver="liblinear", fit_intercept=fit_intercept).fit(IRIS, SPECIES)
    assert not cls(solver="liblinear").__sklearn_tags__().classifier_tags.multi_class
    assert cls().__sklearn_tags__().classifier_tags.multi_class


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {"Cs": [0.01, 1.0, 0.1], "scoring": "neg_log_loss"},
        {"Cs": [0.1, 1.0, 0.01], "scoring": "roc_auc_ovr", "cv": 3, "class_weight": "balanced"},
        {"Cs": [1.0, 0.05], "l1_ratios": (0.5, 1.0), "solver": "saga", "scoring": "neg_brier_score", "cv": 3},
        {"Cs": [1.0, 0.05], "l1_ratios": np.array([0.0, 1.0]), "solver": "saga", "cv": 3, "refit": False},
        {"Cs": [1.0, 0.1], "l1_ratios": None, "scoring": "f1_macro", "fit_intercept": False},
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_cross_validation_of_many_classes_agrees_with_scikit_learn(options, legacy):
    options = {"l1_ratios": (0.0,), "scoring": "accuracy", "use_legacy_attributes": legacy, **options}
    weights = 0.5 + RNG.random(KINDS.size)
    ours = drop_in.LogisticRegressionCV(**options).fit(WINE, KINDS, sample_weight=weights)
    theirs = sk.LogisticRegressionCV(**options, tol=1e-6, max_iter=50_000, random_state=0)
    theirs.fit(WINE, KINDS, sample_weight=weights)
    for name in ("Cs_", "C_", "l1_ratios_", "l1_ratio_", "scores_", "coefs_paths_", "n_iter_", "coef_", "intercept_"):
        found, wanted = getattr(ours, name), getattr(theirs, name)
        assert type(found) is type(wanted), name
        if isinstance(wanted, dict):
            assert list(found) == list(wanted)
            found, wanted = np.array(list(found.values())), np.array(list(wanted.values()))
        assert np.shape(found) == np.shape(wanted), name
        if name != "n_iter_" and None not in np.ravel(wanted):
            assert found == pytest.approx(wanted, rel=1e-2, abs=2e-2), name


def test_a_class_that_a_fold_lacks_has_probability_zero_there():
    folds = [(np.r_[50:150], np.r_[0:50]), (np.r_[0:150:2], np.r_[1:150:2])]
    options = {"Cs": [0.1, 10.0], "l1_ratios": (0.0,), "use_legacy_attributes": False, "scoring": "neg_brier_score"}
    model = drop_in.LogisticRegressionCV(**options, cv=folds).fit(IRIS, LABELS)
    first = model.coefs_paths_[0, 0, 1]
    assert first[0].tolist() == [0.0] * 4 + [-np.inf]
    others = drop_in.LogisticRegression(C=10.0 * 2).fit(IRIS[50:], LABELS[50:])  # b² / 2 of one is b² / 4 of two
    assert first[2, :-1] - first[1, :-1] == pytest.approx(others.coef_[0], abs=1e-2)
    assert np.isfinite(model.scores_).all()
    assert np.isfinite(model.intercept_).all()
    with pytest.raises(ValueError, match="cannot be ruled out without an intercept"):
        drop_in.LogisticRegressionCV(**options, cv=folds, fit_intercept=False).fit(IRIS, LABELS)
    of_one = [(np.r_[0:50], np.r_[50:150])]
    with pytest.warns(UserWarning, match="training rows of fold 1 of 1 hold one class only"):
        model = drop_in.LogisticRegressionCV(**options, cv=of_one).fit(IRIS, LABELS)
    assert model.coefs_paths_[0, 0, 0, :, -1].tolist() == [0.0, -np.inf, -np.inf]
    assert (model.scores_ == -2.0).all()


def test_a_class_without_weight_is_never_predicted():
    model = drop_in.LogisticRegression(class_weight={"setosa": 0.0}).fit(IRIS, LABELS)
    assert model.predict_proba(IRIS)[:, 0].max() == 0.0
    assert set(model.predict(IRIS)) == {"versicolor", "virginica"}


# -- warm starts of classes


@pytest.mark.parametrize("y", [LABELS, LABELS == "virginica"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(("C", "l1_ratio"), [(1.0, 0.0), (100.0, 0.0), (1.0, 0.5), (10.0, 0.5), (0.1, 1.0)])
def test_the_gap_of_given_coefficients_bounds_what_they_lack(C, l1_ratio, fit_intercept, y):
    best = drop_in.LogisticRegression(C=C, l1_ratio=l1_ratio, fit_intercept=fit_intercept, tol=1e-12).fit(IRIS, y)
    codes = np.searchsorted(best.classes_, y)
    problem = ClassProblem(IRIS, targets_of(codes, best.classes_.size), WEIGHTS + 1.0, C, l1_ratio, fit_intercept)
    best.fit(IRIS, y, sample_weight=WEIGHTS + 1.0)
    assert abs(problem.gap(best.coef_, best.intercept_)[0]) <= 1e-5
    at = {"X": IRIS, "codes": codes, "weights": WEIGHTS + 1.0, "C": C, "l1_ratio": l1_ratio}
    least = logistic_objective_of(best, at)
    for size in (1e-3, 1e-1):
        moved = clone(best)
        moved.classes_, moved.coef_ = best.classes_, best.coef_ + size * RNG.normal(size=best.coef_.shape)
        moved.intercept_ = best.intercept_ + fit_intercept * size * RNG.normal(size=best.intercept_.shape)
        gap, _ = problem.gap(moved.coef_, moved.intercept_)
        assert gap >= logistic_objective_of(moved, at) - least - 1e-12
        assert gap > 0.0


def logistic_objective_of(model, at):
    """Return the objective of two classes, or of more."""
    if len(model.coef_) > 1:
        return logistic_objective(model, **at)
    both = clone(model)
    both.coef_, both.intercept_ = (np.concatenate([0 * part, part]) for part in (model.coef_, model.intercept_))
    return logistic_objective(both, **at)


@pytest.mark.parametrize("y", [LABELS, LABELS == "virginica"])
def test_a_warm_start_keeps_what_is_solved_and_nothing_else(y):
    model = drop_in.LogisticRegression(warm_start=True, fit_intercept=False).fit(IRIS, y)
    kept = model.coef_
    assert model.fit(IRIS, y).n_iter_.tolist() == [0]
    assert (model.coef_ == kept).all()
    for options in ({"C": 0.1}, {"fit_intercept": True}, {"l1_ratio": 1.0}):
        found = model.set_params(**options).fit(IRIS, y)
        fresh = drop_in.LogisticRegression(**{**found.get_params(), "warm_start": False}).fit(IRIS, y)
        assert found.n_iter_[0] > 0
        assert (found.coef_ == fresh.coef_).all()
    assert model.sparsify().fit(IRIS, y).coef_.shape == kept.shape
    assert len(model.fit(IRIS[50:], LABELS[50:]).coef_) == 1


# -- several targets together


def together_objective(model, X, Y, weights, alpha, l1_ratio):
    """Return scikit-learn's objective of MultiTask models, with weights whose mean is 1."""
    residual = Y - X @ model.coef_.T - model.intercept_
    w = np.ones(len(Y)) if weights is None else weights
    penalty = l1_ratio * np.linalg.norm(model.coef_, axis=0).sum() + (1 - l1_ratio) / 2 * (model.coef_**2).sum()
    return w @ (residual**2).sum(axis=1) / (2 * w.sum()) + alpha * penalty


@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("weights", [None, TALL_WEIGHTS])
@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 0.01},
        {"alpha": 0.5},
        {"alpha": 0.2, "fit_intercept": False},
        {"alpha": 0.2, "l1_ratio": 0.3},
        {"alpha": 0.2, "l1_ratio": 0.0},
        {"alpha": 50.0},
    ],
)
def test_several_targets_reach_the_minimum_of_scikit_learn(options, weights, container):
    name = "MultiTaskElasticNet" if "l1_ratio" in options else "MultiTaskLasso"
    ours = getattr(drop_in, name)(**options, tol=1e-10).fit(container(TALL), TARGETS, sample_weight=weights)
    theirs = getattr(sk, name)(**options, tol=1e-12, max_iter=100_000).fit(TALL, TARGETS, sample_weight=weights)
    at = TALL, TARGETS, weights, options["alpha"], options.get("l1_ratio", 1.0)
    found, wanted = (together_objective(model, *at) for model in (ours, theirs))
    assert found <= wanted + 1e-9
    assert found == pytest.approx(wanted, rel=1e-8)
    assert ours.predict(container(TALL)) == pytest.approx(theirs.predict(TALL), abs=1e-3)
    assert -1e-12 <= ours.dual_gap_ <= 1e-8
    assert ours.eps_ / theirs.eps_ == pytest.approx(100.0)  # by tol


@pytest.mark.parametrize("several", [TARGETS, TARGETS[:, :1]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["MultiTaskLasso", "MultiTaskElasticNet", "MultiTaskLassoCV", "MultiTaskElasticNetCV"])
def test_attributes_of_several_targets_are_those_of_scikit_learn(name, dtype, several):
    ours, theirs = (getattr(module, name)().fit(TALL.astype(dtype), several) for module in (drop_in, sk))
    attributes = [key for key in vars(theirs) if key.endswith("_")]
    assert {"coef_", "intercept_", "dual_gap_", "n_iter_"} < {*attributes}
    for attribute in attributes:
        assert np.shape(getattr(ours, attribute)) == np.shape(getattr(theirs, attribute)), attribute
    assert ours.coef_.dtype == theirs.coef_.dtype
    assert ours.predict(TALL).shape == theirs.predict(TALL).shape
    assert ours.get_params() == theirs.get_params()


@pytest.mark.parametrize("weights", [None, TALL_WEIGHTS + 0.5])
@pytest.mark.parametrize(
    "options",
    [
        {"alphas": 8},
        {"alphas": [0.1, 2.0, 0.5], "fit_intercept": False, "cv": KFold(4, shuffle=True, random_state=0)},
        {"alphas": 5, "l1_ratio": [0.2, 0.9], "eps": 0.01, "cv": 3},
        {"alphas": (0.5, 0.05), "l1_ratio": [0.0, 1.0]},
    ],
)
def test_cross_validation_of_several_targets_agrees_with_scikit_learn(options, weights):
    name = "MultiTaskElasticNetCV" if "l1_ratio" in options else "MultiTaskLassoCV"
    ours = getattr(drop_in, name)(**options).fit(TALL, TARGETS, sample_weight=weights)
    theirs = getattr(sk, name)(**options, tol=1e-9, max_iter=10_000).fit(TALL, TARGETS, sample_weight=weights)
    for attribute, tolerance in (("alphas_", 1e-9), ("alpha_", 1e-9), ("mse_path_", 1e-3), ("coef_", 1e-3)):
        found, wanted = getattr(ours, attribute), getattr(theirs, attribute)
        assert found == pytest.approx(wanted, rel=tolerance, abs=tolerance), attribute
    assert getattr(ours, "l1_ratio_", None) == getattr(theirs, "l1_ratio_", None)


@pytest.mark.parametrize("name", ["MultiTaskLasso", "MultiTaskElasticNet", "MultiTaskLassoCV", "MultiTaskElasticNetCV"])
def test_one_target_has_other_models(name):
    with pytest.raises(ValueError, match=f"For mono-task outputs, use {name.removeprefix('MultiTask')}:"):
        getattr(drop_in, name)().fit(TALL, TARGETS[:, 0])
    tags = getattr(drop_in, name)().__sklearn_tags__().target_tags
    assert (tags.multi_output, tags.single_output) == (True, False)


@pytest.mark.parametrize("options", [{"fit_intercept": False}, {}, {"l1_ratio": 0.9}])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_a_warm_start_of_several_targets_goes_on_from_the_last_fit(options, container):
    design = container(RNG.normal(size=(40, 90)))
    Y = design[:, [0]] @ np.ones((1, 3)) + RNG.normal(size=(40, 3))
    options = options | {"tol": 1e-10}
    cold = drop_in.MultiTaskElasticNet(alpha=0.02, **options).fit(design, Y)
    warm = drop_in.MultiTaskElasticNet(alpha=0.2, warm_start=True, **options).fit(design, Y)
    warm.set_params(alpha=0.02).fit(design, Y)
    assert warm.n_iter_ < cold.n_iter_
    assert warm.coef_ == pytest.approx(cold.coef_, abs=1e-4)
    kept, intercept = warm.coef_.copy(), warm.intercept_
    warm.fit(design, Y)
    assert (warm.n_iter_, warm.coef_.shape) == (0, (3, 90))
    assert (warm.coef_ == kept).all()
    assert warm.intercept_ == pytest.approx(intercept)
    assert warm.fit(design, -Y).n_iter_ > 0


def test_several_targets_within_max_iter():
    X, Y = FITNESS
    model = drop_in.MultiTaskLasso(alpha=0.01, max_iter=2)
    with pytest.warns(ConvergenceWarning, match="Objective did not converge"):
        model.fit(X, Y)
    assert model.n_iter_ <= 2
    best = drop_in.MultiTaskLasso(alpha=0.01).fit(X, Y)
    found, least = (together_objective(one, X, Y, None, 0.01, 1.0) for one in (model, best))
    assert model.dual_gap_ >= found - least > 0.0


def test_several_targets_in_searches_and_pipelines():
    pipeline = make_pipeline(StandardScaler(), drop_in.MultiTaskLasso()).set_output(transform="pandas")
    search = GridSearchCV(pipeline, {"multitasklasso__alpha": [3.0, 0.1]}, cv=3).fit(TALL, TARGETS)
    assert search.best_params_ == {"multitasklasso__alpha": 0.1}


def test_groups_of_rows_are_routed_for_several_targets(metadata_routing):
    groups = np.arange(80) % 4
    ours, theirs = (
        module.MultiTaskLassoCV(alphas=5, cv=GroupKFold(4)).fit(TALL, TARGETS, groups=groups)
        for module in (drop_in, sk)
    )
    assert ours.mse_path_ == pytest.approx(theirs.mse_path_, rel=1e-2)
