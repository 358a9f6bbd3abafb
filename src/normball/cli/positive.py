"""Which of two classes counts as the positive one: `--positive LABEL`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from normball.cli.source import Task, UsageError
from normball.messages import DataError, Finding, count, sample

if TYPE_CHECKING:
    from normball.run import Run


def with_positive(task: Task, label: str | None) -> Task:
    """The task with this label as the class whose probability is modelled."""
    if label is None:
        return task
    task.run = replace(task.run, positive=label)
    return replace(task, table=in_order(task.table, task.run))


def in_order(table: Any, run: Run) -> Any:
    """The table with the two labels of its target as categories in order, of which the second one is modelled."""
    import polars

    from normball.inputs.columns import Unusable
    from normball.inputs.sources import source_of
    from normball.inputs.text import label_key, label_text

    label, name = run.positive, run.target
    if not label:
        return table
    if run.targets:
        raise UsageError("--positive is about one target column of two labels: leave it out")
    if not isinstance(table, polars.DataFrame):
        text = "the targets of an SVMlight file are numbers, of which the larger one is modelled"
        raise UsageError(f"--positive: {text}; leave it out, or exchange the two numbers in the file")
    source = source_of(table)
    if name not in source.names:
        return table  # which is said where the target is read
    column = source.read(source.names.index(name))
    if isinstance(column, Unusable):
        return table
    labels = column if hasattr(column, "codes") else column.as_labels()
    texts = [label_text(value) for value in labels.values]
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
