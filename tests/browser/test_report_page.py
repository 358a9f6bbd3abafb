"""The report as a reader has it: in a real browser, as a file and inside a frame without rights."""

import csv
import json
import time
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from normball.results.answers import answer

from .conftest import Browser, Report
from .handling import SET, at, click, drawn, find, framed

pytestmark = pytest.mark.slow


@framed
def test_it_opens_without_an_error_or_a_request(browser: Browser, report: Report, framed: bool) -> None:
    browser.open(report.page, framed=framed)
    at(browser, 40)
    browser.frames()
    assert browser.errors() == []
    assert {url.partition(":")[0] for url in browser.requests()} <= {"file", "about", "data", "blob"}
    assert len([url for url in browser.requests() if url.startswith("file")]) <= 1
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert not find(browser, "[data-bar]").get_attribute("hidden")


@framed
def test_the_slider_moves_everything(browser: Browser, report: Report, framed: bool) -> None:
    browser.open(report.page, framed=framed)
    browser.size(1280, 20000)
    at(browser, 90)
    before = drawn(browser)
    numbers = find(browser, "[data-numbers]").text
    at(browser, 30)
    after = drawn(browser)
    assert {"coefficients", "cv_curve", "features", "geometry", "sigmoid", "calibration"} <= set(before)
    assert [view for view in before if before[view] == after[view]] == []
    assert find(browser, "[data-numbers]").text != numbers
    lam, kept = float(report.cv.lambdas[30]), int(report.cv.path.n_nonzero[30])
    codes = [code.text for code in browser.driver.find_elements("css selector", "[data-recipe]")]
    assert len(codes) == 3
    assert f"lam={lam!r}" in codes[0]
    assert f"C={1 / (lam * report.cv.path.sum_weights):.15g}" in codes[1]
    assert f"s = {lam!r}" in codes[2]
    current = browser.run(
        "return [...document.querySelectorAll('[data-every-lambda] [aria-current]')].map((row) => row.rowIndex)"
    )
    assert current == [31]
    assert float(find(browser, "[data-number]").get_attribute("value").replace(",", "")) == pytest.approx(lam, rel=0.01)
    assert f"{kept} of 6 features kept" in find(browser, "[data-where]").text
    time.sleep(0.5)  # the sentence waits until the slider rests
    said = answer(report.cv, "bought", 30)
    assert find(browser, "[data-found]").text == said.found
    assert find(browser, "[data-quality]").text == said.quality
    assert browser.errors() == []


def test_a_chart_becomes_a_picture(browser: Browser, report: Report) -> None:
    browser.open(report.page)
    at(browser, 60)
    browser.run("document.querySelectorAll('details.twin').forEach((one) => (one.open = true))")
    rows = browser.driver.find_elements("css selector", ".pictures")
    charts = browser.run("return document.querySelectorAll('[data-view] .drawing[data-live]').length")
    assert len(rows) == charts >= 6
    buttons = {one.text: one for one in rows[0].find_elements("css selector", "button")}
    for name in ("Save SVG", "Save PNG"):
        browser.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", buttons[name])
        buttons[name].click()
    view = rows[0].find_element("xpath", "ancestor::*[@data-view]").get_attribute("data-view")
    saved = [browser.folder / f"{view}.{kind}" for kind in ("svg", "png")]
    for _ in range(50):
        if all(file.exists() and file.stat().st_size for file in saved):
            break
        time.sleep(0.1)
    drawing = ElementTree.fromstring(saved[0].read_text("utf-8"))
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(--" not in saved[0].read_text("utf-8")
    assert saved[1].read_bytes().startswith(b"\x89PNG")
    assert int.from_bytes(saved[1].read_bytes()[16:20]) == 2 * float(drawing.attrib["width"])
    assert browser.errors() == []


@framed
def test_the_box_of_lambda_reads_what_the_page_writes(browser: Browser, report: Report, framed: bool) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(report.page, framed=framed)
    box = find(browser, "[data-number]")

    def typed(text: str) -> tuple[int, str]:
        browser.run("arguments[0].value = ''", box)
        box.send_keys(text, Keys.ENTER)
        browser.frames()
        return int(find(browser, "[data-slider]").get_attribute("value")), find(browser, "[data-refused]").text

    at(browser, 33)
    written = box.get_attribute("value")
    at(browser, 60)
    assert typed(written) == (33, "")
    assert typed("abc") == (33, "“abc” is no number. Type one as 0.05 or 3,464.")
    assert box.get_attribute("aria-invalid") == "true"
    assert typed("-1") == (33, "lambda is never negative.")
    at(browser, 20)
    assert find(browser, "[data-refused]").text == ""
    assert typed("1e9")[0] == 0


@framed
def test_keys(browser: Browser, report: Report, framed: bool) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(report.page, framed=framed)
    slider = find(browser, "[data-slider]")
    last = report.cv.lambdas.size - 1

    def press(key: str) -> int:
        slider.send_keys(key)
        browser.frames()
        return int(slider.get_attribute("value"))

    assert press(Keys.HOME) == 0
    assert press(Keys.ARROW_RIGHT) == 1
    assert press(Keys.PAGE_DOWN) == 0
    assert press(Keys.PAGE_UP) == round(last / 10)
    assert press(Keys.END) == last
    assert press(Keys.ARROW_LEFT) == last - 1
    assert press("b") == report.cv.index_best
    assert press("s") == report.cv.index_1se


def test_buttons_and_the_number_box(browser: Browser, report: Report) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(report.page)
    slider, box = find(browser, "[data-slider]"), find(browser, "[data-number]")
    for rule, index in (("best", report.cv.index_best), ("one_se", report.cv.index_1se)):
        find(browser, f'[data-go="{rule}"]').click()
        browser.frames()
        assert int(slider.get_attribute("value")) == index
        assert find(browser, f'[data-go="{rule}"]').get_attribute("aria-pressed") == "true"
    box.send_keys(Keys.CONTROL + "a")
    box.send_keys(f"{report.cv.lambdas[17]:.6g}" + Keys.TAB)
    browser.frames()
    assert int(slider.get_attribute("value")) == 17
    time.sleep(0.5)
    address = browser.run("return location.hash")
    assert address.startswith("#l=")
    browser.open(report.page)
    browser.driver.get(report.page.as_uri() + address)
    browser.driver.refresh()
    assert int(find(browser, "[data-slider]").get_attribute("value")) == 17


@framed
def test_a_curve_comes_forward_under_the_pointer(browser: Browser, numeric: Report, framed: bool) -> None:
    from selenium.webdriver import ActionChains

    browser.open(numeric.page, framed=framed)
    at(browser, 60)
    chart = find(browser, '[data-live="coefficients"]')
    browser.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", chart)
    before = drawn(browser)["coefficients"]
    half = chart.size["height"] / 2
    for down in np.linspace(-0.8 * half, 0.8 * half, 25):
        ActionChains(browser.driver, duration=0).move_to_element_with_offset(chart, 0, int(down)).perform()
        if drawn(browser)["coefficients"] != before:
            break
    else:
        pytest.fail("no curve comes forward")
    slider = find(browser, "[data-slider]").get_attribute("value")
    ActionChains(browser.driver, duration=0).move_to_element_with_offset(chart, -100, 0).click().perform()
    browser.frames()
    assert find(browser, "[data-slider]").get_attribute("value") != slider


@framed
def test_selects(browser: Browser, report: Report, framed: bool) -> None:
    from selenium.webdriver.support.select import Select

    browser.open(report.page, framed=framed)
    browser.size(1280, 20000)
    at(browser, 80)
    shown = drawn(browser)
    for selector, view in (
        ('[data-set="axis"]', "coefficients"),
        ('[data-set="per_sd"]', "coefficients"),
        ('[data-pair="0"]', "geometry"),
        ('[data-pair="1"]', "geometry"),
        ('[data-set="slice"]', "geometry"),
    ):
        for option in Select(find(browser, selector)).options[1:4]:
            option.click()
            now = drawn(browser)
            assert now[view] != shown[view], (selector, option.text)
            shown = now
    browser.run(SET, find(browser, "[data-scaling]"), "1")
    assert drawn(browser)["sigmoid"] != shown["sigmoid"]
    browser.run(SET, find(browser, '[data-set="filter"]'), "smile")
    assert drawn(browser)["coefficients"] != shown["coefficients"]
    assert browser.errors() == []


@framed
def test_what_if_is_predict(browser: Browser, report: Report, numeric: Report, framed: bool) -> None:
    for one in (report, numeric):
        browser.open(one.page, framed=framed)
        names = one.table.columns[1:]
        row = dict(zip(names, [0.31, -1.27, 2.4, 0.005, -0.6, 1.1], strict=True))
        shown = browser.run(
            "return [...document.querySelectorAll('[data-input]')]"
            ".map((box) => [box.dataset.input, box.labels[0].textContent])"
        )
        assert {name for _, name in shown} == set(names)
        for index in (25, 70, 99):
            at(browser, index)
            for j, name in shown:
                browser.run(SET, find(browser, f'[data-input="{j}"]'), str(row[name]))
            browser.frames()
            value = float(find(browser, "[data-prediction]").get_attribute("data-value"))
            expected = one.cv.predict(pl.DataFrame([row]), lam=float(one.cv.lambdas[index]), kind="response")
            assert value == pytest.approx(float(np.ravel(expected)[-1]), abs=1e-9)


def test_what_is_saved(browser: Browser, report: Report) -> None:
    browser.open(report.page)
    at(browser, 80)
    fit = report.cv.at(lam=float(report.cv.lambdas[80]))
    for kind in ("csv", "json"):
        click(browser, f'[data-save="{kind}"]')
    deadline = time.monotonic() + 10
    while len(files := sorted(browser.folder.glob("coefficients_*[vn]"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [file.suffix for file in files] == [".csv", ".json"]
    table, document = (file.read_text("utf-8") for file in files)
    assert table.startswith("\ufeff")  # for Excel
    lines = list(csv.DictReader(table.removeprefix("\ufeff").splitlines()))
    assert list(lines[0]) == fit.to_frame().columns
    saved = {row["feature"]: float(row["per_unit"]) for row in lines}
    names = report.table.columns[1:]
    expected = {
        f"'{name}" if name[0] in "=+-@" else name: coef for name, coef in zip(names, fit.coef, strict=True) if coef
    }
    assert saved == {"(intercept)": fit.intercept, **expected}
    rows = {row["feature"]: row["per_unit"] for row in json.loads(document)["coefficients"]}
    assert rows == {"(intercept)": fit.intercept, **{name: c for name, c in zip(names, fit.coef, strict=True) if c}}
    for file in files:
        file.unlink()


def test_copying_where_nothing_can_be_saved(browser: Browser, report: Report) -> None:
    browser.open(report.page, framed=True)
    click(browser, "[data-copy]")
    time.sleep(0.3)
    assert find(browser, "[data-saved]").text.startswith(("Copied.", "The browser does not allow copying"))


def test_cutoff_and_costs(browser: Browser, report: Report) -> None:
    """The cut-off between two classes: its slider, the costs, and the buttons."""
    browser.open(report.page)

    def told() -> str:
        browser.frames()
        return str(find(browser, '[data-view="decisions"] [data-sentence]').text)

    browser.run("document.querySelector('[data-view=\"decisions\"]').scrollIntoView({ behavior: 'instant' })")
    assert "above a probability of 0.5:" in told()
    index = report.cv.index_1se
    browser.run(SET, find(browser, "[data-cutoff]"), "28")
    assert find(browser, "[data-at-cutoff]").text == "0.2"
    assert "above a probability of 0.2:" in told()
    browser.run(SET, find(browser, '[data-cost="cost_missed"]'), "9")
    assert "a cost of 9 for each miss and 1 for each false alarm" in told()
    click(browser, "[data-cheapest]")
    cheapest = find(browser, "[data-at-cutoff]").text
    assert f"the cheapest cut-off is {cheapest} " in told()
    before = told()
    browser.run(SET, find(browser, '[data-cost="cost_missed"]'), "")
    assert told() == before  # what is no number changes nothing
    click(browser, "[data-even]")
    assert "above a probability of 0.5:" in told()
    at(browser, index + 5)
    assert f"{report.cv.lambdas[index + 5]:.3g}"[:4] in told()
    assert browser.errors() == []
