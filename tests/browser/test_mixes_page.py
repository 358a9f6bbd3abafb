"""Another penalty on the page of a comparison: every view, table, recipe and file follows."""

import json
import time
from pathlib import Path
from urllib.parse import parse_qs

import polars as pl
import pytest

import normball as nb
from commands import small_table
from normball.cli import main
from normball.results.answers import answer

from .conftest import Browser
from .handling import at, click, drawn, find

pytestmark = pytest.mark.slow

CHOOSE = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', { bubbles: true }));"


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixes")
    pl.concat([small_table(), small_table()]).write_csv(folder / "t.csv")
    words = ["fit", str(folder / "t.csv"), "--target", "y", "--drop", "t,w", "--cv", "5", "--quiet"]
    assert main([*words, "-o", str(folder / "out")]) == 0
    return folder / "out" / "report.html"


def choose(browser: Browser, k: int) -> None:
    browser.run(CHOOSE, find(browser, "[data-mix]"), str(k))
    browser.frames()


def test_every_view_follows(browser: Browser, page: Path) -> None:
    model = nb.load(page.with_name("model.json"))
    assert isinstance(model, nb.Comparison)
    picked = model.picked
    browser.open(page)
    at(browser, 30)
    first = drawn(browser)
    for k, cv in enumerate(model):
        choose(browser, k)
        assert find(browser, "[data-mix]").get_attribute("value") == str(k)
        assert browser.run("return document.activeElement.matches('[data-mix]')") or cv is picked
        fit = cv.at("1se")
        shown = float(find(browser, "[data-number]").get_attribute("value").replace(",", ""))
        assert shown == pytest.approx(fit.lam, rel=0.01)
        now = drawn(browser)
        if cv is not picked:
            for view, text in now.items():
                assert text != first[view], view
        code = browser.run("return document.querySelector('[data-recipe=\"0\"]').textContent")
        assert f"l1_ratio={cv.path.l1_ratio:g}," in code
        assert f"lam={fit.lam!r}" in code
        assert find(browser, "[data-found]").text == answer(cv, "y", cv.index_1se).found
        time.sleep(0.5)  # the address follows once the page rests
        named = parse_qs(browser.run("return location.hash.slice(1)")).get("m", [str(picked.path.l1_ratio)])
        assert float(named[0]) == cv.path.l1_ratio
    assert browser.errors() == []


def test_the_address_leads_to_the_penalty(browser: Browser, page: Path) -> None:
    model = nb.load(page.with_name("model.json"))
    assert isinstance(model, nb.Comparison)
    ridge = model.with_mix(0.0)
    browser.driver.get(f"{page.as_uri()}#m=0&l={ridge.lambda_best:.6g}")
    browser.driver.refresh()
    assert find(browser, "[data-mix]").get_attribute("value") == "3"
    shown = float(find(browser, "[data-number]").get_attribute("value").replace(",", ""))
    assert shown == pytest.approx(ridge.lambda_best, rel=0.01)
    click(browser, '[data-go="one_se"]')
    browser.frames()
    shown = float(find(browser, "[data-number]").get_attribute("value").replace(",", ""))
    assert shown == pytest.approx(ridge.lambda_1se, rel=0.01)


def test_the_first_words_say_which_to_take(browser: Browser, page: Path) -> None:
    browser.open(page)
    words = find(browser, "#answer").text
    assert "For prediction: " in words
    assert "For a short list: " in words
    assert json.dumps(words).count("+/-") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_under_every_penalty(browser: Browser, page: Path, theme: str) -> None:
    browser.open(page, media={"prefers_color_scheme": theme})
    for k in (0, 3):
        choose(browser, k)
        assert browser.accessibility() == []


def test_a_frame_without_rights_shows_other_penalties(browser: Browser, page: Path) -> None:
    browser.open(page, framed=True)
    before = drawn(browser)
    choose(browser, 3)
    now = drawn(browser)
    assert all(text != before[view] for view, text in now.items())
    assert browser.errors() == []
