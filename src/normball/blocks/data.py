"""`BlockData`: data that come in blocks, as `fit_path` and `cv_path` see them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.blocks.executor import Executor
from normball.blocks.folds import dealt_out, with_folds
from normball.blocks.source import MappedRows, RowBlocks
from normball.blocks.sums import Moments, Passes, PassStopped
from normball.families import find_family
from normball.inputs.preparation import Preparation
from normball.messages import OR, DataError, Finding, Interrupted, count, sample
from normball.progress import Poll
from normball.settings import Progress

Array = NDArray[np.float64]

MOST_FEATURES = 3000  # the curvature of all of them is held, and so is that of every fold

# products of coefficients that are held, in squares of their number, as measured
OF_SQUARES = 4.0  # of each problem
OF_CURVED, OF_WINDOWS = 1.0, 30.0  # of each problem, and of the windows of lambdas of all of them


def bytes_of_a_fit(family: str, n_features: int, n_outputs: int, n_problems: int) -> int:
    """About what a fit of all rows and of those that each fold leaves takes, the blocks aside."""
    if find_family(family).quadratic:
        return int(OF_SQUARES * n_problems * 8 * n_features**2)
    return int((OF_WINDOWS + OF_CURVED * n_problems) * 8 * (n_features * n_outputs) ** 2)


@dataclass(frozen=True, eq=False)
class BlockData:
    """Data in blocks and what runs over them; what is known of all rows comes from the first pass.

    It has the attributes of `inputs.prepare.Data` that do not have a row for each row of the data.
    """

    blocks: RowBlocks
    executor: Executor
    progress: Progress = None
    resume: str | os.PathLike[str] | None = None  # a file for what is solved where the fit is interrupted
    has_gram: bool = False  # whether the first pass tells the products of columns where the loss does not need them

    def __post_init__(self) -> None:
        family = find_family(self.blocks.family)
        if family.is_open:
            text = (
                f"{family.parameter_name} of {family.name} is estimated from rows in memory; these come in blocks: "
                f'write it, as in family="{family.name}(2)"'
            )
            raise ValueError(text)
        if not self.n_features:
            raise DataError(Finding("E14", "X has no columns."))
        n_outputs = 1 if family.quadratic else self.n_outputs
        if self.n_features * n_outputs > MOST_FEATURES:
            features, most = count(self.n_features), count(MOST_FEATURES)
            text = (
                f"{features} features are too many for rows that come in blocks: their curvature takes memory by the "
                f"square of their number, and {most} are the most."
            )
            if n_outputs > 1:
                text = (
                    f"{features} features of {count(n_outputs)} classes are too many for rows that come in blocks: the "
                    f"curvature takes memory by the square of the number of coefficients, and {most} are the most."
                )
            fix = f"a column-major numpy.memmap, which is read by columns{OR}leave columns out"
            raise DataError(Finding("E14", text, fix))

    @property
    def family(self) -> str:
        """The family with its parameter."""
        return self.blocks.family

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """The labels of the classes."""
        return self.blocks.classes

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, where there are several."""
        return self.blocks.output_names

    @property
    def n_outputs(self) -> int:
        """Number of linear predictors of a row."""
        return self.blocks.n_outputs

    @property
    def target_name(self) -> str:
        """Name of the target."""
        return self.blocks.target_name

    @property
    def preparation(self) -> Preparation:
        """How the table becomes the design."""
        return self.blocks.preparation

    @property
    def findings(self) -> list[Finding]:
        """What is worth knowing."""
        return self.blocks.findings

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of the design."""
        return self.blocks.feature_names

    @property
    def n_features(self) -> int:
        """Number of columns of the design."""
        return self.blocks.n_features

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.moments.n_rows

    @property
    def sum_weights(self) -> float:
        """Sum of the weights."""
        return self.moments.sum_weights

    @property
    def target_variance(self) -> float:
        """Weighted variance of the target, of several outputs their mean."""
        return self.moments.target_variance

    @property
    def fingerprint(self) -> str:
        """Tells these rows from others."""
        return self.passes.fingerprint

    def null_intercept(self, free: bool) -> float | Array | None:
        """The linear predictor of the model without features, None where the solver knows it."""
        if not free:
            return np.zeros(self.n_outputs) if self.output_names else 0.0
        if not find_family(self.family).quadratic:
            return None
        null = self.moments.target_mean
        return null if self.output_names else float(null)

    def _trains(self, fold: int) -> NDArray[np.bool_]:
        """The parts of the moments that train the model without a fold, numbered from 1."""
        parts = np.arange(self.blocks.n_folds + 1)
        if self.blocks.in_time:
            return parts < fold
        repeat = (parts - 1) // (self.blocks.n_folds // self.blocks.n_repeats)
        return np.asarray((parts != fold) & ((parts == 0) | (repeat == repeat[fold])))

    @cached_property
    def passes(self) -> Passes:
        """Over these blocks."""
        return Passes(self.blocks, self.executor, self.has_gram)

    @cached_property
    def moments(self) -> Moments:
        """The first pass; checks what it says."""
        with Poll(self.progress) as poll:
            try:
                moments = self.passes.moments(poll)
            except PassStopped:
                raise Interrupted("Interrupted in the first pass over the data") from None
        self._check(moments)
        return moments

    def _check(self, moments: Moments) -> None:
        facts, weighted = moments.facts, moments.facts["weight"] > 0.0
        if moments.n_rows < 2:
            raise DataError(Finding("E14", f"X has {count(moments.n_rows)} rows; nothing can be learned."))
        if not weighted.any():
            text = "All sample_weight values are zero; nothing can be learned."
            raise DataError(Finding("E15", text, "leave it out (of sample_weight)"))
        gaps = np.flatnonzero(~np.isfinite(facts["means"] + facts["squares"])[weighted].all(axis=0))
        if gaps.size:
            names = [self.feature_names[j] for j in gaps]
            text = (
                f"{count(gaps.size)} columns have missing, infinite or far too large values: "
                f"{sample(names, quote=True)}."
            )
            raise DataError(Finding("E04", text, "fill them in, or leave the columns out", tuple(names)))
        least, most = facts["smallest"][weighted].min(axis=0), facts["largest"][weighted].max(axis=0)
        if (least == most).all() and (self.classes is not None or not self.blocks.has_offset):
            rows = count(int(facts["n_weighted"][moments.once].sum()))
            text = (
                f'Target "{self.target_name}" has one value only: {np.ravel(least)[0]:g} in all {rows} rows. Nothing '
                "to learn."
            )
            raise DataError(Finding("E03", text, columns=(self.target_name,)))
        for fold in range(1, weighted.size):
            self._check_fold(fold, weighted & self._trains(fold), moments)

    def _check_fold(self, fold: int, trains: NDArray[np.bool_], moments: Moments) -> None:
        n_folds = self.blocks.n_folds
        if not trains.any():
            text = f"All training rows of fold {fold} of {n_folds} have weight 0."
            raise DataError(Finding("E05", text, "use fewer folds"))
        if self.classes is None:
            return
        least, most = moments.facts["smallest"][trains].min(axis=0), moments.facts["largest"][trains].max(axis=0)
        absent = np.flatnonzero(most == 0.0 if self.output_names else np.array([least == 1.0, most == 0.0]))
        if absent.size:
            text = f'Class "{self.classes[absent[0]]}" is absent from the training rows of fold {fold} of {n_folds}.'
            fix = "use fewer folds, or folds that keep both classes"
            if self.output_names:
                fix = "use fewer folds, or folds that keep all classes"
            raise DataError(Finding("E05", text, fix))

    def with_folds(self, n_folds: int, seed: int, n_repeats: int = 1) -> BlockData:
        """The same with rows dealt out to folds, so many times: by their numbers, or by what is to stay together."""
        units, dealt = self.blocks.units, partial(with_folds, n_folds, seed, n_repeats)
        how = f"{n_folds} folds at random by row number"
        if units is not None:
            fold_of, how = units.folds(n_folds, seed, n_repeats)
            dealt = partial(dealt_out, fold_of)
        times = f", {n_repeats} times" if n_repeats > 1 else ""
        blocks = replace(
            self.blocks,
            source=MappedRows(self.blocks.source, dealt),
            n_folds=n_folds * n_repeats,
            n_repeats=n_repeats,
            folds=how + times,
            units=None,
            in_time=units is not None and units.in_time,
        )
        return replace(self, blocks=blocks)

    def quiet(self) -> BlockData:
        """The same, read so far, without asking the caller whether to go on."""
        silent = replace(self, progress=False)
        silent.__dict__.update({name: self.__dict__[name] for name in ("passes", "moments")})
        return silent
