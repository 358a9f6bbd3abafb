"""Cross-validation of whole paths over rows that come in blocks."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.block_problem import BlockProblem
from normball.block_scores import (
    ADDITIVE,
    BY_RANKS,
    SAMPLED_ROWS,
    HeldOutLinks,
    Margins,
    Models,
    Totals,
    added,
    dispersion_of,
    held_out_totals,
    joined_margins,
    links_in_a_list,
    margins_of,
    pearson_totals,
    ranks_kept,
    run_pass,
    zero_totals,
)
from normball.cv_result import CVPath
from normball.families import find_family
from normball.findings.saturation import FLAT_FROM
from normball.messages import OR, DataError, Finding, Interrupted, count
from normball.out_of_fold import check_defined, is_deviance, squares_left_out
from normball.path import warn_not_converged
from normball.results.cross_validated import Choice, summarise_folds
from normball.results.held_out import HeldOut
from normball.results.ranges import ranges_of
from normball.results.remarks import overdispersed, possible_leak
from normball.results.sparse_rows import SparseRows
from normball.scores import Score, zeros_of
from normball.settings import whole
from normball.solution import Solution

Array = NDArray[np.float64]

BYTES_OF_PREDICTIONS = 2_000_000_000  # of held-out rows, which `keep_predictions` may hold


def with_folds(problem: BlockProblem, options: Mapping[str, Any]) -> BlockProblem:
    """The problem with the folds of `cv_path` by its options."""
    data = problem.data
    cv, seed = options.get("cv", 10), options.get("random_state", 0)
    repeats, units = whole("repeats", options.get("repeats", 1)), data.blocks.units
    if repeats > 1 and (data.blocks.n_folds or (units is not None and units.in_time)):
        raise ValueError("repeats needs folds that are drawn at random: leave it at 1 here")
    if data.blocks.n_folds:
        return problem
    in_blocks = "of rows that come in blocks"
    if not isinstance(cv, int | np.integer) or isinstance(cv, bool):
        text = "are a number, or given by fold_ids, fold_groups or time_order"
        raise ValueError(f"folds {in_blocks} {text}; cv is {type(cv).__name__}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ValueError(f"random_state {in_blocks} must be a whole number, not {type(seed).__name__}")
    n_folds = whole("cv", cv, 2)
    return replace(problem, data=data.with_folds(n_folds, whole("random_state", seed, 0), repeats))


def cross_validate_blocks(problem: BlockProblem, score: Score, keep_predictions: bool) -> CVPath:
    """The path of all rows and of those that each fold leaves, scored on the rows held out."""
    data = problem.data
    if score.name not in (*ADDITIVE, *BY_RANKS):
        raise ValueError(
            f"score {score.name} needs all held-out rows at once, and these come in blocks: use one of "
            f"{', '.join((*ADDITIVE, *BY_RANKS))}"
        )
    in_a_repeat = data.blocks.n_folds // data.blocks.n_repeats
    if problem.data.n_rows < in_a_repeat:
        text = f"{count(data.n_rows)} rows cannot make {in_a_repeat} folds."
        raise DataError(Finding("E05", text, f"cv={data.n_rows} or fewer"))
    if keep_predictions:
        _check_room(problem)
    solution = problem.solve()
    n_finished = solution.n_finished
    if n_finished == 0:
        raise Interrupted("Interrupted before the first lambda was finished")
    if solution.interrupted:
        problem = replace(problem, data=data.quiet())
    assessment = _Assessment(problem, solution, n_finished, score)
    try:
        result = assessment.result(keep_predictions)
    except Interrupted as stop:
        raise Interrupted(f"{stop}: the path of all rows is finished", assessment.path) from None
    if solution.interrupted:
        raise Interrupted(f"Interrupted after {n_finished} of {solution.lambdas.size} lambdas", result)
    warn_not_converged(solution, problem.settings.tol, depth=3)
    return result


def _check_room(problem: BlockProblem) -> None:
    """Raise where held-out predictions of all rows and strengths are more than may be held."""
    data, settings = problem.data, problem.settings
    n_lambdas = settings.n_lambdas if settings.lambdas is None else len(np.atleast_1d(settings.lambdas))
    most = BYTES_OF_PREDICTIONS // (8 * data.n_rows * data.n_outputs)
    if n_lambdas > most:
        text = (
            f"keep_predictions would take {8e-9 * data.n_rows * data.n_outputs * n_lambdas:.3g} GB for "
            f"{count(data.n_rows)} rows at {count(n_lambdas)} lambdas, more than the {BYTES_OF_PREDICTIONS / 1e9:g} GB "
            "that may be held"
        )
        fewer = f"n_lambdas={most} or fewer{OR}" if most else ""
        fix = f"{fewer}normball fit --out-of-fold FILE, which writes those of one lambda block by block"
        raise ValueError(f"{text}: {fix}")


class _Assessment:
    """Scores every fold on its held-out rows."""

    def __init__(self, problem: BlockProblem, solution: Solution, n_finished: int, score: Score) -> None:
        self.problem, self.solution, self.score = problem, solution, score
        self.data = problem.data
        self.family = find_family(problem.settings.family)
        self.keep = slice(0, n_finished)
        self.path = problem.path(solution, n_finished)
        self.n_folds = self.data.blocks.n_folds
        facts = self.data.moments.facts
        self.sizes, self.weights = facts["n_rows"][1:], facts["weight"][1:]

    def models(self, which: slice | NDArray[np.intp]) -> Models:
        """The models of all problems at some strengths."""
        places = np.arange(self.solution.lambdas.size)[which]
        n_outputs = self.data.n_outputs
        rows = (self.solution.coef_rows(k).select(places, n_outputs) for k in range(self.n_folds + 1))
        return Models(str(self.family), self.solution.intercepts[:, places], tuple(rows))

    def result(self, keep_predictions: bool) -> CVPath:
        """Everything that is known of the folds."""
        path, score = self.path, self.score
        links = self._links() if keep_predictions else None
        totals = self._by_sums() or self._by_a_pass()
        remarks = self._ranked(totals) if score.name in BY_RANKS else []
        weight = np.where(self.weights > 0.0, self.weights, np.nan)
        fold_scores = totals[score.name] / weight[:, None]
        fold_scores[fold_scores == (np.inf if score.greater_is_better else -np.inf)] = np.nan
        check_defined(fold_scores, self.weights, score)
        nulls = totals[f"null {score.name}"] / weight
        fold_deviances = fold_scores if is_deviance(score, path.family) else totals["deviance"] / weight[:, None]
        leak = possible_leak(path, summarise_folds(fold_deviances, self.weights)[0] / 2.0)
        n_outputs = self.data.n_outputs
        models = [self.solution.coef_rows(k).take(self.keep, n_outputs) for k in range(1, self.n_folds + 1)]
        kept = [rows.any_output(n_outputs) for rows in models]
        groups = path.preparation.column_of_feature
        deviance = score.name == "deviance"
        result = CVPath(
            path=replace(path, findings=(*path.findings, *remarks, *leak)),
            score=score.name,
            greater_is_better=score.greater_is_better,
            fold_scores=fold_scores,
            fold_weights=self.weights,
            fold_sizes=self.sizes.astype(np.int64),
            fold_dual_gaps=self.solution.dual_gaps[1:, self.keep],
            fold_ids=None if links is None else links.fold.astype(np.int64),
            folds=self.data.blocks.folds,
            train_mean=2.0 * path.loss if deviance else totals["train"] / self.data.sum_weights,
            selection_counts=SparseRows.counting(kept),
            predictions=None if links is None else links.eta,
            diagnostics={},
            counts_by_column=SparseRows.counting(kept, groups) if groups[-1] + 1 < groups.size else None,
            null_fold_scores=np.where(np.isfinite(nulls), nulls, np.nan),
            held_out=self._held_out(totals),
            fold_models=self.models(self.keep),
        )
        if n_outputs == 1:
            marks = sorted({result.index_1se, result.index_best})
            at_marks = [rows.at(marks) for rows in models]
            result = replace(result, fold_ranges=ranges_of(at_marks, path.lambdas[marks], middle=1.0))
        return self._diagnosed(result)

    def _links(self) -> HeldOutLinks:
        """The held-out linear predictors of all rows, by a pass."""
        parts = run_pass(self.data, partial(links_in_a_list, self.models(self.keep)), operator.add)
        eta = np.empty((self.data.n_rows, *parts[0].eta.shape[1:]))
        fold = np.concatenate([one.fold for one in parts], axis=-1)
        end = eta.shape[0]
        while parts:  # each part goes when it is copied: they are most of the memory
            part = parts.pop().eta
            eta[end - len(part) : end] = part
            end -= len(part)
        return HeldOutLinks(fold, eta)

    def _by_sums(self) -> Totals | None:
        """Squared errors need no pass where the engine knows them by its sums."""
        if not self.family.quadratic or self.score.name not in ("deviance", "mse") or self.data.blocks.in_time:
            return None
        total = self.data.sum_weights
        known = squares_left_out(self.solution, self.keep, total, self.weights)
        if known is None:
            return None
        facts, nulls = self.data.moments.facts, self.solution.null_intercepts
        apart = facts["target_mean"][1:] - nulls[1:]
        squares = facts["target_squares"][1:] + self.weights * apart**2
        totals: Totals = dict.fromkeys(("deviance", "mse", "errors"), known * self.weights[:, None])
        totals |= {f"null {name}": squares for name in ("deviance", "mse")}
        return totals | {"null_errors": squares, "train": 2.0 * self.path.loss * total}

    def _by_a_pass(self) -> Totals:
        n_models = self.path.lambdas.size * self.data.n_outputs
        most = ranks_kept(self.data.n_rows, self.n_folds, self.data.blocks.n_repeats, n_models)
        function = partial(
            held_out_totals, self.models(self.keep), self.solution.null_intercepts[1:], self.score.name, most
        )
        totals: Totals = run_pass(self.data, function, added)
        return totals

    def _ranked(self, totals: Totals) -> list[Finding]:
        """Put areas times weights in place of ranks, and say how near they are where the rows went into bins."""
        name, within = self.score.name, 0.0
        several = (-1,) if self.data.n_outputs > 1 else ()  # of each class against the rest, whose mean counts
        known = {name: self.weights[:, None], f"null {name}": self.weights, "train ranks": self.data.sum_weights}
        for which, weight in known.items():
            found = np.array([ranks.area() for ranks in totals[which].ravel()]).reshape(*totals[which].shape, 2)
            totals[which] = found[..., 0].mean(axis=several) * weight
            within = max(within, float(found[..., 1].max()))
        totals["train"] = totals.pop("train ranks")
        if not within:
            return []
        text = f"{name} was taken by bins of predictions, and is within {within:.1g} of the exact one."
        return [Finding("W38", text, 'score="deviance" is exact')]

    def _held_out(self, totals: Totals) -> HeldOut:
        """The means over the folds in a measure that needs no statistics."""
        total = self.weights.sum()
        if self.family.has_classes and totals["shares"][0] == 0.0:
            commonest = int(np.argmax(totals["classes"]))
            null = np.asarray(totals["classes"][commonest] / total)
            return HeldOut("accuracy", totals["right"].sum(axis=0) / total, null, commonest)
        null = np.asarray(totals["null_errors"].sum(axis=0) / total)
        return HeldOut(self.family.typical_error, totals["errors"].sum(axis=0) / total, null)

    def _zeros(self, models: Models, totals: Totals) -> list[dict[str, float]]:
        """The zeros that were met and those expected of held-out means, of families that have any, by a pass."""
        n_rows = totals["n_rows"][1]
        if not n_rows:
            return [{}] * models.intercepts.shape[1]
        function = partial(zero_totals, models, totals["held_out"] / n_rows)
        return [zeros_of(one) for one in run_pass(self.data, function, added)["sums"]]

    def _diagnosed(self, result: CVPath) -> CVPath:
        """The result with what only some families have, at "best" and "1se", by one more pass, or two."""
        path, choices = result.path, dict[Choice, int](best=result.index_best)
        choices["1se"] = result.index_1se
        places = np.array(list(choices.values()))
        if self.family.reports_dispersion:
            models = self.models(places)
            totals = run_pass(self.data, partial(pearson_totals, models), added)
            n_coefs = [int(path.n_nonzero[one]) + path.fit_intercept for one in places]
            zeros = self._zeros(models, totals)
            found = [{"dispersion": one, **met} for one, met in zip(dispersion_of(totals, n_coefs), zeros, strict=True)]
            remarks = overdispersed(path, found[0]["dispersion"])
            result = replace(result, path=replace(path, findings=(*path.findings, *remarks)))
        elif self.family.has_classes:
            step = -(-self.data.n_rows * self.data.blocks.n_repeats // SAMPLED_ROWS)
            function = partial(margins_of, self.models(places), FLAT_FROM, step)
            found = self._of_margins(run_pass(self.data, function, joined_margins))
        else:
            return result
        return replace(result, diagnostics=dict(zip(choices, found, strict=True)))

    def _of_margins(self, margins: Margins) -> list[dict[str, float]]:
        areas = margins.areas(self.n_folds, self.data.n_outputs)
        means = summarise_folds(areas, self.weights)[0]
        return [
            {"auc": float(area), "largest_margin": float(margin), "saturated": float(number / self.data.n_rows)}
            for area, margin, number in zip(means, margins.largest, margins.saturated, strict=True)
        ]
