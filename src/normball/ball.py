"""The constrained form: the smallest loss on a norm ball, and the strength that goes with it.

The ball problem and the penalised problem share their solutions: the coefficients of strength `lam` are optimal on the
ball whose radius is their norm. The norm falls as `lam` grows, so `fit_ball` looks for the `lam` at which it is the
radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Unpack
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from normball.blocks.opening import refuse_blocks
from normball.families import find_family
from normball.inputs.streams import at_hand
from normball.messages import Interrupted, NotConverged
from normball.path import Problem, fit_path, prepare_problem
from normball.results.fit import Fit
from normball.results.points import share_reaching
from normball.settings import DEFAULT_TOL, GROUP_OPTIONS, FitOptions, check_words, number, with_options_of
from normball.threads import single_threaded_blas

__all__ = ["fit_ball"]

Array = NDArray[np.float64]
Norm = Literal["l1", "l2"]

_TIGHTER = 1e-4  # the penalised problems are solved to this share of tol, for norms that can be compared
_NARROW = 1e-9  # relative width of the norms' bracket at which the search ends
_MAX_ROUNDS = 30
_NEARBY = 10.0 ** np.array([-1, -2, -4, -6])  # how far from the best guess to look, as shares of the bracket
_HINT = "The strength follows from radius, and the mix from norm; the result holds the strength as .lam"
_NOT_HERE = ("l1_ratio", "lambdas", "n_lambdas", "lambda_min_ratio")


@with_options_of(fit_path, *GROUP_OPTIONS, *_NOT_HERE)
def fit_ball(
    X: Any,
    y: Any,
    *,
    radius: float,
    norm: Norm = "l1",
    **options: Unpack[FitOptions],
) -> Fit:
    """Minimise the mean loss subject to a bound on the norm of the coefficients.

    Solves ``min 1/sum(w) * sum_i w_i * loss(y_i, o_i + b0 + x_i.b)`` subject to ``sum_j v_j * |b_j| <= radius``, or
    with ``norm="l2"`` to ``sqrt(sum_j v_j * b_j**2) <= radius``, where ``v`` is `penalty_factors`.

    Parameters
    ----------
    X, y
        As in `fit_path`.
    radius : float
        Size of the ball. With ``standardize=True`` it bounds the coefficients per standard deviation.
    norm : {"l1", "l2"}
        The diamond or the disc.
    **options
        What `fit_path` takes, except for the grid and the mix, which follow from radius and norm, and for groups of
        features, which these norms do not know. The family must have one output.

    Returns
    -------
    Fit
        With ``lam``, the strength whose penalised problem has the same solution: 0 if the ball holds the unconstrained
        optimum. Where there are not more rows than features, that optimum is not unique; then a radius that the path
        does not reach gives the smallest strength tried. ``dual_gap`` is that of the ball problem.

    Raises
    ------
    DataError
        If the data cannot be used.

    Warns
    -----
    NotConverged
        If the duality gap of the ball problem stays above `tol`.

    Examples
    --------
    >>> import numpy as np, normball as nb
    >>> X = np.eye(3)
    >>> fit = nb.fit_ball(X, [3.0, 1.0, 0.0], radius=2.0, standardize=False, fit_intercept=False)
    >>> fit.coef.round(6).tolist(), round(fit.lam, 6)
    ([2.0, 0.0, 0.0], 0.333333)
    """
    if given := [name for name in GROUP_OPTIONS if name in options]:
        text = "the ball is that of a norm of single features, which knows no groups; fit_path takes them"
        raise TypeError(f"fit_ball() has no argument {given[0]!r}: {text}.")
    check_words("fit_ball", options, {*FitOptions.__annotations__, "radius", "norm"} - {*_NOT_HERE}, _HINT)
    radius = number("radius", radius, minimum=0.0, exclusive=True)
    if not isinstance(norm, str) or norm not in ("l1", "l2"):
        raise ValueError(f'norm is {norm!r}, but must be "l1" or "l2"')
    tol = number("tol", options.get("tol", DEFAULT_TOL), minimum=0.0, exclusive=True)
    tightened: FitOptions = {**options, "l1_ratio": float(norm == "l1"), "tol": tol * _TIGHTER}
    at = f", and .at(l1_norm={radius:g}) of what it gives is near this model" if norm == "l1" else " with l1_ratio=0"
    X = at_hand(X)
    refuse_blocks(X, "fit_ball", f"fit_path reads them{at}")
    problem = prepare_problem(X, y, tightened)
    if problem.data.n_outputs > 1:
        text = f"fit_ball takes families with one output, but {problem.settings.family} has {problem.data.n_outputs}"
        raise ValueError(f"{text} here; fit_path(...).at(l1_norm=...) finds the sum of sizes along a path")
    fit = _Search(problem, norm, radius, tol).run()
    if fit.dual_gap <= tol:
        return replace(fit, status="converged")
    warn(f"The relative duality gap is {fit.dual_gap:.2g}, above tol={tol:g}", NotConverged, stacklevel=2)
    # the penalised fits on either side may have converged, and rounding still keep the gap of their mix open
    return replace(fit, status="numerical") if fit.status == "converged" else fit


@dataclass(frozen=True)
class _Point:
    """A penalised solution seen from the ball problem."""

    fit: Fit
    norm: float

    def dual_bound(self, radius: float, norm: Norm) -> float:
        """A lower bound on the smallest loss within `radius`.

        The ball of (M13) is h(b) <= c, with h(b) = ‖b‖₁ and c = t, or h(b) = ‖b‖₂²/2 and c = t²/2, t being the radius.
        Any lam >= 0 is a multiplier for that, so the smallest loss on the ball is at least the minimum of
        loss + lam (h(b) - c): the minimum of the penalised problem, less lam c. The former is at least the objective
        less its certified gap (M8). Bounds, offset, intercept and unpenalised features are alike in both problems.
        """
        fit = self.fit
        gap = fit.dual_gap * fit.null_loss
        if norm == "l1":
            return fit.loss - gap + fit.lam * (self.norm - radius)
        return fit.loss - gap + fit.lam * (self.norm**2 - radius**2) / 2.0


class _Search:
    """The search for the strength at which the norm is the radius."""

    def __init__(self, problem: Problem, norm: Norm, radius: float, tol: float) -> None:
        self.problem = problem
        self.norm = norm
        self.radius = radius
        self.tol = tol
        factors = problem.penalty_factors
        self.factors = np.where(np.isfinite(factors), factors, 0.0)  # excluded features are zero anyway

    def run(self) -> Fit:
        """The solution of the ball problem."""
        points = self.below_reach(self.solve(None))
        if points[-1].norm <= self.radius:
            return self.certified(points[-1], points[-1])
        outer, inner = self.bracket(points)
        for _ in range(_MAX_ROUNDS):
            if inner.norm - outer.norm <= _NARROW * self.radius:
                break
            trials = self.trials(outer, inner)
            if trials.size == 0:
                break
            outer, inner = self.bracket([outer, *self.solve(trials), inner])
        return self.certified(outer, inner)

    def solve(self, lambdas: Array | None) -> list[_Point]:
        """The penalised solutions at `lambdas`, or on the default grid."""
        solution = self.problem.solve(self.problem.data.weights[None, :], lambdas=lambdas)
        if solution.interrupted:
            raise Interrupted("Interrupted before the radius was met")
        path = self.problem.path(solution, solution.lambdas.size)
        fits = [path.fit_at(float(index)) for index in range(path.lambdas.size)]
        return [_Point(fit, self.norm_of(fit.coef * fit.scales)) for fit in fits]

    def norm_of(self, coef: Array) -> float:
        """The norm that the ball bounds."""
        if self.norm == "l1":
            return float(self.factors @ np.abs(coef))
        return float(np.sqrt(self.factors @ coef**2))

    def below_reach(self, points: Sequence[_Point]) -> list[_Point]:
        """Stretch the grid upwards until its first norm is at most the radius, and downwards to reach the radius."""
        points = list(points)
        while points[0].norm > self.radius:  # ridge alone; lam * norm is bounded, so this ends
            stretch = 2.0 * points[0].norm / self.radius
            points = self.solve(np.array([points[0].fit.lam * stretch])) + points
        if points[-1].norm <= self.radius:
            points += self.solve(self.smaller(points[-1].fit))
        return points

    def smaller(self, last: Fit) -> Array:
        """Strengths below the grid, a factor 10 apart: down to 0, or where that has no unique solution to nearly 0.

        Nearly 0 means that the penalty within the ball is a small part of what `tol` lets pass (see `dual_bound`).
        """
        if self.problem.data.n_rows > self.problem.data.n_features:
            return np.append(last.lam * 10.0 ** -np.arange(1.0, 5.0), 0.0)
        penalty = self.radius if self.norm == "l1" else self.radius**2 / 2.0
        end = max(0.1 * self.tol * last.null_loss / penalty, 1e-12 * last.lam)
        n_decades = max(1, int(np.ceil(np.log10(last.lam / end))))
        return np.asarray(last.lam * 10.0 ** -np.arange(1.0, n_decades + 1.0))

    def bracket(self, points: Sequence[_Point]) -> tuple[_Point, _Point]:
        """The first two neighbours whose norms enclose the radius."""
        index = next(index for index, point in enumerate(points) if point.norm > self.radius)
        return points[index - 1], points[index]

    def trials(self, outer: _Point, inner: _Point) -> Array:
        """Strengths to try next: the best guess and some close by on both sides, within the bracket.

        The L1 norm is close to linear in lam between two changes of the support, and so is one over the L2 norm.
        """
        high, low = outer.fit.lam, inner.fit.lam
        ends = np.array([outer.norm, inner.norm, self.radius])
        if self.norm == "l2" and outer.norm > 0.0:
            ends = 1.0 / ends
        share = (ends[2] - ends[0]) / (ends[1] - ends[0])
        guess = high - share * (high - low)
        nearby = (high - low) * _NEARBY
        trials = np.unique(np.concatenate([guess - nearby, [guess], guess + nearby]))[::-1]
        return np.ascontiguousarray(trials[(trials > low) & (trials < high)])

    def certified(self, outer: _Point, inner: _Point) -> Fit:
        """The mix of two neighbours whose norm is the radius, with the duality gap of the ball problem."""
        one, other = outer.fit, inner.fit
        share = 0.0
        if inner.norm > self.radius:
            share = share_reaching(one.coef * one.scales, other.coef * other.scales, self.norm_of, self.radius)
        coef = (1.0 - share) * one.coef + share * other.coef
        coef = np.clip(coef, self.problem.lower_bounds, self.problem.upper_bounds)  # where rounding stepped over
        intercept = (1.0 - share) * one.intercept + share * other.intercept
        mixed = replace(one, coef=coef, intercept=intercept)
        loss = self.loss(mixed)
        bound = max(point.dual_bound(self.radius, self.norm) for point in (outer, inner))
        gap = max(loss - bound, 0.0)
        return replace(
            mixed,
            lam=(1.0 - share) * one.lam + share * other.lam,
            loss=loss,
            dual_gap=gap / one.null_loss if one.null_loss > 0.0 else gap,
            kkt_violation=max(one.kkt_violation, other.kkt_violation),
            status=other.status if one.status == "converged" else one.status,
            n_iters=one.n_iters + other.n_iters,
            radius=self.radius,
        )

    def loss(self, fit: Fit) -> float:
        """The mean loss of a model on the data."""
        from normball import _native

        data = self.problem.data
        places = np.flatnonzero(fit.coef).astype(np.int32)
        indptr = np.array([0, places.size], dtype=np.int64)
        with single_threaded_blas:
            eta = _native.linear_predictor(
                data.design, None, np.array([fit.intercept]), indptr, places, fit.coef[places]
            )
        shares = data.weights / data.weights.sum()
        return float(find_family(fit.family).mean_loss(data.y, shares, eta + data.offset[:, None])[0])
