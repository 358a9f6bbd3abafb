"""Features that say nothing about the times of an event, or too much: against every risk set written down."""

import numpy as np
import pytest
from scipy import sparse

from normball.findings.column_statistics import Columns
from normball.findings.design import Table
from normball.findings.survival import about_events, extreme_features
from normball.survival.target import SurvivalTarget
from oracle_cox import CoxLoss
from test_oracle_cox import draw

grid = pytest.mark.parametrize(("strata", "entry"), [(False, False), (True, False), (False, True), (True, True)])


def drawn(seed, n, strata, entry):
    y, options = draw(seed, n, strata, entry)
    names = ("a", "b") if strata else ()
    start = y[:, 0] if entry else None
    return SurvivalTarget(y[:, -2], y[:, -1] == 1, start, options["strata"], names), y, options["strata"]


def by_hand(x, y, strata):
    """Same for all at risk at each event, largest, smallest."""
    loss = CoxLoss(y, strata=strata, ties="breslow")
    sets = [(x[a > 0], x[rho > 0]) for a, rho in zip(loss.a, loss.rho, strict=True)]
    flat = all(np.ptp(every) == 0 for every, _ in sets)
    return (
        flat,
        all((own == every.max()).all() for every, own in sets),
        all((own == every.min()).all() for every, own in sets),
    )


@grid
@pytest.mark.parametrize("seed", range(8))
def test_extreme_features_by_hand(seed, strata, entry):
    """Few rows and few values, so that all kinds occur; dense and sparse."""
    target, y, groups = drawn(seed, 8 + seed % 3, strata, entry)
    rng = np.random.default_rng(seed)
    n = len(y)
    X = np.column_stack([rng.integers(0, 2, (n, 40)), rng.normal(size=(n, 5)), -y[:, -2], y[:, -2], target.codes])
    kinds = np.array([by_hand(x, y, groups) for x in X.T])
    expected = [kinds[:, 0], kinds[:, 1] & ~kinds[:, 0], kinds[:, 2] & ~kinds[:, 0]]
    assert kinds.any(axis=0).all()
    for matrix in (X, sparse.csc_array(X)):
        found = extreme_features(Columns(matrix), target, np.arange(X.shape[1]))
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.tolist() == np.flatnonzero(theirs).tolist()


def table_of(X, names):
    columns = Columns(X)
    low, high = columns.extremes(slice(None))
    return Table(columns, names, names, names, low, np.flatnonzero(low < high), "cox")


def test_what_is_said():
    rng = np.random.default_rng(1)
    n = 40
    stop, codes = rng.permutation(n) + 1.0, np.arange(n) % 2
    event = rng.random(n) < 0.5
    event[stop > 38] = False
    target = SurvivalTarget(stop, event, None, codes, ("a", "b"))
    rare = np.zeros(n)
    rare[np.flatnonzero(~event)[:3]] = 1
    X = np.column_stack([rng.normal(size=n), codes * 7.5, -stop, rare])
    first, second = about_events(table_of(X, ["noise", "site", "speed", "rare"]), target)
    assert (first.code, first.columns, first.fix) == ("W11", ("site",), 'drop=["site"]')
    assert first.text.startswith("Constant within every stratum: site. That says nothing about who has the event")
    assert (second.code, second.columns) == ("W30", ("speed", "rare"))
    assert (
        "has the largest value among those at risk: speed; the smallest value among those at risk: rare." in second.text
    )
    assert "Without a penalty these coefficients grow without limit." in second.text
    assert about_events(table_of(X[:, :1], ["noise"]), target) == []
    (alone,) = about_events(table_of(X[:, [0, 3]], ["noise", "rare"]), target)
    assert "the coefficient grows without limit" in alone.text
    one = SurvivalTarget(stop, event)
    assert [finding.code for finding in about_events(table_of(X[:, :2], ["noise", "site"]), one)] == []
    late = SurvivalTarget(stop, event, stop - 0.5)
    codes_of = [finding.code for finding in about_events(table_of(X[:, :1], ["noise"]), late)]
    assert codes_of == ["W11"]  # nobody is compared with anybody


def test_many_features_are_looked_at_fast():
    """20,000 features of noise and one that follows the time: all but one are ruled out at the first few events."""
    rng = np.random.default_rng(2)
    n, p = 500, 20_000
    stop = rng.permutation(n) + 1.0
    target = SurvivalTarget(stop, rng.random(n) < 0.5)
    X = rng.normal(size=(n, p)).astype(np.float32)
    X[:, 12_345] = np.sqrt(stop)
    flat, largest, smallest = extreme_features(Columns(X), target, np.arange(p))
    assert (flat.size, largest.size, smallest.tolist()) == (0, 0, [12_345])
