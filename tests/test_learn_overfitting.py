"""Lesson b: what the page solves against the engine and scikit-learn, and errors of the reader's own rows."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog
from sklearn.linear_model import LogisticRegression

import normball as nb
from normball.learn import built_in, drawn, figure, own
from normball.learn.overfitting import STRENGTHS, half

Array = NDArray[np.float64]
PENALISED = len(STRENGTHS)  # the last strength of the page is 0


def features(points: Any, curved: int) -> tuple[Array, Array]:
    x, y, labels = np.array(points, dtype=float).T
    products = [x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3]
    return np.column_stack(products if curved else products[:2]), labels


def mean_cost(sums: Array, labels: Array) -> Any:
    return np.logaddexp(0, np.where(labels > 0, -sums.T, sums.T)).mean(axis=-1)


@pytest.mark.parametrize("curved", [0, 1])
def test_what_the_page_fits_is_what_the_engine_fits(curved: int) -> None:
    data = built_in().by_id["b"]
    X, labels = features(data["points"], curved)
    held, held_labels = features(data["held_out"], curved)
    path = nb.fit_path(X, labels, family="binomial", l1_ratio=0, lambdas=STRENGTHS, tol=1e-12)
    for at in (0, 12, 24, PENALISED - 1):
        numbers = figure("b", values={"curved": curved, "at": at}).numbers
        assert numbers["violation"] < 1e-9
        assert numbers["weights"] == pytest.approx((path.coefs * path.scales)[at], rel=2e-4, abs=1e-6)
        assert numbers["fitted"][at] == pytest.approx(path.loss[at], rel=1e-5)
        assert numbers["held_out"][at] == pytest.approx(
            mean_cost(path.predict(held, lam=numbers["lam"], kind="link"), held_labels), rel=1e-4
        )
    assert np.all(np.diff(numbers["fitted"][:PENALISED]) < 0)
    assert numbers["turns"]
    assert numbers["slopes"] == pytest.approx([0.25, 0.196612, 4.5396e-5], rel=1e-4)


def parted(X: Array, labels: Array) -> bool:
    """Whether some weights put every row at least 1 on its side: a linear program."""
    signs = np.where(labels > 0, 1.0, -1.0)[:, None]
    rows = -signs * np.column_stack([np.ones(len(X)), X])
    return bool(linprog(np.zeros(rows.shape[1]), rows, -np.ones(len(X)), bounds=(None, None)).status == 0)


@pytest.mark.parametrize("curved", [0, 1])
@pytest.mark.parametrize("moved", [{}, {"x3": 2.0, "y3": 2.0}, {"class2": -1, "class7": -1}])
def test_without_a_penalty_there_are_best_weights_where_the_classes_overlap(
    curved: int, moved: dict[str, float]
) -> None:
    shown = figure("b", values={"curved": curved, "at": PENALISED, **moved})
    X, labels = features(shown.numbers["points"], curved)
    assert (shown.numbers["fitted"][-1] is None) == parted(X, labels)
    assert ("no best weights" in shown.sentence) == parted(X, labels)
    if not parted(X, labels):
        theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(X, labels)
        cost = mean_cost(theirs.decision_function(X), labels)
        assert shown.numbers["fitted"][-1] == pytest.approx(cost, rel=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_any_points_are_solved_or_without_a_best_answer(seed: int) -> None:
    """Also where a point lies exactly between the classes: then weights that grow for ever cost less and less."""
    chance = np.random.default_rng(seed)
    values: dict[str, float] = {}
    for k in range(30):
        x, y = chance.uniform(-2.5, 2.5, size=2).round(1)
        label = chance.uniform() < 0.5 if chance.uniform() < seed / 20 else x + 0.3 * y > 0
        values |= {f"x{k}": float(x), f"y{k}": float(y), f"class{k}": int(label)}
    for curved in (0, 1):
        numbers = figure("b", values={**values, "curved": curved, "at": PENALISED}).numbers
        assert numbers["violation"] <= 1e-9
        assert np.all(np.diff(numbers["fitted"][:PENALISED]) < 1e-9)
        X, labels = features(numbers["points"], curved)
        signs = np.where(labels > 0, 1.0, -1.0)[:, None]
        rows = -signs * np.column_stack([np.ones(len(X)), X / np.abs(X).max(axis=0)])
        endless = linprog(rows.sum(axis=0), rows, np.zeros(len(X)), bounds=(-1, 1)).fun < -1e-7
        assert (numbers["fitted"][-1] is None) == endless


def test_points_are_moved_added_and_taken_away() -> None:
    given = built_in().by_id["b"]["points"]
    values = {"x0": 1.23, "y0": -9, "class5": -1, "x24": 0.5, "y24": 0.5, "class24": 1, "x30": 0.1}
    points = figure("b", values=values).numbers["points"]
    assert points == [[1.2, -2.5, given[0][2]], *given[1:5], *given[6:], [0.5, 0.5, 1]]


def sorted_table(n: int = 203, noise: float = 3.0) -> pl.DataFrame:
    """Sorted by class, with a trend in the rows: every second row in turn would not be a fair half."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 15))
    labels = X[:, 0] + X[:, 1] + noise * rng.logistic(size=n) > 0
    order = np.argsort(labels, kind="stable")
    return pl.DataFrame(X[order], schema=[f"x{j}" for j in range(15)]).with_columns(
        y=pl.Series(labels[order].astype(int))
    )


def test_errors_of_own_data_are_those_of_all_rows() -> None:
    frame = sorted_table()
    X, labels = frame.drop("y").to_numpy(), frame["y"].to_numpy().astype(float)
    lessons = own(frame, "y")
    told = lessons.by_id["b"]["own"]
    held = half(labels)
    assert (told["n_fitted"], told["n_held_out"]) == ((~held).sum(), held.sum())
    assert abs(labels[held].sum() - labels[~held].sum()) <= 1
    assert not np.array_equal(held, np.arange(len(held)) % 2 == 1)
    Z = (X - X[~held].mean(axis=0)) / X[~held].std(axis=0)
    for at in (3, 18, 30):
        theirs = LogisticRegression(C=1 / (STRENGTHS[at] * (~held).sum()), tol=1e-10, max_iter=10_000)
        sums = theirs.fit(Z[~held], labels[~held]).decision_function(Z)
        assert told["fitted"][at] == pytest.approx(mean_cost(sums[~held], labels[~held]), rel=1e-5)
        assert told["held_out"][at] == pytest.approx(mean_cost(sums[held], labels[held]), rel=1e-4)
        for name, value in zip(told["names"], told["weights"][at], strict=True):
            assert value == pytest.approx(theirs.coef_[0, int(name[1:])], rel=2e-3, abs=1e-4)
        for (label, is_held), sum_ in zip(told["dots"], told["sums"][at], strict=True):
            assert np.abs(sums[(labels == label) & (held == is_held)] - sum_).min() < 0.01 * max(1, abs(sum_))
    [shown] = drawn(lessons, ["b"])
    assert "turns upwards" in shown.sentence
    assert "the 102 fitted rows" in shown.sentence
    assert "drawn (a sample)" in shown.sentence


def test_the_sentence_follows_rows_that_do_not_turn() -> None:
    [shown] = drawn(own(sorted_table(4000, 1.0), "y"), ["b"])
    assert "Here held-out rows do not turn upwards" in shown.sentence
    assert not shown.numbers["turns"]


def in_units() -> pl.DataFrame:
    """Two features in units of their own, one with far values, and more."""
    rng = np.random.default_rng(4)
    n = 400
    X = rng.normal(size=(n, 4))
    X[:5, 0] = 9.0
    labels = X[:, 0] + X[:, 1] + rng.logistic(size=n) > 1.5
    names = {"pressure": 120 + 20 * X[:, 0], "share": 0.01 * X[:, 1], "c": X[:, 2], "d": X[:, 3]}
    return pl.DataFrame({**names, "y": labels.astype(int)})


@pytest.mark.parametrize("curved", [1, 2])
def test_own_rows_are_points_that_can_be_changed(curved: int) -> None:
    frame = in_units()
    lessons = own(frame, "y", ("pressure", "share"))
    plane = lessons.by_id["b"]["plane"]
    pair = frame.select("pressure", "share").to_numpy()
    assert plane["means"] == pytest.approx(pair.mean(axis=0), rel=1e-6)
    assert plane["scales"] == pytest.approx(pair.std(axis=0), rel=1e-6)
    Z, labels = (pair - pair.mean(axis=0)) / pair.std(axis=0), frame["y"].to_numpy()
    held = half(labels.astype(float))
    known = {(*place, int(label), int(out)) for place, label, out in zip(Z.round(1), labels, held, strict=True)}
    for name, out, most in (("points", 0, 30), ("held_out", 1, 100)):
        told = np.array(plane[name])
        assert len(told) == most
        assert np.abs(told[:, :2]).max() <= 2.5
        assert told[:, 2].mean() == pytest.approx(labels.mean(), abs=0.02)
        assert {(x, y, int(label), out) for x, y, label in told} <= known
    moved = {"x0": 1.0, "y0": -1.0, "class1": -1, "x30": 0.5, "y30": 0.5, "class30": 1}
    for values in ({}, moved):
        [shown] = drawn(lessons, ["b"], {"curved": curved, "at": 20, **values})
        X, at = features(shown.numbers["points"], curved == 2)
        path = nb.fit_path(X, at, family="binomial", l1_ratio=0, lambdas=STRENGTHS, tol=1e-12)
        assert shown.numbers["fitted"][20] == pytest.approx(path.loss[20], rel=1e-5)
        held_out, their = features(plane["held_out"], curved == 2)
        sums = path.predict(held_out, lam=shown.numbers["lam"], kind="link")
        assert shown.numbers["held_out"][20] == pytest.approx(mean_cost(sums, their), rel=1e-4)
        assert "The points are a sample of the rows" in shown.sentence
    assert shown.numbers["points"][0][:2] == [1.0, -1.0]
    assert "x1: pressure" in shown.svg
    assert ">120<" in shown.svg
    [whole] = drawn(lessons, ["b"])
    assert "fitted rows" in whole.sentence
    assert "data-handle" not in whole.svg


def test_where_a_class_has_too_few_rows_in_the_frame_nothing_can_be_changed() -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(300, 2))
    y = np.arange(300) < 5
    X[:5] += 30.0
    lessons = own(pl.DataFrame(X, schema=["a", "b"]).with_columns(y=y.astype(int)), "y")
    assert lessons.by_id["b"]["plane"] is None
    [shown] = drawn(lessons, ["b"])
    assert "data-handle" not in shown.svg
