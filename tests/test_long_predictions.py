"""`normball predict` and `score` of tables that are read in parts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commands import Capture, run
from normball.cli import main
from normball.results import judged_in_parts

N = 900
FITS = {
    "k": ["--drop", "id,days,y,n"],
    "n": ["--family", "poisson", "--exposure", "days", "--drop", "id,y,k"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table in files of three kinds, and a model of each of two targets."""
    place = tmp_path_factory.mktemp("long")
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, 3))
    days = rng.integers(1, 9, N)
    frame = pl.DataFrame(
        {
            "id": [f"{row:05d}" for row in range(N)],
            **{f"x{j}": X[:, j] for j in range(3)},
            "c": rng.choice(["red", "blue", "=2+3"], N),
            "days": days,
            "y": X[:, 0] + rng.normal(size=N),
            "n": rng.poisson(np.exp(0.3 * X[:, 0]) * days),
            "k": np.where(X[:, 1] + rng.normal(size=N) > 0, "yes", "no"),
        }
    )
    frame.write_csv(place / "new.csv")
    (place / "parts").mkdir()
    for part in range(3):
        frame[part * N // 3 : (part + 1) * N // 3].write_parquet(place / "parts" / f"{part}.parquet")
    for target, words in FITS.items():
        how = ["--no-compare", "--n-lambdas", "15", "--cv", "3", "--bootstrap", "0", "--quiet"]
        assert main(["fit", str(place / "new.csv"), "--target", target, *words, *how, "-o", str(place / target)]) == 0
    return place


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("normball.blocks.long_table.LARGEST_BLOCK", 1 << 13)


@pytest.mark.parametrize("target", FITS)
def test_predictions_are_those_of_the_table_in_memory(target: str, capsys: Capture) -> None:
    model, keep = f"{target}/model.json", ["--keep", "id,c,x0"]
    code, out, _ = run(capsys, "predict", model, "new.csv", *keep)
    assert code == 0
    for words in (["new.csv", "--memory", "100MB"], ["parts"], ["parts/*.parquet"]):
        assert run(capsys, "predict", model, *words, *keep)[1] == out
        code, nothing, err = run(capsys, "predict", model, *words, *keep, "-o", "found.csv")
        assert (code, nothing) == (0, "")
        assert "Wrote    900 predictions" in err
        assert "takes these for formulas" in err
        assert Path("found.csv").read_text() == out
    run(capsys, "predict", model, "parts", *keep, "-o", "found.parquet")
    run(capsys, "predict", model, "new.csv", *keep, "-o", "whole.parquet")
    found = pl.read_parquet("found.parquet")
    assert found.equals(pl.read_parquet("whole.parquet"))
    assert found.height == N
    assert found["id"].to_list()[:2] == ["00000", "00001"]


@pytest.mark.parametrize("target", FITS)
def test_scores_are_those_of_the_table_in_memory(target: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"{target}/model.json", "--bootstrap", "7", "--json"]
    scores = json.loads(run(capsys, "score", *words, "new.csv")[1])["scores"]
    for data in (["parts"], ["new.csv", "--memory", "50MB"]):
        found = json.loads(run(capsys, "score", *words, *data)[1])["scores"]
        assert [one["score"] for one in found] == [one["score"] for one in scores]
        for name in ("value", "low", "high"):
            np.testing.assert_allclose([one[name] for one in found], [one[name] for one in scores], rtol=1e-11)
    monkeypatch.setattr(judged_in_parts, "SHARE_KEPT", 1 << 40)
    monkeypatch.setattr("normball.results.summed_scores.MOST_RANKS", 100)
    code, out, err = run(capsys, "score", f"{target}/model.json", "parts")
    assert code == 0
    assert "Scored   parts: 900 rows" in out
    assert "none drawn" in err
    assert ("by bins of predictions: auc within" in " ".join(err.split())) == (target == "k")


def test_what_is_wrong_is_told_before_anything_is_written(capsys: Capture) -> None:
    last = pl.read_parquet("parts/2.parquet")
    rows = pl.int_range(last.height)
    broken = last.with_columns(
        x1=pl.when(rows == 299).then(None).otherwise("x1"),
        c=pl.when(rows == 298).then(pl.lit("green")).otherwise("c"),
    )
    broken.write_parquet("parts/2.parquet")
    try:
        code, out, err = run(capsys, "predict", "k/model.json", "parts", "-o", "never.csv")
    finally:
        last.write_parquet("parts/2.parquet")
    said = " ".join(err.split())
    assert (code, out) == (3, "")
    assert 'Column "c" has a level unseen in training: "green" (1 row)' in said
    assert "row 900" in said
    assert not Path("never.csv").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["predict", "k/model.json", "parts", "--json"], "--json holds all predictions"),
        (["predict", "k/model.json", "parts", "--keep", "idd"], 'lacks the column "idd" (of --keep)'),
        (["predict", "k/model.json", "parts", "--times", "3"], "--times is about models of times"),
        (["predict", "k/model.json", "parts", "-o", "found.txt"], "found.csv"),
        (["predict", "k/model.json", "-", "--memory", "1GB"], "can be read once"),
        (["score", "k/model.json", "parts", "--target", "kk"], 'lacks the column "kk" (of --target)'),
    ],
)
def test_what_makes_no_sense_is_told(words: list[str], says: str, capsys: Capture) -> None:
    try:
        code, _, err = run(capsys, *words)
    except SystemExit as stop:
        code, err = int(stop.code or 0), capsys.readouterr().err
    assert code in (2, 3)
    assert says in " ".join(err.split())


def test_json_says_where_predictions_are(capsys: Capture) -> None:
    out = run(capsys, "predict", "k/model.json", "parts", "--json", "-o", "found.csv")[1]
    assert json.loads(out) == {
        "model": "k/model.json",
        "lam": json.loads(out)["lam"],
        "n_rows": N,
        "output": "found.csv",
    }


@pytest.mark.parametrize("place", ["full.csv", "full.parquet"])
def test_a_disk_that_fills_leaves_what_was_there(place: str) -> None:
    """The limit on the size of files stands in for a full disk."""
    code = """
import resource, signal, sys
from normball.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
sys.exit(main(sys.argv[1:]))
"""
    Path(place).write_text("before")
    before = {*os.listdir(".")}
    words = ["predict", "k/model.json", "parts", "--keep", "id", "-o", place]
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 5
    assert "File too large" in ended.stderr
    assert Path(place).read_text() == "before"
    assert {*os.listdir(".")} == before


def test_ctrl_c_leaves_what_was_there(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from normball.cli.prediction_file import PredictionFile

    add, seen = PredictionFile.add, []

    def stopped(self: PredictionFile, columns: dict[str, list[object]]) -> None:
        seen.append(columns)
        if len(seen) == 3:
            raise KeyboardInterrupt
        add(self, columns)

    monkeypatch.setattr(PredictionFile, "add", stopped)
    Path("kept.csv").write_text("before")
    before = {*os.listdir(".")}
    assert run(capsys, "predict", "k/model.json", "parts", "-o", "kept.csv")[0] == 130
    assert Path("kept.csv").read_text() == "before"
    assert {*os.listdir(".")} == before
