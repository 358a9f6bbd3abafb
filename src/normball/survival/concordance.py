"""How often the row with the higher risk has the event first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normball.survival.censoring import CensoringCurve
from normball.survival.target import Floats, Places, SurvivalTarget

Kind: TypeAlias = Literal["harrell", "uno"]
Sums: TypeAlias = tuple[Floats, Floats, Floats]

CACHED = 2**15  # numbers that are compared at a time
MANY = 1000  # rows from which on it takes longer to look at all pairs than to sort them


@dataclass(frozen=True)
class Concordance:
    """Sums over comparable pairs: of two rows of a stratum, the one with an event at t and one still at risk after t.

    Attributes
    ----------
    concordant, discordant, tied : float
        The weights of the pairs in which the row with the event has the higher risk, the lower, the same.
    """

    concordant: float
    discordant: float
    tied: float

    @property
    def index(self) -> float:
        """The share of concordant pairs, tied ones counted half: 0.5 is chance; NaN where no pair is comparable."""
        pairs = self.concordant + self.discordant + self.tied
        return (self.concordant + 0.5 * self.tied) / pairs if pairs > 0 else np.nan


def concordance(
    target: SurvivalTarget,
    risk: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    kind: Kind = "harrell",
    until: float = np.inf,
) -> Concordance:
    """Concordance of risks with the order of the events.

    A pair is comparable if one row has its event at a time t at which the other one is at risk and stays so: it began
    before t, and ended after t or was censored at t. Two events at the same time are not comparable.

    Parameters
    ----------
    target : SurvivalTarget
        Without missing rows. Rows of different strata are not compared.
    risk : array_like, shape (n_rows,)
        The higher, the sooner the event is expected, such as the linear predictor.
    weights : array_like, shape (n_rows,), optional
        Weights of the rows, by default 1; a pair has the product of two.
    kind : {"harrell", "uno"}
        Harrell's index (Harrell, Lee & Mark 1996) takes pairs as they are; it depends on the censoring. Uno's divides
        them by the squared probability of not being censored before t (Uno et al. 2011), taken from each stratum.
    until : float
        Events after this time do not count; for Uno's index, where that probability is small.

    Returns
    -------
    Concordance

    Raises
    ------
    ValueError
        If `kind` is unknown, or Uno's index is asked for with late entry, for which it is not defined.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0]), np.array([True, False, True]))
    >>> concordance(target, [0.7, 0.9, 0.1]).index
    0.5
    """
    w = np.ones(len(target)) if weights is None else np.asarray(weights, dtype=float)
    return Concordance(*(float(one[0]) for one in _sums(target, risk, w[None], kind, until)))


def concordance_by_weighting(
    target: SurvivalTarget, risk: ArrayLike, weightings: Floats, *, kind: Kind = "harrell", until: float = np.inf
) -> Floats:
    """The index of `concordance` under each of several weightings (n_weightings, n_rows); NaN where no pair counts."""
    return _index(*_sums(target, risk, weightings, kind, until))


def _sums(target: SurvivalTarget, risk: ArrayLike, weightings: Floats, kind: Kind, until: float) -> Sums:
    if kind not in ("harrell", "uno"):
        raise ValueError(f'kind is {kind!r}, but must be "harrell" or "uno"')
    events = np.flatnonzero(target.event & (target.stop <= until))
    strength = weightings[:, events]
    if kind == "uno":
        own = target.take(events)
        before = CensoringCurve.fit(target, weightings).before(own.stop, own.codes)
        strength = np.divide(strength, before**2, out=np.zeros_like(strength), where=strength > 0)
    scores = np.unique(np.asarray(risk, dtype=float), return_inverse=True)[1]
    return _pair_sums(target, scores, weightings.T, events, strength.T)


def _pair_sums(target: SurvivalTarget, scores: Places, weights: Floats, events: Places, strength: Floats) -> Sums:
    """For all these events, the weights of the rows still at risk after it that have a lower, a higher, the same score.

    `weights` are (n_rows, n_weightings), and `strength`, that of each event, (n_events, n_weightings).

    Those still at risk after t are the ones that end after t, less the ones that begin at t or later. All ends,
    beginnings and events stand in the order of time; what comes after an event is a difference of running sums. Of two
    different scores the highest bit in which they differ says which is larger: bit by bit, from the highest, the order
    is split, as in a radix sort, into what has a 0 there and what has a 1.
    """
    order, row, signed = _in_order_of_time(target, weights, events)
    score = scores[row][order]
    group, value = target.codes[row][order], signed[order]
    asked = np.zeros_like(signed)
    asked[len(row) - len(events) :] = strength
    asked = asked[order]
    lower, higher = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    for bit in reversed(range(int(scores.max(initial=0)).bit_length())):
        one = (score >> bit) & 1 == 1
        first, last = _ends(group)
        zeros, ones = _running(np.where(one[:, None], 0.0, value)), _running(np.where(one[:, None], value, 0.0))
        here = np.arange(1, len(score) + 1)
        lower += _products(asked[one], zeros[last[one]] - zeros[here[one]])
        higher += _products(asked[~one], ones[last[~one]] - ones[here[~one]])
        n_zeros = _running(~one)
        place = np.where(one, here - 1 + n_zeros[last] - n_zeros[here], first + n_zeros[here] - 1 - n_zeros[first])
        group = 2 * group + one
        for values in (score, group, value, asked):
            values[place] = values.copy()
    every = _running(value)
    return lower, higher, _products(asked, every[_ends(group)[1]] - every[1:])


def _products(first: Floats, second: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->j", first, second))


def concordances(target: SurvivalTarget, risks: Floats, weights: Floats, factors: Floats | None = None) -> Floats:
    """The index of each column of `risks` (n_rows, m) as `concordance` has it; NaN where no pair is comparable.

    Of few rows all pairs are looked at, for all columns at once. `factors` (n_rows,) multiply the pairs of each event,
    as Uno's index has it.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0]), np.array([True, False, True]))
    >>> concordances(target, np.array([[3.0, 1.0], [2.0, 1.0], [1.0, 1.0]]), np.ones(3))
    array([1. , 0.5])
    """
    strength = weights if factors is None else weights * factors
    events = np.flatnonzero(target.event & (weights > 0))
    if len(target) > MANY:
        columns = (np.unique(risk, return_inverse=True)[1] for risk in risks.T)
        asked = strength[events, None]
        return np.array([_index(*_pair_sums(target, one, weights[:, None], events, asked))[0] for one in columns])
    start = np.full(len(target), -np.inf) if target.start is None else target.start
    codes, stop = target.codes, target.stop
    event = np.isin(np.arange(len(target)), events)
    reached, pairs = np.zeros(risks.shape[1]), 0.0
    width = max(1, CACHED // max(1, risks.size))
    for own in (events[first : first + width] for first in range(0, len(events), width)):
        at = stop[own, None]
        later = (stop > at) | ((stop == at) & ~event)
        which, others = np.nonzero((codes == codes[own, None]) & (start < at) & later & (weights > 0))
        asked = strength[own[which]] * weights[others]
        reached += asked @ np.sign(risks[own[which]] - risks[others])
        pairs += asked.sum()
    return 0.5 + 0.5 * reached / pairs if pairs > 0 else np.full(risks.shape[1], np.nan)


def _index(concordant: Floats, discordant: Floats, tied: Floats) -> Floats:
    pairs = concordant + discordant + tied
    return np.divide(concordant + 0.5 * tied, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)


def _in_order_of_time(target: SurvivalTarget, weights: Floats, events: Places) -> tuple[Places, Places, Floats]:
    """The order of all ends, beginnings and events, stratum by stratum; whose each is; its weights, - at a beginning.

    At the same time rows with an event end first; then comes what is asked of events, then what is censored or begins.
    """
    known, rank = np.unique(target.stop, return_inverse=True)
    ends = 3 * rank + 2 * ~target.event
    rows = np.arange(len(target))
    moments, row, signed = [ends], [rows], [weights]
    if target.start is not None:
        moments.append(3 * (np.searchsorted(known, target.start, side="right") - 1) + 2)
        row.append(rows)
        signed.append(-weights)
    moments.append(3 * rank[events] + 1)
    row.append(events)
    signed.append(np.zeros((len(events), weights.shape[1])))
    whose = np.concatenate(row)
    return np.lexsort((np.concatenate(moments), target.codes[whose])), whose, np.concatenate(signed)


def _ends(groups: Places) -> tuple[Places, Places]:
    """For each element of sorted groups, where its group begins and where the next one does."""
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(groups)) + 1, [len(groups)]])
    sizes = np.diff(bounds)
    return np.repeat(bounds[:-1], sizes), np.repeat(bounds[1:], sizes)


def _running(values: NDArray[Any]) -> NDArray[Any]:
    """The sum of the first k values, k = 0, 1, ..."""
    return np.concatenate([np.zeros((1, *values.shape[1:]), dtype=np.intp), np.cumsum(values, axis=0)])
