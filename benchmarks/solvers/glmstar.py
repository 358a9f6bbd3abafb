"""glmstar: R's glmnet for Python by its authors, in the C++ of the newest versions."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.solvers.base import Solver
from benchmarks.store import Page, Solution


class Glmstar(Solver):
    """`CoxNet` with Breslow's ties; its other models are those of glmnet, which is asked for them.

    All its early endings are switched off. Only paths are asked of it.
    """

    name = "glmstar"
    versions = ("glmstar", "coxdev", "numpy")
    ladder = (1e-7, 1e-8, 1e-9, 1e-11, 1e-13, 1e-15)
    has_threads = False

    @classmethod
    def supports(cls, page: Page) -> bool:
        return page.family == "cox(breslow)" and not (page.offset or page.groups)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        import pandas as pd

        self._target = pd.DataFrame({"time": self.data.y[:, 0], "event": self.data.y[:, 1].astype(int)})

    def path(self, rung: float) -> Any:
        from glmnet import CoxNet
        from glmnet.cox import CoxFamily
        from glmnet.paths.fastnet import FastNetControl

        family = CoxFamily(event_id="time", status_id="event", tie_breaking="breslow")
        control = FastNetControl(fdev=0.0, devmax=1.0, thresh=rung, maxit=10**7)
        model = CoxNet(
            family=family, alpha=self.page.l1_ratio, lambda_values=self.data.lambdas, standardize=False, control=control
        )
        return model.fit(self.data.X, self._target)

    def solution(self, result: Any) -> Solution:
        return Solution(np.zeros(len(result.coefs_)), result.coefs_)
