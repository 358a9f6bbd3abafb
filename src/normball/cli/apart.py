"""Rows that no fit of `normball fit` sees: set apart at random, or as a column marks them, and scored at the end."""

from __future__ import annotations

import warnings
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.folds import are_apart
from normball.cli.console import labelled
from normball.cli.source import Task, by_row_of, fitted_offset, values_of
from normball.folds import held_out_rows
from normball.inputs.sources import SparseTable
from normball.language import message
from normball.messages import DataError, Finding, count, did_you_mean, sample

if TYPE_CHECKING:
    from normball.cli.console import Console
    from normball.inputs.prepare import Data
    from normball.results.fit import Fit
    from normball.results.path import Path
    from normball.run import Run

OF_DATA = ("sample_weight", "strata", "missing", "inf", "categorical")  # besides "drop", by which rows are usable
TRAIN = ("train", "training", "fit", "false", "0")
TEST = ("test", "testing", "holdout", "held_out", "validation", "true", "1")


@dataclass(frozen=True)
class Apart:
    """The rows that were set apart: their table and offset, and in words how they were chosen."""

    table: Any
    offset: Any
    how: str
    kept: NDArray[np.intp]  # the places of the other rows in the whole table


def with_rows_apart(task: Task, arguments: Namespace) -> Task:
    """The task without the rows that --holdout or --split sets apart, which it keeps beside."""
    if arguments.holdout is None and arguments.split is None:
        return task
    chosen: dict[str, Any] = {"seed": arguments.seed}
    if arguments.split is not None:
        if arguments.split not in task.table.columns:
            text = f'Column "{arguments.split}" of --split not found. Columns: {sample(list(task.table.columns))}.'
            hint = did_you_mean(arguments.split, task.table.columns)
            raise DataError(Finding("E02", text + hint, columns=(arguments.split,)))
        chosen["column"] = arguments.split
        task.options["drop"] = list(dict.fromkeys([*task.options["drop"], arguments.split]))
    else:
        chosen["share"] = arguments.holdout
    chosen["drop"] = [*task.options["drop"]]  # as it is now: columns dropped later would bring back rows with gaps
    task.run = replace(task.run, apart=chosen)
    data = task.prepare()
    apart = rows_apart(task.table, task.run, data)
    used = apart if data.rows is None else np.intersect1d(apart, data.rows)
    kept = np.setdiff1d(np.arange(task.table.height), apart)
    how = f"{count(used.size)} rows set apart, {how_set_apart(task.run)}"
    task.run = replace(task.run, apart={**chosen, "how": how})
    beside = Apart(taken(task.table, used), _taken_values(task.offset, used), how, kept)
    return replace(task, table=taken(task.table, kept), offset=_taken_values(task.offset, kept), apart=beside)


def prepared(task: Task) -> Data:
    """The rows of the fit, numbered as in the whole table."""
    data = task.prepare()
    if task.apart is not None:
        data.rows = task.apart.kept if data.rows is None else task.apart.kept[data.rows]
    return data


def rows_apart(table: Any, run: Run, data: Data) -> NDArray[np.intp]:
    """The rows of the whole table that were set apart; `data` are all of its rows that can be used."""
    if "column" in run.apart:
        return np.flatnonzero(_marked(table, run.apart["column"]))
    if "by" in run.apart:
        return np.flatnonzero(are_apart(0, int(table.height), run.apart["share"], run.apart["seed"]))
    places = np.arange(data.n_rows) if data.rows is None else data.rows
    by_row = {
        name: None if not column else values_of(table, column)[places]
        for name, column in (("groups", run.group), ("times", run.time_order))
    }
    classes = data.classes is not None and bool(np.isin(data.y, (0.0, 1.0)).all())
    strata = (data.y if data.y.ndim == 1 else data.y.argmax(axis=1)) if classes else None
    if data.survival is not None:
        strata = data.survival.event.astype(np.float64)
    return np.asarray(places[held_out_rows(data.n_rows, run.apart["share"], strata, seed=run.apart["seed"], **by_row)])


def without_them(table: Any, run: Run, path: Path) -> Any:
    """The table of a fit, read again, without the rows that it had set apart."""
    from normball.inputs.prepare import prepare

    if not run.apart:
        return table
    offset = fitted_offset(table, run)
    options = {name: run.options[name] for name in OF_DATA if name in run.options}
    data = prepare(
        table,
        run.y,
        family=path.family,
        offset=offset,
        drop=run.apart.get("drop", ()),
        by_row=by_row_of(run),
        **options,
    )
    return taken(table, np.setdiff1d(np.arange(table.height), rows_apart(table, run, data)))


def fitted(path: Path, run: Run, table: Any) -> tuple[Any, Data]:
    """The rows of a fit in a table that was read again, and what was made of them; raises where they are others."""
    from normball.cli.positive import in_order
    from normball.evidence.refound import refound

    rows = without_them(in_order(table, run, path.baselines is not None), run, path)
    data = refound(
        path,
        rows,
        run.y,
        sample_weight=run.weights or None,
        offset=fitted_offset(rows, run),
        strata=run.strata or None,
        inf=run.options.get("inf", "error"),
        by_row=by_row_of(run),
    )
    return rows, data


def taken(table: Any, rows: NDArray[np.intp]) -> Any:
    """Some rows of a table."""
    if isinstance(table, SparseTable):
        return SparseTable(table.matrix[rows], table.names, table.label[rows])
    return table[rows]


def score(fit: Fit, task: Task, console: Console) -> None:
    """Score the model on the rows that were set apart, and keep that with the run."""
    from normball.cli.console import machine_form

    if not task.run.apart:
        return
    try:
        with console.phase(message("Score")), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = task.judged(fit)
    except DataError as error:  # a class that the fit never saw: the fit is good all the same
        console.findings(error.findings)
        return
    for warning in caught:
        told = f"Of the rows set apart: {str(warning.message).splitlines()[0]}"
        console.note(labelled(message("Careful"), told))
    task.run = replace(task.run, apart={**task.run.apart, "evaluation": machine_form(found.to_dict())})


def how_set_apart(run: Run) -> str:
    """How the rows were chosen, in words."""
    if "column" in run.apart:
        return f'as "{run.apart["column"]}" marks them'
    share = f"{100 * run.apart['share']:g} % of all"
    return f"the last {share}" if run.time_order else f"{share} at random"


def _marked(table: Any, column: str) -> NDArray[np.bool_]:
    """Whether a column marks each row as one for the test; the 1 of a column called "train" is one for the fit."""
    return marks(values_of(table, column).tolist(), column)


def marks(values: Sequence[Any], column: str) -> NDArray[np.bool_]:
    """Whether each of the values of a column marks rows for the test."""
    words = np.array([_word(value) for value in values])
    strange = sorted({*words.tolist()} - {*TRAIN, *TEST})
    if strange or not np.isin(words, TEST).any() or np.isin(words, TEST).all():
        found = f"It holds {sample(sorted({*words.tolist()}), quote=True)}."
        text = f'Column "{column}" of --split must mark each row as "train" or "test" (or 0 and 1), and some as each. '
        raise DataError(Finding("E15", text + found, columns=(column,)))
    named_train = "train" in column.casefold() and not {*words.tolist()} & {"train", "test"}
    return np.isin(words, TRAIN if named_train else TEST)


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).strip().casefold()


def _taken_values(values: Any, rows: NDArray[np.intp]) -> Any:
    """Some of the values given row by row; a name of a column stays."""
    return values if values is None or isinstance(values, str | list) else values[rows]
