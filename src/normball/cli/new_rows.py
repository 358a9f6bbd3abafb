"""The rows that a saved model is to predict or to be scored on, and predictions by name."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from normball.cli.console import Console
from normball.cli.source import READING, UsageError
from normball.messages import DataError, Finding, did_you_mean, raise_errors, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from normball.results.fit import Fit
    from normball.results.path import Path
    from normball.run import Run
    from normball.survival.baseline import Baseline


def new_rows(
    arguments: Namespace,
    fit: Fit,
    made: Run,
    console: Console,
    also: Collection[str] = (),
    as_they_stand: Collection[str] = (),
) -> Any:
    """The table of new rows, read as that of the fit was; remarks about columns that nobody uses are left out.

    `also` are columns that are used beside the features; those that are copied `as_they_stand` keep every character.
    """
    from normball.cli.source import opened
    from normball.inputs.tables import read_table

    used = {*fit.preparation.sources, *made.offset_columns, made.exposure}
    reading, given = reading_of_the_fit(arguments, fit, made)
    reading["categorical"] += [name for name in as_they_stand if name not in used]  # 00501 stays as it is
    remarks: list[Finding] = []
    table = read_table(opened(arguments.data)[0], findings=remarks, **reading)
    about_the_rows(remarks, {*also, *fit.preparation.sources}, given, console)
    return table


def reading_of_the_fit(arguments: Namespace, fit: Fit, made: Run) -> tuple[dict[str, Any], Collection[str]]:
    """The options of `read_table` by which the table of the fit was read, with what is said of the new one; these."""
    from normball.cli.source import reading_options

    given = reading_options(arguments)
    labels = fit.preparation.labels
    reading = {**made.reading, **given, "categorical": labels}
    for option in ("na", "units"):  # those of the fit stay
        if option in reading:
            reading[option] = list(dict.fromkeys([*made.reading.get(option, ()), *given.get(option, ())]))
    return reading, given


def about_the_rows(remarks: list[Finding], used: set[str], given: Collection[str], console: Console) -> None:
    """Tell what there is to say of these columns, and raise where it is an error."""
    remarks = _about(remarks, used, given)
    raise_errors(remarks)
    console.findings(remarks)


def check_column(table: Any, name: str, use: str) -> None:
    """Raise where the new table lacks a column; `use` says what for, as the end of the sentence."""
    check_columns(table, [name], use)


def check_columns(table: Any, names: Collection[str], use: str) -> None:
    """As `check_column`, of several at once."""
    known = list(getattr(table, "columns", ())) or list(table.names)  # of a frame, or of a long table
    lacking = [name for name in names if name not in known]
    if lacking:
        told = [
            f'The new table lacks the column "{name}"{use}. Its columns: {sample(known)}.{did_you_mean(name, known)}'
            for name in lacking
        ]
        raise DataError(*(Finding("E08", one, columns=(name,)) for one, name in zip(told, lacking, strict=True)))


def beside(first: dict[str, list[Any]], then: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Columns with others after them; raises where both have one of a name."""
    for name in first:
        if name in then:
            raise UsageError(f'--keep "{name}": there is a column of predictions of this name')
    return {**first, **then}


def strata_of(baseline: Baseline | None, table: Any, given: str | None, made: Run) -> str | None:
    """The column of strata of new rows, None for a model without."""
    if baseline is None or not baseline.stratum_names:
        if given:
            raise UsageError("the model has no strata: leave --strata out")
        return None
    name = given or made.strata
    if not name:
        raise UsageError("the model has strata whose column is not known, for it was saved from Python: give --strata")
    check_column(table, name, ", which the model takes for strata")
    return name


def by_name(
    model: Fit | Path, predicted: Callable[[Any], NDArray[Any]], kind: str | None = None
) -> dict[str, list[Any]]:
    """Predictions of a kind as columns; without one, class and probabilities, or the mean."""
    if model.output_names and kind != "class":
        each = dict(zip(model.output_names, predicted(kind or "response").T.tolist(), strict=True))
        if kind or model.classes is None:
            return each
        chances = {f"probability of {name}": column for name, column in each.items()}
        return {"prediction": predicted("class").tolist(), **chances}
    if kind or model.classes is None:
        return {"prediction": predicted(kind or "response").tolist()}
    chance = predicted("response").tolist()
    return {"prediction": predicted("class").tolist(), f"probability of {model.classes[1]}": chance}


def _about(remarks: list[Finding], used: set[str], given: Collection[str]) -> list[Finding]:
    """Those of the remarks about reading that are news: not about other columns, nor about options of the fit."""
    inherited = [f"The option {name} " for name in READING if name not in given]
    return [
        remark
        for remark in remarks
        if used.issuperset(remark.columns) and not any(remark.text.startswith(start) for start in inherited)
    ]


def offset_of(table: Any, made: Run) -> Any:
    """The offset of the new rows, None for a model without one."""
    from normball.cli.source import complete_values_of, logarithm

    names = [made.exposure] if made.exposure else made.offset_columns
    for name in names:
        check_column(table, name, ", which the model takes as offset")
    if not names:
        return None
    values = [complete_values_of(table, name, "offset") for name in names]
    if made.exposure:
        return logarithm(table, made.exposure)
    return values[0] if len(values) == 1 else list(zip(*values, strict=True))
