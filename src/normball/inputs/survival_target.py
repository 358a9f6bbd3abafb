"""The target of a survival model: how long each row was under observation, and whether that ended with the event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.class_targets import mostly_numbers
from normball.inputs.column_findings import LARGEST, not_numeric, row_list
from normball.inputs.columns import Content, Floats, Labels, Mask, Numbers, Several, Unusable, read_values
from normball.inputs.lookup import vector_of
from normball.inputs.rows import misplaced
from normball.inputs.several import columns_of, names_in
from normball.inputs.sources import Source
from normball.inputs.text import label_key
from normball.messages import DataError, Finding, count, raise_errors, sample
from normball.survival.risk_sets import risk_sets
from normball.survival.target import SurvivalTarget

FORMS = "two columns (time, event) or three (start, stop, event)"
# of the mean size of the times: closer ones are the same to R's survival, too (Therneau 2023, its vignette "tiedtimes")
ROUNDING = float(np.sqrt(np.finfo(float).eps))
CODES = "1 where the event occurred and 0 where the row was censored"


def survival_columns(source: Source, y: Any, findings: list[Finding]) -> Several | None:
    """The columns of a target (time, event) or (start, stop, event), the event last.

    Parameters
    ----------
    source : Source
        The rows.
    y : list of str, array of shape (n_rows, 2) or (n_rows, 3), frame, structured array, or tuple of arrays
        Names of columns, or their values. Truth values are those of the event wherever they stand, as in the
        structured arrays of scikit-survival; otherwise the event comes last.
    findings : list of Finding
        Gets an error for each thing that is wrong with the form: E02 for a name, E14 for a shape.

    Returns
    -------
    Several or None
        None where there were errors.
    """
    n_before = len(findings)
    parts = _parts(y)
    if parts is None:
        columns = columns_of(source, y, "y", findings, outputs=True)
    else:
        findings += [found for part in parts.values() if (found := misplaced(source.index, part, "y"))]
        columns = {name: read_values(part, name) for name, part in parts.items()}
        for name, column in columns.items():
            if not isinstance(column, Unusable) and len(column) != source.n_rows:
                text = f"{name} has {count(len(column))} values; X has {count(source.n_rows)} rows."
                findings.append(Finding("E14", text))
    if len(findings) == n_before and len(columns) not in (2, 3):
        number = "1 column" if len(columns) == 1 else f"{count(len(columns))} columns"
        findings.append(Finding("E14", f"The target has {number}; a survival model takes {FORMS}."))
    if len(findings) > n_before:
        return None
    truth = [name for name, column in columns.items() if _is_truth(column)]
    if len(truth) == 1:
        columns[truth[0]] = columns.pop(truth[0])
    return Several(columns, named=bool(names_in(source, y)) or hasattr(y, "columns"))


def _parts(y: Any) -> dict[str, Any] | None:
    """The fields of a structured array, or the arrays of a tuple; None where `y` is neither."""
    fields = getattr(getattr(y, "dtype", None), "names", None)
    if fields:
        return {name: y[name] for name in fields}
    if not isinstance(y, tuple) or any(isinstance(part, str) or np.ndim(part) == 0 for part in y):
        return None
    names = ("start", "stop", "event") if len(y) == 3 else ("time", "event")
    return dict(zip(names, y, strict=False)) if len(y) in (2, 3) else {f"y[{k}]": part for k, part in enumerate(y)}


def _is_truth(column: Content) -> bool:
    return isinstance(column, Labels) and column.declared and column.as_truth() is not None


def strata_of(source: Source, strata: Any, findings: list[Finding]) -> Labels | None:
    """The stratum of each row, from the name of a column or its values; None where there are none, or with an error."""
    if strata is None:
        return None
    name, column = vector_of(source, strata, "strata", findings)
    if column is None:
        return None
    if isinstance(column, Unusable):
        findings.append(Finding("E15", f'strata must be labels; "{name}" holds {column.reason}.', columns=(name,)))
        return None
    labels = column.as_labels() if isinstance(column, Numbers) else column
    if labels.missing.any():
        text = (
            f'The stratum is missing in {count(int(labels.missing.sum()))} rows ("{name}").'
            f"\n{row_list(np.flatnonzero(labels.missing))}"
        )
        fix = "leave these rows out, or give them a stratum of their own"
        findings.append(Finding("E15", text, fix, (name,)))
        return None
    return labels


def new_strata(source: Source, strata: Any, names: Sequence[Any]) -> NDArray[np.intp]:
    """The strata of new rows as places in the `names` that a model knows.

    Raises
    ------
    ValueError
        If strata are lacking, or given to a model without.
    DataError
        If there is no such column (E02), or a stratum is missing (E15) or none of the model's (E09).
    """
    if not names:
        if strata is not None:
            raise ValueError("The model was fitted without strata: leave strata= out")
        return np.zeros(source.n_rows, dtype=np.intp)
    if strata is None:
        raise ValueError("The model was fitted with strata: pass strata= for the new rows too")
    findings: list[Finding] = []
    labels = strata_of(source, strata, findings)
    raise_errors(findings)
    assert labels is not None
    place = {label_key(name): k for k, name in enumerate(names)}
    codes = np.array([place.get(label_key(value), -1) for value in labels.values], dtype=np.intp)[labels.codes]
    unknown = np.flatnonzero(codes < 0)
    if len(unknown):
        strange = list(dict.fromkeys(str(labels.values[code]) for code in labels.codes[unknown]))
        text = (
            f"Strata that the model does not know: {sample(strange, quote=True)} in {row_list(unknown)}. "
            f"It knows {sample(names, quote=True)}."
        )
        raise DataError(Finding("E09", text, "leave these rows out: no baseline hazard is known for them"))
    return codes


def survival_target(
    columns: Several, counts: Mask, strata: Labels | None = None
) -> tuple[SurvivalTarget, list[Finding]]:
    """Turn the columns of a target into times and events.

    Parameters
    ----------
    columns : Several
        As `survival_columns` gives them.
    counts : ndarray of bool, shape (n_rows,)
        The rows that have a weight, and no gap elsewhere.
    strata : Labels, optional
        As `strata_of` gives them.

    Returns
    -------
    target : SurvivalTarget
        With NaN for the times of rows that lack one, or the event.
    findings : list of Finding
        What is worth knowing: times that differ by rounding (W28), and are taken for the same; an event at time 0, no
        row without the event, or strata without one (W29).

    Raises
    ------
    DataError
        With everything that is wrong with the values: times that are no numbers, are negative or too large to add up
        (E13), intervals that end before they begin (E13), events that are no truth values (E13); no event, or nobody to
        compare the events with (E03).
    """
    *time_names, event_name = columns.columns
    apart = not columns.named
    errors: list[Finding] = []
    times = [_times(columns.columns[name], name, apart, errors) for name in time_names]
    event = _events(columns.columns[event_name], event_name, time_names, columns, errors)
    raise_errors(errors)
    missing = np.isnan(event) | np.isnan(np.column_stack(times)).any(axis=1)
    times, findings = _merged(times, ~missing, time_names)
    stop = np.where(missing, np.nan, times[-1])
    start = np.where(missing, np.nan, times[0]) if len(times) == 2 else None
    names, codes = ((), None) if strata is None else (strata.values, strata.codes.astype(np.intp))
    target = SurvivalTarget(stop, (event == 1) & ~missing, start, codes, names)
    errors += _wrong_intervals(target, time_names)
    raise_errors(errors)
    findings += _about_events(target, counts & ~missing, (*time_names, event_name))
    raise_errors(findings)
    return target, findings


def _times(column: Content, name: str, apart: bool, errors: list[Finding]) -> Floats:
    """The times in a column, which must be numbers."""
    numbers = column.as_numbers() if isinstance(column, Labels) and not column.declared else column
    if isinstance(numbers, Numbers):
        values = numbers.values
        beyond = np.flatnonzero(np.abs(np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf)) > LARGEST)
        if len(beyond):
            text = f'Target "{name}" is infinite or beyond {LARGEST:g} in {row_list(beyond)}.'
            fix = "censor these rows at the last time that was seen, or count in a larger unit of time"
            errors.append(Finding("E13", text, fix, (name,)))
        return values
    if isinstance(column, Labels) and not column.declared and mostly_numbers(column):
        errors.append(not_numeric(name, column, "Target", apart))
    elif isinstance(column, Labels):
        text = f'Target "{name}" holds labels ({sample(column.values, quote=True)}); times must be numbers.'
        errors.append(Finding("E13", text, "choose another column for the times", (name,)))
    elif isinstance(column, Unusable):
        text = f'Target "{name}" holds {column.reason}; times must be numbers.'
        fix = "put the time since each row's beginning in its place, in days or years" if column.is_date else ""
        errors.append(Finding("E13", text, fix, (name,)))
    return np.zeros(0)


def _events(column: Content, name: str, time_names: list[str], columns: Several, errors: list[Finding]) -> Floats:
    """1 where the event occurred and 0 where it did not."""
    if isinstance(column, Unusable):
        errors.append(Finding("E13", f'Event "{name}" holds {column.reason}; it must be {CODES}.', columns=(name,)))
        return np.zeros(0)
    numbers = column.as_truth() or column.as_numbers() if isinstance(column, Labels) else column
    if numbers is None:
        assert isinstance(column, Labels)
        text = f'Event "{name}" holds labels ({sample(column.values, quote=True)}); it must be {CODES}.'
        fix = f'put 1 in place of the word for the event, such as "{column.values[-1]}", and 0 elsewhere'
        errors.append(Finding("E13", text, fix, (name,)))
        return np.zeros(0)
    known = np.unique(numbers.values[~numbers.missing])
    if np.isin(known, (0, 1)).all():
        return numbers.values
    shown = sample([f"{value:g}" for value in known])
    text = f'Event "{name}" holds {shown}; it must be {CODES}.'
    errors.append(Finding("E13", text, _fix_of_codes(known, name, time_names, columns), (name,)))
    return np.zeros(0)


def _fix_of_codes(known: Floats, name: str, time_names: list[str], columns: Several) -> str:
    """What to do about events that are not 0 and 1."""
    if known.tolist() == [1, 2]:
        return f"subtract 1 from {name} if 2 is the event, as R has it"
    if np.isin(known, (0, 1, 2, 3, 4, 5)).all():
        return f"choose one kind of event: {name} == 1 is censored where another one came first"
    for other in time_names:
        column = columns.columns[other]
        if isinstance(column, Numbers) and np.isin(column.values[~column.missing], (0, 1)).all():
            return f'"{other}" looks like the event, which comes last: {FORMS}'
    return "choose another column for the event"


def _merged(times: list[Floats], known: Mask, names: list[str]) -> tuple[list[Floats], list[Finding]]:
    """The times with the smallest in place of those that differ from it by rounding alone, and W28 that says so."""
    every = np.unique(np.concatenate([values[known] for values in times]))
    new = np.diff(every, prepend=-np.inf) > ROUNDING * np.abs(every).mean() if len(every) else np.ones(0, dtype=bool)
    if new.all():
        return times, []
    one = int(np.flatnonzero(~new)[0])
    first = every[np.maximum.accumulate(np.where(new, np.arange(len(every)), 0))]
    places = [np.searchsorted(every, values).clip(max=len(every) - 1) for values in times]
    merged = [np.where(known, first[place], np.nan) for place in places]
    called = " and ".join(f'"{name}"' for name in names)
    text = (
        f"{count(int((~new).sum()))} of {count(len(every))} times of target {called} differ from another by rounding "
        f"only, such as {float(every[one - 1])!r} and {float(every[one])!r}; these are taken for the same."
    )
    fix = "if these are different times: subtract the first of all times, or round them to the unit that was measured"
    return merged, [Finding("W28", text, fix, tuple(names))]


def _wrong_intervals(target: SurvivalTarget, names: list[str]) -> list[Finding]:
    """E13: negative times, and intervals that end before they have begun."""
    if target.start is None:
        rows = np.flatnonzero(target.stop < 0)
        text = f'Target "{names[0]}" is negative in {count(len(rows))} of {count(len(target))} rows.'
        shown = [f"{value:g}" for value in target.stop[rows]]
    else:
        rows = np.flatnonzero(target.stop <= target.start)
        text = (
            f'Target "{names[1]}" must be larger than "{names[0]}"; it is not in {count(len(rows))} of '
            f"{count(len(target))} rows."
        )
        shown = [f"({target.start[row]:g}, {target.stop[row]:g}]" for row in rows]
    if not len(rows):
        return []
    text += f"\n{row_list(rows)}   values {sample(shown)}"
    return [Finding("E13", text, "correct these values, or leave these rows out", tuple(names))]


def _about_events(target: SurvivalTarget, counts: Mask, names: tuple[str, ...]) -> list[Finding]:
    """E03 where nothing can be learned, and W29: what is odd about the events."""
    event = names[-1]
    died = target.event & counts
    if not counts.any():
        return []  # said elsewhere
    if not died.any():
        text = f'Event "{event}" has one value only: no event in all {count(int(counts.sum()))} rows. Nothing to learn.'
        return [Finding("E03", text, "choose another column; if rows were filtered, check the filter", (event,))]
    sets = risk_sets(target, counts.astype(float))
    alone = sets.over_rows(counts.astype(float)) == 1
    if alone.all():
        text = (
            f'Whenever event "{event}" occurs, one row only is at risk: there is none to compare it with. '
            "Nothing to learn."
        )
        return [Finding("E03", text, "use fewer strata, or longer times at risk", names)]
    findings = []
    at_zero = np.flatnonzero(died & (target.stop == 0))
    if len(at_zero) and target.start is None:
        text = f'Event "{event}" at time 0, before any time has passed, in {row_list(at_zero)}.'
        fix = "if 0 stands for an unknown time, leave these rows out; they are compared with all rows"
        findings.append(Finding("W29", text, fix, names))
    if died[counts].all() and target.start is None:
        text = f'Every row ends with the event ("{event}" is 1 in all {count(int(died.sum()))} rows); none is censored.'
        findings.append(Finding("W29", text, "if the column says something else, choose another one", (event,)))
    n_events = np.bincount(target.codes[died], minlength=target.n_strata)
    idle = [name for name, number in zip(target.stratum_names, n_events.tolist(), strict=False) if not number]
    if idle:
        text = (
            f"Without an event, and so without a say: {count(len(idle))} of {count(target.n_strata)} strata, "
            f"{sample(idle, quote=True)}."
        )
        findings.append(Finding("W29", text, columns=(event,)))
    return findings
