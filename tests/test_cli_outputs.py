"""The commands with several outputs: classes, and targets of numbers."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.model_file import load
from pages import payload_of


@pytest.fixture
def table(folder: Path) -> pl.DataFrame:
    """Three classes of text, the same as numbers, three targets, and weights."""
    rng = np.random.default_rng(2)
    n = 150
    a, b, c = rng.normal(size=(3, n))
    scores = np.column_stack([2 * a, b - a, np.zeros(n)]) + rng.gumbel(size=(n, 3))
    number = scores.argmax(axis=1)
    columns = {"kind": np.array(["red fox", "hare", "=owl"])[number], "number": number, "a": a, "b": b, "c": c}
    targets = {"u": 5 * a + rng.normal(size=n), "v": b + rng.normal(size=n), "u,v": a - b + rng.normal(size=n)}
    made = pl.DataFrame({**columns, **targets, "w": rng.uniform(0.5, 2, n)})
    made.write_csv("t.csv")
    made.select("kind", "a", "b", "c").write_csv("k.csv")
    return made


def test_text_of_three_classes_is_multinomial(table: pl.DataFrame, capsys: Capture) -> None:
    code, out, _ = run(capsys, "fit", "--no-compare", "k.csv", "--target", "kind", "--cv", "3", "-o", "out")
    assert code == 0
    counts = table["kind"].value_counts().sort("count", "kind", descending=[True, False])
    shown = ", ".join(f'"{kind}" {count}' for kind, count in counts.iter_rows())
    assert f"Target   kind: 3 classes, {shown} -> multinomial, L1\n" in out
    assert "CV AUC, one against the rest" in out
    head = next(line for line in out.splitlines() if line.startswith("Selected at"))
    assert head.split()[3:] == ["length", "per", "SD", "=owl", "hare", "red", "fox", "kept", "in", "folds"]
    cv = load("out/model.json")
    assert f"C={1 / (150 * cv.lambda_1se):.4g})" in out
    assert f"glmnet lambda={cv.lambda_1se:.4g}\n" in out
    assert (cv.path.output_names, cv.path.grouped) == (("=owl", "hare", "red fox"), False)
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert "tell the 3 classes of kind apart" in page
    assert "held-out rows" in page
    code, shown_again, _ = run(capsys, "show", "out/model.json")
    assert code == 0
    assert shown_again.splitlines()[3:] == out.splitlines()[3 : len(shown_again.splitlines())]
    assert pl.read_csv("out/coefficients.csv").columns == ["feature", "output", "per_sd", "per_unit"]


def test_numbers_are_classes_on_request(table: pl.DataFrame, capsys: Capture) -> None:
    words = (
        "fit",
        "--no-compare",
        "t.csv",
        "--target",
        "number",
        "--drop",
        "kind,u,v,w",
        "--drop",
        "u\\,v",
        "--cv",
        "3",
    )
    code, out, err = run(capsys, *words)
    assert code == 0
    assert "-> linear, L1" in out
    assert "--family multinomial" in err
    code, out, _ = run(capsys, *words, "--family", "multinomial", "--grouped", "--score", "accuracy")
    assert code == 0
    assert "-> multinomial, L1 across classes" in out
    assert "CV accuracy" in out
    assert 'type.multinomial = "grouped"' in out
    assert "sklearn" not in out
    cv = load("model.json")
    assert cv.path.grouped
    assert cv.path.classes == (0, 1, 2)
    assert (np.isin((cv.path.coefs != 0).sum(axis=1), (0, 3))).all()


def test_predictions_of_classes(table: pl.DataFrame, capsys: Capture) -> None:
    assert run(capsys, "fit", "--no-compare", "k.csv", "--target", "kind", "--cv", "3", "--quiet")[0] == 0
    cv = load("model.json")

    def predicted(*words: str) -> list[list[str]]:
        code, out, _ = run(capsys, "predict", "model.json", "k.csv", *words)
        assert code == 0
        return list(csv.reader(out.splitlines()))

    probabilities = cv.predict(table, lam="1se", kind="response")
    likeliest = cv.predict(table, lam="1se", kind="class")
    for words, kind in ((["--kind", "response"], "response"), (["--proba"], "response"), (["--kind", "link"], "link")):
        head, *rows = predicted(*words)
        assert head == ["=owl", "hare", "red fox"]
        assert np.array_equal(np.array(rows, dtype=float), cv.predict(table, lam="1se", kind=kind))
    head, *rows = predicted()
    assert head == ["prediction", "probability of =owl", "probability of hare", "probability of red fox"]
    assert [row[0] for row in rows] == likeliest.tolist()
    assert np.array_equal(np.array([row[1:] for row in rows], dtype=float), probabilities)
    head, *rows = predicted("--kind", "class", "--lam", "best")
    assert head == ["prediction"]
    assert [row[0] for row in rows] == cv.predict(table, lam="best", kind="class").tolist()
    _, out, _ = run(capsys, "predict", "model.json", "k.csv", "--json")
    content = json.loads(out)
    assert content["predictions"]["probability of hare"] == probabilities[:, 1].tolist()


def test_several_targets(table: pl.DataFrame, capsys: Capture) -> None:
    words = (
        "fit",
        "--no-compare",
        "t.csv",
        "--family",
        "multigaussian",
        "--drop",
        "kind,number",
        "--weights",
        "w",
        "--cv",
        "4",
    )
    code, out, err = run(capsys, *words, "--target", "u,v")
    assert code == 3
    assert 'Target "u,v" is one column' in err
    table.drop("u,v").write_csv("t.csv")
    code, out, _ = run(capsys, *words, "--target", "u,v", "-o", "out")
    assert code == 0
    assert "Target   u, v: 2 targets, u mean " in out
    assert "-> linear, several targets, L1 across targets\n" in out
    assert "sklearn" not in out  # theirs takes no weights
    cv = load("out/model.json")
    assert (cv.path.output_names, cv.path.grouped) == (("u", "v"), True)
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert "features explain u, v</h1>" in page
    assert payload_of(page)["evidence"]["outputs"]["errors"]["null"][0] > 4
    code, out, _ = run(capsys, "predict", "out/model.json", "t.csv")
    head, *rows = csv.reader(out.splitlines())
    assert (code, head) == (0, ["u", "v"])
    assert np.array_equal(np.array(rows, dtype=float), cv.predict(table, lam="1se"))
    code, _, err = run(capsys, "predict", "out/model.json", "t.csv", "--kind", "class")
    assert code == 2
    assert "this one is multigaussian" in err


def test_each_target_by_itself_and_a_name_with_a_comma(table: pl.DataFrame, capsys: Capture) -> None:
    words = ("--family", "multigaussian", "--drop", "kind,number,w", "--cv", "4", "--no-grouped")
    code, out, _ = run(capsys, "fit", "--no-compare", "t.csv", "--target", "u,v", "--target", "u", *words)
    assert code == 0
    assert load("model.json").path.output_names == ("u,v", "u")
    assert "across" not in out
    assert "sklearn Lasso(alpha=" in out
    assert "nothing in glmnet" in out


@pytest.mark.parametrize(
    "words",
    [
        ["k.csv", "--target", "kind"],
        ["k.csv", "--target", "kind", "--grouped", "--repeats", "2"],
        ["t.csv", "--target", "v", "--target", "u", "--family", "multigaussian", "--drop", "kind", "--no-grouped"],
    ],
)
def test_a_report_with_the_data_is_that_of_the_fit(words: list[str], table: pl.DataFrame, capsys: Capture) -> None:
    assert run(capsys, "fit", "--no-compare", *words, "--cv", "4", "--n-lambdas", "20", "-o", "out")[0] == 0
    page = Path("out/report.html").read_text()
    assert payload_of(page)["evidence"]["outputs"] is not None
    assert run(capsys, "report", "out/model.json", "--data", words[0], "-o", "again.html")[0] == 0
    assert Path("again.html").read_text() == page
    assert run(capsys, "report", "out/model.json", "-o", "bare.html")[0] == 0
    assert payload_of(Path("bare.html").read_text())["evidence"] is None


def test_json(table: pl.DataFrame, capsys: Capture) -> None:
    code, out, _ = run(capsys, "--json", "fit", "--no-compare", "k.csv", "--target", "kind", "--cv", "3", "--quiet")
    assert code == 0
    content = json.loads(out)
    fit = load("model.json").at("1se")
    assert (content["outputs"], content["grouped"]) == (["=owl", "hare", "red fox"], False)
    assert content["intercept"] == fit.intercept.tolist()
    for feature in content["features"]:
        j = fit.feature_names.index(feature["name"])
        assert feature["by_output"] == fit.coef_per_sd[:, j].tolist()
    code, out, _ = run(capsys, "show", "model.json", "--json")
    assert json.loads(out)["features"] == content["features"]


def test_check(table: pl.DataFrame, capsys: Capture) -> None:
    assert run(capsys, "check", "k.csv", "--target", "kind")[0] == 0
    words = ("--family", "multigaussian", "--drop", "kind,number,w", "--drop", "u\\,v")
    leaking = table.with_columns(copy=2 * pl.col("u"))
    leaking.write_csv("leak.csv")
    code, out, _ = run(capsys, "check", "leak.csv", "--target", "u", "--target", "v", *words)
    assert code == 0
    assert "W15" in out
    assert 'of target "u"' in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "a,b"], "names 2 columns, and one is to be explained: give --target a or --target b"),
        (["--target", "a", "--target", "b", "--family", "gaussian"], "names 2 columns, and gaussian takes one"),
        (["--target", "a,b,a", "--family", "multigaussian"], '--target names "a" twice'),
        (["--target", "a", "--grouped"], "--grouped is about families with several classes or targets; gaussian has"),
        (["--target", ","], "argument --target: nothing is given"),
    ],
)
def test_wrong_usage(words: list[str], message: str, table: pl.DataFrame, capsys: Capture) -> None:
    code, _, err = run(capsys, "fit", "k.csv", *words)
    assert code == 2
    assert message in err


def test_targets_that_are_not_there(table: pl.DataFrame, capsys: Capture) -> None:
    code, _, err = run(capsys, "fit", "k.csv", "--target", "nope,b,A", "--family", "multigaussian")
    assert code == 3
    assert 'Column "nope" of --target not found' in err
    assert 'Column "A" of --target not found' in err
    assert 'Did you mean "a"?' in err


# -- an offset for each output


@pytest.fixture
def moved(folder: Path) -> pl.DataFrame:
    """Three classes whose linear predictors are known but for what two features add."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 240))
    offsets = rng.normal(scale=2.0, size=(240, 3))
    kind = (np.column_stack([a, b, 0 * a]) + offsets + rng.gumbel(size=(240, 3))).argmax(axis=1)
    named = {f"o{k}": offsets[:, k] for k in range(3)}
    made = pl.DataFrame({"kind": np.array(["x", "y", "z"])[kind], "a": a, "b": b, **named})
    made.write_csv("m.csv")
    return made


@pytest.mark.parametrize("words", [["--offset", "o0,o1,o2"], ["--offset", "o0", "--offset", "o1", "--offset", "o2"]])
def test_an_offset_for_each_class(moved: pl.DataFrame, words: list[str], capsys: Capture) -> None:
    given = ["fit", "m.csv", "--target", "kind", *words, "--no-compare", "--cv", "3", "--n-lambdas", "20", "-o", "out"]
    code, out, err = run(capsys, *given)
    assert code == 0, err
    assert re.search(r"features kept +\d of 2\b", out)
    made = load("out/model.json")
    offsets = moved.select("o0", "o1", "o2").to_numpy()
    wanted = nb.cv_path(moved.select("a", "b"), moved["kind"], family="multinomial", offset=offsets, cv=3, n_lambdas=20)
    assert made.path.coefs == pytest.approx(wanted.path.coefs, abs=1e-9)
    assert made.cv_mean == pytest.approx(wanted.cv_mean, rel=1e-9)
    assert run(capsys, "predict", "out/model.json", "m.csv", "--proba", "-o", "p.csv")[0] == 0
    found = pl.read_csv("p.csv").select("x", "y", "z").to_numpy()
    assert found == pytest.approx(made.at("1se").predict(moved, kind="response", offset=offsets), abs=1e-12)
    assert run(capsys, "score", "out/model.json", "m.csv", "--bootstrap", "0")[0] == 0
    assert run(capsys, "check", "m.csv", "--target", "kind", *words)[0] == 0
    assert run(capsys, "report", "out/model.json", "--data", "m.csv", "-o", "again.html")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--offset", "o0"], 3, 'offset has 1 column; the model has 3 outputs.*"x", "y", "z", in this order'),
        (["--offset", "o0,o1"], 3, "offset has 2 columns; the model has 3 outputs"),
        (["--offset", "o0,o1,p"], 3, 'Column "p" of --offset not found'),
        (["--offset", "o0,o1,o1"], 2, '--offset names "o1" twice'),
        (
            ["--offset", "o0,o1", "--family", "gaussian", "--target", "a", "--drop", "kind"],
            3,
            "the model has one output",
        ),
    ],
)
def test_offsets_that_do_not_suit_the_outputs(
    moved: pl.DataFrame, words: list[str], code: int, message: str, capsys: Capture
) -> None:
    target = [] if "--target" in words else ["--target", "kind"]
    found, _, err = run(capsys, "fit", "m.csv", *target, *words)
    assert found == code
    assert re.search(message, err.replace("\n    ", " "))


def test_predicting_without_one_of_the_offsets(moved: pl.DataFrame, capsys: Capture) -> None:
    words = ["--offset", "o0,o1,o2", "--no-compare", "--cv", "3", "--n-lambdas", "5"]
    assert run(capsys, "fit", "m.csv", "--target", "kind", *words)[0] == 0
    moved.drop("o1").write_csv("new.csv")
    code, _, err = run(capsys, "predict", "model.json", "new.csv")
    assert code == 3
    assert 'The new table lacks the column "o1", which the model takes as offset.' in err


@pytest.mark.parametrize("option", ["-o", "--out-of-fold"])
def test_nothing_is_written_over_what_is_read(folder: Path, capsys: Capture, option: str) -> None:
    pl.DataFrame({"y": [1.0, 2.0, 3.0, 4.0] * 5, "a": [*range(20)]}).write_csv("t.csv")
    assert run(capsys, "fit", "t.csv", "--target", "y", "--no-compare", "-o", "m")[0] == 0
    table, model = Path("t.csv").read_bytes(), Path("m/model.json").read_bytes()
    commands = {
        "-o": [
            ("predict", "m/model.json", "t.csv", "-o", "./t.csv"),
        ],
        "--out-of-fold": [("fit", "t.csv", "--target", "y", "-o", "n", "--out-of-fold", "t.csv")],
    }
    for words in commands[option]:
        code, _, err = run(capsys, *words)
        assert code == 2
        assert f"{option} is " in err
        assert "which is read here: give the output another name" in err
    assert (Path("t.csv").read_bytes(), Path("m/model.json").read_bytes()) == (table, model)
