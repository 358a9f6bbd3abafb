"""`normball export`, as a user meets it."""

import json
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

import exported
from commands import Capture, fit, run


def test_a_model_predicts_the_same_by_the_file(folder: Path, capsys: Capture) -> None:
    fit(capsys)
    _, out, _ = run(capsys, "predict", "out/model.json", "t.csv")
    wanted = pl.read_csv(out.encode()).to_dict(as_series=False)
    rows = pl.read_csv("t.csv")
    code, out, err = run(capsys, "export", "out/model.json", "-o", "score.py")
    assert (code, out) == (0, "")
    assert "Wrote    the model at lambda" in err
    found = exported.by_python(Path("score.py").read_text(), rows, list(wanted))
    assert {name: pytest.approx(column) for name, column in wanted.items()} == found
    code, out, _ = run(
        capsys, "export", "out/model.json", "--to", "sql", "--dialect", "duckdb", "--table", "t.csv", "--keep", "a"
    )
    assert code == 0
    assert 'FROM "t"."csv" AS data' in out
    code, out, _ = run(
        capsys, "export", "out/model.json", "--to", "sql", "--dialect", "duckdb", "--keep", "a", "--json"
    )
    base = duckdb.connect()
    base.register("data", rows.to_arrow())
    answer = base.execute(json.loads(out)["content"]).fetchall()
    assert [row[0] for row in answer] == rows["a"].to_list()
    assert [row[2] for row in answer] == pytest.approx(wanted["probability of yes"], rel=1e-12)


def test_offset_and_exposure_are_the_columns_of_the_fit(folder: Path, capsys: Capture) -> None:
    rows = pl.read_csv("t.csv").with_columns(n=pl.int_range(pl.len()) % 4, years=1.0 + pl.int_range(pl.len()) % 3)
    rows.write_csv("t.csv")
    for option in ("--exposure", "--offset"):
        run(capsys, "fit", "t.csv", "--target", "n", "--family", "poisson", option, "years", "-o", "out", "--cv", "3")
        code, out, _ = run(capsys, "export", "out/model.json", "--to", "python")
        assert code == 0
        wanted = pl.read_csv(run(capsys, "predict", "out/model.json", "t.csv")[1].encode())["prediction"]
        assert exported.by_python(out, rows, ["n"])["n"] == pytest.approx(wanted.to_list(), rel=1e-12)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "--to is needed, or -o with an ending that tells: one of sql, python"),
        (["--to", "rust"], 'argument --to: "rust" is none of sql, python'),
        (["--to", "sql", "-o", "score.py"], "--to is sql, but score.py is the name of a file for python"),
        (["--to", "python", "--dialect", "duckdb"], "--dialect duckdb is about SQL, but the export is to python"),
        (["--to", "python", "--kind", "risk"], "kind is 'risk', but an export of binomial can be"),
        (["--to", "python", "-o", "out/model.json"], "-o is out/model.json, which is read here"),
        (["-o", "nowhere/score.py"], '-o nowhere/score.py: there is no folder "nowhere"'),
    ],
)
def test_what_cannot_be_done_is_said_and_no_file_is_touched(
    folder: Path, capsys: Capture, words: list[str], what: str
) -> None:
    fit(capsys)
    before = Path("out/model.json").read_bytes()
    code, out, err = run(capsys, "export", "out/model.json", *words)
    assert code in (2, 5)
    assert out == ""
    assert what in err
    assert Path("out/model.json").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["out", "t.csv"]


def test_files_that_are_no_text(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(capsys)
    code, out, err = run(capsys, "export", "out/model.json", "--to", "onnx")
    assert (code, out) == (2, "")
    assert "-o is needed: a file for onnx is no text" in err
    assert run(capsys, "export", "out/model.json", "-o", "score.onnx")[0] == 0
    assert Path("score.onnx").read_bytes()
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, _, err = run(capsys, "export", "out/model.json", "-o", "other.onnx")
    assert code == 2
    assert err == "normball export: ONNX needs a package: pip install normball[onnx]\n"
    assert not Path("other.onnx").exists()
