"""Which of two classes counts as the positive one."""

import json
from pathlib import Path

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


def times(capsys, labels, *words):
    """A fit of times whose event has these labels, on which `words` go; its exit code and what it says of errors."""
    rng = np.random.default_rng(3)
    n = 60
    table = pl.DataFrame(
        {"days": rng.integers(1, 90, n), "status": [labels[k % len(labels)] for k in range(n)], "a": rng.normal(size=n)}
    )
    table.write_csv("times.csv")
    base = ("fit", "times.csv", "--target", "days", "--event", "status", "-o", "out")
    few = ("--cv", "3", "--n-lambdas", "5", "--no-compare", "--bootstrap", "0")
    return table, run(capsys, *base, *few, *words)


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(
    ("kinds", "label", "others"),
    [(("1", "2"), "2", ["1"]), (("alive", "dead"), "dead", ["alive", "deceased"]), (("1", "2"), "2", ["1", "3"])],
)
def test_new_rows_that_lack_the_label_of_the_event(kinds, label, others, lang, folder, capsys):
    table, (code, _, err) = times(capsys, kinds, "--positive", label)
    assert code == 0, err
    new = pl.Series("status", [others[k % len(others)] for k in range(table.height)])
    table.with_columns(new).write_csv("new.csv")
    code, _, err = run(capsys, "score", "out/model.json", "new.csv", "--bootstrap", "0", "--lang", lang)
    assert code == 3
    if lang == "en":
        held = ", ".join(f'"{one}"' for one in others)
        assert f'E13 Event "status" has no label "{label}"; it has {held}.' in err
        assert f'Fix: write it as "{label}", or as 0 and 1' in err
    else:
        assert f"사건 “status”에 레이블 “{label}”" in err
        assert "0과 1로 적으세요" in err
    for written in ([label, others[0]], ["1", "0"]):
        new = pl.Series("status", [written[k % 2] for k in range(table.height)])
        table.with_columns(new).write_csv("new.csv")
        assert run(capsys, "score", "out/model.json", "new.csv", "--bootstrap", "0")[0] == 0


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_labels_of_an_event_that_the_fit_did_not_meet(lang, folder, capsys):
    table, (code, _, err) = times(capsys, ("alive", "dead"), "--positive", "dead")
    assert code == 0, err
    assert json.loads(Path("out/model.json").read_text())["run"]["event_labels"] == ["alive", "dead"]
    score = ("score", "out/model.json", "new.csv", "--bootstrap", "0", "--lang", lang)
    for labels, told in ((["dead", "alive", "lost"], '"lost"'), (["dead", "alive"], ""), (["1", "0"], "")):
        new = pl.Series("status", [labels[k % len(labels)] for k in range(table.height)])
        table.with_columns(new, a=pl.col("a") + 1).write_csv("new.csv")
        code, _, err = run(capsys, *score)
        words = {"en": f'Event "status" holds {told}, unknown to the fit: counted as no event.', "ko": "적합에 없던"}
        assert (code, words[lang] in err) == (0, bool(told)), err


def test_ones_alone_are_events_to_a_model_of_another_label(folder, capsys):
    table, (code, _, err) = times(capsys, ("alive", "dead"), "--positive", "dead")
    assert code == 0, err
    table.with_columns(status=1).write_csv("new.csv")
    code, out, _ = run(capsys, "score", "out/model.json", "new.csv", "--bootstrap", "0")
    assert (code, "60" in out) == (0, True), out


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_of_many_labels_one_is_the_event(lang, folder, capsys):
    labels = [f"cause {k}" for k in range(8)]
    _, (code, _, err) = times(capsys, labels, "--lang", lang)
    assert code == 3
    assert {"en": "--positive one of them  or  choose", "ko": "--positive에 그중 하나"}[lang] in err
    assert times(capsys, labels, "--positive", labels[3])[1][0] == 0


@pytest.mark.parametrize("label", ["", "  "])
def test_a_label_that_is_not_named(label, folder, capsys):
    code, _, err = run(capsys, *FIT, "--positive", label)
    assert code == 2
    assert "argument --positive: no label is named" in err
