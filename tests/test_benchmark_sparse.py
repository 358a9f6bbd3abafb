"""The sparse problems of the benchmarks, and what is judged and measured differently for their sake."""

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

import normball as nb
from benchmarks import __main__ as command
from benchmarks import judge as judging
from benchmarks import plans, problems
from benchmarks import sparse_generators as generators
from benchmarks.cpu_clock import cpu_seconds
from benchmarks.judge import judge, null_gradient
from benchmarks.problems import PROBLEMS, Problem
from benchmarks.session import _threads_tried
from benchmarks.store import Arrays, Page, Solution
from benchmarks.worker import _in_standard_units

DESIGNS = {
    "even": generators.even_rows,
    "counts": generators.word_counts,
    "present": generators.words_present,
    "amounts": generators.amounts,
}
FAMILIES = ("gaussian", "binomial", "poisson")


def small(kind, n=300, p=200, per_row=12, seed=1):
    return DESIGNS[kind](n, p, per_row, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", DESIGNS)
def test_a_seed_gives_one_sparse_matrix_without_empty_columns(kind):
    X, again = small(kind), small(kind)
    assert X.format == "csc"
    assert (again != X).nnz == 0
    assert X.shape[0] == 300
    assert np.diff(X.indptr).min() > 0
    assert X.has_canonical_format
    assert 5 < X.nnz / 300 < 16


def test_each_design_is_of_its_make():
    assert set(np.unique(small("present").data)) == {1.0}
    counts = small("counts").data
    assert np.array_equal(counts, np.round(counts))
    assert counts.max() > 2
    assert small("amounts").data.max() > 100 * np.median(small("amounts").data)
    assert np.bincount(small("even").indices).max() <= 12
    by_frequency = np.diff(small("counts", n=2000).indptr)
    assert by_frequency[:10].min() > 5 * by_frequency[-50:].mean()


@pytest.mark.parametrize("kind", DESIGNS)
def test_unit_deviation_scales_and_does_not_centre(kind):
    X = small(kind)
    scaled = generators.unit_deviation(X)
    dense = X.toarray()
    varying = dense.std(0) > 1e-12
    np.testing.assert_allclose(generators.deviations(X), dense.std(0), atol=1e-9)
    np.testing.assert_allclose(scaled.toarray(), dense[:, varying] / dense.std(0)[varying], rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_targets_are_of_their_family(family):
    y = generators.target(small("present"), family, 20, 0.8, np.random.default_rng(2))
    assert y.shape == (300,)
    assert y.std() > 0
    if family != "gaussian":
        assert np.array_equal(y, np.round(y))
        assert y.min() >= 0
    if family == "binomial":
        assert set(y) == {0.0, 1.0}


def test_the_draws_do_not_change():
    X = small("counts")
    assert (X.shape, X.nnz, X.sum()) == ((300, 200), 3266, 3680.0)
    y = generators.target(X, "binomial", 20, 2.0, np.random.default_rng(2))
    assert y.sum() == 148.0


def test_the_plan_has_every_sparse_problem_beside_the_two_peers():
    jobs = plans.sparse()
    names = {job.problem.name for job in jobs}
    assert {name for name, problem in PROBLEMS.items() if problem.group == "sparse"} < names
    assert {"F", "Fg", "sms_spam", "rcv1_1000", "basehock", "hockey_goals"} < names
    assert all(set(job.solvers) == {"glmnet", "adelie"} for job in jobs)
    assert {job.problem.family for job in jobs} == set(FAMILIES)
    assert {"rcv1_1000", "text_short_rows", "text_counts_scaled"} <= {
        job.problem.name for job in jobs if job.problem.cv
    }
    alone = command._jobs(command._parser().parse_args(["--sparse", "--solver", "normball", "--task", "path"]))
    assert {job.problem.name for job in alone} == names
    assert {(job.solvers, job.tasks) for job in alone} == {((), ("path",))}


@pytest.fixture
def own_units(tmp_path, monkeypatch):
    monkeypatch.setattr(problems, "CACHE", tmp_path)

    def build():
        rng = np.random.default_rng(3)
        X = small("amounts")
        return X, {"y": generators.target(X, "binomial", 10, 2.0, rng)}

    return Problem("tiny", "", "tiny", build, "binomial", "sparse", keeps_units=True, n_lambdas=20)


def test_sparse_columns_in_their_own_units_give_the_path_of_the_scaled_ones(own_units):
    page = Page.read(own_units.page())
    raw, data = page.arrays(raw=True), page.arrays()
    np.testing.assert_allclose(generators.deviations(data.X), 1.0)
    assert raw.X.data.max() > 10 * data.X.data.max()

    class Asked:
        standardises = True

    Asked.page = page
    path = nb.fit_path(raw.X, raw.y, family="binomial", lambdas=raw.lambdas, tol=1e-9, progress=False)
    solution = _in_standard_units(Asked, Solution(path.intercepts, sp.csr_matrix(path.coefs)))
    assert judge(data, "binomial", 1.0, solution).gap.max() < 1e-8


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_the_judge_proves_large_sparse_sets_by_products_as_by_a_factor(family, l1_ratio, monkeypatch):
    X = generators.unit_deviation(small("present"))
    y = generators.target(X, family, 20, 0.8, np.random.default_rng(2))
    data = Arrays(X, y, None, np.zeros(0), np.zeros(300, np.int32))
    data = replace(data, lambdas=np.abs(null_gradient(data, family)).max() / l1_ratio * np.logspace(0, -1.5, 15))
    path = nb.fit_path(
        X, y, family=family, l1_ratio=l1_ratio, lambdas=data.lambdas, standardize=False, tol=1e-6, progress=False
    )
    solution = Solution(path.intercepts, sp.csr_matrix(path.coefs))
    by_factor = judge(data, family, l1_ratio, solution)
    monkeypatch.setattr(judging, "_MANY_ACTIVE", 0)
    by_products = judge(data, family, l1_ratio, solution)
    assert by_products.gap.max() < 1e-6
    np.testing.assert_allclose(by_products.gap, by_factor.gap, atol=2e-8)
    monkeypatch.setattr(judging, "_FEW_STEPS", 1)
    np.testing.assert_allclose(judge(data, family, l1_ratio, solution).gap, by_factor.gap, atol=1e-12)


def test_the_cpu_clock_counts_children_that_live_and_that_have_ended():
    busy = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"
    before = cpu_seconds()
    with subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        living = cpu_seconds() - before
        child.communicate(b"\n")
    ended = cpu_seconds() - before
    assert living >= 0.29
    assert ended >= living - 0.02
    start = time.perf_counter()
    time.sleep(0.1)
    assert cpu_seconds() - before - ended < time.perf_counter() - start


def test_a_peer_with_threads_is_tried_with_one_too():
    assert _threads_tried("adelie", 2) == (1, 2)
    assert _threads_tried("glmnet", 2) == (1,)
    assert _threads_tried("gram", 2) == (2,)
    assert _threads_tried("adelie", 1) == (1,)
