"""From the command line's words to a table and what to do with it."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from normball.cli import examples, terms
from normball.cli.survival import LATE_ENTRY
from normball.cli.values import names
from normball.messages import DataError, Finding, did_you_mean, raise_errors, sample
from normball.run import Run

if TYPE_CHECKING:
    from normball.cli.apart import Apart
    from normball.inputs.prepare import Data
    from normball.results.evaluation import Evaluation
    from normball.results.fit import Fit

READING = ("na", "thousands", "decimal", "units", "delimiter", "encoding", "header", "dedupe", "categorical")


PLACES = ("data", "output", "out_of_fold", "groups")  # of files, among the words
STDIN = ("-", "/dev/stdin")


class StandardInput(BytesIO):
    """All that stands on stdin, with a name."""

    name = "stdin"


class UsageError(Exception):
    """Options that do not go together."""


@dataclass
class Task:
    """A table, the options that every function takes about it, and where it came from."""

    table: Any
    family: str
    options: dict[str, Any]  # of `prepare`, less the offset
    offset: Any
    run: Run
    findings: list[Finding]
    apart: Apart | None = None  # rows that no fit sees

    prepares_sample: ClassVar[bool] = False  # whether `prepare` gives some of the rows

    def prepare(self) -> Data:
        """Check the table; raises a DataError with everything that is wrong."""
        from normball.inputs.prepare import prepare

        by_row = by_row_of(self.run)
        return prepare(self.table, self.run.y, family=self.family, offset=self.offset, by_row=by_row, **self.options)

    @property
    def n_rows(self) -> int:
        """Rows of the table."""
        return int(self.table.height)

    @property
    def n_columns(self) -> int:
        """Columns of the table."""
        return int(self.table.width)

    def check(self, data: Data, **how: Any) -> list[Finding]:
        """What `check` finds in `data`, which are those of this task."""
        from normball.findings.check import check_data

        return check_data(data, **how)

    def judged(self, fit: Fit) -> Evaluation:
        """How well a model predicts the rows that were set apart."""
        assert self.apart is not None
        return fit.evaluate(
            self.apart.table,
            self.run.y,
            sample_weight=self.run.weights or None,
            offset=self.apart.offset,
            strata=self.run.strata or None,
            row_groups=values_of(self.apart.table, self.run.group) if self.run.group else None,
            random_state=self.run.apart["seed"],
            unknown="warn",
            horizon=None if len(self.run.targets) == LATE_ENTRY else self.run.horizon,
        )

    def goes_on(self) -> str:
        """How the fit can be taken up where it was interrupted, if it can."""
        return ""

    def finished(self) -> None:
        """The fit is written: nothing is left of what was on the way."""

    def column(self, name: str) -> Any:
        """The values of a column by name, None for no name."""
        return values_of(self.table, name) if name else None


def by_row_of(run: Run) -> dict[str, str]:
    """The columns that make the folds, by the arguments of `cv_path`."""
    return {role: name for role, name in (("fold_groups", run.group), ("time_order", run.time_order)) if name}


def read(arguments: Namespace, command: list[str]) -> Task:
    """Read the table and gather the options about it."""
    _check(arguments)
    findings: list[Finding] = []
    if arguments.example:
        table, reading, source = examples.example(arguments.example), {}, ""
    else:
        from normball.inputs.tables import read_table

        reading = reading_options(arguments)
        if kept := [*reading.get("categorical", ()), *terms.read_as_text(arguments)]:
            reading["categorical"] = kept
        file, source = opened(arguments.data)
        table = read_table(file, findings=findings, **reading)
        findings = about_other_columns(findings, arguments.drop)
        raise_errors(findings)
    from normball.families import AUTO

    targets, offsets = _targets(arguments, table), named(arguments.offset or [], table.columns, "--offset")
    roles = {
        "--weights": arguments.weights,
        "--exposure": arguments.exposure,
        "--group": arguments.group,
        "--time-order": arguments.time_order,
        "--strata": arguments.strata,
    }
    problems = [not_found(table.columns, name, option) for option, name in roles.items() if name]
    problems += [not_found(table.columns, name, "--offset") for name in offsets]
    if any(problems):
        raise DataError(*(problem for problem in problems if problem))
    refuse_targets(targets, arguments)
    apart = [name for name in (arguments.exposure, arguments.group, arguments.time_order) if name]
    options = {
        "sample_weight": arguments.weights,
        "strata": arguments.strata,
        "missing": arguments.missing,
        "inf": arguments.inf,
        "categorical": list(arguments.categorical),
        "drop": list(dict.fromkeys([*arguments.drop, *apart])),
        **_about_terms(arguments, table.columns),
    }
    run = Run(
        source=source,
        example=arguments.example or "",
        target=sample(targets),
        targets=tuple(targets) if len(targets) > 1 else (),
        command=shlex.join(["normball", *without_folders(command, [getattr(arguments, name, "") for name in PLACES])]),
        date=date.today().isoformat(),
        reading=reading,
        exposure=arguments.exposure or "",
        group=arguments.group or "",
        time_order=arguments.time_order or "",
    )
    offset = offsets[0] if len(offsets) == 1 else offsets or None
    if arguments.exposure:
        offset = logarithm(table, arguments.exposure)
    family = "cox" if arguments.event and arguments.family == AUTO else arguments.family
    return Task(table, family, options, offset, run, findings)


def _about_terms(arguments: Namespace, columns: Sequence[str]) -> dict[str, Any]:
    try:
        return terms.options_of(arguments, columns)
    except ValueError as error:
        raise UsageError(str(error)) from None


def opened(place: str) -> tuple[Any, str]:
    """What `read_table` reads for a word of the command line, and what the table is called."""
    if place not in STDIN:
        return place, place
    from normball.inputs.file_kinds import kind_of

    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(f"{place} stands for what is piped in, and nothing is: cat data.csv | normball ...")
    content = sys.stdin.buffer.read()
    return StandardInput(content), f"{StandardInput.name}{kind_of(content)}"


def _targets(arguments: Namespace, table: Any) -> list[str]:
    """The columns of the target; of times to an event those of --start, --target and --event."""
    from normball.families import AUTO, find_family

    targets = named(arguments.target or [examples.TARGETS[arguments.example]], table.columns, "--target")
    known = None if arguments.family == AUTO else find_family(arguments.family)
    of_times = bool(arguments.event) if known is None else known.has_risk_sets
    if of_times:
        return _of_times(arguments, targets, table)
    given = next((name for name in ("event", "start", "strata") if getattr(arguments, name)), None)
    if given:
        raise UsageError(f"--{given} is about times to an event: --target TIME --event COL, which is --family cox")
    takes_several = known is not None and known.has_outputs
    unknown = [not_found(table.columns, name, "--target") for name in targets if len(targets) > 1]
    if any(unknown):
        raise DataError(*(problem for problem in unknown if problem))
    if len(targets) > 1 and not takes_several:
        takes = "and one is to be explained" if arguments.family == AUTO else f"and {arguments.family} takes one"
        one = " or ".join(f"--target {shlex.quote(name)}" for name in targets[:3])
        raise UsageError(f"--target names {len(targets)} columns, {takes}: give {one}{_together(table, targets)}")
    return targets


def _of_times(arguments: Namespace, targets: list[str], table: Any) -> list[str]:
    """The start, if there is one, the time and the event, which may all be named by --target."""
    if arguments.event and len(targets) > 1:
        raise UsageError("--target names one column, the time, where --event names the other")
    if not arguments.event and len(targets) == 1:
        raise UsageError("--event is missing: times to an event are --target TIME --event COL")
    if arguments.start and not arguments.event:
        raise UsageError("--start goes with --target TIME --event COL")
    named_by = {"--start": arguments.start, "--target": targets[0], "--event": arguments.event}
    if not arguments.event:
        named_by = {f"--target ({k + 1})": name for k, name in enumerate(targets)}
    options = {option: name for option, name in named_by.items() if name}
    for option, name in options.items():
        first = next(one for one, other in options.items() if other == name)
        if first != option:
            raise UsageError(
                f'{option} names "{name}", which {first} names, too: times and event are different columns'
            )
    problems = [not_found(table.columns, name, option.split()[0]) for option, name in options.items()]
    if any(problems):
        raise DataError(*(problem for problem in problems if problem))
    return list(options.values())


def _together(table: Any, targets: Sequence[str]) -> str:
    """The families that explain several columns at once, as far as these columns suit them."""
    from normball.inputs.columns import Numbers
    from normball.inputs.sources import source_of

    source = source_of(table)
    columns = [source.read(source.names.index(name)) for name in targets]
    numbers = [column.values for column in columns if isinstance(column, Numbers)]
    if len(numbers) < len(targets):
        return ""
    shares = all((values[values == values] >= 0).all() for values in numbers)
    return f", or all of them with --family multigaussian{' (as shares of classes: multinomial)' if shares else ''}"


def named(given: Sequence[str], columns: Sequence[str], option: str) -> list[str]:
    """The columns that an option names; names between commas are several, unless a column is called just so."""
    found = [name for text in given for name in ([text] if text in columns else names(text))]
    twice = next((name for k, name in enumerate(found) if name in found[:k]), None)
    if twice is not None:
        raise UsageError(f'{option} names "{twice}" twice')
    return found


def reading_options(arguments: Namespace) -> dict[str, Any]:
    """The options of `read_table` that were given."""
    given = {name: getattr(arguments, name, None) for name in READING}
    given["header"] = "none" if given["header"] == 0 else given["header"]
    return {name: value for name, value in given.items() if value}


def about_other_columns(findings: list[Finding], columns: Collection[str]) -> list[Finding]:
    """The findings that are not about these columns alone."""
    return [finding for finding in findings if not finding.columns or not {*columns}.issuperset(finding.columns)]


def values_of(table: Any, name: str) -> Any:
    """The values of a column as an array, numbers as such; None or NaN where they are missing."""
    from normball.inputs.columns import Labels, Numbers
    from normball.inputs.sources import source_of

    source = source_of(table)
    column = source.read(source.names.index(name))
    if isinstance(column, Labels) and not column.declared:
        column = column.as_numbers() or column
    as_is = hasattr(table, "get_column") and not isinstance(column, Numbers)
    return table.get_column(name).to_numpy() if as_is else column.values  # type: ignore[union-attr]


def complete_values_of(table: Any, name: str, role: str) -> Any:
    """As `values_of`; raises where some are missing, with the argument that names the column."""
    from normball.inputs.column_findings import row_list
    from normball.inputs.columns import missing_in

    values = values_of(table, name)
    if (missing := missing_in(values)).any():
        n, where = f"{int(missing.sum()):,}", row_list(missing.nonzero()[0])
        text = f'Column "{name}" (of {role}) has {n} missing value{"s" * (n != "1")}: {where}.'
        raise DataError(Finding("E15", text, "fill them in, or remove the rows", (name,)))
    return values


def logarithm(table: Any, name: str) -> Any:
    """The logarithm of a column of exposures, a column of the same name; raises where it has none."""
    import numpy as np
    import polars

    from normball.inputs.column_findings import row_list
    from normball.inputs.row_numbers import FIX_EXPOSURE

    values = np.asarray(values_of(table, name))
    if values.dtype.kind not in "fiu":
        raise DataError(Finding("E15", f'The exposure "{name}" must be numbers.', "give a column of numbers", (name,)))
    wrong = np.flatnonzero((values <= 0) | np.isinf(values))
    if wrong.size:
        text = f'The exposure "{name}" must be positive numbers; {wrong.size:,} values are not: {row_list(wrong)}.'
        raise DataError(Finding("E15", text, FIX_EXPOSURE, (name,)))
    return polars.Series(name, np.log(values.astype(float)))


def fitted_offset(table: Any, run: Run) -> Any:
    """The offset of a fit, as `prepare` takes it."""
    return logarithm(table, run.exposure) if run.exposure else run.offset or None


def without_folders(command: Sequence[str], places: Sequence[str | None]) -> list[str]:
    """The words with the bare names of these files: model and page go to others, who need not know where they lay."""
    words = list(command)
    for place in filter(None, places):
        name = PurePath(place).name or place
        words = [word.removesuffix(place) + name if word.endswith(place) else word for word in words]
    return words


def _check(arguments: Namespace) -> None:
    if bool(arguments.data) == bool(arguments.example):
        raise UsageError("give either a file or --example diabetes|breast_cancer|wine")
    if arguments.example and (given := reading_options(arguments).keys() - {"categorical"}):
        raise UsageError(f"--{min(given)} is about a file; an example needs none")
    if arguments.data and not arguments.target:
        raise UsageError("--target is missing: which column is to be explained?")
    if arguments.example and arguments.target not in (None, [examples.TARGETS[arguments.example]]):
        raise UsageError(f"the target of this example is {examples.TARGETS[arguments.example]}; leave --target out")
    if arguments.offset and arguments.exposure:
        raise UsageError("--offset and --exposure are two ways to say the same: give one")
    if arguments.group and arguments.time_order:
        raise UsageError("--group and --time-order make different folds: give one")


def refuse_targets(targets: Collection[str], arguments: Namespace) -> None:
    """Raise where weights or offsets are the target itself, which would then explain itself."""
    given = {"--weights": [arguments.weights], "--exposure": [arguments.exposure], "--offset": arguments.offset or []}
    for option, names_given in given.items():
        for name in {*names_given} & {*targets}:
            raise UsageError(f'{option} names "{name}", which is the target: choose another column, or leave it out')


def not_found(columns: Sequence[str], name: str, option: str) -> Finding | None:
    """E02: no column has the name that an option gives."""
    if name in columns:
        return None
    text = f'Column "{name}" of {option} not found. Columns: {sample(list(columns))}.'
    return Finding("E02", text + did_you_mean(name, columns), columns=(name,))
