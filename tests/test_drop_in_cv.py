"""The cross-validated drop-ins agree with scikit-learn's on every fold."""

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn import linear_model as sk
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, ShuffleSplit

from normball import drop_in

RNG = np.random.default_rng(0)
X, Y = load_diabetes(return_X_y=True)
X = X[:, [0, 2, 4, 5, 8]] * np.array([1.0, 10.0, 20.0, 30.0, 5.0]) + np.arange(5)
WIDE, WIDE_Y = RNG.normal(size=(20, 50)), RNG.normal(size=20)
WEIGHTS = RNG.integers(0, 4, size=Y.size).astype(float)
CANCER, CLASSES = load_breast_cancer(return_X_y=True)
CANCER = (CANCER[:150, :6] - CANCER[:150, :6].mean(0)) / CANCER[:150, :6].std(0)
LABELS = np.array(["benign", "malign"])[1 - CLASSES[:150]]
CLASS_WEIGHTS = RNG.integers(0, 4, size=150).astype(float)
EXACT = {name: {"max_iter": 100_000, "precompute": False} for name in ("LassoCV", "ElasticNetCV")}


@pytest.fixture
def metadata_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize(
    "options",
    [
        {"alphas": 12},
        {"alphas": 8, "eps": 0.1, "positive": True, "cv": 3, "n_jobs": 2},
        {"alphas": [0.1, 10.0, 1.0, 1.0], "fit_intercept": False, "cv": KFold(4, shuffle=True, random_state=0)},
        {"alphas": 5, "l1_ratio": [0.2, 0.9], "cv": ShuffleSplit(3, random_state=0)},
        {"alphas": (0.5, 0.05), "l1_ratio": [0.5, 1.0]},
        {"alphas": 5, "l1_ratio": 0.7},
    ],
)
def test_lasso_cv_agrees_with_scikit_learn(options, weights):
    name = "ElasticNetCV" if "l1_ratio" in options else "LassoCV"
    ours = getattr(drop_in, name)(**options).fit(X, Y, sample_weight=weights)
    theirs = getattr(sk, name)(**options, tol=1e-9, max_iter=100_000).fit(X, Y, sample_weight=weights)
    assert ours.alphas_ == pytest.approx(theirs.alphas_)
    assert ours.mse_path_.shape == theirs.mse_path_.shape
    assert ours.mse_path_ == pytest.approx(theirs.mse_path_, rel=1e-4)
    assert ours.alpha_ == pytest.approx(theirs.alpha_)
    assert ours.predict(X) == pytest.approx(theirs.predict(X), rel=1e-3)
    assert getattr(ours, "l1_ratio_", None) == getattr(theirs, "l1_ratio_", None)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize(
    "scoring", [None, "neg_mean_absolute_error", make_scorer(mean_absolute_error, greater_is_better=False)]
)
@pytest.mark.parametrize(
    ("design", "target", "weighted"), [(X, Y, False), (X, Y, True), (WIDE, WIDE_Y, False), (WIDE, WIDE_Y, True)]
)
def test_ridge_cv_leaves_one_out_as_scikit_learn(design, target, weighted, scoring, fit_intercept, container):
    weights = np.random.default_rng(1).uniform(0.1, 3.0, size=target.size) if weighted else None
    options = {"alphas": [0.3, 3.0, 30.0], "scoring": scoring, "fit_intercept": fit_intercept, "store_cv_results": True}
    ours = drop_in.RidgeCV(**options).fit(container(design), target, sample_weight=weights)
    theirs = sk.RidgeCV(**options).fit(design, target, sample_weight=weights)
    assert ours.cv_results_ == pytest.approx(theirs.cv_results_, rel=1e-4, abs=1e-6)
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-6)
    assert ours.alpha_ == theirs.alpha_
    assert ours.coef_ == pytest.approx(theirs.coef_, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize(
    "options",
    [{"cv": 4}, {"cv": LeaveOneOut(), "scoring": "neg_median_absolute_error"}, {"cv": 3, "alphas": [2.0, 0.1]}],
)
def test_ridge_cv_searches_as_scikit_learn(options):
    ours, theirs = (
        module.RidgeCV(**options).fit(X[:60], Y[:60], sample_weight=1 + WEIGHTS[:60]) for module in (drop_in, sk)
    )
    assert ours.alpha_ == theirs.alpha_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-6)
    assert ours.coef_ == pytest.approx(theirs.coef_, rel=1e-5)


def of_label(values):
    return next(iter(values.values())) if isinstance(values, dict) else values


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {"Cs": 3, "scoring": "neg_log_loss"},
        {"Cs": [0.1, 1.0, 0.01], "scoring": "roc_auc", "cv": 3, "class_weight": "balanced"},
        {"Cs": [1.0, 0.05], "l1_ratios": (0.5, 1.0), "solver": "saga", "scoring": "neg_brier_score", "cv": 3},
        {
            "Cs": [1.0, 0.05],
            "l1_ratios": np.array([0.0, 1.0]),
            "solver": "saga",
            "scoring": None,
            "cv": 3,
            "refit": False,
        },
        {"Cs": [1.0, 0.1], "scoring": "f1", "fit_intercept": False, "n_jobs": 1},
    ],
)
def test_logistic_regression_cv_agrees_with_scikit_learn(options, legacy):
    options = {"l1_ratios": (0.0,), "use_legacy_attributes": legacy, **options}
    ours = drop_in.LogisticRegressionCV(**options).fit(CANCER, LABELS, sample_weight=CLASS_WEIGHTS)
    theirs = sk.LogisticRegressionCV(**options, tol=1e-6, max_iter=100_000, random_state=0)
    theirs.fit(CANCER, LABELS, sample_weight=CLASS_WEIGHTS)
    for name in ("Cs_", "C_", "l1_ratios_", "l1_ratio_"):
        assert np.shape(getattr(ours, name)) == np.shape(getattr(theirs, name))
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name)), name
    for name, tolerance in (("scores_", 1e-3), ("coefs_paths_", 1e-2)):
        found, wanted = of_label(getattr(ours, name)), of_label(getattr(theirs, name))
        assert found.shape == wanted.shape
        assert found == pytest.approx(wanted, rel=tolerance, abs=tolerance)
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    assert ours.coef_ == pytest.approx(theirs.coef_, rel=1e-2, abs=1e-3)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-2, abs=1e-3)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("options", [{}, {"penalty": "l1", "solver": "saga"}, {"l1_ratios": None}])
def test_logistic_regression_cv_without_l1_ratios(options, legacy):
    options = {"Cs": 2, "cv": 2, "use_legacy_attributes": legacy, **options}
    ours = drop_in.LogisticRegressionCV(**options).fit(CANCER, LABELS)
    theirs = sk.LogisticRegressionCV(**options, max_iter=10_000).fit(CANCER, LABELS)
    for name in ("scores_", "coefs_paths_", "n_iter_", "C_", "l1_ratio_", "l1_ratios_"):
        assert of_label(getattr(ours, name)).__class__ is of_label(getattr(theirs, name)).__class__, name
        assert np.shape(of_label(getattr(ours, name))) == np.shape(of_label(getattr(theirs, name))), name
    assert ours.l1_ratio_ == theirs.l1_ratio_


def test_defaults_of_logistic_regression_cv_warn_as_in_1_9():
    with pytest.warns(FutureWarning) as warned:
        drop_in.LogisticRegressionCV(Cs=2).fit(CANCER, LABELS)
    texts = " ".join(str(warning.message) for warning in warned)
    assert all(word in texts for word in ("l1_ratios", "scoring", "use_legacy_attributes"))


@pytest.mark.parametrize("name", ["LassoCV", "ElasticNetCV", "RidgeCV", "LogisticRegressionCV"])
def test_groups_are_routed_to_the_splitter(name, metadata_routing):
    groups = np.arange(150) % 3
    options = {
        "cv": GroupKFold(3),
        **(
            {"alphas": [0.1]}
            if "Logistic" not in name
            else {"Cs": [1.0], "l1_ratios": (0,), "scoring": "accuracy", "use_legacy_attributes": False}
        ),
    }
    target = LABELS if "Logistic" in name else Y[:150]
    ours = getattr(drop_in, name)(**options).fit(CANCER, target, groups=groups)
    theirs = getattr(sk, name)(**options).set_params(**EXACT.get(name, {})).fit(CANCER, target, groups=groups)
    assert ours.predict(CANCER).shape == theirs.predict(CANCER).shape
    for scores in ("mse_path_", "best_score_", "scores_"):
        assert getattr(ours, scores, 0) == pytest.approx(getattr(theirs, scores, 0), rel=1e-3)


def test_groups_without_routing_are_an_error():
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        drop_in.LassoCV().fit(X, Y, groups=np.arange(Y.size) % 5)


# -- folds without a score


def folds_of(held_out):
    """Folds that hold out these rows."""
    return [(np.setdiff1d(np.arange(150), rows), rows) for rows in held_out]


ROWS = np.arange(150)
BY_FOLD = [ROWS[:50], ROWS[50:100], ROWS[100:]]
OF_ONE_CLASS = [np.flatnonzero(CLASSES[:150] == 1)[:20], ROWS[50:100:2], ROWS[51:100:2]]
WITHOUT_WEIGHT = (ROWS >= 50).astype(float)
BINARY = {"use_legacy_attributes": False, "l1_ratios": (0.5, 1.0), "Cs": [1e-4, 0.1, 1.0]}


@pytest.mark.parametrize(
    ("name", "options", "held_out", "weights"),
    [
        ("LassoCV", {}, BY_FOLD, WITHOUT_WEIGHT),
        ("LassoCV", {"alphas": [3.0, 0.1, 30.0]}, BY_FOLD, WITHOUT_WEIGHT),
        ("ElasticNetCV", {"l1_ratio": [0.2, 0.9]}, BY_FOLD, WITHOUT_WEIGHT),
        ("RidgeCV", {"alphas": [1e6, 1.0], "scoring": "r2"}, [ROWS[:1], *BY_FOLD[1:]], None),
        ("LogisticRegressionCV", {**BINARY, "scoring": "roc_auc"}, OF_ONE_CLASS, None),
        ("LogisticRegressionCV", {**BINARY, "scoring": "roc_auc", "refit": False}, OF_ONE_CLASS, None),
        ("LogisticRegressionCV", {**BINARY, "scoring": "neg_log_loss"}, BY_FOLD, WITHOUT_WEIGHT),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore:One or more of the test")
def test_a_fold_without_a_score_is_left_out_and_that_is_said(name, options, held_out, weights):
    target = LABELS if "Logistic" in name else Y[:150]
    model = getattr(drop_in, name)(**options, cv=folds_of(held_out))
    with pytest.warns(UserWarning, match=f"{name} leaves fold 1 of 3 out of its mean"):
        model.fit(CANCER, target, sample_weight=weights)
    wanted = getattr(drop_in, name)(**options, cv=folds_of(held_out)[1:]).fit(CANCER, target, sample_weight=weights)
    for attribute in ("alpha_", "l1_ratio_", "C_", "coef_"):
        found, right = getattr(model, attribute, 0.0), getattr(wanted, attribute, 0.0)
        assert found == pytest.approx(right, rel=1e-6, abs=1e-9), attribute
    assert np.any(model.coef_ != 0.0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore:One or more of the test")
def test_no_choice_without_any_score():
    one_class = folds_of(OF_ONE_CLASS[:1])
    with pytest.raises(ValueError, match="LogisticRegressionCV has no choice to make"):
        drop_in.LogisticRegressionCV(**BINARY, scoring="roc_auc", cv=one_class).fit(CANCER, LABELS)
    with pytest.raises(ValueError, match="RidgeCV has no choice to make"):
        drop_in.RidgeCV(cv=LeaveOneOut(), scoring="r2").fit(X[:10], Y[:10])
    with pytest.raises(ValueError, match="undefined for the held-out rows of every fold"):
        drop_in.LassoCV(cv=folds_of(BY_FOLD[:1])).fit(CANCER, Y[:150], sample_weight=WITHOUT_WEIGHT)


@pytest.mark.parametrize("rare", ["benign", "malign"])
@pytest.mark.parametrize("without", [{"refit": False}, {"fit_intercept": False}, {"solver": "liblinear"}])
def test_a_fold_trained_on_one_class_is_sure_of_it(rare, without):
    folds = folds_of([ROWS[:50], np.flatnonzero(rare == LABELS)])  # the second one trains on the other class
    model = drop_in.LogisticRegressionCV(**BINARY, scoring="neg_brier_score", cv=folds)
    with pytest.warns(UserWarning, match="training rows of fold 2 of 2 hold one class only.*StratifiedKFold"):
        model.fit(CANCER, LABELS)
    assert (model.scores_[1] == -1.0).all()
    assert (model.coefs_paths_[1, ..., -1] == (-np.inf if rare == "malign" else np.inf)).all()
    assert np.isfinite(model.intercept_).all()
    with pytest.raises(ValueError, match="training rows of fold 2 of 2 hold one class only"):
        model.set_params(**without).fit(CANCER, LABELS)


@pytest.mark.parametrize("name", ["LassoCV", "ElasticNetCV"])
def test_a_grid_of_one_strength_and_a_target_without_spread(name):
    ours, theirs = (getattr(module, name)(alphas=3, eps=1.0).fit(X, Y) for module in (drop_in, sk))
    assert ours.alphas_ == pytest.approx(theirs.alphas_)
    assert ours.mse_path_.shape == theirs.mse_path_.shape
    assert ours.coef_ == pytest.approx(0.0, abs=1e-6)
    flat = getattr(drop_in, name)(alphas=3).fit(X, np.full(Y.size, 5.0))
    assert flat.alphas_.tolist() == [np.finfo(float).resolution] * 3
    assert (flat.predict(X) == 5.0).all()
