"""The time at which predicted and observed survival are compared where none is asked for."""

from __future__ import annotations

import numpy as np

from normball.survival.target import Floats, SurvivalTarget


def horizon(target: SurvivalTarget, weights: Floats) -> float:
    """The median time of the events: the first one by which half of their weight has happened.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0, 8.0]), np.array([True, False, True, True]))
    >>> horizon(target, np.ones(4))
    5.0
    """
    died = np.flatnonzero(target.event & (weights > 0))
    order = died[np.argsort(target.stop[died], kind="stable")]
    reached = np.cumsum(weights[order])
    return float(target.stop[order[np.searchsorted(reached, reached[-1] / 2 * (1 - 1e-12))]])
