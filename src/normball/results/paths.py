"""Many paths over one table: `Paths`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from normball.results.fit import Fit
from normball.results.frames import in_library, numbers_of
from normball.results.path import Path
from normball.results.sparse_rows import SparseRows

if TYPE_CHECKING:
    pass

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Paths(Sequence[Path]):
    """The paths of a batch of problems over one table and one grid: a sequence of `Path`.

    Attributes
    ----------
    paths : tuple of Path
        One for each problem; what belongs to the table is shared between them.
    names : tuple of str
        What the problems are called: the column of the target or of the weights.
    lambdas : ndarray, shape (n_lambdas,)
        The strengths, descending.
    dual_gaps : ndarray, shape (n_problems, n_lambdas)
        Certified relative duality gaps.
    statuses : ndarray of str, shape (n_problems, n_lambdas)
        "converged", "max_iter" or "numerical".
    n_iters : ndarray of int, shape (n_problems, n_lambdas)
        Iterations of the solver.
    n_sweeps : float
        Reads of the whole matrix, for all problems together; see `Path`.
    selection_counts : SparseRows, shape (n_lambdas, n_features)
        In how many problems each feature has a nonzero coefficient; indexed like the dense array, `toarray()` gives the
        whole.
    column_counts : SparseRows, shape (n_lambdas, n_columns)
        In how many problems each column of the table is kept, whichever of its levels are; the columns are
        `paths[0].column_names`.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> Paths: ...
    def __getitem__(self, index: int | slice) -> Path | Paths:
        if isinstance(index, slice):
            return Paths(self.paths[index], self.names[index])
        return self.paths[index]

    @property
    def lambdas(self) -> Array:
        """The strengths, descending."""
        return self.paths[0].lambdas

    @property
    def dual_gaps(self) -> Array:
        """Certified relative duality gaps (n_problems, n_lambdas)."""
        return np.array([path.dual_gaps for path in self.paths])

    @property
    def statuses(self) -> NDArray[np.str_]:
        """How each strength of each problem ended (n_problems, n_lambdas)."""
        return np.array([path.statuses for path in self.paths])

    @property
    def n_iters(self) -> NDArray[np.int32]:
        """Iterations of the solver (n_problems, n_lambdas)."""
        return np.array([path.n_iters for path in self.paths])

    @property
    def n_sweeps(self) -> float:
        """Reads of the whole matrix, for all problems together."""
        return self.paths[0].n_sweeps

    @cached_property
    def selection_counts(self) -> SparseRows:
        """In how many problems each feature has a nonzero coefficient (n_lambdas, n_features)."""
        return SparseRows.counting([path.coef_rows.any_output(path.n_outputs) for path in self.paths])

    @cached_property
    def column_counts(self) -> SparseRows:
        """In how many problems each column of the table is kept (n_lambdas, n_columns)."""
        groups = self.paths[0].preparation.column_of_feature
        return SparseRows.counting([path.coef_rows.any_output(path.n_outputs) for path in self.paths], groups)

    def at(self, *, lam: float | None = None, l1_norm: float | None = None, n_nonzero: int | None = None) -> list[Fit]:
        """Choose one model of each problem, as `Path.at`."""
        return [path.at(lam=lam, l1_norm=l1_norm, n_nonzero=n_nonzero) for path in self.paths]

    def to_frame(self) -> Any:
        """One row for each problem and strength: `problem`, and the numbers of `Path.to_frame`."""
        import polars

        table = polars.concat(
            numbers_of(path).select(polars.lit(name).alias("problem"), polars.all())
            for name, path in zip(self.names, self.paths, strict=True)
        )
        return in_library(table, self.paths[0].preparation.library)

    def summary(self) -> str:
        """The batch in plain text."""
        from normball.results.summaries import paths_summary

        return paths_summary(self)

    def __repr__(self) -> str:
        return f"<Paths of {len(self)} problems, each {self.paths[0]!r}>"

    def _repr_html_(self) -> str:
        from normball.results.notebook import paths_html

        return paths_html(self)
