"""What a page says about errors on held-out rows: every number against scikit-learn or its definition."""

import math

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm
from sklearn import metrics

import normball as nb
from payloads import described, made

OPTIONS = {"cv": 5, "n_lambdas": 20, "keep_predictions": True}


@pytest.fixture(scope="module")
def classes():
    X, y = made("binomial", n=300)
    weights = np.where(np.arange(300) % 10 == 0, 0.0, 1.5)
    cv = nb.cv_path(X, y, family="binomial", sample_weight=weights, **OPTIONS)
    told = described(cv, X, y, sample_weight=weights)
    return cv, y, weights > 0, told["evidence"]


def test_cutoffs_part_the_rows_as_the_confusion_matrix_does(classes):
    cv, y, used, told = classes
    stored = told["decisions"]
    assert {0.5, 0.01, 0.999} <= set(stored["cutoffs"])
    assert stored["cutoffs"] == sorted(stored["cutoffs"])
    for index in (0, cv.index_1se, 19):
        probability = 1 / (1 + np.exp(-cv.predictions[used, index]))
        positive, negative = (np.array(stored[name][index]) for name in ("positive", "negative"))
        for cutoff in (0.005, 0.3, 0.5, 0.77):
            place = stored["cutoffs"].index(cutoff)
            expected = metrics.confusion_matrix(y[used], probability > cutoff)
            missed, passed = positive[: place + 1].sum(), negative[: place + 1].sum()
            assert [[passed, negative.sum() - passed], [missed, positive.sum() - missed]] == expected.tolist()
        assert stored["auc"][index] == pytest.approx(metrics.roc_auc_score(y[used], probability), abs=1e-4)
        precision = metrics.average_precision_score(y[used], probability)
        assert stored["average_precision"][index] == pytest.approx(precision, abs=1e-4)


def test_shares_of_classes_have_no_cutoff():
    X, _ = made("binomial")
    share = 1 / (1 + np.exp(-X[:, 0]))
    cv = nb.cv_path(X, share, family="binomial", **OPTIONS)
    assert described(cv, X, share)["evidence"]["decisions"] is None


@pytest.mark.parametrize("family", ["gaussian", "poisson", "huber(1.345)"])
def test_observed_values_of_rows_with_like_predictions(family):
    X, y = made(family, n=200)
    cv = nb.cv_path(X, y, family=family, **OPTIONS)
    stored = described(cv, X, y)["evidence"]["observed"]
    assert stored["at"] == list(range(20))
    index = cv.index_best
    mean = cv.predictions[:, index] if family != "poisson" else np.exp(cv.predictions[:, index])
    assert stored["rmse"][index] == pytest.approx(metrics.root_mean_squared_error(y, mean), rel=1e-3)
    assert stored["mae"][index] == pytest.approx(metrics.mean_absolute_error(y, mean), rel=1e-3)
    order = np.argsort(mean)
    assert stored["counts"][index] == [20] * 10
    for k, rows in enumerate(order.reshape(10, 20)):
        assert stored["predicted"][index][k] == pytest.approx(mean[rows].mean(), rel=1e-3)
        least = [np.sort(y[rows])[math.ceil(share * 20) - 1] for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
        assert stored["quantiles"][index][k] == pytest.approx(least, rel=1e-3, abs=1e-3)
        if family == "poisson":
            assert stored["zero_shares"][index][k] == pytest.approx(np.mean(y[rows] == 0))
    assert (stored["zero_shares"][index] is None) == (family != "poisson")


def test_groups_of_rows_by_the_columns_of_the_table():
    rng = np.random.default_rng(0)
    n = 600
    age = rng.uniform(20, 60, n).round(1)
    colour = rng.choice(["red", "white", "blue"], n)
    few = rng.integers(0, 2, n)
    noise = np.where(colour == "blue", 3.0, 0.5) * rng.normal(size=n)
    table = pl.DataFrame({"age": age, "colour": colour, "few": few, "y": 0.1 * age + few + noise})
    cv = nb.cv_path(table, "y", **OPTIONS)
    stored = described(cv, table, "y")["evidence"]["row_groups"]
    place = stored["at"].index(cv.index_best)
    left = table["y"].to_numpy() - cv.predictions[:, cv.index_best]
    assert stored["overall"][place] == pytest.approx(np.abs(left).mean(), rel=1e-3)
    worst = stored["told"][place][0]
    rows = colour == "blue"
    assert (worst["name"], worst["n_rows"]) == ("colour: blue", rows.sum())
    error = np.abs(left[rows])
    assert worst["error"] == pytest.approx(error.mean(), rel=1e-3)
    excess = (error.mean() - np.abs(left).mean()) / (np.abs(left).std() / np.sqrt(rows.sum()))
    assert worst["excess"] == pytest.approx(excess, rel=2e-3)
    assert worst["bias"] == pytest.approx(left[rows].mean(), rel=2e-3, abs=1e-4)
    assert worst["bias_se"] == pytest.approx(left[rows].std() / np.sqrt(rows.sum()), rel=1e-3)
    assert stored["n_groups"] == 4 + 3 + 2
    assert stored["by_chance"] == pytest.approx(norm.ppf(1 - 0.05 / 9), abs=1e-3)
    names = {one["name"] for one in stored["told"][place]}
    assert names >= {"few: 0", "few: 1", "colour: red"}
    quarters = sorted(name for name in names if name.startswith("age"))
    assert len(quarters) == 4
    assert quarters[0].startswith("age above ")
    for one in stored["told"][place]:
        assert one["n_rows"] >= 20


def test_a_group_that_is_always_wrong_is_told_first():
    rng = np.random.default_rng(3)
    x = np.where(np.arange(400) // 10 % 2, 1.0, -1.0) * rng.uniform(1.0, 2.0, 400)
    shop = np.where(np.arange(400) % 10 == 0, "odd", np.where(np.arange(400) % 2, "north", "south"))
    y = np.where((x > 0) != (shop == "odd"), "yes", "no")  # of "odd" the rule is the other one
    table = pl.DataFrame({"x": x, "shop": shop})
    cv = nb.cv_path(table, y, family="binomial", **OPTIONS)
    stored = described(cv, table, y)["evidence"]["row_groups"]
    place = stored["at"].index(cv.index_best)
    wrong = (cv.predictions[:, cv.index_best] > 0) != (y == "yes")
    odd = shop == "odd"
    assert wrong[odd].all()
    worst = stored["told"][place][0]
    assert (worst["name"], worst["error"]) == ("shop: odd", 1.0)
    assert worst["excess"] == pytest.approx((1 - wrong.mean()) / (wrong.std() / np.sqrt(odd.sum())), rel=1e-3)
    assert worst["excess"] > stored["by_chance"]


def test_rows_that_lack_a_number_are_a_group():
    X, y = made("binomial", n=300)
    table = pl.DataFrame(X, schema=[f"x{j}" for j in range(6)])
    table = table.with_columns(pl.when(pl.int_range(300) < 60).then(None).otherwise(pl.col("x0")).alias("x0"))
    cv = nb.cv_path(table, y, family="binomial", missing="impute", **OPTIONS)
    stored = described(cv, table, y)["evidence"]["row_groups"]
    told = {one["name"]: one for groups in stored["told"] for one in groups}
    assert told["x0: (missing)"]["n_rows"] == 60
    place = stored["at"].index(cv.index_best)
    wrong = ((cv.predictions[:, cv.index_best] > 0) != y).mean()
    assert stored["overall"][place] == pytest.approx(wrong, rel=1e-3)


def test_no_group_is_so_small_that_it_tells_of_a_row():
    X, y = made("gaussian", n=60)
    cv = nb.cv_path(X, y, **OPTIONS)
    stored = described(cv, X, y)["evidence"]["row_groups"]
    assert {one["n_rows"] for groups in stored["told"] for one in groups} == set()
    assert all(value is not None for value in stored["overall"])


def test_several_classes_have_groups_of_rows_too():
    X, _ = made("gaussian", n=300)
    rng = np.random.default_rng(1)
    labels = np.array(["a", "b", "c"])[np.argmax(X[:, :3] + rng.gumbel(size=(300, 3)), axis=1)]
    cv = nb.cv_path(X, labels, family="multinomial", **OPTIONS)
    stored = described(cv, X, labels)["evidence"]["row_groups"]
    place = stored["at"].index(cv.index_best)
    chosen = np.array(["a", "b", "c"])[cv.predictions[:, cv.index_best].argmax(axis=1)]
    assert stored["overall"][place] == pytest.approx((chosen != labels).mean(), rel=1e-3)


def test_without_held_out_rows_nothing_is_said_of_them():
    X, y = made("binomial")
    told = described(nb.cv_path(X, y, family="binomial", cv=5, n_lambdas=10), X, y)["evidence"]
    assert (told["decisions"], told["observed"], told["row_groups"]) == (None, None, None)


def test_groups_whose_rows_no_fold_holds_out_are_left_out():
    X, y = made("gaussian", n=200)
    table = pl.DataFrame(X, schema=[f"x{j}" for j in range(6)]).with_columns(
        month=pl.Series(["Jan"] * 40 + ["Feb"] * 80 + ["Mar"] * 80), y=pl.Series(y)
    )
    cv = nb.cv_path(table, "y", time_order=np.arange(200), **OPTIONS)  # the first block is trained on alone
    assert np.isnan(cv.predictions[:33]).all()
    stored = described(cv, table, "y")["evidence"]["row_groups"]
    names = {one["name"] for groups in stored["told"] for one in groups}
    assert "month = Jan" not in names
    assert len(names) > 5
