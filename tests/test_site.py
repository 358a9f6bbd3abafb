"""What the pages of the site show is what the program gives; its catalogue has every finding that there is."""

import ast
import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import normball as nb
from commands import Capture
from normball.cli import main
from site_pages import DOCS, run

CATALOGUE = DOCS / "guide" / "findings.md"
PAGES = [
    DOCS.parent / "README.md",
    DOCS / "start.md",
    *sorted(DOCS.glob("guide/*.md")),
    *sorted(DOCS.glob("coming_from/*.md")),
]
CODE = re.compile(r"[EW]\d\d")
INTERRUPTED = "W32"  # nobody can type it
SOURCE = Path(nb.__file__).parent


def codes_in_source() -> set[str]:
    return {
        node.value
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }


def sections() -> dict[str, tuple[int, int]]:
    """Where the entry of each code begins and ends in the catalogue."""
    text = CATALOGUE.read_text(encoding="utf-8")
    starts = [(match[1], match.start()) for match in re.finditer(r"^### (\w+)$", text, re.MULTILINE)]
    return {code: (start, end) for (code, start), (_, end) in pairwise([*starts, ("", len(text))])}


def said(text: str) -> set[str]:
    """The codes of what is said in a text."""
    return set(re.findall(rf"^(?:DataError: )?({CODE.pattern}) ", text, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_its_code_gives(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    shown = list(run(page))
    wrong = [one for one in shown if not one.agrees]
    assert not wrong, "\n\n".join(map(str, wrong))
    if page == CATALOGUE:
        for code, (start, end) in sections().items():
            given = [one.gives for one in shown if start < one.start < end]
            if code == INTERRUPTED:
                continue
            assert len(given) >= 2, f"{code} needs an example and a remedy"
            assert code in said(given[0]), f"the example of {code} does not say it"
            assert all(code not in said(text) for text in given[1:]), f"the remedy of {code} does not mend it"


def test_the_catalogue_has_every_code() -> None:
    assert codes_in_source() == set(sections())
    text = CATALOGUE.read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(\w+)\]", text, re.MULTILINE) == list(sections())


def test_an_interrupted_fit_says_what_the_catalogue_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from normball.mixes import compare

    rounds, last = [0], [0]

    def in_the_second(done: int, total: int) -> bool:
        rounds[0] += done < last[0]
        last[0] = done
        return rounds[0] == 1 and done > 0

    def stopped(*arguments: Any, progress: Any, **options: Any) -> Any:
        return compare(*arguments, progress=in_the_second, **options)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("normball.mixes.compare", stopped)
    assert main(["fit", "--example", "breast_cancer", "--bootstrap", "0", "--cv", "3"]) == 130
    start, end = sections()[INTERRUPTED]
    (shown,) = re.findall(r"```text\n(.*)\n```", CATALOGUE.read_text(encoding="utf-8")[start:end])
    how_far = re.compile(r"Interrupted after .*: the")  # which hangs on when the bar was drawn
    assert how_far.sub("", shown) in how_far.sub("", capsys.readouterr().err)


@pytest.mark.parametrize(("module", "page"), [("normball", "index"), ("normball.drop_in", "drop_in")])
def test_the_reference_has_every_public_name(module: str, page: str) -> None:
    text = (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8")
    assert {name for name in import_module(module).__all__ if not re.search(rf"\b{name}\b", text)} == set()


@pytest.mark.parametrize(
    "page", [DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md", *DOCS.rglob("*.md")], ids=str
)
def test_links_lead_somewhere_on_a_forge_too(page: Path) -> None:
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    places = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target}
    assert [place for place in places if place and not (page.parent / place).exists()] == []


@pytest.mark.parametrize("page", sorted(DOCS.glob("examples/plot_*.py")), ids=lambda page: page.stem)
def test_an_example_has_a_picture_that_says_what_it_shows_and_a_conclusion(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("plt.show()") == len(re.findall(r"^figure\.suptitle\(\"", text, re.MULTILINE)) > 0
    assert "# **Conclusion.** " in text.split("plt.show()")[-1]


def test_pictures_say_what_they_show() -> None:
    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md")]
    shown = [alt for page in pages for alt in re.findall(r"!\[([^\]]*)\]\(", page.read_text(encoding="utf-8"))]
    assert shown
    assert min(map(len, shown)) > 20


def test_every_formula_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(DOCS)
    drawn = import_module("mathml").drawn
    formulas = re.findall(r"\$([^$\n]+)\$", (DOCS / "mathematics.md").read_text(encoding="utf-8"))
    assert len(formulas) > 500
    assert all(drawn(one, False).startswith("<math") for one in formulas)
    beside = re.sub(r"\s", "", drawn(r"\tilde{b}_{j}", False))
    assert "<msub><mover" in beside
    assert "<mi>j</mi></msub>" in beside
