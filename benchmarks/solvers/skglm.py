"""skglm: coordinate descent on working sets, compiled at the first call (which is not timed)."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.solvers.base import Solver
from benchmarks.store import Page, Solution


class Skglm(Solver):
    """`AndersonCD.path` for squared error, `ProxNewton` from strength to strength for the others; no cross-validation.

    Huber's loss, which is straight in places, is left to `AndersonCD`; Tweedie and negative binomial are not there.
    Groups of features go to `GroupBCD` and `GroupProxNewton`, several targets to `MultiTaskBCD`. Its tolerance is on
    the violation of the optimality conditions: a rung is relative to the smallest strength.
    """

    name = "skglm"
    versions = ("skglm", "numba", "numpy")
    ladder = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    has_threads = False

    @classmethod
    def supports(cls, page: Page) -> bool:
        if page.groups:
            known = page.n_outputs == 1 and page.family in ("gaussian", "binomial") and page.l1_ratio == 1
        elif page.n_outputs > 1:
            known = page.family == "multigaussian" and page.grouped and page.l1_ratio == 1
        else:
            known = page.family_name not in ("tweedie", "negative_binomial", "cox")
        return known and page.l1_ratio > 0 and not page.offset

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        from skglm.utils.jit_compilation import compiled_clone

        datafit, penalty = self._parts()
        self._datafit, self._penalty = compiled_clone(datafit), compiled_clone(penalty)
        # its logistic loss takes labels -1 and 1
        self._y = 2 * self.data.y - 1 if self.page.family == "binomial" else self.data.y

    def _parts(self) -> tuple[Any, Any]:
        """Loss and penalty."""
        from skglm.datafits import Gamma, Huber, Logistic, Poisson, Quadratic, QuadraticMultiTask
        from skglm.datafits.group import LogisticGroup, QuadraticGroup
        from skglm.penalties import L1, L2_1, L1_plus_L2, WeightedGroupL2

        if self.data.groups is not None:
            sizes = self.data.group_sizes
            members = np.argsort(self.data.groups, kind="stable").astype(np.int32)
            ends = np.cumsum([0, *sizes], dtype=np.int32)
            of_group = QuadraticGroup if self.page.family == "gaussian" else LogisticGroup
            return of_group(ends, members), WeightedGroupL2(1.0, np.sqrt(sizes), ends, members)
        if self.page.n_outputs > 1:
            return QuadraticMultiTask(), L2_1(1.0)
        datafits = {"gaussian": Quadratic, "binomial": Logistic, "poisson": Poisson, "gamma": Gamma}
        name = self.page.family_name
        ratio = self.page.l1_ratio
        datafit = Huber(self.page.parameter) if name == "huber" else datafits[name]()
        return datafit, L1(1.0) if ratio == 1 else L1_plus_L2(1.0, ratio)

    def path(self, rung: float) -> Any:
        from skglm.solvers import AndersonCD, GroupBCD, GroupProxNewton, MultiTaskBCD, ProxNewton

        lambdas, X = self.data.lambdas, self.data.X
        options = {"tol": rung * lambdas[-1], "max_iter": 200 if self.page.is_plain else 10_000, "fit_intercept": True}
        family, groups = self.page.family_name, self.data.groups is not None
        if family == "multigaussian":
            return self._targets(MultiTaskBCD(**{**options, "fit_intercept": False}))
        if family == "gaussian" and not groups:
            return AndersonCD(**options).path(X, self._y, self._datafit, self._penalty, lambdas)[1].T
        if groups:
            kind = GroupBCD if family == "gaussian" else GroupProxNewton
        else:
            kind = AndersonCD if family == "huber" else ProxNewton
        solver = kind(**options)
        theta, eta = np.zeros(X.shape[1] + 1), np.zeros(X.shape[0])
        path = []
        for lam in lambdas:
            self._penalty.alpha = lam
            theta = solver.solve(X, self._y, self._datafit, self._penalty, theta, eta)[0]
            path.append(theta.copy())
        return np.array(path)

    def _targets(self, solver: Any) -> Any:
        """Several targets, centred here as the columns are: asked for intercepts it ends far from the optimum."""
        means = self.data.y.mean(0)
        coefs = solver.path(self.data.X, self._y - means, self._datafit, self._penalty, self.data.lambdas)[1]
        with_means = np.insert(np.moveaxis(coefs, -1, 0), self.page.p, means, axis=2)
        return with_means.reshape(-1, self.page.p + 1)

    def solution(self, result: Any) -> Solution:
        intercepts, n_outputs = result[:, -1], self.page.n_outputs
        return Solution(intercepts if n_outputs == 1 else intercepts.reshape(-1, n_outputs), result[:, :-1])
