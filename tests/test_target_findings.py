"""Targets that are numbers and yet no amounts: class labels, survival times."""

from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from normball.inputs.prepare import prepare

RNG = np.random.default_rng(6)
N = 200
X = RNG.normal(size=(N, 3))


def found(X: Any, y: Any, code: str, family: str = "auto") -> list[Any]:
    """The findings of this code."""
    return [finding for finding in prepare(X, y, family=family).findings if finding.code == code]


@pytest.mark.parametrize(
    "labels", [range(1, 12), range(10), range(3, 10), (-1, 0, 1), (10, 20, 30), (1.0, 2.0, 3.0)], ids=str
)
@pytest.mark.parametrize("family", ["auto", "gaussian"])
def test_few_whole_numbers_may_be_classes(labels: Any, family: str) -> None:
    y = RNG.choice(np.array(labels), N)
    (finding,) = found(X, y, "W26", family)
    assert f"holds {len(labels)} whole numbers only ({labels[0]:g}, {labels[1]:g}" in finding.text
    assert "class labels" in finding.fix
    assert ('family="poisson"' in finding.fix) == (labels[0] >= 0)
    assert not found(X, y, "W16", family)  # the same, said in other words


def test_two_numbers_fitted_as_amounts_are_called_classes() -> None:
    y = (X[:, 0] > 0).astype(float)
    path = nb.fit_path(X, y)  # gaussian unless told otherwise
    (finding,) = path.findings
    assert (finding.code, finding.fix) == ("W26", 'if they are two classes: family="binomial"')
    assert not nb.fit_path(X, y, family="binomial").findings


def test_amounts_are_no_classes() -> None:
    amounts = [
        RNG.normal(size=N),
        RNG.integers(0, 100, N),
        np.arange(N),
        np.round(RNG.normal(size=N) * 2) / 2,  # in half steps
        np.where(np.arange(N) < 150, 0.0, RNG.uniform(size=N)),
    ]
    for y in amounts:
        assert not found(X, y, "W26", "gaussian")
    assert not found(X[:12], np.arange(12) % 6, "W26", "gaussian")  # too few rows to tell
    assert not found(X, RNG.poisson(1.0, N), "W26", "poisson")


def test_gaps_in_the_target_do_not_hide_classes() -> None:
    y = RNG.choice([1.0, 2.0, 3.0, np.nan], N)
    assert len([finding for finding in nb.check(X, y, missing="drop") if finding.code == "W26"]) == 1


def survival(time: str, event: str, codes: Any = (0, 1)) -> pl.DataFrame:
    """A table of times and events."""
    columns = {"age": X[:, 0], time: RNG.exponential(300, N).round(1), event: RNG.choice(np.array(codes), N)}
    return pl.DataFrame({**columns, "protime": RNG.uniform(size=N), "partial": RNG.choice([0, 1], N)})


@pytest.mark.parametrize(
    ("time", "event", "codes"),
    [
        ("time", "event", (0, 1)),
        ("time", "status", (1, 2)),
        ("futime", "death", (0, 1, 2)),
        ("survival_days", "died", (False, True)),
        ("OS", "OS.event", ("alive", "dead")),
        ("Overall.Survival", "censored", (0, 1)),
        ("follow_up", "Status", (0.0, 1.0)),
    ],
)
def test_a_time_beside_an_event_is_called_survival_data(time: str, event: str, codes: Any) -> None:
    table = survival(time, event, codes)
    (finding,) = found(table, time, "W27")
    assert finding.columns == (time, event)
    assert finding.fix == f'y=["{time}", "{event}"], family="cox"  or  drop=["{event}"] if every time is a full one'
    assert not [one for one in nb.check(table, time, drop=[event]) if one.code == "W27"]


def test_the_event_as_target_too() -> None:
    (finding,) = found(survival("time", "death"), "death", "W27")
    assert finding.columns == ("death", "time")
    assert finding.fix.startswith('y=["time", "death"], family="cox"  or  drop=["time"] if')
    assert finding.in_command_line_words().fix.startswith("--target time,death, --family cox  or  --drop time if")


def test_other_tables_are_none() -> None:
    table = survival("time", "event")
    assert not found(table.drop("event"), "time", "W27")
    assert not found(table.drop("time"), "event", "W27")  # protime is no time
    assert not found(table, "age", "W27")
    assert not found(table.with_columns(event=pl.Series(X[:, 1])), "time", "W27")  # no two codes
    assert not found(table.to_numpy(), table["time"].to_numpy(), "W27")  # without names nobody knows


@pytest.mark.parametrize(
    ("name", "target", "code"),
    [
        ("vowel", "y", "W26"),
        ("digits", "digit", "W26"),
        ("wine_quality", "quality", "W26"),
        ("pbc", "time", "W27"),
        ("lung", "time", "W27"),
        ("lung", "status", "W27"),
        ("gbsg2", "time", "W27"),
        ("veteran", "time", "W27"),
    ],
)
def test_real_tables(read_shared: Any, name: str, target: str, code: str) -> None:
    codes = {finding.code for finding in nb.check(read_shared(name), target, missing="impute", trial_fit=False)}
    assert code in codes


@pytest.mark.parametrize(
    ("name", "target"), [("bikeshare", "bikers"), ("titanic", "survived"), ("concrete", "strength")]
)
def test_real_tables_of_amounts_and_classes(read_shared: Any, name: str, target: str) -> None:
    codes = {finding.code for finding in nb.check(read_shared(name), target, missing="impute", trial_fit=False)}
    assert not codes & {"W26", "W27"}
