"""The lessons on own data, as figures, as a page that is safe and offline, and as a command."""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from lessons import table
from normball import learn
from normball.cli.arguments import LEARN_EPILOG
from normball.learn import built_in, figure, own
from normball.messages import DataError
from pages import unpacked

NASTY = ["</script><b>", '<img src=x onerror="alert(1)">', "a & b", "'\"quoted\"'"]


def test_help_names_every_lesson() -> None:
    listed = LEARN_EPILOG[: LEARN_EPILOG.index("examples:")].splitlines()[1:]
    assert [line.split()[0] for line in listed if line] == list(learn.IDS)


@pytest.mark.parametrize("binary", [False, True])
def test_own_data_make_every_lesson(binary: bool) -> None:
    frame = table(binary=binary)
    lessons = own(frame, "y", ["u", "w"])
    assert set(lessons.by_id) == set(learn.IDS)
    assert lessons.by_id["e"]["names"] == ["u", "w"]
    assert ("above its median" in lessons.about) == (not binary)
    for one in learn.drawn(lessons, learn.IDS):
        assert one.svg.startswith("<svg ")
        assert "NaN" not in one.svg
    assert set(own(frame, "y").by_id["d"]["names"]) == {"u", "v"}  # the most alike


def test_of_several_classes_the_commonest_is_told_from_all_others() -> None:
    frame = table().with_columns(y=pl.Series(["one", "two", "two", "three"] * 30))
    lessons = own(frame, "y")
    assert "Class 0 is all others, class 1 two" in lessons.about
    assert sum(label for *_, label in lessons.by_id["a"]["points"]) == pytest.approx(20, abs=2)
    for one in learn.drawn(lessons, learn.IDS):
        assert "NaN" not in one.svg


def test_only_the_lessons_asked_for_are_computed() -> None:
    assert set(own(table(), "y", ids=["g", "a"]).by_id) == {"g", "a"}


@pytest.mark.parametrize("share", [0.3, 0.8, 1.05])
def test_e_solutions_of_own_data_are_those_of_fit_ball(share: float) -> None:
    frame = table()
    X, y = frame.select("u", "w").to_numpy(), frame["y"].to_numpy()
    free = figure("e", X, y, columns=("x0", "x1")).numbers["lowest"]
    for norm, size in (("l1", np.abs(free).sum()), ("l2", np.hypot(*free))):
        numbers = figure("e", X, y, columns=("x0", "x1"), values={"t": share * size}).numbers
        fit = nb.fit_ball(X, y, radius=share * size, norm=norm, tol=1e-9)  # type: ignore[arg-type]
        assert numbers[norm]["w"] == pytest.approx(fit.coef_per_sd, rel=1e-4, abs=1e-8)
        assert numbers[norm]["lam"] == pytest.approx(fit.lam, rel=1e-4, abs=1e-9)


def test_own_data_with_levels_and_sparse_columns() -> None:
    from scipy import sparse

    frame = table().with_columns(colour=pl.Series(["red", "blue", "green"] * 40))
    assert any("colour = " in name for name in own(frame, "y").by_id["f"]["names"])
    X = frame.select("u", "v", "w", "z").to_numpy()
    X[np.abs(X) < 1] = 0
    figure("f", sparse.csc_matrix(X), frame["y"].to_numpy())


@pytest.mark.parametrize(
    ("frame", "columns", "message"),
    [
        (table().select("u", "y"), (), "two features"),
        (table(6), (), "at least 4 rows of each class"),
        (table().with_columns(v=pl.col("u"), w=pl.col("u"), z=pl.col("u")), (), "E14"),
        (table(), ("u", "nothing"), '"nothing" not found'),
        (table().with_columns(v=pl.lit("text")), ("u", "v"), "no number that varies"),
        (table().with_columns(v=pl.col("u")), ("u", "v"), "copies of one another"),
        (table().with_columns(y=pl.lit(1.0)), (), "E03"),
    ],
)
def test_what_no_lesson_can_be_made_of_is_said(frame: pl.DataFrame, columns: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        own(frame, "y", columns)


def test_figure_says_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="no lesson 'q'"):
        figure("q")
    with pytest.raises(ValueError, match="both X and y"):
        figure("a", np.eye(3))
    with pytest.raises(ValueError, match="Two different columns"):
        figure("e", table(), "y", columns=("u", "u"))


def test_a_figure_is_saved_as_svg_and_png(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = figure("e")
    one.save(tmp_path / "e.svg")
    text = (tmp_path / "e.svg").read_text()
    assert "var(" not in text
    assert 'width="820"' in text
    assert one.sentence in one._repr_html_()
    assert "Figure e" in repr(one)
    with pytest.raises(ValueError, match="must end in"):
        one.save(tmp_path / "e.jpg")
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ImportError, match=re.escape("pip install normball[png]")):
        one.save(tmp_path / "e.png")
    assert [place.name for place in tmp_path.iterdir()] == ["e.svg"]


def test_png_is_an_image(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    figure("a").save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


class Page(HTMLParser):
    """Attributes, the names of tags, and the data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: list[str] = []
        self.data: dict[str, Any] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["script"] and not self.data:
            self.data = unpacked(data)


@pytest.mark.parametrize("quiz", [False, True])
def test_the_page_is_one_small_offline_file(quiz: bool) -> None:
    text = learn.page(built_in(), learn.IDS, quiz=quiz)
    assert len(text.encode()) < 250_000
    page = Page(text)
    assert set(page.data) == set(learn.IDS)
    assert not any(value and "http" in value for name, value in page.attributes if name not in ("xmlns", "http-equiv"))
    assert not any(name.startswith("on") or name == "src" for name, _ in page.attributes)
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    assert ("content", policy) in page.attributes
    assert page.tags.count("svg") == len(learn.IDS)
    assert page.tags.count("table") == len(learn.IDS)
    formulas = re.findall(r"<math .*?</math>", text)
    assert len(formulas) >= len(learn.IDS)
    for formula in formulas:
        ElementTree.fromstring(formula)  # well-formed
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert ('class="quiz"' in text) == quiz
    for question in re.findall(r'class="answers".*?</div>', text, re.S):
        assert question.count("<button") >= 3


def test_nasty_names_stay_text_and_own_pages_are_small() -> None:
    frame = table(names=NASTY).rename({"y": "<y>"})
    text = learn.page(own(frame, "<y>", NASTY[:1] + NASTY[2:3]), learn.IDS)
    assert len(text.encode()) < 250_000
    page = Page(text)
    assert page.tags.count("script") == 3
    assert page.tags.count("img") == 0
    assert "<b>" not in text
    assert set(page.data["f"]["names"]) == set(NASTY)


def test_the_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "learn")
    assert code == 0
    assert "learn.html" in out
    assert "lesson-i-section" in Path("learn.html").read_text()
    table().write_csv("t.csv")
    words = ("--data", "t.csv", "--target", "y", "--x", "u,w", "--svg", "s", "--html", "e.html", "--json")
    code, out, _ = run(capsys, "learn", "e", "a", *words)
    document = json.loads(out)
    assert code == 0
    assert document["lessons"] == ["a", "e"]
    assert [Path(name).name for name in document["files"]] == ["lesson_a.svg", "lesson_e.svg", "e.html"]
    assert all(Path(name).exists() for name in document["files"])
    assert run(capsys, "learn", "all", "--example", "wine", "--quiz", "--html", "q.html")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["q"], 2, "no lesson"),
        (["--data", "t.csv"], 2, "--target is missing"),
        (["--data", "t.csv", "--example", "wine"], 2, "either"),
        (["--target", "y"], 2, "--data FILE"),
        (["--data", "t.csv", "--target", "y", "--x", "u"], 2, "two columns"),
        (["--quiz", "--svg", "s"], 2, "add -o FILE"),
        (["--data", "t.csv", "--target", "yy"], 3, "E02"),
        (["--data", "none.csv", "--target", "y"], 5, "none.csv"),
        (["--html", "no/such/folder.html"], 5, "no/such"),
    ],
)
def test_the_command_says_what_is_wrong(
    words: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    table().write_csv("t.csv")
    found, _, error = run(capsys, "learn", *words)
    assert found == code
    assert message in error


def test_png_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    code, _, error = run(capsys, "learn", "a", "--png", str(tmp_path))
    assert code == 2
    assert "pip install normball[png]" in error
