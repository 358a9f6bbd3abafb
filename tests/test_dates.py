"""What grows with time: dates as text in any usual notation are ordered as dates, or refused; text is never sorted."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import normball as nb
from commands import Capture, run
from normball.inputs.dates import moments_of
from normball.messages import DataError

DAYS = [datetime.date(2019, 1, 1) + datetime.timedelta(days=9 * i) for i in range(120)]
RNG = np.random.default_rng(5)
SHUFFLED = RNG.permutation(len(DAYS))
FORMS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%-d.%-m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%y"),
    *("%d.%m.%y", "%d-%b-%Y", "%d %B %Y", "%-d. %B %Y", "%B %d, %Y", "%b %d %Y", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S"),
    *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000+02:00", "%m/%d/%Y %I:%M %p", "%G-W%V"),
)
MONTHS = ("%Y-%m", "%m/%Y", "%b %Y", "%B %Y")


@pytest.mark.parametrize("form", [*FORMS, *MONTHS])
def test_dates_as_text_are_ordered_as_dates(form: str) -> None:
    moments = moments_of([DAYS[i].strftime(form) for i in SHUFFLED])
    in_time = moments[np.argsort(SHUFFLED)]
    assert (np.diff(in_time) >= 0).all()
    assert len(np.unique(moments)) == (36 if form in MONTHS else len(DAYS))


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%Y"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_folds_in_time_never_train_on_the_future(
    form: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    x = RNG.normal(size=(len(DAYS), 2))
    when = [DAYS[i].strftime(form) for i in SHUFFLED]
    table = pl.DataFrame({"when": when, "a": x[:, 0], "b": x[:, 1], "y": x.sum(axis=1) + RNG.normal(size=len(DAYS))})
    getattr(table, f"write_{ending}")(f"t.{ending}")
    assert (
        run(capsys, "fit", "--no-compare", f"t.{ending}", "--target", "y", "--time-order", "when", "--cv", "4")[0] == 0
    )
    models = [nb.load("model.json"), nb.cv_path(x, table["y"], time_order=when, cv=4)]
    for model in models:
        ids = np.array(model.fold_ids)
        for fold in range(4):
            assert SHUFFLED[ids < fold].max() < SHUFFLED[ids == fold].min()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["03/04/2020", "05/06/2020", "07/01/2020"], "can be read in more than one order (%d/%m/%Y or %m/%d/%Y)"),
        (["01-02-03", "04-05-01", "02-03-04"], "can be read in more than one order"),
        (
            ["spring", "autumn", "winter"],
            'holds text that does not tell its order in time: "autumn", "spring", "winter"',
        ),
        (["2020-01-01", "31.12.2019"], "holds text that does not tell its order in time"),
        (["2020-01-01", "soon"], "holds text that does not tell its order in time"),
        (["Monday", "Tuesday"], "holds text that does not tell its order in time"),
        (["week 9", "week 10"], "holds text that does not tell its order in time"),
        ([31122019, 1012020, 15062020], "looks like dates written DDMMYYYY (1012020, 15062020, 31122019)"),
        (["12312019", "01012020", "06152020"], "looks like dates written MMDDYYYY"),
        (np.array([1 + 1j, 2]), "holds complex numbers; it must hold times"),
    ],
)
def test_what_has_no_order_in_time_is_refused(values: Any, text: str) -> None:
    with pytest.raises(DataError, match=re.escape(f"E15 time_order {text}")) as caught:
        moments_of(values)
    assert "write dates as YYYY-MM-DD" in caught.value.findings[0].fix


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["9", "10", "-1"], [1, 2, 0]),
        ([9, 10, -1], [1, 2, 0]),
        ([20201231, 20200101, 20190101], [2, 1, 0]),
        (["2020-Q1", "2019-Q4", "2020-Q2"], [1, 0, 2]),
        (["Q1 2020", "Q4 2019", "Q2 2020"], [1, 0, 2]),
        (["9:30", "10:15", "23:00"], [0, 1, 2]),
        (["03/04/2020", "05/06/2020", "07/08/2020"], [0, 1, 2]),  # either way
        (["2020-01-01T10:00:00+02:00", "2020-01-01T09:00:00Z", "2020-01-01T10:30:00+00:00"], [0, 1, 2]),
        (pd.Series(pd.Categorical(["low", "high", "mid"], ["low", "mid", "high"], ordered=True)), [0, 2, 1]),
        (pl.Series(["low", "high", "mid"], dtype=pl.Enum(["low", "mid", "high"])), [0, 2, 1]),
        (pl.Series(DAYS[:3]), [0, 1, 2]),
        (pd.Series(pd.to_datetime(DAYS[:3])), [0, 1, 2]),
        (pd.Series(pd.to_datetime(DAYS[:3])).dt.tz_localize("Europe/Rome"), [0, 1, 2]),
        (DAYS[:3], [0, 1, 2]),
        ([True, False, True], [1, 0, 1]),
    ],
)
def test_what_has_an_order_keeps_it(values: Any, order: list[int]) -> None:
    assert np.unique(moments_of(values), return_inverse=True)[1].tolist() == order


def test_gaps_in_the_times_are_said() -> None:
    with pytest.raises(ValueError, match=r"E04 Missing values \(NaN\): time_order 2 \(50.0 %\). First rows 2, 4."):
        nb.cv_path(
            RNG.normal(size=(4, 2)), [1.0, 2.0, 3.0, 4.0], time_order=["2020-01-01", None, "2020-01-02", "NA"], cv=2
        )
