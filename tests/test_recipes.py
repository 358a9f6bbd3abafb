"""The code on a page: it is run, and gives the same model."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file

import normball as nb
from commands import alone_unless
from normball.cli import main
from normball.cli.models import load_model
from normball.report.recipes import recipes
from normball.report.reproduce import one_line
from normball.run import Run


def table(kind: str) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    n = 160
    a, b = rng.normal(size=(2, n)) * [[1.0], [50.0]]
    colour = rng.choice(["red", "green", "blue"], n)
    eta = a - b / 50 + (colour == "red")
    y: Any = {
        "gaussian": lambda: 20 * (eta + rng.normal(size=n)),
        "binomial": lambda: np.where(eta + rng.logistic(size=n) > 0, "yes", "no"),
        "poisson": lambda: rng.poisson(np.exp(eta / 2)),
        "amounts": lambda: np.exp(eta / 2) * rng.gamma(2.0, size=n),
        "counts": lambda: rng.negative_binomial(1, 1 / (1 + np.exp(1 + eta / 2))),
    }[kind]()
    columns = {"y": y, "a": a, "b": b, "colour": colour, "id": np.arange(n), "w": rng.uniform(0.5, 2, n)}
    return pl.DataFrame(columns).with_columns(b=pl.when(pl.col("id") % 9 > 0).then("b"))


CASES = {
    "lasso": ("gaussian", ["--drop", "b,w"]),
    "ridge": ("gaussian", ["--penalty", "l2", "--drop", "w", "--missing", "drop"]),
    "elastic net, weighted": ("gaussian", ["--l1-ratio", "0.4", "--weights", "w", "--drop", "b"]),
    "not standardised": ("gaussian", ["--no-standardize", "--drop", "b,w"]),
    "logistic lasso": ("binomial", ["--drop", "b,w"]),
    "logistic ridge, weighted": ("binomial", ["--penalty", "l2", "--weights", "w", "--drop", "b"]),
    "logistic elastic net, imputed": ("binomial", ["--penalty", "elasticnet", "--drop", "w", "--missing", "impute"]),
    "poisson ridge": ("poisson", ["--penalty", "l2", "--family", "poisson", "--drop", "b,w"]),
    "poisson lasso": ("poisson", ["--family", "poisson", "--drop", "b,w"]),
    "unpenalised": ("binomial", ["--keep-unpenalised", "a", "--drop", "b,w"]),
    "gamma ridge": ("amounts", ["--penalty", "l2", "--family", "gamma", "--weights", "w", "--drop", "b"]),
    "gamma lasso": ("amounts", ["--family", "gamma", "--drop", "b,w"]),
    "tweedie ridge": ("poisson", ["--penalty", "l2", "--family", "tweedie(1.3)", "--drop", "b,w"]),
    "negative binomial": ("counts", ["--family", "negative_binomial", "--drop", "b,w"]),
    "exposure": ("poisson", ["--family", "poisson", "--exposure", "w", "--drop", "b"]),
}


def fitted(case: str, folder: Path) -> tuple[Any, Any, float]:
    """A model fitted on the command line, as it was saved."""
    kind, words = CASES[case]
    table(kind).write_csv(folder / "t.csv")
    # a precise certificate, so that coefficients can be compared
    words = [*words, "--drop", "id", "--tol", "1e-12", "--cv", "3", "--select", "best", "--quiet"]
    assert main(["fit", "t.csv", "--target", "y", *words, *alone_unless(words)]) == 0
    cv, made = load_model("model.json")
    assert isinstance(cv, nb.CVPath)
    return cv, made, cv.lambda_best


@pytest.mark.parametrize("case", CASES)
def test_normball_code(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cv, made, lam = fitted(case, tmp_path)
    recipe = recipes(cv, made, lam)[0]
    assert recipe.code.startswith("# normball fit t.csv --target y")
    again: dict[str, Any] = {}
    exec(recipe.code, again)
    assert np.array_equal(again["fit"].coef, cv.at("best").coef)
    assert np.array_equal(again["cv"].cv_mean, cv.cv_mean)


def test_nobody_else_has_this_huber_loss() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    for l1_ratio in (0.0, 1.0):
        cv = nb.cv_path(X, X[:, 0], family="huber(0.5)", l1_ratio=l1_ratio, cv=3, n_lambdas=5)
        ours, sklearn, glmnet = recipes(cv, Run(), cv.lambda_best)
        assert 'family="huber(0.5)"' in ours.code
        assert sklearn.note.startswith("scikit-learn has no Huber regression of a given delta")
        assert "hqreg" in glmnet.note
        assert sklearn.code == glmnet.code == ""
        assert one_line(cv.path, cv.lambda_best) == "nothing in glmnet: see the report"


@pytest.mark.parametrize("case", CASES)
def test_sklearn_code(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cv, made, lam = fitted(case, tmp_path)
    recipe = recipes(cv, made, lam)[1]
    assert bool(recipe.code) == ("sklearn" in one_line(cv.path, lam))
    if case in ("poisson lasso", "unpenalised", "exposure", "gamma lasso", "negative binomial"):
        assert recipe.note.startswith("scikit-learn has no ")
        return
    theirs: dict[str, Any] = {}
    exec(recipe.code, theirs)
    model, X = theirs["model"], theirs["X"]
    ours = cv.predict(pl.from_pandas(X), lam="best", kind="response")
    predicted = model.predict_proba(X)[:, 1] if cv.path.family == "binomial" else model.predict(X)
    assert np.allclose(predicted, ours, rtol=1e-4, atol=1e-5)
    coefs = np.sort(np.ravel(model[-1].coef_))
    assert np.allclose(coefs, np.sort(cv.at("best").coef_per_sd), rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="session")
def r_with_glmnet() -> None:
    has_r = shutil.which("Rscript") is not None
    if not has_r or subprocess.run(["Rscript", "-e", "library(glmnet)"], capture_output=True).returncode:
        pytest.skip("R's glmnet is not here")


@pytest.mark.parametrize("case", CASES)
def test_glmnet_code(case: str, r_with_glmnet: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cv, made, lam = fitted(case, tmp_path)
    recipe = recipes(cv, made, lam)[2]
    if made.options.get("missing") == "impute":
        assert recipe.note
        return
    end = 'write.csv(as.matrix(coef(fit, s = min(fit$lambda))), "theirs.csv")\n'
    done = subprocess.run(["Rscript", "-"], input=f"{recipe.code}\n{end}", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = pl.read_csv("theirs.csv")
    by_name = dict(zip(theirs[:, 0].to_list(), theirs[:, 1].to_list(), strict=True))
    fit = cv.at("best")
    for name, value in zip(fit.feature_names, fit.coef, strict=True):
        assert by_name[name.replace(" = ", "")] == pytest.approx(value, rel=1e-3, abs=1e-5)
    assert by_name["(Intercept)"] == pytest.approx(fit.intercept, rel=1e-3, abs=1e-5)


def _svmlight(place: Path, y: np.ndarray, X: np.ndarray) -> None:
    dump_svmlight_file(sparse.csr_array(X), y, str(place))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.parquet", lambda place, y, X: _frame(y, X).write_parquet(place)),
        ("t.feather", lambda place, y, X: _frame(y, X).write_ipc(place)),
        ("t.tsv", lambda place, y, X: _frame(y, X).write_csv(place, separator="\t")),
        ("t.svmlight", _svmlight),
    ],
)
def test_code_reads_other_files(
    name: str, write: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(80, 4)), 3) * (rng.uniform(size=(80, 4)) < 0.7)
    y = np.round(X @ [1.0, -1.0, 0.5, 0.0] + rng.normal(size=80), 3)
    write(tmp_path / name, y, X)
    target = "label" if name == "t.svmlight" else "y"
    assert main(["fit", name, "--no-compare", "--target", target, "--tol", "1e-12", "--cv", "3", "--quiet"]) == 0
    cv, made = load_model("model.json")
    assert isinstance(cv, nb.CVPath)
    in_normball, in_sklearn, in_glmnet = recipes(cv, made, cv.lambda_1se)
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    exec(in_normball.code, ours)
    exec(in_sklearn.code, theirs)
    assert np.array_equal(ours["fit"].coef, cv.at("1se").coef)
    assert np.allclose(np.ravel(theirs["model"][-1].coef_), cv.at("1se").coef_per_sd, atol=1e-5)
    assert name in in_glmnet.code


def _frame(y: np.ndarray, X: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(X, schema=list("abcd")).insert_column(0, pl.Series("y", y))


@pytest.mark.parametrize("example", ["diabetes", "breast_cancer", "wine"])
def test_code_of_the_examples(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "--no-compare", "--example", example, "--cv", "3", "--quiet"]) == 0
    cv, made = load_model("model.json")
    assert isinstance(cv, nb.CVPath)
    ours: dict[str, Any] = {}
    exec(recipes(cv, made, cv.lambda_1se)[0].code, ours)
    assert np.allclose(ours["fit"].coef, cv.at("1se").coef)


def test_bounds_have_no_recipe() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    cv = nb.cv_path(X, X[:, 0] + rng.normal(size=50), lower_bounds=0.0, fit_intercept=False, cv=3)
    _, in_sklearn, in_glmnet = recipes(cv, Run(), cv.lambda_best)
    assert "bounds on coefficients" in in_sklearn.note
    assert "lower.limits" in in_glmnet.note
