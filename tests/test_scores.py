"""How held-out rows are scored."""

import re
import warnings

import numpy as np
import pytest
from sklearn import metrics

import normball as nb
from normball.cli import main
from normball.scores import SCORES, Score, area_under_curve
from normball.scoring import find_score
from targets import each_family


@pytest.fixture(scope="module")
def table():
    return each_family()


@pytest.mark.parametrize(
    ("name", "family", "reference"),
    [
        ("deviance", "gaussian", metrics.mean_squared_error),
        ("deviance", "poisson", metrics.mean_poisson_deviance),
        ("deviance", "binomial", lambda y, mu, sample_weight: 2 * metrics.log_loss(y, mu, sample_weight=sample_weight)),
        ("mse", "poisson", metrics.mean_squared_error),
        ("mae", "poisson", metrics.mean_absolute_error),
        ("auc", "binomial", metrics.roc_auc_score),
        ("brier", "binomial", metrics.brier_score_loss),
        (
            "accuracy",
            "binomial",
            lambda y, mu, sample_weight: metrics.accuracy_score(y, mu > 0.5, sample_weight=sample_weight),
        ),
    ],
)
def test_scores_agree_with_scikit_learn(table, name, family, reference):
    X, targets, weights = table
    eta = np.round(X[:, :3], 1)  # with ties
    y = targets[family]
    scores = find_score(name, family)(y, eta, weights, family)
    mu = {"gaussian": eta, "binomial": 1 / (1 + np.exp(-eta)), "poisson": np.exp(eta)}[family]
    for column in range(3):
        assert scores[column] == pytest.approx(reference(y, mu[:, column], sample_weight=weights), rel=1e-12)


def test_deviance_is_exact_where_the_sigmoid_is_flat():
    deviance = find_score("deviance", "binomial")
    extreme = np.array([[800.0, -800.0, 40.0]])
    np.testing.assert_allclose(
        deviance(np.ones(1), extreme, np.ones(1), "binomial")[:2], [0.0, 1600.0], rtol=1e-12, atol=0
    )
    assert deviance(np.ones(1), extreme, np.ones(1), "binomial")[2] == pytest.approx(2 * np.exp(-40.0), rel=1e-12)
    half = deviance(np.array([0.5]), np.zeros((1, 1)), np.ones(1), "binomial")
    assert half[0] == pytest.approx(0.0, abs=1e-15)


def test_the_area_is_undefined_without_both_classes():
    assert np.isnan(area_under_curve(np.ones(3), np.zeros((3, 2)), np.ones(3))).all()


def test_a_callable_gets_the_response(table):
    X, targets, weights = table

    def rmse(y_true, y_pred, sample_weight):
        return metrics.root_mean_squared_error(y_true, y_pred, sample_weight=sample_weight)

    rmse.greater_is_better = False
    options = {"family": "poisson", "n_lambdas": 8, "cv": 3, "sample_weight": weights}
    own = nb.cv_path(X, targets["poisson"], score=rmse, **options)
    mse = nb.cv_path(X, targets["poisson"], score="mse", **options)
    assert own.score == "rmse"
    assert not own.greater_is_better
    np.testing.assert_allclose(own.fold_scores**2, mse.fold_scores)
    np.testing.assert_allclose(own.train_mean**2, mse.train_mean)
    assert find_score(lambda *_: 0.0, "gaussian").greater_is_better


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("r2_", '"r2_" is no score: use deviance, mse.*Did you mean "r2"'),
        ("auc", 'score="auc" is about classes, and'),
    ],
)
def test_scores_that_do_not_exist_or_fit(table, score, message):
    X, targets, _ = table
    with pytest.raises(ValueError, match=message):
        nb.cv_path(X, targets["gaussian"], score=score)


# -- scorers and metrics of scikit-learn


@pytest.fixture(scope="module")
def labelled():
    """Features, a target of words, weights (some of them zero) and the folds."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(150, 4))
    y = np.where(X[:, 0] - X[:, 1] + rng.logistic(size=150) > 0, "sick", "healthy")
    return X, y, rng.integers(0, 3, 150).astype(float), np.arange(150) % 4


OPTIONS = {"family": "binomial", "n_lambdas": 6, "lambda_min_ratio": 0.05, "tol": 1e-10}


def by_hand(labelled, name):
    """What scikit-learn's own estimator interface gives for the fits of the folds."""
    X, y, weights, ids = labelled
    lambdas = nb.fit_path(X, y, sample_weight=weights, **OPTIONS).lambdas
    scorer = metrics.get_scorer(name) if isinstance(name, str) else name
    scores = np.zeros((4, 6))
    for fold in range(4):
        train, test = ids != fold, ids == fold
        for k, lam in enumerate(lambdas):
            model = nb.GLMClassifier(lam=lam, tol=1e-10).fit(X[train], y[train], sample_weight=weights[train])
            scores[fold, k] = scorer(model, X[test], y[test], sample_weight=weights[test])
    return scores


SICK_BRIER = metrics.make_scorer(
    metrics.brier_score_loss, pos_label="sick", response_method="predict_proba", greater_is_better=False
)
SICK_F1 = metrics.make_scorer(metrics.f1_score, pos_label="sick", zero_division=0)


@pytest.mark.parametrize(
    ("score", "scorer", "sign"),
    [
        ("roc_auc", "roc_auc", 1),
        ("neg_log_loss", "neg_log_loss", 1),
        ("balanced_accuracy", "balanced_accuracy", 1),
        (SICK_F1, SICK_F1, 1),
        ("f1", SICK_F1, 1),  # its default, label 1, is no class here; the class that is modelled is the positive one
        (metrics.make_scorer(metrics.roc_auc_score, response_method="predict_proba"), "roc_auc", 1),
        (metrics.roc_auc_score, "roc_auc", 1),
        (
            metrics.average_precision_score,
            metrics.make_scorer(metrics.average_precision_score, response_method="decision_function", pos_label="sick"),
            1,
        ),
        (metrics.accuracy_score, "accuracy", 1),
        (metrics.log_loss, "neg_log_loss", -1),
        (metrics.brier_score_loss, SICK_BRIER, -1),
        (metrics.zero_one_loss, metrics.make_scorer(metrics.zero_one_loss, greater_is_better=False), -1),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_scorers_and_metrics_of_scikit_learn(labelled, score, scorer, sign):
    X, y, weights, ids = labelled
    cv = nb.cv_path(X, y, sample_weight=weights, fold_ids=ids, score=score, **OPTIONS)
    assert cv.greater_is_better == (sign > 0)
    np.testing.assert_allclose(sign * cv.fold_scores, by_hand(labelled, scorer), atol=1e-6)
    means = sign * cv.cv_mean
    assert means[cv.index_best] == means.max()


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_scorers_of_numbers(table, family):
    X, targets, weights = table
    options = {"family": family, "n_lambdas": 8, "cv": 3, "sample_weight": weights}
    mse = nb.cv_path(X, targets[family], score="mse", **options)
    for score in ("neg_mean_squared_error", metrics.make_scorer(metrics.mean_squared_error, greater_is_better=False)):
        other = nb.cv_path(X, targets[family], score=score, **options)
        assert other.greater_is_better
        np.testing.assert_allclose(-other.fold_scores, mse.fold_scores)
        assert other.lambda_1se == mse.lambda_1se
    bare = nb.cv_path(X, targets[family], score=metrics.mean_squared_error, **options)
    assert not bare.greater_is_better
    np.testing.assert_allclose(bare.fold_scores, mse.fold_scores)
    with pytest.raises(ValueError, match='score="roc_auc" is about classes, and'):
        nb.cv_path(X, targets[family], score="roc_auc", **options)


def test_every_interface_takes_them(labelled):
    X, y, _, _ = labelled
    cv = nb.cv_path(X, y, family="binomial", score="roc_auc", cv=3)
    assert nb.GLMClassifierCV(scoring="roc_auc", cv=3).fit(X, y).cv_mean_ == pytest.approx(cv.cv_mean)
    assert nb.GLMClassifierCV(scoring=metrics.roc_auc_score, cv=3).fit(X, y).cv_mean_ == pytest.approx(cv.cv_mean)
    both = nb.compare(X, y, [0.5, 1.0], family="binomial", score=metrics.log_loss, cv=3)
    assert both.best.cv_mean.min() == min(one.cv_mean.min() for one in both)


def test_functions_of_ones_own(labelled):
    X, y, weights, ids = labelled
    given = {"sample_weight": weights, "fold_ids": ids, **OPTIONS}
    brier = nb.cv_path(X, y, score="brier", **given)

    def third(truth, predicted, w):
        return np.average((truth - predicted) ** 2, weights=w)

    def by_name(truth, predicted, *, sample_weight):
        return third(truth, predicted, sample_weight)

    def squared_error(truth, predicted, sample_weight=None):
        return third(truth, predicted, sample_weight)

    def scorer(estimator, X, y, sample_weight):
        return -third((y == "sick").astype(float), estimator.predict_proba(X)[:, 1], sample_weight)

    for score, sign in ((third, 1), (by_name, 1), (squared_error, 1), (scorer, -1)):
        cv = nb.cv_path(X, y, score=score, **given)
        np.testing.assert_allclose(sign * cv.fold_scores, brier.fold_scores, rtol=1e-12)
        assert cv.greater_is_better == (score is not squared_error)
    with pytest.warns(nb.NormballWarning, match="score max_error takes no sample_weight"):
        nb.cv_path(X, y, score=metrics.max_error, **given)


def test_a_function_is_called_whatever_it_is_called(table):
    X, targets, _ = table

    def mse(truth, predicted, sample_weight):
        return 7.0

    assert (nb.cv_path(X, targets["gaussian"], score=mse, n_lambdas=4, cv=3).cv_mean == 7.0).all()


def test_a_score_that_is_not_a_number_is_never_chosen(table):
    X, targets, _ = table

    def sometimes(truth, predicted, sample_weight):
        return np.nan if np.ptp(predicted) > 0.5 else np.ptp(predicted)

    with pytest.warns(
        nb.NormballWarning, match=r"score sometimes is undefined \(NaN\) in some fold at \d+ of 20 lambdas"
    ):
        cv = nb.cv_path(X, targets["gaussian"], score=sometimes, n_lambdas=20, cv=4)
    assert np.isfinite(cv.fold_scores[:, cv.index_best]).all()
    assert np.isnan(cv.cv_mean[np.isnan(cv.fold_scores).any(axis=0)]).all()
    infinite = lambda truth, predicted, sample_weight: np.inf if np.ptp(predicted) > 0.5 else 1.0  # noqa: E731
    with pytest.warns(nb.NormballWarning, match="undefined"):
        cv = nb.cv_path(X, targets["gaussian"], score=infinite, n_lambdas=20, cv=4)
    assert cv.cv_mean[cv.index_best] == 1.0


def test_a_scorer_that_does_not_suit_says_so(labelled):
    X, y, _, _ = labelled
    share = np.where(y == "sick", 0.8, 0.3) + 0.1 * np.sin(X[:, 2])
    given = {"family": "binomial", "cv": 3, "n_lambdas": 4}
    for target, score in ((y, "neg_mean_squared_error"), (y, metrics.confusion_matrix), (share, "roc_auc")):
        with pytest.raises(
            ValueError, match=r"score .* cannot judge the predictions of binomial models.*[Uu]se one of"
        ):
            nb.cv_path(X, target, score=score, **given)
    with pytest.raises(ValueError, match=r"cannot judge the predictions of gaussian models.*Use deviance, mse or mae"):
        nb.cv_path(X, share, score="f1_macro", cv=3, n_lambdas=4)
    shares = nb.cv_path(X, share, score="neg_mean_squared_error", **given)
    np.testing.assert_allclose(-shares.cv_mean, nb.cv_path(X, share, score="mse", **given).cv_mean)


@pytest.mark.parametrize(("family", "n_classes"), [("binomial", 1), ("multinomial", 3)])
def test_scores_of_shares_are_named_where_a_scorer_wants_labels(labelled, family, n_classes):
    X = labelled[0]
    shares = np.random.default_rng(0).dirichlet(np.ones(3), size=len(X))[:, :n_classes].squeeze()
    given = {"family": family, "cv": 3, "n_lambdas": 3}
    with pytest.raises(ValueError, match=r"f1_macro cannot judge.*holds shares of classes, which (.*) judge") as error:
        nb.cv_path(X, shares, score="f1_macro", **given)
    named = re.search("which (.*) judge", str(error.value))[1].split(", ")
    assert named == ["deviance", "mse", "mae", "auc", "accuracy", "brier"]
    for score in named:
        assert np.isfinite(nb.cv_path(X, shares, score=score, **given).cv_mean).all()


@pytest.mark.parametrize("score", [["auc"], {"a": "auc"}, 3, np.array(["auc", "mse"])])
def test_one_score_is_wanted(labelled, score):
    X, y, _, _ = labelled
    with pytest.raises(TypeError, match="must be the name of one score"):
        nb.cv_path(X, y, family="binomial", score=score)


def test_command_line(folder, capsys):
    words = (
        "fit",
        "--no-compare",
        "t.csv",
        "--target",
        "y",
        "--drop",
        "t,w",
        "--cv",
        "3",
        "--n-lambdas",
        "10",
        "-o",
        "m",
    )
    assert main([*words, "--score", "roc_auc", "--json"]) == 0
    assert nb.load("m/model.json").score == "roc_auc"
    capsys.readouterr()
    assert main([*words, "--score", "roc_au"]) == 2
    assert 'normball fit: "roc_au" is no score' in capsys.readouterr().err


def test_a_warning_about_the_score_is_a_line_at_the_command_line(folder, capsys, monkeypatch):
    flat = Score("mae", False, lambda y, eta, weights, family: np.where(np.ptp(eta, axis=0) == 0.0, np.nan, 1.0))
    monkeypatch.setitem(SCORES, "mae", flat)
    words = (
        "fit",
        "--no-compare",
        "t.csv",
        "--target",
        "y",
        "--drop",
        "t,w",
        "--cv",
        "3",
        "--n-lambdas",
        "10",
        "-o",
        "m",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main([*words, "--score", "mae"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "undefined" in line]
    assert [line.startswith("Warning: The score mae is undefined (NaN)") for line in lines] == [True]
