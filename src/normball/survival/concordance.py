"""How often the row with the higher risk has the event first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from normball.survival.censoring import CensoringCurve
from normball.survival.target import Floats, Places, SurvivalTarget

Kind: TypeAlias = Literal["harrell", "uno"]
Sums: TypeAlias = tuple[Floats, Floats, Floats]


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
    return _Moments.of(target, weightings.T, events, strength.T).pairs(np.asarray(risk, dtype=float))


@dataclass(frozen=True)
class _Moments:
    """All ends, beginnings and events in the order of time, stratum by stratum.

    Those still at risk after an event are the ones that end after it, less the ones that begin then or later. At the
    same time rows with an event end first; then comes what is asked of events, then what is censored or begins.

    Attributes
    ----------
    strata, rows : ndarray, shape (n_moments,)
        Of each moment.
    present : ndarray, shape (n_moments, n_weightings)
        The weights of the row at an end, less than 0 at a beginning, 0 at an event.
    worth : ndarray, shape (n_moments, n_weightings)
        The strength of each event, 0 elsewhere.
    """

    strata: Places
    rows: Places
    present: Floats
    worth: Floats

    @classmethod
    def of(cls, target: SurvivalTarget, weights: Floats, events: Places, strength: Floats) -> _Moments:
        """Those of weights (n_rows, n_weightings) and the strength (n_events, n_weightings) of these events."""
        known, rank = np.unique(target.stop, return_inverse=True)
        every = np.arange(len(target))
        moments, rows, present = [3 * rank + 2 * ~target.event], [every], [weights]
        if target.start is not None:
            moments.append(3 * (np.searchsorted(known, target.start, side="right") - 1) + 2)
            rows.append(every)
            present.append(-weights)
        moments.append(3 * rank[events] + 1)
        rows.append(events)
        present.append(np.zeros_like(strength))
        whose = np.concatenate(rows)
        worth = np.zeros((len(whose), weights.shape[1]))
        worth[len(whose) - len(events) :] = strength
        order = np.lexsort((np.concatenate(moments), target.codes[whose]))
        return cls(target.codes[whose[order]], whose[order], np.concatenate(present)[order], worth[order])

    def pairs(self, risk: Floats) -> Sums:
        """By each weighting, the pairs of an event and a row at risk after it whose risk is lower, higher, the same."""
        from normball import _native

        places = np.unique(risk, return_inverse=True)[1][self.rows]
        n_places = int(places.max(initial=-1)) + 1
        strata, places = (np.ascontiguousarray(codes, dtype=np.int64) for codes in (self.strata, places))
        lower, higher, same = _native.pair_sums(strata, places, n_places, self.present, self.worth)
        return lower, higher, same


def concordances(target: SurvivalTarget, risks: Floats, weights: Floats, factors: Floats | None = None) -> Floats:
    """The index of each column of `risks` (n_rows, m) as `concordance` has it; NaN where no pair is comparable.

    `factors` (n_rows,) multiply the pairs of each event, as Uno's index has it.

    Examples
    --------
    >>> target = SurvivalTarget(np.array([2.0, 3.0, 5.0]), np.array([True, False, True]))
    >>> concordances(target, np.array([[3.0, 1.0], [2.0, 1.0], [1.0, 1.0]]), np.ones(3))
    array([1. , 0.5])
    """
    strength = weights if factors is None else weights * factors
    events = np.flatnonzero(target.event & (weights > 0))
    moments = _Moments.of(target, weights[:, None], events, strength[events, None])
    return np.array([_index(*moments.pairs(risk))[0] for risk in risks.T])


def _index(concordant: Floats, discordant: Floats, tied: Floats) -> Floats:
    pairs = concordant + discordant + tied
    return np.divide(concordant + 0.5 * tied, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)
