"""The terms of the partial likelihood: who may have the next event, with which probability, at each time and tie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from normball.survival.risk_sets import RiskSets, risk_sets
from normball.survival.target import Floats, Places, SurvivalTarget

Ties: TypeAlias = Literal["efron", "breslow"]


@dataclass(frozen=True)
class Terms:
    """One term for each time of events (Breslow 1974), or for each event that is tied there (Efron 1977).

    In term l = 0, 1, ... of d tied events the risk set is everybody at risk, the tied ones with 1 - l/d of their risk;
    the weight of a term is the mean weight of the tied events (Therneau & Grambsch 2000, section 3.3).

    Attributes
    ----------
    sets : RiskSets
        The times.
    risks : ndarray, shape (n_rows,)
        Weight times exp(eta - shift of the row's stratum).
    shifts : ndarray, shape (n_strata,)
        The largest eta of each stratum.
    place : ndarray of intp, shape (n_terms,)
        Where in ``sets.times`` a term is.
    fraction : ndarray, shape (n_terms,)
        l/d, the part of the risk of the tied events that is left out.
    strength : ndarray, shape (n_terms,)
        The weight of a term; those of a time sum to the weights of its events.
    total : ndarray, shape (n_terms,)
        The sum of the risks.
    """

    sets: RiskSets
    risks: Floats
    shifts: Floats
    place: Places
    fraction: Floats
    strength: Floats
    total: Floats

    def mean(self, values: Floats) -> Floats:
        """The mean (n_terms, k) of the values (n_rows, k) over each risk set."""
        weighted = self.risks[:, None] * values
        every, tied = self.sets.over_rows(weighted)[self.place], self.sets.over_events(weighted)[self.place]
        return np.asarray((every - self.fraction[:, None] * tied) / self.total[:, None])

    def over_terms(self, values: Floats) -> Floats:
        """For each row the sum of the values (n_terms,), each times the probability that it is this row."""
        n_times = len(self.sets.times)
        rates = np.bincount(self.place, values / self.total, n_times)
        running = np.concatenate([[0.0], np.cumsum(rates)])
        left_out = np.append(np.bincount(self.place, self.fraction * values / self.total, n_times), 0.0)
        return np.asarray(self.risks * (running[self.sets.last] - running[self.sets.first] - left_out[self.sets.place]))


def terms_of(target: SurvivalTarget, eta: Floats, weights: Floats | None, ties: Ties) -> Terms:
    """The terms at a linear predictor."""
    if ties not in ("efron", "breslow"):
        raise ValueError(f'ties is {ties!r}, but must be "efron" or "breslow"')
    w = np.ones(len(target)) if weights is None else weights
    sets = risk_sets(target, w)
    shifts = np.full(target.n_strata, -np.inf)
    np.maximum.at(shifts, target.codes[w > 0], eta[w > 0])
    risks = np.zeros(len(target))
    risks[w > 0] = w[w > 0] * np.exp(eta - shifts[target.codes])[w > 0]
    died = sets.over_events(w)
    n_tied = np.bincount(sets.place[sets.place >= 0], minlength=len(sets.times))
    n_terms = n_tied if ties == "efron" else np.ones_like(n_tied)
    place = np.repeat(np.arange(len(n_terms)), n_terms)
    fraction = (np.arange(len(place)) - np.repeat(np.cumsum(n_terms) - n_terms, n_terms)) / n_terms[place]
    every, tied = sets.over_rows(risks), sets.over_events(risks)
    total = every[place] - fraction * tied[place]
    return Terms(sets, risks, shifts, place, fraction, died[place] / n_terms[place], total)
