"""How held-out rows are scored."""

import numpy as np
import pytest
from sklearn import metrics

import normball as nb
from normball.scores import area_under_curve, find_score
from targets import three_families


@pytest.fixture(scope="module")
def table():
    return three_families()


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
    [("r2", "score is 'r2', but must be one of deviance, mse"), ("auc", 'score="auc" needs family="binomial"')],
)
def test_scores_that_do_not_exist_or_fit(table, score, message):
    X, targets, _ = table
    with pytest.raises(ValueError, match=message):
        nb.cv_path(X, targets["gaussian"], score=score)
