"""A number as a cubic spline: the functions of its B-spline basis are the features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np

from normball.inputs.columns import AnyNumbers, Floats
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.terms.numbers import NumberTerm
from normball.inputs.terms.plan import N_KNOTS, Plan
from normball.inputs.terms.term import Contents, Met, Part, Term
from normball.messages import OR, DataError, Finding, count, words
from normball.schema import Damaged, Reader, listed, number, one_of

DEGREE = 3
FEWEST_VALUES = 4  # of which a curve can be told from a line


def shares_of_knots(plan: Plan, name: str) -> Floats:
    """The quantiles at which the knots of a column are."""
    asked = plan.spline[name]
    return np.linspace(0.0, 1.0, N_KNOTS if asked is None else asked)


def of_labels(name: str) -> Finding:
    """E16 for a column that holds no numbers."""
    return Finding("E16", f'Column "{name}" (of spline) holds labels; a spline is of numbers.', "", (name,))


@dataclass(frozen=True)
class SplineTerm(Term):
    """Functions between knots at quantiles of the training rows; beyond the outer knots they go on as lines."""

    knots: tuple[float, ...] = ()
    fill_by: str = "median"

    kind: ClassVar[str] = "spline"
    readers: ClassVar[dict[str, Reader]] = {
        **Term.readers,
        "knots": listed(number()),
        "fill_by": one_of("median", "mean", "constant"),
    }

    @classmethod
    def learn(cls, name: str, content: AnyNumbers, plan: Plan) -> SplineTerm:
        """Knots at quantiles, which are as many as were asked for where enough values differ."""
        if content.n_distinct < FEWEST_VALUES:
            text = f'Column "{name}" (of spline) has {count(content.n_distinct)} different values, too few for a curve.'
            fix = f"leave it out (of spline){OR}categorical={words([name])}"
            raise DataError(Finding("E16", text, fix, (name,)))
        knots = np.unique(content.quantiles(shares_of_knots(plan, name)))
        plain = NumberTerm.learn(name, content, plan.filling)
        return cls(name, plain.fill, plain.indicator, plain.n_rows, tuple(knots.tolist()), plain.fill_by)

    @property
    def number(self) -> NumberTerm:
        """The number without the spline."""
        return NumberTerm(self.name, self.fill, self.indicator, self.n_rows, self.fill_by)

    @property
    def n_functions(self) -> int:
        """Functions of the basis, of which one that the others and the intercept give is left out."""
        return len(self.knots) + DEGREE - 2

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The functions from left to right, and the indicator of gaps."""
        found = [
            Part(f"{self.name} spline {k}", f"{self.name}: spline {k}", f"spline {k}")
            for k in range(1, self.n_functions + 1)
        ]
        gap = Part(f"{self.name} is missing", f"{self.name}: {MISSING_LEVEL}", MISSING_LEVEL, True)
        return (*found, *([gap._replace(n_rows=None if self.n_rows is None else self.n_rows[0])] * self.indicator))

    @property
    def learns(self) -> bool:
        """Whether a fold has a fill of its own; the knots are those of all rows."""
        return self.number.learns

    def refit(self, contents: Contents) -> Self:
        """The same with the fill of other rows."""
        return replace(self, fill=self.number.refit(contents).fill)

    @cached_property
    def _basis(self) -> Any:
        from sklearn.preprocessing import SplineTransformer

        knots = np.array(self.knots)[:, None]
        return SplineTransformer(degree=DEGREE, knots=knots, include_bias=False, extrapolation="linear").fit(knots)

    def pieces(self, coefs: Sequence[float]) -> list[tuple[float, tuple[float, ...]]]:
        """The curve that the functions add up to with these coefficients, piece by piece from the left.

        Each has the place from which its polynomial counts, and that's coefficients, the constant first: a line up to
        the first knot, a cubic from each knot to the next, and a line from the last one on.
        """
        from scipy.interpolate import BSpline, PPoly

        curve = PPoly.from_spline(BSpline(self._basis.bsplines_[0].t, np.append(coefs, 0.0), DEGREE))
        inside = (curve.x[:-1] >= self.knots[0]) & (curve.x[:-1] < self.knots[-1]) & (np.diff(curve.x) > 0)
        cubics = [(float(curve.x[k]), tuple(curve.c[::-1, k].tolist())) for k in np.flatnonzero(inside)]
        (start, (value, slope, *_)), end = cubics[0], self.knots[-1]
        return [(start, (value, slope)), *cubics, (end, (float(curve(end)), float(curve(end, 1))))]

    def encode(self, contents: Contents, met: Met) -> Any:
        """The numbers, NaN where they are missing."""
        return self.number.encode(contents, met)

    def n_filled(self, encoded: Floats) -> int:
        """How many cells are not zero, at most."""
        return (DEGREE + 1) * len(encoded)

    def write(self, encoded: Floats, out: Floats) -> None:
        """The functions of the basis, then the gaps."""
        if not len(encoded):  # which scikit-learn does not take
            return
        filled = self.number.filled(encoded)
        out[:, : self.n_functions] = self._basis.transform(filled[:, None])
        if self.indicator:
            out[:, -1] = np.isnan(encoded)

    def sparse(self, encoded: Floats) -> Any:
        """The same as a CSC matrix."""
        import scipy.sparse as sparse

        out = np.zeros((len(encoded), self.n_features))
        self.write(encoded, out)
        return sparse.csc_array(out)

    @classmethod
    def check(cls, values: Mapping[str, Any], where: str) -> None:
        """Knots grow."""
        knots = values["knots"]
        if len(knots) < 2 or any(one >= other for one, other in pairwise(knots)):
            raise Damaged(f"{where}.knots", "must be two numbers or more, each larger than the one before")
