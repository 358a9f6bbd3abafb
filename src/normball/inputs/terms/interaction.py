"""Products of the features of two columns: of numbers, of levels, or of either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from normball.inputs.columns import Floats, Labels, Numbers
from normball.inputs.terms.levels import LevelTerm
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.plan import Plan
from normball.inputs.terms.term import Contents, Met, Part, Term
from normball.messages import DataError, Finding
from normball.schema import Damaged, Reader, listed, number

Factor = NumberTerm | LevelTerm
NONE = NumberTerm("")
TIMES = " × "


@dataclass(frozen=True)
class InteractionTerm(Term):
    """Products of a feature of the one and a feature of the other, `pairs` of their places; gaps have none."""

    left: Factor = NONE
    right: Factor = NONE
    pairs: tuple[tuple[int, int], ...] = ()

    kind: ClassVar[str] = "interaction"
    readers: ClassVar[dict[str, Reader]] = {
        "name": Term.readers["name"],
        "n_rows": Term.readers["n_rows"],
        "pairs": listed(listed(number(0, whole=True), length=2), distinct=True),
    }

    @classmethod
    def learn(cls, names: tuple[str, str], contents: Contents, plan: Plan) -> InteractionTerm:
        """The products that occur in training."""
        if names[0] == names[1] and isinstance(contents[names[0]], Labels):
            text = f'Levels of "{names[0]}" (of interact) times themselves are these levels again.'
            raise DataError(Finding("E16", text, columns=names[:1]))
        left, right = (_factor(name, contents, plan) for name in names)
        every = tuple((i, j) for i in range(left.n_features) for j in range(right.n_features))
        term = cls(":".join(names), left=left, right=right, pairs=every)
        n_rows = np.diff(term.encode(contents, Met("baseline")).indptr)
        of_levels = isinstance(left, LevelTerm) or isinstance(right, LevelTerm)
        kept = [k for k, n in enumerate(n_rows.tolist()) if n > 0 or not of_levels]
        counted = isinstance(left, LevelTerm) and isinstance(right, LevelTerm)
        counts = tuple(n_rows[kept].tolist()) if counted else None
        return replace(term, pairs=tuple(every[k] for k in kept), n_rows=counts)

    @property
    def sources(self) -> tuple[str, ...]:
        """The two columns, or the one that is multiplied by itself."""
        return tuple(dict.fromkeys((self.left.name, self.right.name)))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The products; the only one has no name of its own."""
        left, right = self.left.parts, self.right.parts
        n_rows = self.n_rows or (None,) * len(self.pairs)
        alone = isinstance(self.left, NumberTerm) and isinstance(self.right, NumberTerm)
        found = []
        for (i, j), n in zip(self.pairs, n_rows, strict=True):
            within = TIMES.join(one.name for one in (left[i], right[j]) if one.name is not None)
            feature, shown = f"{left[i].feature}:{right[j].feature}", f"{left[i].shown}{TIMES}{right[j].shown}"
            found.append(Part(feature, shown, None if alone else within, n is not None, n))
        return tuple(found)

    @property
    def imputes(self) -> bool:
        """Whether missing values are filled in."""
        return self.left.imputes or self.right.imputes

    @property
    def learns(self) -> bool:
        """Whether a fold has a fill of its own."""
        return self.left.learns or self.right.learns

    def refit(self, contents: Contents) -> Self:
        """The same with the fills of other rows."""
        return replace(self, left=self.left.refit(contents), right=self.right.refit(contents))

    def encode(self, contents: Contents, met: Met) -> Any:
        """The products as a CSC matrix."""
        import scipy.sparse as sparse

        own = Met("baseline")  # the columns are read for themselves, too, and what is wrong is said there
        factors = [(one, one.encode(contents, own)) for one in (self.left, self.right)]
        if any(encoded is None for _, encoded in factors):
            return None
        left, right = (one.sparse(encoded) for one, encoded in factors)
        products = [left[:, [i]].multiply(right[:, [j]]) for i, j in self.pairs]
        return sparse.csc_array(sparse.hstack(products, format="csc"))

    def n_filled(self, encoded: Any) -> int:
        """How many cells are not zero."""
        return int(encoded.nnz)

    def write(self, encoded: Any, out: Floats) -> None:
        """The products as they are."""
        out[:] = encoded.toarray()

    def sparse(self, encoded: Any) -> Any:
        """The products as they are."""
        return encoded

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        sides = {"left": self.left.to_dict(), "right": self.right.to_dict()}
        return {**super().to_dict(), **sides, "pairs": [list(pair) for pair in self.pairs]}

    @classmethod
    def check(cls, values: Mapping[str, Any], where: str) -> None:
        """The factors are numbers or levels, and the pairs are of their features."""
        for side, place in (("left", 0), ("right", 1)):
            term = values[side]
            if not isinstance(term, NumberTerm | LevelTerm):
                raise Damaged(f"{where}.{side}", "is neither a number nor levels")
            if any(pair[place] >= term.n_features for pair in values["pairs"]):
                raise Damaged(f"{where}.pairs", f"name a feature that {side} does not have")
        if "n_rows" in values and len(values["n_rows"]) != len(values["pairs"]):
            n_given, n_pairs = len(values["n_rows"]), len(values["pairs"])
            raise Damaged(f"{where}.n_rows", f"has {n_given} entries, but must have {n_pairs}")


def _factor(name: str, contents: Contents, plan: Plan) -> Factor:
    """A column by itself, numbers without the indicator of their gaps."""
    content = contents[name]
    if isinstance(content, Labels):
        return LevelTerm.learn(name, content, plan)
    assert isinstance(content, Numbers)
    return replace(NumberTerm.learn(name, content, plan.filling), indicator=False)
