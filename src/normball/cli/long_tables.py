"""`normball fit` of a table that is read in blocks of rows: with --memory, of a folder, or of a pattern of files."""

from __future__ import annotations

import glob
import math
import shlex
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normball.cli.apart import how_set_apart, marks
from normball.cli.source import (
    PLACES,
    STDIN,
    Task,
    UsageError,
    named,
    not_found,
    reading_options,
    refuse_targets,
    without_folders,
)
from normball.cli.terms import options_of
from normball.messages import DataError, Finding, count, sample
from normball.run import BY_ROW_NUMBER, Run
from normball.unfinished import Unfinished

if TYPE_CHECKING:
    from normball.blocks.long_table import LongTable
    from normball.blocks.source import RowBlocks
    from normball.cv_result import CVPath
    from normball.findings.in_blocks import WholeColumns
    from normball.inputs.prepare import Data
    from normball.results.evaluation import Evaluation
    from normball.results.fit import Fit

# options that need all rows at once
NEED_ROWS = (
    "event",
    "start",
    "strata",
    "positive",
    "bootstrap",
    "text",
)
ROLES = ("weights", "exposure", "group", "time_order", "split")  # of columns, besides target and offset
N_BOOTSTRAP = 500  # samples of the rows that were set apart, as of those in memory
ROWS_AT_ONCE = 1 << 16
HELD_OTHERWISE = 350_000_000  # bytes, by the libraries, by reading, and by the sample that is looked at
SHARE_KEPT = 0.4  # of the memory, for blocks that stay between passes
UNFINISHED = "unfinished.npz"


@dataclass
class LongTask(Task):
    """A table in blocks: `table` is what the fit reads, and what looks at rows gets a sample of them."""

    blocks: RowBlocks | None = None
    size: tuple[int, int] = (0, 0)
    whole: LongTable | None = None  # the table with the rows that no fit sees
    beside: Any = None  # these, a Blocks of their table

    prepares_sample = True

    @property
    def n_rows(self) -> int:
        """Rows of the table."""
        return self.size[0]

    @property
    def n_columns(self) -> int:
        """Columns of the table."""
        return self.size[1]

    @cached_property
    def _looked_at(self) -> tuple[Data, WholeColumns, list[Finding]]:
        from normball.findings.in_blocks import sampled

        assert self.blocks is not None
        return sampled(self.blocks)

    def prepare(self) -> Data:
        """The sample."""
        return self._looked_at[0]

    def check(self, data: Data, **how: Any) -> list[Finding]:
        """What is found in the sample, and in all rows."""
        from normball.findings.check import check_data

        _, whole, remarks = self._looked_at
        return [*remarks, *check_data(data, whole, **how)]

    def judged(self, fit: Fit) -> Evaluation:
        """How well a model predicts the rows that were set apart."""
        from normball.results.in_parts import rows_for
        from normball.results.judged_in_parts import evaluation_of

        run = self.run
        rows = rows_for(
            fit,
            self.beside,
            y=run.y,
            sample_weight=run.weights or None,
            offset=self.offset,
            exposure=run.exposure or None,
            row_groups=run.group or None,
            unknown="warn",
            missing=self.options["missing"],
            progress=False,
        )
        found = evaluation_of(fit, rows, N_BOOTSTRAP, run.apart["seed"])
        how = f"{count(found.n_rows)} rows set apart, {how_set_apart(run)}"
        self.run = replace(run, apart={**run.apart, "how": how})
        return found

    def held_out(self, cv: CVPath) -> Iterator[dict[str, list[Any]]]:
        """What --out-of-fold writes, block by block."""
        from normball.blocks.data import BlockData
        from normball.blocks.encoding import TableRows
        from normball.blocks.selected import numbered
        from normball.blocks.source import MappedRows
        from normball.cli.out_of_fold_file import columns_of_parts

        assert self.blocks is not None
        assert self.whole is not None
        table, row = numbered(self.whole)
        seen = divided(table, self.run.apart)[0] if self.run.apart else table
        seed, repeats = (self.run.options.get(name, usual) for name, usual in (("random_state", 0), ("repeats", 1)))
        dealt = BlockData(self.blocks, self.table.executor).with_folds(cv.n_folds // repeats, seed, repeats)
        source = dealt.blocks.source
        assert isinstance(source, MappedRows)
        assert isinstance(source.source, TableRows)
        return columns_of_parts(cv, self.run, replace(source.source, table=seen), source.function, row)

    def goes_on(self) -> str:
        """How the fit can be taken up where it was interrupted."""
        is_kept = self.table.resume is not None and self.table.resume.exists()
        return " The same command with --resume goes on from there." if is_kept else ""

    def finished(self) -> None:
        """The fit is written: its solutions need no other file."""
        if self.table.resume is not None:
            self.table.resume.unlink(missing_ok=True)


def is_long(arguments: Namespace) -> bool:
    """Whether a table is to be read in blocks: it is said so, or there is no other way to read it."""
    place = arguments.data
    if arguments.memory is not None:
        if not place:
            raise UsageError("--memory is about a file; an example needs none")
        if place in STDIN:
            raise UsageError(f"--memory reads a table several times, and {place} can be read once: give a file")
        return True
    return bool(place) and not Path(place).is_file() and (Path(place).is_dir() or glob.has_magic(place))


def read(arguments: Namespace, command: list[str]) -> LongTask:
    """Look at all rows of the table, and lay out how it becomes blocks."""
    from normball.blocks.encoding import TableRows
    from normball.blocks.local import LocalExecutor
    from normball.blocks.opening import Blocks
    from normball.blocks.tables import blocks_of, open_table

    _check(arguments)
    resume = unfinished(arguments)
    reading = reading_options(arguments)
    table = open_table(arguments.data, **reading)
    columns = list(table.names)
    targets, offsets = _columns(arguments, columns)
    named_apart = {getattr(arguments, name, None) for name in ROLES} | {*arguments.drop, *targets, *offsets}
    _check_features(len({*columns} - named_apart))
    seen, beside, chosen = _with_rows_apart(table, arguments)
    options = {
        "sample_weight": arguments.weights,
        "missing": arguments.missing,
        "inf": arguments.inf,
        "categorical": list(arguments.categorical),
        "drop": chosen.get("drop", list(arguments.drop)),
        **options_of(arguments, columns),
    }
    offset = offsets[0] if len(offsets) == 1 else offsets or None
    blocks = blocks_of(
        seen,
        targets if len(targets) > 1 else targets[0],
        family=arguments.family,
        offset=offset,
        exposure=arguments.exposure or "",
        by_row={"fold_groups": arguments.group or None, "time_order": arguments.time_order or None},
        memory=arguments.memory,
        **options,
    )
    assert blocks is not None
    assert isinstance(blocks.source, TableRows)
    _check_features(blocks.n_features)
    _check_memory(arguments, blocks)
    executor = LocalExecutor(getattr(arguments, "threads", None), _room_kept(arguments.memory or 0))
    return LongTask(
        table=Blocks(blocks, executor=executor, resume=resume),
        family=arguments.family,
        options=options,
        offset=offset,
        run=_run(arguments, command, targets, reading, chosen),
        findings=[],
        blocks=blocks,
        size=(blocks.source.n_table_rows, len(columns)),
        whole=table,
        beside=None if beside is None else Blocks(beside, memory=arguments.memory),
    )


def _run(
    arguments: Namespace, command: list[str], targets: list[str], reading: dict[str, Any], chosen: dict[str, Any]
) -> Run:
    """What the model file keeps of how it came about."""
    made = Run(
        source=arguments.data,
        target=sample(targets),
        targets=tuple(targets) if len(targets) > 1 else (),
        command=shlex.join(["normball", *without_folders(command, [getattr(arguments, name, "") for name in PLACES])]),
        date=date.today().isoformat(),
        reading=reading,
        exposure=arguments.exposure or "",
        group=arguments.group or "",
        time_order=arguments.time_order or "",
        apart=chosen,
    )
    if chosen:
        made = replace(made, apart={**chosen, "how": f"rows set apart, {how_set_apart(made)}"})
    return made


def _check_features(number: int) -> None:
    """Raise where there are more features than a fit in blocks takes."""
    from normball.blocks.data import MOST_FEATURES

    if number > MOST_FEATURES:
        text = f"{count(number)} features are too many for a table in blocks, which takes {count(MOST_FEATURES)}"
        raise UsageError(f"{text}: leave columns out with --drop, or fit a sample of the rows from one file")


def _check_memory(arguments: Namespace, blocks: RowBlocks) -> None:
    """Raise where a fit would take more than it is allowed to."""
    from normball.blocks.data import bytes_of_a_fit

    if arguments.memory is None or not hasattr(arguments, "cv"):
        return
    n_features, n_outputs, n_folds = blocks.n_features, blocks.n_outputs, arguments.cv * arguments.repeats
    need = bytes_of_a_fit(blocks.family, n_features, n_outputs, n_folds + 1)
    if need > arguments.memory:
        wanted = f"{count(n_features)} features in {count(n_folds)} folds take about {need / 1e6:,.0f} MB"
        if n_outputs > 1 and blocks.classes is not None:
            n_coefs = count(n_features * n_outputs)
            wanted = f"{n_coefs} coefficients in {count(n_folds)} folds take about {need / 1e6:,.0f} MB"
        text = f"{wanted}, and --memory allows {arguments.memory / 1e6:,.0f} MB"
        raise UsageError(f"{text}: give --memory {math.ceil(need / 1e8) * 100}MB, or leave columns out with --drop")


def _room_kept(memory: int) -> float:
    """The bytes of blocks that may stay between passes, where the whole process is to stay within so many."""
    return max(0.0, min(SHARE_KEPT * memory, memory - HELD_OTHERWISE))


def _with_rows_apart(table: LongTable, arguments: Namespace) -> tuple[LongTable, LongTable | None, dict[str, Any]]:
    """The rows that the fit sees, those that --holdout or --split sets apart, and how these were chosen."""
    share, column = (getattr(arguments, name, None) for name in ("holdout", "split"))
    seed = getattr(arguments, "seed", 0)
    drop = list(dict.fromkeys([*arguments.drop, *([column] if column else [])]))
    given = [name for name in ("group", "time_order") if getattr(arguments, name)]
    if share is not None and given:
        option = "--" + given[0].replace("_", "-")
        text = (
            f"--holdout takes single rows of a table in blocks, {option} does not: mark them in a column, for --split"
        )
        raise UsageError(text)
    if share is None and column is None:
        return table, None, {}
    how = {"share": share, "by": BY_ROW_NUMBER} if column is None else {"column": column}
    chosen = {"seed": seed, **how, "drop": drop}
    return *divided(table, chosen), chosen


def divided(table: LongTable, chosen: Mapping[str, Any]) -> tuple[LongTable, LongTable]:
    """The rows that the fit sees, and those that were set apart as the run of it says."""
    from normball.blocks.selected import ByMark, ByShare, Items, selected

    by: Any
    if "share" in chosen:
        by = partial(ByShare, chosen["share"], chosen["seed"])
    else:
        column = chosen["column"]
        items = [*table.run([column], ROWS_AT_ONCE, Items(column)).found]
        marked = tuple(item for item, mark in zip(items, marks(items, column).tolist(), strict=True) if mark)
        by = partial(ByMark, column, marked)
    return selected(table, by(False)), selected(table, by(True))


def _columns(arguments: Namespace, columns: list[str]) -> tuple[list[str], list[str]]:
    """Targets and offsets; raises where a column that has a role is not there."""
    targets = named(arguments.target, columns, "--target")
    offsets = named(arguments.offset or [], columns, "--offset")
    asked = [(name, "--target") for name in targets] + [(name, "--offset") for name in offsets]
    asked += [(name, f"--{role.replace('_', '-')}") for role in ROLES if (name := getattr(arguments, role, None))]
    problems = [problem for name, option in asked if (problem := not_found(columns, name, option))]
    if problems:
        raise DataError(*problems)
    refuse_targets(targets, arguments)
    return targets, offsets


def unfinished(arguments: Namespace) -> Path | None:
    """The file from which an interrupted fit goes on, beside the others that it writes."""
    place = Path(arguments.output) / UNFINISHED if hasattr(arguments, "resume") else None
    if place is not None and place.exists() and not arguments.resume:
        text = f"{place} holds what an interrupted fit had solved: go on from there with --resume, or remove the file"
        raise UsageError(text)
    if place is not None and arguments.resume and not place.exists():
        raise UsageError(f"--resume has nothing to go on with: there is no {place}")
    if place is not None and arguments.resume:
        Unfinished(place).arrays()  # raises where it cannot be read, before the table is
    return place


def _check(arguments: Namespace) -> None:
    if arguments.example:
        raise UsageError("give either a file or --example diabetes|breast_cancer|wine")
    if not arguments.target:
        raise UsageError("--target is missing: which column is to be explained?")
    if arguments.offset and arguments.exposure:
        raise UsageError("--offset and --exposure are two ways to say the same: give one")
    if arguments.group and arguments.time_order:
        raise UsageError("--group and --time-order make different folds: give one")
    given = [name for name in NEED_ROWS if getattr(arguments, name, None)]
    if given:
        words = " and ".join("--" + name.replace("_", "-") for name in given)
        text = f"{words}: not for a table that is read in blocks of rows"
        why = "--memory" if arguments.memory is not None else "a folder, or a pattern of files"
        raise UsageError(f"{text} ({why}): leave it out, or fit a sample of the rows from one file")
