"""Options about reading: checked before use, applied to every kind of table, and said where they change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run

RNG = np.random.default_rng(1)
TABLE = pl.DataFrame({"a": [-999.0] * 8 + RNG.normal(size=52).round(3).tolist(), "b": ["?"] * 4 + ["0.5", "1"] * 28})
TABLE = TABLE.with_columns(y=pl.Series(RNG.normal(size=60).round(3)), k=pl.Series(range(60)) % 7)

WRONG = [
    *[("--delimiter", word) for word in ("", "::", "a", "7", "é", '"', "\n", "\\x")],
    *[("--thousands", word) for word in ("", "..", "5", "a", "-", "(", "\t")],
    *[("--decimal", word) for word in ("", ",,", "5", "x", "-", " ")],
    *[("--encoding", word) for word in ("", "klingon", "\0")],
    *[("--header", word) for word in ("", "0", "-1", "1.5", "first")],
    *[(option, "") for option in ("--na", "--units", "--drop", "--categorical", "--weights", "--offset", "--exposure")],
    *[(option, " ") for option in ("--group", "--time-order", "--target")],
    ("--units", "5"),
    ("--units", "-"),
    ("--thousands", "."),
    ("--decimal", ",", "--thousands", ","),
]


@pytest.mark.parametrize("words", WRONG)
def test_a_value_without_a_meaning_is_wrong_usage(words: tuple[str, ...], folder: Path, capsys: Capture) -> None:
    code, out, err = run(capsys, "check", "t.csv", "--target", "y", *[f"{words[0]}={words[1]}", *words[2:]])
    assert (code, out) == (2, "")
    assert words[0].strip("-") in err


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"delimiter": "::"}, ValueError),
        ({"delimiter": 3}, TypeError),
        ({"thousands": "1"}, ValueError),
        ({"decimal": ""}, ValueError),
        ({"encoding": "klingon"}, ValueError),
        ({"header": 0}, ValueError),
        ({"header": True}, ValueError),
        ({"dedupe": "first"}, ValueError),
        ({"na": "NA"}, TypeError),
        ({"na": [-999]}, TypeError),
        ({"units": "kg"}, TypeError),
        ({"categorical": "a"}, TypeError),
        ({"thousands": ",", "decimal": ","}, ValueError),
    ],
)
def test_python_checks_the_same(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        nb.read_table(TABLE, **options)
    with pytest.raises(TypeError, match="the source of a table must be a path, a frame or a dict, not int"):
        nb.read_table(3)


@pytest.mark.parametrize("word", ["\\t", "tab", "TAB", "\t"])
def test_words_for_a_tab(word: str, folder: Path, capsys: Capture) -> None:
    TABLE.write_csv("t.txt", separator="\t")
    assert "60 rows x 4 columns" in run(capsys, "check", "t.txt", "--target", "y", "--na", "?", "--delimiter", word)[1]


@pytest.mark.parametrize("ending", ["csv", "parquet", "arrow"])
@pytest.mark.parametrize("na", ["-999,?", "-999.0,?", "-9.99e2,?"])
def test_words_for_missing_values_are_met_in_every_kind_of_file(
    na: str, ending: str, folder: Path, capsys: Capture
) -> None:
    getattr(TABLE, {"arrow": "write_ipc"}.get(ending, f"write_{ending}"))(f"n.{ending}")
    words = [f"n.{ending}", "--target", "y", "--na", na, "--missing", "impute"]
    code, out, err = run(capsys, "fit", "--no-compare", *words, "--cv", "3")
    assert code == 0
    assert "Missing values imputed: a 8 (13.3 %), b 4 (6.7 %)" in err
    assert "(3 numeric)" in out
    assert "W10" not in err
    for column, frame in (("a", TABLE), ("a", TABLE.cast({"a": pl.Int64}, strict=False)), ("b", TABLE)):
        assert nb.read_table(frame, na=na.split(","))[column].null_count() == (8 if column == "a" else 4)


@pytest.mark.parametrize(
    ("words", "remark"),
    [
        (["--na", "-998"], 'na changed nothing: no value is "-998".'),
        (["--na", "?,none"], 'na changed nothing: no value is "none".'),
        (["--thousands", "'"], 'thousands changed nothing: no number has "\'" between its thousands.'),
        (["--decimal", ","], 'decimal changed nothing: no number has "," before its decimals.'),
        (["--units", "kg"], 'units changed nothing: no number has "kg" beside it.'),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_option_that_changed_nothing_says_so(
    words: list[str], remark: str, ending: str, folder: Path, capsys: Capture
) -> None:
    getattr(TABLE.with_columns(b=pl.Series(["?", "1"] * 30)), f"write_{ending}")(f"n.{ending}")
    arguments = [f"n.{ending}", "--target", "y", "--na", "?", "--missing", "impute", *words]
    assert f"W10 The option {remark}" in run(capsys, "check", *arguments)[1]
    assert (
        f"W10 The option {remark}" in run(capsys, "fit", "--no-compare", *arguments, "--cv", "3", "--n-lambdas", "9")[2]
    )


@pytest.mark.parametrize(
    "words",
    [["--delimiter", ";"], ["--encoding", "latin-1"], ["--header", "2"], ["--header", "none"], ["--dedupe", "suffix"]],
)
@pytest.mark.parametrize("ending", ["parquet", "arrow", "svmlight"])
def test_options_of_text_files_say_where_they_have_no_meaning(
    words: list[str], ending: str, folder: Path, capsys: Capture
) -> None:
    numeric = TABLE.select("y", "k")
    if ending == "svmlight":
        Path("n.svmlight").write_text("".join(f"{y} 1:{k}\n" for y, k in numeric.iter_rows()))
    else:
        getattr(numeric, {"arrow": "write_ipc"}.get(ending, f"write_{ending}"))(f"n.{ending}")
    target = "label" if ending == "svmlight" else "y"
    code, out, _ = run(capsys, "check", f"n.{ending}", "--target", target, *words)
    assert code == 0
    assert f"W10 The option {words[0].strip('-')} changed nothing: a" in out


def test_options_about_files_are_wrong_usage_where_there_is_none(folder: Path, capsys: Capture) -> None:
    for words in (["fit", "--example", "diabetes"], ["check", "--example", "wine"], ["learn"]):
        for option in (["--na", "x"], ["--decimal", ","], ["--header", "2"], ["--units", "%"]):
            code, _, err = run(capsys, *words, *option)
            assert code == 2
            assert f"{option[0]} is about a file" in err


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_predict_of_the_file_of_the_fit_with_words_for_missing_labels(
    ending: str, folder: Path, capsys: Capture
) -> None:
    colours = pl.Series(["?", "red", "blue", "1", "-9"] * 12)
    table = TABLE.select("y", "k").with_columns(c=colours, d=pl.Series(["x", "y", "z"] * 20))
    getattr(table, f"write_{ending}")(f"n.{ending}")
    words = ["--na", "?,-9.0", "--missing", "impute", "--select", "best", "--cv", "3"]
    assert run(capsys, "fit", "--no-compare", f"n.{ending}", "--target", "y", *words)[0] == 0
    code, out, err = run(capsys, "predict", "model.json", f"n.{ending}")
    assert (code, err) == (0, "")
    clean = table.with_columns(c=pl.when(~pl.col("c").is_in(["?", "-9"])).then("c"))
    expected = nb.load("model.json").predict(clean, lam="best")
    assert [float(line) for line in out.splitlines()[1:]] == pytest.approx(expected.tolist())


def test_predict_keeps_what_fit_was_told_and_adds_to_it(folder: Path, capsys: Capture) -> None:
    rows = "".join(f"{i % 9},5 kg;{i};{3 * i}\n" for i in range(40))
    Path("n.csv").write_text("v;w;y\n" + "?;3;4\n" + rows)
    words = ["--na", "?", "--units", "kg", "--decimal", ",", "--missing", "impute", "--cv", "3"]
    assert run(capsys, "fit", "--no-compare", "n.csv", "--target", "y", *words)[0] == 0
    Path("new.csv").write_text("v;w;other\n1,5 kg;2;3 g\n?;2;\n-;2;\n")
    code, out, err = run(capsys, "predict", "model.json", "new.csv", "--na", "-")
    assert (code, err) == (0, "")
    first, second, third = (float(line) for line in out.splitlines()[1:])
    assert second == third
    model = nb.load("model.json")
    assert first == pytest.approx(model.predict(pl.DataFrame({"v": [1.5], "w": [2]}))[0])
    assert "W10 The option na" in run(capsys, "predict", "model.json", "new.csv", "--na", "-,zzz")[2]
    Path("new.csv").write_text("v;w\n1500 g;2\n")
    assert run(capsys, "predict", "model.json", "new.csv")[0] == 3


@pytest.mark.parametrize(
    ("first", "options"),
    [
        ("v;w;y\n", ["--decimal", ",", "--delimiter", ";"]),
        ("a title\nv;w;y\n", ["--decimal", ",", "--header", "2"]),
        ("v in kg;w;y\n", ["--decimal", ",", "--units", "kg"]),
    ],
)
def test_the_code_of_the_page_reads_the_file_as_it_was_read(first: str, options: list[str], folder: Path) -> None:
    from normball.cli import main
    from normball.cli.models import load_model
    from normball.report.recipes import recipes

    unit = " kg" if "kg" in first else ""
    rows = "".join(f"{i % 9},5{unit};{i % 4},25;{3 * (i % 9) + i % 5},5\n" for i in range(60))
    Path("n.csv").write_text(first + rows)
    assert (
        main(["fit", "--no-compare", "n.csv", "--target", "y", "--cv", "3", "--tol", "1e-12", "--quiet", *options]) == 0
    )
    cv, made = load_model("model.json")
    assert isinstance(cv, nb.CVPath)
    in_normball, in_sklearn, _ = recipes(cv, made, cv.lambda_best)
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    exec(in_normball.code, ours)
    exec(in_sklearn.code, theirs)
    assert ours["fit"].coef.tolist() == cv.at("best").coef.tolist()
    assert np.allclose(np.ravel(theirs["model"][-1].coef_), cv.at("best").coef_per_sd, atol=1e-5)
