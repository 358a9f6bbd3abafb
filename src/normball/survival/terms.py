"""The terms of the partial likelihood: who may have the next event, with which probability, at each time and tie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from normball.survival.risk_sets import RiskSets, risk_sets
from normball.survival.target import Floats, Places, SurvivalTarget, Ties, check_ties

SMALL = 1e-250  # sums of risks beside the largest risk: smaller ones are taken by their logarithms


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
    log_total : ndarray, shape (n_terms,)
        The logarithm of the sum of weight times exp(eta) over those at risk.
    """

    sets: RiskSets
    risks: Floats
    shifts: Floats
    place: Places
    fraction: Floats
    strength: Floats
    log_total: Floats

    @property
    def total(self) -> Floats:
        """The sum of the risks; 0 where they are too small beside the largest of the stratum."""
        return np.exp(self.log_total - self.shifts[self.sets.strata[self.place]])

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


@dataclass(frozen=True)
class TermPlaces:
    """Where the terms are, whatever the linear predictor; `place`, `fraction` and `strength` are as in `Terms`."""

    sets: RiskSets
    place: Places
    fraction: Floats
    strength: Floats

    @classmethod
    def of(cls, sets: RiskSets, w: Floats, ties: Ties) -> TermPlaces:
        """Those of a target's risk sets with weights `w` (n_rows,)."""
        check_ties(ties)
        n_tied = np.bincount(sets.place[sets.place >= 0], minlength=len(sets.times))
        n_terms = n_tied if ties == "efron" else np.ones_like(n_tied)
        place = np.repeat(np.arange(len(n_terms)), n_terms)
        fraction = (np.arange(len(place)) - np.repeat(np.cumsum(n_terms) - n_terms, n_terms)) / n_terms[place]
        return cls(sets, place, fraction, sets.over_events(w)[place] / n_terms[place])

    def totals(self, target: SurvivalTarget, etas: Floats, w: Floats) -> tuple[Floats, Floats, Floats]:
        """`risks`, `shifts` and `log_total` of `Terms`, a column for each linear predictor of `etas` (n_rows, m)."""
        counts, shifts = w > 0, np.full((target.n_strata, etas.shape[1]), -np.inf)
        for stratum in range(target.n_strata):
            own = counts if target.strata is None else counts & (target.codes == stratum)
            shifts[stratum] = etas.max(axis=0, where=own[:, None], initial=-np.inf)
        beyond = shifts if target.strata is None else shifts[target.codes]
        centred = np.subtract(etas, beyond, where=counts[:, None], out=np.full_like(etas, -np.inf))
        risks = w[:, None] * np.exp(centred, out=centred)
        every, tied = self.sets.over_rows(risks), self.sets.over_events(risks)
        wide = ~(every > SMALL).all(axis=0)
        with np.errstate(divide="ignore"):
            log_total = np.log(every[self.place] - self.fraction[:, None] * tied[self.place])
        log_total += shifts[self.sets.strata[self.place]]
        if wide.any():
            log_total[:, wide] = self._by_logarithms(etas[:, wide], w)
        return risks, shifts, log_total

    def _by_logarithms(self, etas: Floats, w: Floats) -> Floats:
        """The logarithms of totals of risks that lie too far apart to be added."""
        rows = np.flatnonzero(w > 0)
        log_risks = np.full(etas.shape, -np.inf)
        log_risks[rows] = np.log(w[rows, None]) + etas[rows]
        log_every, log_tied = self.sets.log_sums(log_risks), np.full((len(self.sets.times), etas.shape[1]), -np.inf)
        died = np.flatnonzero(self.sets.place >= 0)
        np.logaddexp.at(log_tied, self.sets.place[died], log_risks[died])
        left = np.exp(log_tied - log_every)[self.place]
        return np.asarray(log_every[self.place] + np.log1p(-self.fraction[:, None] * left))


def terms_of(target: SurvivalTarget, eta: Floats, w: Floats, ties: Ties) -> Terms:
    """The terms at a linear predictor."""
    at = TermPlaces.of(risk_sets(target, w), w, ties)
    risks, shifts, log_total = at.totals(target, eta[:, None], w)
    return Terms(at.sets, risks[:, 0], shifts[:, 0], at.place, at.fraction, at.strength, log_total[:, 0])


def deviances_of_events(target: SurvivalTarget, eta: Floats, w: Floats, ties: Ties) -> Floats:
    """What each event adds to the deviance of the partial likelihood, per unit of its weight; 0 for other rows.

    The loss of the term that an event belongs to, in the mean over those of a time, less that of the saturated model,
    which gives all of the hazard to the rows with the event (M33).
    """
    terms = terms_of(target, eta, w, ties)
    n_times = len(terms.sets.times)
    saturated = np.log(terms.sets.over_events(w)[terms.place] * (1.0 - terms.fraction))
    n_terms = np.bincount(terms.place, minlength=n_times)
    of_times = np.bincount(terms.place, terms.log_total - saturated, n_times) / n_terms
    died = terms.sets.place >= 0
    return np.where(died, 2.0 * (of_times[terms.sets.place] - eta), 0.0)
