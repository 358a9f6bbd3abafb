"""Rows of a table in parts that no fit sees: a share of them, or those that a column marks."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commands import Capture, run
from normball.blocks.folds import are_apart
from normball.model_file import load, load_with_run
from normball.run import Run

N = 600
HOW = ["--no-compare", "--n-lambdas", "12", "--cv", "3"]


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(6)
    X = rng.normal(size=(N, 3))
    days = rng.integers(1, 6, N)
    table = pl.DataFrame(
        {
            **{f"x{j}": X[:, j] for j in range(3)},
            "days": days,
            "n": rng.poisson(np.exp(0.4 * X[:, 0]) * days),
            "k": np.where(X[:, 1] + rng.normal(size=N) > 0, "yes", "no"),
            "part": rng.choice(["train", "test"], N, p=[0.7, 0.3]),
            "train": rng.integers(0, 2, N),
        }
    )
    table.write_parquet("t.parquet")
    table.write_csv("t.csv")
    Path("parts").mkdir()
    for k in range(3):
        table[k * N // 3 : (k + 1) * N // 3].write_parquet(f"parts/{k}.parquet")
    return table


def scores(folder: str) -> dict[str, float]:
    made = load_with_run(f"{folder}/model.json", Run.from_dict)[1]
    assert made is not None
    return {one["score"]: one["value"] for one in made.apart["evaluation"]["scores"]}


@pytest.mark.parametrize("column", ["part", "train"])
@pytest.mark.parametrize("target", ["k", "n"])
def test_marked_rows_are_those_in_memory(frame: pl.DataFrame, capsys: Capture, column: str, target: str) -> None:
    words = ["--target", target, "--split", column, "--drop", ",".join({"k", "n", "part", "train"} - {target, column})]
    if target == "n":
        words += ["--family", "poisson", "--exposure", "days"]
    assert run(capsys, "fit", "t.parquet", *words, *HOW, "--bootstrap", "0", "-o", "whole")[0] == 0
    for data in (["parts"], ["t.csv", "--memory", "100MB"]):
        code, out, _ = run(capsys, "fit", *data, *words, *HOW, "-o", "blocks")
        assert code == 0
        assert "rows set apart" in " ".join(out.split())
        first, second = load("whole/model.json").path, load("blocks/model.json").path
        assert second.n_rows == first.n_rows < N
        np.testing.assert_allclose(second.lambdas, first.lambdas, rtol=1e-9)
        np.testing.assert_allclose(second.coefs, first.coefs, atol=1e-4)
        assert scores("blocks").keys() == scores("whole").keys()
    # the model that was picked is judged on the rows that it did not see
    test = frame.filter(pl.col("part") == "test") if column == "part" else frame.filter(pl.col("train") == 0)
    test.write_parquet("test.parquet")
    told = json.loads(run(capsys, "score", "blocks/model.json", "test.parquet", "--json")[1])["scores"]
    found = scores("blocks")
    assert {one["score"]: one["value"] for one in told} == pytest.approx(found, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("words", [[], ["--split", "part"], ["--holdout", "0.25"]])
def test_rows_of_the_fit_are_told_where_they_are_scored(frame: pl.DataFrame, capsys: Capture, words: list[str]) -> None:
    drop = "k,train" if "part" in words else "k,train,part"
    role = ["--target", "n", "--family", "poisson", "--exposure", "days", "--drop", drop]
    assert run(capsys, "fit", "parts", *role, *words, *HOW, "-o", "out")[0] == 0
    n_rows = load("out/model.json").path.n_rows
    says = "fitted to these rows" if n_rows == N else f"fitted to {n_rows} of these rows"
    readings = [["parts"], ["t.csv", "--memory", "50MB"], ["t.parquet"]]
    for data in readings:
        code, out, err = run(capsys, "score", "out/model.json", *data, "--bootstrap", "0", "--json")
        assert code == 0
        assert json.loads(out)["rows_of_the_fit"] == n_rows
        assert says in " ".join(err.split())
    frame.with_columns(n=pl.col("n") + 1).write_parquet("other.parquet")
    for data in (["other.parquet"], ["other.parquet", "--memory", "50MB"]):
        out, err = run(capsys, "score", "out/model.json", *data, "--bootstrap", "0", "--json")[1:]
        assert (json.loads(out)["rows_of_the_fit"], "fitted to" in err) == (0, False)


def test_a_share_of_the_rows(frame: pl.DataFrame, capsys: Capture) -> None:
    words = ["--target", "k", "--drop", "n,part,train", "--holdout", "0.25", "--seed", "3"]
    code, out, _ = run(capsys, "fit", "parts", *words, *HOW, "-o", "out")
    apart = are_apart(0, N, 0.25, 3)
    assert code == 0
    assert "On rows set apart" in out
    made = load_with_run("out/model.json", Run.from_dict)[1]
    assert made is not None
    assert made.apart["how"] == f"{apart.sum()} rows set apart, 25 % of all at random"
    assert load("out/model.json").path.n_rows == N - apart.sum()
    frame.filter(pl.Series(apart)).write_parquet("test.parquet")
    told = json.loads(run(capsys, "score", "out/model.json", "test.parquet", "--json")[1])["scores"]
    assert {one["score"]: one["value"] for one in told} == pytest.approx(scores("out"), rel=1e-9)
    page = Path("out/report.html").read_text()
    assert "rows set apart" in page


def test_shares_are_about_right_and_follow_from_row_numbers() -> None:
    whole = are_apart(0, 100_000, 0.2, 1)
    assert abs(whole.mean() - 0.2) < 0.01
    np.testing.assert_array_equal(whole[777:5_000], are_apart(777, 4_223, 0.2, 1))
    assert 0.02 < (whole & are_apart(0, 100_000, 0.2, 2)).mean() < 0.06


@pytest.mark.parametrize("missing", ["drop", "impute"])
def test_gaps_among_the_rows_set_apart(frame: pl.DataFrame, capsys: Capture, missing: str) -> None:
    rows = pl.int_range(N)
    gappy = frame.with_columns(
        x1=pl.when(rows % 11 == 3).then(None).otherwise("x1"), k=pl.when(rows % 13 == 2).then(None).otherwise("k")
    )
    gappy.write_parquet("gappy.parquet")
    words = ["--target", "k", "--drop", "n,train,days", "--split", "part", "--missing", missing]
    assert run(capsys, "fit", "gappy.parquet", *words, *HOW, "--bootstrap", "0", "-o", "whole")[0] == 0
    assert run(capsys, "fit", "gappy.parquet", *words, *HOW, "--memory", "100MB", "-o", "blocks")[0] == 0
    made = [load_with_run(f"{one}/model.json", Run.from_dict)[1] for one in ("whole", "blocks")]
    assert made[0] is not None
    assert made[1] is not None
    assert made[1].apart["evaluation"]["n_rows"] == made[0].apart["evaluation"]["n_rows"]
    assert made[1].apart["how"] == made[0].apart["how"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--holdout", "0.2", "--group", "days"], "for --split"),
        (["--holdout", "0.2", "--time-order", "days"], "for --split"),
        (["--split", "parts"], 'Column "parts" of --split not found'),
        (["--split", "x0"], 'must mark each row as "train" or "test"'),
    ],
)
def test_what_cannot_be_set_apart_is_told(frame: pl.DataFrame, capsys: Capture, words: list[str], says: str) -> None:
    code, _, err = run(capsys, "fit", "parts", "--target", "k", "--drop", "n,part,train", *words)
    assert code in (2, 3)
    assert says in " ".join(err.split())
