"""Who is at risk at the times of the events, stratum by stratum, and sums over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from normball.survival.target import Floats, Places, SurvivalTarget


@dataclass(frozen=True)
class RiskSets:
    """The distinct times of events of each stratum, one stratum after another, and who is at risk at each.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        Increasing within a stratum.
    strata : ndarray of intp, shape (n_times,)
        The stratum of each time; never decreasing.
    first, last : ndarray of intp, shape (n_rows,)
        Row i is at risk at ``times[first[i]:last[i]]``.
    place : ndarray of intp, shape (n_rows,)
        Where in `times` the event of a row is; -1 for a row without, or without weight.
    """

    times: Floats
    strata: Places
    first: Places
    last: Places
    place: Places

    def over_rows(self, values: Floats) -> Floats:
        """At each time, the sum of the values (n_rows,) or (n_rows, k) of those at risk.

        A row is at risk in a range of times, which is a few nodes of a binary tree over them: only what belongs to a
        sum is added to it. A difference of two running sums would lose small numbers beside large ones.
        """
        size = 1 << max(0, len(self.times) - 1).bit_length()
        tree = np.zeros((2 * size, *values.shape[1:]))
        low, high = self.first + size, np.maximum(self.first, self.last) + size
        while (low < high).any():
            odd = (low < high) & (low % 2 == 1)
            np.add.at(tree, low[odd], values[odd])
            low = low + odd
            odd = (low < high) & (high % 2 == 1)
            high = high - odd
            np.add.at(tree, high[odd], values[odd])
            low, high = low // 2, high // 2
        level = 1
        while level < size:
            tree[2 * level : 4 * level] += np.repeat(tree[level : 2 * level], 2, axis=0)
            level *= 2
        return tree[size : size + len(self.times)]

    def over_events(self, values: Floats) -> Floats:
        """At each time, the sum of the values (n_rows,) or (n_rows, k) of those whose event it is."""
        sums = np.zeros((len(self.times), *values.shape[1:]))
        died = self.place >= 0
        np.add.at(sums, self.place[died], values[died])
        return sums

    def of_stratum(self, stratum: int) -> slice:
        """Where its times are."""
        low, high = np.searchsorted(self.strata, [stratum, stratum + 1])
        return slice(int(low), int(high))


def risk_sets(target: SurvivalTarget, weights: Floats | None = None) -> RiskSets:
    """The risk sets of a target; events of rows without weight are none.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([3.0, 5.0, 5.0]), np.array([True, True, False]))
    >>> sets = risk_sets(target)
    >>> sets.times, sets.over_rows(np.ones(3))
    (array([3., 5.]), array([3., 2.]))
    """
    died = target.event if weights is None else target.event & (weights > 0)
    times = np.unique(target.stop[died])
    width = len(times) + 1

    def key(at: Floats, side: str) -> Places:
        return target.codes * width + np.searchsorted(times, at, side=side)  # type: ignore[call-overload,no-any-return]

    events = key(target.stop, "left")
    keys = np.unique(events[died])
    start = np.full(len(target), -np.inf) if target.start is None else target.start
    return RiskSets(
        times=times[keys % width],
        strata=keys // width,
        first=np.searchsorted(keys, key(start, "right")),
        last=np.searchsorted(keys, key(target.stop, "right")),
        place=np.where(died, np.searchsorted(keys, events), -1),
    )
