"""adelie: coordinate descent on a screened set, in C++."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.solvers.adelie_losses import make_glm
from benchmarks.solvers.base import CVOutcome, Solver
from benchmarks.store import Page, Solution

# adelie pins its threads otherwise, and all threads and children made after its import with them
_UNPINNED = {"OMP_PROC_BIND": "false"}


class Adelie(Solver):
    """`grpnet` and `cv_grpnet` over its own matrix objects.

    `cv_grpnet` fits each fold over the grid and no path on all rows; its result's `fit` then follows the path on all
    rows down to the strength chosen. Both are timed. Of the further families it has none, but takes definitions of them
    (`adelie_losses.py`); Huber's loss, which is straight in places, is not among these: it steps by the curvature.
    """

    name = "adelie"
    versions = ("adelie", "numpy")
    ladder = (1e-5, 1e-7, 1e-9, 1e-10, 1e-11, 1e-13, 1e-15)
    has_cv = True
    environment = _UNPINNED

    @classmethod
    def supports(cls, page: Page) -> bool:
        return page.family_name != "huber"

    @classmethod
    def supports_cv(cls, page: Page) -> bool:
        return page.l1_ratio > 0 and not page.offset  # it makes its grid itself, which for ridge is not ours

    def _parts(self) -> tuple[Any, Any]:
        import adelie as ad

        matrix = ad.matrix.sparse if self.page.sparse else ad.matrix.dense
        X = matrix(self.data.X, method="naive", n_threads=self.n_threads)
        name = self.page.family_name
        own = getattr(ad.glm, name, None)
        return X, own(y=self.data.y) if own else make_glm(name, self.page.parameter, self.data.y)

    def _options(self, rung: float) -> dict[str, Any]:
        options = {
            "alpha": self.page.l1_ratio,
            "tol": rung,
            "n_threads": self.n_threads,
            "early_exit": False,
            "progress_bar": False,
        }
        return options if self.page.family == "gaussian" else {**options, "irls_tol": min(rung, 1e-7)}

    def path(self, rung: float) -> Any:
        import adelie as ad

        X, glm = self._parts()
        offsets = {} if self.data.offset is None else {"offsets": self.data.offset}
        return ad.grpnet(X=X, glm=glm, lmda_path=self.data.lambdas, **offsets, **self._options(rung))

    def solution(self, result: Any) -> Solution:
        return Solution(np.asarray(result.intercepts), result.betas)

    def cv(self, rung: float) -> Any:
        import adelie as ad

        X, glm = self._parts()
        grid = self.data.lambdas
        options = self._options(rung)
        n_threads, early_exit = options.pop("n_threads"), options.pop("early_exit")
        result = ad.cv_grpnet(
            X,
            glm,
            n_threads=n_threads,
            early_exit=early_exit,
            min_ratio=grid[-1] / grid[0],
            lmda_path_size=grid.size,
            n_folds=int(self.data.folds.max()) + 1,
            seed=0,
            **options,
        )
        result.fit(X, glm, n_threads=n_threads, **options)
        return result

    def outcome(self, result: Any) -> CVOutcome:
        return CVOutcome(int(result.best_idx), {})


class AdelieCovariance(Solver):
    """`gaussian_cov`, for tall data: the Gram matrix by NumPy, then the path without the data. The Gram is timed."""

    name = "adelie-cov"
    versions = ("adelie", "numpy")
    ladder = (1e-7, 1e-9, 1e-11, 1e-13)
    environment = _UNPINNED

    @classmethod
    def supports(cls, page: Page) -> bool:
        return page.family == "gaussian" and page.n > page.p and not page.sparse and not page.offset

    def path(self, rung: float) -> Any:
        import adelie as ad

        X, y, n = self.data.X, self.data.y, self.page.n
        gram = np.asfortranarray(X.T @ X) / n  # the columns are centred
        pull = X.T @ (y - y.mean()) / n
        return ad.gaussian_cov(
            A=gram,
            v=pull,
            lmda_path=self.data.lambdas,
            alpha=self.page.l1_ratio,
            tol=rung,
            rdev_tol=0,
            n_threads=self.n_threads,
            early_exit=False,
            progress_bar=False,
        )

    def solution(self, result: Any) -> Solution:
        return Solution(np.full(result.betas.shape[0], self.data.y.mean()), result.betas)
