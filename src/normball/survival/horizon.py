"""The time at which predicted and observed survival are compared."""

from __future__ import annotations

import numpy as np

from normball.survival.target import Floats, SurvivalTarget

SHARES = (0.25, 0.5, 0.75)  # of the events, by when a page can compare them besides


def horizon(target: SurvivalTarget, weights: Floats) -> float:
    """The median time of the events, where no other one is asked for.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0, 8.0]), np.array([True, False, True, True]))
    >>> horizon(target, np.ones(4))
    5.0
    """
    return float(_times_of_events(target, weights, (0.5,))[0])


def horizons(target: SurvivalTarget, weights: Floats, asked: float | None) -> tuple[Floats, Floats, int]:
    """The times that a page offers, the share of the events up to each, and the place of the one it opens with.

    These are the quartiles of the times of events and the one that is `asked` for; the page opens with the one that is
    asked for, else with the median.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0, 8.0]), np.array([True, False, True, True]))
    >>> horizons(target, np.ones(4), asked=6.0)
    (array([2., 5., 6., 8.]), array([0.33333333, 0.66666667, 0.66666667, 1.        ]), 2)
    """
    first = horizon(target, weights) if asked is None else asked
    times = np.union1d(_times_of_events(target, weights, SHARES), first)
    counted = np.where(target.event, weights, 0.0)
    reached = np.array([counted[target.stop <= time].sum() for time in times]) / counted.sum()
    return times, reached, int(np.searchsorted(times, first))


def check_horizon(
    asked: float | None, family: str, target: SurvivalTarget | None, weights: Floats, said: str = "horizon="
) -> None:
    """Raise a ValueError where nothing can be compared at the time asked for; `said` is how it was asked for.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0, 8.0]), np.array([True, False, True, True]))
    >>> check_horizon(9.0, "cox", target, np.ones(4))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: horizon=9 is not before 8, the last time that was seen: give a time from 2, that of the first event...
    """
    if asked is None:
        return
    if target is None:
        raise ValueError(f"{said}{asked:g} is about times to an event; this model is {family}: leave it out")
    used = weights > 0
    first, last = target.stop[used & target.event].min(), target.stop[used].max()
    if not first < last:
        raise ValueError(
            f"{said}{asked:g} asks for survival up to a time, but all events are at {last:g}, the last time that was "
            "seen: leave it out"
        )
    if asked < first:
        raise ValueError(
            f"{said}{asked:g} is before {first:g}, the time of the first event: "
            f"give a time from there to below {last:g}, the last time that was seen"
        )
    if not asked < last:
        raise ValueError(
            f"{said}{asked:g} is not before {last:g}, the last time that was seen: "
            f"give a time from {first:g}, that of the first event, to below it"
        )


def _times_of_events(target: SurvivalTarget, weights: Floats, shares: tuple[float, ...]) -> Floats:
    """The first times by which these shares of the events' weight have happened."""
    died = np.flatnonzero(target.event & (weights > 0))
    order = died[np.argsort(target.stop[died], kind="stable")]
    reached = np.cumsum(weights[order])
    return np.asarray(target.stop[order[np.searchsorted(reached, reached[-1] * np.array(shares) * (1 - 1e-12))]])
