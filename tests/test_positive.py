"""Which of two classes counts as the positive one."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

import normball as nb
from commands import FIT, run


def test_the_other_label_turns_every_sign(folder, capsys):
    assert run(capsys, *FIT)[0] == 0
    usual = nb.load("out/model.json")
    code, out, err = run(capsys, *FIT, "--positive", "no")
    assert (code, err) == (0, "")
    turned = nb.load("out/model.json")
    assert (usual.path.classes, turned.path.classes) == (("no", "yes"), ("yes", "no"))
    assert turned.lambdas == pytest.approx(usual.lambdas)
    assert turned.path.coefs == pytest.approx(-usual.path.coefs, abs=1e-4)
    assert turned.cv_mean == pytest.approx(usual.cv_mean, rel=1e-3)
    n_no = int((pl.read_csv("t.csv")["y"] == "no").sum())
    assert f'binary, "no" {n_no} (' in out
    assert "First make y 1 where it is “no”, and else 0." in (folder / "out" / "report.html").read_text()


def test_predict_score_and_report_know_it(folder, capsys):
    run(capsys, *FIT, "--positive", "no")
    model, table = nb.load("out/model.json"), pl.read_csv("t.csv")
    out = run(capsys, "predict", "out/model.json", "t.csv")[1].splitlines()
    assert out[0] == "prediction,probability of no"
    assert float(out[1].split(",")[1]) == pytest.approx(model.predict(table, kind="response")[0])
    told = json.loads(run(capsys, "score", "out/model.json", "t.csv", "--json", "--bootstrap", "0")[1])
    scores = {one["score"]: one["value"] for one in told["scores"]}
    assert scores["accuracy"] == pytest.approx((model.predict(table, kind="class") == table["y"].to_numpy()).mean())
    assert scores["auc"] > 0.7
    assert run(capsys, "report", "out/model.json", "--data", "t.csv")[0] == 0
    assert "is called “no”" in (folder / "out" / "report.html").read_text()


def test_numbers_are_labels_too_and_rows_may_be_set_apart(folder, capsys):
    table = pl.read_csv("t.csv").with_columns(y=(pl.col("y") == "yes").cast(pl.Int64))
    table.write_csv("t.csv")
    code, out, _ = run(capsys, *FIT, "--positive", "0", "--holdout", "0.25")
    assert code == 0
    assert nb.load("out/model.json").path.classes == ("1", "0")
    assert "On rows set apart" in out
    assert run(capsys, "report", "out/model.json", "--data", "t.csv")[0] == 0
    code, _, err = run(capsys, "score", "out/model.json", "t.csv", "--bootstrap", "0")
    assert code == 0
    assert err.startswith("Careful  The model was fitted to 90 of these rows")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--positive", "maybe"), 'Target "y" has no label "maybe"; it has "no", "yes".'),
        (("--target", "colour", "--positive", "red"), '--positive is about a target of two labels; "colour" has 3'),
        (("--target", "a,b", "--family", "multigaussian", "--positive", "x"), "about one target column of two labels"),
        (("--target", "who", "--positive", "x"), 'Target "who" not found'),
    ],
)
def test_a_label_that_there_is_not(words, problem, folder, capsys):
    base = FIT if "--target" not in words else (*FIT[:2], *FIT[4:])
    code, _, err = run(capsys, *base, *words)
    assert code in (2, 3)
    assert problem in err


def test_svmlight_has_numbers_for_labels(folder, capsys):
    (folder / "t.svm").write_text("".join(f"{k % 2} 1:{k % 7} 2:{k % 5}\n" for k in range(60)))
    code, _, err = run(capsys, "fit", "t.svm", "--target", "label", "--positive", "0", "-o", "out")
    assert code == 2
    assert "the targets of an SVMlight file are numbers, of which the larger one is modelled" in err
    assert "leave it out, or exchange the two numbers" in err


def test_in_python_the_order_of_the_categories_decides():
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    labels = np.where(x + rng.logistic(size=80) > 0, "yes", "no").tolist()
    for y in (
        pl.Series("y", labels, dtype=pl.Enum(["yes", "no"])),
        pd.Series(pd.Categorical(labels, categories=["yes", "no"], ordered=True), name="y"),
    ):
        path = nb.fit_path(x[:, None], y, family="binomial", n_lambdas=5)
        assert path.classes == ("yes", "no")
        assert path.coefs[-1, 0] < 0
