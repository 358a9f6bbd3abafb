"""What a native call returned, before it becomes result objects."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.messages import NotConverged
from normball.results.sparse_rows import SparseRows

Array = NDArray[np.float64]

_INTERRUPTED = 2
_SHARED = ("lambdas", "n_features")  # by solutions that can be joined


@dataclass(frozen=True, eq=False)
class Solution:
    """What one native call returned: K problems at L strengths, their coefficients as rows, problem by problem."""

    lambdas: Array  # (L,), shared by all problems
    intercepts: Array  # (K, L), as the next ones
    loss: Array
    whole_loss: Array
    dual_gaps: Array
    kkt_violations: Array
    n_iters: NDArray[np.int32]
    statuses: NDArray[np.int32]
    indptr: NDArray[np.int64]  # (K L + 1,)
    indices: NDArray[np.int32]
    values: Array
    null_loss: Array  # (K,), as the next one
    lambda_max: Array
    scales: Array  # (K, n_features)
    n_sweeps: float
    interrupted: bool  # whether the call was stopped before its end
    n_features: int

    @property
    def n_finished(self) -> int:
        """How many leading strengths all problems went through."""
        unfinished = (self.statuses == _INTERRUPTED).any(axis=0)
        return int(np.argmax(unfinished)) if unfinished.any() else self.lambdas.size

    def coef_rows(self, problem: int) -> SparseRows:
        """The coefficients of one problem, a row a strength."""
        length = self.lambdas.size
        rows = SparseRows(self.indptr, self.indices, self.values, self.n_features)
        return rows.take(slice(problem * length, (problem + 1) * length))


def joined(solutions: Sequence[Solution]) -> Solution:
    """Solutions over the same grid and features as one; its problems are those of the first, then of the next."""
    first = solutions[0]
    if not all(np.array_equal(getattr(one, name), getattr(first, name)) for one in solutions for name in _SHARED):
        raise ValueError("solutions of different grids or features cannot be joined")
    starts = np.cumsum([0] + [one.values.size for one in solutions])
    ends = [one.indptr[1:] + start for one, start in zip(solutions, starts[:-1], strict=True)]
    parts: dict[str, Any] = {
        "indptr": np.concatenate([np.zeros(1, dtype=np.int64), *ends]),
        "n_sweeps": sum(one.n_sweeps for one in solutions),
        "interrupted": any(one.interrupted for one in solutions),
    }
    for name in {field.name for field in fields(first)}.difference(_SHARED, parts):
        parts[name] = np.concatenate([getattr(one, name) for one in solutions])
    return replace(first, **parts)


def warn_not_converged(solution: Solution, tol: float, depth: int) -> None:
    """Warn once if some strengths are not certified, naming how many and the worst gap.

    `depth` is how many functions above this one the caller's code lies.
    """
    unsolved = solution.statuses != 0
    if unsolved.any():
        n_lambdas = int(unsolved.any(axis=0).sum())
        worst = float(np.max(solution.dual_gaps[unsolved]))
        ending = ", or end the grid earlier; .statuses tells which they are" if solution.lambdas.size > 1 else ""
        warnings.warn(
            f"{n_lambdas} of {solution.lambdas.size} lambdas did not reach the duality gap {tol:g}; "
            f"the worst relative gap is {worst:.2g}. Raise max_iter or tol{ending}.",
            NotConverged,
            stacklevel=depth + 1,
        )
