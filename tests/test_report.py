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
from normball import charts
from normball.cli import main
from normball.cli.models import load_model
from normball.report import write_report
from normball.report.page import render
from normball.report.payload import payload
from normball.report.recipes import recipes
from normball.report.reproduce import one_line
from normball.results import facts
from normball.run import Run
from pages import payload_of

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
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" not in self.open:
            self.text += data


def test_page_is_safe_and_offline(cv: nb.CVPath, tmp_path: Path) -> None:
    cv.report(tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert not {"img", "b", "link", "iframe"} & set(page.tags)
    assert page.tags.count("script") == 2
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    policy = next(value for name, value in page.attributes if value and value.startswith("default-src"))
    assert policy == "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
    assert set(re.findall(r"https?://[^\s\"'<`]+", text)) == {"http://www.w3.org/2000/svg"}
    for name in NASTY:
        assert name in page.text
    identities = [value for name, value in page.attributes if name == "id"]
    assert len(identities) == len(set(identities))


def test_the_headline_has_the_table_without_its_folder(cv: nb.CVPath) -> None:
    run = Run(source="/home/me/private/t.csv", table="/home/me/private/t.csv: 30 rows x 4 columns")
    headline = render(cv, run).partition("</header>")[0]
    assert "t.csv: 30 rows x 4 columns" in headline
    assert "private" not in headline


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_model_and_page_know_no_folders(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "of-a-person"
    (folder / "secret").mkdir(parents=True)
    monkeypatch.chdir(folder)
    rng = np.random.default_rng(0)
    data, out = folder / "secret" / f"t.{ending}", folder / "secret" / "results"
    table = pl.DataFrame({"a": rng.normal(size=40), "y": rng.normal(size=40)})
    getattr(table, f"write_{ending}")(data)
    for place, output in ((str(data), ["-o", str(out)]), (f"../of-a-person/secret/t.{ending}", [f"--output={out}"])):
        assert main(["fit", place, "--target", "y", "--cv", "3", *output, "--quiet"]) == 0
        assert main(["report", str(out / "model.json"), "--data", place]) == 0
        page = (out / "report.html").read_text(encoding="utf-8")
        model = (out / "model.json").read_text(encoding="utf-8")
        for text in (page, model, str(payload_of(page))):
            assert "of-a-person" not in text
            assert "secret" not in text
        assert f"t.{ending}" in page
        _, made = load_model(str(out / "model.json"))
        assert (made.source, made.command.split()[:3]) == (f"t.{ending}", ["normball", "fit", f"t.{ending}"])
        assert "results" in made.command
    capsys.readouterr()


def test_page_holds_its_charts_and_data(cv: nb.CVPath) -> None:
    text = render(cv, Run())
    page = Page(text)
    drawn = {view["id"] for view in charts.call("report", payload(cv, Run(), None)) if view.get("svg")}
    assert {"coefficients", "cv_curve"} <= drawn
    assert page.tags.count("svg") == len(drawn - {"residuals"})
    assert payload_of(text) == payload(cv, Run(), None)


def test_charts_without_their_data_say_so(cv: nb.CVPath) -> None:
    data = payload(cv, Run(), None)
    page = Page(render(cv, Run()))
    missing = [view["missing"] for view in charts.call("report", data) if view["missing"] and view["id"] != "residuals"]
    assert missing
    for sentence in missing:
        assert sentence in page.text


def test_verdict_follows_the_strength(cv: nb.CVPath) -> None:
    data = payload(cv, Run(target="survival"), None)
    first = charts.call("verdict", data, 0)
    best = charts.call("verdict", data, cv.index_best)
    assert "no feature is kept" in first["sentence"]
    assert "At lambda_best" in best["sentence"] or cv.index_best == cv.index_1se
    assert "explain survival" in best["sentence"]
    assert [name for name, _ in best["numbers"]] == [name for name, _ in first["numbers"]]
    assert len(best["numbers"]) == 6


def test_ridge_selects_nothing() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    cv = nb.cv_path(X, 1e4 * (X[:, 0] + rng.normal(size=60)), l1_ratio=0.0, cv=3)
    page = Page(render(cv, Run(target="price")))
    assert "all 5 features are used to explain price" in page.text
    assert "Largest coefficients" in page.text
    assert "Selected features" not in page.text
    assert "typical error (root mean squared error)" in page.text


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


# --- odd paths


@pytest.mark.parametrize("lambdas", [[1.0], [1.0, 0.1, 0.0], [0.0]], ids=["one", "zero at the end", "only zero"])
def test_charts_of_odd_grids(lambdas: list[float]) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    cv = nb.cv_path(X, X[:, 0] + rng.normal(size=40), lambdas=lambdas, cv=3)
    for view in charts.call("report", payload(cv, Run(), None)):
        assert "NaN" not in view.get("svg", "")
        assert "Infinity" not in view.get("svg", "")


def test_at_most_sixty_curves_and_one_grey_line() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 100))
    cv = nb.cv_path(X, X.sum(axis=1), cv=3, n_lambdas=20, tol=1e-3)
    data = payload(cv, Run(), None)
    drawing = charts.call("report", data)[0]["svg"]
    assert drawing.count("<title>x") == len(data["features"]) <= 60
    assert data["others"]


# --- numbers


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
    _, in_sklearn, in_glmnet = recipes(cv, Run(), cv.lambda_best)
    assert "bounds on coefficients" in in_sklearn.note
    assert "lower.limits" in in_glmnet.note
