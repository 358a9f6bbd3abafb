"""skglm: coordinate descent on working sets, compiled at the first call (which is not timed)."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.solvers.base import Solver
from benchmarks.store import Page, Solution


class Skglm(Solver):
    """`AndersonCD.path` for squared error, `ProxNewton` from strength to strength for the others; no cross-validation.

    Huber's loss, which is straight in places, is left to `AndersonCD`; Tweedie and negative binomial are not there.
    Its tolerance is on the violation of the optimality conditions: a rung is relative to the smallest strength.
    """

    name = "skglm"
    versions = ("skglm", "numba", "numpy")
    ladder = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    has_threads = False

    @classmethod
    def supports(cls, page: Page) -> bool:
        known = page.family_name not in ("tweedie", "negative_binomial")
        return known and page.l1_ratio > 0 and not page.offset

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        from skglm.datafits import Gamma, Huber, Logistic, Poisson, Quadratic
        from skglm.penalties import L1, L1_plus_L2
        from skglm.utils.jit_compilation import compiled_clone

        datafits = {"gaussian": Quadratic, "binomial": Logistic, "poisson": Poisson, "gamma": Gamma}
        name = self.page.family_name
        ratio = self.page.l1_ratio
        self._datafit = compiled_clone(Huber(self.page.parameter) if name == "huber" else datafits[name]())
        self._penalty = compiled_clone(L1(1.0) if ratio == 1 else L1_plus_L2(1.0, ratio))
        # its logistic loss takes labels -1 and 1
        self._y = 2 * self.data.y - 1 if self.page.family == "binomial" else self.data.y

    def path(self, rung: float) -> Any:
        from skglm.solvers import AndersonCD, ProxNewton

        lambdas, X = self.data.lambdas, self.data.X
        tol = rung * lambdas[-1]
        if self.page.family == "gaussian":
            solver = AndersonCD(tol=tol, max_iter=200, fit_intercept=True)
            return solver.path(X, self._y, self._datafit, self._penalty, lambdas)[1].T
        kind = AndersonCD if self.page.family_name == "huber" else ProxNewton
        solver = kind(tol=tol, max_iter=200, fit_intercept=True)
        theta, eta = np.zeros(X.shape[1] + 1), np.zeros(X.shape[0])
        path = []
        for lam in lambdas:
            self._penalty.alpha = lam
            theta = solver.solve(X, self._y, self._datafit, self._penalty, theta, eta)[0]
            path.append(theta.copy())
        return np.array(path)

    def solution(self, result: Any) -> Solution:
        return Solution(result[:, -1], result[:, :-1])
