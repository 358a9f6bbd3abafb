"""Every long table becomes blocks of rows here, and every problem with it is said here.

What `inputs.prepare` is for a table in memory, by the same rules: a first pass finds out what the columns hold
(`survey`), a second one, where it is needed, learns from the rows that are used (`learning`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from normball.blocks.encoding import Roles, RowReader, TableRows
from normball.blocks.estimates import settled_family
from normball.blocks.fold_units import fold_names, folds_and_units, sizes_of
from normball.blocks.learning import Feature, Sought, UsedRows, learn_from_rows
from normball.blocks.long_table import DATES, DEFAULT_MEMORY, LongTable, kind_of, rows_of_a_block
from normball.blocks.passes import median_of, n_complete, places_lacking
from normball.blocks.roles import judged_row_numbers, refused_numbers, roles_of
from normball.blocks.source import RowBlocks
from normball.blocks.survey import Survey, Wanted, survey
from normball.blocks.surveyed import SurveyedLabels, SurveyedNumbers
from normball.blocks.table_features import feature_contents, survival_findings
from normball.blocks.target import TargetColumns, decide_target, judge_target, surveyed_rows
from normball.blocks.terms import Counts, Encoder, Levels, PairsPass, learned_terms
from normball.families import family_name
from normball.inputs.columns import Unusable
from normball.inputs.features import refuse_equal_names
from normball.inputs.gaps import Gaps, Needed
from normball.inputs.places import Places
from normball.inputs.preparation import Preparation
from normball.inputs.row_numbers import several_offsets, without_weight
from normball.inputs.tables import not_met
from normball.inputs.terms.interaction import InteractionTerm
from normball.inputs.terms.plan import Plan
from normball.inputs.terms.spline import shares_of_knots
from normball.messages import DataError, raise_errors, sample


def prepare_long_table(
    table: LongTable,
    y: Any,
    *,
    family: str,
    sample_weight: Any = None,
    offset: Any = None,
    missing: str = "error",
    inf: str = "error",
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    by_row: Mapping[str, Any] | None = None,
    exposure: str = "",
    memory: int | None = None,
    block_rows: int | None = None,
    **more_about_columns: Any,
) -> RowBlocks:
    """Look at all rows of a table and lay out how they become blocks.

    Parameters
    ----------
    table : LongTable
        The table.
    y : str or list of str
        The column of the target, or those of a family with several outputs.
    family, missing, inf, categorical, drop
        As in `inputs.prepare.prepare`.
    sample_weight, offset : str, optional
        Columns; of several outputs a list of offsets.
    by_row : {role: name}, optional
        Columns with another role, which are no features: what makes the folds of the rows, "fold_ids", "fold_groups" or
        "time_order".
    exposure : str
        A column of positive numbers, whose logarithm is added to the offset.
    memory : int, optional
        Bytes that reading may take, by default 1 GiB.
    block_rows : int, optional
        Rows of the table that make a block; by default as many as the memory allows, 8 MB at most.
    **more_about_columns
        The other options of `Plan`, but for `text`.

    Returns
    -------
    RowBlocks

    Raises
    ------
    DataError
        With every problem found.
    """
    family = family_name(family)
    plan = Plan(missing, inf, categorical, drop, **more_about_columns)
    roles = roles_of(
        table,
        y,
        family=family,
        sample_weight=sample_weight,
        offset=offset,
        exposure=exposure,
        plan=plan,
        by_row=by_row or {},
    )
    if table.form is not None:  # text that is to be labels stays as it is written
        table = replace(table, kept_as_text=(*table.kept_as_text, *plan.categorical, *plan.dates))
    n_rows = rows_of_a_block(len(roles.columns), memory, block_rows)
    found = survey(table, _wanted(table, roles, plan), n_rows)
    return _Surveyed(table, roles, plan, found, n_rows).laid_out(family, memory, block_rows)


def _counted(
    table: LongTable, reader: RowReader, n_rows: int, levels: Levels, terms: Sequence[InteractionTerm]
) -> Counts:
    """In how many of the rows that are used each product is not zero, in a pass of its own."""
    return table.run(reader.roles.columns, n_rows, PairsPass(reader, Encoder(levels), terms)).counts


def _wanted(table: LongTable, roles: Roles, plan: Plan) -> Wanted:
    times = [roles.fold] if roles.fold and kind_of(table.schema[roles.fold]) == DATES else []
    return Wanted(
        columns=roles.columns,
        features=roles.features,
        needed=tuple(roles.needed),
        as_labels=frozenset(plan.categorical) & frozenset(roles.features) | {*times},
        distinct=frozenset((*roles.target, roles.fold)),
        inf_is_missing=plan.inf == "nan",
        as_dates=frozenset(plan.dates) & frozenset(roles.features),
    )


class _Surveyed:
    """A table that was looked at, on its way to blocks."""

    def __init__(self, table: LongTable, roles: Roles, plan: Plan, found: Survey, n_rows: int) -> None:
        self.table, self.roles, self.plan, self.found, self.n_rows = table, roles, plan, found, n_rows
        self.readers = dict(found.readers)
        self.findings = [*table.findings, *found.findings]
        if table.form is not None:
            self.findings += not_met(table.form, found.matched)

    def laid_out(self, family: str, memory: int | None, block_rows: int | None) -> RowBlocks:
        """How its rows become blocks; raises with every problem found."""
        family, reader, features = self.reader(family)
        used = self.used(reader, features, memory or DEFAULT_MEMORY)
        target, has_offset = reader.target, bool(self.roles.offsets or self.roles.exposure)
        assert target is not None
        self.findings += judge_target(target, used.target, family, has_offset)
        family, remarks = settled_family(family, self.table, reader, self.found.n_rows, self.n_rows)
        self.findings += remarks
        counted = partial(_counted, self.table, reader, self.n_rows)
        terms, levels = learned_terms(used.contents, self.plan, self.findings, counted)
        preparation = Preparation(terms, self.table.named, self.plan.inf == "nan")
        refuse_equal_names(preparation)
        n_columns = max(len(self.roles.columns), len(preparation.feature_names))
        n_rows = rows_of_a_block(n_columns, memory, block_rows)
        n_folds, units = folds_and_units(self.roles.fold_role, reader.folds, used.fold_sizes)
        return RowBlocks(
            source=TableRows(self.table, reader, preparation, self.found.n_rows, n_rows, levels),
            family=family,
            classes=target.classes,
            output_names=target.output_names,
            target_name=target.title,
            preparation=preparation,
            findings=self.findings,
            has_offset=has_offset,
            n_folds=n_folds,
            folds=f"{n_folds} given folds" if n_folds else "",
            units=units,
        )

    def reader(self, family: str) -> tuple[str, RowReader, dict[str, Feature]]:
        """The family, how rows are read, and the features; raises with every problem of single columns."""
        features, readers, remarks = feature_contents(self.table, self.roles, self.plan, self.found)
        self.readers |= readers
        divisor, of_numbers = judged_row_numbers(self.roles, self.found, self.readers, may_lack=True)
        self.findings += of_numbers + remarks
        family, target = self._target(family)
        title = sample(self.roles.target)
        outputs = () if target is None else target.output_names
        if (n_offsets := len(self.roles.offsets)) and n_offsets != max(len(outputs), 1):
            self.findings.append(several_offsets(n_offsets, outputs))
        self.findings += self._gaps(features, title).findings(self.plan.missing, title, self.plan.fill_words)
        raise_errors(self.findings)
        assert target is not None
        drops_gaps = self.plan.missing == "drop" and self.found.with_gap.n > self.found.without_needed.n
        folds = None
        if self.roles.fold:
            folds = fold_names(self.roles.fold, self.roles.fold_role, self.found.contents[self.roles.fold])
        return family, RowReader(self.roles, self.readers, target, divisor, drops_gaps, folds), features

    def _target(self, family: str) -> tuple[str, TargetColumns | None]:
        """The family and the target; None, with findings, where it cannot be used."""
        try:
            family, target, remarks = decide_target(self.roles.target, self.found.contents, family, self._median)
        except DataError as error:
            self.findings += error.findings
            return family, None
        self.findings += remarks + survival_findings(self.table, self.roles, self.found)
        self.findings += refused_numbers(self.table, self.roles.target, self.found, family, self.n_rows)
        return family, target

    def _median(self, name: str) -> float:
        """The median of a column, in passes of its own."""
        return median_of(self.table, name, self.readers[name], self.n_rows)

    def _gaps(self, features: Mapping[str, Feature], title: str) -> Gaps:
        """Where features and target lack a number."""
        numbers = {name: one for name, one in features.items() if isinstance(one, SurveyedNumbers)}
        targets = [one for name in self.roles.target if isinstance(one := self.found.contents[name], SurveyedNumbers)]
        return Gaps(
            n_rows=self.found.n_rows,
            n_features=len(self.roles.features),
            missing={name: one.missing for name, one in features.items() if one.missing},
            needed=self._needed(title),
            unusable=self.found.without_needed,
            anywhere=self.found.with_gap,
            n_complete=self._n_complete,
            infinite={name: one.infinite for name, one in numbers.items() if one.infinite},
            beyond={name: one.beyond for name, one in numbers.items() if one.beyond},
            target_infinite=Places.union(one.infinite for one in targets),
            target_beyond=Places.union(one.beyond for one in targets),
            learned="median of all rows + indicator",
        )

    def _needed(self, title: str) -> list[Needed]:
        """The target and what else each row needs, as far as some rows lack it."""
        if not self.found.without_needed:
            return []
        contents = {name: self.found.contents[name] for name in self.roles.needed}
        lacking = {name: one.missing for name, one in contents.items() if not isinstance(one, Unusable)}
        of_target = [name for name in self.roles.target if lacking.get(name)]
        if len(of_target) > 1:
            lacking[of_target[0]] = places_lacking(self.table, self.readers, of_target, self.n_rows)
        found = [Needed(title, "target", lacking[of_target[0]])] if of_target else []
        others = {name: role for name, role in self.roles.needed.items() if role != "target"}
        return found + [Needed(name, role, lacking[name]) for name, role in others.items() if lacking.get(name)]

    def _n_complete(self, names: Iterable[str]) -> int:
        """How many rows have the target and all of these columns, found in a further pass."""
        return n_complete(self.table, self.readers, list(dict.fromkeys([*names, *self.roles.needed])), self.n_rows)

    def used(self, reader: RowReader, features: Mapping[str, Feature], memory: int) -> UsedRows:
        """What the rows that are used hold: from the survey where all are, else in further passes."""
        impute = self.plan.missing == "impute"
        dropped = self.found.with_gap if self.plan.missing == "drop" else self.found.without_needed
        weights = self.found.contents.get(self.roles.weights)
        has_zeros = isinstance(weights, SurveyedNumbers) and weights.n_zeros > 0
        assert reader.target is not None
        target = surveyed_rows(reader.target, self.found.contents)
        sought = self._sought(features)
        if target is not None and not (dropped or has_zeros or impute or sought):
            sizes = sizes_of(self.found.contents[self.roles.fold]) if self.roles.fold else None
            return UsedRows(dict(features), target, self.found.n_rows, True, sizes)
        found = learn_from_rows(self.table, reader, features, self.n_rows, sought, memory)
        if not found.has_weight:
            raise DataError(without_weight("sample_weight"))
        return found

    def _sought(self, features: Mapping[str, Feature]) -> Sought:
        """The quantiles that are needed: where the knots of splines are, and medians that stand in for gaps."""
        filling, spline = self.plan.filling, self.plan.spline
        of_numbers = [name for name, one in features.items() if not isinstance(one, SurveyedLabels)]
        by_median = filling is not None and filling.by == "median"
        return {
            name: tuple(shares_of_knots(self.plan, name).tolist()) if name in spline else ()
            for name in of_numbers
            if by_median or name in spline
        }
