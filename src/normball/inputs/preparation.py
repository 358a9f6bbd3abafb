"""How a table becomes a design: which columns give which features, learned once and kept with the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from normball.inputs.column_findings import (
    AS_FITTED,
    FILL_OR_IMPUTE,
    infinite_values,
    missing_of,
    suspicious_columns,
    unusable,
)
from normball.inputs.columns import Unusable
from normball.inputs.dates import read_dates
from normball.inputs.places import places_in
from normball.inputs.sources import Source, SparseTable, source_of
from normball.inputs.terms.dates import DateTerm
from normball.inputs.terms.interaction import InteractionTerm
from normball.inputs.terms.kinds import term_from
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.spline import SplineTerm
from normball.inputs.terms.term import Content, Contents, Met, Part, Term
from normball.inputs.terms.words import TextTerm
from normball.messages import DataError, Finding, count, did_you_mean, raise_errors, sample
from normball.schema import listed, record, text, truth

LARGE = 5_000_000  # cells from which on a mostly empty design is kept sparse
MOSTLY_EMPTY = 0.2  # share of nonzero cells


class Origin(NamedTuple):
    """Where a feature comes from."""

    term: Term
    part: Part


@dataclass(frozen=True)
class Preparation:
    """How a table becomes a design; plain data that goes through JSON unchanged."""

    columns: tuple[Term, ...]
    named: bool = True  # False: the columns go by position
    inf_is_missing: bool = False
    library: str = field(default="", compare=False)  # of the frame that it was learned from; files forget it

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of the design."""
        return tuple(name for column in self.columns for name in column.features)

    @cached_property
    def shown_names(self) -> tuple[str, ...]:
        """The same as people read them: `hr: 4` for `hr = 4`."""
        return tuple(name for column in self.columns for name in column.shown)

    @cached_property
    def column_of_feature(self) -> NDArray[np.intp]:
        """For each column of the design the position in `columns` of the one that gives it."""
        return np.repeat(np.arange(len(self.columns)), [column.n_features for column in self.columns])

    def origin(self, feature: int) -> Origin:
        """The column that gives a feature, and which of its features that is."""
        j = int(self.column_of_feature[feature])
        return Origin(self.columns[j], self.columns[j].parts[feature - self.starts[j]])

    @cached_property
    def starts(self) -> list[int]:
        """For each of `columns` its first feature."""
        ends = np.cumsum([column.n_features for column in self.columns], dtype=np.intp)
        return [0, *ends[:-1].tolist()]

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The columns of the table that are read, each once."""
        return tuple(dict.fromkeys(name for column in self.columns for name in column.sources))

    def of_kind(self, *kinds: type[Term]) -> list[str]:
        """Names of the columns that give terms of these kinds."""
        return [column.name for column in self.columns if isinstance(column, kinds)]

    @property
    def labels(self) -> list[str]:
        """The columns whose text is to stay as it is."""
        return self.of_kind(LevelTerm, DateTerm, TextTerm)

    @property
    def roles(self) -> dict[str, Any]:
        """The columns that are no plain numbers, by the options that say so."""
        products = [(one.left.name, one.right.name) for one in self.columns if isinstance(one, InteractionTerm)]
        kinds: dict[str, type[Term]] = {
            "categorical": LevelTerm,
            "dates": DateTerm,
            "text": TextTerm,
            "spline": SplineTerm,
        }
        return {**{role: self.of_kind(kind) for role, kind in kinds.items()}, "interact": products}

    @property
    def imputes(self) -> bool:
        """Whether missing values are filled in."""
        return any(column.imputes for column in self.columns)

    @property
    def learns_in_folds(self) -> bool:
        """Whether medians or means went into the design; each fold has to learn its own (`refit`)."""
        return any(column.learns for column in self.columns)

    @cached_property
    def leveled(self) -> list[str]:
        """The columns that have levels."""
        return [column.name for column in self.columns if column.levels is not None]

    @cached_property
    def indicated(self) -> list[str]:
        """The columns with an indicator of gaps."""
        return [column.name for column in self.columns if column.indicator]

    @cached_property
    def is_plain(self) -> bool:
        """Whether each column is a number or levels with an indicator each, as other packages have them."""
        return all(
            isinstance(one, NumberTerm) or (isinstance(one, LevelTerm) and one.baseline is None and not one.rare)
            for one in self.columns
        )

    def transform(self, X: Any, *, unknown: str = "error") -> Any:
        """Make the design of `X`: a float array or a SciPy CSC matrix.

        Parameters
        ----------
        X : array, sparse matrix or frame
            Columns of a frame are found by name, in any order; others are ignored.
        unknown : {"error", "warn", "baseline"}
            What becomes of a level unseen in training: an error, or a row with none of the levels, with a warning or
            without.
        """
        names = self.sources
        source = source_of(X.with_columns(names) if isinstance(X, SparseTable) else X)
        raise_errors(finding for finding in source.findings if set(finding.columns) & set(names))
        if self.inf_is_missing:
            source = source.with_infinite_as_missing()
        if all(isinstance(column, NumberTerm) and not column.indicator for column in self.columns):
            block = source.block([*self.positions(source.names, source.named).values()])
            if block is not None and not suspicious_columns(block):
                return block
        return self.design(self._read(source, self.positions(source.names, source.named)), unknown=unknown)

    def _read(self, source: Source, positions: Mapping[str, int]) -> dict[str, Content]:
        """What columns of the table hold that are at these positions."""
        forms = {column.name: column.form for column in self.columns if isinstance(column, DateTerm)}
        return {
            name: read_dates(source, source.names[j], forms[name]) if name in forms else source.read(j)
            for name, j in positions.items()
        }

    def design(self, contents: Contents, *, unknown: str = "error") -> Any:
        """Make the design of columns that were read already."""
        met = Met(unknown)
        encoded, odd = [], {name for name, one in contents.items() if isinstance(one, Unusable)}
        for column in self.columns:
            if odd.isdisjoint(column.sources):
                encoded.append(column.encode(contents, met))
            elif isinstance(content := contents.get(column.name), Unusable):
                met.findings.append(replace(unusable(column.name, content), fix=AS_FITTED))
        findings = [*met.findings, *missing_of(met.missing, FILL_OR_IMPUTE)]
        findings += infinite_values(places_in(met.infinite), "correct them upstream")
        raise_errors(findings)
        n_rows = next(len(one) for one in contents.values() if not isinstance(one, Unusable))
        return _assemble(self.columns, encoded, n_rows)

    def positions(self, names: Sequence[str], named: bool) -> dict[str, int]:
        """Where the columns of the model are among those of a table, which go by place unless they are `named`."""
        if not (self.named and named):
            if len(names) != len(self.sources):
                text = f"X has {count(len(names))} columns; the model was fitted on {count(len(self.sources))}."
                raise DataError(Finding("E08", text))
            return {name: j for j, name in enumerate(self.sources)}
        where = {name: j for j, name in enumerate(names)}
        lacking = [name for name in self.sources if name not in where]
        if lacking:
            which = "1 column" if len(lacking) == 1 else f"{count(len(lacking))} columns"
            text = f"X lacks {which} that the model uses: {sample(lacking)}.{did_you_mean(lacking[0], where)}"
            raise DataError(Finding("E08", text, columns=tuple(lacking)))
        return {name: where[name] for name in self.sources}

    def refit(self, frame: Any, rows: NDArray[np.intp]) -> Preparation:
        """The same preparation with what it fills in learned on these rows of `frame` only."""
        wanted = {name for column in self.columns if column.learns for name in column.sources}
        source = source_of(frame)
        positions = self.positions(source.names, source.named)
        contents = {
            name: content.take(rows)
            for name, content in self._read(source, {name: positions[name] for name in wanted}).items()
            if not isinstance(content, Unusable)
        }
        return replace(self, columns=tuple(one.refit(contents) if one.learns else one for one in self.columns))

    def to_dict(self) -> dict[str, Any]:
        """The preparation as JSON data."""
        inf = {"inf_is_missing": True} if self.inf_is_missing else {}
        return {"named": self.named, **inf, "columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, data: Any, where: str = "preparation") -> Preparation:
        """The preparation that `to_dict` wrote; raises Damaged where it cannot be that."""
        values = record(
            data,
            where,
            {"named": truth, "columns": listed(term_from), "inf_is_missing": truth},
            optional=("inf_is_missing",),
        )
        names = [column.name for column in values["columns"]]
        listed(text, distinct=True)(names, f"{where}.columns")
        return cls(values["columns"], values["named"], values.get("inf_is_missing", False))


def _assemble(columns: Sequence[Term], encoded: Sequence[Any], n_rows: int) -> Any:
    """Put features together: a dense array, or a CSC matrix if that is large and mostly empty."""
    n_cells = n_rows * sum(column.n_features for column in columns)
    if n_cells > LARGE:
        n_filled = sum(column.n_filled(one) for column, one in zip(columns, encoded, strict=True))
        if n_filled < MOSTLY_EMPTY * n_cells:
            return _sparse(columns, encoded)
    return dense_design(columns, encoded, n_rows)


def dense_design(columns: Sequence[Term], encoded: Sequence[Any], n_rows: int) -> NDArray[np.float64]:
    """The design of columns that were encoded: level codes (-1 for none), numbers, or what else they make of rows."""
    design = np.zeros((n_rows, sum(column.n_features for column in columns)), order="F")
    start = 0
    for column, one in zip(columns, encoded, strict=True):
        column.write(one, design[:, start : start + column.n_features])
        start += column.n_features
    return design


def _sparse(columns: Sequence[Term], encoded: Sequence[Any]) -> Any:
    import scipy.sparse as sparse

    each = [column.sparse(one) for column, one in zip(columns, encoded, strict=True)]
    return sparse.csc_array(sparse.hstack(each, format="csc"))
