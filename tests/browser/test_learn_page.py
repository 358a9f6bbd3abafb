"""The lessons as a reader has them: sliders, points that are dragged, predictions."""

from pathlib import Path

import pytest

from normball import learn

from .conftest import Browser
from .test_report_page import SET, click, find, framed, themes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("learn") / "learn.html"
    place.write_text(learn.page(learn.built_in(), learn.IDS), "utf-8")
    return place


def said(browser: Browser, lesson: str) -> str:
    browser.frames()
    return find(browser, f"#lesson-{lesson}-section .sentence").text


@framed
def test_it_opens_without_an_error_or_a_request(browser: Browser, lessons: Path, framed: bool) -> None:
    browser.open(lessons, framed=framed)
    before = said(browser, "a")
    browser.run(SET, find(browser, "#a-scale"), "2")
    assert said(browser, "a") != before
    assert "times 100" in said(browser, "a")
    assert browser.errors() == []
    assert {url.partition(":")[0] for url in browser.requests()} <= {"file", "about", "data", "blob"}


def test_the_script_draws_what_the_file_holds(browser: Browser, lessons: Path) -> None:
    browser.open(lessons)
    for figure in learn.drawn(learn.built_in(), learn.IDS):
        assert said(browser, figure.id) == figure.sentence


def test_a_point_moves_with_the_pointer_and_with_the_arrow_keys(browser: Browser, lessons: Path) -> None:
    from selenium.webdriver import ActionChains, Keys

    browser.open(lessons)
    point = "#lesson-d-section .handle"
    browser.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", find(browser, point))
    before = said(browser, "d")
    ActionChains(browser.driver).click_and_hold(find(browser, point)).move_by_offset(-60, 10).release().perform()
    dragged = said(browser, "d")
    assert dragged != before
    find(browser, point).send_keys(Keys.ARROW_LEFT)
    assert said(browser, "d") != dragged
    moved = said(browser, "d")
    browser.run("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp', bubbles: true}))")
    assert said(browser, "d") != moved, "the point keeps the focus"
    assert find(browser, "#d-w1").get_attribute("value") != "0.7"


def test_each_handle_moves_by_one_key(browser: Browser, lessons: Path) -> None:
    from selenium.webdriver import Keys

    browser.open(lessons)
    for lesson, handle in (("d", "point"), ("e", "centre"), ("g", "from"), ("g", "to")):
        for key in (Keys.ARROW_LEFT, Keys.ARROW_UP):
            if lesson == "g" and key == Keys.ARROW_UP:
                continue  # a chord's end runs along the curve
            before = said(browser, lesson)
            find(browser, f"#lesson-{lesson}-section [data-handle={handle}]").send_keys(key)
            assert said(browser, lesson) != before, (lesson, handle, key)


def test_first_predict_then_see(browser: Browser, lessons: Path, tmp_path: Path) -> None:
    place = tmp_path / "quiz.html"
    place.write_text(learn.page(learn.built_in(), ["e"], quiz=True), "utf-8")
    browser.open(place)
    shown = find(browser, "#lesson-e-section .shown")
    assert not shown.is_displayed()
    click(browser, "#lesson-e-section .answer")
    assert shown.is_displayed()
    assert "Not quite: Often, but not always" in find(browser, ".verdict").text
    click(browser, "#lesson-e-section .answer:nth-child(2)")
    assert find(browser, ".verdict").text.startswith("Yes.")


@themes
def test_it_is_accessible(browser: Browser, lessons: Path, theme: str) -> None:
    browser.open(lessons, media={"prefers_color_scheme": theme})
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true;")
    assert browser.accessibility() == []


def test_a_narrow_window_does_not_scroll_sideways(browser: Browser, lessons: Path) -> None:
    browser.open(lessons)
    browser.size(360, 740)
    browser.frames()
    assert browser.run("return document.documentElement.scrollWidth") <= 360
