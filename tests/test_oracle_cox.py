"""The oracle of Cox's model: by hand, by differences, by another program, and by what must not matter."""

from itertools import product

import cvxpy
import numpy as np
import pytest

from oracle_cox import CoxLoss, Problem

TIES = ("efron", "breslow")
GRID = list(product(TIES, *[(False, True)] * 3))
grid = pytest.mark.parametrize(("ties", "strata", "entry", "weights"), GRID)


def draw(seed, n=14, strata=False, entry=False, weights=False):
    """A target with ties, late entry, and weights of which one is 0; what else `CoxLoss` takes, as options."""
    rng = np.random.default_rng(seed)
    stop = rng.integers(2, 7, n).astype(float)
    event = (rng.random(n) < 0.7).astype(float)
    stop[:3], event[:3] = 4.0, 1.0
    start = np.where(rng.random(n) < 0.5, 0.0, rng.integers(0, 6, n)).clip(0, stop - 1)
    target = np.column_stack([start, stop, event] if entry else [stop, event])
    w = rng.integers(1, 4, n) + 0.5
    w[1] = 0.0
    return target, {"strata": rng.integers(0, 2, n) if strata else None, "weights": w if weights else None}


@pytest.mark.parametrize(("ties", "second"), [("breslow", 20.0), ("efron", 20.0 - 3.0 / 2)])
def test_two_tied_events_of_five_by_hand(ties, second):
    """Risks 1, 2, 4, 5, 8: the rows of 1 and 2 die first, at the same time, then 5 of the risk set {5, 8}; 4 is cut."""
    risks = np.array([1.0, 2, 4, 5, 8])
    loss = CoxLoss(np.array([[1, 1], [1, 1], [2, 0], [3, 1], [9, 0]]), ties=ties)
    likelihood = 1 / 20 * 2 / second * 5 / 13
    saturated = 1 / 4 if ties == "breslow" else 1 / 2
    assert loss.value(np.log(risks)) == pytest.approx(np.log(saturated / likelihood) / 5, rel=1e-14)


def test_late_entry_and_strata_by_hand():
    """At 3 rows 0, 1 are at risk and not 2, which enters at 3; another stratum is never among them."""
    target = np.array([[0, 3, 1], [1, 5, 0], [3, 6, 1], [0, 9, 0], [0, 2, 1.0]])
    eta = np.log([2.0, 3, 5, 7, 11])
    assert CoxLoss(target, strata=[0, 0, 0, 1, 1]).value(eta) == pytest.approx(-np.log(2 / 5 * 1 * 11 / 18) / 5)


@grid
def test_gradient_and_hessian_are_derivatives(ties, strata, entry, weights):
    target, options = draw(1, strata=strata, entry=entry, weights=weights)
    loss, h = CoxLoss(target, ties=ties, **options), 1e-4
    eta = np.random.default_rng(2).normal(size=14)
    shifts = h * np.eye(14)
    slope = [(loss.value(eta + one) - loss.value(eta - one)) / (2 * h) for one in shifts]
    bend = [(loss.gradient(eta + one) - loss.gradient(eta - one)) / (2 * h) for one in shifts]
    np.testing.assert_allclose(loss.gradient(eta), slope, rtol=0, atol=1e-9)
    np.testing.assert_allclose(loss.hessian(eta), bend, rtol=0, atol=1e-9)


@grid
def test_the_lowest_loss_is_zero_and_is_approached(ties, strata, entry, weights):
    target, options = draw(3, strata=strata, entry=entry, weights=weights)
    loss, rng = CoxLoss(target, ties=ties, **options), np.random.default_rng(4)
    early = np.where(target[:, -1] == 1, -60.0 * target[:, -2], -600.0)
    assert loss.value(early) == pytest.approx(0, abs=1e-13)
    assert min(loss.value(s * rng.normal(size=14)) for s in (0.1, 1, 10) for _ in range(20)) > 0.01


@pytest.mark.parametrize("ties", TIES)
def test_wide_linear_predictors_are_harmless(ties):
    target, options = draw(5, strata=True, entry=True, weights=True)
    loss, eta = CoxLoss(target, ties=ties, **options), np.linspace(-500, 500, 14)
    assert np.isfinite(loss.value(eta))
    assert np.isfinite(loss.hessian(eta)).all()
    u = loss.pi(eta)
    assert loss.value(eta) + loss.conjugate_bound(u) == pytest.approx(loss.u(u) @ eta, rel=1e-13)


def conjugate(loss, u):
    """The conjugate by its definition as the cheapest way to spread `u` over the risk sets."""
    q = cvxpy.Variable(loss.a.shape, nonneg=True)
    on = loss.a > 0
    cost = loss.strengths @ cvxpy.sum(cvxpy.multiply(on, cvxpy.kl_div(q, np.where(on, loss.a, 1)) + q - loss.a), axis=1)
    limits = [cvxpy.multiply(~on, q) == 0, cvxpy.sum(q, axis=1) == 1, loss.strengths @ q == u + loss.events]
    problem = cvxpy.Problem(cvxpy.Minimize(cost), limits)
    problem.solve(solver=cvxpy.CLARABEL)
    return problem.value + loss.lowest


@grid
def test_bounds_of_the_conjugate(ties, strata, entry, weights):
    """Exact at a gradient; close to one, and to a Newton step, a little above the truth, never below."""
    target, options = draw(6, strata=strata, entry=entry, weights=weights)
    loss, rng = CoxLoss(target, ties=ties, **options), np.random.default_rng(7)
    eta, step = rng.normal(size=14), 0.1 * rng.normal(size=14)
    exact = loss.gradient(eta) @ eta - loss.value(eta)
    assert loss.conjugate_bound(loss.pi(eta)) == pytest.approx(exact, abs=1e-13)
    assert loss.conjugate_bound(loss.towards_saturation(eta, 0.0)) == pytest.approx(0, abs=1e-14)  # less the infimum
    for s in (0.999, 0.9):
        q = loss.towards_saturation(eta, s)
        np.testing.assert_allclose(loss.u(q), s * loss.gradient(eta), atol=1e-14)
        truth = conjugate(loss, loss.u(q))
        assert truth - 1e-7 <= loss.conjugate_bound(q) <= truth + 20 * (1 - s) ** 2 + 1e-7
    q = loss.after_step(eta, step)
    np.testing.assert_allclose(loss.u(q), loss.gradient(eta) + loss.hessian(eta) @ step, atol=1e-14)
    truth, bound = conjugate(loss, loss.u(q)), loss.conjugate_bound(q)
    tangent = loss.u(q) @ (eta + step) - loss.value(eta + step)
    assert max(tangent, truth - 1e-7) <= bound <= tangent + 1e-3
    after = loss.pi(eta + step)
    chi_square = loss.strengths @ ((q - after) ** 2 / np.where(loss.a > 0, after, 1)).sum(axis=1)
    assert bound - tangent <= chi_square


def minimum(problem, lam):
    """The minimum by a cone solver."""
    theta, (l1, l2) = cvxpy.Variable(problem.v.size), problem.strengths(lam)
    eta, loss = problem.offset + problem.Z @ theta, problem.loss
    worst = [cvxpy.log_sum_exp(log_a[on] + eta[on]) for log_a, on in zip(loss.log_a, loss.a > 0, strict=True)]
    value = loss.strengths @ cvxpy.hstack(worst) - loss.events @ eta - loss.lowest
    penalty = l1 @ cvxpy.abs(theta) + 0.5 * l2 @ cvxpy.square(theta)
    limits = [theta[j] >= problem.lo[j] for j in np.flatnonzero(np.isfinite(problem.lo))]
    whole = cvxpy.Problem(cvxpy.Minimize(value + penalty), limits)
    return whole.solve(solver=cvxpy.CLARABEL)


def draw_problem(seed, ties="efron", strata=False, entry=False, weights=False, **more):
    target, options = draw(seed, 30, strata, entry, weights)
    rng = np.random.default_rng(seed + 1000)
    more = {"offset": 0.5 * rng.normal(size=30) * (seed % 2), "l1_ratio": (1.0, 0.5, 0.0)[seed % 3]} | more
    return Problem(rng.normal(size=(30, 4)) * [1, 3, 0.2, 1], target, ties=ties, **options, **more)


@grid
def test_solved_with_a_proof_and_as_another_program_solves(ties, strata, entry, weights):
    for seed in range(3):
        more = {"penalty_factors": [1, 0, 2, 1]} if seed == 1 else {"lower": -0.1} if seed == 2 else {}
        problem = draw_problem(seed, ties, strata, entry, weights, **more)
        lam = 0.2 * problem.lambda_max() * (0.02 if problem.l1_ratio == 0 else 1)
        theta = problem.solve(lam)
        assert problem.gap(theta, lam) <= 1e-12
        assert problem.kkt(theta, lam) <= 1e-9
        other = minimum(problem, lam)
        assert problem.objective(theta, lam) == pytest.approx(other, abs=1e-7)
        rough = theta + 0.1
        assert max(problem.dual(rough, lam, s) for s in (1, 0.9, 0)) <= other + 1e-7


@pytest.mark.parametrize("ties", TIES)
def test_nothing_enters_at_lambda_max(ties):
    problem = draw_problem(3, ties, strata=True, penalty_factors=[1, 0, 2, np.inf])
    most = problem.lambda_max()
    assert (problem.solve(1.0001 * most)[[0, 2, 3]] == 0).all()
    assert (problem.solve(0.99 * most)[[0, 2]] != 0).any()


@grid
def test_what_does_not_matter(ties, strata, entry, weights):
    """The scale of time, the order of rows, a constant added in a stratum, and rows without weight."""
    target, options = draw(8, strata=strata, entry=entry, weights=weights)
    rng = np.random.default_rng(9)
    eta, order = rng.normal(size=14), rng.permutation(14)
    loss = CoxLoss(target, ties=ties, **options)
    value, gradient = loss.value(eta), loss.gradient(eta)
    later = target.copy()
    later[:, :-1] = np.exp(target[:, :-1])
    shift = 3.0 if options["strata"] is None else 3.0 * options["strata"]
    turned = {name: values if values is None else values[order] for name, values in options.items()}
    w = np.ones(14) if options["weights"] is None else options["weights"]
    kept = {name: values if values is None else values[w > 0] for name, values in options.items()}
    for other, back in (
        (CoxLoss(later, ties=ties, **options), lambda x: x),
        (CoxLoss(target[order], ties=ties, **turned), lambda x: x[order]),
        (CoxLoss(target, ties=ties, **options), lambda x: x + shift if x is eta else x),
        (CoxLoss(target[w > 0], ties=ties, **kept), lambda x: x[w > 0]),
    ):
        assert other.value(back(eta)) == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(other.gradient(back(eta)), back(gradient), rtol=0, atol=1e-14)


def test_weight_two_is_two_rows_for_breslow_only():
    target, _ = draw(10)
    eta, w, twice = np.random.default_rng(11).normal(size=14), np.ones(14), np.r_[np.arange(14), 0, 5]
    w[[0, 5]] = 2
    one, two = ([CoxLoss(target[rows], weights, ties=ties).value(eta[rows]) for ties in TIES]
                for rows, weights in ((np.arange(14), w), (twice, None)))  # fmt: skip
    assert one[1] == pytest.approx(two[1], rel=1e-13)
    assert abs(one[0] - two[0]) > 1e-4


@pytest.mark.parametrize("ties", TIES)
def test_a_row_in_two_pieces_changes_the_number_of_rows_alone(ties):
    target, _ = draw(12, entry=True)
    eta = np.random.default_rng(13).normal(size=14)
    cut = np.array([0.5 * (start + stop) for start, stop, _ in target[:4]])
    first, second = target[:4].copy(), target[:4].copy()
    first[:, 1], first[:, 2], second[:, 0] = cut, 0, cut
    pieces = np.vstack([first, second, target[4:]])
    whole, split = CoxLoss(target, ties=ties), CoxLoss(pieces, ties=ties)
    assert 18 * split.value(np.r_[eta[:4], eta]) == pytest.approx(14 * whole.value(eta), rel=1e-13)
