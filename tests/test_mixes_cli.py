"""Penalties compared by default on the command line: what is said, kept and chosen."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import Capture, run, small_table
from normball.cli.console import machine_form
from normball.cli.models import load_model
from normball.comparison import Comparison
from normball.cv_result import CVPath
from normball.mixes import compare
from normball.model_file import load
from normball.report.recipes import recipes
from normball.results import facts

WORDS = ("t.csv", "--target", "y", "--drop", "t,w", "--cv", "5", "-o", "out")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    small_table().write_csv("t.csv")
    return tmp_path


def saved() -> Comparison:
    found = load("out/model.json")
    assert isinstance(found, Comparison)
    return found


def test_fit_compares_by_default(folder: Path, capsys: Capture) -> None:
    code, out, err = run(capsys, "fit", *WORDS)
    assert (code, err) == (0, "")
    assert "Compare  4 penalties on the same 5 folds, 24 paths in all; --no-compare fits the lasso alone" in out
    comparison = saved()
    assert comparison.l1_ratios == (1.0, 0.5, 0.1, 0.0)
    assert all(cv.predictions is None for cv in comparison)
    rows = {line.split("  ")[0]: line for line in out.splitlines() if "+/-" in line}
    picked = comparison.picked
    for cv, name in zip(comparison, ("lasso", "elastic net 0.5", "elastic net 0.1", "ridge"), strict=True):
        (row,) = [line for start, line in rows.items() if start.removesuffix(" (selected)") == name]
        assert ("(selected)" in row) == (cv is picked)
        one = comparison.candidate(cv, "best")
        assert facts.with_error(one.cv_mean, one.cv_se) in row
        assert ("the best" in row) == (cv is comparison.best)
        assert row.split()[-1] == str(cv.path.n_nonzero[cv.index_1se])
    assert facts.with_error(comparison.null_mean, comparison.null_se) in rows["no features"]
    assert "Take     For prediction: " in out
    assert "         For a short list: " in out
    assert re.search(rf"features (kept|used) +{picked.at('1se').n_nonzero} of 5", out)
    assert pl.read_csv("out/path.csv")["lam"].to_list() == picked.lambdas.tolist()


@pytest.mark.parametrize(
    ("words", "ratio"),
    [
        (["--no-compare"], 1.0),
        (["--penalty", "l1"], 1.0),
        (["--penalty", "l2"], 0.0),
        (["--penalty", "elasticnet"], 0.5),
        (["--l1-ratio", "0.3"], 0.3),
        (["--no-compare", "--l1-ratio", "0.3"], 0.3),
        (["--no-compare", "--penalty", "l2"], 0.0),
        (["--select", "0.02"], 1.0),
    ],
)
def test_one_alone(words: list[str], ratio: float, folder: Path, capsys: Capture) -> None:
    code, out, _ = run(capsys, "fit", *WORDS, *words)
    assert code == 0
    assert "Compare" not in out
    assert "For prediction" not in out
    found = load("out/model.json")
    assert isinstance(found, CVPath)
    assert found.path.l1_ratio == ratio


def test_ridge_alone_is_that_of_the_comparison(folder: Path, capsys: Capture) -> None:
    assert run(capsys, "fit", *WORDS)[0] == 0
    compared = saved().with_mix(0.0)
    assert run(capsys, "fit", *WORDS, "--penalty", "l2")[0] == 0
    alone = load("out/model.json")
    assert isinstance(alone, CVPath)
    np.testing.assert_array_equal(alone.cv_mean, compared.cv_mean)


def test_select_picks_the_mix_by_its_rule(folder: Path, capsys: Capture) -> None:
    assert run(capsys, "fit", *WORDS, "--select", "best")[0] == 0
    comparison = saved()
    code, out, _ = run(capsys, "show", "out/model.json", "--json")
    assert code == 0
    assert json.loads(out)["l1_ratio"] == comparison.best.path.l1_ratio
    code, out, _ = run(capsys, "show", "out/model.json", "--json", "--lam", "1se")
    assert json.loads(out)["l1_ratio"] == comparison.best.path.l1_ratio  # a lambda of the same mix


def test_another_mix_of_the_file(folder: Path, capsys: Capture) -> None:
    assert run(capsys, "fit", *WORDS)[0] == 0
    comparison, table = saved(), pl.read_csv("t.csv")
    for words, ratio in (
        ([], comparison.picked.path.l1_ratio),
        (["--penalty", "l2"], 0.0),
        (["--penalty", "l1"], 1.0),
        (["--l1-ratio", "0.1"], 0.1),
        (["--penalty", "l2", "--l1-ratio", "0"], 0.0),
    ):
        code, out, _ = run(capsys, "predict", "out/model.json", "t.csv", "--kind", "link", *words, "--json")
        assert code == 0
        expected = comparison.with_mix(ratio).predict(table)
        np.testing.assert_allclose(json.loads(out)["prediction"], expected, rtol=1e-12)
        code, out, _ = run(capsys, "show", "out/model.json", *words, "--json")
        assert code == 0
        told = json.loads(out)
        assert told["l1_ratio"] == ratio
        assert ("comparison" in told) == (not words)
        code, _, _ = run(capsys, "report", "out/model.json", *words, "-o", "r.html")
        assert code == 0
        code, out, _ = run(capsys, "score", "out/model.json", "t.csv", *words, "--bootstrap", "0", "--json")
        assert code == 0
        expected = comparison.with_mix(ratio).at("1se").evaluate(table, "y", n_bootstrap=0).to_dict()
        told = json.loads(out)
        assert {name: told[name] for name in expected} == json.loads(json.dumps(machine_form(expected)))
    code, _, err = run(capsys, "predict", "out/model.json", "t.csv", "--l1-ratio", "0.3")
    assert code == 2
    assert "--l1-ratio 0.3 is none of the penalties compared: give --l1-ratio with one of 1, 0.5, 0.1, 0" in err
    code, _, err = run(capsys, "show", "out/model.json", "--penalty", "l1", "--l1-ratio", "0.1")
    assert code == 2
    assert "--penalty l1 has a fixed --l1-ratio: give one of the two" in err
    assert run(capsys, "fit", *WORDS, "--no-compare")[0] == 0
    code, _, err = run(capsys, "show", "out/model.json", "--penalty", "l2")
    assert code == 2
    assert "this model holds one penalty, L1, and no other" in err


def test_the_comparison_as_data(folder: Path, capsys: Capture) -> None:
    code, out, _ = run(capsys, "fit", *WORDS, "--json")
    assert code == 0
    told, comparison = json.loads(out)["comparison"], saved()
    assert told["picked"] == comparison.picked.path.l1_ratio
    assert told["best"] == comparison.best.path.l1_ratio
    assert told["null"]["cv_mean"] == comparison.null_mean
    for mix, cv in zip(told["mixes"], comparison, strict=True):
        assert mix["l1_ratio"] == cv.path.l1_ratio
        for name, index in (("lambda_best", cv.index_best), ("lambda_1se", cv.index_1se)):
            one = comparison.candidate(cv, index)
            assert mix[name]["lam"] == cv.lambdas[index]
            assert (mix[name]["loss"], mix[name]["loss_se"]) == (one.loss, one.loss_se)
    assert told["short_list"]["n_nonzero"] == comparison.short_list().n_nonzero
    assert len(told["advice"]) == 3


def test_a_fit_that_is_stopped_keeps_the_mixes_that_are_finished(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds, last = [0], [0]

    def in_the_third(done: int, total: int) -> bool:
        rounds[0] += done < last[0]
        last[0] = done
        return rounds[0] == 2 and done > 0

    def stopped(*arguments: Any, progress: Any, **options: Any) -> Comparison:
        return compare(*arguments, progress=in_the_third, **options)

    monkeypatch.setattr("normball.mixes.compare", stopped)
    code, out, err = run(capsys, "fit", *WORDS)
    assert code == 130
    comparison = saved()
    *_, last = comparison
    is_cut = last.lambdas.size < (100 if last.path.l1_ratio else 50)
    assert f"Interrupted after {len(comparison) - is_cut} of 4 penalties" in err
    assert "What was finished is in out." in err
    assert not is_cut or "W33" not in [finding.code for finding in last.findings]  # its end is where it was stopped
    assert comparison.l1_ratios[:2] == (1.0, 0.5)
    assert [cv.lambdas.size for cv in comparison][:2] == [100, 100]
    assert "lasso" in out
    assert "ridge" not in out
    assert all("W32" in [finding.code for finding in cv.findings] for cv in comparison)


def test_mixes_asked_for_are_compared_without_a_hint_that_would_fail(folder: Path, capsys: Capture) -> None:
    code, out, _ = run(capsys, "fit", *WORDS, "--l1-ratio", "0.1,0.5")
    assert code == 0
    [line] = [line for line in out.splitlines() if line.startswith("Compare")]
    assert line == "Compare  2 penalties on the same 5 folds, 12 paths in all"


def test_what_does_not_go_together(folder: Path, capsys: Capture) -> None:
    for words, message in (
        (("--no-compare", "--l1-ratio", "0,1"), "--no-compare needs a single --l1-ratio"),
        (("--l1-ratio", "0,1", "--select", "0.1"), "--select with a number needs a single --l1-ratio"),
    ):
        code, _, err = run(capsys, "fit", *WORDS, *words)
        assert code == 2
        assert message in err


def test_the_code_on_the_page_is_that_of_each_mix(folder: Path, capsys: Capture) -> None:
    assert run(capsys, "fit", *WORDS, "--tol", "1e-10")[0] == 0
    model, made = load_model("out/model.json")
    assert isinstance(model, Comparison)
    for cv in model:
        told: dict[str, Any] = {}
        exec(compile(recipes(cv, made, cv.lambda_best)[0].code, "recipe", "exec"), told)
        again = told["cv"]
        assert again.lambdas.tolist() == cv.lambdas.tolist()
        np.testing.assert_allclose(told["fit"].coef, cv.at("best").coef, atol=1e-6)


def test_a_choice_of_lambda_is_no_choice_of_the_penalty(folder: Path, capsys: Capture) -> None:
    assert run(capsys, "fit", "t.csv", "--target", "y", "-o", "m", "--cv", "3", "--bootstrap", "0")[0] == 0
    saved = load("m/model.json")
    assert isinstance(saved, Comparison)
    picked = saved.pick("1se")
    for lam in ("1se", "best"):
        _, out, _ = run(capsys, "predict", "m/model.json", "t.csv", "--lam", lam, "--json")
        assert json.loads(out)["lam"] == picked.at(lam).lam
