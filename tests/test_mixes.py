"""Several mixes on the same folds: losses recomputed from the scores of the folds, and which model to take."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import xlogy
from sklearn.metrics import roc_auc_score

import normball as nb
from normball.families import find_family
from normball.messages import Interrupted
from normball.mixes import MIXES
from normball.results import mixes
from targets import FAMILIES, each_family
from test_model_file import assert_same


@pytest.fixture(scope="module")
def table():
    return each_family()


@pytest.fixture(scope="module")
def comparison(table):
    X, targets, weights = table
    return nb.compare(X, targets["binomial"], family="binomial", cv=5, sample_weight=weights)


def by_hand(differences, weights):
    """Mean and standard error as glmnet has them, without the package."""
    mean = sum(w * d for w, d in zip(weights, differences, strict=True)) / sum(weights)
    spread = sum(w * (d - mean) ** 2 for w, d in zip(weights, differences, strict=True)) / sum(weights)
    return mean, math.sqrt(spread / (len(weights) - 1))


def everything(comparison):
    """Every model: mix, position, features kept, loss and its error, from the scores of single folds."""
    best = min(((cv, j) for cv in comparison for j in range(cv.lambdas.size)), key=lambda one: one[0].cv_mean[one[1]])
    reference = best[0].fold_scores[:, best[1]].tolist()
    for cv in comparison:
        for j in range(cv.lambdas.size):
            differences = [a - b for a, b in zip(cv.fold_scores[:, j].tolist(), reference, strict=True)]
            yield cv, j, int(np.count_nonzero(cv.path.coefs[j])), *by_hand(differences, cv.fold_weights.tolist())


def test_losses_are_paired_differences(comparison):
    for cv, j, kept, loss, error in everything(comparison):
        one = comparison.candidate(cv, j)
        assert (one.n_nonzero, one.lam, one.l1_ratio) == (kept, cv.lambdas[j], cv.path.l1_ratio)
        assert one.loss == pytest.approx(loss, abs=1e-12)
        assert one.loss_se == pytest.approx(error, abs=1e-12)
    # pairs are worth it: the error of the difference is smaller than that of either score
    far = comparison.candidate(comparison.with_mix(0.0), "best")
    assert far.loss_se < far.cv_se


def test_which_to_take(comparison):
    models = list(everything(comparison))
    assert comparison.for_prediction.cv_mean == min(cv.cv_mean.min() for cv in comparison)
    assert (comparison.for_prediction.loss, comparison.for_prediction.loss_se) == (0.0, 0.0)
    fewest = min(kept for _, _, kept, loss, error in models if loss <= error)
    assert comparison.simpler.n_nonzero == fewest < comparison.for_prediction.n_nonzero
    assert comparison.simpler.loss <= comparison.simpler.loss_se
    gain = comparison.null_mean - comparison.for_prediction.cv_mean
    assert comparison.gain == pytest.approx(gain)
    for most in (0.02, 0.1, 0.3, 1.0):
        short = comparison.short_list(most)
        fits = [(kept, loss) for _, _, kept, loss, _ in models if loss <= most * gain]
        assert (short.n_nonzero, short.loss) == (min(fits)[0], pytest.approx(min(fits)[1], abs=1e-12))
    assert comparison.short_list(1.0).n_nonzero == 0
    assert comparison.short_list().n_nonzero == comparison.short_list(0.1).n_nonzero
    with pytest.raises(ValueError, match="most_loss is 2, but must be a share from 0 to 1"):
        comparison.short_list(2)


def test_the_mix_that_is_picked(comparison):
    near = [
        (cv.path.n_nonzero[cv.index_1se], -cv.path.l1_ratio)
        for cv in comparison
        for one in [comparison.candidate(cv, "best")]
        if one.loss <= one.loss_se
    ]
    picked = comparison.picked
    assert (picked.path.n_nonzero[picked.index_1se], -picked.path.l1_ratio) == min(near)
    assert comparison.pick("best") is comparison.best
    with pytest.raises(ValueError, match=r"'0\.1' is no rule to pick a mix by"):
        comparison.pick("0.1")
    with pytest.raises(ValueError, match=r"no path with l1_ratio=0.3: those compared are 1, 0.5, 0.1, 0"):
        comparison.with_mix(0.3)


def test_a_greater_score_may_be_the_better_one(table):
    X, targets, _ = table
    y = targets["binomial"]
    found = nb.compare(X, y, (1, 0), family="binomial", cv=4, score="auc", n_lambdas=20, keep_predictions=True)
    assert found.null_mean == 0.5
    assert found.gain == pytest.approx(max(cv.cv_mean.max() for cv in found) - 0.5)
    for cv in found:
        losses = found.losses(cv)[0]
        assert (losses >= -1e-12).all()
        own = [roc_auc_score(y[cv.fold_ids == k], cv.predictions[cv.fold_ids == k, 7]) for k in range(4)]
        best = found.best
        other = [
            roc_auc_score(y[cv.fold_ids == k], best.predictions[cv.fold_ids == k, best.index_best]) for k in range(4)
        ]
        weights = np.bincount(cv.fold_ids)
        assert losses[7] == pytest.approx(np.average(np.array(other) - own, weights=weights))
    assert found.null_loss[0] == pytest.approx(found.gain)


# --- the model without features


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_null_model_is_cross_validated(table, family, fit_intercept):
    X, targets, weights = table
    y, offset = targets[family], np.linspace(-0.3, 0.3, 90)
    options = {"family": family, "cv": 3, "sample_weight": weights, "offset": offset, "fit_intercept": fit_intercept}
    cv = nb.cv_path(X, y, n_lambdas=4, **options)
    for k, score in enumerate(cv.null_fold_scores):
        train, test = cv.fold_ids != k, cv.fold_ids == k
        # a constant column is the model without features; its lambda makes no difference
        own = {"sample_weight": weights[train], "offset": offset[train], "fit_intercept": fit_intercept}
        alone = nb.fit_path(np.zeros((train.sum(), 1)), y[train], family=cv.path.family, lambdas=[1.0], **own)
        eta = alone.intercepts[0] + offset[test]
        loss = find_family(cv.path.family).loss(y[test], eta)
        assert score == pytest.approx(2 * np.average(loss, weights=weights[test]), rel=1e-6)
    assert cv.null_mean == pytest.approx(np.average(cv.null_fold_scores, weights=cv.fold_weights))
    assert (cv.null_mean, cv.null_se) == pytest.approx(by_hand(cv.null_fold_scores, cv.fold_weights))


def test_the_null_model_of_classes(table):
    X, targets, _ = table
    y = np.digitize(targets["gaussian"], [-1.0, 1.0])
    cv = nb.cv_path(X, y, family="multinomial", cv=4, n_lambdas=4)
    for k, score in enumerate(cv.null_fold_scores):
        train, test = cv.fold_ids != k, cv.fold_ids == k
        shares = np.bincount(y[train], minlength=3) / train.sum()
        seen = np.bincount(y[test], minlength=3) / test.sum()
        assert score == pytest.approx(-2 * xlogy(seen, shares).sum())


def test_data_without_a_signal():
    rng = np.random.default_rng(8)
    found = nb.compare(rng.normal(size=(40, 30)), rng.normal(size=40), cv=5, fold_ids=np.arange(40) % 5)
    assert found.short_list().n_nonzero <= found.for_prediction.n_nonzero
    if found.finds_nothing:
        assert mixes.advice(found) == ["No penalty predicts better than the model without features: nothing was found."]


# --- the mixes themselves


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e5])
def test_default_mixes_do_not_depend_on_the_unit(table, unit):
    X, targets, _ = table
    y = targets["gaussian"]
    shown = nb.compare(X, y / y.std(), (0.5, 0.1), cv=4, tol=1e-9, lambda_min_ratio=1e-3)
    found = nb.compare(X, unit * y, cv=4, tol=1e-9)
    assert found.l1_ratios[0] == 1.0
    assert found.l1_ratios[-1] == 0.0
    for mix, one in zip((0.5, 0.1), found.l1_ratios[1:3], strict=True):
        # penalty of b in units of y: L1 part mix * sd, L2 part 1 - mix
        odds = mix / (1 - mix) * unit * y.std()
        assert one == pytest.approx(odds / (1 + odds), rel=0.03)
        assert (1 - one) == pytest.approx(1 / (1 + odds), rel=0.03)
        alone, other = found.with_mix(one), shown.with_mix(mix)
        assert alone.cv_mean.min() / (unit * y.std()) ** 2 == pytest.approx(other.cv_mean.min(), rel=0.01)


def test_mixes_of_families_without_a_unit(table):
    X, targets, _ = table
    for family in ("binomial", "poisson"):
        assert nb.compare(X, targets[family], family=family, cv=3).l1_ratios == MIXES


def test_the_grid_of_ridge_goes_further(table):
    X, targets, _ = table
    found = nb.compare(X, targets["poisson"], (1, 0), family="poisson", cv=3)
    assert [cv.lambdas.size for cv in found] == [100, 50]
    assert [cv.lambdas[-1] / cv.lambdas[0] for cv in found] == [pytest.approx(1e-4), pytest.approx(1e-6)]
    same = nb.compare(X, targets["poisson"], (1, 0), family="poisson", cv=3, n_lambdas=30)
    assert [cv.lambdas.size for cv in same] == [30, 30]
    assert same[1].lambdas[-1] / same[1].lambdas[0] == pytest.approx(1e-4)


# --- files, interruption, words


def test_a_comparison_comes_back(comparison, table, tmp_path):
    X, _, _ = table
    comparison.save(tmp_path / "m.json")
    again = nb.load(tmp_path / "m.json")
    assert isinstance(again, nb.Comparison)
    assert len(again) == 4
    for left, right in zip(comparison, again, strict=True):
        assert_same(left, right)
    assert again.summary() == comparison.summary()
    np.testing.assert_array_equal(again.predict(X), comparison.picked.predict(X, lam="1se"))
    np.testing.assert_array_equal(again.predict(X, lam="best"), comparison.best.predict(X, lam="best"))
    np.testing.assert_array_equal(again.predict(X, l1_ratio=0, lam=0.5), comparison[3].predict(X, lam=0.5))


def test_files_of_before_have_no_null_model(comparison, tmp_path):
    cv = comparison[0]
    cv.save(tmp_path / "m.json")
    content = json.loads((tmp_path / "m.json").read_text())
    assert len(content["cv"].pop("null_fold_scores")) == 5
    del content["checksum"]
    (tmp_path / "m.json").write_text(json.dumps(content))
    again = nb.load(tmp_path / "m.json")
    assert again.null_fold_scores is None
    assert math.isnan(again.null_mean)
    older = nb.Comparison((again, replace(comparison[1], null_fold_scores=None)))
    assert "no features" not in older.summary()
    assert older.short_list() is not None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda paths: paths.clear(), "paths is empty"),
        (lambda paths: paths.append(paths[0]), r"paths\[4\].path.l1_ratio is 1.0, which another path has"),
        (
            lambda paths: paths[1]["path"].update(fingerprint="x"),
            r"paths\[1\].path.fingerprint is not that of the first",
        ),
        (lambda paths: paths[2]["cv"]["fold_weights"].__setitem__(0, 9.0), r"paths\[2\].cv"),
        (lambda paths: paths[3].pop("cv"), r"paths\[3\].cv is missing"),
        (lambda paths: paths[3]["cv"].update(lambda_best=1.0), r"paths\[3\].cv.lambda_best is 1.0, but by the scores"),
        (lambda paths: paths[0]["path"].update(l1_ratio=2), r"paths\[0\].path.l1_ratio is 2"),
    ],
)
def test_a_damaged_comparison(comparison, damage, message, tmp_path):
    comparison.save(tmp_path / "m.json")
    content = json.loads((tmp_path / "m.json").read_text())
    damage(content["paths"])
    (tmp_path / "m.json").write_text(json.dumps(content))
    with pytest.raises(nb.DataError, match=f"E10.*is a damaged normball model: {message}"):
        nb.load(tmp_path / "m.json")


@pytest.mark.parametrize("rounds", [0, 2])
def test_what_was_finished_is_kept(table, rounds):
    X, targets, _ = table
    done_before, finished = [0], [0]

    def progress(done, total):
        finished[0] += done < done_before[0]
        done_before[0] = done
        return finished[0] >= rounds and done >= 10

    with pytest.raises(Interrupted) as stop:
        nb.compare(X, targets["binomial"], (1, 0.5, 0.1, 0), family="binomial", cv=3, n_lambdas=40, progress=progress)
    found = stop.value.result
    assert len(found) in (rounds, rounds + 1)
    assert all(cv.lambdas.size == 40 for cv in list(found)[:rounds])
    *_, last = found
    is_cut = last.lambdas.size < 40
    rest = f", and {last.lambdas.size} lambdas of the next" if is_cut else ""
    assert str(stop.value) == f"Interrupted after {len(found) - is_cut} of 4 penalties{rest}"  # no less than is kept
    assert not math.isnan(found.null_mean)
    assert found.pick("1se") in list(found)
    assert "no features" in found.summary()


def test_words(comparison):
    told = comparison.summary()
    for text in ("lasso", "elastic net 0.5", "elastic net 0.1", "ridge", "no features", "(selected)", "the best"):
        assert text in told
    short = comparison.short_list()
    given_up = 100 * short.loss / comparison.gain
    sentence = mixes.advice(comparison)[-1]
    assert f"keeps {short.n_nonzero} feature" in sentence
    assert float(sentence.split(" +/- ")[0].rsplit(" ", 1)[1]) == pytest.approx(given_up, abs=0.6)
    alone = nb.Comparison((comparison[0],))
    assert mixes.advice(alone) == []
    nothing = replace(comparison[0], null_fold_scores=comparison[0].fold_scores.min(axis=1))
    assert nb.Comparison((nothing, comparison[1])).finds_nothing


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_where_nothing_is_found_the_simplest_mix_is_picked(family: str) -> None:
    found = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(100, 8)), rng.normal(size=100)
        target = y if family == "gaussian" else np.where(y > 0.3, "yes", "no")
        comparison = nb.compare(X, target, family=family, cv=5)
        if not comparison.finds_nothing:
            continue
        found += 1
        picked = comparison.picked
        kept = [int(cv.path.n_nonzero[cv.index_1se]) for cv in comparison]
        assert picked.path.n_nonzero[picked.index_1se] == min(kept)
        assert picked.path.l1_ratio > 0.0
    assert found >= 2
