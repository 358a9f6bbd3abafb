"""The scores of one model under many weightings of its rows, as a bootstrap asks for them.

`scores` judges many models by one weighting; the formulas of a row are those that stand there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from normball.families import find_family
from normball.family import Family
from normball.language import message, tr
from normball.scores import errors, losses, right

Array = NDArray[np.float64]
ByWeighting = Callable[[Array], Array]  # (n_weightings, n) -> (n_weightings,); NaN where a score is undefined

LABELS = {
    "accuracy": message("accuracy"),
    "auc": "AUC",
    "f1_macro": message("macro F1"),
    "brier": message("Brier score"),
    "deviance": message("deviance"),
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R2",
    "calibration_slope": message("calibration slope"),
}
LABELS_OF_TIMES = {
    "concordance": message("concordance"),
    "uno": message("concordance (Uno)"),
    "brier": message("integrated Brier score"),
    "deviance": message("deviance"),
}
OF_LABELS = ("accuracy", "f1_macro")  # which shares of classes have not
NEWTON_STEPS = 50
LAST_STEP = 1e-7  # Newton's next one would be in proportion to its square
NO_LINE = np.full(2, np.nan)
SHORTEST = 1e-6  # of a step: a start from which less helps is left
ROUNDING = 1e-12  # of a share: what is less is none


def label_of(name: str, family: Family) -> str:
    """What a score is called; Brier's is integrated over time where there is one."""
    return (LABELS_OF_TIMES if family.has_risk_sets else LABELS)[name]


def score_name(score: str, family: str) -> str:
    """What the score of a cross-validation is called in a sentence."""
    entry = find_family(family)
    return tr(LABELS_OF_TIMES.get(score, score) if entry.has_risk_sets else score)


def weighted_score(name: str, family: Family, y: Array, eta: Array) -> ByWeighting:
    """A score of these rows, to be asked with weights; `y` is (n,) or (n, K), and so is `eta`."""
    return _MAKERS[name](family, y, eta)


def _deviance(family: Family, y: Array, eta: Array) -> ByWeighting:
    return _mean(2.0 * losses(y, eta[:, None], family)[:, 0])


def _accuracy(family: Family, y: Array, eta: Array) -> ByWeighting:
    return _mean(right(y, eta[:, None], family)[:, 0])


def _brier(family: Family, y: Array, eta: Array) -> ByWeighting:
    squares = errors(y, eta[:, None], family)[:, 0] ** 2
    return _mean(squares if squares.ndim == 1 else squares.sum(axis=1))


def _mae(family: Family, y: Array, eta: Array) -> ByWeighting:
    return _mean(_over_outputs(np.abs(errors(y, eta[:, None], family)[:, 0])))


def _rmse(family: Family, y: Array, eta: Array) -> ByWeighting:
    mean_square = _mean(_over_outputs(errors(y, eta[:, None], family)[:, 0] ** 2))
    return lambda weights: np.sqrt(mean_square(weights))


def _r2(family: Family, y: Array, eta: Array) -> ByWeighting:
    """1 less the squared errors over those of the rows' own mean; of several outputs the mean of theirs."""
    squares = errors(y, eta[:, None], family)[:, 0] ** 2
    centred = y - y.mean(axis=0)  # for the digits

    def score(weights: Array) -> Array:
        total = weights.sum(axis=1).reshape(-1, *(1,) * (y.ndim - 1))
        spread = weights @ centred**2 - (weights @ centred) ** 2 / total
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(spread > 0.0, 1.0 - (weights @ squares) / spread, np.nan)
        shares = np.where(np.abs(shares) < ROUNDING, 0.0, shares)
        return np.asarray(shares if y.ndim == 1 else shares.mean(axis=1))

    return score


def _f1_macro(family: Family, y: Array, eta: Array) -> ByWeighting:
    """The mean over the classes that occur, or are predicted, of the harmonic mean of precision and recall."""
    n_classes = 2 if y.ndim == 1 else y.shape[1]
    actual = (y > 0.5).astype(np.intp) if y.ndim == 1 else y.argmax(axis=1)
    one_hot, predicted = np.eye(n_classes)[actual], np.eye(n_classes)[family.choice(eta)]

    def score(weights: Array) -> Array:
        found, either = weights @ (one_hot * predicted), weights @ (one_hot + predicted)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.nanmean(np.where(either > 0.0, 2.0 * found / either, np.nan), axis=1))

    return score


def _auc(family: Family, y: Array, eta: Array) -> ByWeighting:
    if y.ndim == 1:
        return _area(y, eta)
    each = [_area(y[:, k], family.alone(eta, k)) for k in range(y.shape[1])]
    return lambda weights: np.asarray(np.mean([area(weights) for area in each], axis=0))


def _area(y: Array, eta: Array) -> ByWeighting:
    """The area under the ROC curve of a class; the rows are put in order once.

    A row has a share `y` in the class and the rest beside it. What is in meets all that is beside it at lower
    predictions, and half of that at its own.
    """
    order = np.argsort(eta, kind="stable")
    inside, beside = order[y[order] > 0.0], order[y[order] < 1.0]
    below, upto = (np.searchsorted(eta[beside], eta[inside], side=side) for side in ("left", "right"))
    shares, rest = y[inside], 1.0 - y[beside]

    def score(weights: Array) -> Array:
        positive, negative = weights[:, inside] * shares, weights[:, beside] * rest
        met = np.zeros((len(weights), beside.size + 1))
        np.cumsum(negative, axis=1, out=met[:, 1:])
        pairs = positive.sum(axis=1) * met[:, -1]
        won = np.einsum("bi,bi->b", positive, met[:, below]) + np.einsum("bi,bi->b", positive, met[:, upto])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(pairs > 0.0, 0.5 * won / pairs, np.nan)

    return score


def _calibration_slope(family: Family, y: Array, eta: Array) -> ByWeighting:
    """What the linear predictor is to be multiplied by, an intercept apart, to fit these rows best; 1 is right.

    Below 1 predictions are too far apart, as those of a model that learned by heart are. Weightings of the same rows
    have their slopes close together: each starts from that of all of them together, by a Newton step whose sums are one
    product of matrices. Where that leads nowhere, it starts from the model without a slope, which leads everywhere.
    """
    centre = float(eta.mean())
    apart, right_ones = eta - centre, np.array([centre, 1.0])
    ends = line_ends(family, y, apart)

    def line(shares: Array, start: Array) -> Array:
        used = shares > 0.0
        target, x, w = y[used], apart[used], shares[used]

        def sums(coefs: Array) -> Array:
            return slope_sums(family, target, x, w, coefs)

        found = best_line(start, sums)
        return best_line(np.array([family.link(w @ target), 0.0]), sums) if math.isnan(found[1]) else found

    def score(weights: Array) -> Array:
        shares, slopes = weights / weights.sum(axis=1, keepdims=True), np.full(len(weights), np.nan)
        have_one = np.flatnonzero(have_line(ends(weights), centre))
        if not have_one.size:
            return slopes
        together = line(shares.mean(axis=0), right_ones)
        if len(weights) == 1:
            return together[1:]
        if math.isnan(together[1]):
            together = right_ones
        starts = together + newton_steps(shares @ slope_terms(family, y, apart, together).T).clip(-1.0, 1.0)
        for place in have_one:
            slopes[place] = line(shares[place], starts[place])[1]
        return slopes

    return score


def line_ends(family: Family, y: Array, x: Array) -> Callable[[Array], Array]:
    """Of each weighting (n_weightings, n) where the rows are that decide whether a line through `x` fits them best.

    Those are the least and the largest x of rows whose linear predictor cannot fall without limit, and the same of
    those where it cannot rise, shape (4, n_weightings); infinite where there are none.
    """
    order = np.argsort(x, kind="stable")
    low, high = family.limits
    along, kinds = x[order], (y[order] > low, y[order] < high)

    def ends(weights: Array) -> Array:
        counts, found = (weights > 0.0)[:, order], []
        for kind in kinds:
            here = counts & kind
            some, first, last = here.any(axis=1), here.argmax(axis=1), -1 - here[:, ::-1].argmax(axis=1)
            found += [np.where(some, along[first], np.inf), np.where(some, along[last], -np.inf)]
        return np.array(found)

    return ends


def have_line(ends: Array, centre: float) -> NDArray[np.bool_]:
    """Whether some finite line fits best, by `line_ends`; `centre` is the linear predictor from which these count.

    There is none where the two kinds of rows lie apart, or touch at one x: the steeper a line is there, the better.
    """
    least, largest, least_other, largest_other = ends
    with np.errstate(invalid="ignore"):  # rows of one kind alone
        width = np.maximum(largest, largest_other) - np.minimum(least, least_other)
    lie_apart = (largest_other <= least) | (largest <= least_other)
    return np.asarray(~lie_apart & (width > 1e-12 * (1.0 + abs(centre))))


def slope_terms(family: Family, y: Array, apart: Array, coefs: Array) -> Array:
    """What each row adds to `slope_sums` by weight, shape (5, n)."""
    linear = coefs[0] + coefs[1] * apart
    slope, bend = family.residual(y, linear), family.curvature(y, linear)
    bent = bend * apart
    return np.array([slope, slope * apart, bend, bent, bent * apart])


def slope_sums(family: Family, y: Array, apart: Array, weights: Array, coefs: Array) -> Array:
    """The gradient (2,) and the curvature (3,) of the loss of rows by intercept and slope of a line through eta."""
    return np.asarray(np.einsum("si,i->s", slope_terms(family, y, apart, coefs), weights))


def best_line(start: Array, sums: Callable[[Array], Array]) -> Array:
    """Intercept and slope at which `slope_sums` of all rows, whose weights add up to 1, have no gradient; NaN for none.

    A Newton step is shortened where the loss has turned and rises as steeply as half of its fall.
    """
    with np.errstate(all="ignore"):  # far out means are infinite
        coefs, found = start, sums(start)
        for _ in range(NEWTON_STEPS):
            step, share = newton_steps(found[None])[0], 1.0
            if not np.isfinite(step).all():
                break
            if np.abs(step).max() <= LAST_STEP * (1.0 + np.abs(coefs).max()):
                return np.asarray(coefs + step)
            most = -0.5 * (found[:2] @ step)
            while not (found := sums(coefs + share * step))[:2] @ step <= most:
                share /= 4.0
                if share < SHORTEST:
                    return NO_LINE
            coefs = coefs + share * step
    return NO_LINE


def newton_steps(sums: Array) -> Array:
    """The steps (m, 2) that `slope_sums` (m, 5) ask for; NaN where there is no curvature."""
    g0, g1, h00, h01, h11 = sums.T
    determinant = h00 * h11 - h01**2
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.array([h01 * g1 - h11 * g0, h01 * g0 - h00 * g1]) / determinant
        return np.asarray(np.where(determinant > 1e-14 * h00 * h11, steps, np.nan).T)


def _mean(values: Array) -> ByWeighting:
    return lambda weights: np.asarray(weights @ values / weights.sum(axis=1))


def _over_outputs(values: Array) -> Array:
    return values if values.ndim == 1 else np.asarray(values.mean(axis=1))


_MAKERS: dict[str, Callable[[Family, Array, Array], ByWeighting]] = {
    "accuracy": _accuracy,
    "auc": _auc,
    "f1_macro": _f1_macro,
    "brier": _brier,
    "deviance": _deviance,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
    "calibration_slope": _calibration_slope,
}
