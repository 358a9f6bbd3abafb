"""celer: working sets and dual extrapolation."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.solvers.base import Solver
from benchmarks.store import Page, Solution


class Celer(Solver):
    """`celer_path` where the columns are centred, else `Lasso` with warm starts.

    Its logistic regression has no intercept, and its LassoCV does not start with scikit-learn 1.9.
    """

    name = "celer"
    versions = ("celer", "numpy")
    ladder = (1e-4, 1e-6, 1e-8)
    has_threads = False

    @classmethod
    def supports(cls, page: Page) -> bool:
        return page.family == "gaussian" and page.l1_ratio == 1 and not page.offset

    def path(self, rung: float) -> Any:
        from celer import Lasso, celer_path

        data = self.data
        if not self.page.sparse:  # the columns are centred already
            mean = data.y.mean()
            centred = data.y - mean
            _, coefs, _ = celer_path(data.X, centred, "lasso", alphas=data.lambdas, tol=rung, max_iter=100)
            return np.full(data.lambdas.size, mean), coefs.T
        model = Lasso(tol=rung, warm_start=True, max_iter=100)
        intercepts, coefs = [], []
        for lam in data.lambdas:
            model.set_params(alpha=lam).fit(data.X, data.y)
            intercepts.append(float(model.intercept_))
            coefs.append(np.ravel(model.coef_).copy())
        return np.array(intercepts), np.array(coefs)

    def solution(self, result: Any) -> Solution:
        return Solution(result[0], result[1])
