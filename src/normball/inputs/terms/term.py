"""`Term`: what is asked of everything that turns columns of a table into features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from normball.inputs.columns import Dates, Floats, Labels, Mask, Numbers, Unusable
from normball.messages import Finding
from normball.schema import Reader, listed, number, text, truth

Content = Numbers | Labels | Dates | Unusable
Contents = Mapping[str, Content]


class Part(NamedTuple):
    """One of the features that a term gives."""

    feature: str  # its name
    shown: str  # the same as people read it, without a sign that a sentence could take for its own
    name: str | None = None  # which of the features of its term it is; None for the number itself
    is_indicator: bool = False  # a row has it or has it not
    n_rows: int | None = None  # that had it when this was learned


@dataclass
class Met:
    """What is met while rows are made features; by the names of columns."""

    unknown: str = "error"  # what becomes of levels unseen in training
    findings: list[Finding] = field(default_factory=list)
    missing: dict[str, Mask] = field(default_factory=dict)  # and not filled in
    infinite: dict[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True)
class Term(ABC):
    """Columns of the table, and the features that they give; plain data that goes through JSON unchanged.

    Attributes
    ----------
    name : str
        The column, or what stands for one.
    fill : float or None
        Stands in for a missing number; -1 where a missing label is none of the levels.
    indicator : bool
        Whether a feature tells the rows in which the value was missing.
    n_rows : tuple of int or None
        How many rows had each level, or lacked the number, when this was learned; older models do not know.
    """

    name: str
    fill: float | None = None
    indicator: bool = False
    n_rows: tuple[int, ...] | None = None

    kind: ClassVar[str]
    readers: ClassVar[dict[str, Reader]] = {  # in a saved model; what has its default is left out
        "name": text,
        "fill": number(),
        "indicator": truth,
        "n_rows": listed(number(0, whole=True)),
    }

    def __getstate__(self) -> dict[str, Any]:
        """What a copy needs: the fields, and nothing that was made of them."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of the table that it reads."""
        return (self.name,)

    @property
    def levels(self) -> tuple[str, ...] | None:
        """The levels of a column of levels, an indicator each; None of other kinds."""
        return None

    @property
    @abstractmethod
    def parts(self) -> tuple[Part, ...]:
        """Its features."""

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(part.feature for part in self.parts)

    @property
    def shown(self) -> tuple[str, ...]:
        """Their names as people read them."""
        return tuple(part.shown for part in self.parts)

    @property
    def n_features(self) -> int:
        """How many they are."""
        return len(self.features)

    @property
    def imputes(self) -> bool:
        """Whether missing values are filled in."""
        return self.fill is not None or self.indicator

    @property
    def learns(self) -> bool:
        """Whether something was learned that each fold has to learn from its own rows (`refit`)."""
        return False

    def refit(self, contents: Contents) -> Self:
        """The same term, that learned from other rows."""
        return self

    @abstractmethod
    def encode(self, contents: Contents, met: Met) -> Any:
        """What the other verbs need to know of these rows; findings are left with `met`."""

    @abstractmethod
    def n_filled(self, encoded: Any) -> int:
        """How many cells of the features are not zero, at most."""

    @abstractmethod
    def write(self, encoded: Any, out: Floats) -> None:
        """Put the features into `out` (n_rows, n_features), which holds zeros."""

    @abstractmethod
    def sparse(self, encoded: Any) -> Any:
        """The features as a CSC matrix."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        plain = {one.name: MISSING if one.default is MISSING else one.default for one in fields(self)}
        return {"kind": self.kind, **{name: value for name, value in given.items() if value != plain[name]}}

    @classmethod
    @abstractmethod
    def check(cls, values: Mapping[str, Any], where: str) -> None:
        """Raise Damaged where fields that were read by `readers` do not go together."""


def as_column(values: Any) -> Any:
    """Numbers as a CSC matrix of one column."""
    import scipy.sparse as sparse

    rows = np.flatnonzero(values)
    ends = np.array([0, rows.size])
    return sparse.csc_array((np.asarray(values[rows], dtype=np.float64), rows, ends), shape=(len(values), 1))
