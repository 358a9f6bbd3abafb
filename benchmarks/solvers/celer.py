"""celer: working sets and dual extrapolation."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.solvers.base import Solver
from benchmarks.store import Page, Solution


class Celer(Solver):
    """`celer_path` where the columns are centred, else `Lasso` with warm starts; `mtl_path` for several targets.

    Its logistic regression has no intercept, and its LassoCV does not start with scikit-learn 1.9.
    """

    name = "celer"
    versions = ("celer", "numpy")
    ladder = (1e-4, 1e-6, 1e-8)
    has_threads = False

    @classmethod
    def supports(cls, page: Page) -> bool:
        dense_only = page.sparse and not page.is_plain
        known = page.family == "gaussian" or (page.family == "multigaussian" and page.grouped)
        return known and page.l1_ratio == 1 and not page.offset and not dense_only

    def path(self, rung: float) -> Any:
        from celer import Lasso, celer_path

        data = self.data
        if not self.page.is_plain:
            return self._blocks(rung)
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

    def _blocks(self, rung: float) -> Any:
        """Groups of features or several targets, of centred columns."""
        from celer import celer_path
        from celer.homotopy import mtl_path

        data, p = self.data, self.page.p
        means = data.y.mean(0)
        intercepts = np.repeat(means[None], data.lambdas.size, axis=0)
        if data.groups is None:
            coefs = mtl_path(data.X, data.y - means, alphas=data.lambdas, tol=rung)[1]
            return intercepts, np.moveaxis(coefs, 2, 0).reshape(-1, p)
        sizes = data.group_sizes
        _, coefs, _ = celer_path(
            data.X, data.y - means, "grouplasso", alphas=data.lambdas, tol=rung, max_iter=100,
            groups=sizes.tolist(), weights=np.sqrt(sizes),
        )  # fmt: skip
        return intercepts, coefs.T

    def solution(self, result: Any) -> Solution:
        return Solution(result[0], result[1])
