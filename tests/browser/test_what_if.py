"""What-if in a browser: a choice for each column of the table, whatever it holds, and the prediction of the model."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from .conftest import Browser, Report
from .handling import SET, at, find

pytestmark = pytest.mark.slow

N = 500
FIELDS = (
    "return [...document.querySelectorAll('[data-input]')].map((field) => [field.dataset.input,"
    " field.labels[0].textContent, field.tagName, field.checkVisibility()])"
)
CHOOSE = "arguments[0].value = [...arguments[0].options].find((o) => o.text.startsWith(arguments[1])).value;"
CHANGE = "arguments[0].dispatchEvent(new Event('change'))"


def levels(family: str) -> pl.DataFrame:
    """Texts of two and 24 levels, whole numbers, numbers with gaps, and more columns than are shown at first."""
    rng = np.random.default_rng(7)
    hour, sex, age = rng.integers(0, 24, N), rng.choice(["f", "m"], N), rng.integers(18, 90, N)
    gaps = rng.random(N) < 0.15
    numbers = {f"x{j}": rng.normal(size=N) for j in range(8)}
    eta = sum(numbers.values()) + np.sin(hour / 4) + 1.5 * gaps + 0.05 * (age - 50) + (sex == "f")
    made: dict[str, Any] = {
        "gaussian": lambda: eta + rng.normal(size=N),
        "poisson": lambda: rng.poisson(np.exp(eta / 3)),
        "binomial": lambda: np.where(eta + rng.logistic(size=N) > 0, "yes", "no"),
        "multinomial": lambda: np.array(["low", "middle", "high"])[np.digitize(eta + rng.logistic(size=N), [-2, 1])],
    }
    frame = pl.DataFrame({"y": made[family](), "hr": [f"h{h:02}" for h in hour], "sex": sex, "age": age, **numbers})
    return frame.with_columns(gap=pl.when(pl.Series(gaps)).then(None).otherwise(pl.Series(rng.normal(size=N))))


@pytest.fixture(scope="module", params=["gaussian", "poisson", "binomial", "multinomial"])
def mixed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    family: str = request.param
    folder: Path = tmp_path_factory.mktemp(family)
    return Report(folder, levels(family), "--family", family, "--missing", "impute")


def put(browser: Browser, c: str, value: Any) -> None:
    """Set the field of a column."""
    field = find(browser, f'[data-input="{c}"]')
    if field.tag_name == "select":
        browser.run(CHOOSE + CHANGE, field, f"{value} (")
        return
    gap = browser.run("return arguments[0].parentElement.querySelector('[type=checkbox]')", field)
    if gap and gap.is_selected() != (value is None):
        browser.run("arguments[0].click()", gap)
    if value is not None:
        browser.run(SET, field, repr(value))


def test_every_column_has_one_field_and_the_prediction_is_predict(browser: Browser, mixed: Report) -> None:
    browser.open(mixed.page)
    assert sum(shown for *_, shown in browser.run(FIELDS)) == 8
    browser.run("document.querySelector('[data-more]').open = true")
    browser.frames()
    fields = {name: (c, tag) for c, name, tag, _ in browser.run(FIELDS)}
    assert set(fields) == set(mixed.table.columns[1:])
    assert {name for name, (_, tag) in fields.items() if tag == "SELECT"} == {"hr", "sex"}
    rows = [mixed.table.row(i, named=True) for i in (0, 3)]
    rows.append(rows[0] | {"gap": None, "hr": "h04", "sex": "f"})
    for index in (20, 60):
        at(browser, index)
        for row in rows:
            for name, (c, _) in fields.items():
                put(browser, c, row[name])
            browser.frames()
            told = find(browser, "[data-prediction]").get_attribute("data-value")
            frame = pl.DataFrame([row], schema=mixed.table.schema).drop("y")
            expected = mixed.cv.predict(frame, lam=float(mixed.cv.lambdas[index]), kind="response")
            several = mixed.cv.path.output_names
            wanted = np.ravel(expected) if several else np.ravel(expected)[-1:]
            assert [float(value) for value in told.split(",")] == pytest.approx(wanted.tolist(), rel=1e-6, abs=1e-9)
    assert find(browser, "[data-spread]").text.startswith("Of the ")
    assert browser.errors() == []


def test_numbers_stay_within_the_data(browser: Browser, mixed: Report) -> None:
    browser.open(mixed.page)
    browser.run("document.querySelector('[data-more]').open = true")
    browser.frames()
    fields = {name: c for c, name, *_ in browser.run(FIELDS)}
    age = find(browser, f'[data-input="{fields["age"]}"]')
    oldest = int(mixed.table["age"].to_numpy().max())
    values = []
    for value in (oldest, 5000):
        browser.run(SET, age, str(value))
        browser.frames()
        values.append(find(browser, "[data-prediction]").get_attribute("data-value"))
    assert values[0] == values[1]
    note = browser.run("return arguments[0].parentElement.querySelector('p').textContent", age)
    assert note == f"The data hold 18 to {oldest}: counted as {oldest}."


def test_names_find_the_columns_that_are_folded(browser: Browser, mixed: Report) -> None:
    browser.open(mixed.page)
    browser.run("document.querySelector('[data-more]').open = true")
    browser.frames()
    folded = [name for _, name, _, _ in browser.run(FIELDS)][8:]
    browser.run(SET, find(browser, "[data-more] input[type=search]"), folded[0].upper())
    shown = [name for _, name, _, visible in browser.run(FIELDS) if visible][8:]
    assert shown == [name for name in folded if folded[0] in name]
