"""The terms of the partial likelihood: who may have the next event, with which probability, at each time and tie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from normball.survival.risk_sets import RiskSets, risk_sets
from normball.survival.target import Floats, Places, SurvivalTarget, Ties

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


def terms_of(target: SurvivalTarget, eta: Floats, w: Floats, ties: Ties, sets: RiskSets | None = None) -> Terms:
    """The terms at a linear predictor; `sets` are those of the target with these weights, if they are known."""
    if ties not in ("efron", "breslow"):
        raise ValueError(f'ties is {ties!r}, but must be "efron" or "breslow"')
    sets = risk_sets(target, w) if sets is None else sets
    rows = np.flatnonzero(w > 0)
    codes = target.codes[rows]
    shifts = np.full(target.n_strata, -np.inf)
    np.maximum.at(shifts, codes, eta[rows])
    risks = np.zeros(len(target))
    risks[rows] = w[rows] * np.exp(eta[rows] - shifts[codes])
    n_tied = np.bincount(sets.place[sets.place >= 0], minlength=len(sets.times))
    n_terms = n_tied if ties == "efron" else np.ones_like(n_tied)
    place = np.repeat(np.arange(len(n_terms)), n_terms)
    fraction = (np.arange(len(place)) - np.repeat(np.cumsum(n_terms) - n_terms, n_terms)) / n_terms[place]
    every, tied = sets.over_rows(risks), sets.over_events(risks)
    if (every > SMALL).all():
        log_total = np.log(every[place] - fraction * tied[place]) + shifts[sets.strata[place]]
    else:
        log_risks = np.full(len(target), -np.inf)
        log_risks[rows] = np.log(w[rows]) + eta[rows]
        log_every, log_tied = sets.log_sums(log_risks), np.full(len(sets.times), -np.inf)
        np.logaddexp.at(log_tied, sets.place[sets.place >= 0], log_risks[sets.place >= 0])
        log_total = log_every[place] + np.log1p(-fraction * np.exp(log_tied - log_every)[place])
    return Terms(sets, risks, shifts, place, fraction, sets.over_events(w)[place] / n_terms[place], log_total)


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
