"""Cross-validation of whole paths: all folds are one batch of problems over one matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.block_problem import BlockProblem
from normball.cv_blocks import cross_validate_blocks, with_folds
from normball.cv_diagnostics import diagnosed
from normball.cv_result import CVPath
from normball.families import find_family
from normball.findings.survival import remarks_on_effects
from normball.folds import Folds, make_folds
from normball.messages import DataError, Finding, Interrupted
from normball.out_of_fold import Examiner, check_defined, is_deviance, squares, squares_left_out, weights_of
from normball.partial_likelihood import (
    EventExaminer,
    Links,
    check_events,
    concordance_of_folds,
    shifts_of_folds,
    strata_of_folds,
)
from normball.path import Problem, fit_path, problem_anywhere, warn_not_converged
from normball.predictor import linear_predictor
from normball.results.cross_validated import summarise_folds
from normball.results.path import Path
from normball.results.ranges import ranges_of
from normball.results.remarks import possible_leak
from normball.results.sparse_rows import SparseRows
from normball.scores import SCORES, Score
from normball.scoring import find_score
from normball.settings import CV_OPTIONS, FitOptions, check_words, truth, with_options_of
from normball.solution import Solution, joined

__all__ = ["CVPath", "cv_path"]

Array = NDArray[np.float64]

_BLOCK = 2**24  # most predictions held at a time when the training rows are scored
BY_ROW = ("fold_groups", "time_order", "fold_ids")


@with_options_of(fit_path)
def cv_path(
    X: Any,
    y: Any,
    *,
    cv: Any = 10,
    fold_groups: ArrayLike | str | None = None,
    time_order: ArrayLike | str | bool | None = None,
    fold_ids: ArrayLike | str | None = None,
    repeats: int = 1,
    score: str | Callable[..., Any] | None = None,
    keep_predictions: bool = False,
    random_state: Any = 0,
    **options: Unpack[FitOptions],
) -> CVPath:
    """Fit a whole path and cross-validate it.

    The folds share the grid of the path of all rows. Each fold is a vector of weights with zeros for the rows held out,
    so that all of them are solved together over one matrix.

    Parameters
    ----------
    X, y
        As in `fit_path`.
    cv : int, splitter or iterable of (train, test)
        Number of folds, drawn at random, with each class spread evenly over them; or a scikit-learn splitter.
        Rows that come in blocks (`Blocks`) are dealt out to folds by their numbers, which asks nothing of the classes;
        there the score is a mean over rows or "auc", the medians of ``missing="impute"`` are those of all rows, and
        the "auc" of the diagnostics is that of 200,000 rows at most, evenly spaced.
    fold_groups : array, shape (n,), or str, optional
        Rows of one group are never split between training and held-out rows. A name, here and below, is that of a
        column of X, which is no feature then.
    time_order : array, shape (n,), str, or True, optional
        Times of the rows (True: rows are in order). Each fold is trained on the past of the rows that it holds out.
    fold_ids : array, shape (n,), or str, optional
        For each row the fold that holds it out; negative for rows that are only trained on.
    repeats : int
        How many times to draw the folds anew.
    score : {"deviance", "mse", "mae", "auc", "accuracy", "brier"}, name, scorer, metric or callable, optional
        Deviance by default. Of several outputs the squared and absolute errors are means over them, "auc" is the mean
        of each class against the rest, and "brier" the sum over classes. Names of scikit-learn's scorers ("roc_auc",
        "neg_log_loss", "r2"), scorers (`make_scorer`) and metrics of `sklearn.metrics` get what they ask for: classes
        of the target as given, probabilities or decision values. Any other callable gets (y_true, y_pred,
        sample_weight), predictions being expected targets and binomial targets 0 or 1; weights go by name where it has
        an argument of that name. Greater is better, unless its attribute ``greater_is_better`` is False or its name
        ends in "_loss", "_error" or "_deviance". A scorer of one's own, a callable (estimator, X, y), gets the linear
        predictor as X. Cox models have "deviance", "concordance" (Harrell's), "uno" (Uno's concordance) and "brier":
        squared errors of the survival that the training rows give, integrated from 0 to the time by which 90 % of the
        events have happened. For these two the probability of not being censored is that of all rows.
    keep_predictions : bool
        Keep the held-out predictions of every row and strength; of rows that come in blocks 2 GB of them at most.
        Linear predictors of a Cox model have a meaning only beside its baseline hazard: those of each fold are put on
        the scale of that of all rows (see `CVPath`).
    random_state : int, Generator or RandomState
        Seed of the random folds.
    **options
        Everything that `fit_path` takes.

    Returns
    -------
    CVPath

    Raises
    ------
    DataError
        If the data cannot be used, or folds cannot be made of them.
    Interrupted
        On Ctrl-C; its `result` is the CVPath of the strengths that all folds finished, or the Path of all rows where
        that alone was.

    Warns
    -----
    NotConverged
        Once, if some strengths were not solved to `tol`.

    Examples
    --------
    >>> import numpy as np, normball as nb
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> cv = nb.cv_path(X, X[:, 0] + 0.1 * X[:, 1], cv=5)
    >>> cv.lambda_1se >= cv.lambda_best
    True
    """
    check_words("cv_path", options, (*FitOptions.__annotations__, *CV_OPTIONS))
    by_row = {"fold_groups": fold_groups, "time_order": time_order, "fold_ids": fold_ids}
    problem = problem_anywhere(X, y, options, by_row)
    chosen = find_score(score, problem.settings.family, problem.data.classes)
    ways = {**by_row, "cv": cv, "repeats": repeats, "random_state": random_state}
    problem, folds = with_folds_of(problem, ways)
    return cross_validate(problem, folds, chosen, truth("keep_predictions", keep_predictions))


def with_folds_of(
    problem: Problem | BlockProblem, options: Mapping[str, Any]
) -> tuple[Problem, Folds] | tuple[BlockProblem, None]:
    """The problem and its folds; rows that come in blocks bring theirs with them."""
    if isinstance(problem, BlockProblem):
        return with_folds(problem, options), None
    return problem, folds_of(problem, options)


def folds_of(problem: Problem, options: Mapping[str, Any]) -> Folds:
    """The folds of `cv_path` by its options."""
    data = problem.data
    columns = {name: data.frame.values(options[name]) for name in BY_ROW if isinstance(options.get(name), str)}
    options = {**options, **columns}
    if data.survival is not None:
        options["strata"] = strata_of_folds(data.y, data.weights, options.get("cv", 10))
    return make_folds(data.y, classes=data.classes, rows=data.rows, weights=data.weights, **options)


@dataclass(frozen=True)
class _Model:
    """One problem's solutions along the grid, and the design they belong to."""

    design: Any
    intercepts: Array
    coefs: SparseRows
    n_threads: int | None

    def predict(self, rows: NDArray[np.int64] | None, offset: Array, which: slice = slice(None)) -> Array:
        """The linear predictor (rows, strengths), or with several outputs (rows, strengths, n_outputs)."""
        n_outputs = self.intercepts[0].size
        eta = linear_predictor(
            self.design, self.intercepts[which], self.coefs.take(which, n_outputs), rows, self.n_threads
        )
        eta += (offset if rows is None else offset[rows])[:, None]
        return eta


def cross_validate(
    problem: Problem | BlockProblem, folds: Folds | None, score: Score, keep_predictions: bool
) -> CVPath:
    """The path of a problem and of each fold's training rows, scored on the rows held out."""
    if isinstance(problem, BlockProblem):
        return cross_validate_blocks(problem, score, keep_predictions)
    assert folds is not None
    if problem.data.survival is not None:
        check_events(problem, folds, score)
    solution, designs = _solve(problem, folds)
    n_finished = solution.n_finished
    if n_finished == 0:
        raise Interrupted("Interrupted before the first lambda was finished")
    keep = slice(0, n_finished)
    n_threads = problem.settings.n_threads
    models = [
        _Model(
            design,
            solution.intercepts[row, keep],
            solution.coef_rows(row).take(keep, problem.data.n_outputs),
            n_threads,
        )
        for row, design in enumerate(designs)
    ]
    gaps = solution.dual_gaps[1:, keep]
    path = problem.path(solution, n_finished)
    if problem.data.survival is None:
        known = _held_out_deviances(problem, solution, keep, folds, score)
    else:
        known = EventExaminer(problem, folds, score).scores(_links(problem, models), solution.loss[1:, keep])
    result = _assess(problem, path, models, gaps, folds, score, keep_predictions, known)
    if problem.data.survival is not None:
        remarks = remarks_on_effects(problem.data, path, result.index_1se)
        marks, links = (result.index_1se, result.index_best), _links(problem, models)
        ranked = concordance_of_folds(problem, folds, links, path.lambdas.size, marks)
        path = replace(result.path, findings=(*result.path.findings, *remarks))
        result = replace(result, path=path, held_out=ranked)
    if solution.interrupted:
        raise Interrupted(f"Interrupted after {n_finished} of {solution.lambdas.size} lambdas", result)
    warn_not_converged(solution, problem.settings.tol, depth=3)
    return result


def _solve(problem: Problem, folds: Folds) -> tuple[Solution, list[Any]]:
    """The problem of all rows and of every fold's training rows, with the design of each."""
    data = problem.data
    weights = np.array(
        [data.weights, *(data.weights * np.bincount(train, minlength=data.n_rows) for train in folds.train)]
    )
    for fold, total in enumerate(weights.sum(axis=1)):
        if total == 0.0:
            text = f"All training rows of fold {fold} of {len(folds)} have weight 0."
            raise DataError(Finding("E05", text, "use fewer folds"))
    if not data.preparation.learns_in_folds:
        return problem.solve(weights), [data.design] * weights.shape[0]
    from normball.inputs.prepare import prepare_new

    solutions = [problem.solve(weights[:1])]
    designs = [data.design]
    for row, train in enumerate(folds.train, start=1):
        if solutions[-1].interrupted:
            known, n_finished = solutions[0], solutions[0].n_finished
            path = problem.path(known, n_finished) if n_finished else None
            raise Interrupted("Interrupted before all folds were fitted", path)
        designs.append(prepare_new(data.preparation.refit(data.frame, train), data.frame))
        solutions.append(problem.solve(weights[row : row + 1], design=designs[-1], lambdas=solutions[0].lambdas))
    return joined(solutions), designs


def _assess(
    problem: Problem,
    path: Path,
    models: list[_Model],
    fold_dual_gaps: Array,
    folds: Folds,
    score: Score,
    keep_predictions: bool,
    known_scores: Array | None,
) -> CVPath:
    """Score every fold on its held-out rows, where the scores are not known already."""
    data, family = problem.data, path.family
    fold_scores = np.full((len(folds), path.lambdas.size), np.nan) if known_scores is None else known_scores
    # what `possible_leak` judges by; the same array where that is the score
    fold_deviances = fold_scores if is_deviance(score, family) else np.full_like(fold_scores, np.nan)
    examiner = _examiner(problem, folds, score, path.lambdas.size, known_scores)
    fold_weights = examiner.weights
    sums = np.zeros((data.n_rows, *path.intercepts.shape)) if keep_predictions else None
    times_held_out = np.zeros(data.n_rows)
    needs_predictions = known_scores is None or keep_predictions
    shifts = None
    if keep_predictions and data.survival is not None:
        shifts = shifts_of_folds(problem, folds, path, _links(problem, models))
    for fold, (test, model) in enumerate(zip(folds.test, models[1:], strict=True)) if needs_predictions else ():
        eta = model.predict(test, data.offset)
        if isinstance(examiner, Examiner) and known_scores is None and fold_weights[fold] > 0.0:
            examiner.see(fold, eta)
            fold_scores[fold] = score(data.y[test], eta, data.weights[test], family)
            if fold_deviances is not fold_scores:
                fold_deviances[fold] = SCORES["deviance"](data.y[test], eta, data.weights[test], family)
        if sums is not None:
            sums[test] += eta if shifts is None else eta + shifts[fold]
        times_held_out[test] += 1.0
    fold_scores[fold_scores == (np.inf if score.greater_is_better else -np.inf)] = np.nan  # better than any is none
    check_defined(fold_scores, fold_weights, score)
    leak = possible_leak(path, summarise_folds(fold_deviances, fold_weights)[0] / examiner.deviance_of_loss)
    with np.errstate(invalid="ignore"):  # 0/0 where no fold held the row out
        predictions = None if sums is None else (sums.T / times_held_out).T
    folds_rows = [model.coefs.any_output(path.n_outputs) for model in models[1:]]
    groups = path.preparation.column_of_feature
    result = CVPath(
        path=replace(path, findings=(*path.findings, *leak)),
        score=score.name,
        greater_is_better=score.greater_is_better,
        fold_scores=fold_scores,
        fold_weights=fold_weights,
        fold_sizes=np.array([test.size for test in folds.test]),
        fold_dual_gaps=fold_dual_gaps,
        fold_ids=folds.fold_ids,
        folds=folds.how,
        train_mean=_train_score(problem, models, path, score, examiner),
        selection_counts=SparseRows.counting(folds_rows),
        predictions=predictions,
        diagnostics={},
        counts_by_column=SparseRows.counting(folds_rows, groups) if groups[-1] + 1 < groups.size else None,
        null_fold_scores=examiner.null_scores(score),
        held_out=examiner.result(),
    )
    result = _with_ranges(result, models[1:])
    asked = find_family(family)
    return diagnosed(result, problem, models, folds) if asked.has_classes or asked.reports_dispersion else result


def _examiner(
    problem: Problem, folds: Folds, score: Score, n_lambdas: int, known: Array | None
) -> Examiner | EventExaminer:
    if problem.data.survival is not None:
        return EventExaminer(problem, folds, score)
    return Examiner(problem, folds, n_lambdas, known)


def _with_ranges(result: CVPath, models: list[_Model]) -> CVPath:
    """The result with how far the coefficients of the folds lie apart at both choices, where something shows that."""
    if result.path.output_names:
        return result
    marks = sorted({result.index_1se, result.index_best})
    rows = [model.coefs.at(marks, result.path.n_outputs) for model in models]
    return replace(result, fold_ranges=ranges_of(rows, result.path.lambdas[marks], middle=1.0))


def _links(problem: Problem, models: list[_Model]) -> Links:
    """The linear predictor of some or all rows by the model of a fold, -1 for that of all rows, at some strengths."""
    return lambda fold, which, rows=None: models[fold + 1].predict(rows, problem.data.offset, which)


def _held_out_deviances(problem: Problem, solution: Solution, keep: slice, folds: Folds, score: Score) -> Array | None:
    """Squared errors on held-out rows (folds, strengths) without predictions.

    None where the engine does not know them, or where a fold's rows are not the complement of its training rows.
    """
    data, held_out = problem.data, weights_of(folds, problem.data.weights)
    is_squares = score in (SCORES["deviance"], SCORES["mse"]) and squares(problem.settings.family)
    if not is_squares or not (held_out > 0.0).all():
        return None
    for train, test in folds:
        times = np.bincount(train, minlength=data.n_rows) + np.bincount(test, minlength=data.n_rows)
        if (times != 1).any():
            return None
    return squares_left_out(solution, keep, data.sum_weights, held_out)


def _train_score(
    problem: Problem, models: list[_Model], path: Path, score: Score, examiner: Examiner | EventExaminer
) -> Array:
    """The score of the path on its own rows, a block of strengths at a time."""
    if score is SCORES["deviance"]:
        return examiner.deviance_of_loss * path.loss
    if isinstance(examiner, EventExaminer):
        return examiner.train_scores(_links(problem, models), path.lambdas.size)
    data = problem.data
    width = max(1, _BLOCK // data.y.size)
    blocks = [slice(start, start + width) for start in range(0, path.lambdas.size, width)]
    return np.concatenate(
        [score(data.y, models[0].predict(None, data.offset, block), data.weights, path.family) for block in blocks]
    )
