"""What a native call returned, and several of them as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.results.sparse_rows import SparseRows

Array = NDArray[np.float64]

_INTERRUPTED = 2


@dataclass(frozen=True, eq=False)
class Solution:
    """What one native call returned: K problems at L strengths, their coefficients as rows, problem by problem."""

    lambdas: Array  # (L,), shared by all problems
    intercepts: Array  # (K, L), or with several outputs (K, L, n_outputs)
    loss: Array  # (K, L), as the next ones
    whole_loss: Array
    dual_gaps: Array
    kkt_violations: Array
    n_iters: NDArray[np.int32]
    statuses: NDArray[np.int32]
    indptr: NDArray[np.int64]  # (K L n_outputs + 1,)
    indices: NDArray[np.int32]
    values: Array
    null_loss: Array  # (K,), as the next ones
    null_fits: NDArray[np.int8]  # models without penalised features leave 0: something, 1: nothing, 2: have no optimum
    lambda_max: Array
    null_intercepts: Array  # (K,) or (K, n_outputs), of models without features; NaN where they are not known
    scales: Array  # (K, n_features)
    n_sweeps: float
    interrupted: bool  # whether the call was stopped before its end
    n_features: int

    @property
    def n_outputs(self) -> int:
        """How many linear predictors a row has."""
        return 1 if self.intercepts.ndim == 2 else int(self.intercepts.shape[2])

    @property
    def n_finished(self) -> int:
        """How many leading strengths all problems went through."""
        unfinished = (self.statuses == _INTERRUPTED).any(axis=0)
        return int(np.argmax(unfinished)) if unfinished.any() else self.lambdas.size

    @property
    def outcome(self) -> str:
        """How it came out, in a line for a log."""
        n_problems, n_lambdas = self.statuses.shape
        n_unsolved = int((self.statuses[:, : self.n_finished] != 0).sum())
        ended = f"interrupted after {self.n_finished} of {n_lambdas}" if self.interrupted else str(n_lambdas)
        worst = float(np.max(self.dual_gaps[:, : self.n_finished], initial=0.0))
        return (
            f"{ended} lambdas of {n_problems} problem{'s' * (n_problems > 1)}, {n_unsolved} not solved, "
            f"largest duality gap {worst:.2g}, {self.n_sweeps:.3g} reads of the data"
        )

    def coef_rows(self, problem: int) -> SparseRows:
        """The coefficients of one problem, a row for each strength and output."""
        length = self.intercepts[problem].size
        rows = SparseRows(self.indptr, self.indices, self.values, self.n_features)
        return rows.take(slice(problem * length, (problem + 1) * length))


def rows_of(values: Array) -> Array:
    """One row for each problem, or one that all share, as the native code reads them."""
    return np.ascontiguousarray(np.atleast_2d(values))


_SHARED = ("lambdas", "n_features")  # by solutions that can be joined


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


_BY_LAMBDA = ("intercepts", "loss", "whole_loss", "dual_gaps", "kkt_violations", "n_iters", "statuses")


def followed_by(first: Solution, rest: Solution) -> Solution:
    """The strengths that `first` finished, and behind them those of `rest`, of the same problems."""
    n_finished, n_problems = first.n_finished, len(first.null_loss)
    each = [
        part
        for problem in range(n_problems)
        for part in (
            first.coef_rows(problem).take(slice(0, n_finished), first.n_outputs),
            rest.coef_rows(problem),
        )
    ]
    lengths = np.concatenate([np.diff(part.indptr) for part in each])
    parts: dict[str, Any] = {
        name: np.concatenate([getattr(first, name)[:, :n_finished], getattr(rest, name)], axis=1) for name in _BY_LAMBDA
    }
    return replace(
        rest,
        lambdas=np.concatenate([first.lambdas[:n_finished], rest.lambdas]),
        indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        indices=np.concatenate([part.indices for part in each]),
        values=np.concatenate([part.values for part in each]),
        n_sweeps=first.n_sweeps + rest.n_sweeps,
        **parts,
    )
