"""Folds of rows in blocks that keep groups together or follow time, and rows that lack what they need."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.blocks.prepare import prepare_long_table
from normball.blocks.tables import long_table_of
from normball.inputs.prepare import prepare
from normball.model_file import load
from test_long_tables import in_parts_words

N = 420


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(N, 3))
    return pl.DataFrame(
        {
            **{f"x{j}": X[:, j] for j in range(3)},
            "g": rng.choice([f"p{k}" for k in range(40)], N),
            "number": rng.integers(-5, 25, N),
            "day": [date(2020, 1, 1) + timedelta(int(one)) for one in rng.integers(0, 90, N)],
            "w": rng.integers(1, 4, N),
            "e": rng.integers(1, 5, N) / 2,
            "y": X[:, 0] + rng.normal(size=N),
            "n": rng.poisson(np.exp(0.3 * X[:, 0])),
            "k": np.where(X[:, 1] + rng.normal(size=N) > 0, "yes", "no"),
        }
    ).with_columns(text=pl.col("day").dt.strftime("%d.%m.%Y"))


ROLES = ("g", "number", "day", "text", "w", "e", "y", "n", "k")
FOLDS = {
    "fold_groups": ("g", "number", "day"),
    "time_order": ("day", "text", "number"),
}


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in FOLDS.items() for name in names])
@pytest.mark.parametrize(("y", "family"), [("y", "gaussian"), ("k", "binomial"), ("n", "poisson")])
def test_folds_are_those_of_rows_in_memory(
    frame: pl.DataFrame, tmp_path: Path, role: str, name: str, y: str, family: str
) -> None:
    frame.write_csv(tmp_path / "t.csv")
    drop = [one for one in ROLES if one not in (y, name)]
    how = {"family": family, "drop": drop, "n_lambdas": 12, "cv": 4, "random_state": 3, "tol": 1e-9, role: name}
    how |= {"keep_predictions": True, "repeats": 2 if name == "number" and role == "fold_groups" else 1}
    whole = nb.cv_path(frame, y, **how)
    for source in (nb.Blocks(frame.lazy(), rows=50), nb.Blocks(tmp_path / "t.csv", rows=33)):
        cv = nb.cv_path(source, y, **how)
        assert cv.folds == whole.folds
        np.testing.assert_array_equal(cv.fold_sizes, whole.fold_sizes)
        np.testing.assert_allclose(cv.path.lambdas, whole.path.lambdas, rtol=1e-9)
        np.testing.assert_allclose(cv.fold_scores, whole.fold_scores, rtol=1e-5)
        np.testing.assert_allclose(cv.null_fold_scores, whole.null_fold_scores, rtol=1e-9)
        assert cv.fold_dual_gaps.max() <= 1e-9
        np.testing.assert_array_equal(cv.fold_ids, whole.fold_ids)
        np.testing.assert_allclose(cv.predictions, whole.predictions, atol=1e-3)
        np.testing.assert_allclose(cv.held_out.values, whole.held_out.values, rtol=1e-3, atol=0.01)
        assert cv.held_out.null == pytest.approx(whole.held_out.null)
        assert cv.diagnostics.keys() == whole.diagnostics.keys()
        for which, known in whole.diagnostics.items():
            assert cv.diagnostics[which] == pytest.approx(known, rel=1e-3)
        assert np.isnan(cv.predictions).any() == (role == "time_order")


def test_predictions_that_have_no_room_are_refused_before_the_fit(
    frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("normball.cv_blocks.BYTES_OF_PREDICTIONS", 8 * N * 7)
    drop = [one for one in ROLES if one != "y"]
    how = {"drop": drop, "cv": 3, "keep_predictions": True}
    with pytest.raises(ValueError, match="n_lambdas=7 or fewer  or  normball fit --out-of-fold"):
        nb.cv_path(frame.lazy(), "y", n_lambdas=8, **how)
    cv = nb.cv_path(frame.lazy(), "y", n_lambdas=7, **how)
    assert cv.predictions.shape == (N, 7)


@pytest.mark.parametrize("more", [{}, {"sample_weight": "w", "score": "mse"}])
def test_folds_in_time_of_arrays(frame: pl.DataFrame, more: dict[str, Any]) -> None:
    X, y = frame.select("x0", "x1", "x2").to_numpy(), frame["k" if not more else "y"].to_numpy()
    if more:
        more = {**more, "sample_weight": frame["w"].to_numpy().astype(float)}
    how = {"family": "gaussian" if more else "binomial", "n_lambdas": 12, "cv": 3, "tol": 1e-9, **more}
    for role, values in (("time_order", True), ("time_order", frame["day"].to_numpy()), ("fold_groups", frame["g"])):
        cv, whole = (nb.cv_path(rows, y, **how, **{role: values}) for rows in (nb.Blocks(X, rows=31), X))
        np.testing.assert_array_equal(cv.fold_sizes, whole.fold_sizes)
        np.testing.assert_allclose(cv.fold_scores, whole.fold_scores, rtol=1e-5)


def test_workers_change_no_bit_of_folds_in_time(frame: pl.DataFrame) -> None:
    drop = [one for one in ROLES if one not in ("k", "day")]
    how = {"family": "binomial", "drop": drop, "n_lambdas": 12, "cv": 4, "time_order": "day"}
    first, second = (nb.cv_path(nb.Blocks(frame.lazy(), rows=50), "k", n_threads=n, **how) for n in (1, 3))
    np.testing.assert_array_equal(first.fold_scores, second.fold_scores)
    np.testing.assert_array_equal(first.path.coefs, second.path.coefs)


def with_gaps(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    rows = pl.int_range(pl.len())
    return frame.with_columns(
        pl.when(rows % (17 + 5 * k) == 3 + k).then(None).otherwise(pl.col(name)).alias(name)
        for k, name in enumerate(names)
    )


NEEDED: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("w", {"sample_weight": "w"}, {}),
    ("e", {"offset": "e"}, {}),
    ("g", {}, {"fold_groups": "g"}),
    ("day", {}, {"time_order": "day"}),
    ("number", {}, {"fold_ids": "number"}),
]


@pytest.mark.parametrize("missing", ["drop", "impute", "error"])
@pytest.mark.parametrize(("name", "options", "by_row"), NEEDED)
def test_rows_that_lack_what_they_need_are_left_out_and_counted(
    frame: pl.DataFrame, name: str, options: dict[str, Any], by_row: dict[str, str], missing: str
) -> None:
    gappy = with_gaps(frame, name, "x1", "n")
    drop = [one for one in ROLES if one not in ("n", name)]
    how = {"family": "poisson", "missing": missing, "drop": drop, **options}
    table = long_table_of(gappy.lazy())
    assert table is not None
    if missing == "error":
        with pytest.raises(nb.DataError) as expected:
            prepare(gappy, "n", by_row=by_row, **how)
        with pytest.raises(nb.DataError) as found:
            prepare_long_table(table, "n", by_row=by_row, block_rows=50, **how)
        assert str(found.value) == in_parts_words(str(expected.value))
        return
    whole = prepare(gappy, "n", by_row=by_row, **how)
    blocks = prepare_long_table(table, "n", by_row=by_row, block_rows=50, **how)
    parts = list(blocks.source.open())
    for attribute, name in (("X", "design"), ("y", "y"), ("weights", "weights"), ("offset", "offset")):
        rows = np.concatenate([getattr(part, attribute) for part in parts])
        np.testing.assert_allclose(rows, np.broadcast_to(getattr(whole, name), rows.shape), rtol=1e-15)
    assert [str(one) for one in blocks.findings] == [str(one) for one in whole.findings]


def test_groups_of_rows_that_are_left_out_do_not_count(frame: pl.DataFrame) -> None:
    gappy = with_gaps(frame, "x1", "g")
    drop = [one for one in ROLES if one not in ("n", "g")]
    how = {"family": "poisson", "missing": "drop", "drop": drop, "n_lambdas": 5, "cv": 4, "fold_groups": "g"}
    cv, whole = (nb.cv_path(rows, "n", **how) for rows in (nb.Blocks(gappy.lazy(), rows=50), gappy))
    np.testing.assert_array_equal(cv.fold_sizes, whole.fold_sizes)


@pytest.mark.parametrize("option", ["--group", "--time-order"])
def test_the_terminal_has_these_folds(
    frame: pl.DataFrame, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    frame.write_parquet("t.parquet")
    Path("parts").mkdir()
    for k in range(3):
        frame[k * N // 3 : (k + 1) * N // 3].write_parquet(f"parts/{k}.parquet")
    name = "g" if option == "--group" else "day"
    drop = ",".join(one for one in ROLES if one not in ("k", name))
    words = ["--target", "k", "--drop", drop, option, name, "--cv", "4", "--n-lambdas", "10", "--no-compare"]
    words += ["--repeats", "2"] if option == "--group" else []
    kept = ("--select", "best", "--out-of-fold")
    assert run(capsys, "fit", "t.parquet", *words, "--bootstrap", "0", "-o", "whole", *kept, "whole.csv")[0] == 0
    code = run(capsys, "fit", "parts", *words, "-o", "blocks", *kept, "blocks.csv")[0]
    assert code == 0
    held, expected = pl.read_csv("blocks.csv"), pl.read_csv("whole.csv")
    assert held.columns == expected.columns
    assert held.select("row", "^fold.*$", "observed").equals(expected.select("row", "^fold.*$", "observed"))
    np.testing.assert_allclose(held["probability of yes"], expected["probability of yes"], atol=1e-3)
    first, second = load("whole/model.json"), load("blocks/model.json")
    assert second.folds == first.folds
    np.testing.assert_allclose(second.fold_scores, first.fold_scores, rtol=1e-4)
    code, _, err = run(capsys, "fit", "parts", *words, option, "gg", "-o", "blocks2")
    assert code == 3
    assert f'Column "gg" of {option} not found' in " ".join(err.split())


def test_ways_to_make_folds_are_not_combined(frame: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="choose one way to make folds"):
        nb.cv_path(frame.lazy(), "y", drop=["text", "k"], fold_groups="g", time_order="day")
    with pytest.raises(nb.DataError, match="too few for 200 folds"):
        nb.cv_path(frame.lazy(), "y", drop=["text", "k", "g"], time_order="day", cv=200)
    with pytest.raises(nb.DataError, match="40 groups cannot make 200 folds"):
        nb.cv_path(frame.lazy(), "y", drop=["text", "k", "day"], fold_groups="g", cv=200)
