"""The benchmarks' problems with several outputs and groups of features, and their judge against the oracle."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from scipy.optimize import approx_fprime

import normball as nb
from benchmarks import __main__ as command
from benchmarks import judge_blocks as judging
from benchmarks import output_data, plans, problems, real_data, report
from benchmarks.bracket import Bracket
from benchmarks.judge import judge, largest_strength, null_loss
from benchmarks.judge_rows import find_row_loss
from benchmarks.problems import PROBLEMS, Problem
from benchmarks.records import Recorder, read
from benchmarks.session import Patience, Session
from benchmarks.solvers import SOLVERS
from benchmarks.store import Arrays, Page, Solution
from oracle_outputs import Problem as Oracle

# family, outputs, whether a feature is taken for all outputs or for none, whether it is in a group
KINDS = (
    ("multinomial", 3, False, False),
    ("multinomial", 3, True, False),
    ("multigaussian", 3, True, False),
    ("gaussian", 1, False, True),
    ("binomial", 1, False, True),
)
N, P, SIZE = 80, 12, 3


def arrays(kind, *, l1_ratio=1.0, sparse=False, offset=False, n_lambdas=20):
    family, n_outputs, grouped, in_groups = kind
    X, vectors = output_data.several_targets(N, P, n_outputs, 5, 2.0, 1)
    y, rng = vectors["y"], np.random.default_rng(2)
    if family == "multinomial":
        y = np.eye(n_outputs)[(y - y.mean(0)).argmax(1)]
    if n_outputs == 1:
        y = (y[:, 0] > 0).astype(float) if family == "binomial" else y[:, 0]
    X = sp.csc_matrix(X * (X > 0.3)) if sparse else X
    groups = np.arange(P, dtype=np.int32) // SIZE if in_groups else None
    known = rng.normal(size=y.shape) * 0.3 if offset else None
    data = Arrays(X, y, known, np.zeros(0), (np.arange(N) % 4).astype(np.int32), grouped, groups)
    top = largest_strength(data, family) / l1_ratio
    return replace(data, lambdas=top * np.logspace(0, -2, n_lambdas))


def oracle(data, family, l1_ratio=1.0):
    return Oracle(
        data.X, data.y, family, l1_ratio=l1_ratio, offset=data.offset, grouped=data.grouped, groups=data.groups,
        orthonormalize=False, standardize=False,
    )  # fmt: skip


def our_path(data, family, l1_ratio=1.0, tol=1e-10):
    groups = {} if data.groups is None else {"groups": data.groups, "orthonormalize": False}
    outputs = {} if data.y.ndim == 1 else {"grouped": data.grouped}
    path = nb.fit_path(
        data.X, data.y.argmax(1) if family == "multinomial" else data.y, family=family, l1_ratio=l1_ratio,
        lambdas=data.lambdas, offset=data.offset, standardize=False, tol=tol, progress=False, **groups, **outputs,
    )  # fmt: skip
    return Solution(path.intercepts, sp.csr_matrix(path.coefs.reshape(-1, P)))


def somewhere(data, seed=3):
    """No solution, with entries, rows and groups that are zero."""
    n_outputs, n_lambdas = data.y.reshape(N, -1).shape[1], data.lambdas.size
    rng = np.random.default_rng(seed)
    coefs = rng.normal(size=(n_lambdas, n_outputs, P)) * (rng.random((n_lambdas, n_outputs, P)) < 0.7) * 0.3
    coefs *= np.repeat(rng.random((n_lambdas, 1, P // SIZE)) < 0.6, SIZE, axis=2)
    intercepts = rng.normal(size=(n_lambdas, n_outputs))
    return Solution(intercepts if data.y.ndim == 2 else intercepts[:, 0], sp.csr_matrix(coefs.reshape(-1, P)))


@pytest.mark.parametrize("family", ["multinomial", "multigaussian", "binomial"])
def test_derivatives_of_rows_are_those_of_the_value(family):
    loss, rng = find_row_loss(family), np.random.default_rng(1)
    n_outputs = 1 if family == "binomial" else 3
    eta = rng.normal(size=(5, n_outputs))
    y = rng.dirichlet(np.ones(3), 5) if family == "multinomial" else (rng.random((5, n_outputs)) > 0.5).astype(float)
    for i in range(5):
        one = slice(i, i + 1)
        slope = approx_fprime(eta[i], lambda e, one=one: loss.value(y[one], e[None])[0], 1e-7)
        np.testing.assert_allclose(loss.slope(y[one], eta[one])[0], slope, atol=1e-6)
        bend = approx_fprime(eta[i], lambda e, one=one: loss.slope(y[one], e[None])[0], 1e-7)
        np.testing.assert_allclose(loss.bend(y[one], eta[one])[0], np.reshape(bend, (n_outputs, -1)), atol=1e-6)
    v = loss.slope(y, eta)
    assert loss.inside(y, v)
    np.testing.assert_allclose(loss.conjugate(y, v), (v * eta).sum(1) - loss.value(y, eta), atol=1e-12)
    outside = np.full_like(v, 2.0) if family == "binomial" else v + np.eye(5, n_outputs) * 3
    assert loss.inside(y, outside) == (family == "multigaussian")


def test_the_best_shift_of_classes_leaves_no_slope_even_far_from_the_start():
    loss, rng = find_row_loss("multinomial"), np.random.default_rng(5)
    y = np.eye(4)[rng.choice(4, 300, p=[0.9, 0.08, 0.01, 0.01])]
    for scale in (0.1, 3.0, 20.0):
        eta = rng.normal(size=(300, 4)) * scale + np.arange(4) * scale
        shift = loss.best_shift(y, eta)
        assert np.abs(loss.slope(y, eta + shift).mean(0)).max() < 1e-12
        assert abs(shift.sum()) < 1e-9


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_judge_of_blocks_agrees_with_the_oracle_anywhere(kind, l1_ratio, sparse):
    data, family = arrays(kind, l1_ratio=l1_ratio, sparse=sparse, offset=True), kind[0]
    solution = somewhere(data)
    verdict, other = judge(data, family, l1_ratio, solution), oracle(data, family, l1_ratio)
    n_outputs = data.y.reshape(N, -1).shape[1]
    coefs = np.asarray(solution.coefs.todense()).reshape(-1, n_outputs, P)
    thetas = [other.theta(b0, b) for b0, b in zip(solution.intercepts, coefs, strict=True)]
    expected = [other.objective(theta, lam) for theta, lam in zip(thetas, data.lambdas, strict=True)]
    np.testing.assert_allclose(verdict.objective, expected, rtol=1e-11)
    assert null_loss(data, family) == verdict.null_loss == pytest.approx(other.null_loss, rel=1e-11)
    bound = [other.solve(lam) for lam in data.lambdas[::6]]
    optimum = np.array([other.objective(best, lam) for best, lam in zip(bound, data.lambdas[::6], strict=True)])
    assert np.all(verdict.dual[::6] <= optimum + 1e-10)
    if sparse:
        return  # the oracle centres the columns: another gradient while the intercept is not at its optimum
    inner = [
        other.size(other.residual(theta, lam))[1:].max() / lam for theta, lam in zip(thetas, data.lambdas, strict=True)
    ]
    slopes = [np.abs(other.gradient(theta)[0]).max() / lam for theta, lam in zip(thetas, data.lambdas, strict=True)]
    np.testing.assert_allclose(verdict.kkt, np.maximum(inner, slopes), rtol=1e-8)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_the_judge_of_blocks_certifies_a_solution_and_no_bound_exceeds_it(kind, l1_ratio):
    data, family = arrays(kind, l1_ratio=l1_ratio, offset=True), kind[0]
    solution = our_path(data, family, l1_ratio)
    exact = judge(data, family, l1_ratio, solution)
    assert exact.gap.max() < 1e-9
    assert exact.kkt.max() < 1e-3
    rough = our_path(data, family, l1_ratio, tol=1e-5)
    proven = judge(data, family, l1_ratio, rough)
    assert proven.gap.max() < 2e-5
    far = judge(data, family, l1_ratio, Solution(rough.intercepts + 0.05, rough.coefs * 0.9))
    for verdict in (proven, far):
        assert np.all(verdict.dual <= exact.objective + 1e-12)
        difference = (verdict.objective - exact.objective) / exact.null_loss
        np.testing.assert_allclose(verdict.suboptimality(exact.dual), difference, atol=1e-9)
        assert np.all(verdict.gap >= difference - 1e-9)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_newton_steps_prove_more_than_the_residual(kind, monkeypatch):
    data, family = arrays(kind), kind[0]
    exact = our_path(data, family)
    rough = replace(exact, coefs=1.003 * exact.coefs)
    with_steps = judge(data, family, 1.0, rough)
    monkeypatch.setattr(judging, "_LOOSE", np.inf)
    assert with_steps.gap.max() < 0.3 * judge(data, family, 1.0, rough).gap.max()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_largest_strength_is_where_coefficients_begin(kind):
    data, family = arrays(kind), kind[0]
    assert data.lambdas[0] == pytest.approx(oracle(data, family).lambda_max(), rel=1e-9)
    just_above, below = (replace(data, lambdas=data.lambdas[:1] * factor) for factor in (1 + 1e-9, 0.99))
    assert our_path(just_above, family).coefs.nnz == 0
    assert our_path(below, family).coefs.nnz > 0


def test_what_is_known_saves_steps_and_changes_no_verdict_on_the_optimum(monkeypatch):
    data, family = arrays(KINDS[1]), KINDS[1][0]
    exact = judge(data, family, 1.0, our_path(data, family))
    known = Bracket.unknown(data.lambdas.size)
    known.take_in(exact.dual, exact.objective)
    monkeypatch.setattr(judging._Case, "_refined_dual", lambda *_: pytest.fail("not needed"))
    rough = judge(data, family, 1.0, our_path(data, family, tol=1e-4), known)
    assert 1e-9 < rough.suboptimality(known.lower).max() < 1e-4


def test_a_bracket_narrows_by_what_a_short_path_has(tmp_path):
    known = Bracket.unknown(3)
    known.take_in(np.array([1.0, 2.0]), np.array([5.0, 4.0]))
    known.take_in(np.array([0.0, 3.0, 1.0]), np.array([2.0, 9.0, 7.0]))
    assert [known.at(i) for i in range(3)] == [(1.0, 2.0), (3.0, 4.0), (1.0, 7.0)]
    known.lower.tofile(tmp_path / "bound.bin")
    assert Bracket.read(tmp_path / "bound.bin", 3).at(1) == (3.0, np.inf)
    assert Bracket.read(tmp_path / "none.bin", 3).at(1) == (-np.inf, np.inf)


def test_a_broken_or_unfinished_path_of_classes_is_judged():
    data, family = arrays(KINDS[0]), KINDS[0][0]
    solution = our_path(data, family)
    intercepts = solution.intercepts.copy()
    intercepts[7, 1] = np.nan
    verdict = judge(data, family, 1.0, Solution(intercepts, solution.coefs))
    assert np.flatnonzero(~np.isfinite(verdict.objective)).tolist() == [7]
    short = judge(data, family, 1.0, Solution(solution.intercepts[:10], solution.coefs[:30]))
    np.testing.assert_allclose(short.objective, judge(data, family, 1.0, solution).objective[:10])


def test_solutions_of_several_outputs_travel_through_files(tmp_path):
    data, family = arrays(KINDS[0]), KINDS[0][0]
    solution = our_path(data, family)
    solution.write(str(tmp_path / "s"))
    back = Solution.read(str(tmp_path / "s"), data.lambdas.size, P, 3)
    np.testing.assert_array_equal(back.intercepts, solution.intercepts)
    np.testing.assert_array_equal(back.coefs.todense(), solution.coefs.todense())


def classes():
    X, vectors = output_data.several_targets(N, P, 3, 5, 2.0, 1)
    return X, {"y": np.eye(3)[vectors["y"].argmax(1)]}


def targets():
    return output_data.several_targets(N, P, 3, 5, 2.0, 1)


def in_groups():
    return output_data.groups_of_features("binomial", N, P, SIZE, 2, 2.0, 1)


TINY = {
    "classes": Problem("c", "", "c", classes, "multinomial", "classes", n_lambdas=20, n_folds=4, cv=True),
    "targets": Problem(
        "t", "", "t", targets, "multigaussian", "classes", n_lambdas=20, n_folds=4, grouped=True, cv=True
    ),
    "groups": Problem("g", "", "g", in_groups, "binomial", "classes", n_lambdas=20, n_folds=4, group_size=SIZE),
}


@pytest.fixture(params=TINY)
def tiny(request, tmp_path, monkeypatch):
    monkeypatch.setattr(problems, "CACHE", tmp_path)
    return TINY[request.param]


def test_a_page_holds_outputs_and_groups(tiny):
    page = Page.read(tiny.page())
    data, (X, vectors) = page.arrays(), tiny.build()
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, vectors["y"])
    assert page.n_outputs == (1 if tiny.group_size else 3)
    assert not page.is_plain
    assert data.grouped == tiny.grouped
    assert data.group_sizes.tolist() == ([SIZE] * (P // SIZE) if tiny.group_size else [1] * P)
    assert data.lambdas[0] == pytest.approx(largest_strength(data, tiny.family), rel=1e-12)
    assert data.lambdas[-1] == pytest.approx(1e-2 * data.lambdas[0])


@pytest.mark.parametrize("solver", ["normball", "scikit-learn"])
def test_solvers_of_this_environment_solve_our_problem(tiny, solver, tmp_path):
    page, kind = Page.read(tiny.page()), SOLVERS[solver]
    if not kind.supports(page):
        assert (solver, tiny.name) == ("scikit-learn", "g")
        return
    data = page.arrays()
    program = kind(page, data, 1)
    program.solution(program.path(1e-6)).write(str(tmp_path / "s"))
    solution = Solution.read(str(tmp_path / "s"), 20, P, page.n_outputs)
    verdict = judge(data, page.family, 1.0, solution)
    assert verdict.gap.max() < 1e-6
    if kind.supports_cv(page):
        assert 0 < program.outcome(program.cv(1e-6)).best < 20


def test_the_peers_that_are_asked_for_each_kind():
    def met(name):
        problem = PROBLEMS[name]
        page = Page("", problem.family, 1.0, 900, 100, False, *[""] * 6)
        n_outputs = 3 if problem.family.startswith("multi") else 1
        page = replace(page, n_outputs=n_outputs, grouped=problem.grouped, groups="g" if problem.has_groups else "")
        return {name for name in SOLVERS if SOLVERS[name].supports(page)}

    assert met("digits") == {"normball", "glmnet", "scikit-learn"}
    assert met("digits_grouped") == {"normball", "glmnet", "adelie"}
    assert met("targets_wide") == {"normball", "glmnet", "adelie", "scikit-learn", "skglm", "celer"}
    assert met("trim32") == {"normball", "adelie", "skglm", "celer"}
    assert met("ames_columns") == {"normball", "adelie", "skglm", "celer"}
    assert met("groups_binomial") == {"normball", "adelie", "skglm"}


def test_strengths_and_solutions_of_adelie_are_ours(tiny):
    page = Page.read(tiny.page())
    page = replace(page, grouped=page.n_outputs > 1)
    data, kind = page.arrays(), SOLVERS["adelie"]
    solver = kind(page, data, 1)
    if tiny.group_size:
        single = np.abs(data.X.T @ (data.y - data.y.mean())).max() / N
        assert data.lambdas[0] / solver._unit == pytest.approx(single)  # where its grid begins
        np.testing.assert_allclose(solver._options(1e-7)["penalty"], solver._unit * np.sqrt(SIZE))
        assert solver._options(1e-7)["groups"].tolist() == [0, 3, 6, 9]
        return
    assert solver._unit == pytest.approx(3 * np.sqrt(3))
    coefs = np.random.default_rng(1).normal(size=(2, 3, P))  # strengths, outputs, features
    betas = sp.csr_matrix(coefs.swapaxes(1, 2).reshape(2, -1))  # the outputs of a feature side by side
    result = SimpleNamespace(intercepts=np.zeros((2, 3)), betas=betas)
    np.testing.assert_array_equal(solver.solution(result).coefs, coefs.reshape(-1, P))


def test_the_plan_has_every_problem_of_the_kind_beside_every_peer():
    jobs = command._jobs(command._parser().parse_args(["--classes"]))
    assert jobs == plans.classes()
    names = {job.problem.name for job in jobs}
    assert names == {one.name for one in output_data.SETS} == {
        name for name, problem in PROBLEMS.items() if problem.group == "classes"
    }  # fmt: skip
    assert {"digits", "digits_grouped", "usps_zip", "cnae9_grouped", "targets_wide", "trim32"} <= names
    assert all(job.tasks == ("path", "cv") and job.problem.cv for job in jobs)
    alone = command._jobs(command._parser().parse_args(["--classes", "--solver", "normball"]))
    assert {job.problem.name for job in alone} == names
    assert {job.solvers for job in alone} == {()}
    real = {name for name in names if PROBLEMS[name].is_real}
    assert names - real == {
        "digits", "digits_grouped", "targets_tall", "targets_wide", "groups_gaussian", "groups_binomial"
    }  # fmt: skip


def test_the_draws_of_targets_and_groups_do_not_change():
    X, vectors = output_data.several_targets(N, P, 3, 5, 2.0, 1)
    assert vectors["y"].shape == (N, 3)
    assert vectors["y"].sum() == pytest.approx(230.915960974096)
    for family, total in {"gaussian": 70.24696536168591, "binomial": 35.0}.items():
        X, vectors = output_data.groups_of_features(family, N, P, SIZE, 2, 2.0, 1)
        assert np.abs(X.mean(0)).max() < 1e-12
        assert vectors["y"].sum() == pytest.approx(total)


@pytest.mark.slow
def test_a_comparison_of_classes_from_data_to_report(tiny, tmp_path):
    if tiny.group_size:
        pytest.skip("no peer of this environment has groups")
    recorder = Recorder(tmp_path / "results.jsonl", "now")
    recorder.add("run", **command.describe(["--classes"]))
    Session(recorder, Patience(limit=60, budget=0.5), SimpleNamespace(doing=str, done=str)).run(
        tiny, ["scikit-learn"], ["path", "cv"], 1
    )
    records = read(recorder.path)
    (path,) = [r for r in records if r["kind"] == "comparison" and r["task"] == "path"]
    assert path["n_outputs"] == 3
    assert max(path["ours"]["suboptimality"], path["theirs"]["suboptimality"]) <= 1e-6
    assert any(r["kind"] == "comparison" and r["task"] == "cv" for r in records) == (tiny.name == "t")
    assert "| scikit-learn |" in report.fastest(records)


def test_groups_of_columns_are_those_of_groups_columns(monkeypatch):
    """An orthonormal basis of the indicators of a column is what `groups="columns"` solves."""
    rng = np.random.default_rng(0)
    kind, size = np.array(["a", "b", "c", "d"])[np.arange(60) % 4], rng.normal(size=60)
    y = size + (kind == "b") + rng.normal(size=60)
    frame = pl.DataFrame({"kind": kind, "size": size, "same": np.ones(60), "y": y})
    monkeypatch.setattr(real_data, "_read", lambda _: frame)
    X, vectors = real_data.by_columns("made", "y")
    assert vectors["groups"].tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(X[:, :3].T @ X[:, :3] / 60, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(X.std(axis=0), 1.0)
    ours = nb.fit_path(frame.drop("same"), "y", groups="columns", n_lambdas=10, tol=1e-10)
    theirs = nb.fit_path(
        X, y, groups=vectors["groups"].astype(int), orthonormalize=False, lambdas=ours.lambdas, tol=1e-10
    )
    np.testing.assert_allclose(theirs.loss, ours.loss, rtol=1e-7)
