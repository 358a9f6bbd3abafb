"""The rows that a model was fitted to, laid out for the statistics of a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.evidence.listed import listed, listed_coefs, picked
from normball.families import find_family
from normball.family import Family
from normball.messages import DataError, Finding, count
from normball.predictor import linear_predictor

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.inputs.prepare import Data
    from normball.results.path import Path
    from normball.run import Run
    from normball.survival.target import SurvivalTarget

Array = NDArray[np.float64]

FEW = 9  # indices of lambda for what cannot be had for all
MANY = 20_000  # rows from which on these are the marks alone
BLOCK = 4_000_000  # linear predictors held at a time
CACHED = 8_192  # of them that a core has in its cache with all that is made of them, and BLAS does alone
SAME_LOSS = 1e-5  # of the null loss: from here on the data are others than those fitted, but for rounding
FAR_OFF = 100.0  # times that rounding is usual: losses of the fit were added up in another way
NUDGE = 2.0**-49  # of a linear predictor: eight times its last digit
BLOCK_OF_COLUMNS = 256  # copied at a time
NEWTON_STEPS = 50
DONE = 1e-15  # relative to the null loss
VANISHED = 1e-8  # smallest curvature per SD of a minimum that counts as one


@dataclass(frozen=True)
class FittedRows:
    """A path, the rows it was fitted to, and the listed features per standard deviation.

    Attributes
    ----------
    columns : ndarray of int
        The listed features; `coefs` are theirs, per unit: (n_lambdas, n_listed), or of several outputs
        (n_lambdas, n_outputs, n_listed).
    design : Any
        All features as the native code takes them.
    features : ndarray, shape (n, n_listed)
        The listed features, centred where there is an intercept, and divided by their scale.
    means : ndarray, shape (n_listed,)
        Their weighted means.
    y, offset : ndarray, shape (n,), or of several outputs (n, n_outputs)
        Target and offset.
    weights : ndarray, shape (n,)
        Weights with sum 1.
    marks : tuple of int
        The indices of lambda that a reader asks for first.
    n_few : int
        How many indices of lambda there are for what cannot be had for all.
    survival : SurvivalTarget or None
        Of times to an event the target that `y` codes, (n, 4).
    """

    path: Path
    family: Family
    columns: NDArray[np.intp]
    coefs: Array
    design: Any
    features: Array
    means: Array
    y: Array
    weights: Array
    offset: Array
    marks: tuple[int, ...]
    n_few: int = FEW
    survival: SurvivalTarget | None = None

    def of_output(self, output: int, at: list[int]) -> FittedRows:
        """The rows of one of several outputs by itself, with the marks as places in `at`, some indices of lambda."""
        return replace(
            self,
            family=find_family(self.family.of_one),
            y=self.y[:, output],
            offset=self.offset[:, output],
            marks=tuple(at.index(mark) for mark in self.marks),
        )

    @property
    def per_sd(self) -> Array:
        """Coefficients (n_lambdas, n_listed) of the listed features per standard deviation."""
        return np.asarray(self.coefs * self.path.scales[self.columns])

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which rows have a weight."""
        return self.weights > 0

    def link(self, which: slice) -> Array:
        """Linear predictor (n, n_which) or (n, n_which, n_outputs) of the fitted models, offset included."""
        path = self.path
        eta = linear_predictor(self.design, path.intercepts[which], path.coef_rows.take(which, path.n_outputs))
        return eta + self.offset[:, None]

    def link_at(self, index: int) -> Array:
        """Linear predictor (n,) at one strength."""
        return self.link(slice(index, index + 1))[:, 0]

    def blocks(self) -> list[slice]:
        """The strengths in slices few enough to hold their linear predictors."""
        width = max(1, BLOCK // (self.weights.size * self.path.n_outputs))
        length = self.path.lambdas.size
        return [slice(start, min(start + width, length)) for start in range(0, length, width)]

    def loss(self, eta: Array, only: NDArray[np.bool_] | None = None) -> Array:
        """Mean loss of each column of `eta` (n, m); `only` says which rows these are, where they are not all."""
        if only is not None:
            weights = self.weights[only]
            return replace(self, y=self.y[only], weights=weights / weights.sum()).loss(eta)
        return self.loss_of(lambda some: eta[some], eta[0].size)

    def loss_of(self, eta: Callable[[slice], Array], width: int) -> Array:
        """The same of a linear predictor with `width` numbers a row that is made of some rows at a time.

        Rows that are judged together are taken at once.
        """
        if self.family.has_risk_sets:
            return self.family.mean_loss(self.y, self.weights, eta(slice(None)))
        return self._summed(lambda some: self.family.mean_loss(self.y[some], self.weights[some], eta(some)), width)

    def derivatives_of(self, eta: Callable[[slice], Array], width: int) -> tuple[Array, Array]:
        """The first and second derivative of that loss by what is added to a column."""

        def sums(some: slice) -> Array:
            at, y, weights = eta(some), self.y[some, None], self.weights[some]
            return np.stack([weights @ self.family.residual(y, at), weights @ self.family.curvature(y, at)])

        slope, bend = self._summed(sums, width)
        return slope, bend

    def _summed(self, part: Callable[[slice], Array], width: int) -> Array:
        """A sum over the rows, by so many at a time that a core's cache holds what is made of them."""
        height = max(1, CACHED // width)
        return np.asarray(sum(part(slice(row, row + height)) for row in range(0, self.y.shape[0], height)))

    def slope(self, eta: Array) -> Array:
        """Derivative of each row's loss by its linear predictor; `eta` is (n,) or (n, m)."""
        return self.family.residual(self._target(eta), eta)

    def curvature(self, eta: Array) -> Array:
        """Second derivative of each row's loss."""
        return self.family.curvature(self._target(eta), eta)

    def _target(self, eta: Array) -> Array:
        return self.y if eta.ndim == 1 else self.y[:, None]

    def few(self) -> list[int]:
        """Indices of lambda for what takes many passes over the rows."""
        return self.some(self.n_few if self.y.size <= MANY else len(set(self.marks)))

    def some(self, at_most: int) -> list[int]:
        """So many indices of lambda, spread over the path, with the marks among them."""
        length = self.path.lambdas.size
        chosen = list(dict.fromkeys(self.marks))[:at_most]
        spread = np.linspace(length - 1, 0, at_most).round().astype(int).tolist()

        def nearness(index: int) -> int:
            return -min(abs(index - mark) for mark in self.marks)

        for index in sorted(dict.fromkeys(spread), key=nearness):
            if len(chosen) < min(at_most, length) and index not in chosen:
                chosen.append(index)
        return sorted(chosen)


def fitted_rows(cv: CVPath, run: Run, data: Data) -> FittedRows:
    """Lay out the rows of `data`, which have to be those that `cv` was fitted to, or a sample of them."""
    path = cv.path
    design = _design(path, data)
    columns = listed(cv, run)
    weights = data.weights / data.weights.sum()
    values = dense_columns(design, columns)
    means = weights @ values
    scales = path.scales[columns]
    centred = values - means if path.fit_intercept else values
    rows = FittedRows(
        path=path,
        family=find_family(path.family),
        columns=columns,
        coefs=listed_coefs(path, columns),
        design=design,
        features=centred / np.where(scales > 0, scales, 1.0),
        means=means,
        y=data.y,
        weights=weights,
        offset=data.offset,
        marks=(picked(cv, run), cv.index_best, cv.index_1se),
        survival=data.survival,
    )
    if data.sample_of is not None:
        return rows
    last = path.lambdas.size - 1
    eta = rows.link(slice(last, None))
    if abs(rows.loss(eta)[0] - path.loss[last]) > SAME_LOSS * path.null_loss + FAR_OFF * _rounding(rows, eta):
        raise _other_data("their loss under the model differs from that of the rows it was fitted to")
    return rows


def _rounding(rows: FittedRows, eta: Array) -> float:
    """How far the mean loss of one linear predictor may be off: what other last digits do to the losses of rows.

    They may be small differences of large terms, as those of counts in the hundred millions are.
    """
    nudged = eta * (1.0 + NUDGE)
    if rows.family.has_risk_sets:
        return float(abs(rows.loss(nudged) - rows.loss(eta))[0])
    y = rows.y[:, None]
    return float(rows.weights @ np.abs(rows.family.loss(y, nudged) - rows.family.loss(y, eta))[:, 0])


def dense_columns(design: Any, columns: NDArray[np.intp]) -> Array:
    """Some columns of a design as a dense array (n, n_columns)."""
    if isinstance(design, np.ndarray):
        return design[:, columns].astype(np.float64)
    return np.asarray(_sparse(design)[:, columns].toarray(), dtype=np.float64)


def column_means(design: Any, columns: NDArray[np.intp], weights: Array) -> Array:
    """Weighted means of some columns of a design, without a copy of them all."""
    if not isinstance(design, np.ndarray):
        return np.asarray(weights @ _sparse(design))[columns]
    blocks = [columns[start : start + BLOCK_OF_COLUMNS] for start in range(0, columns.size, BLOCK_OF_COLUMNS)]
    return np.concatenate([np.zeros(0), *(weights @ design[:, block] for block in blocks)])


def _sparse(design: Any) -> Any:
    from scipy import sparse

    data, indices, indptr, n_rows = design
    return sparse.csc_matrix((data, indices, indptr), shape=(n_rows, indptr.size - 1))


def unpenalised(rows: FittedRows, features: Array) -> tuple[float, Array] | None:
    """Intercept and coefficients that minimise the mean loss alone; None where there is no finite minimum.

    Where larger coefficients are always better the curvature dies out on the way.
    """
    ones = np.ones((rows.y.size, int(rows.path.fit_intercept)))
    matrix = np.hstack([ones, features])
    coefs = np.zeros(matrix.shape[1])
    if rows.path.fit_intercept:
        coefs[0] = rows.family.null_intercept(rows.y, rows.weights, rows.offset)
    hessian = np.eye(matrix.shape[1])
    for _ in range(NEWTON_STEPS):
        eta = rows.offset + matrix @ coefs
        slope, bend = rows.slope(eta), rows.curvature(eta)
        gradient = matrix.T @ (rows.weights * slope)
        hessian = (matrix.T * (rows.weights * bend)) @ matrix
        step = np.asarray(np.linalg.lstsq(hessian, -gradient, rcond=1e-12)[0], dtype=np.float64)
        if -gradient @ step <= DONE * rows.path.null_loss:
            break
        share = _share(rows, matrix, coefs, step)
        if share == 0.0:
            break
        coefs = coefs + share * step
    if not rows.family.quadratic and coefs.size and np.linalg.eigvalsh(hessian)[0] < VANISHED:
        return None
    split = ones.shape[1]
    return (float(coefs[0]) if split else 0.0), coefs[split:]


def _share(rows: FittedRows, matrix: Array, coefs: Array, step: Array) -> float:
    """How much of a Newton step lowers the loss; 0 where rounding is all that is left."""

    def value(share: float) -> float:
        return float(rows.loss((rows.offset + matrix @ (coefs + share * step))[:, None])[0])

    start, share = value(0.0), 1.0
    while not value(share) < start:
        share /= 2
        if share < DONE:
            return 0.0
    return share


def _design(path: Path, data: Data) -> Any:
    """The design of `data` as that of the model; raises where they are others than those it was fitted to."""
    if data.preparation == path.preparation:
        design = data.design
    else:
        from normball.inputs.prepare import prepare_new

        design = prepare_new(path.preparation, data.frame)
    n_rows = data.sample_of or data.n_rows
    if n_rows != path.n_rows:
        raise _other_data(f"they have {count(n_rows)} rows, and it was fitted to {count(path.n_rows)}")
    return design


def _other_data(why: str) -> DataError:
    return DataError(Finding("E14", f"These are not the data of this model: {why}.", "give the table of the fit"))
