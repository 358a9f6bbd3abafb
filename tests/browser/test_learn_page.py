"""The nine lessons in a real browser, as a file and inside a frame without rights."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from normball.learn import IDS, built_in, own, page

from .conftest import Browser

pytestmark = pytest.mark.slow

FIRST_PAINT = 300  # milliseconds, the best of five
SLIDER = 50  # milliseconds, the median of thirteen steps
SET = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }));"

framed = pytest.mark.parametrize("framed", [False, True], ids=["file", "frame"])


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("learn") / "lessons.html"
    file.write_text(page(built_in(), IDS), "utf-8")
    return file


@pytest.fixture(scope="module")
def quiz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("learn") / "quiz.html"
    file.write_text(page(built_in(), IDS, quiz=True), "utf-8")
    return file


@framed
def test_it_opens_without_an_error_or_a_request(browser: Browser, lessons: Path, framed: bool) -> None:
    browser.open(lessons, framed=framed)
    browser.frames()
    assert browser.errors() == []
    assert {url.partition(":")[0] for url in browser.requests()} <= {"file", "about", "data", "blob"}
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert browser.run("return document.querySelectorAll('.lesson .drawing svg').length") == len(IDS)


@framed
def test_every_control_moves_its_chart(browser: Browser, lessons: Path, framed: bool) -> None:
    browser.open(lessons, framed=framed)
    still = []
    for control in browser.driver.find_elements("css selector", ".lesson .control :is(input, select)"):
        section = control.find_element("xpath", "ancestor::section")
        seen = "return arguments[0].querySelector('.shown').innerHTML"
        before = browser.run(seen, section)
        for end in ("max", "min"):
            value = browser.run(
                "const [e, end] = arguments; const names = [...(e.options ?? [])].map((o) => o.value);"
                "return e.options ? names[end === 'max' ? names.length - 1 : 0] : e[end]",
                control,
                end,
            )
            browser.run(SET, control, value)
            if browser.run(seen, section) != before:
                break
        else:
            still.append(control.get_attribute("id"))
    assert still == []
    assert browser.errors() == []


@framed
def test_handles_move_by_mouse_and_by_keys(browser: Browser, lessons: Path, framed: bool) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.open(lessons, framed=framed)
    names = browser.run("return [...document.querySelectorAll('[data-handle]')].map((e) => e.dataset.handle)")
    assert names
    place = "const box = arguments[0].getBoundingClientRect(); return [box.x, box.y]"
    for name in names:
        find = f'[data-handle="{name}"]'
        handle = browser.driver.find_element("css selector", find)
        browser.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", handle)
        start = browser.run(place, handle)
        moves = (Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
        for key in moves:
            browser.run("document.querySelector(arguments[0]).focus()", find)
            ActionChains(browser.driver).send_keys(key).perform()
            if browser.run(place, browser.driver.find_element("css selector", find)) != start:
                break
        else:
            pytest.fail(f"{name} does not move by keys")
        assert browser.run("return document.activeElement.dataset.handle") == name
    handle = browser.driver.find_element("css selector", find)
    start = browser.run(place, handle)
    ActionChains(browser.driver, duration=50).drag_and_drop_by_offset(handle, 40, -40).perform()
    assert browser.run(place, browser.driver.find_element("css selector", find)) != start


def test_points_are_added_by_a_click_and_taken_away_by_a_key_and_the_address_keeps_them(
    browser: Browser, lessons: Path
) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.open(lessons)
    count = "return document.querySelectorAll('#lesson-b-section [data-handle]').length"
    sentence = "return document.querySelector('#lesson-b-section .sentence').textContent"
    before, said = browser.run(count), browser.run(sentence)
    plane = browser.driver.find_element("css selector", "#lesson-b-section rect")
    browser.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", plane)
    ActionChains(browser.driver).move_to_element_with_offset(plane, -150, 100).click().perform()
    assert browser.run(count) == before + 1
    assert browser.run(sentence) != said
    browser.run("document.querySelector('#lesson-b-section [data-handle=\"0\"]').focus()")
    ActionChains(browser.driver).send_keys(Keys.DELETE).perform()
    assert browser.run(count) == before
    browser.wait("await new Promise((done) => setTimeout(done, 500))")
    address = browser.run("return location.href")
    assert "#b?" in address
    told = browser.run(sentence)
    browser.driver.get("about:blank")
    browser.driver.get(address)
    assert browser.run(sentence) == told
    browser.frames()
    assert abs(browser.run("return document.querySelector('#lesson-b-section').getBoundingClientRect().top")) < 200
    reset = browser.driver.find_element("xpath", "//section[@id='lesson-b-section']//button[text()='reset']")
    browser.run("arguments[0].click()", reset)
    assert browser.run(sentence) == said
    assert not reset.is_enabled()
    browser.wait("await new Promise((done) => setTimeout(done, 500))")
    assert browser.run("return location.hash") == "#lesson-b-section"
    assert browser.errors() == []


@framed
def test_the_quiz_asks_before_it_shows(browser: Browser, quiz: Path, framed: bool) -> None:
    browser.open(quiz, framed=framed)
    right = 0
    for count, section in enumerate(browser.driver.find_elements("css selector", ".lesson"), 1):
        shown = section.find_element("css selector", ".shown")
        assert not shown.is_displayed()
        answer = section.find_element("css selector", ".choice")
        browser.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", answer)
        answer.click()
        assert shown.is_displayed()
        assert not section.find_element("css selector", ".first").is_displayed()
        verdict = section.find_element("css selector", ".verdict").text
        right += verdict.startswith("Yes.")
        for other in section.find_elements("css selector", ".choice"):  # a second answer does not count
            browser.run("arguments[0].click()", other)
        score = browser.run("return document.querySelector('.score').textContent")
        assert score.startswith(f"{right} of {count} right at the first answer")
        assert score in section.find_element("css selector", ".verdict").text
    assert "to go" not in score
    assert 0 < right < len(IDS)


@framed
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible(browser: Browser, lessons: Path, theme: str, framed: bool) -> None:
    browser.open(lessons, framed=framed, media={"prefers_color_scheme": theme, "prefers_reduced_motion": "reduce"})
    browser.run("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    browser.frames()
    assert browser.accessibility() == []


@pytest.fixture(scope="module")
def own_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long names, two classes, a pair of opposite indicators."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = np.where(X[:, 0] + rng.logistic(size=120) > 0, "bought it", "did not")
    names = ["a name that is much longer than an axis", "ك", "x < 3"]
    frame = pl.DataFrame(X, schema=names).with_columns(
        half=pl.Series(np.where(X[:, 1] > 0, "yes", "no")), y=pl.Series(y)
    )
    file = tmp_path_factory.mktemp("learn") / "own.html"
    file.write_text(page(own(frame, "y"), IDS), "utf-8")
    return file


def test_lessons_on_own_data(browser: Browser, own_data: Path) -> None:
    browser.open(own_data, media={"prefers_reduced_motion": "reduce"})
    still = browser.run(
        "return [...document.querySelectorAll('.lesson .control input')].filter((input) => {"
        "  const shown = input.closest('.shown'); const before = shown.innerHTML;"
        "  for (const end of ['max', 'min']) { input.value = input[end];"
        "    input.dispatchEvent(new Event('input', { bubbles: true }));"
        "    if (shown.innerHTML !== before) return false; }"
        "  return true; }).map((input) => input.id)"
    )
    assert still == []
    browser.run("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert browser.accessibility() == []
    assert browser.errors() == []


@pytest.mark.parametrize("kind", ["lessons", "own_data"])
@pytest.mark.parametrize("width", [320, 380, 768])
def test_nothing_runs_off_a_narrow_window(
    browser: Browser, request: pytest.FixtureRequest, kind: str, width: int
) -> None:
    browser.open(request.getfixturevalue(kind))
    browser.size(width, 900)
    browser.frames()
    assert browser.run("return document.documentElement.scrollWidth") <= width
    cut = browser.run(
        "return [...document.querySelectorAll('.drawing')].filter((box) => box.scrollWidth > box.clientWidth ||"
        " [...box.querySelectorAll('text')].some((text) => text.getBoundingClientRect().right > innerWidth))"
        ".map((box) => box.ariaLabel)"
    )
    assert cut == []


def test_a_step_of_a_slider_is_quick(browser: Browser, lessons: Path) -> None:
    browser.open(lessons)
    times = browser.run(
        "const found = {};"
        "for (const input of document.querySelectorAll('.lesson .control input')) {"
        "  const all = [];"
        "  for (let k = 0; k <= 12; k++) {"
        "    input.value = Number(input.min) + (k / 12) * (input.max - input.min);"
        "    const start = performance.now(); input.dispatchEvent(new Event('input', { bubbles: true }));"
        "    document.body.offsetHeight; all.push(performance.now() - start); }"
        "  found[input.id] = all.sort((a, b) => a - b)[6]; }"
        "return found"
    )
    assert max(times.values()) < SLIDER, times


def test_first_paint(browser: Browser, lessons: Path) -> None:
    times = []
    for _ in range(5):
        browser.open(lessons)
        browser.frames()
        times.append(browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    assert min(times) < FIRST_PAINT, times
