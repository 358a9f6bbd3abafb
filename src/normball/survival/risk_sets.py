"""Who is at risk at the times of the events, stratum by stratum, and sums over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from normball.survival.target import Floats, Mask, Places, SurvivalTarget


@dataclass(frozen=True)
class _Members:
    """Rows in the order of the times that they belong to; which of `n_times` these are, and where each begins."""

    order: Places
    places: Places
    starts: Places
    n_times: int

    @classmethod
    def of(cls, rows: Places, places: Places, n_times: int) -> _Members:
        order = np.argsort(places, kind="stable")
        return cls(rows[order], *np.unique(places[order], return_index=True), n_times)

    def combined(self, values: Floats, combine: np.ufunc, nothing: float) -> Floats:
        """At each time, the values (n_rows,) or (n_rows, k) of its rows."""
        result = np.full((self.n_times, *values.shape[1:]), nothing)
        if self.order.size:
            result[self.places] = combine.reduceat(values[self.order], self.starts, axis=0)
        return result


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
        """At each time, the sum of the values (n_rows,) or (n_rows, k) of those at risk."""
        return self._combined(values, np.add, 0.0)

    def log_sums(self, values: Floats) -> Floats:
        """At each time, the logarithm of the sum of the exponentials of the values (n_rows,) or (n_rows, k) at risk."""
        return self._combined(values, np.logaddexp, -np.inf)

    def largest(self, values: Floats) -> Floats:
        """At each time, the largest of the values (n_rows,) or (n_rows, k) of those at risk."""
        return self._combined(values, np.maximum, -np.inf)

    def _combined(self, values: Floats, combine: np.ufunc, nothing: float) -> Floats:
        """The values of those at risk at each time, combined: only what belongs to a sum is ever added to it."""
        if self._last_times is None:
            return self._over_ranges(values, combine, nothing)
        result = self._last_times.combined(values, combine, nothing)
        bounds = np.flatnonzero(np.diff(self.strata, prepend=-1, append=-1))
        for own in map(slice, bounds[:-1], bounds[1:]):
            result[own] = combine.accumulate(result[own][::-1])[::-1]
        return result

    @cached_property
    def _last_times(self) -> _Members | None:
        """The rows by the last time at which they are at risk; None where some are not from the beginning on."""
        rows = np.flatnonzero(self.first < self.last)
        if (self.first[rows] != np.searchsorted(self.strata, self.strata[self.first[rows]])).any():
            return None
        return _Members.of(rows, self.last[rows] - 1, len(self.times))

    @cached_property
    def _event_times(self) -> _Members:
        """The rows with an event by its time."""
        died = np.flatnonzero(self.place >= 0)
        return _Members.of(died, self.place[died], len(self.times))

    def _over_ranges(self, values: Floats, combine: np.ufunc, nothing: float) -> Floats:
        """With late entry: a row is at risk in a range of times, which is a few nodes of a binary tree over them.

        A difference of two running sums would lose small numbers beside large ones.
        """
        size = 1 << max(0, len(self.times) - 1).bit_length()
        tree = np.full((2 * size, *values.shape[1:]), nothing)
        low, high = self.first + size, np.maximum(self.first, self.last) + size
        while (low < high).any():
            odd = (low < high) & (low % 2 == 1)
            combine.at(tree, low[odd], values[odd])
            low = low + odd
            odd = (low < high) & (high % 2 == 1)
            high = high - odd
            combine.at(tree, high[odd], values[odd])
            low, high = low // 2, high // 2
        level = 1
        while level < size:
            children = tree[2 * level : 4 * level]
            combine(children, np.repeat(tree[level : 2 * level], 2, axis=0), out=children)
            level *= 2
        return tree[size : size + len(self.times)]

    def over_events(self, values: Floats) -> Floats:
        """At each time, the sum of the values (n_rows,) or (n_rows, k) of those whose event it is."""
        if values.ndim == 1:
            died = np.flatnonzero(self.place >= 0)
            return np.asarray(np.bincount(self.place[died], values[died], len(self.times)), dtype=np.float64)
        return self._event_times.combined(values, np.add, 0.0)

    def of_stratum(self, stratum: int) -> slice:
        """Where its times are."""
        low, high = np.searchsorted(self.strata, [stratum, stratum + 1])
        return slice(int(low), int(high))


_known: WeakKeyDictionary[SurvivalTarget, RiskSets] = WeakKeyDictionary()  # of whole targets: they are asked for often


def risk_sets(target: SurvivalTarget, weights: Floats | None = None) -> RiskSets:
    """The risk sets of a target; events of rows without weight are none.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([3.0, 5.0, 5.0]), np.array([True, True, False]))
    >>> sets = risk_sets(target)
    >>> sets.times, sets.over_rows(np.ones(3))
    (array([3., 5.]), array([3., 2.]))
    """
    if weights is None or (weights[target.event] > 0).all():
        if target not in _known:
            _known[target] = _risk_sets(target, target.event)
        return _known[target]
    return _risk_sets(target, target.event & (weights > 0))


def _risk_sets(target: SurvivalTarget, died: Mask) -> RiskSets:
    """Those where only these rows have an event."""
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


def risk_rows(target: SurvivalTarget) -> Floats:
    """A target as the native code takes it, shape (n, 4); NaN where it is missing.

    Examples
    --------
    >>> risk_rows(SurvivalTarget(np.array([3.0, 5.0, 5.0]), np.array([True, True, False])))
    array([[0., 1., 1., 0.],
           [0., 2., 1., 0.],
           [0., 2., 0., 0.]])
    """
    sets = risk_sets(target)
    begin = np.searchsorted(sets.strata, target.codes)
    rows = np.column_stack([sets.first, sets.last, sets.place >= 0, begin]).astype(np.float64)
    rows[target.missing] = np.nan
    return rows
