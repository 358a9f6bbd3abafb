"""Can the features split the two classes without an error? A linear program decides.

A binary target is completely separable when some direction has s_i (b0 + x_i·b) > 0 in every row (s_i = ±1 is the
class), and partly separable when some direction has s_i (b0 + x_i·b) >= 0 in every row and > 0 in some. In both cases
the likelihood has no maximum: without a penalty the coefficients grow without limit (Albert & Anderson 1984).

The program is  maximise Σ min(1, s_i (b0 + x_i·b))  subject to  s_i (b0 + x_i·b) >= 0  (after Konis 2007, with the
terms capped). Since b may grow freely, its value is the number of rows that one direction can put strictly on the side
of their class. It is solved through its dual, which has a row for each feature only, on a working set: columns
enter while the multipliers leave them a gradient, rows enter while the direction puts them on the wrong side. Where
there are more columns than rows and the program gets large, least squares usually find a direction.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.linalg import lsmr

from normball.findings.column_statistics import Columns, Floats, Ints

Kind = Literal["complete", "partial", "none", "inconclusive"]

MARGIN = 1e-6  # rows with less lie on the boundary; where the program can separate a row, it gives it 1
FIRST_ROWS = 500  # of each class
FIRST_COLUMNS = 16
LARGE = 40_000  # nonzeros from which on the program is slow; least squares are tried where they can reach every row
STEPS = 300  # of least squares
MAX_COLUMNS_FOR_RANK = 2000
UNSEEN = 1e-4  # of the scale of the columns: a row that lies further outside a span is no rounding


@dataclass(frozen=True)
class Cut:
    """A feature that separates the classes by itself.

    Attributes
    ----------
    feature : int
        The column.
    value : float
        The threshold.
    above : bool
        Whether class one lies above the threshold.
    complete : bool
        False when rows of both classes lie on the threshold itself.
    n_rows : int
        How many rows lie strictly on the side of their class.
    """

    feature: int
    value: float
    above: bool
    complete: bool
    n_rows: int


@dataclass(frozen=True)
class Separation:
    """What is known about the separability of a binary target.

    Attributes
    ----------
    kind : str
        "complete", "partial", "none", or "inconclusive" when the time was over before the program had decided.
    cuts : tuple of Cut
        The features that separate alone: the complete ones if there are any, otherwise the partial ones.
    features : tuple of int
        The columns of a separating set, those that count most first. Not the smallest set there is.
    intercept, coef : float and ndarray (p,)
        A separating direction in the units of the data; zeros when there is none.
    n_rows : int
        How many rows the direction puts strictly on the side of their class.
    """

    kind: Kind
    cuts: tuple[Cut, ...]
    features: tuple[int, ...]
    intercept: float
    coef: Floats
    n_rows: int


def separation(
    X: Any, y: Floats, weights: Floats | None = None, *, fit_intercept: bool = True, seconds: float = 10.0
) -> Separation:
    """Decide whether the columns of `X` separate the two classes of `y`.

    Parameters
    ----------
    X : ndarray, sparse matrix or Columns, of shape (n, p)
    y : ndarray of shape (n,)
        The share of class one in each row, in [0, 1]; a row strictly between belongs to both classes.
    weights : ndarray of shape (n,), optional
        Rows with weight 0 do not count.
    fit_intercept : bool
        Whether the direction may have an intercept.
    seconds : float
        The time after which the answer is "inconclusive".

    Returns
    -------
    Separation

    Examples
    --------
    >>> import numpy as np
    >>> separation(np.array([[1.0], [2.0], [4.0], [5.0]]), np.array([0.0, 0.0, 1.0, 1.0])).cuts[0].value
    3.0
    """
    columns = X if isinstance(X, Columns) else Columns(X)
    counted = np.ones(len(y), dtype=bool) if weights is None else weights > 0
    ones, zeros = np.flatnonzero(counted & (y > 0)), np.flatnonzero(counted & (y < 1))
    cuts = single_cuts(columns, ones, zeros) if fit_intercept else ()
    if cuts and cuts[0].complete:
        return _by_cut("complete", cuts, columns.p)
    problem = _Problem(columns, ones, zeros, fit_intercept=fit_intercept)
    return problem.solve(cuts, time.monotonic() + seconds)


def single_cuts(columns: Columns, ones: Ints, zeros: Ints) -> tuple[Cut, ...]:
    """Return the features that separate the rows `ones` from the rows `zeros` by a threshold."""
    low_one, high_one = columns.extremes(ones)
    low_zero, high_zero = columns.extremes(zeros)
    varies = np.minimum(low_one, low_zero) < np.maximum(high_one, high_zero)
    found = []
    for above, below, over in ((True, high_zero, low_one), (False, high_one, low_zero)):
        for feature in np.flatnonzero(varies & (below <= over)):
            column = columns.column(int(feature))
            value = _between(float(below[feature]), float(over[feature]))
            n_rows = np.count_nonzero(column[ones] != value) + np.count_nonzero(column[zeros] != value)
            found.append(Cut(int(feature), value, above, bool(below[feature] < over[feature]), int(n_rows)))
    complete = [cut for cut in found if cut.complete]
    return tuple(sorted(complete or found, key=lambda cut: (-cut.n_rows, cut.feature)))


def _between(low: float, high: float) -> float:
    """Return a short number strictly between two numbers, near their middle; the number itself when they agree."""
    middle = low + (high - low) / 2
    candidates = (float(f"{middle:.{digits}g}") for digits in range(1, 17))
    return next((short for short in candidates if low < short < high), middle)


def _by_cut(kind: Kind, cuts: tuple[Cut, ...], p: int) -> Separation:
    coef = np.zeros(p)
    sign = 1.0 if cuts[0].above else -1.0
    coef[cuts[0].feature] = sign
    features = tuple(cut.feature for cut in cuts)
    return Separation(kind, cuts, features, -sign * cuts[0].value, coef, cuts[0].n_rows)


class _Problem:
    """The rows of both classes with their signs, the columns on a common scale, and the search for a direction."""

    def __init__(self, columns: Columns, ones: Ints, zeros: Ints, *, fit_intercept: bool) -> None:
        self.columns = columns
        self.by_row = sparse.csr_array(columns.matrix) if columns.is_sparse else columns.matrix
        self.rows = np.concatenate([ones, zeros])
        self.signs = np.repeat([1.0, -1.0], [len(ones), len(zeros)])
        self.n_ones = len(ones)
        self.intercept = float(fit_intercept)
        self.centre = self.intercept * columns.centre
        self.scale = columns.sd if fit_intercept else np.hypot(columns.sd, columns.mean)
        self.usable = self.scale > 1e-12 * np.abs(columns.mean)
        self.scale = np.where(self.usable, self.scale, 1.0)

    def solve(self, cuts: tuple[Cut, ...], deadline: float) -> Separation:
        """Grow the working set until the answer holds for all rows and all columns."""
        columns, rows = self._first_columns(cuts), self._first_rows()
        try_least_squares = int(np.count_nonzero(self.usable)) >= len(self.rows)
        while True:
            balance = self._balance(rows, columns)
            if balance.nnz > LARGE and try_least_squares:
                try_least_squares = False
                found = self._by_least_squares()
                if found is not None:
                    return found
            solution = self._linear_program(balance, deadline)
            if solution is None:
                return self._none("inconclusive", cuts)
            multipliers, b = solution
            intercept, coef = self._in_units(b, columns)
            margins = self._margins(intercept, coef)
            all_of_them = bool(np.all(margins[rows] > MARGIN))
            if not all_of_them:
                more = self._columns_with_gradient(self.signs[rows] * multipliers, rows, columns)
                if more.size:
                    columns = np.union1d(columns, more)
                    continue
                if cuts:  # no direction separates all of these rows: what separates partly does no more than that
                    return _by_cut("partial", cuts, self.columns.p)
            wrong = np.setdiff1d(np.flatnonzero(margins < (MARGIN if all_of_them else -MARGIN)), rows)
            if wrong.size:
                worst = np.argsort(margins[wrong], kind="stable")[: max(len(rows) // 2, FIRST_ROWS)]
                rows = np.union1d(rows, wrong[worst])
            elif margins.min() < -MARGIN:  # the program was not solved as well as it says
                return self._none("inconclusive", cuts)
            elif margins.max() > MARGIN:
                result = self._separated("complete" if all_of_them else "partial", intercept, coef, margins)
                return self._with_fewer_features(result, rows, deadline)
            elif len(rows) == len(self.rows):
                return self._none("none", cuts)
            elif self.columns.p > MAX_COLUMNS_FOR_RANK:
                return self._none("inconclusive", cuts)
            else:
                more = self._rows_outside_the_span(rows)
                if not more.size:
                    return self._none("none", cuts)
                rows = np.union1d(rows, more)

    def _first_columns(self, cuts: tuple[Cut, ...]) -> Ints:
        """Return the columns that tell the classes apart best, and some that separate partly by themselves."""
        partial = np.array([cut.feature for cut in cuts[:FIRST_COLUMNS]], dtype=np.intp)
        return np.union1d(self._far_apart(FIRST_COLUMNS), partial)

    def _far_apart(self, number: int) -> Ints:
        """Return the columns whose class means lie farthest apart."""
        difference = self._sums(np.arange(len(self.rows)), self.signs) - self.signs.sum() * (
            self.columns.mean - self.centre
        )
        apart = np.where(self.usable, np.abs(difference) / self.scale, -1.0)
        first = np.argsort(-apart, kind="stable")[:number]
        return first[self.usable[first]]

    def _by_least_squares(self) -> Separation | None:
        """Return the direction that comes closest to the signs themselves, if it separates completely."""
        columns = self._far_apart(2 * len(self.rows))
        b = lsmr(self._scaled(np.arange(len(self.rows)), columns), self.signs, maxiter=STEPS)[0]
        intercept, coef = self._in_units(b, columns)
        margins = self._margins(intercept, coef)
        return self._separated("complete", intercept, coef, margins) if margins.min() > MARGIN else None

    def _first_rows(self) -> Ints:
        """Return some rows of each class, at random."""
        rng = np.random.default_rng(0)
        of_ones = rng.permutation(self.n_ones)[:FIRST_ROWS]
        of_zeros = self.n_ones + rng.permutation(len(self.rows) - self.n_ones)[:FIRST_ROWS]
        return np.sort(np.concatenate([of_ones, of_zeros]))

    def _scaled(self, rows: Ints, columns: Ints) -> Any:
        """Return the rows (1, x_i) of the working set with the columns on the common scale."""
        ones = np.full((len(rows), 1), self.intercept)
        if self.columns.is_sparse:
            part = self.by_row[self.rows[rows]][:, columns].multiply(1 / self.scale[columns])
            return sparse.hstack([sparse.csc_array(ones), part], format="csc")
        part = self.by_row[np.ix_(self.rows[rows], columns)]
        return np.hstack([ones, (part - self.centre[columns]) / self.scale[columns]])

    def _balance(self, rows: Ints, columns: Ints) -> Any:
        """Return the equations of the program: the signed rows of the working set, weighed, sum to zero."""
        signs = sparse.diags_array(self.signs[rows], format="csc")
        return sparse.csc_array(self._scaled(rows, columns).T) @ signs

    @staticmethod
    def _linear_program(balance: Any, deadline: float) -> tuple[Floats, Floats] | None:
        """Return the multipliers of the rows and the direction b; None when the time is over.

        Each multiplier is split into a part in [0, 1], which earns 1, and an unbounded part, which earns nothing.
        """
        m, left = balance.shape[1], deadline - time.monotonic()
        if left <= 0:
            return None
        result = linprog(
            np.repeat([-1.0, 0.0], m),
            A_eq=sparse.hstack([balance, balance], format="csc"),
            b_eq=np.zeros(balance.shape[0]),
            bounds=np.column_stack([np.zeros(2 * m), np.repeat([1.0, np.inf], m)]),
            method="highs-ds",
            options={"time_limit": left},
        )
        if result.status != 0:
            return None
        return result.x[:m] + result.x[m:], -result.eqlin.marginals

    def _in_units(self, b: Floats, columns: Ints) -> tuple[float, Floats]:
        coef = np.zeros(self.columns.p)
        coef[columns] = b[1:] / self.scale[columns]
        return self.intercept * float(b[0]) - float(self.centre @ coef), coef

    def _margins(self, intercept: float, coef: Floats) -> Floats:
        margins: Floats = self.signs * (intercept + self.columns.times(coef))[self.rows]
        return margins

    def _sums(self, rows: Ints, weights: Floats) -> Floats:
        """Return the weighted sum of these rows, centred, on the scale of the data."""
        per_row = np.zeros((self.columns.n, 1))
        np.add.at(per_row[:, 0], self.rows[rows], weights)
        sums: Floats = self.columns.products(per_row)[:, 0] + weights.sum() * (self.columns.centre - self.centre)
        return sums

    def _columns_with_gradient(self, force: Floats, rows: Ints, columns: Ints) -> Ints:
        """Return the columns that raise the value of the program, the steepest first, as many as there are now."""
        steepness = np.where(self.usable, np.abs(self._sums(rows, force)) / self.scale, 0.0)
        steepness[columns] = 0.0
        steepest = np.argsort(-steepness, kind="stable")[: max(len(columns), FIRST_COLUMNS)]
        return steepest[steepness[steepest] > MARGIN]

    def _rows_outside_the_span(self, rows: Ints) -> Ints:
        """Return rows that are no combination of the rows of the working set: a direction could work on them alone.

        A random combination of all rows lies in the span of the working set only if they all do. Otherwise its
        residual is a direction that the working set cannot see.
        """
        usable = np.flatnonzero(self.usable)
        seen = self._scaled(rows, usable)
        gram = seen.T @ seen
        gram = gram.toarray() if self.columns.is_sparse else gram
        weights = np.random.default_rng(0).standard_normal(len(self.rows))
        combination = np.append(
            self.intercept * weights.sum(), (self._sums(np.arange(len(weights)), weights) / self.scale)[usable]
        )
        combination /= np.linalg.norm(combination)
        unseen = combination - gram @ np.linalg.lstsq(gram, combination, rcond=1e-10)[0]
        margins = np.abs(self._margins(*self._in_units(unseen, usable)))
        outside = np.setdiff1d(np.flatnonzero(margins > UNSEEN), rows)
        return outside[np.argsort(-margins[outside], kind="stable")[:FIRST_ROWS]]

    def _separated(self, kind: Kind, intercept: float, coef: Floats, margins: Floats) -> Separation:
        part = np.abs(coef) * self.scale
        order = np.argsort(-part, kind="stable")
        features = tuple(int(j) for j in order[part[order] > 1e-9 * part.max()])
        return Separation(kind, (), features, intercept, coef, int(np.count_nonzero(margins > MARGIN)))

    def _with_fewer_features(self, result: Separation, rows: Ints, deadline: float) -> Separation:
        """Return the result for as few of its strongest features as do the same, found by bisection."""
        ranked = np.array(result.features, dtype=np.intp)
        too_few, enough = 0, len(ranked)
        while enough - too_few > 1:
            number = (too_few + enough) // 2
            columns = np.sort(ranked[:number])
            solution = self._linear_program(self._balance(rows, columns), deadline)
            if solution is None:
                break
            intercept, coef = self._in_units(solution[1], columns)
            margins = self._margins(intercept, coef)
            if margins.min() >= -MARGIN and np.count_nonzero(margins > MARGIN) >= result.n_rows:
                enough, result = number, self._separated(result.kind, intercept, coef, margins)
            else:
                too_few = number
        return result

    def _none(self, kind: Kind, cuts: tuple[Cut, ...]) -> Separation:
        return Separation(kind, cuts, (), 0.0, np.zeros(self.columns.p), 0)
