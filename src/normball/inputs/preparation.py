"""How a table becomes a design: which column gives which features, learned once and kept with the model."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from normball.inputs.column_findings import infinite_values, missing_of, not_numeric, suspicious_columns, unusable
from normball.inputs.columns import AnyLabels, AnyNumbers, Floats, Labels, Numbers, Unusable
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.places import places_in
from normball.inputs.sources import Source, SparseTable, source_of
from normball.inputs.text import TRUTH, label_key, label_text, to_numbers
from normball.messages import DataError, Finding, NormballWarning, count, did_you_mean, raise_errors, sample
from normball.schema import Damaged, Reader, listed, number, record, text, truth

LARGE = 5_000_000  # cells from which on a mostly empty design is kept sparse
MOSTLY_EMPTY = 0.2  # share of nonzero cells


class Column(NamedTuple):
    """One column of the table and the features that it gives.

    A numeric column gives itself and, where missing values are imputed and some were seen, an indicator of those. A
    column of levels gives one indicator a level.
    """

    name: str
    levels: tuple[str, ...] | None = None
    fill: float | None = None  # stands in for a missing number; -1 where a missing label is none of the levels
    indicator: bool = False
    n_rows: tuple[int, ...] | None = None  # that held each level, or lacked the number, when this was learned

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        if self.levels is not None:
            return tuple(f"{self.name} = {level}" for level in self.levels)
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @property
    def shown(self) -> tuple[str, ...]:
        """Their names as people read them, without a sign that a sentence could take for its own."""
        if self.levels is not None:
            return tuple(f"{self.name}: {level}" for level in self.levels)
        return (self.name, f"{self.name}: {MISSING_LEVEL}") if self.indicator else (self.name,)

    @property
    def n_features(self) -> int:
        """How many they are."""
        return 1 + self.indicator if self.levels is None else len(self.levels)


_COLUMN: dict[str, Reader] = {  # in a saved model; what has its default is left out
    "name": text,
    "levels": listed(text, distinct=True),
    "fill": number(),
    "indicator": truth,
    "n_rows": listed(number(0, whole=True)),
}


@dataclass(frozen=True)
class Preparation:
    """How a table becomes a design; plain data that goes through JSON unchanged."""

    columns: tuple[Column, ...]
    named: bool = True  # False: the columns go by position
    inf_is_missing: bool = False

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

    def origin(self, feature: int) -> tuple[str, str | None, int | None]:
        """The column that gives a feature; which of its levels that is, and how many rows have it, as far as known."""
        j = int(self.column_of_feature[feature])
        column, place = self.columns[j], feature - int(np.searchsorted(self.column_of_feature, j))
        if column.levels is None:
            if place == 0:
                return column.name, None, None
            level, place = MISSING_LEVEL, 0
        else:
            level = column.levels[place]
        return column.name, level, None if column.n_rows is None else column.n_rows[place]

    @property
    def imputes(self) -> bool:
        """Whether missing values are filled in."""
        return any(column.fill is not None or MISSING_LEVEL in (column.levels or ()) for column in self.columns)

    @property
    def has_imputation(self) -> bool:
        """Whether medians went into the design; each fold has to learn its own (`refit`)."""
        return any(column.indicator for column in self.columns)

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
        names = [column.name for column in self.columns]
        source = source_of(X.with_columns(names) if isinstance(X, SparseTable) else X)
        raise_errors(finding for finding in source.findings if set(finding.columns) & set(names))
        if self.inf_is_missing:
            source = source.with_infinite_as_missing()
        positions = self._positions(source)
        if all(column.levels is None and not column.indicator for column in self.columns):
            block = source.block(positions)
            if block is not None and not suspicious_columns(block):
                return block
        return self.design([source.read(j) for j in positions], unknown=unknown)

    def design(self, contents: Sequence[Numbers | Labels | Unusable], *, unknown: str = "error") -> Any:
        """Make the design of columns that were read already, in the order of `columns`."""
        findings: list[Finding] = []
        parts: list[NDArray[Any]] = []
        missing, infinite = {}, {}
        for column, content in zip(self.columns, contents, strict=True):
            if column.levels is None and isinstance(content, Labels):
                content = content.as_numbers() or content.as_truth() or content
            if isinstance(content, Unusable):
                findings.append(replace(unusable(column.name, content), fix="put in what the model was fitted on"))
            elif column.levels is not None:
                labels = content if isinstance(content, Labels) else content.as_labels()
                codes, problems = _level_codes(column, column.levels, labels, unknown)
                findings += problems
                missing[column.name] = labels.missing & (codes < 0) & (column.fill is None) & (unknown != "baseline")
                parts.append(codes)
            elif isinstance(content, Labels):
                findings.append(not_numeric(column.name, content, "New column"))
            else:
                missing[column.name] = content.missing & (column.fill is None)
                infinite[column.name] = np.isinf(content.values)
                parts.append(content.values)
        findings += missing_of(missing, 'fill them in, or fit the model with missing="impute"')
        findings += infinite_values(places_in(infinite), "correct them upstream")
        raise_errors(findings)
        return _assemble(self.columns, parts)

    def _positions(self, source: Source) -> list[int]:
        """Where the columns are in `source`."""
        if not (self.named and source.named):
            if len(source.names) != len(self.columns):
                text = f"X has {count(len(source.names))} columns; the model was fitted on {count(len(self.columns))}."
                raise DataError(Finding("E08", text))
            return list(range(len(self.columns)))
        where = {name: j for j, name in enumerate(source.names)}
        lacking = [column.name for column in self.columns if column.name not in where]
        if lacking:
            which = "1 column" if len(lacking) == 1 else f"{count(len(lacking))} columns"
            text = f"X lacks {which} that the model uses: {sample(lacking)}.{did_you_mean(lacking[0], where)}"
            raise DataError(Finding("E08", text, columns=tuple(lacking)))
        return [where[column.name] for column in self.columns]

    def refit(self, frame: Any, rows: NDArray[np.intp]) -> Preparation:
        """The same preparation with its medians learned on these rows of `frame` only."""
        source = source_of(frame)
        columns = []
        for column, j in zip(self.columns, self._positions(source), strict=True):
            content = source.read(j) if column.indicator else None
            fill = content.take(rows).median if isinstance(content, Numbers) else None
            columns.append(column if fill is None else column._replace(fill=fill))
        return replace(self, columns=tuple(columns))

    def to_dict(self) -> dict[str, Any]:
        """The preparation as JSON data: a plain numeric column is its name, any other its fields."""
        plain = Column("")._asdict()
        entries: list[Any] = []
        for column in self.columns:
            fields = {key: value for key, value in column._asdict().items() if value != plain[key]}
            entries.append(column.name if set(fields) <= {"name"} else fields)
        inf = {"inf_is_missing": True} if self.inf_is_missing else {}
        return {"named": self.named, **inf, "columns": entries}

    @classmethod
    def from_dict(cls, data: Any, where: str = "preparation") -> Preparation:
        """The preparation that `to_dict` wrote; raises Damaged where it cannot be that."""

        def column(entry: Any, where: str) -> Column:
            fields = {"name": entry} if isinstance(entry, str) else record(entry, where, _COLUMN, optional=_COLUMN)
            if "name" not in fields:
                raise Damaged(f"{where}.name", "is missing")
            if "levels" in fields and ("indicator" in fields or fields.get("fill", -1.0) != -1.0):
                raise Damaged(where, "has levels, and what only numbers have")
            counted = len(fields["levels"]) if "levels" in fields else 1
            if "n_rows" in fields and len(fields["n_rows"]) != counted:
                raise Damaged(f"{where}.n_rows", f"has {len(fields['n_rows'])} entries, but must have {counted}")
            return Column(**fields)

        values = record(
            data,
            where,
            {"named": truth, "columns": listed(column), "inf_is_missing": truth},
            optional=("inf_is_missing",),
        )
        names = [column.name for column in values["columns"]]
        listed(text, distinct=True)(names, f"{where}.columns")
        return cls(values["columns"], values["named"], values.get("inf_is_missing", False))


def learn(contents: Mapping[str, Numbers | Labels], *, named: bool, impute: bool) -> Preparation:
    """Learn levels and, to impute, medians from the columns of the training data."""
    columns = [
        learn_labels(name, content, impute) if isinstance(content, Labels) else learn_numbers(name, content, impute)
        for name, content in contents.items()
    ]
    return Preparation(tuple(columns), named)


def learn_numbers(name: str, content: AnyNumbers, impute: bool) -> Column:
    """What a column of numbers gives."""
    n_missing = content.n_missing if impute else 0
    fill = content.median if impute else None
    return Column(name, fill=fill, indicator=n_missing > 0, n_rows=(n_missing,) if n_missing else None)


def learn_labels(name: str, content: AnyLabels, impute: bool) -> Column:
    """What a column of labels gives."""
    n_missing = content.n_missing if impute else 0
    levels: Counter[str] = Counter()
    for value, n_rows in zip(content.values, content.n_rows.tolist(), strict=True):
        if n_rows:
            levels[label_text(value)] += n_rows
    if n_missing:
        levels[MISSING_LEVEL] += n_missing
    fill = -1.0 if impute and not n_missing else None
    return Column(name, levels=tuple(levels), fill=fill, n_rows=tuple(levels.values()))


def _level_codes(
    column: Column, levels: tuple[str, ...], labels: Labels, unknown: str
) -> tuple[NDArray[np.int32], list[Finding]]:
    """The level of each row, -1 for none, and E09 for labels that are no level."""
    found, of_gaps = level_of_values(levels, labels.values)
    codes = np.where(labels.missing, of_gaps, found[labels.codes]).astype(np.int32)
    unseen = np.flatnonzero(found[: len(labels.values)] < 0)
    return codes, about_unseen(column, {labels.values[k]: n for k in unseen if (n := int(labels.n_rows[k]))}, unknown)


def level_of_values(levels: tuple[str, ...], values: Sequence[Any]) -> tuple[NDArray[np.int32], int]:
    """The level that each of some labels is, -1 for none, with one entry at least; and the level of gaps."""
    where = {label_key(level): j for j, level in enumerate(levels)}
    found = np.array([where.get(label_key(value), -1) for value in values] or [-1], dtype=np.int32)
    if (found < 0).any():
        found = np.where(found < 0, same_number(values, levels, len(found)), found)
    return found, where.get(MISSING_LEVEL, -1)


def about_unseen(column: Column, n_rows: Mapping[Any, int], unknown: str) -> list[Finding]:
    """E09 for labels that are no level, each of so many rows, or a warning."""
    if unknown == "baseline" or not n_rows:
        return []
    parts = [f'"{label_text(value)}" ({count(n)} row{"s" * (n > 1)})' for value, n in n_rows.items()]
    what = "a level" if len(parts) == 1 else f"{count(len(parts))} levels"
    text = f'Column "{column.name}" has {what} unseen in training: {sample(parts)}.'
    if unknown == "error":
        return [Finding("E09", text, 'unknown="baseline"', (column.name,))]
    fix = 'unknown="error" to refuse such rows, unknown="baseline" to say nothing'
    warnings.warn(f"{text} Taken for none of the levels.\nFix: {fix}", NormballWarning, stacklevel=2)
    return []


def same_number(values: Sequence[Any], levels: Sequence[str], size: int) -> NDArray[np.int32]:
    """For each value the only level that is the same number, 7 for "007" and 1 for "true"; -1 where there is none."""
    numbers = _as_numbers(levels)
    times = Counter(numbers)
    where = {number: j for j, number in enumerate(numbers) if times[number] == 1}
    found = np.full(size, -1, dtype=np.int32)
    found[: len(values)] = [where.get(number, -1) for number in _as_numbers(values)]
    return found


def _as_numbers(values: Sequence[Any]) -> list[float]:
    return [
        TRUTH.get(label_key(value), number) for value, number in zip(values, to_numbers(values).tolist(), strict=True)
    ]


def _assemble(columns: Sequence[Column], parts: Sequence[NDArray[Any]]) -> Any:
    """Put level codes and numbers together: a dense array, or a CSC matrix if that is large and mostly empty."""
    n_rows, n_features = len(parts[0]), sum(len(column.features) for column in columns)
    n_filled = sum(
        n_rows if column.levels else np.count_nonzero(part) for column, part in zip(columns, parts, strict=True)
    )
    n_cells = n_rows * n_features
    if n_cells > LARGE and n_filled < MOSTLY_EMPTY * n_cells:
        return _sparse(columns, parts, n_features)
    return dense_design(columns, parts)


def _filled(column: Column, values: Floats) -> Floats:
    return values if column.fill is None else np.where(np.isnan(values), column.fill, values)


def dense_design(columns: Sequence[Column], parts: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """The design of columns that are level codes (-1 for none) or numbers."""
    design = np.zeros((len(parts[0]), sum(column.n_features for column in columns)), order="F")
    j = 0
    for column, part in zip(columns, parts, strict=True):
        if column.levels is not None:
            rows = np.flatnonzero(part >= 0)
            design[rows, j + part[rows]] = 1.0
        else:
            design[:, j] = _filled(column, part)
            if column.indicator:
                design[:, j + 1] = np.isnan(part)
        j += len(column.features)
    return design


def _sparse(columns: Sequence[Column], parts: Sequence[NDArray[Any]], n_features: int) -> Any:
    import scipy.sparse as sparse

    rows, values, lengths = [], [], [0]
    for column, part in zip(columns, parts, strict=True):
        if column.levels is not None:
            n_with = np.bincount(part + 1, minlength=len(column.levels) + 1)  # the first of these have no level
            rows.append(np.argsort(part, kind="stable")[n_with[0] :])
            values.append(np.ones(len(rows[-1])))
            lengths += n_with[1:].tolist()
            continue
        for feature in [_filled(column, part)] + [np.isnan(part)] * column.indicator:
            rows.append(np.flatnonzero(feature))
            values.append(feature[rows[-1]].astype(np.float64))
            lengths.append(len(rows[-1]))
    indices = np.concatenate(rows).astype(np.int32)
    return sparse.csc_array((np.concatenate(values), indices, np.cumsum(lengths)), shape=(len(parts[0]), n_features))
