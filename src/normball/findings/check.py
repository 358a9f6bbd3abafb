"""Look for what would spoil a fit before fitting: `check`.

=====  ==========================================================================================================
code   what is found
=====  ==========================================================================================================
E..    what keeps the data from being used at all: unreadable, missing or infinite values, a target of one value
W04    rows left out, or values imputed, because of missing values
W05    weights so large or small that their ratios are used
W06    rare levels that stand together as one
W11    constant columns
W12    exact copies of columns
W13    whole numbers that may be codes
W14    columns that differ in every row and may only name it
W15    features that predict the target almost perfectly by themselves
W16    counts, and amounts with a long tail, that are fitted as gaussian
W17    a rare class (fewer than 10 rows or 1 %)
W18    unbalanced classes (fewer than 10 %)
W19    standard deviations that differ by a factor of more than 1e8
W20    a mean of more than 1e7 standard deviations
W21    classes that can be separated, completely or partly (a linear program decides)
W22    more features than rows
W23    columns that correlate by 0.999 or more
W24    an overconfident logistic fit: weights too large for held-out rows
W25    no time to decide whether the classes can be separated
W26    whole numbers that may be class labels and are fitted as gaussian
W27    a survival time beside a column of events
W28    times to an event that differ by rounding only
W29    events at time 0, no row without the event, strata without one
W30    features along which the likelihood of a model of survival grows without end
W34    columns that together predict held-out rows too well to be true
W38    a parameter of the family that was estimated from some of the rows, where these are read in blocks
W39    a sample of the rows was looked at, where these come in blocks
W40    effects that change with time in a model of survival; said by `cv_path` alone
=====  ==========================================================================================================
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Never, overload

import numpy as np
from scipy import sparse

from normball.blocks.opening import comes_in_blocks, row_blocks
from normball.findings.column_statistics import Columns, Floats, Ints
from normball.findings.design import (
    Table,
    codes_and_row_numbers,
    constant_columns,
    copied_columns,
    correlated_columns,
    more_columns_than_rows,
    scaling,
)
from normball.findings.in_blocks import WholeColumns, sampled
from normball.findings.mended import prepared
from normball.findings.outputs import leaks_of_targets, rare_classes, separated_classes
from normball.findings.saturation import saturation
from normball.findings.separation import separation
from normball.findings.survival import about_events
from normball.findings.target import classes, halves, leaks, separated, strata_of
from normball.inputs.prepare import Data
from normball.inputs.streams import at_hand
from normball.messages import DataError, Finding, Interrupted, NotConverged
from normball.results.remarks import possible_leak
from normball.scores import SCORES
from normball.settings import check_words, name_list, truth

if TYPE_CHECKING:
    import polars

    from normball.path import Path

__all__ = ["Findings", "check", "check_data"]

HALF = 1000  # rows of each class, of the trial fit and of its held-out rows
TRIAL_LAMBDAS = 30
TRIAL_TOL = 1e-4
TRIAL_CELLS = 10_000_000


def check(
    X: Any,
    y: Any,
    *,
    family: str = "auto",
    sample_weight: Any = None,
    offset: Any = None,
    strata: Any = None,
    missing: str = "error",
    fill_value: float | None = None,
    inf: str = "error",
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    min_count: int = 0,
    baseline: Mapping[str, str] | str | None = None,
    dates: Sequence[str] = (),
    text: Sequence[str] | Mapping[str, int | None] = (),
    spline: Sequence[str] | Mapping[str, int | None] = (),
    interact: Sequence[str | tuple[str, str]] = (),
    fit_intercept: bool = True,
    trial_fit: bool = True,
    seconds: float = 10.0,
    **unknown: Never,
) -> Findings:
    """Look for what would spoil a fit: constant, copied and correlated columns, codes, leaks, separation, saturation.

    Parameters
    ----------
    X, y
        As in `fit_path`. `y` may be the name of a column of `X`.
    family : str
        Distribution of the target as in `fit_path`; "auto" takes two values for binomial, more
        labels that are no numbers for multinomial, other numbers for gaussian.
    sample_weight : array (n,), optional
        Weights of the rows. Rows with weight 0 do not count; otherwise only the trial fit uses them.
    offset : array (n,), optional
        A known part of the linear predictor; of several outputs (n, n_outputs).
    strata : array (n,) or str, optional
        Of a model of survival, the stratum of each row.
    missing : {"error", "drop", "impute", "median", "mean", "constant"}
        What to do with missing values. With "error" they are reported, and the rest of the check imputes them.
    fill_value : float, optional
        The constant, by default 0.
    inf : {"error", "nan"}
        Whether an infinite feature or target is an error or a missing value.
    categorical, drop : sequence of str
        Columns to take for labels, and to leave out.
    min_count, baseline, dates, text, spline, interact
        How columns become features, as in `fit_path`.
    fit_intercept : bool
        Whether separating directions have an intercept.
    trial_fit : bool
        Whether to fit a path to one half of the rows and see on the other whether it predicts too well to be true,
        and how saturated its end is; not of survival, where rows are judged together.
    seconds : float
        Time for the linear programs that decide about separation, and again for the trial fit.

    Returns
    -------
    Findings

    Examples
    --------
    >>> import numpy as np, normball as nb
    >>> X = np.column_stack([np.arange(8.0) % 3, np.ones(8)])
    >>> print(nb.check(X, np.sqrt(np.arange(8.0))))
    W11 Constant column: x1 (always 1). A coefficient there is zero in every model.
        Fix: drop=["x1"]
    """
    drop = name_list("drop", drop)
    fit_intercept, trial_fit = truth("fit_intercept", fit_intercept), truth("trial_fit", trial_fit)
    given = {name: value for name, value in locals().items() if name not in ("X", "y", "unknown")}
    check_words("check", unknown, given)
    for_data = {name: value for name, value in given.items() if name not in ("fit_intercept", "trial_fit", "seconds")}
    how: dict[str, Any] = {"fit_intercept": fit_intercept, "trial_fit": trial_fit, "seconds": seconds}
    X = at_hand(X)
    if comes_in_blocks(X):
        return _check_blocks(X, y, for_data, how)
    data, findings = prepared(X, y, for_data)
    return Findings(findings if data is None else findings + check_data(data, **how))


def _check_blocks(X: Any, y: Any, for_data: Mapping[str, Any], how: Mapping[str, Any]) -> Findings:
    """The same of rows that come in blocks."""
    try:
        data, whole, remarks = sampled(row_blocks(X, y, for_data))
    except DataError as error:
        return Findings(error.findings)
    return Findings([*data.findings, *remarks, *check_data(data, whole, **how)])


def check_data(
    data: Data,
    whole: WholeColumns | None = None,
    *,
    fit_intercept: bool = True,
    trial_fit: bool = True,
    seconds: float = 10.0,
    wanted: Collection[str] = (),
    l1_ratio: float | None = None,
) -> list[Finding]:
    """What `check` adds to the findings of `prepare`; see there.

    What is known of all rows, where `data` are a sample of them, is in `whole`. Of copies, `wanted` columns are the
    originals. The mix `l1_ratio` is that of the fit to come, if it is known.
    """
    counts = data.weights > 0
    rows = slice(None) if counts.all() else np.flatnonzero(counts)
    table = replace(_table(data, rows), l1_ratio=l1_ratio)
    y = data.y[rows]
    everywhere = table if whole is None else whole.of(table)
    findings = constant_columns(everywhere)
    about_copies, different = copied_columns(everywhere, wanted)
    if table.varies.size:
        different = np.intersect1d(different, table.varies)
        known = {name for finding in data.findings for name in finding.columns}
        findings += about_copies + correlated_columns(table, different)
        findings += codes_and_row_numbers(table, known) + scaling(table)
    findings += more_columns_than_rows(table)
    if table.varies.size:
        findings += _about_target(table, y, data, rows, fit_intercept, seconds)
    if trial_fit and table.varies.size and data.survival is None:
        trial = _trial(table, data, _Rows(y, data.weights[rows], data.offset[rows]), fit_intercept, seconds)
        alone = {name for finding in findings if finding.code == "W15" for name in finding.columns}
        findings += [finding for finding in trial if finding.code != "W34" or not alone.issuperset(finding.columns)]
    return findings


def _about_target(table: Table, y: Floats, data: Data, rows: Any, fit_intercept: bool, seconds: float) -> list[Finding]:
    """Leaks, rare classes, and whether classes can be separated, or events."""
    if data.survival is not None:
        return about_events(table, data.survival.take(rows))
    if data.classes is None:
        return leaks_of_targets(table, y, data.output_names) if data.output_names else leaks(table, y)
    if data.output_names:
        apart = separated_classes(table, y, data.classes, fit_intercept=fit_intercept, seconds=seconds)
        return rare_classes(y, data.classes) + apart
    result = separation(table.columns, y, fit_intercept=fit_intercept, seconds=seconds)
    return leaks(table, y) + classes(y, data.classes) + separated(result, table, data.classes)


def _table(data: Data, rows: Any) -> Table:
    design = data.design
    if isinstance(design, tuple):
        values, indices, indptr, n_rows = design
        design = sparse.csc_array((values, indices, indptr), shape=(n_rows, data.n_features))
    columns = Columns(design if isinstance(rows, slice) else design[rows])
    low, high = columns.extremes(slice(None))
    sources = [column.name for column in data.preparation.columns for _ in column.features]
    shown = data.preparation.shown_names
    return Table(columns, data.feature_names, shown, sources, low, np.flatnonzero(low < high), data.family)


class _Rows(NamedTuple):
    y: Floats
    weights: Floats
    offset: Floats

    def take(self, rows: Ints) -> _Rows:
        return _Rows(self.y[rows], self.weights[rows], self.offset[rows])


def _trial(table: Table, data: Data, rows: _Rows, fit_intercept: bool, seconds: float) -> list[Finding]:
    """W34 and W24: a path that is fitted to one half of the rows and judged on the other."""
    columns = table.columns
    strata = strata_of(rows.y)
    most = min(2 * HALF, TRIAL_CELLS // columns.p)
    halved = halves(strata, most if len(strata) <= 2 else 2 * most // len(strata))
    one, other = (np.sort(half) for half in halved)
    fitted, heldout = rows.take(one), rows.take(other)
    if not one.size * other.size or not (_varies(fitted.y, data) and _varies(heldout.y, data)):
        return []
    path = _trial_path(columns.matrix[one], fitted, data.family, fit_intercept, time.monotonic() + seconds)
    if path is None:
        return []
    eta = _predictor(path, columns.matrix[other], heldout.offset)
    loss = SCORES["deviance"](heldout.y, eta, heldout.weights, data.family) / 2.0
    named = replace(path, preparation=data.preparation, feature_names=data.feature_names)
    findings = possible_leak(named, loss)
    if data.classes is not None and not data.output_names:
        last = fitted.offset + path.intercepts[-1] + columns.matrix[one] @ path.coef_rows[-1]
        result = saturation(last, fitted.y, fitted.weights, eta[:, -1], heldout.y, heldout.weights)
        finding = result.finding(f"A lasso fitted to half of the rows with lam={path.lambdas[-1]:.2g}")
        findings += [] if finding is None else [finding]
    return findings


def _varies(y: Floats, data: Data) -> bool:
    """Whether there is something to learn: of several classes, about each."""
    return bool((np.ptp(y, axis=0) > 0).all() if data.classes else np.ptp(y, axis=0).any())


def _predictor(path: Path, X: Any, offset: Floats) -> Floats:
    """The linear predictor at each strength (n, L), or with several outputs (n, L, K)."""
    products = X @ path.coefs.reshape(-1, path.n_features).T
    return np.asarray(offset[:, np.newaxis] + path.intercepts + products.reshape(len(offset), *path.intercepts.shape))


def _trial_path(X: Any, rows: _Rows, family: Any, fit_intercept: bool, deadline: float) -> Path | None:
    """A short path, as far as there is time for it."""
    from normball.path import fit_path

    def late(done: int, total: int) -> bool:
        return time.monotonic() > deadline

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotConverged)  # an approximate end of the path will do
            return fit_path(
                X,
                rows.y,
                family=family,
                sample_weight=rows.weights,
                offset=rows.offset,
                n_lambdas=TRIAL_LAMBDAS,
                fit_intercept=fit_intercept,
                tol=TRIAL_TOL,
                progress=late,
            )
    except Interrupted as interrupted:
        if not late(0, 0):
            raise
        result: Path | None = interrupted.result
        return result


class Findings(Sequence[Finding]):
    """What `check` found, the errors first; prints itself."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = tuple(sorted(findings, key=lambda finding: finding.code))

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> Findings: ...
    def __getitem__(self, index: int | slice) -> Finding | Findings:
        found = self._findings[index]
        return found if isinstance(found, Finding) else Findings(found)

    def __len__(self) -> int:
        return len(self._findings)

    @property
    def errors(self) -> Findings:
        """Those that must be mended before anything can be fitted."""
        return Findings([finding for finding in self if finding.is_error])

    @property
    def warnings(self) -> Findings:
        """Those to know about."""
        return Findings([finding for finding in self if not finding.is_error])

    def to_frame(self) -> polars.DataFrame:
        """One row a finding: code, text, fix and columns."""
        import polars

        schema = {"code": polars.String, "text": polars.String, "fix": polars.String}
        rows = {name: [getattr(finding, name) for finding in self] for name in schema}
        columns = polars.Series("columns", [list(finding.columns) for finding in self], polars.List(polars.String))
        return polars.DataFrame(rows, schema=schema).with_columns(columns)

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self) or "Nothing found."

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from normball.results.notebook import findings_html

        return findings_html(self)
