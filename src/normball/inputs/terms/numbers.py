"""A column of numbers: itself, and where missing values are imputed and some were seen, an indicator of those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from normball.inputs.column_findings import not_numeric
from normball.inputs.columns import AnyNumbers, Floats, Labels, Numbers
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.terms.plan import Filling
from normball.inputs.terms.term import Contents, Met, Part, Term, as_column
from normball.schema import Damaged, Reader, one_of


@dataclass(frozen=True)
class NumberTerm(Term):
    """A number. `fill_by` says how `fill` was learned: "median", "mean", or "constant", which was given."""

    fill_by: str = "median"

    kind: ClassVar[str] = "number"
    readers: ClassVar[dict[str, Reader]] = {**Term.readers, "fill_by": one_of("median", "mean", "constant")}

    @classmethod
    def learn(cls, name: str, content: AnyNumbers, filling: Filling | None) -> NumberTerm:
        """What a column of numbers gives; `filling` is how missing values are filled in, if they are."""
        if filling is None:
            return cls(name)
        n_missing = content.n_missing
        n_rows = (n_missing,) if n_missing else None
        return cls(name, filling.of(content), n_missing > 0, n_rows, fill_by=filling.by)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The number, and the indicator of its gaps."""
        n_rows = None if self.n_rows is None else self.n_rows[0]
        gap = Part(f"{self.name} is missing", f"{self.name}: {MISSING_LEVEL}", MISSING_LEVEL, True, n_rows)
        return (Part(self.name, self.name), gap)[: self.n_features]

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Names of the features; tables have millions of such columns."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @property
    def n_features(self) -> int:
        """How many they are."""
        return 1 + self.indicator

    @property
    def learns(self) -> bool:
        """Whether a fold has a fill of its own."""
        return (self.indicator or self.n_rows is not None) and self.fill_by != "constant"

    def refit(self, contents: Contents) -> Self:
        """The same with the fill of other rows."""
        content = contents[self.name]
        fill = Filling(self.fill_by).of(content) if isinstance(content, Numbers) and self.learns else None
        return self if fill is None else replace(self, fill=fill)

    def encode(self, contents: Contents, met: Met) -> Any:
        """The numbers, NaN where they are missing."""
        content = contents[self.name]
        if isinstance(content, Labels):
            content = content.as_numbers() or content.as_truth() or content
        if isinstance(content, Labels):
            met.findings.append(not_numeric(self.name, content, "New column", may_lack=self.imputes))
            return None
        assert isinstance(content, Numbers)
        met.missing[self.name] = content.missing & (self.fill is None)
        met.infinite[self.name] = np.isinf(content.values)
        return content.values

    def filled(self, values: Floats) -> Floats:
        """The numbers without gaps."""
        return values if self.fill is None else np.where(np.isnan(values), self.fill, values)

    def n_filled(self, encoded: Floats) -> int:
        """How many cells are not zero."""
        return int(np.count_nonzero(encoded))

    def write(self, encoded: Floats, out: Floats) -> None:
        """The number first, then its gaps."""
        out[:, 0] = self.filled(encoded)
        if self.indicator:
            out[:, 1] = np.isnan(encoded)

    def sparse(self, encoded: Floats) -> Any:
        """The same as a CSC matrix."""
        import scipy.sparse as sparse

        columns = [as_column(self.filled(encoded))]
        columns += [as_column(np.isnan(encoded))] if self.indicator else []
        return columns[0] if len(columns) == 1 else sparse.hstack(columns, format="csc")

    @classmethod
    def check(cls, values: Mapping[str, Any], where: str) -> None:
        """Only gaps are counted."""
        if "n_rows" in values and len(values["n_rows"]) != 1:
            raise Damaged(f"{where}.n_rows", f"has {len(values['n_rows'])} entries, but must have 1")

    def to_dict(self) -> Any:
        """A plain number is its name."""
        found = {name: value for name, value in super().to_dict().items() if name != "kind"}
        return self.name if set(found) <= {"name"} else found
