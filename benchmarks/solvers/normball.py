"""normball, called as its users call it."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.solvers.base import CVOutcome, Solver
from benchmarks.store import Page, Solution


class Normball(Solver):
    """`fit_path` and `cv_path`; the ladder has its default tolerance alone.

    Groups are penalised in the columns that everyone gets, not in an orthonormal basis. Classes are given as labels.
    """

    name = "normball"
    versions = ("normball", "numpy", "scipy")
    ladder = (1e-6,)
    in_peers = False
    has_cv = True
    standardises = True

    @classmethod
    def supports(cls, page: Page) -> bool:
        return True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        is_label = self.page.family == "multinomial"
        self._y = self.data.y.argmax(1) if is_label else self.data.y

    def _options(self, rung: float) -> dict[str, Any]:
        groups = {"groups": self.data.groups, "orthonormalize": False} if self.page.groups else {}
        outputs = {"grouped": self.page.grouped} if self.page.n_outputs > 1 else {}
        return {
            **groups,
            **outputs,
            "family": self.page.family,
            "l1_ratio": self.page.l1_ratio,
            "lambdas": self.data.lambdas,
            "offset": self.data.offset,
            "standardize": bool(self.page.raw),
            "tol": rung,
            "n_threads": self.n_threads,
            "progress": False,
        }

    def path(self, rung: float) -> Any:
        import normball as nb

        return nb.fit_path(self.data.X, self._y, **self._options(rung))

    def solution(self, result: Any) -> Solution:
        return Solution(result.intercepts, result.coefs.reshape(-1, self.page.p))

    def facts(self, result: Any) -> dict[str, Any]:
        return {
            "n_sweeps": result.n_sweeps,
            "own_gap": float(result.dual_gaps.max()),
            "n_unsolved": int(np.sum(result.statuses != "converged")),
        }

    def cv(self, rung: float) -> Any:
        import normball as nb

        return nb.cv_path(self.data.X, self._y, fold_ids=self.data.folds, **self._options(rung))

    def outcome(self, result: Any) -> CVOutcome:
        best = int(np.argmin(np.abs(self.data.lambdas - result.lambda_best)))
        gaps = [float(np.max(result.fold_dual_gaps)), float(result.path.dual_gaps.max())]
        return CVOutcome(best, {"n_sweeps": result.path.n_sweeps, "own_gap": max(gaps)})
