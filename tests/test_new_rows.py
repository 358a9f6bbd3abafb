"""Predictions and scores of rows that are read in parts: those of the same rows in memory, and the same errors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.blocks.ranks import Ranks
from normball.results import judged_in_parts
from normball.scores import area_under_curve

N = 600
ROLES = ("y", "y2", "n", "k", "m", "g", "e", "w")


def table(seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 3))
    rate = np.exp(0.3 * X[:, 0])
    exposure = rng.integers(1, 9, N) / 2
    y = X[:, 0] + rng.normal(size=N)
    return pl.DataFrame(
        {
            **{f"x{j}": X[:, j] for j in range(3)},
            "c": rng.choice(["a", "b", "c"], N),
            "code": rng.integers(0, 3, N),
            "flag": rng.random(N) < 0.5,
            "y": y,
            "y2": 2 * y + rng.normal(size=N),
            "n": rng.poisson(rate * exposure),
            "k": np.where(X[:, 1] + rng.normal(size=N) > 0, "yes", "no"),
            "m": rng.choice([3, 7, 8], N),
            "g": rng.choice(["p", "q", "r", "s", "t"], N),
            "e": np.log(exposure),
            "w": rng.integers(0, 4, N),
        }
    )


TARGETS = [("y", "gaussian"), ("k", "binomial"), ("n", "poisson"), ("m", "multinomial"), (["y", "y2"], "multigaussian")]


def fitted(frame: pl.DataFrame, y: Any, family: str) -> tuple[nb.Fit, dict[str, Any]]:
    used = {y, "e"} if family == "poisson" else {y} if isinstance(y, str) else {*y}
    more = {"offset": "e"} if family == "poisson" else {}
    drop = [name for name in ROLES if name not in used]
    path = nb.fit_path(frame, y, family=family, drop=drop, categorical=["code"], n_lambdas=20, **more)
    return path.at(lam=path.lambdas[12]), more


def in_csv(frame: pl.DataFrame, folder: Path) -> Any:
    frame.write_csv(folder / "new.csv")
    return folder / "new.csv"


def in_files(frame: pl.DataFrame, folder: Path) -> Any:
    for k in range(3):
        frame[k * N // 3 : (k + 1) * N // 3].write_parquet(folder / f"{k}.parquet")
    return nb.Blocks(str(folder / "*.parquet"), rows=77)


def in_dask(frame: pl.DataFrame, folder: Path) -> Any:
    dd = pytest.importorskip("dask.dataframe")
    return dd.from_pandas(frame.to_pandas(), npartitions=3)


def lazily(frame: pl.DataFrame, folder: Path) -> Any:
    return frame.lazy()


@pytest.mark.parametrize(("y", "family"), TARGETS)
@pytest.mark.parametrize("source", [in_csv, in_files, in_dask, lazily])
def test_the_answers_are_those_of_rows_in_memory(
    tmp_path: Path, y: Any, family: str, source: Callable[[pl.DataFrame, Path], Any]
) -> None:
    fit, more = fitted(table(), y, family)
    new = table(1)
    rows = source(new, tmp_path)
    for kind in ("link", "response") + (("class",) if fit.classes else ()):
        found, expected = fit.predict(rows, kind=kind, **more), fit.predict(new, kind=kind, **more)
        assert found.shape == expected.shape
        if kind == "class":
            assert found.tolist() == expected.tolist()
        else:
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    how = {**more, "sample_weight": "w", "row_groups": "g", "n_bootstrap": 5}
    assert_same(fit.evaluate(rows, y, **how), fit.evaluate(new, y, **how))


def assert_same(found: Any, expected: Any) -> None:
    for name in ("scores", "null_scores"):
        first, second = getattr(found, name), getattr(expected, name)
        assert list(first) == list(second)
        np.testing.assert_allclose([*first.values()], [*second.values()], rtol=1e-11)
    assert found.intervals.keys() == expected.intervals.keys()
    for name, (low, high) in expected.intervals.items():
        np.testing.assert_allclose(found.intervals[name], (low, high), rtol=1e-11)
    assert (found.n_rows, found.n_groups, found.n_bootstrap) == (
        expected.n_rows,
        expected.n_groups,
        expected.n_bootstrap,
    )


@pytest.mark.parametrize(("y", "family"), TARGETS)
def test_scores_of_more_rows_than_have_room_are_sums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, y: Any, family: str
) -> None:
    fit, more = fitted(table(), y, family)
    new = table(1)
    rows = in_files(new, tmp_path)
    monkeypatch.setattr(judged_in_parts, "SHARE_KEPT", 1 << 40)
    found = fit.evaluate(rows, y, sample_weight="w", **more)
    assert found.within == {}
    assert_same(found, fit.evaluate(new, y, sample_weight="w", n_bootstrap=0, **more))
    with pytest.raises(
        ValueError,
        match=r"are drawn within \d+ bytes, and memory=\d+ is allowed: give memory=\d+, or leave row_groups out",
    ):
        fit.evaluate(rows, y, row_groups="g", **more)


def test_areas_by_bins_are_as_near_as_they_say() -> None:
    rng = np.random.default_rng(3)
    y, weights = (rng.random(20_000) < 0.3).astype(float), rng.random(20_000)
    eta = rng.normal(size=20_000) + y
    exact = area_under_curve(y, eta[:, None], weights)[0]
    found = []
    for most in (50, 500, 1 << 18):
        parts = [slice(start, start + 1_000) for start in range(0, 20_000, 1_000)]
        ranks = [Ranks.of(most, eta[p], (weights * y)[p], (weights * (1 - y))[p]) for p in parts]
        total = ranks[0]
        for one in ranks[1:]:
            total = total.join(one)
        assert total.keys.size <= most
        area, within = total.area()
        assert abs(area - exact) <= within + 1e-12
        found.append(within)
    assert found[0] > found[1] > found[2] == 0.0


def broken(frame: pl.DataFrame, name: str, value: Any, rows: tuple[int, ...]) -> pl.DataFrame:
    values = frame[name].to_list()
    for row in rows:
        values[row] = value
    return frame.with_columns(pl.Series(name, values, strict=False))


BROKEN: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "missing numbers": lambda one: broken(broken(one, "x1", None, (5, 300, 599)), "x2", None, (5, 7)),
    "missing labels": lambda one: broken(one, "c", None, (400,)),
    "infinite": lambda one: broken(one, "x0", float("inf"), (1, 401)),
    "unseen": lambda one: broken(broken(one, "c", "z", (0, 599)), "code", 9, (300,)),
    "text": lambda one: one.with_columns(x0=pl.lit("high")),
    "lacking": lambda one: one.drop("x2"),
    "target": lambda one: broken(one, "k", "perhaps", (3, 555)),
    "no target": lambda one: broken(one, "k", None, (3, 555)),
    "dates": lambda one: one.with_columns(x0=pl.date(2026, 1, 1)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_errors_are_those_of_rows_in_memory(tmp_path: Path, what: str) -> None:
    fit, _ = fitted(table(), "k", "binomial")
    new = BROKEN[what](table(1))
    rows = in_files(new, tmp_path)
    with pytest.raises(nb.DataError) as expected:
        fit.evaluate(new, "k")
    with pytest.raises(nb.DataError) as found:
        fit.evaluate(rows, "k")
    assert str(found.value) == str(expected.value)


def test_gaps_are_filled_in_as_the_model_learned(tmp_path: Path) -> None:
    def gappy(seed: int) -> pl.DataFrame:
        return broken(broken(table(seed), "x1", None, (5, 300, 599)), "c", None, (7, 8))

    drop = [name for name in ROLES if name != "k"]
    path = nb.fit_path(gappy(0), "k", family="binomial", drop=drop, missing="impute", n_lambdas=20)
    fit = path.at(lam=path.lambdas[12])
    for new in (gappy(2), table(2), broken(table(2), "x0", None, (9,))):  # x0 had no gap when medians were learned
        found = fit.predict(in_files(new, tmp_path))
        np.testing.assert_allclose(found, fit.predict(new), rtol=0, atol=1e-12)


def test_unseen_levels_may_be_none_of_them(tmp_path: Path) -> None:
    fit, _ = fitted(table(), "k", "binomial")
    new = BROKEN["unseen"](table(1))
    rows = in_files(new, tmp_path)
    np.testing.assert_allclose(fit.predict(rows, unknown="baseline"), fit.predict(new, unknown="baseline"), atol=1e-12)
    with pytest.warns(nb.NormballWarning, match="unseen in training"):
        fit.predict(rows, unknown="warn")


def test_what_cannot_be_had_of_parts_is_said(tmp_path: Path) -> None:
    fit, _ = fitted(table(), "n", "poisson")
    rows = in_files(table(1), tmp_path)
    with pytest.raises(ValueError, match="fitted with an offset"):
        fit.predict(rows)
    with pytest.raises(nb.DataError, match="Column \\(of offset\\)"):
        fit.predict(rows, offset="ee")
    with pytest.raises(nb.DataError, match="name of a column"):
        fit.predict(rows, offset=np.zeros(N))
    with pytest.raises(TypeError, match="read in parts"):
        fit.predict(nb.Blocks(3), offset="e")
    with pytest.raises(nb.DataError, match="0 rows"):
        fit.evaluate(table(1).head(0).lazy(), "n", offset="e")
    assert fit.predict(table(1).head(0).lazy(), offset="e").shape == (0,)


def test_arrays_on_disk_are_read_as_they_stand(tmp_path: Path) -> None:
    X = table().select("x0", "x1", "x2").to_numpy()
    path = nb.fit_path(X, table()["y"].to_numpy(), n_lambdas=10)
    fit = path.at(lam=path.lambdas[5])
    np.save(tmp_path / "X.npy", X)
    for rows in (tmp_path / "X.npy", nb.Blocks(X), np.load(tmp_path / "X.npy", mmap_mode="r")):
        np.testing.assert_array_equal(fit.predict(rows), fit.predict(X))
    # a table whose columns have other names goes by position, as arrays do
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": table()["y"], "c": X[:, 2]})
    found = fit.evaluate(frame.lazy(), "y", n_bootstrap=0)
    assert_same(found, fit.evaluate(X, table()["y"].to_numpy(), n_bootstrap=0))
