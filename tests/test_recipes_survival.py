"""The code on the page of a Cox model: it is run, and gives the same model."""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import alone_unless
from normball.cli import main
from normball.cli.models import load_model
from normball.report.recipes import recipes, same_as
from normball.run import Run
from oracle_cox import CoxLoss
from test_recipes import r_with_glmnet  # noqa: F401

N = 160
CASES = {
    "lasso, efron": ["--drop", "since,site,w"],
    "lasso": ["--family", "cox(breslow)", "--drop", "since,site,w"],
    "elastic net, efron": ["--l1-ratio", "0.4", "--drop", "since,site,w"],
    "elastic net, weighted": [
        "--family",
        "cox(breslow)",
        "--l1-ratio",
        "0.4",
        "--weights",
        "w",
        "--drop",
        "since,site",
    ],
    "ridge, efron": ["--penalty", "l2", "--drop", "since,site,w"],
    "everything": ["--start", "since", "--strata", "site", "--weights", "w"],
    "everything, breslow": ["--family", "cox(breslow)", "--start", "since", "--strata", "site", "--weights", "w"],
    "not standardised": ["--family", "cox(breslow)", "--no-standardize", "--drop", "since,site,w"],
}


def table() -> pl.DataFrame:
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, N)) * [[1.0], [50.0]]
    colour = rng.choice(["red", "green", "blue"], N)
    time = np.ceil(30 * rng.exponential(np.exp(-a + b / 50 - (colour == "red")))) + 1
    columns = {"time": time, "event": rng.random(N) < 0.7, "since": np.floor(time * 0.5 * rng.random(N))}
    return pl.DataFrame(columns | {"a": a, "b": b, "colour": colour, "site": rng.choice(["x", "y"], N),
                                   "w": rng.integers(1, 4, N)})  # fmt: skip


Fitted = Callable[[str], tuple[nb.CVPath, Run, float]]


@pytest.fixture(scope="module")
def of_case(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[nb.CVPath, Run, float, Path]]:
    """A model fitted on the command line, as it was saved, and the folder of its table."""

    @cache
    def made(case: str) -> tuple[nb.CVPath, Run, float, Path]:
        folder = tmp_path_factory.mktemp("case")
        table().write_csv(folder / "t.csv")
        words = [*CASES[case], "--tol", "1e-12", "--cv", "3", "--bootstrap", "0", "--quiet", "-o", str(folder)]
        words += ["--target", "time", "--event", "event"]
        assert main(["fit", str(folder / "t.csv"), *words, *alone_unless(words)]) == 0
        cv, run = load_model(str(folder / "model.json"))
        assert isinstance(cv, nb.CVPath)
        return cv, run, float(cv.lambdas[20]), folder

    return made


@pytest.fixture
def fitted(of_case: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Fitted:
    def there(case: str) -> tuple[nb.CVPath, Run, float]:
        cv, run, lam, folder = of_case(case)
        monkeypatch.chdir(folder)
        return cv, run, lam

    return there


@pytest.mark.parametrize("case", ["everything", "lasso"])
def test_normball_code(case: str, fitted: Fitted) -> None:
    cv, made, lam = fitted(case)
    again: dict[str, Any] = {}
    exec(recipes(cv, made, lam)[0].code, again)
    assert np.array_equal(again["fit"].coef, cv.at(lam=lam).coef)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case, words in CASES.items() if "cox(breslow)" in words])
def test_glmnet_code(case: str, r_with_glmnet: None, fitted: Fitted) -> None:  # noqa: F811
    cv, made, lam = fitted(case)
    recipe = recipes(cv, made, lam)[1]
    assert (recipe.title, recipe.note) == ("glmnet (R)", "")
    end = 'write.csv(as.matrix(coef(fit, s = min(fit$lambda))), "theirs.csv")\n'
    done = subprocess.run(["Rscript", "-"], input=f"{recipe.code}\n{end}", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = pl.read_csv("theirs.csv")
    by_name = dict(zip(theirs[:, 0].to_list(), theirs[:, 1].to_list(), strict=True))
    fit = cv.at(lam=lam)
    for name, value in zip(fit.feature_names, fit.coef, strict=True):
        assert by_name[name.replace(" = ", "")] == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_glmnet_has_other_ties(fitted: Fitted) -> None:
    cv, made, lam = fitted("everything")
    recipe = recipes(cv, made, lam)[1]
    assert "stratifySurv(survival::Surv(" in recipe.code
    assert recipe.note.startswith("It takes tied events by Breslow's approximation, and this model by Efron's")


class Said(Exception):
    """What a recipe asked another program for."""


def said(code: str, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], dict[str, Any]]:
    """The variables and the arguments with which a recipe calls a package that is not here."""
    heard: dict[str, Any] = {}

    class Estimator:
        def __init__(self, **arguments: Any) -> None:
            heard.update(arguments)

        def fit(self, X: Any, y: Any = None, *roles: Any, **more: Any) -> None:
            heard.update(more, X=X, y=y)
            raise Said

    surv = type("Surv", (), {"from_arrays": staticmethod(lambda event, time: (np.array(event), np.array(time)))})
    for name, content in {
        "lifelines": {"CoxPHFitter": Estimator},
        "sksurv": {},
        "sksurv.linear_model": {"CoxnetSurvivalAnalysis": Estimator, "CoxPHSurvivalAnalysis": Estimator},
        "sksurv.util": {"Surv": surv},
    }.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    names: dict[str, Any] = {}
    with pytest.raises(Said):
        exec(code, names)
    return names, heard


def violation(gradient: Any, beta: Any, lam: Any, ratio: Any) -> float:
    """How far the coefficients are from minimising a loss plus an elastic net."""
    left = gradient + lam * (1 - ratio) * beta
    kept = np.abs(left + lam * ratio * np.sign(beta))
    return float(np.where(beta != 0, kept, np.maximum(0, np.abs(left) - lam * ratio)).max())


WITHOUT = {"scikit-survival": {"elastic net, weighted", "everything", "everything, breslow"},
           "lifelines": {"elastic net, weighted"}}  # fmt: skip


@pytest.mark.parametrize("program", [2, 3], ids=["scikit-survival", "lifelines"])
@pytest.mark.parametrize("case", CASES)
def test_their_problem_is_ours(case: str, program: int, fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our coefficients minimise what their documentation says of the arguments that they are given.

    scikit-survival 0.28: minus the log-likelihood over n plus alpha times the elastic net (its ridge: alpha / 2n).
    lifelines 0.30: minus the log-likelihood plus n times the penalty of coefficients per standard deviation with n - 1.
    """
    cv, made, lam = fitted(case)
    recipe = recipes(cv, made, lam)[program]
    if case in WITHOUT[recipe.title]:
        assert recipe.note.startswith(f"{recipe.title} has no ")
        assert recipe.code == ""
        return
    names, heard = said(recipe.code, monkeypatch)
    rows, fit, ties = table(), cv.at(lam=lam), "efron" if cv.path.family == "cox" else "breslow"
    if recipe.title == "lifelines":
        frame = heard["X"]
        Z = names["Z"].to_numpy()
        ratio, strength = heard["l1_ratio"], heard["penalizer"]
        times = ["start", "time", "event"] if heard.get("entry_col") else ["time", "event"]
        weights = frame["weights"].to_numpy() if "weights_col" in heard else None
        strata = frame["strata"].to_numpy() if "strata" in heard else None
        loss = CoxLoss(frame[times].to_numpy(float), weights, strata, ties)
        scale, total = Z.std(axis=0, ddof=1), N / (N if weights is None else weights.sum())
    else:
        Z, (event, time) = np.asarray(heard["X"]), heard["y"]
        np.testing.assert_array_equal(event, rows["event"].to_numpy())
        ratio = heard.get("l1_ratio", 0.0)
        strength = heard["alpha"] / N if "alpha" in heard else np.array(heard["alphas"])[-1]
        loss, scale, total = CoxLoss(np.column_stack([time, event]), ties=ties), np.ones(Z.shape[1]), 1.0
        if cv.path.l1_ratio == 0:
            assert heard["ties"] == ties
    columns = [fit.coef_per_sd[j] for j in _places(Z, rows, fit, made)]
    beta = np.array(columns)
    gradient = Z.T @ loss.gradient(Z @ beta) / scale
    assert violation(gradient, beta * scale, strength * total, ratio) < 1e-6
    assert violation(gradient, beta * scale, 0.9 * strength * total, ratio) > 1e-4
    other_ties = ties == "breslow" if recipe.title == "lifelines" else ties == "efron" and cv.path.l1_ratio > 0
    assert ("tied events" in recipe.note) == other_ties


def _places(Z: Any, rows: pl.DataFrame, fit: Any, made: Run) -> list[int]:
    """Which of our features each of their columns is, by its values per standard deviation but for a shift."""
    ours = []
    for name, scale in zip(fit.feature_names, fit.scales, strict=True):
        column, _, level = name.partition(" = ")
        values = (rows[column] == level).to_numpy().astype(float) if level else rows[column].to_numpy()
        ours.append(values / scale)
    return [next(j for j, one in enumerate(ours) if np.ptp(column - one) < 1e-9) for column in Z.T]


@pytest.mark.parametrize("case", ["lasso, efron", "ridge, efron", "everything", "lasso"])
def test_where_they_are_here_they_agree(case: str, fitted: Fitted) -> None:
    pytest.importorskip("lifelines")
    pytest.importorskip("sksurv")
    cv, made, lam = fitted(case)
    expected = np.sort(cv.at(lam=lam).coef_per_sd)
    _, _, sksurv, lifelines = recipes(cv, made, lam)
    theirs: dict[str, Any] = {}
    if "Efron" not in lifelines.note:
        exec(lifelines.code, theirs)
        np.testing.assert_allclose(np.sort(theirs["fitter"].params_), expected, atol=1e-5)
    if sksurv.code and not sksurv.note:
        exec(sksurv.code, theirs)
        np.testing.assert_allclose(
            np.sort(theirs["model"][-1].coef_.reshape(len(expected), -1)[:, -1]), expected, atol=1e-5
        )


def test_one_line(fitted: Fitted) -> None:
    cv, made, lam = fitted("lasso, efron")
    share = np.sqrt(1 - 1 / N)
    assert same_as(cv.path, lam, made) == (
        f"glmnet lambda={lam:.4g} (Breslow's ties; Efron's from its version 5 on);  lifelines CoxPHFitter(penalizer="
        f"{lam * share:.4g}, l1_ratio=1), whose zeros are approximate"
    )
    cv, made, lam = fitted("lasso")
    sksurv = f"sksurv CoxnetSurvivalAnalysis(alphas=[{lam:.4g}], l1_ratio=1) on standardised X"
    assert same_as(cv.path, lam, made) == f"glmnet lambda={lam:.4g};  {sksurv}"


def test_arrays_without_names() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = np.column_stack([rng.exponential(size=60), rng.random(60) < 0.7])
    cv = nb.cv_path(X, y, family="cox", cv=3, n_lambdas=5, strata=np.arange(60) % 2)
    _, glmnet, sksurv, lifelines = recipes(cv, Run(), cv.lambda_best)
    assert glmnet.code.splitlines()[1].startswith("# x, y: the arrays")
    assert sksurv.note == "scikit-survival has no strata."
    assert "their column is not known" in lifelines.note
    plain = nb.cv_path(X, y, family="cox", cv=3, n_lambdas=5)
    assert re.search(r"^event, time = y\[:, -1\] == 1, y\[:, -2\]$", recipes(plain, Run(), 0.1)[3].code, re.MULTILINE)


def test_times_that_differ_by_rounding_are_told_where_they_are_not_tied() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 2))
    times, event = np.ceil(10 * rng.exponential(size=60)) / 10, rng.random(60) < 0.7
    notes = {}
    for rounded in (True, False):
        y = np.column_stack([times if rounded else times * (1 + 1e-15 * (np.arange(60) % 2)), event])
        cv = nb.cv_path(X, y, family="cox(breslow)", cv=3, n_lambdas=5)
        notes[rounded] = [recipe.note for recipe in recipes(cv, Run(), 0.1)]
    told = "Times that differ from another by rounding only are tied here, and there they are not: round them first."
    assert notes[True] == ["", "", "", notes[True][3]]
    assert notes[False] == ["", told, told, f"{notes[True][3]} {told}"]
