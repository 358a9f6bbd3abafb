"""Findings about the target: rare and unbalanced classes, leaks, separation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from normball.findings.column_statistics import Floats, Ints
from normball.findings.design import Table
from normball.findings.separation import Separation
from normball.messages import OR, Finding, count, count_rows, sample

RARE_ROWS = 10
RARE_SHARE = 0.01
UNBALANCED_SHARE = 0.1

_CV = 'cv_path(X, y, family="binomial"'

LEAK = 0.99  # AUC, or squared rank correlation
SUSPECT = 0.95  # the same on the rows that are looked at first
FIRST_ROWS = 300  # of each class, or of all rows
FEWEST_ROWS = 4  # of each class
LUCK = 0.005  # chance that some column does so well for no reason


def classes(y: Floats, labels: tuple[object, object]) -> list[Finding]:
    """W17 and W18: a class that is rare, or that is much smaller than the other."""
    n_ones = int(np.count_nonzero(y > 0.5))
    few, rare, common = (n_ones, *labels[::-1]) if 2 * n_ones <= len(y) else (len(y) - n_ones, *labels)
    share = few / len(y)
    of_all = f"{count(few)} of {count(len(y))} rows ({100 * share:.2g} %)"
    if few < RARE_ROWS or share < RARE_SHARE:
        text = f'Class "{rare}" is rare: {of_all}. Each fold holds out few of them, so scores vary much.'
        folds = "" if few >= RARE_ROWS else f"cv={few}, "
        steadier = f"{OR}{_CV}, {folds}repeats=5) for steadier scores" if few > 1 else ""
        return [Finding("W17", text, "collect more of these rows" + steadier)]
    if share < UNBALANCED_SHARE:
        text = f'Class "{rare}" has {of_all}: always saying "{common}" is right in {100 * (1 - share):.1f} %.'
        return [Finding("W18", text, f'not accuracy, but deviance (the default){OR}{_CV}, score="auc")')]
    return []


def leaks(table: Table, y: Floats) -> list[Finding]:
    """W15: features that predict the target almost perfectly by themselves.

    The measure depends on ranks only, so that any increasing or decreasing relation counts: the AUC for two classes,
    else the squared rank correlation. Both halves of the rows must agree on its direction and both must show it.
    """
    strata = strata_of(y)
    two_classes = len(strata) == 2
    n_ones = int(np.count_nonzero(y)) if two_classes else len(y) // 2
    if min(n_ones, len(y) - n_ones) < FEWEST_ROWS:
        return []
    suspects = _varied_enough(table, y)
    for n_rows, enough in ((FIRST_ROWS, SUSPECT), (len(y), LEAK)):
        strength = _strength(table, suspects, y, halves(strata, n_rows), two_classes)
        quality = (1 + strength) / 2 if two_classes else strength * np.abs(strength)
        good = quality > enough
        suspects, strength, quality = suspects[good], strength[good], quality[good]
    spread = np.sqrt((len(y) + 1) / (3 * n_ones * (len(y) - n_ones))) if two_classes else 1 / np.sqrt(len(y) - 1)
    sure = strength > -spread * ndtri(LUCK / table.columns.p)
    suspects, quality = suspects[sure], quality[sure]
    if not suspects.size:
        return []
    order = np.argsort(-quality, kind="stable")
    name = "AUC" if two_classes else "R2 of the ranks"
    shown = sample([f'"{table.shown[suspects[k]]}" ({name} {quality[k]:.3f})' for k in order])
    text = f"Possible leak: {shown} alone on held-out rows."
    remedy = table.drop(int(j) for j in suspects)
    fix = f"unless it is known before the target is: {remedy}" if remedy else ""
    return [Finding("W15", text, fix, table.named(suspects[order]))]


def _varied_enough(table: Table, y: Floats) -> Ints:
    """The columns that vary, less those of a sparse matrix whose zeros tie too many rows to rank them as the target.

    Where a share q of the values are tied, the variance of the ranks is 1 - q**3 of the most.
    """
    columns = table.columns
    if not columns.is_sparse:
        return table.varies
    ties_of_y = np.unique(y, return_counts=True)[1].max() / columns.n
    zeros = 1 - np.diff(columns.matrix.indptr)[table.varies] / columns.n
    varied: Ints = table.varies[zeros**3 - ties_of_y**3 < 2 * (1 - LEAK)]
    return varied


def strata_of(y: Floats) -> list[Ints]:
    """The rows of each class, where each row has one; else all rows."""
    if not np.isin(y, (0.0, 1.0)).all():
        return [np.arange(len(y))]
    return [np.flatnonzero(member) for member in (y.T == 1 if y.ndim == 2 else (y == 1, y == 0))]


def halves(strata: Sequence[Ints], n_rows: int) -> tuple[Ints, Ints]:
    """Two halves of at most `n_rows` rows of each stratum, drawn at random."""
    rng = np.random.default_rng(0)
    drawn = [rng.permutation(rows)[:n_rows] for rows in strata]
    return np.concatenate([rows[::2] for rows in drawn]), np.concatenate([rows[1::2] for rows in drawn])


def _strength(table: Table, features: Ints, y: Floats, halves: tuple[Ints, Ints], two_classes: bool) -> Floats:
    """Rank correlation (2 AUC - 1 for two classes) of each feature; negative where the halves disagree on its sign."""
    first, second = (_rank_statistic(table, features, y, rows, two_classes) for rows in halves)
    strength: Floats = np.sign(first * second) * np.minimum(np.abs(first), np.abs(second))
    return strength


def _rank_statistic(table: Table, features: Ints, y: Floats, rows: Ints, two_classes: bool) -> Floats:
    target = y[rows] - np.mean(y[rows])
    if not two_classes:
        order, ranks = _ranks(y[rows, np.newaxis])
        target[order] = ranks - np.mean(ranks)
    parts = [np.zeros(0)]
    for _, part in table.columns.dense_blocks(features, rows):
        order, ranks = _ranks(part)
        covariance = np.mean(target[order] * ranks, axis=0)
        most = np.full(part.shape[1], len(rows) / 2 * np.mean(target**2))
        if not two_classes:
            most = np.std(target) * np.std(ranks, axis=0)
        parts.append(np.divide(covariance, most, out=np.zeros_like(covariance), where=most > 0))
    return np.concatenate(parts)


def _ranks(values: Floats) -> tuple[Ints, Floats]:
    """For each column the order of its values and, in that order, their ranks from 0; ties share the mean rank."""
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    starts = np.ones(values.shape, dtype=bool)
    starts[1:] = ordered[1:] > ordered[:-1]
    ends = np.ones(values.shape, dtype=bool)
    ends[:-1] = starts[1:]
    position = np.arange(len(values))[:, np.newaxis]
    first = np.maximum.accumulate(np.where(starts, position, 0), axis=0)
    last = np.minimum.accumulate(np.where(ends, position, len(values))[::-1], axis=0)[::-1]
    return order, (first + last) / 2


def separated(result: Separation, table: Table, labels: tuple[object, object]) -> list[Finding]:
    """W21: the classes can be separated, completely or partly; W25: not known."""
    n, p = table.columns.n, table.columns.p
    if result.kind == "none":
        return []
    if result.kind == "inconclusive":
        text = f"Whether the classes are separable was not decided in time ({count(n)} rows, {count(p)} features)."
        return [Finding("W25", text, "check(X, y, seconds=100)")]
    which = [table.shown[j] for j in result.features]
    some = sample(which)
    if result.kind == "complete" and result.cuts:
        cut = result.cuts[0]
        above, below = labels[::-1] if cut.above else labels
        text = (
            f'Separable: "{which[0]} > {cut.value:g}" splits the classes perfectly ("{above}" above, "{below}" below; '
            f"separating set: {some})."
        )
    elif result.kind == "complete":
        text = f"Separable: {count(len(which))} features together split the classes perfectly ({some})."
    elif result.cuts:
        parts = [
            f'"{table.shown[cut.feature]}" wherever it is not {cut.value:g} ({count_rows(cut.n_rows)})'
            for cut in result.cuts
        ]
        text = f"Partly separable: the class is certain from {sample(parts)}."
    else:
        text = (
            f"Partly separable: {count(len(which))} features together tell the class of {count_rows(result.n_rows)} "
            f"for certain ({some})."
        )
    if p >= n:
        text += (
            "\nWithout a penalty such coefficients grow without limit; with more features than rows this is nearly "
            "always so."
        )
    else:
        text += "\nWithout a penalty such coefficients grow without limit."
    fix = "keep the penalty: a lam chosen by cross-validation gives finite, valid coefficients"
    return [Finding("W21", text, fix, table.named(result.features))]
