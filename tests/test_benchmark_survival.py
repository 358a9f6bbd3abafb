"""The judge of Cox models against the oracle, the problems, and what each program is asked."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

import normball as nb
from benchmarks import generators, plans, real_data
from benchmarks.judge import judge, largest_strength, null_loss
from benchmarks.judge_survival import Cox, RiskSets
from benchmarks.problems import PROBLEMS
from benchmarks.solvers import SOLVERS
from benchmarks.store import Arrays, Page, Solution
from oracle_cox import CoxLoss, Problem

FAMILY = "cox(breslow)"


def arrays(n=40, p=6, seed=0, days=12):
    X, y = generators.survival(n, p, 3, 1.0, seed, days=days)
    data = Arrays(X, y, None, np.zeros(0), np.zeros(n, np.int32))
    return replace(data, lambdas=largest_strength(data, FAMILY) * np.logspace(0, -3, 8))


def our_path(data, l1_ratio=1.0, tol=1e-12):
    path = nb.fit_path(
        data.X, data.y, family=FAMILY, l1_ratio=l1_ratio, lambdas=data.lambdas, standardize=False, tol=tol
    )
    return Solution(path.intercepts, sp.csr_matrix(path.coefs))


@pytest.mark.parametrize("days", [0, 12])
def test_the_loss_is_the_oracle_s(days):
    data, rng = arrays(days=days), np.random.default_rng(1)
    loss, eta, step = CoxLoss(data.y, ties="breslow"), 2 * rng.normal(size=40), rng.normal(size=40)
    at = Cox(RiskSets.of(data.y), eta)
    assert at.value == pytest.approx(loss.value(eta), rel=1e-13)
    np.testing.assert_allclose(at.residual(), loss.gradient(eta), rtol=0, atol=1e-15)
    np.testing.assert_allclose(at.bend(step), loss.hessian(eta) @ step, rtol=0, atol=1e-15)
    np.testing.assert_allclose(at.hessian(data.X), data.X.T @ loss.hessian(eta) @ data.X, rtol=0, atol=1e-14)


def test_the_bound_after_a_step_is_never_below_what_the_oracle_finds():
    """By the same distributions, whose divergence it bounds; far steps have none."""
    data, rng = arrays(), np.random.default_rng(2)
    loss = CoxLoss(data.y, ties="breslow")
    for size in (0.3, 0.1, 0.01):
        eta, step = rng.normal(size=40), size * rng.uniform(-1, 1, size=40)
        bound, exact = (
            Cox(RiskSets.of(data.y), eta).conjugate_after(step),
            loss.conjugate_bound(loss.after_step(eta, step)),
        )
        assert exact - 1e-14 <= bound <= exact + size**4 + 1e-14
    assert Cox(RiskSets.of(data.y), eta).conjugate_after(50 * step / size) == np.inf


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_judge_certifies_a_solution_and_no_bound_exceeds_it(l1_ratio):
    data = arrays()
    exact = judge(data, FAMILY, l1_ratio, our_path(data, l1_ratio))
    oracle = Problem(data.X, data.y, ties="breslow", l1_ratio=l1_ratio, standardize=False)
    assert exact.gap.max() < 1e-9
    assert exact.kkt.max() < 1e-3
    assert exact.null_loss == null_loss(data, FAMILY) == pytest.approx(oracle.null_loss, rel=1e-12)
    rng = np.random.default_rng(3)
    coefs = 0.3 * rng.normal(size=(8, 6)) * (rng.random((8, 6)) < 0.6)
    rough = judge(data, FAMILY, l1_ratio, Solution(np.zeros(8), sp.csr_matrix(coefs)))
    thetas = [oracle.theta(0.0, coef) for coef in coefs]
    expected = [oracle.objective(theta, lam) for theta, lam in zip(thetas, data.lambdas, strict=True)]
    np.testing.assert_allclose(rough.objective, expected, rtol=1e-12)
    kkt = [np.abs(oracle.residual(theta, lam)).max() / lam for theta, lam in zip(thetas, data.lambdas, strict=True)]
    np.testing.assert_allclose(rough.kkt, kkt, rtol=1e-9)
    assert (rough.dual <= exact.objective + 1e-14).all()
    assert (rough.objective >= exact.dual).all()
    near = judge(data, FAMILY, l1_ratio, Solution(np.zeros(8), our_path(data, l1_ratio).coefs * 0.999))
    assert (near.dual <= exact.objective + 1e-14).all()
    assert near.gap.max() < 1e-4


def test_a_path_of_no_numbers_is_no_solution():
    data = arrays()
    verdict = judge(data, FAMILY, 1.0, Solution(np.zeros(8), sp.csr_matrix(np.full((8, 6), np.nan))))
    assert np.isinf(verdict.objective).all()


def test_pages_keep_times_and_events_apart_from_outputs(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.problems.CACHE", tmp_path)
    problem = replace(PROBLEMS["cox_trial"], name="tiny", data="tiny", n_lambdas=5)
    page = Page.read(problem.page())
    data = page.arrays()
    assert (page.n_outputs, data.y.shape, page.is_plain) == (1, (700, 2), True)
    assert set(data.y[:, 1]) == {0.0, 1.0}
    assert data.lambdas[0] == pytest.approx(largest_strength(data, FAMILY))
    solver = SOLVERS["normball"](page, data, 1)
    solver.solution(solver.path(1e-8)).write(str(tmp_path / "path"))
    assert judge(data, FAMILY, 1.0, Solution.read(str(tmp_path / "path"), 5, 10)).gap.max() < 1e-6


def test_every_problem_meets_those_who_have_it():
    assert {job.problem.name for job in plans.survival()} == {
        "cox_tall", "cox_trial", "cox_wide", "cox_genes", "metabric9",
    }  # fmt: skip
    page = Page("", FAMILY, 1.0, 700, 10, False, *[""] * 6)
    met = {name for name, solver in SOLVERS.items() if solver.supports(page) and not solver.is_unit}
    assert met == {"normball", "glmnet", "glmstar", "adelie", "scikit-survival"}
    assert not SOLVERS["adelie"].supports_cv(page)


def test_real_times_are_positive(shared_data, monkeypatch):
    monkeypatch.setenv("NORMBALL_BENCHMARK_DATA", str(shared_data))
    X, vectors = real_data.survival("metabric9", drop=("split",))
    assert X.shape == (1904, 9)
    assert vectors["y"].min(axis=0).tolist() == [1.0, 0.0]
