"""Pages in Korean in a real browser: what the scripts put into them, and WCAG."""

import re
from pathlib import Path

import pytest

from latin import english_in
from normball.cli import main
from normball.language import speaking
from normball.learn import IDS, built_in, page
from normball.learn.which_one import counted, record

from .conftest import Browser, Report

pytestmark = pytest.mark.slow

SET = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }));"
EVERY = [
    ("input[type=range]", "e.value = e.max; e.dispatchEvent(new Event('input', { bubbles: true }));"),
    ("select", "e.selectedIndex = e.options.length - 1; e.dispatchEvent(new Event('change', { bubbles: true }));"),
    ("[data-theme-switch], thead button, [data-cheapest]", "e.click();"),
]
LOOKS = [{}, {"prefers_color_scheme": "dark"}]
WIDTHS = [390, 1440]


@pytest.fixture(scope="module")
def korean(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the logistic model, with its data."""
    file = tmp_path_factory.mktemp("korean") / "report.html"
    folder = report.page.parent
    words = ["report", str(folder / "model.json"), "--data", str(folder.parent / "t.csv"), "--lang", "ko", "--quiet"]
    assert main([*words, "-o", str(file)]) == 0
    return file


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("korean") / "lessons.html"
    with speaking("ko"):
        file.write_text(page(built_in(), IDS, quiz=False), "utf-8")
    return file


@pytest.mark.parametrize("media", LOOKS, ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["korean", "lessons"])
def test_nothing_is_against_wcag(
    browser: Browser, which: str, width: int, media: dict[str, str], request: pytest.FixtureRequest
) -> None:
    browser.open(request.getfixturevalue(which), media=media)
    browser.size(width, 900)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true;")
    browser.frames()
    assert browser.errors() == []
    assert browser.accessibility() == []
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")


def test_no_english_comes_into_a_report(browser: Browser, korean: Path, report: Report) -> None:
    browser.open(korean)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true;")
    for selector, act in EVERY:
        for k in range(browser.run("return document.querySelectorAll(arguments[0]).length", selector)):
            browser.run(
                f"const e = document.querySelectorAll(arguments[0])[arguments[1]]; if (e) {{ {act} }}", selector, k
            )
            browser.frames()
    box = browser.driver.find_element("css selector", "[data-number]")
    browser.run("arguments[0].value = '?'; arguments[0].dispatchEvent(new Event('change'));", box)
    browser.frames()
    words = re.findall(r"[A-Za-z]+", " ".join(report.table.columns))  # of names, which charts cut
    names = [*words, "yes", "no", report.cv.path.fingerprint]
    left = english_in(browser.driver.page_source, names)
    assert [piece for piece in left if "…" not in piece] == []
    assert browser.run("return document.querySelector('[data-theme-switch]').textContent") == "테마: 밝게"
    assert "숫자가 아닙니다" in browser.run("return document.querySelector('[data-refused]').textContent")


def test_no_english_comes_into_lessons(browser: Browser, lessons: Path) -> None:
    browser.open(lessons)
    for end in ("min", "max"):
        for control in browser.driver.find_elements("css selector", ".lesson .control input"):
            browser.run(SET, control, browser.run("return arguments[0][arguments[1]]", control, end))
    for choice in browser.driver.find_elements("css selector", ".lesson .control select"):
        browser.run(
            "const [e] = arguments; e.selectedIndex = e.options.length - 1;"
            "e.dispatchEvent(new Event('input', { bubbles: true }));",
            choice,
        )
    for button in browser.driver.find_elements("css selector", ".choice:first-child"):
        browser.run("arguments[0].click()", button)
    browser.frames()
    sets = counted(record())["data_sets"]
    assert english_in(browser.driver.page_source, ["x1", "x2", *sets]) == []
    assert browser.errors() == []
