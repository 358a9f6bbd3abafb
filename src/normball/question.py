"""`Question`: checked data and settings, wherever the rows are; what remains is to solve."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.log import logger
from normball.messages import Interrupted
from normball.progress import Poll
from normball.results.path import STATUSES, Path
from normball.results.remarks import nothing_left
from normball.settings import Settings, default_min_ratio, grouped_of, name_list
from normball.solution import Solution, rows_of
from normball.threads import single_threaded_blas

if TYPE_CHECKING:
    from normball.blocks.data import BlockData
    from normball.inputs.feature_groups import FeatureGroups
    from normball.inputs.prepare import Data
    from normball.results.sparse_rows import SparseRows
    from normball.survival.baseline import Baselines

Array = NDArray[np.float64]


D = TypeVar("D", "Data", "BlockData")


@dataclass(frozen=True)
class Question(ABC, Generic[D]):
    """Checked data and settings: what remains is to solve."""

    data: D
    settings: Settings
    penalty_factors: Array
    lower_bounds: Array
    upper_bounds: Array
    has_offset: bool
    grouped: bool
    groups: FeatureGroups | None = None

    def hazards(self, intercepts: Array, coefs: SparseRows) -> Baselines | None:
        """The baseline hazards of models of survival, a row of coefficients each; None of other models."""
        return None

    @abstractmethod
    def dispersion(self, path: Path, index: int) -> float:
        """Pearson's statistic over its degrees of freedom at one strength."""

    def native_options(self, lambdas: Array | None, own: Mapping[str, Array]) -> dict[str, Any]:
        """What the native code is told beside the rows; `own` holds what differs between problems, a row for each."""
        settings, family = self.settings, find_family(self.settings.family)
        ratio = settings.lambda_min_ratio
        if ratio is None:
            ratio = default_min_ratio(self.data.n_rows, self.data.n_features)
        by_problem = {name: own.get(name, getattr(self, name)) for name in _BY_FEATURE}
        return {
            "family": family.name,
            "parameter": family.parameter,
            "l1_ratio": settings.l1_ratio,
            "lambdas": settings.lambdas if lambdas is None else lambdas,
            "n_lambdas": settings.n_lambdas,
            "lambda_min_ratio": ratio,
            **{name: rows_of(values) for name, values in by_problem.items()},
            "fit_intercept": settings.fit_intercept,
            "standardize": settings.standardize,
            "tol": settings.tol,
            "max_iter": settings.max_iter,
        }

    def answer_of(self, call: Callable[[Poll], dict[str, Any]]) -> Solution:
        """The solution that a native call gives, with progress as it was asked for."""
        start = time.perf_counter()
        with single_threaded_blas, Poll(self.settings.progress) as poll:
            answer = call(poll)
        answer["interrupted"] |= poll.stopped  # even where nothing was left to stop
        solution = Solution(**answer, n_features=self.data.n_features)
        logger.info(
            "%s, l1_ratio %g: %d rows x %d features, %s, in %.3g s",
            self.settings.family,
            self.settings.l1_ratio,
            self.data.n_rows,
            self.data.n_features,
            solution.outcome,
            time.perf_counter() - start,
        )
        return solution

    def finished_path(self, solution: Solution) -> Path:
        """The path of problem 0, or Interrupted with as much of it as all problems finished."""
        n_finished = solution.n_finished
        path = self._with_dispersion(self.path(solution, n_finished)) if n_finished else None
        if solution.interrupted:
            raise Interrupted(f"Interrupted after {n_finished} of {solution.lambdas.size} lambdas", path)
        assert path is not None
        return path

    def _with_dispersion(self, path: Path) -> Path:
        """The path with the dispersion at its weakest penalty, where its family has one."""
        family = find_family(path.family)
        if not family.reports_dispersion:
            return path
        found = self.dispersion(path, path.lambdas.size - 1)
        return path if math.isnan(found) else replace(path, dispersion=found)

    def path(self, solution: Solution, n_lambdas: int, index: int = 0) -> Path:
        """One problem of a solution, whose data these are, at its first `n_lambdas` strengths."""
        data, settings = self.data, self.settings
        keep = slice(0, n_lambdas)
        intercepts = solution.intercepts[index, keep]
        coef_rows = solution.coef_rows(index).take(keep, data.n_outputs)
        found: Path = Path(
            family=settings.family,
            l1_ratio=settings.l1_ratio,
            fit_intercept=settings.fit_intercept,
            standardize=settings.standardize,
            tol=settings.tol,
            n_rows=data.n_rows,
            n_features=data.n_features,
            sum_weights=data.sum_weights,
            feature_names=tuple(data.feature_names),
            classes=data.classes,
            has_offset=self.has_offset,
            preparation=data.preparation,
            penalty_factors=self.penalty_factors,
            lower_bounds=self.lower_bounds,
            upper_bounds=self.upper_bounds,
            groups=self.groups,
            scales=solution.scales[index],
            lambdas=solution.lambdas[keep],
            lambda_max=float(solution.lambda_max[index]),
            intercepts=intercepts,
            coef_rows=coef_rows,
            loss=solution.loss[index, keep],
            null_loss=float(solution.null_loss[index]),
            dual_gaps=solution.dual_gaps[index, keep],
            kkt_violations=solution.kkt_violations[index, keep],
            statuses=STATUSES[solution.statuses[index, keep]],
            n_iters=solution.n_iters[index, keep],
            n_sweeps=float(solution.n_sweeps),
            fingerprint=data.fingerprint,
            findings=tuple(data.findings),
            n_outputs=data.n_outputs,
            output_names=data.output_names,
            grouped=self.grouped,
            baselines=self.hazards(intercepts, coef_rows),
            null_intercept=data.null_intercept(settings.fit_intercept),
        )
        return replace(found, findings=(*found.findings, *nothing_left(found, int(solution.null_fits[index]))))


_BY_FEATURE = ("penalty_factors", "lower_bounds", "upper_bounds")


def checked(data: Data | BlockData, settings: Settings, options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `Question` beside its data, from options that were given."""
    from normball.inputs.feature_groups import feature_groups
    from normball.inputs.per_feature import per_feature

    for finding in data.findings:
        logger.info("%s: %s", finding.code, finding.text)
    family = find_family(data.family)
    has_intercept = settings.fit_intercept and not family.has_risk_sets
    settings = replace(settings, family=data.family, fit_intercept=has_intercept)
    dropped = name_list("drop", options.get("drop"))

    def feature_values(name: str, default: float) -> Array:
        return per_feature(getattr(settings, name), name, data.preparation, default, dropped)

    factors = feature_values("penalty_factors", 1.0)
    lower, upper = feature_values("lower_bounds", -np.inf), feature_values("upper_bounds", np.inf)
    grouped = grouped_of(settings)
    groups = feature_groups(settings, data.preparation, factors, dropped)
    if groups is not None and (np.isfinite(lower).any() or np.isfinite(upper).any()):
        name = "lower_bounds" if np.isfinite(lower).any() else "upper_bounds"
        raise ValueError(f"{name} and groups are given, but bounds and group penalties do not go together")
    return {
        "settings": settings,
        "penalty_factors": factors,
        "lower_bounds": lower,
        "upper_bounds": upper,
        "has_offset": options.get("offset") is not None,
        "grouped": grouped,
        "groups": groups,
    }
