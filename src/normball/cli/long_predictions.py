"""`normball predict` and `score` of tables that are read in parts: with --memory, of a folder, or of a pattern."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.cli.console import Console, labelled
from normball.cli.new_rows import about_the_rows, beside, by_name, check_columns, reading_of_the_fit
from normball.cli.source import UsageError
from normball.language import message
from normball.messages import DataError, count
from normball.run import Run

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from normball.blocks.long_table import LongTable
    from normball.blocks.new_rows import NewRows
    from normball.results.evaluation import Evaluation
    from normball.results.fit import Fit
    from normball.results.path import Path


def predict(arguments: Namespace, fit: Fit, made: Run, console: Console) -> int:
    """Write the predictions of one part of the table after the other."""
    from normball.cli.outputs import STDOUT
    from normball.cli.prediction_file import PredictionFile, needs_pyarrow

    place = arguments.output or STDOUT[0]
    if console.machine and place in STDOUT:
        raise UsageError("--json holds all predictions, and those of a table in parts go to a file: name it with -o")
    needs_pyarrow(place)
    table = opened_table(arguments, fit, made)
    check_columns(table, arguments.keep, " (of --keep)")
    _check_kind(arguments, fit)
    rows = _new_rows(table, arguments, fit, made, console, {"offset": made.offset or None})
    bar = console.bar(message("Predict"), message("rows"))
    n_done = 0
    try:
        with PredictionFile(place, console, parts=True) as file:
            for columns, n_rows in _parts(rows, table, arguments, fit):
                file.add(columns)
                n_done += n_rows
                bar(n_done, rows.n_rows)
                if file.is_lost:
                    break
    finally:
        bar.close()
    if place not in STDOUT:
        told = f"{count(n_done)} predictions at lambda {fit.lam:.4g} to {place}"
        console.note(labelled(message("Wrote"), told))
    console.document({"model": arguments.model, "lam": fit.lam, "n_rows": n_done, "output": place})
    return 0


def opened_table(arguments: Namespace, fit: Fit, made: Run) -> LongTable:
    """The table of new rows, read as that of the fit was."""
    from normball.blocks.tables import open_table

    return open_table(arguments.data, **reading_of_the_fit(arguments, fit, made)[0])


def _new_rows(
    table: LongTable, arguments: Namespace, fit: Fit, made: Run, console: Console, roles: dict[str, Any]
) -> NewRows:
    """The rows, all of which were looked at; remarks about columns that nobody uses are left out."""
    from normball.blocks.opening import Blocks
    from normball.results.in_parts import rows_for

    check_columns(table, _offsets(made), ", which the model takes as offset")
    bar = console.bar(message("Read"), message("rows"))
    try:
        blocks = Blocks(table, memory=arguments.memory)
        rows = rows_for(fit, blocks, exposure=made.exposure or None, unknown=arguments.unknown, progress=bar, **roles)
    finally:
        bar.close()
    used = {*rows.table.names} & {name for one in rows.findings for name in one.columns}
    about_the_rows([*rows.findings], used, reading_of_the_fit(arguments, fit, made)[1], console)
    return rows


def _offsets(made: Run) -> Collection[str]:
    return [made.exposure] if made.exposure else made.offset_columns


def _check_kind(arguments: Namespace, fit: Fit) -> None:
    from normball.results.in_parts import refuse_strata
    from normball.results.kinds import CURVES

    if arguments.times and fit.baseline is None:
        raise UsageError(f"--times is about models of times to an event; this one is {fit.family}")
    if arguments.kind in CURVES and not arguments.times:
        raise UsageError(f"--kind {arguments.kind} needs --times, at which the curve is wanted")
    for kind in _kinds(arguments, fit):
        refuse_strata(_predictor(fit, kind, arguments.times))


def _kinds(arguments: Namespace, fit: Fit) -> list[Any]:
    """What is predicted of times to an event."""
    if fit.baseline is None:
        return []
    if arguments.times:
        return [arguments.kind or "survival"]
    return [arguments.kind] if arguments.kind else ["risk", "median"]


def _predictor(fit: Fit, kind: Any, times: Any = None) -> Any:
    from normball.results.in_parts import Predictor
    from normball.results.sparse_rows import SparseRows

    coefs = SparseRows.from_rows(np.atleast_2d(fit.coef), len(fit.feature_names))
    return Predictor(fit.family, fit.classes, np.array([fit.intercept]), coefs, kind, times, (fit.baseline,))


def _parts(
    rows: NewRows, table: LongTable, arguments: Namespace, fit: Fit
) -> Iterator[tuple[dict[str, list[Any]], int]]:
    """The columns to write of each part, and how many rows it has."""
    kinds = _kinds(arguments, fit)
    for frame, block in rows.parts(arguments.keep):
        eta = _predictor(fit, "link").eta(block)
        if kinds:
            columns: dict[str, list[Any]] = {}
            for kind in kinds:
                found = _predictor(fit, kind, arguments.times).of(eta)[:, 0]
                if arguments.times:
                    names = [f"{kind.replace('_', ' ')} at {time:g}" for time in arguments.times]
                    columns |= dict(zip(names, found.T.tolist(), strict=True))
                else:
                    columns["prediction" if arguments.kind else kind] = found.tolist()
        else:
            columns = by_name(fit, partial(_of_kind, fit, eta), arguments.kind)
        yield beside(_kept(frame, table, rows), columns), block.n_rows


def _of_kind(fit: Fit, eta: NDArray[np.float64], kind: Any) -> NDArray[Any]:
    found: NDArray[Any] = _predictor(fit, kind).of(eta)[:, 0]
    return found


def _kept(frame: pl.DataFrame, table: LongTable, rows: NewRows) -> dict[str, list[Any]]:
    """Columns of a part as they stand there, but for numbers in text that the model uses; missing values as None."""
    from normball.blocks.encoding import TableRows
    from normball.blocks.long_table import TEXT, column_of, kind_of
    from normball.blocks.readers import TextNumberReader
    from normball.inputs.tables import without_words

    source = rows.blocks.source
    assert isinstance(source, TableRows)
    kept = {}
    for name in frame.columns:
        column = column_of(frame, name)
        reader = source.reader.readers.get(name)
        if isinstance(reader, TextNumberReader):
            values = reader.read(frame[name]).tolist()
        elif table.form is not None and kind_of(column.dtype) == TEXT:
            values = without_words(column.str.strip_chars(), table.form)[0].to_list()
        else:
            values = column.to_list()
        kept[name] = [None if x != x else x for x in values]
    return kept


def evaluated(
    arguments: Namespace, fit: Fit, made: Run, table: LongTable, roles: dict[str, Any], console: Console
) -> tuple[Evaluation, NewRows]:
    """The scores of a model on the rows of a table, and these; roles are those of `Fit.evaluate`."""
    from normball.results.judged_in_parts import evaluation_of

    rows = _new_rows(table, arguments, fit, made, console, roles)
    found = evaluation_of(fit, rows, arguments.bootstrap, arguments.seed)
    if found.within:
        each = ", ".join(f"{name} within {within:.1g}" for name, within in found.within.items())
        told = f"by bins of predictions: {each} of the exact value, which more --memory gives"
        console.note(labelled(message("Ranks"), told))
    if arguments.bootstrap and not found.n_bootstrap:
        told = "none drawn: predictions of so many rows have no room in half of --memory"
        console.note(labelled(message("Samples"), told))
    return found, rows


def rows_of_the_fit(
    arguments: Namespace, path: Path | None, made: Run, table: LongTable, roles: dict[str, Any], judged: NewRows
) -> int:
    """How many of the rows that were judged the model was fitted to, where those of its fit are all there; else 0."""
    from normball.blocks.opening import Blocks
    from normball.cli.long_tables import divided
    from normball.results.in_parts import pass_over, rows_for

    if path is None:
        return 0
    if judged.passes.fingerprint == path.fingerprint:
        return judged.n_rows
    if not made.apart or judged.n_rows <= path.n_rows or made.apart.get("column", table.names[0]) not in table.names:
        return 0
    try:
        kept = Blocks(divided(table, made.apart)[0], memory=arguments.memory)
        rows = rows_for(path, kept, exposure=made.exposure or None, unknown="baseline", progress=False, **roles)
        pass_over(rows, _nothing, _nothing)
    except DataError:  # another table
        return 0
    return rows.n_rows if rows.passes.fingerprint == path.fingerprint else 0


def _nothing(*_: Any) -> None:
    """Blocks are looked at, and no more."""
