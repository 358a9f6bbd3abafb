"""Products of the features of two columns: of numbers, of levels, or of either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

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
        term = cls.of_factors(names, *(_factor(name, contents, plan) for name in names))
        return term.kept(np.diff(term.encode(contents, Met("baseline")).indptr))

    @classmethod
    def of_factors(cls, names: tuple[str, str], left: Factor, right: Factor) -> InteractionTerm:
        """All products of the features of two columns."""
        if names[0] == names[1] and isinstance(left, LevelTerm):
            text = f'Levels of "{names[0]}" (of interact) times themselves are these levels again.'
            raise DataError(Finding("E16", text, columns=names[:1]))
        every = tuple((i, j) for i in range(left.n_features) for j in range(right.n_features))
        return cls(":".join(names), left=left, right=right, pairs=every)

    @property
    def n_level_factors(self) -> int:
        """How many of the two are levels."""
        return sum(isinstance(one, LevelTerm) for one in (self.left, self.right))

    def kept(self, n_rows: NDArray[np.integer[Any]]) -> InteractionTerm:
        """Those of all products that occur; `n_rows` says in how many rows each is not zero."""
        kept = [k for k, n in enumerate(n_rows.tolist()) if n > 0 or not self.n_level_factors]
        counts = tuple(n_rows[kept].tolist()) if self.n_level_factors == 2 else None
        return replace(self, pairs=tuple(self.pairs[k] for k in kept), n_rows=counts)

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
        own = Met("baseline")  # the columns are read for themselves, too, and what is wrong is said there
        factors = [one.encode(contents, own) for one in (self.left, self.right)]
        return None if any(encoded is None for encoded in factors) else self.products(*factors)

    def products(self, of_left: Any, of_right: Any) -> Any:
        """The products of factors that were encoded, as a CSC matrix."""
        import scipy.sparse as sparse

        left, right = self.left.sparse(of_left), self.right.sparse(of_right)
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
