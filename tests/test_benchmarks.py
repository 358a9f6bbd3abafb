"""The benchmarks' judge against the oracle, and one tiny comparison from data to report."""

import json
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

import normball as nb
from benchmarks import __main__ as command
from benchmarks import generators, levers, problems, report
from benchmarks.judge import judge, null_gradient, null_loss
from benchmarks.plans import all_jobs, chosen, quick
from benchmarks.problems import PROBLEMS, Problem
from benchmarks.process import Failed, Program
from benchmarks.records import Recorder, read
from benchmarks.session import OutOfTime, Patience, Session, _Bench, _Turn
from benchmarks.solvers import SOLVERS
from benchmarks.store import Arrays, Page, Solution
from oracle import Problem as Oracle
from targets import NEW, draw

FAMILIES = ("gaussian", "binomial", "poisson", *NEW)  # that the judge knows


def arrays(family, *, sparse=False, offset=False, n=60, p=12, seed=0):
    rng = np.random.default_rng(seed)
    X = generators.standardise(np.asfortranarray(rng.normal(size=(n, p))))
    if sparse:
        X = sp.csc_matrix(X * (X > 0.5))
    y = draw(family, np.asarray(X @ rng.normal(size=p)).ravel() * 0.5, rng, log=(0.0, 0.5))
    data = Arrays(X, y, rng.normal(size=n) * 0.3 if offset else None, np.zeros(0), (np.arange(n) % 3).astype(np.int32))
    return replace(data, lambdas=np.abs(null_gradient(data, family)).max() * np.logspace(0, -2, 30))


def oracle(data, family, l1_ratio):
    return Oracle(data.X, data.y, family, l1_ratio=l1_ratio, offset=data.offset, standardize=False)


def our_path(data, family, l1_ratio, tol=1e-11):
    path = nb.fit_path(
        data.X, data.y, family=family, l1_ratio=l1_ratio, lambdas=data.lambdas, offset=data.offset,
        standardize=False, tol=tol, progress=False,
    )  # fmt: skip
    return Solution(path.intercepts, sp.csr_matrix(path.coefs))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4, 0.0])
@pytest.mark.parametrize("sparse", [False, True])
def test_judge_agrees_with_the_oracle_anywhere(family, l1_ratio, sparse):
    data = arrays(family, sparse=sparse, offset=True)
    rng = np.random.default_rng(1)
    coefs = rng.normal(size=(data.lambdas.size, 12)) * (rng.random((data.lambdas.size, 12)) < 0.5) * 0.3
    solution = Solution(rng.normal(size=data.lambdas.size), sp.csr_matrix(coefs))
    verdict = judge(data, family, l1_ratio, solution)
    other = oracle(data, family, l1_ratio)
    thetas = [other.theta(b0, b) for b0, b in zip(solution.intercepts, coefs, strict=True)]
    expected = [other.objective(theta, lam) for theta, lam in zip(thetas, data.lambdas, strict=True)]
    np.testing.assert_allclose(verdict.objective, expected, rtol=1e-11)
    assert verdict.null_loss == pytest.approx(other.null_loss, rel=1e-11)
    assert null_loss(data, family) == verdict.null_loss
    if sparse:
        return  # the oracle centres the columns: another gradient while the intercept is not at its optimum
    kkt = [np.abs(other.residual(theta, lam)).max() / lam for theta, lam in zip(thetas, data.lambdas, strict=True)]
    np.testing.assert_allclose(verdict.kkt, kkt, rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4, 0.0])
def test_judge_certifies_a_solution_and_no_bound_exceeds_it(family, l1_ratio):
    data = arrays(family, offset=True)
    exact = judge(data, family, l1_ratio, our_path(data, family, l1_ratio))
    assert exact.gap.max() < 1e-9
    assert exact.kkt.max() < 1e-3
    rough = our_path(data, family, l1_ratio)
    rough = Solution(rough.intercepts + 0.05, rough.coefs * 0.9)
    verdict = judge(data, family, l1_ratio, rough)
    assert np.all(verdict.dual <= exact.objective + 1e-12)
    difference = (verdict.objective - exact.objective) / exact.null_loss
    np.testing.assert_allclose(verdict.suboptimality(exact.dual), difference, atol=1e-9)
    assert np.all(verdict.gap >= difference - 1e-9)


def test_judge_takes_a_broken_or_unfinished_path():
    data = arrays("gaussian")
    solution = our_path(data, "gaussian", 1.0)
    broken = Solution(np.where(np.arange(30) == 7, np.nan, solution.intercepts), solution.coefs)
    verdict = judge(data, "gaussian", 1.0, broken)
    assert np.flatnonzero(~np.isfinite(verdict.objective)).tolist() == [7]
    short = judge(data, "gaussian", 1.0, Solution(solution.intercepts[:10], solution.coefs[:10]))
    assert short.suboptimality(verdict.dual).shape == (10,)


class Silent:
    def doing(self, what):
        pass

    def done(self, line):
        pass


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A problem of 80 rows whose files lie in a temporary folder."""
    monkeypatch.setattr(problems, "CACHE", tmp_path)

    def build():
        X, y = generators.gaussian(80, 6, 0.5, 3, 4, 1)
        return X, {"y": y}

    return Problem("tiny", "80 rows", "tiny", build, "gaussian", "workload", cv=True, n_lambdas=20, n_folds=4)


def test_a_page_holds_the_whole_problem(tiny):
    page = Page.read(tiny.page())
    data = page.arrays()
    X, vectors = tiny.build()
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, vectors["y"])
    assert data.X.flags.f_contiguous
    assert data.lambdas[0] == pytest.approx(np.abs(X.T @ (data.y - data.y.mean())).max() / 80)
    assert np.bincount(data.folds).tolist() == [20] * 4
    assert [test.size for _, test in data.splits] == [20] * 4


def test_columns_in_their_own_units(tiny):
    scaled = replace(
        tiny, name="scaled", data="scaled", keeps_units=True,
        build=lambda: (generators.badly_scaled(tiny.build()[0], 3), tiny.build()[1]),
    )  # fmt: skip
    page = Page.read(scaled.page())
    raw, standard = page.arrays(raw=True).X, page.arrays().X
    assert raw.std(0).max() / raw.std(0).min() == pytest.approx(1e12)
    np.testing.assert_allclose(standard, tiny.build()[0], atol=1e-9)


def test_solutions_travel_through_files(tmp_path):
    solution = Solution(np.array([1.0, 2.0]), sp.csr_matrix([[0.0, 3.0, 0.0], [1.0, 0.0, -2.0]]))
    solution.write(str(tmp_path / "s"))
    back = Solution.read(str(tmp_path / "s"), 2, 3)
    np.testing.assert_array_equal(back.intercepts, solution.intercepts)
    np.testing.assert_array_equal(back.coefs.todense(), solution.coefs.todense())


def test_the_draws_of_the_generators_do_not_change():
    X, y = generators.gaussian(30, 5, 0.5, 3, 4, 1)
    assert np.abs(X.mean(0)).max() < 1e-15
    np.testing.assert_allclose((X**2).mean(0), 1)
    assert X[0, 0] == pytest.approx(0.4974914790170577)
    assert y[0] == pytest.approx(0.762318977444576)


@pytest.mark.slow
def test_a_comparison_from_data_to_report(tiny, tmp_path):
    results = tmp_path / "results.jsonl"
    recorder = Recorder(results, "now")
    recorder.add("run", **command.describe(["--problem", "tiny"]))
    session = Session(recorder, Patience(limit=60, budget=0.5), Silent())
    session.run(tiny, ["scikit-learn"], ["path", "cv"], 1)
    records = read(results)
    compared = {(r["task"], r["theirs"]["solver"]): r for r in records if r["kind"] == "comparison"}
    assert set(compared) == {("path", "scikit-learn"), ("cv", "scikit-learn"), ("cv/path", "normball path")}
    path, cv = compared["path", "scikit-learn"], compared["cv", "scikit-learn"]
    assert path["ours"]["suboptimality"] <= 1e-6
    assert path["theirs"]["suboptimality"] <= 1e-6
    assert path["ours"]["n_sweeps"] > 0
    assert path["ratio"]["min"] <= path["ratio"]["median"] <= path["ratio"]["max"]
    assert cv["ours"]["best"] == cv["theirs"]["best"]
    assert not [r for r in records if r["kind"] == "failure" and r["why"].startswith("ended")]
    page = report.write(records, tmp_path / "report").read_text()
    assert "scikit-learn" in page
    assert "Cross-validation against our own path" in page
    assert "| tiny | path | 1 |" in report.fastest(records)


@pytest.mark.slow
def test_units_are_mapped_back_before_judging(tiny, tmp_path):
    scaled = replace(
        tiny, name="scaled", data="scaled", keeps_units=True, cv=False,
        build=lambda: (generators.badly_scaled(tiny.build()[0], 3), tiny.build()[1]),
    )  # fmt: skip
    recorder = Recorder(tmp_path / "results.jsonl", "now")
    Session(recorder, Patience(limit=60, budget=0.1), Silent()).run(scaled, [], ["path"], 1)
    assert [r["ours"]["solver"] for r in read(recorder.path) if r["kind"] == "timing"] == ["normball"]
    attempts = [r for r in read(recorder.path) if r["kind"] == "attempt"]
    assert attempts[-1]["suboptimality"] <= 1e-6


@pytest.mark.slow
def test_a_program_that_fails_or_takes_too_long_says_so(tiny, monkeypatch):
    page = tiny.page()
    with Program("normball", page, 1, 60.0) as program:
        program.limit = 0.0
        with pytest.raises(Failed, match="no answer within 0 s"):
            program.measure("path", 1e-6, 100_000)
        with pytest.raises(Failed, match="ended"):
            program.measure("path", 1e-6)
    monkeypatch.setenv("NORMBALL_BENCHMARK_PEERS", sys.executable)
    monkeypatch.setattr(SOLVERS["celer"], "versions", ("no-such-distribution",))
    monkeypatch.setattr(SOLVERS["glmnet"], "command", ("no-such-program",))
    with pytest.raises(Failed, match="not installed"):
        Program("glmnet", page, 1, 60.0)


def test_what_a_program_has_started_ends_with_it(tiny, tmp_path, monkeypatch):
    script = """import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print('@{"ready": true, "versions": {}}', flush=True)
sys.stdin.read()
"""
    (tmp_path / "program.py").write_text(script)
    monkeypatch.setattr(SOLVERS["glmnet"], "command", (sys.executable, str(tmp_path / "program.py")))
    started = time.monotonic()
    with Program("glmnet", tiny.page(), 1, 60.0):
        pass  # the child has the pipes of its parent
    assert time.monotonic() - started < 60


def test_a_folder_is_measured_in_place_of_what_is_installed(tiny, tmp_path):
    package = tmp_path / "package"
    (package / "normball").mkdir(parents=True)
    (package / "normball" / "__init__.py").write_text("def fit_path(*_, **__):\n    raise ValueError('from here')\n")
    with pytest.raises(Failed, match="from here"):
        Program("normball", tiny.page(), 1, 60.0, package)


def test_the_table_of_levers_keeps_the_last_measurement_and_says_what_has_none():
    newest, facts = levers.STEPS[-1].revision, {"n_threads": 1, "workload": "B+cv"}
    records = [
        {**facts, "revision": "old", "error": "no answer within 60 s"},
        {**facts, "revision": "new", "seconds": 0.1234, "n_sweeps": 12.0, "own_gap": 3e-7},
    ]
    lines = levers.table(records, 1, {"old": "a start", "new": newest}).splitlines()
    assert lines[2] == "| revision | brings | B+cv |"
    assert "| old | a start | > limit |" in lines
    assert [f"| new | {newest} | {cell} |" in lines for cell in ("0.123", "12", "3.0e-07")] == [True] * 3


@pytest.mark.parametrize(("seconds", "expected"), [(0.1, 7), (1.0, 5), (4.0, 3), (5.1, 1)])
def test_short_rounds_are_repeated(seconds, expected):
    assert Patience(limit=60, budget=5).rounds(seconds) == expected


def test_what_is_quick_beside_a_long_program_is_measured_warm(tiny, tmp_path, monkeypatch):
    taken = {"normball": [0.2, 0.1], "celer": [9.0]}

    class Scripted:
        def __init__(self, solver, *_):
            self.name, self.times = solver, list(taken[solver])

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def measure(self, *_):
            seconds = self.times.pop(0)
            return {"seconds": seconds, "cpu": seconds, "extra_mib": 0.0}

    monkeypatch.setattr("benchmarks.session.Program", Scripted)
    recorder = Recorder(tmp_path / "r.jsonl", "now")
    session = Session(recorder, Patience(limit=60, budget=5), Silent())
    sides = [_Turn(solver, "path", {"rung": 1e-6, "threads": 1}) for solver in taken]
    session._turns(_Bench(tiny, 1), "path", *sides)
    (record,) = read(recorder.path)
    assert (record["ours"]["seconds"], record["theirs"]["seconds"]) == ([0.1], [9.0])


def test_a_session_begins_nothing_after_its_deadline(tiny, tmp_path):
    session = Session(Recorder(tmp_path / "r.jsonl", "now"), Patience(1, 1, deadline=0.0), Silent())
    with pytest.raises(OutOfTime):
        session.run(tiny, [], ["path"], 1)


def test_records_survive_a_line_that_was_cut_off(tmp_path):
    recorder = Recorder(tmp_path / "r.jsonl", "now")
    recorder.add("timing", problem="A")
    with recorder.path.open("a") as file:
        file.write(json.dumps({"kind": "timing"})[:10])
    assert [record["problem"] for record in read(recorder.path)] == ["A"]


def test_the_command_lists_and_explains(capsys, tmp_path):
    assert command.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in (*PROBLEMS, *SOLVERS))
    with pytest.raises(SystemExit):
        command.main(["report", str(tmp_path / "none.jsonl")])
    assert "there is no file" in capsys.readouterr().err


def test_plans_name_what_exists():
    for job in [*quick(), *all_jobs(), *chosen(["A"])]:
        assert set(job.solvers) <= set(SOLVERS)
        assert job.problem is PROBLEMS[job.problem.name]
    assert {problem.group for problem in PROBLEMS.values()} == {
        "workload",
        "families",
        "survival",
        "sparse",
        "classes",
        "hard",
        "growth",
        "real",
    }


def test_threads_are_those_asked_for_in_every_plan():
    words = {"quick": [], "hard": ["--hard"], "families": ["--families"], "named": ["--problem", "A", "B"]}
    for given in words.values():
        jobs = command._jobs(command._parser().parse_args([*given, "--threads", "2", "1"]))
        assert {job.n_threads for job in jobs} == {1, 2}
        assert len(jobs) == len(set(jobs))


def test_the_report_takes_what_a_later_run_found(tmp_path):
    recorder = Recorder(tmp_path / "r.jsonl", "now")
    recorder.add("run", **command.describe([]))
    where = {"problem": "A", "group": "workload", "family": "gaussian", "threads": 1, "task": "path", "n_folds": 10}

    def compared(solver, seconds):
        side = {"rung": 1e-6, "suboptimality": 1e-9, "extra_mib": 1.0}
        recorder.add(
            "comparison", **where, x_mib=10.0, ours={**side, "solver": "normball", "seconds": [1.0], "cpu": [1.0]},
            theirs={**side, "solver": solver, "seconds": [seconds], "cpu": [2 * seconds]},
            ratio={"median": seconds, "min": seconds, "max": seconds, "rounds": 1},
        )  # fmt: skip

    recorder.add("failure", **where, solver="normball", why="too slow")
    compared("glmnet", 4.0)
    compared("adelie", 3.0)
    compared("gram", 0.5)
    recorder.add("failure", **where, solver="adelie", why="crashed")
    compared("glmnet", 2.0)
    text = report.fastest(read(recorder.path))
    assert "| glmnet | 2.000 |" in text
    assert "Not reached within the time or tolerances tried: A path adelie." in text
    page = report.write(read(recorder.path), tmp_path / "report").read_text()
    assert "| gram |" in page
    assert "| 2.000 | 4.000 |" in page  # wall and CPU seconds of the last
    assert "| 4.000 | 8.000 |" not in page
