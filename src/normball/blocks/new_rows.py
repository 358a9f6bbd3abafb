"""Rows for a model that is fitted, read in parts: all of them are looked at before any of them is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from normball.blocks.block import Block
from normball.blocks.dask_tables import DaskTable, PartitionRows, dask_table, is_dask
from normball.blocks.encoding import Roles, RowReader, TableRows
from normball.blocks.executor import Executor
from normball.blocks.local import LocalExecutor
from normball.blocks.long_table import DEFAULT_MEMORY, LongTable, rows_of_a_block
from normball.blocks.new_columns import NewColumns, judged_columns
from normball.blocks.new_target import Terms, target_in_terms
from normball.blocks.opening import SHARE_KEPT, Blocks
from normball.blocks.roles import judged_row_numbers, names_of, refused_numbers
from normball.blocks.source import RowBlocks
from normball.blocks.sums import Passes
from normball.blocks.survey import Survey, Wanted, survey
from normball.blocks.surveyed import SurveyedNumbers
from normball.blocks.tables import long_table_of
from normball.blocks.target import TargetColumns
from normball.blocks.watched import watched
from normball.inputs.column_findings import infinite_values, missing_values
from normball.inputs.columns import Unusable
from normball.inputs.lookup import not_found, not_found_of
from normball.inputs.new_targets import FILL_IN
from normball.inputs.places import Places
from normball.inputs.preparation import Preparation
from normball.inputs.row_numbers import several_offsets
from normball.inputs.terms.dates import DateTerm
from normball.inputs.terms.interaction import InteractionTerm
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.spline import SplineTerm
from normball.messages import DataError, Finding, count, did_you_mean, raise_errors, sample
from normball.progress import Poll
from normball.settings import Progress

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class NewRows:
    """Rows that a model knows how to read.

    Attributes
    ----------
    blocks : RowBlocks
        The rows as the model takes them; `fold` is the group of a row, where groups were named.
    executor : Executor
        Runs over them.
    table : LongTable
        Where they come from.
    n_rows : int
        How many they are.
    memory : int
        Bytes that reading them, and what is kept of each row, may take.
    findings : tuple of Finding
        What is worth knowing.
    progress : bool, callable or None
        Told of passes over the rows.
    has_groups : bool
        Whether groups of rows were named.
    """

    blocks: RowBlocks
    executor: Executor
    table: LongTable
    n_rows: int
    memory: int
    findings: tuple[Finding, ...]
    progress: Progress
    has_groups: bool

    @cached_property
    def passes(self) -> Passes:
        """Over the rows."""
        return Passes(self.blocks, self.executor)

    def parts(self, columns: Sequence[str]) -> Iterator[tuple[pl.DataFrame, Block]]:
        """Block after block, beside it some columns of the table as they stand there."""
        rows = self.blocks.source
        assert isinstance(rows, TableRows)
        return rows.beside(columns)


def new_rows(
    X: Any,
    preparation: Preparation,
    terms: Terms,
    *,
    y: Any = None,
    sample_weight: Any = None,
    offset: Any = None,
    exposure: str | None = None,
    row_groups: Any = None,
    unknown: str = "error",
    missing: str = "error",
    progress: Progress = None,
) -> NewRows:
    """Look at all rows, and lay out how they become blocks.

    Parameters
    ----------
    X
        What comes in blocks; see `Blocks`.
    preparation, terms
        Of the model.
    y, sample_weight, offset, exposure, row_groups : str, optional
        Columns; y and offset of several outputs a list of them. Of dask collections what has a value for each row.
    unknown : {"error", "warn", "baseline"}
        What to do with a level unseen in training.
    missing : {"error", "drop", "impute"}
        Whether rows that lack what a model cannot do without are left out; those that lack a feature by "drop" alone.

    Raises
    ------
    DataError
        With every problem found.
    """
    given = X if isinstance(X, Blocks) else Blocks(X)
    vectors = {"y": y, "sample_weight": sample_weight, "offset": offset, "row_groups": row_groups}
    executor, table = given.executor, _table_of(given, vectors)
    if isinstance(table, DaskTable):
        executor = table.executor
    _check_kinds(preparation, table.named and preparation.named)
    preparation, roles = _roles(table, preparation, {**vectors, "exposure": exposure}, terms)
    labels = frozenset(preparation.of_kind(LevelTerm))
    if table.form is not None:  # text that is to be labels stays as it is written
        table = replace(table, kept_as_text=(*table.kept_as_text, *preparation.labels))
    rows, findings = _rows(table, preparation, terms, roles, labels, given, (unknown, missing), progress)
    blocks = RowBlocks(
        source=PartitionRows(rows, table) if isinstance(table, DaskTable) else rows,
        family=terms.family,
        classes=terms.classes,
        output_names=terms.output_names,
        target_name=sample(roles.target),
        preparation=preparation,
        findings=findings,
        has_offset=bool(roles.offsets or roles.exposure),
    )
    executor = executor or LocalExecutor(memory=SHARE_KEPT * (given.memory or 0))
    memory = given.memory or DEFAULT_MEMORY
    return NewRows(blocks, executor, table, rows.n_table_rows, memory, tuple(findings), progress, bool(roles.fold))


def _check_kinds(preparation: Preparation, named: bool) -> None:
    """Raise where columns give features that blocks do not have, or that columns without names cannot give."""
    plain = (NumberTerm, LevelTerm)
    taken = (*plain, DateTerm, SplineTerm, InteractionTerm) if named else plain
    if other := [column.name for column in preparation.columns if not isinstance(column, taken)]:
        what = "words" if named else "dates, words, splines or products of columns that are found by name"
        text = f"The model makes {what} features: {sample(other, quote=True)}. Rows in blocks do not have these."
        raise DataError(Finding("E16", text, "give a table in memory", tuple(other)))


def _rows(
    table: LongTable,
    preparation: Preparation,
    terms: Terms,
    roles: Roles,
    labels: frozenset[str],
    given: Blocks,
    policy: tuple[str, str],
    progress: Progress,
) -> tuple[TableRows, list[Finding]]:
    """How parts of the table become blocks, after a look at all of it."""
    n_rows = rows_of_a_block(len(roles.columns), given.memory, given.rows)
    wanted = Wanted(
        columns=roles.columns,
        features=roles.features,
        needed=roles.target,
        as_labels=labels,
        distinct=frozenset((*roles.target, roles.fold)),
        inf_is_missing=preparation.inf_is_missing,
        as_dates=frozenset(preparation.of_kind(DateTerm)),
    )
    with Poll(progress) as poll:
        looked_at = watched(table, poll)
        found = survey(looked_at, wanted, n_rows)
        reader, columns, findings = _judged(looked_at, preparation, terms, roles, found, n_rows, *policy)
    width = max(len(roles.columns), len(preparation.feature_names))
    n_rows = rows_of_a_block(width, given.memory, given.rows)
    return TableRows(table, reader, columns.preparation, found.n_rows, n_rows, columns.levels), findings


def _table_of(given: Blocks, vectors: dict[str, Any]) -> LongTable:
    """The table; of dask collections what is given for each row becomes a column of it, and is known by its name."""
    if is_dask(given.X):
        table, names, _ = dask_table(given.X, vectors, given.executor, given.memory)
        vectors |= names
        return table
    found = long_table_of(given.X)
    if found is None:
        kind = "rows of a fit in blocks" if isinstance(given.X, RowBlocks) else type(given.X).__name__
        raise TypeError(f"X must be a table that can be read in parts, not {kind}")
    return found


def _roles(
    table: LongTable, preparation: Preparation, named: Mapping[str, Any], terms: Terms
) -> tuple[Preparation, Roles]:
    """The columns that are named, and those of the model, which go by position where one of both has no names."""
    names = {role: names_of(role, value) for role, value in named.items()}
    findings = [not_found(table, name, "Target") for name in names["y"] if name not in table.schema]
    for role in ("sample_weight", "offset", "exposure", "row_groups"):
        findings += not_found_of(table, names[role], f"Column (of {role})")
    raise_errors(findings)
    apart = {name for some in names.values() for name in some}
    features = [*preparation.sources]
    if not (table.named and preparation.named):
        there = [name for name in table.names if name not in apart]
        if len(there) != len(features):
            text = f"X has {count(len(there))} columns; the model was fitted on {count(len(features))}."
            raise DataError(Finding("E08", text))
        renamed = (replace(column, name=name) for column, name in zip(preparation.columns, there, strict=True))
        preparation, features = replace(preparation, columns=tuple(renamed)), there
    lacking = [name for name in features if name not in table.schema]
    if lacking:
        which = "1 column" if len(lacking) == 1 else f"{count(len(lacking))} columns"
        text = f"X lacks {which} that the model uses: {sample(lacking)}.{did_you_mean(lacking[0], table.schema)}"
        raise DataError(Finding("E08", text, columns=tuple(lacking)))
    used = {*features} | apart
    raise_errors(finding for name, finding in table.conflicts.items() if name in used)
    offsets, n_outputs = names["offset"], max(len(terms.output_names), 1)
    if offsets and len(offsets) != n_outputs:
        raise DataError(several_offsets(len(offsets), terms.output_names))
    weights, exposure, group = ("".join(names[role][:1]) for role in ("sample_weight", "exposure", "row_groups"))
    return preparation, Roles(tuple(features), tuple(names["y"]), weights, tuple(offsets), exposure, group)


def _judged(
    table: LongTable,
    preparation: Preparation,
    terms: Terms,
    roles: Roles,
    found: Survey,
    n_rows: int,
    unknown: str,
    missing: str,
) -> tuple[RowReader, NewColumns, list[Finding]]:
    """How the rows are read; raises with every problem of single columns."""
    columns, findings = judged_columns(preparation, found, unknown)
    findings = [*table.findings, *found.findings, *findings]
    readers = dict(found.readers) | columns.readers
    divisor, of_numbers = judged_row_numbers(roles, found, readers, may_lack=missing != "error")
    if missing == "drop":
        columns.missing = {}
    findings += of_numbers + columns.gaps(table, readers, n_rows)
    target = None
    if roles.target:
        target, problems = _target(table, terms, roles, found, readers, n_rows)
        findings += [one for one in problems if missing == "error" or one.code != "E04"]
    groups = None
    if roles.fold:
        groups, problems = _groups(roles.fold, found)
        findings += problems
    raise_errors(findings)
    n_outputs = max(len(terms.output_names), 1)
    return RowReader(roles, readers, target, divisor, missing == "drop", groups, n_outputs), columns, findings


def _target(
    table: LongTable, terms: Terms, roles: Roles, found: Survey, readers: dict[str, Any], n_rows: int
) -> tuple[TargetColumns | None, list[Finding]]:
    title = sample(roles.target)
    findings: list[Finding] = []
    if gaps := found.without_needed:
        findings += missing_values({f"{title} (target)": gaps}, gaps, found.n_rows, FILL_IN)
    numbers = {name: one for name in roles.target if isinstance(one := found.contents[name], SurveyedNumbers)}
    infinite = {name: one.infinite for name, one in numbers.items() if one.infinite}
    findings += infinite_values(infinite, FILL_IN)
    try:
        target = target_in_terms(roles.target, terms, table, found, readers, n_rows)
    except DataError as error:
        return None, [*findings, *error.findings]
    return target, findings + refused_numbers(table, roles.target, found, terms.family, n_rows)


def _groups(name: str, found: Survey) -> tuple[tuple[Any, ...], list[Finding]]:
    """The groups in a column, and what is wrong with it."""
    content = found.contents[name]
    missing = getattr(content, "missing", Places())
    if missing:
        text = f'Column "{name}" (of row_groups) has {count(missing.n)} missing values: {missing}.'
        return (), [Finding("E15", text, "fill them in, or leave these rows out", (name,))]
    if isinstance(content, SurveyedNumbers):
        if content.distinct is None:
            text = f'"{name}" (of row_groups) has too many distinct numbers to tell groups apart.'
            return (), [Finding("E15", text, "write the groups as labels", (name,))]
        return tuple(content.distinct.tolist()), []
    if isinstance(content, Unusable):
        text = f'row_groups must be labels or numbers; "{name}" holds {content.reason}.'
        return (), [Finding("E15", text, columns=(name,))]
    return content.values, []
