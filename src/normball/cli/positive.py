"""Which of two classes counts as the positive one, and which label of an event is the event: `--positive LABEL`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from normball.cli.source import Task, UsageError
from normball.messages import OR, DataError, Finding, count, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from normball.inputs.columns import Labels
    from normball.run import Run

MOST_LABELS = 6  # of an event; of more it is another column


def with_positive(task: Task, label: str | None) -> Task:
    """The task with this label as the class whose probability is modelled, or as the event."""
    from normball.families import AUTO, find_family

    task.run = replace(task.run, positive=label or "")
    if task.family != AUTO and find_family(task.family).has_risk_sets:
        event = task.run.targets[-1]
        found = labels_of(task.table, event) if label else None
        task.run = replace(task.run, event_labels=() if found is None else found[1])
        return replace(task, table=with_events(task.table, event, task.run.positive))
    return task if label is None else replace(task, table=in_order(task.table, task.run))


def with_events(table: Any, name: str, label: str, known: bool = False) -> Any:
    """The table with 1 in a column of events where it holds this label, and 0 where it holds another one.

    Raises a DataError where it holds labels and none is named, or lacks that one. Of a label that is `known` from a fit
    the column may be 1 and 0 instead; but 1 alone is then another code where that label is a number.
    """
    import numpy as np
    import polars

    from normball.inputs.text import label_key, to_numbers

    found = labels_of(table, name)
    if found is None:
        return table  # which is said where the target is read
    labels, texts = found
    numbers = to_numbers(texts)
    alone = len(texts) > 0 and bool((numbers == 1.0).all())
    coded = bool(label) and alone and bool(np.isfinite(to_numbers([label])[0]))
    are_events = labels.as_truth() is not None or bool(np.isin(numbers, (0.0, 1.0)).all() and not coded)
    code = {label_key(text): k for k, text in enumerate(texts)}.get(label_key(label)) if label else None
    if code is None and not label and not known and not are_events:
        raise _no_event(name, texts)
    if code is None and (not label or (known and are_events)):
        return table  # what a fit from Python cannot know is said where the target is read
    if code is None:
        text = f'Event "{name}" has no label "{label}"; it has {sample(texts, quote=True)}.'
        fix = f'write it as "{label}", or as 0 and 1' if known else "one of these for --positive"
        raise DataError(Finding("E13", text, fix, (name,)))
    values = [None if one < 0 else int(one == code) for one in labels.codes.tolist()]
    return table.with_columns(polars.Series(name, values, dtype=polars.Int64))


def labels_of(table: Any, name: str) -> tuple[Labels, tuple[str, ...]] | None:
    """A column as labels, and these as text; None where there is none that could be."""
    from normball.inputs.columns import Numbers, Unusable
    from normball.inputs.sources import source_of
    from normball.inputs.text import label_text

    source = source_of(table)
    if name not in source.names:
        return None
    column = source.read(source.names.index(name))
    if isinstance(column, Unusable):
        return None
    labels = column.as_labels() if isinstance(column, Numbers) else column
    return labels, tuple(label_text(value) for value in labels.values)


def unmet_events(table: Any, run: Run, name: str) -> list[str]:
    """The labels of an event that the fit did not meet, where the one that is the event is among them."""
    from normball.inputs.text import label_key

    found = labels_of(table, name) if run.event_labels else None
    met = {label_key(text) for text in (*run.event_labels, run.positive)}
    texts = () if found is None else found[1]
    if label_key(run.positive) not in {label_key(text) for text in texts}:
        return []  # events as 1 and 0
    return [text for text in texts if label_key(text) not in met]


def _no_event(name: str, texts: Sequence[str]) -> DataError:
    """E13: which of these is the event nobody said."""
    if len(texts) > MOST_LABELS:
        text = (
            f'Event "{name}" has {count(len(texts))} values, {sample(texts, quote=True)}; which of them is the event?'
        )
        fix = OR.join(("positive= one of them", "choose another column for the event"))
        return DataError(Finding("E13", text, fix, (name,)))
    text = f'Event "{name}" holds {sample(texts, quote=True)}; which of them is the event?'
    remedies = [f"positive={json.dumps(one, ensure_ascii=False)}" for one in texts if one != "0"]
    return DataError(Finding("E13", text, OR.join(remedies), (name,)))


def in_order(table: Any, run: Run, of_times: bool = False) -> Any:
    """The table with the two labels of its target as categories in order, of which the second one is modelled.

    Where the target is one of times, with its event in numbers.
    """
    import polars

    from normball.inputs.text import label_key

    label, name = run.positive, run.target
    if not label:
        return table
    if run.targets and of_times:
        return with_events(table, run.targets[-1], label, known=True)
    if run.targets:
        raise UsageError("--positive is about one target column of two labels: leave it out")
    if not isinstance(table, polars.DataFrame):
        text = "the targets of an SVMlight file are numbers, of which the larger one is modelled"
        raise UsageError(f"--positive: {text}; leave it out, or exchange the two numbers in the file")
    found = labels_of(table, name)
    if found is None:
        return table  # which is said where the target is read
    labels, texts = found
    if len(texts) != 2:
        text = f'--positive is about a target of two labels; "{name}" has {count(len(texts))}.'
        raise DataError(Finding("E13", text, "leave --positive out", (name,)))
    place = {label_key(text): k for k, text in enumerate(texts)}.get(label_key(label))
    if place is None:
        text = f'Target "{name}" has no label "{label}"; it has {sample(texts, quote=True)}.'
        raise DataError(Finding("E13", text, "one of these for --positive", (name,)))
    order = [texts[1 - place], texts[place]]
    values = [None if code < 0 else texts[code] for code in labels.codes.tolist()]
    return table.with_columns(polars.Series(name, values, dtype=polars.Enum(order)))
