"""The page of a Cox model in a browser: survival of the row that a reader makes is that of the model."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from .conftest import Browser, Report
from .handling import SET, at, find

pytestmark = pytest.mark.slow

N = 240
CHOOSE = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
VIEWS = "return [...document.querySelectorAll('[data-view]')].map((section) => section.dataset.view)"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Times with late entry in three centres."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(N, 3))
    days = np.ceil(200 * rng.exponential(np.exp(-X[:, 0] + 0.5 * X[:, 1]))) + 2
    table = pl.DataFrame(
        {"days": days, "dead": rng.random(N) < 0.7, "since": np.floor(days * rng.random(N) * 0.4)}
        | {"centre": np.array(["east", "<b>west", "north"])[np.arange(N) % 3], "arm": rng.choice(["a", "b"], N)}
    ).hstack(pl.DataFrame(X, schema=["x0", "x1", "x2"]))
    folder: Path = tmp_path_factory.mktemp("trial")
    return Report(folder, table, "--event", "dead", "--start", "since", "--strata", "centre")


def test_the_survival_of_a_row_is_that_of_the_model(browser: Browser, trial: Report) -> None:
    browser.open(trial.page)
    assert browser.errors() == []
    names = sorted(["east", "<b>west", "north"])
    select = find(browser, "#input-stratum")
    assert browser.run("return [...arguments[0].options].map((one) => one.text)", select) == names
    fields = browser.run(
        "return [...document.querySelectorAll('[data-input]')].map((f) => [f.labels[0].textContent, f])"
    )
    arm = dict(fields)["arm"]
    for index, stratum, value in ((20, 0, 1.25), (60, 2, -0.5)):
        at(browser, index)
        browser.run(CHOOSE, select, str(stratum))
        for name, field in fields:
            if name != "arm":
                browser.run(SET, field, str(value))
        browser.frames()
        told = find(browser, "[data-prediction]").text
        found = re.match(r"Without the event at days = ([\d,]+): (\d+)%\. Median days: ([\d,]+|later)", told)
        assert found is not None, told
        commonest = "a" if browser.run("return arguments[0].selectedOptions[0].text", arm).startswith("a") else "b"
        row = pl.DataFrame(
            {"x0": [value], "x1": [value], "x2": [value], "arm": [commonest], "centre": [names[stratum]]}
        )
        lam = float(trial.cv.lambdas[index])
        horizon = float(found[1].replace(",", ""))
        events = np.sort(trial.table.filter("dead")["days"].to_numpy())
        assert horizon == events[(len(events) - 1) // 2]
        share = trial.cv.predict(row, lam=lam, kind="survival", times=[horizon], strata="centre")
        assert int(found[2]) == pytest.approx(100 * float(share[0, 0]), abs=0.6)
        median = float(trial.cv.predict(row, lam=lam, kind="median", strata="centre")[0])
        assert found[3] == ("later" if np.isinf(median) else f"{median:,.0f}")
    assert find(browser, "[data-survival] svg").is_displayed()
    browser.run("document.querySelector('[data-reset]').click()")
    assert browser.run("return arguments[0].value", select) == "0"


def test_the_time_that_is_chosen_holds_for_every_view(browser: Browser, trial: Report) -> None:
    browser.open(trial.page)
    curves, calibration = (f'[data-view="{name}"]' for name in ("survival_curves", "survival_calibration"))
    select = find(browser, f"{curves} [data-horizon]")
    times = browser.run("return [...arguments[0].options].map((one) => one.text)", select)
    events = np.sort(trial.table.filter("dead")["days"].to_numpy())
    quartiles = [events[int(np.ceil(share * len(events))) - 1] for share in (0.25, 0.5, 0.75)]
    assert times == [f"days = {time:,.0f}" for time in quartiles]
    assert browser.run("return arguments[0].value", select) == "1"
    browser.run(CHOOSE, select, "2")
    browser.frames()
    assert browser.run("return arguments[0].value", find(browser, f"{calibration} [data-horizon]")) == "2"
    for place in (f"{curves} figure", f"{calibration} figure", "[data-prediction]"):
        browser.run("arguments[0].scrollIntoView({ behavior: 'instant' })", find(browser, place))
        browser.frames()
        assert f"{times[2]} (" in find(browser, place).text or f"at {times[2]}:" in find(browser, place).text
    assert browser.errors() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_at_every_width(browser: Browser, trial: Report, scheme: str) -> None:
    browser.open(trial.page, media={"prefers_color_scheme": scheme})
    views = browser.run(VIEWS)
    assert {"survival_curves", "survival_calibration"} <= set(views)
    assert not {"confusion", "residuals", "sigmoid", "decisions", "observed", "row_groups", "geometry"} & set(views)
    assert "concordance" in find(browser, "[data-quality]").text
    assert browser.accessibility() == []
    for width in (1280, 390, 320):
        browser.size(width, 900)
        browser.frames()
        assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.errors() == []
