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
    (`adelie_losses.py`); Huber's loss, which is straight in places, is not among these: it steps by the curvature. Its
    `cv_grpnet` makes training sets by weights and scores held-out rows among themselves, so it is not asked for Cox.

    Of several outputs it takes a feature for all or for none. Its loss is then divided by their number and its penalty
    multiplied by the root of it, so that its strengths are ours over `_unit`. `cv_grpnet` begins its grid at the
    largest strength of its default penalty, which knows no groups of features: their weights are scaled so that this is
    ours.
    """

    name = "adelie"
    versions = ("adelie", "numpy")
    ladder = (1e-5, 1e-7, 1e-9, 1e-10, 1e-11, 1e-13, 1e-15)
    has_cv = True
    environment = _UNPINNED

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        n_outputs, data = self.page.n_outputs, self.data
        self._unit = n_outputs**1.5
        self._groups: dict[str, Any] = {}
        if data.groups is not None:
            single = np.abs(data.X.T @ (data.y - data.y.mean())).max() / data.y.size / self.page.l1_ratio
            self._unit = data.lambdas[0] / single
            sizes = data.group_sizes
            self._groups = {"groups": np.cumsum([0, *sizes[:-1]]), "penalty": self._unit * np.sqrt(sizes)}

    @classmethod
    def supports(cls, page: Page) -> bool:
        is_group = not page.groups or (page.n_outputs == 1 and page.family in ("gaussian", "binomial"))
        return page.family_name != "huber" and is_group and (page.n_outputs == 1 or page.grouped)

    @classmethod
    def supports_cv(cls, page: Page) -> bool:
        return (
            page.l1_ratio > 0 and not page.offset and page.family_name != "cox"
        )  # it makes its grid itself, which for ridge is not ours

    def _parts(self) -> tuple[Any, Any]:
        import adelie as ad

        matrix = ad.matrix.sparse if self.page.sparse else ad.matrix.dense
        X = matrix(self.data.X, method="naive", n_threads=self.n_threads)
        name = self.page.family_name
        if name == "cox":
            time, event = self.data.y.T
            return X, ad.glm.cox(start=np.full(time.size, -1.0), stop=time, status=event, tie_method="breslow")
        own = getattr(ad.glm, name, None)
        return X, own(y=self.data.y) if own else make_glm(name, self.page.parameter, self.data.y)

    def _options(self, rung: float) -> dict[str, Any]:
        options = {
            "alpha": self.page.l1_ratio,
            "tol": rung,
            "n_threads": self.n_threads,
            "early_exit": False,
            "progress_bar": False,
            **({} if self.page.is_plain else {"max_iters": 10**9}),
            **self._groups,
        }
        linear = self.page.family in ("gaussian", "multigaussian")
        return options if linear else {**options, "irls_tol": min(rung, 1e-7)}

    def path(self, rung: float) -> Any:
        import adelie as ad

        X, glm = self._parts()
        offsets = {} if self.data.offset is None else {"offsets": self.data.offset}
        return ad.grpnet(X=X, glm=glm, lmda_path=self.data.lambdas / self._unit, **offsets, **self._options(rung))

    def solution(self, result: Any) -> Solution:
        betas, n_outputs = result.betas, self.page.n_outputs
        if n_outputs > 1:  # the outputs of a feature lie side by side
            betas = betas.toarray().reshape(-1, self.page.p, n_outputs).swapaxes(1, 2).reshape(-1, self.page.p)
        return Solution(np.asarray(result.intercepts), betas)

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
        tall = page.n > page.p and not page.sparse
        return page.family == "gaussian" and page.is_plain and tall and not page.offset

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
