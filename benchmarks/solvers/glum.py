"""glum: IRLS with coordinate descent on the full Hessian, for tall data."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from benchmarks.solvers.base import CVOutcome, Solver
from benchmarks.store import Page, Solution

_MOST_FEATURES = 2000  # its Hessian is dense, p by p


class Glum(Solver):
    """`GeneralizedLinearRegressor` over the grid and `GeneralizedLinearRegressorCV`."""

    name = "glum"
    versions = ("glum", "tabmat", "numpy")
    ladder = (1e-2, 1e-4, 1e-6, 1e-8)
    has_cv = True

    @classmethod
    def supports(cls, page: Page) -> bool:
        return page.is_plain and page.p <= _MOST_FEATURES and page.family_name not in ("huber", "cox")

    def _family(self) -> Any:
        """Its distribution; that of counts has variance mu + theta mu^2, so that its theta is one over ours."""
        import glum

        name, parameter = self.page.family_name, self.page.parameter
        if name == "negative_binomial":
            return glum.NegativeBinomialDistribution(1 / parameter)
        if name == "tweedie":
            return glum.TweedieDistribution(parameter)
        return {"gaussian": "normal"}.get(name, name)

    def _options(self, rung: float) -> dict[str, Any]:
        warnings.simplefilter("ignore")  # "did not converge": the judge says how far it got
        return {
            "family": self._family(),
            "link": {"gaussian": "identity", "binomial": "logit"}.get(self.page.family, "log"),
            "l1_ratio": self.page.l1_ratio,
            "gradient_tol": rung,
            "max_iter": 1000,
            "alphas": self.data.lambdas,
        }

    def path(self, rung: float) -> Any:
        from glum import GeneralizedLinearRegressor

        model = GeneralizedLinearRegressor(alpha_search=True, **self._options(rung))
        return model.fit(self.data.X, self.data.y, offset=self.data.offset)

    def solution(self, result: Any) -> Solution:
        return Solution(np.ravel(result.intercept_path_), result.coef_path_)

    def cv(self, rung: float) -> Any:
        from glum import GeneralizedLinearRegressorCV

        model = GeneralizedLinearRegressorCV(cv=self.data.splits, n_jobs=self.n_threads, **self._options(rung))
        return model.fit(self.data.X, self.data.y, offset=self.data.offset)

    def outcome(self, result: Any) -> CVOutcome:
        return CVOutcome(int(np.argmin(np.abs(np.log(self.data.lambdas / result.alpha_)))), {})
