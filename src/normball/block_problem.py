"""`BlockProblem`: a question about rows that come in blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.block_scores import dispersion_of_path
from normball.blocks.data import BlockData
from normball.blocks.opening import block_data
from normball.families import AUTO, find_family
from normball.question import Question, checked
from normball.results.path import Path
from normball.settings import Settings
from normball.solution import Solution, rows_of
from normball.threads import default_threads
from normball.unfinished import Unfinished, signature

_OF_ONE_PATH = ("l1_ratio", "lambdas", "n_lambdas", "lambda_min_ratio")


@dataclass(frozen=True)
class BlockProblem(Question[BlockData]):
    """A question about rows that come in blocks, and about those that each fold leaves."""

    def solve(self) -> Solution:
        """Problem 0 has all rows, problem k + 1 those that fold k leaves; by as many passes as it takes."""
        from normball import _native

        data = self.data
        options = self.native_options(None, {}) | {
            "n_rows": data.n_rows,
            "moments": data.moments.values,
            "n_folds": data.blocks.n_folds,
            "n_repeats": data.blocks.n_repeats,
            "in_time": data.blocks.in_time,
            "n_outputs": data.n_outputs,
            "grouped": self.grouped,
            **({} if self.groups is None else self.groups.for_native()),
        }
        of_path = {name: options.pop(name) for name in _OF_ONE_PATH}
        of_call = {
            "penalty_factors": rows_of(self._factors()),
            "n_threads": self.settings.n_threads or default_threads(),
        }

        def solve(lambdas: Any) -> Solution:
            call = {**options, **of_path, **of_call, "lambdas": lambdas}
            return self.answer_of(
                lambda poll: _native.solve_row_blocks(**call, reduce=data.passes.native(poll), poll=poll)
            )

        if data.resume is None:
            return solve(of_path["lambdas"])
        whose = signature(options | {"rows": data.fingerprint})
        return Unfinished(data.resume).go_on(whose, signature(of_path), of_path["lambdas"], solve)

    def _factors(self) -> NDArray[np.float64]:
        """The penalty factors, infinite for copies of columns where these make no difference, as in memory."""
        factors = self.penalty_factors.copy()
        if self.settings.l1_ratio == 1.0 and self.groups is None:
            copies = self.data.moments.copies(self.settings.fit_intercept)
            bounded = np.isfinite(self.lower_bounds) | np.isfinite(self.upper_bounds)
            factors[copies.superfluous(factors, bounded, self.settings.standardize)] = np.inf
        return factors

    def path(self, solution: Solution, n_lambdas: int, index: int = 0) -> Path:
        """The path of one problem; passes tell the intercept without features where no formula does."""
        path = super().path(solution, n_lambdas, index)
        null = solution.null_intercepts[index]
        if path.null_intercept is not None or not np.isfinite(null).all():
            return path
        return replace(path, null_intercept=null if path.output_names else float(null))

    def dispersion(self, path: Path, index: int) -> float:
        """Pearson's statistic over its degrees of freedom at one strength, by a pass of its own."""
        return dispersion_of_path(self.data, path, index)


def block_problem(
    X: Any, y: Any, settings: Settings, for_data: Mapping[str, Any], by_row: Mapping[str, Any] | None
) -> BlockProblem:
    """Check settings and what is known of the data before they are read."""
    if settings.family != AUTO:
        find_family(settings.family).check_rows(
            "a fit of rows in blocks", "read the table, or a sample of its rows, into memory"
        )
    data = block_data(X, y, settings, for_data, by_row)
    fields = checked(data, settings, for_data) | {"has_offset": data.blocks.has_offset}
    groups = fields["groups"]
    return BlockProblem(replace(data, has_gram=groups is not None and groups.orthonormalize), **fields)
