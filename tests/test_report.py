"""The page: safe, offline, true to the result, and with code that gives the same model."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball import charts
from normball.cli import main
from normball.cli.models import load_model
from normball.families import find_family
from normball.report import write_report
from normball.report.page import NOT_OF_ALL, render
from normball.report.payload import payload
from normball.results import facts
from normball.results.answers import answer
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


# the parts of a table that another part ends without an end tag (HTML standard, 13.1.2.4)
CELLS = ("td", "th")
ENDED_BY = {"td": CELLS, "th": CELLS, "tr": (*CELLS, "tr"), "tbody": (*CELLS, "tr", "thead", "tbody")}


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
        while self.open and self.open[-1] in ENDED_BY.get(tag, ()):
            self.open.pop()
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        while tag == "table" and self.open[-1] in ENDED_BY["tbody"]:
            self.open.pop()
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
    assert page.tags.count("script") == 3
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
    headline = render(cv, run).partition("</h1>")[0]
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
        assert main(["fit", place, "--no-compare", "--target", "y", "--cv", "3", *output, "--quiet"]) == 0
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
    others = NOT_OF_ALL - find_family("binomial").views
    missing = [view["missing"] for view in charts.call("report", data) if view["missing"] and view["id"] not in others]
    assert missing
    for sentence in missing:
        assert sentence in page.text


def test_verdict_follows_the_strength(cv: nb.CVPath) -> None:
    data = payload(cv, Run(target="survival"), None)
    first = charts.call("verdict", data, 0)
    best = charts.call("verdict", data, cv.index_best)
    assert first["found"].startswith("None of the ")
    assert [best["found"], best["quality"]] == [
        getattr(answer(cv, "survival", cv.index_best), name) for name in ("found", "quality")
    ]
    assert [name for name, _ in best["numbers"]] == [name for name, _ in first["numbers"]]
    assert len(best["numbers"]) == 6


def test_ridge_selects_nothing() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    cv = nb.cv_path(X, 1e4 * (X[:, 0] + rng.normal(size=60)), l1_ratio=0.0, cv=3)
    page = Page(render(cv, Run(target="price")))
    assert "All 5 features explain price" in page.text
    assert "Largest coefficients" in page.text
    assert "Selected features" not in page.text
    assert answer(cv, "price", cv.index_1se).quality in page.text


def test_page_says_what_the_result_says(cv: nb.CVPath, tmp_path: Path) -> None:
    write_report(cv, tmp_path / "r.html")
    text = Page((tmp_path / "r.html").read_text(encoding="utf-8")).text
    picked = cv.at("1se")
    assert answer(cv, "y", cv.index_1se).found in text
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
    drawing = next(view["svg"] for view in charts.call("report", data) if view["id"] == "coefficients")
    assert drawing.count("<title>x") == len(data["features"]) <= 60
    assert data["others"]


def test_bars_tell_the_direction_of_every_effect() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 3)) * [1.0, 20.0, 0.1]
    y = np.where(X @ [1.0, -0.1, 0.0] + rng.logistic(size=300) > 0, "yes", "no")
    cv = nb.cv_path(pl.DataFrame(X, schema=["up", "down", "idle"]), y, family="binomial", cv=3)
    data = payload(cv, Run(target="bought"), None)
    effects = next(view for view in charts.call("report", data) if view["id"] == "effects")
    per_sd = {name: value for name, value in zip(cv.path.feature_names, cv.at("1se").coef_per_sd, strict=True) if value}
    shown = {row[0]: (row[1], row[2]) for row in effects["table"]["rows"]}
    assert list(shown) == sorted(per_sd, key=lambda name: -abs(per_sd[name]))
    assert {name: one[0] for name, one in shown.items()} == {name: facts.signed(one) for name, one in per_sd.items()}
    assert {name: one[1] for name, one in shown.items()} == {
        name: facts.figures(float(np.exp(one))) for name, one in per_sd.items()
    }
    assert "larger up: more often “yes”" in effects["sentence"]
    assert "larger down: less often “yes”" in effects["sentence"]


def test_a_page_of_noise_says_so_and_a_separable_one_warns() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 4)), rng.normal(size=80)
    cv = nb.cv_path(X, y, cv=5)
    assert cv.cv_mean[-1] > cv.null_mean > cv.cv_mean[cv.index_best]
    for index in (cv.index_best, -1):
        found = Page(render(cv, Run(target="luck", select=float(cv.lambdas[index])))).text
        assert ("Nothing was found that helps." in found) == (index == -1)
    split = nb.cv_path(X, X[:, 0] > 0, family="binomial", cv=5)
    told = nb.check(X, X[:, 0] > 0)
    assert "W21" in {finding.code for finding in told}
    page = Page(render(replace(split, path=replace(split.path, findings=tuple(told))), Run()))
    assert "Some rows are told apart without any doubt." in page.text
    assert "told apart without any doubt" not in Page(render(split, Run())).text


def test_contents_lead_to_every_part(cv: nb.CVPath) -> None:
    text = render(cv, Run(date="2026-11-29"))
    page = Page(text)
    places = [value for name, value in page.attributes if name == "id"]
    leads = [value[1:] for name, value in page.attributes if name == "href" and value and value.startswith("#")]
    assert len(set(leads)) >= 10
    assert set(leads) <= set(places)
    assert {"choice", "certificate", "reproduce", "reading", "what-if-heading"} <= set(leads)
    assert f"Fitted on 2026-11-29 with normball {nb.__version__}." in page.text
    assert f"fingerprint {cv.path.fingerprint}" in page.text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_two_colours_of_lines_are_alike(theme: str) -> None:
    """Distances in CIELAB, and the contrast with the paper that WCAG asks of graphics."""
    css = (Path(nb.__file__).parent / "report" / "page.css").read_text(encoding="utf-8")
    block = css.partition(f"set {theme}")[2].partition("endset")[0]
    named = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
    colours = {name: linear(named[name]) for name in ("c1", "c2", "c3", "c4", "c5", "c6", "paper")}
    paper = float(LUMINANCE @ colours.pop("paper"))
    assert len(colours) == 6
    for colour in colours.values():
        low, high = sorted((float(LUMINANCE @ colour), paper))
        assert (high + 0.05) / (low + 0.05) >= 3
    labs = [lab(colour) for colour in colours.values()]
    apart = [float(np.linalg.norm(one - other)) for k, one in enumerate(labs) for other in labs[:k]]
    assert min(apart) > 25


LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def linear(colour: str) -> np.ndarray[Any, Any]:
    value = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(colour: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], LUMINANCE, [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ colour / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


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
