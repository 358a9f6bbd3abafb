"""The report of several classes or targets in a real browser."""

import csv
import time

import numpy as np
import polars as pl
import pytest

from .conftest import NASTY, Browser, Report
from .handling import SET, at, click, drawn, find, framed, themes

pytestmark = pytest.mark.slow

FEATURES = [f"x{j}" for j in range(6)]


def made(n_classes: int) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(6)
    X = rng.normal(size=(360, 6))
    eta = X @ rng.normal(size=(6, n_classes))
    return pl.DataFrame(X, schema=FEATURES), eta + rng.gumbel(size=eta.shape)


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Six classes with names that a page must escape."""
    X, scores = made(6)
    kind = pl.Series("kind", np.array(NASTY)[scores.argmax(axis=1)])
    return Report(tmp_path_factory.mktemp("classes"), pl.DataFrame([kind]).hstack(X))


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Nine classes that are numbers, kept or dropped together."""
    X, scores = made(9)
    kind = pl.Series("kind", scores.argmax(axis=1))
    more = ("--family", "multinomial", "--grouped")
    return Report(tmp_path_factory.mktemp("many"), pl.DataFrame([kind]).hstack(X), *more)


@pytest.fixture(scope="session")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Two targets in units of their own."""
    X, scores = made(2)
    y = pl.DataFrame(scores * [1.0, 1000.0], schema=["u", "v"])
    return Report(tmp_path_factory.mktemp("targets"), y.hstack(X), "--target", "v", "--family", "multigaussian")


@pytest.fixture(params=["classes", "many", "targets"])
def one(request: pytest.FixtureRequest) -> Report:
    report: Report = request.getfixturevalue(request.param)
    return report


@framed
def test_it_opens_and_the_slider_moves_everything(browser: Browser, one: Report, framed: bool) -> None:
    browser.open(one.page, framed=framed)
    browser.size(1280, 20000)
    at(browser, 80)
    before = drawn(browser)
    of_family = {"calibration", "confusion"} if one.cv.path.classes else {"residuals", "errors"}
    assert set(before) == {"coefficients", "cv_curve", "features", "effects", "breakdown", "row_groups"} | of_family
    at(browser, 20)
    after = drawn(browser)
    assert [view for view in before if before[view] == after[view]] == []
    assert browser.errors() == []
    assert {url.partition(":")[0] for url in browser.requests()} <= {"file", "about", "data", "blob"}


@framed
def test_one_class_is_chosen_everywhere(browser: Browser, one: Report, framed: bool) -> None:
    from selenium.webdriver.support.select import Select

    browser.open(one.page, framed=framed)
    browser.size(1280, 20000)
    at(browser, 80)
    chosen = "calibration" if one.cv.path.classes else "residuals"
    is_many = one.cv.path.n_outputs > 6
    fields = browser.driver.find_elements("css selector", '[data-set="output"]')
    assert len(fields) == 1 + is_many + (one.cv.path.classes is None)
    shown = drawn(browser)
    for k in dict.fromkeys((1, one.cv.path.n_outputs - 1, 0)):
        Select(fields[0]).select_by_index(k)
        now = drawn(browser)
        assert now[chosen] != shown[chosen]
        assert (now["effects"] != shown["effects"]) == is_many
        assert {field.get_property("value") for field in fields} == {str(k)}
        sentence = find(browser, f'[data-view="{chosen}"] [data-sentence]').get_property("textContent")
        assert sentence.startswith(one.cv.path.output_names[k])
        shown = now
    assert browser.errors() == []


def test_what_if_is_predict(browser: Browser, one: Report) -> None:
    browser.open(one.page)
    start, opened = (
        find(browser, "[data-prediction]").text,
        browser.run("return document.querySelector('[data-slider]').value"),
    )
    row = dict(zip(FEATURES, [0.31, -1.27, 2.4, 0.005, -0.6, 1.1], strict=True))
    shown = browser.run(
        "return [...document.querySelectorAll('[data-input]')]"
        ".map((box) => [box.dataset.input, box.labels[0].textContent])"
    )
    assert {name for _, name in shown} == set(FEATURES)
    for index in (25, 70, 99):
        at(browser, index)
        for j, name in shown:
            browser.run(SET, find(browser, f'[data-input="{j}"]'), str(row[name]))
        browser.frames()
        told = find(browser, "[data-prediction]")
        values = [float(value) for value in told.get_attribute("data-value").split(",")]
        lam = float(one.cv.lambdas[index])
        expected = one.cv.predict(pl.DataFrame([row]), lam=lam, kind="response")[0]
        assert values == pytest.approx(expected.tolist(), abs=1e-5, rel=1e-5)
        if one.cv.path.classes:
            likeliest = one.cv.path.output_names[int(np.argmax(expected))]
            assert told.get_property("textContent").startswith(f"Most probable: “{likeliest}” with ")
        assert browser.run("return document.querySelectorAll('[data-terms] rect').length") >= 2
    at(browser, int(opened))
    click(browser, "[data-reset]")
    browser.frames()
    assert find(browser, "[data-prediction]").text == start
    assert browser.errors() == []


def test_what_is_saved(browser: Browser, classes: Report) -> None:
    browser.open(classes.page)
    at(browser, 80)
    fit = classes.cv.at(lam=float(classes.cv.lambdas[80]))
    click(browser, '[data-save="csv"]')
    deadline = time.monotonic() + 10
    while not (files := list(browser.folder.glob("coefficients_*csv"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    saved = {
        (row["feature"], row["output"].lstrip("'")): float(row["per_unit"])
        for row in csv.DictReader(files[0].read_text("utf-8-sig").splitlines())
    }
    for k, name in enumerate(fit.output_names):
        assert saved["(intercept)", name] == fit.intercept[k]
        for j in fit.kept:
            assert saved[fit.feature_names[j], name] == pytest.approx(fit.coef[k, j], rel=1e-6)
    files[0].unlink()


@themes
def test_accessible(browser: Browser, one: Report, theme: str) -> None:
    browser.open(one.page, media={"prefers_color_scheme": theme, "prefers_reduced_motion": "reduce"})
    browser.size(1280, 20000)
    browser.run("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    browser.run(SET, find(browser, '[data-input="0"]'), "1")
    browser.frames()
    assert browser.accessibility() == []


def test_a_curve_comes_forward_under_the_pointer(browser: Browser, classes: Report) -> None:
    browser.open(classes.page)
    at(browser, 99)
    picture = "document.querySelector('[data-live=\"coefficients\"] svg')"
    browser.run(f"{picture}.scrollIntoView({{ block: 'center', behavior: 'instant' }})")
    moved = f"""
        const paths = [...{picture}.querySelectorAll('g[transform] path')].filter((p) => p.getAttribute('d'));
        const path = paths.find((p) => p.getAttribute('stroke-width') === '2' && p.getTotalLength() > 200);
        const there = path.getPointAtLength(path.getTotalLength());
        const at = new DOMPoint(there.x, there.y).matrixTransform(path.getScreenCTM());
        const how = {{ clientX: at.x - 1, clientY: at.y, bubbles: true }};
        path.dispatchEvent(new PointerEvent('pointermove', how));
        return path.querySelector('title').textContent;"""
    name = browser.run(moved)
    browser.frames()
    forward = browser.run(
        f"return [...{picture}.querySelectorAll('path[stroke-width=\"3.5\"] title')].map((t) => t.textContent)"
    )
    assert forward == [name] * 6
    assert find(browser, '[data-view="coefficients"] [data-sentence]').text.startswith(f"{name}: ")


@pytest.mark.parametrize("width", [320, 360, 768, 1400])
def test_nothing_runs_off_the_window_or_a_drawing(browser: Browser, one: Report, width: int) -> None:
    browser.open(one.page)
    browser.size(width, 20000)
    at(browser, 90)
    browser.run(SET, find(browser, '[data-input="0"]'), "2")
    browser.frames()
    assert browser.run("return document.documentElement.scrollWidth") <= width
    outside = browser.run(
        "return [...document.querySelectorAll('.drawing svg')].flatMap((svg) => {"
        " const frame = svg.getBoundingClientRect();"
        " return [...svg.querySelectorAll('text')].filter((text) => {"
        "  const box = text.getBoundingClientRect();"
        "  return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1"
        "   || box.top < frame.top - 1;"
        " }).map((text) => text.textContent); });"
    )
    assert outside == []
