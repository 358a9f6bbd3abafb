"""scikit-learn: coordinate descent, on the Gram matrix where n > p; least-angle regression for small data; SAGA.

It has no Poisson lasso, and a path of ridge or logistic models is one fit after the other. RidgeCV and
LogisticRegressionCV do the same for every fold and are not asked.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from benchmarks.solvers.base import CVOutcome, Solver
from benchmarks.store import Page, Solution


class ScikitLearn(Solver):
    """`enet_path` and `ElasticNetCV`; `Ridge` for each strength; `LogisticRegression` with SAGA, warm-started.

    For several targets `enet_path`, and `MultiTaskLassoCV` or its elastic net.
    """

    name = "scikit-learn"
    versions = ("scikit-learn", "numpy", "scipy")
    ladder = (1e-4, 1e-6, 1e-8, 1e-10)
    in_peers = False
    has_cv = True

    @classmethod
    def supports(cls, page: Page) -> bool:
        small = page.n <= 10_000 and page.p <= 100  # elsewhere SAGA takes minutes where others take a second
        family = page.family == "gaussian" or (page.family == "binomial" and small)
        targets = page.family == "multigaussian" and page.grouped and page.l1_ratio > 0 and not page.sparse
        return not (page.offset or page.groups) and (family or targets or _is_classes(page))

    @classmethod
    def supports_cv(cls, page: Page) -> bool:
        return cls.supports(page) and page.family in ("gaussian", "multigaussian") and page.l1_ratio > 0

    def path(self, rung: float) -> Any:
        warnings.simplefilter("ignore")  # "did not converge": the judge says how far it got
        linear = self.page.family in ("gaussian", "multigaussian")
        return self._gaussian(rung) if linear else self._logistic(rung)

    def _gaussian(self, rung: float) -> Any:
        """`enet_path` fits no intercept: columns are centred already where they are dense, and y is centred here."""
        from sklearn.linear_model import ElasticNet, Ridge, enet_path

        data, page = self.data, self.page
        if page.l1_ratio == 0:
            return _one_by_one(Ridge(tol=rung), "alpha", data.lambdas * page.n, data)
        if page.sparse:  # needs the implicit centring that only the estimator does
            model = ElasticNet(l1_ratio=page.l1_ratio, tol=rung, max_iter=100_000, warm_start=True)
            return _one_by_one(model, "alpha", data.lambdas, data)
        mean = data.y.mean(0)
        several = page.n_outputs > 1  # which has no Gram matrix
        _, coefs, _ = enet_path(
            data.X,
            data.y - mean,
            l1_ratio=page.l1_ratio,
            alphas=data.lambdas,
            precompute=page.n > page.p and not several,
            tol=rung,
            max_iter=100_000,
        )
        intercepts = np.repeat(mean[None], data.lambdas.size, axis=0)
        return intercepts, np.moveaxis(coefs, -1, 0).reshape(-1, page.p)

    def _logistic(self, rung: float) -> Any:
        from sklearn.linear_model import LogisticRegression

        data = self.data
        model = LogisticRegression(
            l1_ratio=self.page.l1_ratio, solver="saga", tol=rung, max_iter=10_000, warm_start=True, random_state=0
        )
        return _one_by_one(model, "C", 1 / (data.lambdas * self.page.n), data)

    def solution(self, result: Any) -> Solution:
        return Solution(result[0], result[1])

    def cv(self, rung: float) -> Any:
        from sklearn.linear_model import ElasticNetCV, MultiTaskElasticNetCV

        data = self.data
        kind = ElasticNetCV if self.page.n_outputs == 1 else MultiTaskElasticNetCV
        model = kind(
            l1_ratio=self.page.l1_ratio,
            alphas=data.lambdas,
            cv=data.splits,
            tol=rung,
            max_iter=100_000,
            n_jobs=self.n_threads,
        )
        return model.fit(data.X, data.y)

    def outcome(self, result: Any) -> CVOutcome:
        return CVOutcome(int(np.argmin(np.abs(np.log(self.data.lambdas / result.alpha_)))), {})


class ScikitLearnLars(Solver):
    """`lars_path`: exact, made for small data."""

    name = "scikit-learn-lars"
    versions = ("scikit-learn", "numpy", "scipy")
    ladder = (0.0,)
    in_peers = False

    @classmethod
    def supports(cls, page: Page) -> bool:
        small = min(page.n, page.p) <= 1500 and not page.sparse
        return page.family == "gaussian" and page.is_plain and page.l1_ratio == 1 and not page.offset and small

    def path(self, rung: float) -> Any:
        """The kinks of the path, from the top down to the end of the grid."""
        from sklearn.linear_model import lars_path

        data = self.data
        mean = data.y.mean()
        alphas, _, coefs = lars_path(
            data.X, data.y - mean, method="lasso", alpha_min=data.lambdas[-1], max_iter=1500, copy_X=True
        )
        return mean, alphas, coefs

    def solution(self, result: Any) -> Solution:
        """The path is linear between its kinks."""
        mean, alphas, coefs = result
        lambdas = self.data.lambdas
        right = np.clip(np.searchsorted(-alphas, -lambdas), 1, alphas.size - 1)
        share = np.clip((alphas[right - 1] - lambdas) / (alphas[right - 1] - alphas[right]), 0.0, 1.0)
        grid = coefs[:, right - 1] * (1 - share) + coefs[:, right] * share
        return Solution(np.full(lambdas.size, mean), grid.T)


def _is_classes(page: Page) -> bool:
    return page.family == "multinomial" and not page.grouped


def _one_by_one(model: Any, name: str, strengths: Any, data: Any) -> Any:
    """Intercepts, and coefficients with a row for each output of each strength; classes are given as labels."""
    labels = data.y if data.y.ndim == 1 else data.y.argmax(1)
    intercepts, coefs = [], []
    for strength in strengths:
        model.set_params(**{name: strength}).fit(data.X, labels)
        intercepts.append(np.array(model.intercept_, ndmin=1))
        coefs.append(np.array(model.coef_, ndmin=2))
    return np.squeeze(intercepts), np.concatenate(coefs)
