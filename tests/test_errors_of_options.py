"""Errors of the command line name the option that led to them, and hold out what that command can do about them."""

import argparse
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import FIT, Capture, run
from normball.cli.arguments import parser
from normball.cli.parsing import TAKES_TEXT
from normball.files import check_writable

LASSO = ("--no-compare", "--cv", "3", "--n-lambdas", "5", "--bootstrap", "0")
NEEDED = {  # the words of each command beside one option
    "fit": ("t.csv", "--target", "y"),
    "check": ("t.csv", "--target", "y"),
    "predict": ("model.json", "t.csv"),
    "score": ("model.json", "t.csv"),
    "report": ("model.json",),
    "show": ("model.json",),
    "export": ("model.json",),
    "learn": ("a",),
}
COMMANDS = {
    name: command
    for action in parser()._actions
    if isinstance(action, argparse._SubParsersAction)
    for name, command in action.choices.items()
}
PLACES = [
    (name, action.option_strings[0], str(action.metavar))
    for name in NEEDED
    for action in COMMANDS[name]._actions
    if action.option_strings and action.metavar in ("FILE", "DIR")
]


def test_places_are_found() -> None:
    assert {option for _, option, _ in PLACES} == {"-o", "--out-of-fold", "--groups", "--data", "--svg", "--png"}


@pytest.mark.parametrize(("command", "option", "kind"), PLACES)
@pytest.mark.parametrize("place", ["no/such/x{0}", "t.csv/x{0}", "", " "])
def test_a_place_that_cannot_be_is_told_with_its_option(
    command: str, option: str, kind: str, place: str, folder: Path, capsys: Capture
) -> None:
    if place.startswith("no/") and kind == "DIR":
        return  # which is made
    X = np.arange(12.0)[:, None]
    nb.cv_path(X, np.sin(X[:, 0]), cv=2, n_lambdas=3).save(Path("model.json"))
    ending = {"report": ".html", "learn": ".html", "export": ".sql"}.get(command, ".csv") if kind == "FILE" else ""
    place = place.format("" if option == "--groups" else ending)
    target = ("--target", "y") if (command, option) == ("learn", "--data") else ()
    code, out, err = run(capsys, command, *NEEDED[command], *target, option, place)
    assert (code, out) in ((2, ""), (5, ""))
    assert place in err
    assert re.search(rf"(?<![\w-]){option}(?![\w-])", err) or f'"{place}" does not exist' in err, err
    assert sorted(Path().rglob("*")) == [Path("model.json"), Path("t.csv")]


def test_a_file_that_vanishes_among_others_is_told_with_its_folder(folder: Path, capsys: Capture) -> None:
    Path("out/path.csv").mkdir(parents=True)
    code, _, err = run(capsys, *FIT)
    assert (code, err) == (5, "normball fit: -o out: out/path.csv: Is a directory\n")


@pytest.mark.parametrize(
    ("option", "value"), [("--memory", "-5GB"), ("--tol", "-1e-3"), ("--seed", "-3"), ("--cv", "-.5")]
)
def test_a_number_behind_a_dash_is_a_value(option: str, value: str, capsys: Capture) -> None:
    code, _, err = run(capsys, "fit", "t.csv", "--target", "y", option, value)
    assert code == 2
    assert f'argument {option}: "{value}" is no ' in err


@pytest.fixture
def dated(folder: Path, capsys: Capture) -> pl.DataFrame:
    """A table with dates, and models of it: out/ refuses gaps, filled/ fills them in, offset/ has an offset."""
    rng = np.random.default_rng(5)
    n = 60
    a, b = rng.normal(size=(2, n)).round(3)
    day = [f"2020-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n)]
    y = (a - b + rng.normal(size=n)).round(3)
    table = pl.DataFrame(
        {"y": y, "a": a, "b": b, "day": day, "w": rng.uniform(1, 2, n).round(3), "g": np.arange(n) % 7}
    )
    table.write_csv("d.csv")
    table.with_columns(b=pl.when(pl.col("b") < 1).then("b")).write_csv("gaps.csv")
    options = ("--target", "y", "--dates", "day", *LASSO)
    assert run(capsys, "fit", "d.csv", *options, "--weights", "w", "--group", "g", "-o", "out")[0] == 0
    assert run(capsys, "fit", "gaps.csv", *options, "--missing", "impute", "--drop", "w,g", "-o", "filled")[0] == 0
    assert run(capsys, "fit", "d.csv", *options, "--exposure", "w", "--drop", "g", "-o", "offset")[0] == 0
    return table


def words_in(n: int) -> pl.Expr:
    return pl.when(pl.int_range(pl.len()) < n).then(pl.lit("abc")).otherwise(pl.col("a").cast(pl.String)).alias("a")


NEW_ROWS = [  # a model, what is wrong with the new rows, and the end of the error
    ("out", pl.lit("soon").alias("day"), 'E15 Column "day" holds text that is no date'),
    ("out", words_in(60), "Fix: put in what the model was fitted on"),
    ("out", words_in(3), "Fix: correct these values"),
    ("filled", words_in(60), "Fix: put in what the model was fitted on"),
    ("filled", words_in(3), "Fix: --na abc"),
    ("out", pl.when(pl.col("a") < 1).then("a"), "Fix: fill them in  or  fit again with normball fit --missing impute"),
    ("offset", pl.lit("q").alias("w"), "must be numbers"),
    ("offset", -pl.col("w"), "60 values are not: rows 1, 2, 3, 4, 5 and 55 more"),
    ("offset", pl.when(pl.col("w") < 1.5).then("w"), 'Column "w" has'),
]


@pytest.mark.parametrize(("model", "change", "end"), NEW_ROWS, ids=[f"{one[0]} {one[2][:30]}" for one in NEW_ROWS])
@pytest.mark.parametrize("command", ["predict", "score"])
def test_new_rows_are_told_of_options_that_there_are(
    command: str, model: str, change: pl.Expr, end: str, dated: pl.DataFrame, capsys: Capture
) -> None:
    dated.with_columns(change).write_csv("new.csv")
    words = (command, f"{model}/model.json", "new.csv", *(("-o", "p.csv") if command == "predict" else ()))
    code, _, err = run(capsys, *words)
    assert code == 3
    assert end in err
    assert "Fix: " in err
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|normball fit .*', "", err)
    assert {*re.findall(r"--[a-z-]+", bare)} <= {*COMMANDS[command]._option_string_actions}
    if "--na abc" in err:
        assert run(capsys, *words, "--na", "abc")[0] == 0


def test_weights_and_groups_of_the_fit_are_told_with_their_columns(dated: pl.DataFrame, capsys: Capture) -> None:
    for change, wrong in (
        (pl.lit("q").alias("w"), '--weights must be numbers; "w" holds labels ("q").'),
        (
            pl.when(pl.col("a") < 2).then("w").cast(pl.String).replace("1.5", "x").fill_null("x"),
            'Weight "w" is not numeric',
        ),
        (pl.when(pl.col("a") < 1).then("g").alias("g"), 'Column "g" (of --group) has'),
    ):
        dated.with_columns(change).write_csv("new.csv")
        for more in ((), ("--memory", "100MB")):
            code, _, err = run(capsys, "score", "out/model.json", "new.csv", "--bootstrap", "0", *more)
            assert (code, wrong in err, "Fix: " in err) == (3, True, True), err


def test_words_that_other_exports_cannot_count(folder: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(["alpha", "beta", "gamma", "delta"], 3)) for _ in range(60)]
    pl.DataFrame({"y": [2.0 * one.count("beta") + k % 2 for k, one in enumerate(texts)], "note": texts}).write_csv(
        "n.csv"
    )
    assert (
        run(capsys, "fit", "n.csv", "--target", "y", "--text", "note", *LASSO, "--select", "best", "-o", "out")[0] == 0
    )
    code, _, err = run(capsys, "export", "out/model.json", "-o", "score.sql")
    remedies = re.findall(r"--to (\w+) \((\S+)\)", err)
    assert (code, len(remedies)) == (2, 2)
    for target, place in remedies:
        assert run(capsys, "export", "out/model.json", "--to", target, "-o", place)[0] == 0


def test_a_column_that_the_check_drops_leaves_the_other_options(folder: Path, capsys: Capture) -> None:
    table = pl.read_csv("t.csv").with_columns(note=pl.lit("just one note"), one=pl.lit("x"), day=pl.lit("2021-05-05"))
    table.write_csv("t.csv")
    words = ("--text", "note", "--categorical", "one", "--dates", "day", "--baseline", "one=x")
    code, out, err = run(capsys, *FIT, *words)
    assert (code, err) == (0, "")
    dropped = {*re.findall(r"note|one|day", " ".join(line for line in out.splitlines() if line.startswith("Dropped")))}
    assert dropped == {"note", "one", "day"}
    assert run(capsys, "predict", "out/model.json", "t.csv", "-o", "p.csv")[0] == 0


def test_names_and_labels_may_begin_with_a_dash(folder: Path, capsys: Capture) -> None:
    pl.read_csv("t.csv").rename({"w": "-w"}).with_columns(y=pl.col("y").replace({"no": "-no"})).write_csv("t.csv")
    words = ("fit", "t.csv", "--target", "y", "--weights", "-w", "--drop", "t", "--positive", "-no", *LASSO)
    assert run(capsys, *words, "-o", "out")[0] == 0
    model = nb.load("out/model.json")
    assert (model.path.classes, model.path.feature_names[0]) == (("yes", "-no"), "a")
    takes_column = {
        name
        for command in COMMANDS.values()
        for action in command._actions
        for name in action.option_strings
        if action.metavar in ("COL", "LABEL")
    }
    assert takes_column <= {*TAKES_TEXT}


def test_a_link_into_a_folder_that_is_not_there(folder: Path) -> None:
    Path("link.csv").symlink_to(folder / "gone" / "x.csv")
    with pytest.raises(OSError, match=r'there is no folder ".*gone"'):
        check_writable("link.csv")


def test_weights_are_called_in_the_language(folder: Path, capsys: Capture) -> None:
    pl.read_csv("t.csv").with_columns(w=pl.Series(["x"] + ["1"] * 119)).write_csv("t.csv")
    for option, noun in (("--weights", "가중치"), ("--offset", "오프셋")):
        _, _, err = run(capsys, "fit", "t.csv", "--target", "y", option, "w", *LASSO, "--lang", "ko")
        assert f"E01 {noun} “w”" in err
