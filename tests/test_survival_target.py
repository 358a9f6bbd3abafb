"""Targets of survival models: every form they come in, and what is said of those that cannot be used."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from normball.inputs.sources import source_of
from normball.inputs.survival_target import strata_of, survival_columns, survival_target
from normball.messages import DataError, Finding, raise_errors
from normball.survival.target import SurvivalTarget

TIME = np.array([5.0, 3, 8, 8, 2, 9])
EVENT = np.array([1.0, 0, 1, 1, 0, 1])
START = np.array([0.0, 0, 5, 2, 1, 3])
X = pd.DataFrame({"age": np.arange(6.0), "time": TIME, "dead": EVENT, "entry": START, "centre": list("abbaab")})


def read(y: Any, table: Any = X, counts: Any = None, strata: Any = None) -> tuple[SurvivalTarget, list[Finding]]:
    """As `prepare` does it: columns, then values."""
    findings: list[Finding] = []
    source = source_of(table)
    columns, labels = survival_columns(source, y, findings), strata_of(source, strata, findings)
    raise_errors(findings)
    assert columns is not None
    counts = np.ones(source.n_rows, dtype=bool) if counts is None else counts
    return survival_target(columns, counts, labels)


def refused(y: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(y, *args, **options)
    return str(caught.value)


def structured(event_first: bool = True) -> Any:
    parts = [("dead", "?"), ("time", "<f8")]
    array = np.zeros(6, dtype=parts if event_first else parts[::-1])
    array["dead"], array["time"] = EVENT, TIME
    return array


TWO = np.column_stack([TIME, EVENT])
RIGHT_CENSORED = {
    "names": ["time", "dead"],
    "tuple of names": ("time", "dead"),
    "array": TWO,
    "list of rows": TWO.tolist(),
    "integers": TWO.astype(int),
    "tuple of arrays": (TIME, EVENT),
    "tuple of lists, truth values": (TIME.tolist(), (EVENT == 1).tolist()),
    "tuple of series": (X["time"], X["dead"] == 1),
    "frame": X[["time", "dead"]],
    "frame of polars": pl.DataFrame({"time": TIME, "dead": EVENT == 1}),
    "frame, truth values first": pd.DataFrame({"dead": EVENT == 1, "time": TIME}),
    "structured as in scikit-survival": structured(),
    "structured, time first": structured(event_first=False),
    "text of numbers and truth": np.column_stack([TIME.astype(str), np.where(EVENT == 1, "True", "FALSE")]),
}


@pytest.mark.parametrize("form", RIGHT_CENSORED)
def test_time_and_event_in_any_form(form: str) -> None:
    target, findings = read(RIGHT_CENSORED[form])
    assert findings == []
    assert target.start is None
    assert target.strata is None
    assert not target.missing.any()
    np.testing.assert_array_equal(target.columns, TWO)
    assert target.event.dtype == bool


def test_start_stop_and_event() -> None:
    three = np.column_stack([START, TIME, EVENT])
    for y in (["entry", "time", "dead"], three, (START, TIME, EVENT), X[["entry", "time", "dead"]]):
        target, findings = read(y)
        assert findings == []
        np.testing.assert_array_equal(target.columns, three)
    turned = pd.DataFrame({"dead": EVENT == 1, "entry": START, "time": TIME})
    np.testing.assert_array_equal(read(turned)[0].columns, three)


def test_strata_by_name_and_as_values() -> None:
    for strata in ("centre", X["centre"], list("abbaab"), X["centre"].astype("category")):
        target, _ = read(["time", "dead"], strata=strata)
        assert target.stratum_names == ("a", "b")
        assert target.n_strata == 2
        assert target.codes.tolist() == [0, 1, 1, 0, 0, 1]
    assert read(["time", "dead"], strata=[10, 30, 30, 10, 10, 30])[0].stratum_names == (10, 30)
    taken = read(["entry", "time", "dead"], strata="centre")[0].take(np.array([2, 4]))
    assert (taken.columns[:, 1].tolist(), taken.codes.tolist(), len(taken)) == ([8, 2], [1, 0], 2)


def test_missing_values_are_told_by_the_time() -> None:
    time, event, start = TIME.copy(), EVENT.copy(), START.copy()
    time[0], event[1], start[2] = np.nan, np.nan, np.nan
    target, _ = read((start, time, event))
    assert target.missing.tolist() == [True, True, True, False, False, False]
    assert np.isnan(target.columns[:3]).all()
    assert not target.event[:3].any()


def test_the_data_given_stay_as_they_are() -> None:
    time = TIME.copy()
    time[2] += 1e-12
    before = time.copy()
    read((time, EVENT))
    np.testing.assert_array_equal(time, before)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (["time", "deed"], ['E02 Target "deed" not found', 'Did you mean "dead"?']),
        (["time"], ["E14 The target has 1 column", "two columns (time, event) or three (start, stop, event)"]),
        (TIME, ["E14 The target has 1 column"]),
        (np.ones((6, 4)), ["E14 The target has 4 columns"]),
        ((TIME, EVENT, EVENT, EVENT), ["E14 The target has 4 columns"]),
        (TWO[:5], ["E14", "has 5 values; X has 6 rows"]),
        ((TIME, EVENT[:5]), ["E14 event has 5 values; X has 6 rows."]),
        ((X["time"][::-1], X["dead"]), ["E14 The index of y is not that of X"]),
        ((-TIME, EVENT), ['E13 Target "time" is negative in 6 of 6 rows.', "rows 1, 2, 3, 4, 5 and 1 more   values"]),
        ((TIME, TIME, EVENT), ['E13 Target "stop" must be larger than "start"; it is not in 6 of 6 rows.', "(5, 5]"]),
        ((TIME * 1e150, EVENT), ['E13 Target "time" is infinite or beyond 1e+150 in rows 1, 2, 3', "larger unit"]),
        ((np.where(TIME == 9, np.inf, TIME), EVENT), ["is infinite or beyond 1e+150 in row 6.", "censor these rows"]),
        (([datetime.date(2020, 1, 1)] * 6, EVENT), ["holds dates or times; times must be numbers", "days or years"]),
        ((["1", "2", "3", "4", "5", "6 days"], EVENT), ['E01 Target "time" is not numeric']),
        ((["short", "long"] * 3, EVENT), ['Target "time" holds labels ("long", "short"); times must be numbers']),
        ((TIME, ["alive", "dead"] * 3), ['Event "event" holds labels ("alive", "dead"); it must', 'such as "dead"']),
        ((TIME, [datetime.date(2020, 1, 1)] * 6), ['Event "event" holds dates or times; it must be 1']),
        ((TIME, EVENT + 1), ['Event "event" holds 1, 2;', "subtract 1 from event if 2 is the event"]),
        ((TIME, np.arange(6) % 3), ['Event "event" holds 0, 1, 2;', "event == 1 is censored where another one"]),
        ((EVENT, TIME), ['Event "event" holds 2, 3, 5, 8, 9;', '"time" looks like the event, which comes last']),
        ((TIME, 0 * EVENT), ['E03 Event "event" has one value only: no event in all 6 rows. Nothing to learn.']),
        ((["short", "long"] * 3, EVENT + 1), ['E13 Target "time" holds labels', 'E13 Event "event" holds 1, 2']),
    ],
)  # fmt: skip
def test_what_cannot_be_used(y: Any, said: list[str]) -> None:
    text = refused(y)
    for part in said:
        assert part in text


def test_nobody_to_compare_with() -> None:
    one_by_one = (np.arange(6.0), np.arange(6.0) + 1, np.ones(6))
    assert 'E03 Whenever event "event" occurs, one row only is at risk' in refused(one_by_one)
    assert 'E03 Whenever event "dead" occurs' in refused(["time", "dead"], strata=list("abcdef"))
    counts = np.array([True, True, False, False, False, False])
    assert 'E03 Whenever event "event" occurs' in refused((TIME[::-1].copy(), EVENT), counts=counts)
    assert "E03 Event" in refused(["time", "dead"], counts=EVENT == 0)


def test_strata_that_cannot_be_used() -> None:
    assert 'E02 Column (of strata) "center" not found' in refused(["time", "dead"], strata="center")
    text = refused(["time", "dead"], strata=["a", None, "b", "b", "a", None])
    assert text.startswith('E15 The stratum is missing in 2 rows ("strata").')
    assert "rows 2, 6" in text
    assert "E15 strata must be labels" in refused(["time", "dead"], strata=[datetime.date(2020, 1, 1)] * 6)
    assert "E14 strata has 5 values" in refused(["time", "dead"], strata=list("abbaa"))


def test_times_that_differ_by_rounding_are_the_same() -> None:
    """0.1 + 0.2 and 0.3, of a start and of a stop; a chain of them is one time; the unit does not matter."""
    for unit in (1e-9, 1.0, 365.25):
        start, stop = np.array([0, 0, 0.3, 0, 0.0]), np.array([0.1 + 0.2, 0.3, 1.1, 1.1 + 2e-16, 1.1 + 4e-16])
        table = np.zeros((5, 1))
        target, (finding,) = read((start * unit, stop * unit, np.array([1, 1, 0, 1, 1])), table)
        assert len(np.unique(target.stop)) == 2
        assert target.start is not None
        assert target.start[2] == target.stop[0]
        assert finding.code == "W28"
        assert 'times of target "start" and "stop" differ from another by rounding only, such as ' in finding.text
    assert read((np.array([1, 1 + 1e-6, 2.0]), np.ones(3)), np.zeros((3, 1)))[0].stop.tolist() == [1, 1 + 1e-6, 2]
    assert "1.1" in refused((np.array([1.1, 0]), np.array([1.1 + 4e-16, 1]), [1, 1]), np.zeros((2, 1)))


def test_times_since_1970_in_too_fine_a_unit() -> None:
    """Nanoseconds of this century: a second apart is rounding beside them, and the remedy helps."""
    stamps = 1.7e18 + 1e9 * np.arange(6)
    (finding,) = read((stamps, EVENT))[1]
    assert (finding.code, finding.text[:7]) == ("W28", "5 of 6 ")
    assert "subtract the first of all times" in finding.fix
    assert read((stamps - stamps[0] + 1e9, EVENT))[1] == []


def test_what_is_worth_knowing() -> None:
    zero = TIME.copy()
    zero[[0, 1]] = 0
    (finding,) = read((zero, EVENT))[1]
    assert finding.text == 'Event "event" at time 0, before any time has passed, in row 1.'
    (finding,) = read((TIME, np.ones(6)))[1]
    assert 'Every row ends with the event ("event" is 1 in all 6 rows); none is censored.' in finding.text
    (finding,) = read((TIME, EVENT), strata=list("aebbeb"))[1]
    assert finding.text == 'Without an event, and so without a say: 1 of 3 strata, "e".'
    assert read((START, np.maximum(TIME, START + 1), np.ones(6)))[1] == []  # rows may be pieces of one person's time
