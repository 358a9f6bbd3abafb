"""Findings about the columns of a design: constant, copied, correlated, badly scaled, codes and row numbers."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from normball.families import find_family
from normball.family import DEFAULT
from normball.findings.column_statistics import Columns, Floats, Ints
from normball.messages import OR, SAMPLE, Finding, count, sample, words

NEARLY_ONE = 0.999  # a correlation from here on is worth a word
SKETCH = 8  # random projections of each column
SKETCH_RADIUS = 0.25  # sqrt(2 (1 - NEARLY_ONE) * chi-square of 8 at 0.9999): farther pairs do not correlate so much
NEIGHBOURS = 8  # columns within this radius that are compared with each column, for each sign
PRODUCTS = 200_000_000  # numbers multiplied to verify correlations

HOPELESS_SPREAD = 1e8  # ratio of standard deviations
HOPELESS_MEAN = 1e7  # mean over standard deviation: half of the digits cancel

MANY_ROWS = 20
SPAN_OF_CODES = 3.0  # the largest code over the smallest, where both have the same number of digits


@dataclass(frozen=True)
class Table:
    """A design with its names.

    Attributes
    ----------
    columns : Columns
        The features.
    names : sequence of str
        Their names.
    shown : sequence of str
        The same as people read them.
    sources : sequence of str
        For each feature the column of the user's table that it was made of.
    low : ndarray
        Their smallest values.
    varies : ndarray of int
        The features with more than one value.
    family : str
        The family that is fitted.
    l1_ratio : float or None
        The mix of the penalty, None where it is not known.
    digests : sequence of bytes, optional
        Those of the features in all rows, of which these may be a sample.
    """

    columns: Columns
    names: Sequence[str]
    shown: Sequence[str]
    sources: Sequence[str]
    low: Floats
    varies: Ints
    family: str = DEFAULT
    l1_ratio: float | None = None
    digests: Sequence[bytes] | None = None

    def named(self, features: Iterable[int]) -> tuple[str, ...]:
        """Names of these features."""
        return tuple(self.names[j] for j in features)

    def drop(self, features: Iterable[int]) -> str:
        """The remedy that leaves out the columns that give these features and no others; nothing if they are many."""
        lost = set(features)
        kept = {source for j, source in enumerate(self.sources) if j not in lost}
        which = [source for source in dict.fromkeys(self.sources[j] for j in sorted(lost)) if source not in kept]
        return f"drop={words(which)}" if 0 < len(which) <= SAMPLE else ""

    def of_equals(self, l1: str) -> str:
        """What the penalty makes of columns that say the same; of L1 to nobody who asked for L2."""
        return "L2 splits the weight" if self.l1_ratio == 0 else f"L1 {l1}, L2 splits the weight"

    def mixed(self) -> str:
        """The remedy that mixes the penalties; nothing where something else than L1 was asked for."""
        if self.l1_ratio not in (None, 1.0):
            return ""
        family = "" if find_family(self.family).is_default else f'family="{self.family}", '
        return f"cv_path(X, y, {family}l1_ratio=0.5)"


def constant_columns(table: Table) -> list[Finding]:
    """W11: columns with a single value."""
    constant = np.setdiff1d(np.arange(table.columns.p), table.varies)
    if not constant.size:
        return []
    values = [f"{table.shown[j]} (always {table.low[j]:g})" for j in constant]
    what = "Constant column" if constant.size == 1 else f"{count(constant.size)} constant columns"
    text = f"{what}: {sample(values)}. A coefficient there is zero in every model."
    return [Finding("W11", text, table.drop(constant), table.named(constant))]


def copied_columns(table: Table, wanted: Collection[str] = ()) -> tuple[list[Finding], Ints]:
    """W12: exact copies of columns; also the columns that vary, with one of each set of copies.

    That one is the first, or the first made of a `wanted` column of the user's table.
    """
    digests = table.digests or table.columns.digests()
    first: dict[bytes, int] = {}
    for j in sorted(table.varies.tolist(), key=lambda j: table.sources[j] not in wanted):
        first.setdefault(digests[j], j)
    original = np.array([first[digests[j]] for j in table.varies], dtype=np.intp)
    is_copy = original != table.varies
    copied = table.varies[is_copy]
    if not copied.size:
        return [], table.varies
    pairs = [f"{table.shown[j]} (= {table.shown[i]})" for j, i in zip(copied, original[is_copy], strict=True)]
    what = "Exact copy" if copied.size == 1 else f"{count(copied.size)} exact copies"
    text = f"{what}: {sample(pairs)}. {table.of_equals('keeps the first')}."
    return [Finding("W12", text, table.drop(copied), table.named(copied))], table.varies[~is_copy]


def correlated_columns(table: Table, different: Ints) -> list[Finding]:
    """W23: pairs with a correlation of at least 0.999 in size among columns that are `different` and vary."""
    pairs = _close_pairs(table, different)
    if not pairs.size:
        return []
    correlation = table.columns.correlations(pairs[:, 0], pairs[:, 1])
    order = np.argsort(-np.abs(correlation), kind="stable")
    order = order[np.abs(correlation[order]) >= NEARLY_ONE]
    if not order.size:
        return []
    shown = [
        f'"{table.shown[i]}" and "{table.shown[j]}" correlate {_nearly_one(rho)}'
        for (i, j), rho in zip(pairs[order[:SAMPLE]], correlation[order], strict=False)
    ]
    rest = f"; {count(order.size - SAMPLE)} more pairs" if order.size > SAMPLE else ""
    text = f"{'; '.join(shown)}{rest}: {table.of_equals('tends to keep one of a pair')}."
    involved = dict.fromkeys(table.named(pairs[order].ravel()))
    surplus: set[int] = set()
    for i, j in pairs[order].tolist():
        surplus |= set() if {i, j} & surplus else {j}
    one_each = table.drop(surplus) or "drop one of each pair"
    both = f"{OR}{mixed} to keep both" if (mixed := table.mixed()) else ""
    return [Finding("W23", text, one_each + both, tuple(involved))]


def _nearly_one(rho: float) -> str:
    """With as many nines as it has, and as 1 where rounding leaves none."""
    short = 1.0 - abs(rho)
    return f"{rho:.0f}" if short < 1e-9 else f"{rho:.{max(3, math.ceil(-math.log10(short)))}f}"


def _close_pairs(table: Table, different: Ints) -> Ints:
    """Pairs of columns that may correlate by nearly 1 or -1, of different sources.

    Random projections of two scaled columns lie close together then, so only neighbours in this sketch are candidates.
    """
    columns = table.columns
    if different.size < 2:
        return np.empty((0, 2), dtype=np.intp)
    vectors = np.random.default_rng(0).standard_normal((columns.n, SKETCH))
    sums = columns.products(vectors) - np.outer(columns.mean - columns.centre, vectors.sum(axis=0))
    sketch = sums[different] / (np.sqrt(columns.n) * columns.sd[different, np.newaxis])
    tree = cKDTree(sketch)
    found = []
    for sign in (1.0, -1.0):
        distance, other = tree.query(
            sign * sketch, k=min(NEIGHBOURS, different.size), distance_upper_bound=SKETCH_RADIUS
        )
        one, rank = np.nonzero(np.isfinite(distance))
        found.append(np.column_stack([one, other[one, rank]]))
    pairs = np.unique(np.sort(np.concatenate(found), axis=1), axis=0)
    i, j = sketch[pairs[:, 0]], sketch[pairs[:, 1]]
    apart = np.minimum(np.linalg.norm(i - j, axis=1), np.linalg.norm(i + j, axis=1))
    pairs = different[pairs[np.argsort(apart, kind="stable")]]
    sources = np.unique(np.array(table.sources, dtype=object), return_inverse=True)[1]
    pairs = pairs[sources[pairs[:, 0]] != sources[pairs[:, 1]]]
    candidates: Ints = pairs[: max(100, PRODUCTS // columns.n)]
    return candidates


def scaling(table: Table) -> list[Finding]:
    """W19 and W20: spreads of very different size, and columns whose mean drowns their spread."""
    columns, findings = table.columns, []
    sd = columns.sd[table.varies]
    widest, narrowest = table.varies[np.argmax(sd)], table.varies[np.argmin(sd)]
    ends = table.named((widest, narrowest))
    if sd.max() / HOPELESS_SPREAD > sd.min():
        text = (
            f'The standard deviations of "{table.shown[widest]}" ({sd.max():.3g}) and "{table.shown[narrowest]}" '
            f"({sd.min():.3g}) differ by more than a factor of {HOPELESS_SPREAD:g}. Without standardising, the penalty "
            "sees only one of them."
        )
        findings.append(Finding("W19", text, "let features be standardised (the default), or choose other units", ends))
    drowned = table.varies[np.abs(columns.mean[table.varies]) / HOPELESS_MEAN > sd]
    if drowned.size:
        values = [f"{table.shown[j]} ({columns.mean[j]:.6g} ± {columns.sd[j]:.2g})" for j in drowned]
        text = (
            f"The mean is more than {HOPELESS_MEAN:g} standard deviations from zero: {sample(values)}. Digits cancel."
        )
        findings.append(Finding("W20", text, "subtract a round number from these columns", table.named(drowned)))
    return findings


def codes_and_row_numbers(table: Table, known: set[str]) -> list[Finding]:
    """W13 and W14: whole numbers that look like codes, and such that number the rows; `known` ones are left out.

    Codes have at least 20 values, all with the same number of digits (three or more) and spread over that range, and
    each occurs twice on average. Row numbers differ in every row and leave few gaps, or rise with the rows.
    """
    columns, codes, row_numbers = table.columns, [], []
    for j in _whole_at_first_sight(table, known):
        values = columns.column(j)
        if not (values % 1 == 0).all():
            continue
        distinct = np.unique(values)
        few_gaps = distinct[-1] - distinct[0] < 2 * columns.n
        if distinct.size == columns.n and (few_gaps or (np.diff(values) > 0).all()):
            row_numbers.append(j)
        elif MANY_ROWS <= distinct.size <= columns.n / 2 and _spread_over_their_digits(distinct[0], distinct[-1]):
            codes.append((j, distinct.size))
    findings = []
    if codes:
        which = table.named(j for j, _ in codes)
        shown = sample([f'"{table.shown[j]}" ({count(n)} distinct values)' for j, n in codes])
        text = f"Whole numbers that may be codes: {shown}; used as numeric."
        findings.append(Finding("W13", text, f"if they are codes: categorical={words(which[:SAMPLE])}", which))
    if row_numbers:
        which = table.named(row_numbers)
        shown = sample(which, quote=True)
        text = f"{shown} is unique in every row; used as a feature?"
        if len(which) > 1:
            text = f"{shown} are unique in every row; used as a feature?"
        findings.append(Finding("W14", text, table.drop(row_numbers), which))
    return findings


def _whole_at_first_sight(table: Table, known: set[str]) -> list[int]:
    """Columns of numbers whose first rows are whole; of a sparse matrix only those that are mostly stored."""
    columns = table.columns
    if columns.n < MANY_ROWS:
        return []
    is_number = [table.names[j] == table.sources[j] and table.names[j] not in known for j in table.varies]
    candidates = table.varies[np.array(is_number, dtype=bool)]
    if columns.is_sparse:
        candidates = candidates[np.diff(columns.matrix.indptr)[candidates] > columns.n / 2]
    blocks = columns.dense_blocks(candidates, slice(0, MANY_ROWS))
    return [int(j) for chosen, part in blocks for j in chosen[(part % 1 == 0).all(axis=0)]]


def _spread_over_their_digits(low: float, high: float) -> bool:
    return low >= 100 and len(f"{low:.0f}") == len(f"{high:.0f}") and high >= SPAN_OF_CODES * low


def more_columns_than_rows(table: Table) -> list[Finding]:
    """W22: more features than rows, where L1 is asked for or may be."""
    n, p = table.columns.n, table.columns.p
    mixed = table.mixed()
    if p <= n or not mixed:
        return []
    # several outputs may keep as many each
    most = "" if find_family(table.family).has_outputs else f"L1 keeps at most n-1 = {count(n - 1)} features; "
    text = f"p = {count(p)} > n = {count(n)}: {most}among correlated ones the choice is unstable."
    return [Finding("W22", text, mixed)]
