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
