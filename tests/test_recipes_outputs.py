"""The code on a page of several outputs: it is run, and gives the same model."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import alone_unless
from normball.cli import main
from normball.cli.models import load_model
from normball.report.recipes import recipes
from normball.report.reproduce import one_line
from normball.run import Run
from test_recipes import r_with_glmnet  # noqa: F401  (a fixture)

CLASSES = ("--target", "class")
TARGETS = ("--target", "u,v", "--family", "multigaussian")
CASES = {
    "classes": (*CLASSES, "--drop", "w"),
    "classes, ridge, weighted": (*CLASSES, "--penalty", "l2", "--weights", "w"),
    "classes, elastic net": (*CLASSES, "--l1-ratio", "0.4", "--drop", "w", "--no-standardize"),
    "classes, grouped": (*CLASSES, "--grouped", "--weights", "w"),
    "classes, grouped elastic net": (*CLASSES, "--grouped", "--l1-ratio", "0.4", "--drop", "w"),
    "classes, offsets": (*CLASSES, "--drop", "w", "--offset", "of_high,of_low,of_mid"),
    "targets": (*TARGETS, "--drop", "w,class"),
    "targets, elastic net": (*TARGETS, "--l1-ratio", "0.4", "--drop", "w,class"),
    "targets, ridge, weighted": (*TARGETS, "--penalty", "l2", "--weights", "w", "--drop", "class"),
    "targets, weighted": (*TARGETS, "--weights", "w", "--drop", "class"),
    "targets, each by itself": (*TARGETS, "--no-grouped", "--drop", "w,class"),
    "targets, each by itself, elastic net": (*TARGETS, "--no-grouped", "--l1-ratio", "0.4", "--drop", "w,class"),
}
WITHOUT_SKLEARN = {"classes, grouped", "classes, grouped elastic net", "classes, offsets", "targets, weighted"}
WITHOUT_GLMNET = {"targets, each by itself", "targets, each by itself, elastic net"}


def table() -> pl.DataFrame:
    """Three classes, two targets in units of their own, numbers and labels."""
    rng = np.random.default_rng(7)
    n = 200
    a, b, c = rng.normal(size=(3, n)) * [[1.0], [50.0], [0.2]]
    colour = rng.choice(["red", "green", "blue"], n)
    eta = np.column_stack([a, b / 50 - a, (colour == "red") - c])
    labels = np.array(["low", "mid", "high"])[(eta + rng.gumbel(size=(n, 3))).argmax(axis=1)]
    u, v = 20 * (eta[:, 0] + rng.normal(size=n)), eta[:, 1] + rng.normal(size=n)
    weights = rng.uniform(0.5, 2, n)
    return pl.DataFrame({"class": labels, "u": u, "v": v, "a": a, "b": b, "c": c, "colour": colour, "w": weights})


def fitted(case: str) -> tuple[nb.CVPath, Run, float]:
    """A model fitted on the command line, as it was saved, so precise that coefficients can be compared."""
    words = CASES[case]
    kept = table() if "u,v" in words else table().drop("u", "v")
    if "--offset" in words:
        offsets = np.random.default_rng(3).normal(size=(kept.height, 3))
        kept = kept.hstack(pl.DataFrame(offsets, schema=["of_high", "of_low", "of_mid"]))
    kept.write_csv("t.csv")
    assert (
        main(
            ["fit", "t.csv", *alone_unless(words), *words, "--tol", "1e-12", "--cv", "3", "--select", "best", "--quiet"]
        )
        == 0
    )
    cv, made = load_model("model.json")
    assert isinstance(cv, nb.CVPath)
    return cv, made, cv.lambda_best


@pytest.mark.parametrize("case", CASES)
def test_normball_code(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cv, made, lam = fitted(case)
    again: dict[str, Any] = {}
    exec(recipes(cv, made, lam)[0].code, again)
    assert np.array_equal(again["fit"].coef, cv.at("best").coef)
    assert np.array_equal(again["cv"].cv_mean, cv.cv_mean)


@pytest.mark.parametrize("case", CASES)
def test_sklearn_code(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cv, made, lam = fitted(case)
    recipe = recipes(cv, made, lam)[1]
    assert bool(recipe.code) == ("sklearn" in one_line(cv.path, lam, made)) == (case not in WITHOUT_SKLEARN)
    if not recipe.code:
        assert recipe.note.startswith("scikit-learn has no ")
        return
    theirs: dict[str, Any] = {}
    exec(recipe.code, theirs)
    model, X = theirs["model"], theirs["X"]
    has_classes = cv.path.classes is not None
    predicted = model.predict_proba(X) if has_classes else model.predict(X)
    ours = cv.predict(pl.from_pandas(X), lam="best", kind="response")
    assert np.allclose(predicted, ours, rtol=1e-4, atol=1e-4)
    if has_classes:
        assert list(model.classes_) == list(cv.path.classes or ())


@pytest.mark.parametrize("case", CASES)
def test_glmnet_code(
    case: str,
    r_with_glmnet: None,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    cv, made, lam = fitted(case)
    recipe = recipes(cv, made, lam)[2]
    assert bool(recipe.code) == ("glmnet lambda" in one_line(cv.path, lam, made)) == (case not in WITHOUT_GLMNET)
    if not recipe.code:
        assert recipe.note.startswith("glmnet has no penalty on each of several targets by itself")
        return
    end = 'write.csv(sapply(coef(fit, s = min(fit$lambda)), as.matrix), "theirs.csv", row.names = FALSE)\n'
    end += 'writeLines(rownames(coef(fit)[[1]]), "names.txt")\n'
    done = subprocess.run(["Rscript", "-"], input=f"{recipe.code}\n{end}", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = pl.read_csv("theirs.csv")
    names = Path("names.txt").read_text().splitlines()
    fit = cv.at("best")
    intercepts = np.asarray(fit.intercept)
    middle = intercepts.mean() if cv.path.classes else 0.0  # of classes only differences count
    for output, coef, intercept in zip(fit.output_names, fit.coef, intercepts - middle, strict=True):
        by_name = dict(zip(names, theirs[output].to_list(), strict=True))
        found = [by_name[name.replace(" = ", "")] for name in fit.feature_names]
        scale = np.abs(fit.coef_per_sd).max() / fit.scales
        assert np.all(np.abs(found - coef) < 1e-3 * scale), output
        assert by_name[names[0]] == pytest.approx(intercept, rel=1e-3, abs=1e-3)


def test_shares_of_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X, shares = rng.normal(size=(80, 2)), rng.dirichlet([1, 2, 3], size=80)
    columns = pl.DataFrame(X, schema=["a", "b"]).hstack(pl.DataFrame(shares, schema=["p", "q", "r"]))
    columns.write_csv("t.csv")
    words = ["--target", "p,q", "--target", "r", "--family", "multinomial", "--cv", "3", "--quiet"]
    assert main(["fit", "--no-compare", "t.csv", *words]) == 0
    cv, made = load_model("model.json")
    assert isinstance(cv, nb.CVPath)
    assert made.targets == ("p", "q", "r")
    ours, sklearn, glmnet = recipes(cv, made, cv.lambda_best)
    assert "'t.csv'" in ours.code
    assert "['p', 'q', 'r']" in ours.code
    assert sklearn.note == "scikit-learn has no target of shares of classes."
    assert 'as.matrix(table[c("p", "q", "r")])' in glmnet.code


def test_arrays_have_a_recipe_with_the_penalty_that_was_used() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(60, 3)), rng.normal(size=(60, 2))
    for grouped, words in ((None, ""), (True, ""), (False, ", grouped=False)")):
        cv = nb.cv_path(X, Y, family="multigaussian", cv=3, n_lambdas=5, grouped=grouped)
        code = recipes(cv, Run(), cv.lambda_best)[0].code
        assert ("grouped" in code) == bool(words)
        assert words in code
