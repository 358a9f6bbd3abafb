"""Every input becomes a design here, and every problem with it is said here, all in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.families import AUTO, family_name, find_family
from normball.inputs.class_targets import Target
from normball.inputs.columns import Content, Floats, Labels, Mask, Numbers, Several
from normball.inputs.features import gaps_of, read_features
from normball.inputs.fingerprint import fingerprint_of, rows_digest
from normball.inputs.lookup import not_found_of, vector_of
from normball.inputs.preparation import Preparation
from normball.inputs.row_numbers import Lacking, lacking_rows, offsets_of, row_numbers, without_weight
from normball.inputs.rows import misplaced
from normball.inputs.several import names_in, several_of
from normball.inputs.sources import Source, source_of
from normball.inputs.survival import survival
from normball.inputs.survival_target import strata_of, survival_columns
from normball.inputs.targets import (
    AmountsAtHand,
    check_strata,
    class_labels,
    guess_family,
    read_target,
    read_times,
    settled,
)
from normball.inputs.terms.plan import Plan, check_word
from normball.messages import DataError, Finding, raise_errors, sample
from normball.survival.target import SurvivalTarget

__all__ = [
    "Data",
    "guess_family",
    "prepare",
    "prepare_new",
]


@dataclass
class Data:
    """Checked data, laid out for the solver.

    Attributes
    ----------
    design : ndarray or tuple
        What the native code takes: the array, or data, indices, indptr and number of rows of a CSC matrix.
    y, weights, offset : ndarray, shape (n_rows,)
        With several outputs `y` and `offset` are (n_rows, n_outputs); of times to an event `y` is as in
        `families_survival`.
    family : str
        The family, also where "auto" was asked for, with its parameter, also where that was estimated.
    classes : tuple or None
        The two labels of a binomial target, of which the second one is y = 1; of a multinomial one all labels.
    output_names : tuple of str
        Names of the outputs, where there are several: of classes, or of targets.
    target_name : str
        Name of the target.
    survival : SurvivalTarget or None
        The times, where the target is one to an event.
    preparation : Preparation
        How the table became the design.
    frame : Source
        The table before that, row by row as `y`; for `preparation.refit`.
    rows : ndarray or None
        Which rows of the input are used, where some were left out.
    findings : list of Finding
        What is worth knowing.
    sample_of : int or None
        How many rows there are, where these are a sample of them.
    """

    design: Any
    y: Floats
    family: str
    classes: tuple[Any, ...] | None
    output_names: tuple[str, ...]
    target_name: str
    weights: Floats
    offset: Floats
    preparation: Preparation
    frame: Source
    rows: NDArray[np.intp] | None
    findings: list[Finding]
    sample_of: int | None = None
    survival: SurvivalTarget | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of the design."""
        return self.preparation.feature_names

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def n_outputs(self) -> int:
        """Number of linear predictors of a row."""
        return len(self.output_names) or 1

    @property
    def n_features(self) -> int:
        """Number of columns of the design."""
        return len(self.feature_names)

    @property
    def sum_weights(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    @property
    def target_variance(self) -> float:
        """Weighted variance of the target, of several outputs their mean."""
        share = self.weights / self.weights.sum()
        return float(np.mean(share @ (self.y - share @ self.y) ** 2))

    @property
    def fingerprint(self) -> str:
        """Tells these rows from others."""
        return fingerprint_of(rows_digest(self.y, self.weights, self.offset))

    def null_intercept(self, free: bool) -> float | Floats | None:
        """The linear predictor, less the offset, of the model without features; 0 where the intercept is not free.

        None where it is not finite: an offset may be all that varies.
        """
        if not free:
            return np.zeros(self.n_outputs) if self.output_names else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            null = find_family(self.family).null_intercept(self.y, self.weights, self.offset)
        return null if np.isfinite(null).all() else None


def prepare(
    X: Any,
    y: Any,
    *,
    family: str,
    sample_weight: Any = None,
    offset: Any = None,
    strata: Any = None,
    target_name: str = "y",
    by_row: Mapping[str, Any] | None = None,
    fitted: Preparation | None = None,
    **about_columns: Any,
) -> Data:
    """Check the data and lay them out for the solver.

    Parameters
    ----------
    X : array, sparse matrix or frame
        The features. A float array that is contiguous, or a float CSC matrix in order, is not copied.
    y : array or str
        The target, or the name of its column in `X`; so for `sample_weight` and `offset`. For families with several
        outputs also a frame or an array of columns, or a list of names.
    family : str
        Distribution of the target, or "auto".
    strata : array or str, optional
        Of a model of survival, the stratum of each row.
    target_name : str
        What to call a target that has no name of its own.
    by_row : {role: values}, optional
        What else is given row by row, such as groups. A name is that of a column of `X`, which is no feature then.
    fitted : Preparation, optional
        How columns become features, where that was learned already.
    **about_columns
        The options of `Plan`. What is imputed is learned from all rows; see `Preparation.refit`.

    Returns
    -------
    Data

    Raises
    ------
    DataError
        With every problem found.
    """
    family = family_name(family)
    plan, by_row = Plan(**about_columns), by_row or {}
    source = source_of(X).with_infinite_as_missing() if plan.inf == "nan" else source_of(X)
    findings = [*source.findings, *_size_findings(source), *_without_column(source, plan, by_row)]
    given_by_row = {"y": y, "sample_weight": sample_weight, "offset": offset, "strata": strata, **by_row}
    findings += [found for role, values in given_by_row.items() if (found := misplaced(source.index, values, role))]
    target_name, target_column = _target(source, y, target_name, family, plan.inf, findings)
    weights = row_numbers(source, sample_weight, "sample_weight", 1.0, findings, may_lack=True)
    lacking = lacking_rows(source, {"sample_weight": sample_weight, "offset": offset, **by_row})
    apart = {*plan.drop, *(name for name in given_by_row.values() if isinstance(name, str)), *names_in(source, offset)}
    apart |= {*names_in(source, y)} if isinstance(target_column, Several) else set()
    findings += plan.problems(source.names, apart)
    features = read_features(source, apart, plan, findings)
    target = None
    if target_column is not None:
        family = _family_of(target_column, target_name, family, findings)
        findings += survival(source, target_column, target_name, apart)
        counts, bare = _usable(features.complete(), lacking) & (weights > 0), not isinstance(y, str | Numbers | Labels)
        named = strata_of(source, strata, findings)
        target = _read_target(target_column, target_name, family, counts, offset is not None, bare, named, findings)
    lacking = [*_lacking_target(target, target_name), *lacking]
    findings += gaps_of(features, target, lacking).findings(plan.missing, target_name, plan.fill_words)
    offsets = offsets_of(source, offset, target.output_names if target else (), findings, may_lack=True)
    raise_errors(findings)
    assert target is not None
    rows = _rows_without_gaps(_usable(features.complete(), lacking), weights)
    if rows is not None:
        target, weights, offsets = target.take(rows), weights[rows], offsets[rows]
    family = settled(family, target.y, weights, offsets, target_name)
    design, preparation = features.design(rows, findings, fitted)
    return Data(
        design=_native_layout(design),
        y=target.y,
        family=family,
        classes=target.classes,
        output_names=target.output_names,
        target_name=target_name,
        weights=weights,
        offset=offsets,
        preparation=preparation,
        frame=source if rows is None else source.take(rows),
        rows=rows,
        findings=findings,
        survival=target.survival,
    )


def _lacking_target(target: Target | None, name: str) -> list[Lacking]:
    return [] if target is None or not target.missing.any() else [Lacking(name, "target", target.missing)]


def _without_column(source: Source, plan: Plan, by_row: Mapping[str, Any]) -> list[Finding]:
    """E02 for each name of a role that is no column's."""
    columns_of = {role: [name] for role, name in by_row.items() if isinstance(name, str)}
    names_of = {"drop": plan.drop, **plan.named, **columns_of}
    return [one for role, names in names_of.items() for one in not_found_of(source, names, f"Column (of {role})")]


def _target(
    source: Source, y: Any, name: str, family: str, inf: str, findings: list[Finding]
) -> tuple[str, Content | Several | None]:
    """The name and content of the target: one column, or where the family has several outputs, several."""
    column: Content | Several | None = None
    known = None if family == AUTO else find_family(family)
    if isinstance(y, Several) or (known is not None and (known.has_outputs or known.has_risk_sets)):
        n_before = len(findings)
        of_times = known is not None and known.has_risk_sets
        column = (survival_columns if of_times else several_of)(source, y, findings)
        if len(findings) > n_before:
            return name, None
    if isinstance(column, Several):
        name = sample(list(column.columns)) if column.named else name
    else:
        name, column = vector_of(source, y, name, findings)
    return name, column.with_infinite_as_missing() if inf == "nan" and isinstance(column, Numbers | Several) else column


def _family_of(column: Content | Several, name: str, family: str, findings: list[Finding]) -> str:
    """The family that was asked for, or that suits the target; with findings where another is likelier."""
    if family == AUTO and not isinstance(column, Several):
        family, remarks = guess_family(column, name)
        findings += remarks
    elif find_family(family).amounts and isinstance(column, Numbers):
        findings += class_labels(AmountsAtHand(column.values), name, family)
    return family


def _read_target(
    column: Content | Several,
    name: str,
    family: str,
    counts: NDArray[np.bool_],
    has_offset: bool,
    bare: bool,
    strata: Labels | None,
    findings: list[Finding],
) -> Target | None:
    """The target; None, with findings, where it cannot be used."""
    try:
        if find_family(family).has_risk_sets:
            target = read_times(column, counts, strata)
        else:
            check_strata(strata, family)
            target = read_target(column, name, family, counts, has_offset, bare)
    except DataError as error:
        findings += error.findings
        return None
    findings += target.findings
    return target


def _usable(rows: Mask, lacking: Sequence[Lacking]) -> Mask:
    """Those of the rows that lack nothing of what each needs."""
    return np.asarray(np.logical_and.reduce([rows, *(~one.rows for one in lacking)]))


def _rows_without_gaps(kept: NDArray[np.bool_], weights: Floats) -> NDArray[np.intp] | None:
    """Where some rows are left out, those that are `kept`; raises where none of them has a weight."""
    if not weights[kept].any():
        raise DataError(without_weight("sample_weight"))
    return None if kept.all() else np.flatnonzero(kept)


def prepare_new(preparation: Preparation, X: Any, *, unknown: str = "error") -> Any:
    """Lay new rows out for the solver as the training rows were; see `Preparation.transform`."""
    check_word("unknown", unknown, ("error", "warn", "baseline"))
    return _native_layout(preparation.transform(X, unknown=unknown))


def _size_findings(source: Source) -> list[Finding]:
    if not source.names:
        return [Finding("E14", "X has no columns.")]
    if source.n_rows < 2:
        rows = "no rows" if source.n_rows == 0 else "one row only (n_samples = 1)"
        return [Finding("E14", f"X has {rows}; nothing can be learned.")]
    return []


def _native_layout(design: Any) -> Any:
    """The design as the native code takes it."""
    if isinstance(design, np.ndarray):
        return design
    indices, indptr = design.indices.astype(np.int32, copy=False), design.indptr.astype(np.int64, copy=False)
    return design.data, indices, indptr, design.shape[0]
