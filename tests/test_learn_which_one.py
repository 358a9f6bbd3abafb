"""Lesson i: errors on the same folds against scikit-learn, sentences that follow them, and what was counted."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge

import normball as nb
from benchmarks import which_penalty
from normball.learn import built_in, drawn, figure, own
from normball.learn.which_one import compared, counted, record
from normball.mixes import MIXES

Array = NDArray[np.float64]


def table(n: int = 90, binary: bool = False) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(n, 8))
    y = X[:, 0] - 0.8 * X[:, 1] + 0.5 * X[:, 2] + rng.normal(size=n)
    return pl.DataFrame(X, schema=[f"x{j}" for j in range(8)]).with_columns(
        y=pl.Series(np.where(y > 0, "yes", "no") if binary else y)
    )


def on_folds(X: Array, y: Array, folds: Any, make: Callable[[int], Any], cost: Callable[..., Any]) -> Array:
    """The error of each fold by somebody else's solver, which standardises by the rows that it sees."""
    errors = []
    for fold in np.unique(folds):
        out = folds == fold
        Z = (X - X[~out].mean(axis=0)) / X[~out].std(axis=0)
        model = make(int((~out).sum())).fit(Z[~out], y[~out])
        errors.append(cost(model, Z[out], y[out]))
    return np.array(errors)


def summary(values: Array, folds: Any) -> tuple[float, float]:
    weights = np.bincount(folds) / folds.size
    mean = weights @ values
    return float(mean), float(np.sqrt(weights @ (values - mean) ** 2 / (len(values) - 1)))


def squared(model: Any, X: Array, y: Array) -> float:
    return float(np.mean((model.predict(X) - y) ** 2))


def cross_entropy(model: Any, X: Array, y: Array) -> float:
    return float(np.logaddexp(0, np.where(y > 0, -1, 1) * model.decision_function(X)).mean())


def elastic_net(lam: float, mix: float) -> Callable[[int], Any]:
    if mix == 0:
        return lambda n: Ridge(alpha=lam * n)
    return lambda _: ElasticNet(alpha=lam, l1_ratio=mix, tol=1e-9, max_iter=100_000)


def test_errors_and_paired_differences_of_numbers() -> None:
    frame = table()
    X, y = frame.drop("y").to_numpy(), frame["y"].to_numpy()
    y = (y - y.mean()) / y.std()
    told = compared(X, y, "gaussian")
    folds = np.asarray(nb.cv_path(X, y, lambdas=[1.0]).fold_ids)
    scores = {}
    for mix in told["mixes"]:
        best = int(np.argmin(mix["errors"]))
        scores[mix["l1_ratio"]] = on_folds(X, y, folds, elastic_net(mix["lambdas"][best], mix["l1_ratio"]), squared)
        assert mix["errors"][best] == pytest.approx(summary(scores[mix["l1_ratio"]], folds)[0], rel=1e-4)
    least = min(told["mixes"], key=lambda mix: min(mix["errors"]))
    for mix in told["mixes"]:
        mean, error = summary(scores[mix["l1_ratio"]] - scores[least["l1_ratio"]], folds)
        assert mix["loss"] == pytest.approx(mean, abs=2e-4)
        assert mix["loss_se"] == pytest.approx(error, rel=2e-2, abs=1e-5)
    null = [np.mean((y[folds == k] - y[folds != k].mean()) ** 2) for k in range(10)]
    assert told["null"] == pytest.approx(summary(np.array(null), folds)[0], rel=1e-6)


def test_errors_of_classes_are_mean_cross_entropies() -> None:
    frame = table(binary=True)
    X, y = frame.drop("y").to_numpy(), (frame["y"].to_numpy() == "yes").astype(float)
    [told] = own(frame, "y").by_id["i"]["tables"]
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    folds = np.asarray(nb.cv_path(Z, y, family="binomial", lambdas=[1.0]).fold_ids)
    ridge = told["mixes"][MIXES.index(0.0)]
    for at in (0, int(np.argmin(ridge["errors"]))):
        lam = ridge["lambdas"][at]
        errors = on_folds(
            X,
            y,
            folds,
            lambda n, lam=lam: LogisticRegression(C=1 / (lam * n), tol=1e-9, max_iter=10_000),
            cross_entropy,
        )
        assert ridge["errors"][at] == pytest.approx(summary(errors, folds)[0], rel=1e-4)
    assert told["null"] == pytest.approx(np.log(2), abs=0.05)
    assert told["error"] == "mean cross-entropy"


@pytest.mark.parametrize("place", [0, 1])
def test_the_sentences_follow_the_numbers(place: int) -> None:
    told = built_in().by_id["i"]["tables"][place]
    best = [min(mix["errors"]) for mix in told["mixes"]]
    names = ["lasso", "elastic net 0.5", "elastic net 0.1", "ridge"]
    first = names[int(np.argmin(best))]
    assert first == ("lasso", "ridge")[place]  # few matter, all matter
    for most in (1, 4, 20):
        shown = figure("i", values={"table": place, "most": most - 1})
        assert shown.numbers["best"] == best
        assert f"For prediction: {first} with" in shown.sentence
        for name, mix in zip(names, told["mixes"], strict=True):
            if name != first:
                unclear = mix["loss"] <= mix["loss_se"]
                said = shown.sentence.split(f"{name} by ")[1].split(",")[0]
                assert ("not clearly" in said) == unclear
        for mix, within in zip(told["mixes"], shown.numbers["within"], strict=True):
            able = [error for error, n in zip(mix["errors"], mix["n"], strict=True) if 0 < n <= most]
            assert (within["error"] if within else None) == min(able, default=None)
        least = min((one["error"] for one in shown.numbers["within"] if one), default=np.nan)
        if np.isnan(least):
            assert f"No penalty has a model with at most {most} features" in shown.sentence
        elif least >= told["null"]:
            assert "no better than without features" in shown.sentence
        elif least > min(best):
            share = 100 * (least - min(best)) / (told["null"] - min(best))
            assert f"gives up {share:.2g}" in shown.sentence.replace(".0%", "%")
        else:
            assert "the least of all." in shown.sentence


def test_nothing_found_is_said() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 8)), rng.normal(size=90)
    [shown] = drawn(own(X, y), ["i"])
    assert "no penalty does better on rows held out than the model without features" in shown.sentence
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(90, 8)), rng.normal(size=90)
    lessons = own(X, y)
    [told] = lessons.by_id["i"]["tables"]
    assert 0 < told["null_loss"] < told["null_loss_se"]
    assert "which is not clearly worse" in drawn(lessons, ["i"])[0].sentence


def test_large_and_wide_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("normball.learn.which_one.MOST_ROWS", 60)
    lessons = own(table(), "y")
    assert "60 rows (a sample of 90)" in drawn(lessons, ["i"])[0].sentence
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 200))
    [shown] = drawn(own(X, X[:, 0] + rng.normal(size=50)), ["i"], {"most": 999})
    assert "With at most 200 features" in shown.sentence


def test_a_sample_of_rare_classes_has_rows_of_both() -> None:
    rng = np.random.default_rng(0)
    y = np.zeros(9000)
    y[:6] = 1.0  # by chance one or two of them would be among 2,000 rows
    X = rng.normal(size=(9000, 3)) + y[:, None]
    lessons = own(pl.DataFrame(X, schema=["a", "b", "c"]).with_columns(y=pl.Series(np.where(y > 0, "yes", "no"))), "y")
    [told] = lessons.by_id["i"]["tables"]
    assert told["n_folds"] == 6  # all of the rare class
    assert (told["n_rows"], told["n_all"]) == (1998 + 6, 9000)


def test_what_was_counted_is_what_the_tasks_say() -> None:
    tasks = record()
    assert [task["task"] for task in tasks] == [name for name, *_ in which_penalty.tasks()]
    told = counted(tasks)
    assert told["tasks"] == told["ridge"] + told["lasso"] + told["unclear"] == len(tasks)
    assert set(told["data_sets"]) == {"diabetes", "breast_cancer", "wine", "iris", "digits", "linnerud"}
    text = " ".join(figure("i").text)
    assert f"Counted over {len(tasks)} tasks" in text
    assert f"ridge was better than the lasso in {told['ridge']}, the lasso better than ridge in {told['lasso']}" in text
    made_up = [
        {"task": "a", "best": [1, 2, 3, 4], "ridge_worse_by": by} for by in ([0.2, 0.1], [-0.2, 0.1], [0.1, 0.2])
    ]
    made_up[0]["best"] = [2, 1, 3, 4]
    assert counted(made_up) == {"tasks": 3, "data_sets": ["a"], "ridge": 1, "lasso": 1, "unclear": 1, "mix": 1}


@pytest.mark.parametrize("name", ["diabetes, 60 rows", "breast_cancer, 60 rows", "linnerud"])
def test_the_record_is_what_its_command_finds(name: str) -> None:
    [task] = [task for task in which_penalty.tasks() if task[0] == name]
    [told] = [one for one in record() if one["task"] == name]
    found = which_penalty.judged(*task)
    assert found["best"] == pytest.approx(told["best"], rel=1e-3)
    assert found["ridge_worse_by"] == pytest.approx(told["ridge_worse_by"], rel=0.05, abs=1e-3)


def test_a_task_of_the_record_by_scikit_learn() -> None:
    """Ridge against the lasso at the strengths that were picked, fold by fold."""
    [(_, X, y, _)] = [task for task in which_penalty.tasks() if task[0] == "diabetes"]
    [told] = [one for one in record() if one["task"] == "diabetes"]
    y = (y - y.mean()) / y.std()
    comparison = nb.compare(X, y, MIXES, cv=10, repeats=which_penalty.REPEATS)
    differences = []
    for repeat in range(which_penalty.REPEATS):
        folds = np.asarray(comparison[0].fold_ids)[repeat]
        by_mix = [
            on_folds(X, y, folds, elastic_net(cv.lambda_best, cv.path.l1_ratio), squared)
            for cv in (comparison[3], comparison[0])
        ]
        differences.append(by_mix[0] - by_mix[1])
    assert told["ridge_worse_by"][0] == pytest.approx(np.mean(differences), abs=1e-4)
