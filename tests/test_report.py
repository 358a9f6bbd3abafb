"""The page: safe, offline, true to the result, and with code that gives the same model."""

import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file

import normball as nb
from normball.cli import main
from normball.cli.models import load_model
from normball.report import charts, svg, write_report
from normball.report.reproduce import one_line, recipes
from normball.results import facts

NASTY = ["</script><b>", '<img src=x onerror="alert(1)">', "a & b", "'\"quoted\"'", "\u202eright to left", "😀 smile"]


@pytest.fixture(scope="module")
def cv() -> nb.CVPath:
    """A logistic path over columns with names that a page must escape."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(150, len(NASTY)))
    y = (X @ np.arange(len(NASTY)) + 3 * rng.logistic(size=150) > 0).astype(int)
    return nb.cv_path(pl.DataFrame(X, schema=NASTY), y, family="binomial", cv=5)


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_is_safe_and_offline(cv: nb.CVPath, tmp_path: Path) -> None:
    cv.report(tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert not {"script", "img", "b", "link", "iframe"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "default-src 'none'" in dict(page.attributes).values() or "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}
    for name in NASTY:
        assert name in page.text
    assert len([tag for tag in page.tags if tag == "svg"]) == 2
    identities = [value for name, value in page.attributes if name == "id"]
    assert len(identities) == len(set(identities))


def test_page_says_what_the_result_says(cv: nb.CVPath, tmp_path: Path) -> None:
    write_report(cv, tmp_path / "r.html")
    text = Page((tmp_path / "r.html").read_text(encoding="utf-8")).text
    picked = cv.at("1se")
    assert f"{picked.n_nonzero} of {len(NASTY)} features explain y" in text
    assert facts.figures(cv.lambda_best) in text
    assert f"{cv.path.dual_gaps.max():.1e}" in text
    assert "converged" in text
    assert f"alpha={picked.lam:.15g}" in text or f"C={1 / (picked.lam * 150):.15g}" in text
    assert list(tmp_path.iterdir()) == [tmp_path / "r.html"]


def test_an_existing_page_survives_a_failure(cv: nb.CVPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "r.html"
    place.write_text("old")

    def fails(*names: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(OSError, match="disk full"):
        cv.report(place)
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]
    assert place.read_text() == "old"


@pytest.mark.parametrize("n_features", [1000, 10_000])
def test_page_stays_small(n_features: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, n_features))
    cv = nb.cv_path(X, X[:, :20].sum(axis=1), l1_ratio=0.2, cv=3, n_lambdas=50, tol=1e-3)
    cv.report(tmp_path / "r.html")
    assert (tmp_path / "r.html").stat().st_size < 900_000


# --- charts: pure functions


def test_coefficient_path_names_what_counts() -> None:
    lambdas = np.geomspace(1, 1e-4, 40)
    coefs = np.outer(np.linspace(0, 1, 40), [3.0, -2.0, 0.0, 1e-3])
    drawing = charts.coefficient_path(
        lambdas, coefs, ["one", "two <&>", "never", "small"], marks={"best": 0.01}, n_nonzero=np.full(40, 3)
    )
    page = Page(drawing)
    assert page.open == []
    assert page.tags.count("path") >= 3
    assert "two <&>" in page.text
    assert "never" not in page.text
    assert "best" in page.text


def test_at_most_sixty_curves() -> None:
    lambdas = np.geomspace(1, 0.1, 5)
    drawing = charts.coefficient_path(
        lambdas, np.ones((5, 200)), [f"f{j}" for j in range(200)], marks={}, n_nonzero=np.full(5, 200)
    )
    assert drawing.count("<title>f") == 60
    assert "140 smaller curves are not drawn" in drawing


@pytest.mark.parametrize(
    "lambdas",
    [np.array([1.0]), np.array([1.0, 0.1, 0.0]), np.array([0.0])],
    ids=["one", "zero at the end", "only zero"],
)
def test_charts_of_odd_grids(lambdas: np.ndarray) -> None:
    size = lambdas.size
    coefs = np.zeros((size, 2))
    kept = np.zeros(size, dtype=np.int64)
    marks = {"best": float(lambdas[-1])}
    for drawing in (
        charts.coefficient_path(lambdas, coefs, ["a", "b"], marks=marks, n_nonzero=kept),
        charts.cv_curve(lambdas, *np.full((3, size), np.nan), marks=marks, n_nonzero=kept),
        charts.cv_curve(lambdas, *np.ones((3, size)), marks=marks, n_nonzero=kept),
    ):
        assert "nan" not in drawing.replace("; nan at", "")
        assert "inf" not in drawing


def test_labels_keep_apart() -> None:
    placed = svg.apart([10, 11, 12, 100, 99], 14, 0, 100)
    assert sorted(placed) == [*placed[:3], placed[4], placed[3]]
    assert min(np.diff(sorted(placed))) >= 14
    assert max(placed) <= 100


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (12000, "12,000"), (0.25, "0.25"), (1e-5, "1e-5"), (2e7, "2e7"), (-0.5, "-0.5")]
)
def test_tick_labels(value: float, text: str) -> None:
    assert svg.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1234.6, "1,235"), (0.012345, "0.0123"), (2.5e-7, "2.50e-07"), (3e12, "3.00e+12"), (np.inf, "inf")],
)
def test_figures(value: float, text: str) -> None:
    assert facts.figures(value) == text


def test_factors_close_to_one_keep_their_difference() -> None:
    assert facts.factor(1.00312) == "1.0031"
    assert facts.factor(0.98) == "0.980"
    assert facts.factor(2.7) == "2.70"


# --- the same model elsewhere: the code is run and gives the same model


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
    "exposure": ("poisson", ["--family", "poisson", "--exposure", "w", "--drop", "b"]),
}


def fitted(case: str, folder: Path) -> tuple[Any, Any, float]:
    """A model fitted on the command line, as it was saved."""
    kind, words = CASES[case]
    table(kind).write_csv(folder / "t.csv")
    # a precise certificate, so that coefficients can be compared
    words = [*words, "--drop", "id", "--tol", "1e-12", "--cv", "3", "--select", "best", "--quiet"]
    assert main(["fit", "t.csv", "--target", "y", *words]) == 0
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


@pytest.mark.parametrize("case", CASES)
def test_sklearn_code(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cv, made, lam = fitted(case, tmp_path)
    recipe = recipes(cv, made, lam)[1]
    assert bool(recipe.code) == ("sklearn" in one_line(cv.path, lam))
    if case in ("poisson lasso", "unpenalised", "exposure"):
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
    assert main(["fit", name, "--target", target, "--tol", "1e-12", "--cv", "3", "--quiet"]) == 0
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
    assert main(["fit", "--example", example, "--cv", "3", "--quiet"]) == 0
    cv, made = load_model("model.json")
    assert isinstance(cv, nb.CVPath)
    ours: dict[str, Any] = {}
    exec(recipes(cv, made, cv.lambda_1se)[0].code, ours)
    assert np.allclose(ours["fit"].coef, cv.at("1se").coef)


def test_bounds_have_no_recipe() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    cv = nb.cv_path(X, X[:, 0] + rng.normal(size=50), lower_bounds=0.0, fit_intercept=False, cv=3)
    from normball.report.run import Run

    _, in_sklearn, in_glmnet = recipes(cv, Run(), cv.lambda_best)
    assert "bounds on coefficients" in in_sklearn.note
    assert "lower.limits" in in_glmnet.note
