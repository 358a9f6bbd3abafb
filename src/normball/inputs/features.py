"""The columns of a table that are features, as they are before a design is made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.inputs.class_targets import Target, any_output
from normball.inputs.column_findings import (
    MANY_ROWS,
    beyond_range,
    examine,
    examine_numbers,
    numbers_as_text,
    suspicious_columns,
)
from normball.inputs.columns import Dates, Labels, Mask, Numbers, Unusable
from normball.inputs.dates import read_dates
from normball.inputs.gaps import Gaps, Needed
from normball.inputs.places import Places, places_in
from normball.inputs.preparation import Preparation
from normball.inputs.row_numbers import Lacking
from normball.inputs.sources import Source
from normball.inputs.terms.learning import learn
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.plan import Plan
from normball.inputs.terms.words import as_text
from normball.messages import DataError, Finding, sample


@dataclass(frozen=True)
class Features:
    """One float matrix (`matrix`) where that will do, with those columns that need a look; else all columns."""

    names: tuple[str, ...]
    named: bool
    n_rows: int
    matrix: Any
    contents: dict[str, Numbers | Labels | Dates]
    plan: Plan
    library: str = ""  # of the frame

    def gaps(self) -> dict[str, Mask]:
        """Where values are missing, for each column in which some are."""
        masks = {name: column.missing for name, column in self.contents.items()}
        return {name: mask for name, mask in masks.items() if mask.any()}

    def complete(self) -> Mask:
        """The rows to use as far as the features decide it."""
        rows = np.ones(self.n_rows, dtype=bool)
        if self.plan.missing == "drop":
            for gaps in self.gaps().values():
                rows &= ~gaps
        return rows

    def design(
        self, rows: NDArray[np.intp] | None, findings: list[Finding], fitted: Preparation | None = None
    ) -> tuple[Any, Preparation]:
        """The design of these rows (None: all) and how it was made, if it is not `fitted` already.

        What was done to levels is added to the `findings`.
        """
        contents = self.contents if rows is None else {name: item.take(rows) for name, item in self.contents.items()}
        if fitted is not None:
            return self._as_fitted(fitted, list(contents.values()), rows), fitted
        if self.matrix is None or self.plan.imputes:
            columns = learn(contents, self.plan, findings)
        else:
            columns = tuple(NumberTerm(name) for name in self.names)
        preparation = Preparation(columns, self.named, self.plan.inf == "nan", self.library)
        refuse_equal_names(preparation)
        if self.matrix is None:
            return preparation.design(contents), preparation
        return self._matrix(rows), preparation

    def _as_fitted(self, fitted: Preparation, contents: list[Any], rows: NDArray[np.intp] | None) -> Any:
        """The design of a model, whose columns may stand in another order here."""
        places = fitted.positions(self.names, self.named)
        if self.matrix is None:
            return fitted.design({name: contents[j] for name, j in places.items()})
        matrix, order = self._matrix(rows), [*places.values()]
        return matrix if order == [*range(len(order))] else matrix[:, order]

    def _matrix(self, rows: NDArray[np.intp] | None) -> Any:
        return self.matrix if rows is None else self.matrix[rows]


def refuse_equal_names(preparation: Preparation) -> None:
    """Raise where two features have the same name."""
    names = preparation.feature_names
    if len(set(names)) < len(names):
        twice = sorted(name for name, times in Counter(names).items() if times > 1)
        text = f"More than one feature is called {sample(twice, quote=True)}."
        raise DataError(Finding("E06", text, "rename the column", tuple(twice)))


def read_features(source: Source, left_out: Collection[str], plan: Plan, findings: list[Finding]) -> Features:
    """Read the features of a source; what is remarkable about single columns is added to the `findings`."""
    positions = [j for j, name in enumerate(source.names) if name not in left_out]
    names = tuple(source.names[j] for j in positions)
    as_they_are = {*plan.categorical, *plan.dates, *plan.text} & set(names)
    is_plain = not as_they_are and not plan.spline and not plan.interact
    matrix = source.block(positions) if names and is_plain else None
    suspects = [] if matrix is None else suspicious_columns(matrix)
    if suspects and plan.imputes:
        matrix = None
    needed = range(len(names)) if matrix is None or plan.imputes else suspects
    contents: dict[str, Numbers | Labels | Dates] = {}
    for j in needed:
        name = names[j]
        column = _read_column(source, positions[j], plan, findings)
        if column is None:
            continue
        is_odd = isinstance(column, Unusable)
        if matrix is None and not isinstance(column, Dates) and (name not in as_they_are or is_odd):
            findings += examine(name, column)
        if not isinstance(column, Unusable):
            contents[name] = column
    if isinstance(matrix, np.ndarray) and source.named:
        with np.errstate(invalid="ignore"):
            whole = np.flatnonzero((matrix[:MANY_ROWS] % 1 == 0).all(axis=0))
        findings += [finding for j in whole for finding in examine_numbers(names[j], matrix[:, j])]
    if not names and source.names:
        findings.append(Finding("E14", "No column is left to be a feature."))
    return Features(names, source.named, source.n_rows, matrix, contents, plan, source.library)


def _read_column(
    source: Source, place: int, plan: Plan, findings: list[Finding]
) -> Numbers | Labels | Dates | Unusable | None:
    """A column as it is to be a feature; None, with a finding, where its dates cannot be read."""
    name = source.names[place]
    if name in plan.dates:
        try:
            return read_dates(source, name)
        except DataError as error:
            findings += error.findings
            return None
    column = source.read(place)
    if isinstance(column, Numbers) and name in plan.categorical:
        return column.as_labels()
    if name in plan.text and not isinstance(column, Unusable):
        return as_text(column)
    if isinstance(column, Labels) and not column.declared and name not in plan.categorical:
        numbers = column.as_numbers()
        if numbers is not None:
            findings += numbers_as_text(name, column)
            return numbers
    return column


def gaps_of(features: Features, target: Target | None, lacking: Sequence[Lacking]) -> Gaps:
    """Where the features, the target and what else each row needs lack a number."""
    gaps = features.gaps()
    columns = {name: item for name, item in features.contents.items() if isinstance(item, Numbers)}
    none = np.zeros(features.n_rows, dtype=bool)
    unusable = np.logical_or.reduce([none, *(one.rows for one in lacking)])

    def complete(names: Iterable[str]) -> Mask:
        return np.asarray(~np.logical_or.reduce([unusable, *(gaps[name] for name in names)]))

    return Gaps(
        n_rows=features.n_rows,
        n_features=len(features.names),
        missing=places_in(gaps),
        needed=[Needed(one.column, one.role, Places.of(one.rows)) for one in lacking],
        unusable=Places.of(unusable),
        anywhere=Places.of(~complete(gaps)),
        n_complete=lambda names: int(complete(names).sum()),
        infinite=places_in({name: np.isinf(column.values) for name, column in columns.items()}),
        beyond=places_in({name: beyond_range(column.values) for name, column in columns.items()}),
        target_infinite=Places.of(none if target is None else any_output(np.isinf(target.y))),
        target_beyond=Places.of(none if target is None else any_output(beyond_range(target.y))),
    )
