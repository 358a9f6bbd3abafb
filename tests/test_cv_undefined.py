"""Folds and strengths without a score: what does not count, and what is never chosen."""

import itertools

import numpy as np
import pytest
from sklearn import model_selection

import normball as nb
from normball.results.cross_validated import summarise_folds
from targets import each_family


@pytest.fixture(scope="module")
def table():
    return each_family()


def test_folds_without_a_score_do_not_count():
    scores = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    mean, error = summarise_folds(scores, np.array([1.0, 3.0, 5.0]))
    assert mean[0] == 2.5
    assert error[0] == pytest.approx(np.sqrt(0.75))
    assert np.isnan([mean[1], error[1]]).all()


def test_held_out_rows_without_weight_do_not_count(table):
    X, targets, _ = table
    ids = np.arange(90) % 3
    cv = nb.cv_path(X, targets["gaussian"], fold_ids=ids, sample_weight=(ids != 2).astype(float), n_lambdas=5)
    assert np.isnan(cv.fold_scores[2]).all()
    np.testing.assert_allclose(cv.cv_mean, cv.fold_scores[:2].mean(axis=0))


@pytest.mark.parametrize(("family", "score"), [("gaussian", "mae"), ("binomial", "auc"), ("poisson", "deviance")])
def test_a_comparison_leaves_out_the_fold_without_weight_too(table, family, score):
    X, targets, _ = table
    ids = np.arange(90) % 3
    weights = (ids != 2).astype(float)
    found = nb.compare(X, targets[family], family=family, score=score, fold_ids=ids, sample_weight=weights, n_lambdas=9)
    assert all(np.isnan(cv.fold_scores[2]).all() and np.isfinite(cv.cv_mean).all() for cv in found)
    best = [cv.cv_mean[cv.index_best] for cv in found]
    assert found.best is found[int(np.argmax(best) if score == "auc" else np.argmin(best))]
    for cv in found:
        np.testing.assert_allclose(cv.cv_mean, np.average(cv.fold_scores[:2], axis=0, weights=cv.fold_weights[:2]))


def test_a_score_undefined_in_some_folds_or_in_all():
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = np.repeat([0, 1], 20)
    ids = np.repeat([0, 1, 2], [10, 10, 20])  # the first two hold out one class only
    ids[-4:] = 1
    cv = nb.cv_path(X, y, family="binomial", score="auc", fold_ids=ids, n_lambdas=5)
    assert np.isnan(cv.fold_scores[[0, 2]]).all()
    assert "auc is undefined in 2 of 3 folds" in cv.summary()
    with pytest.raises(ValueError, match="auc is undefined for the held-out rows of every fold"):
        nb.cv_path(X, y, family="binomial", score="auc", cv=model_selection.LeaveOneOut(), n_lambdas=3)


def test_means_over_different_folds_are_not_compared(table):
    X, targets, _ = table
    y = targets["gaussian"]

    def undefined_on_easy_rows(y_true, y_pred, sample_weight):  # a mean over the other folds would look worse or better
        error = np.average((y_true - y_pred) ** 2, weights=sample_weight)
        return np.nan if np.ptp(y_pred) > 2.0 and y_true[0] > np.median(y) else error

    undefined_on_easy_rows.greater_is_better = False
    with pytest.warns(nb.messages.NormballWarning, match=r"undefined \(NaN\) in some fold"):
        cv = nb.cv_path(X, y, score=undefined_on_easy_rows, cv=5)
    partly = np.isnan(cv.fold_scores).any(axis=0)
    assert 0 < partly.sum() < partly.size
    assert not np.isnan(cv.fold_scores).all(axis=1).any()
    assert np.array_equal(np.isnan(cv.cv_mean), partly)
    assert not partly[cv.index_best]
    assert not partly[cv.index_1se]
    assert f"undefined in some fold at {partly.sum()} of {partly.size} lambdas, never chosen" in cv.summary()

    calls = itertools.count()

    def undefined_in_turn(y_true, y_pred, sample_weight):
        fold, point = divmod(next(calls), 10)
        return np.nan if (fold + point) % 2 else 1.0

    with pytest.raises(ValueError, match="undefined for some fold at every lambda"):
        nb.cv_path(X, y, score=undefined_in_turn, cv=4, n_lambdas=10)
