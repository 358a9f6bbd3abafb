"""Which problems meet which solvers in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.problems import PROBLEMS, Problem
from benchmarks.solvers import SOLVERS

_OURS = "normball"
# cross-validation in a quick run: the fastest peer of each kind of problem
_QUICK_CV = {
    "A": "scikit-learn",
    "B": "adelie",
    "D": "glmnet",
    "E": "adelie",
    "F": "glmnet",
    "Fg": "glmnet",
    "J": "glmnet",
}
_QUICK_SMALL = ("I_diab", "I_bc")
_QUICK_TWO_THREADS = ("A", "B", "D")
_REAL_SPARSE = ("sms_spam", "rcv1_1000", "basehock", "hockey_goals")
_SLOW = ("skglm", "celer", "glum", "scikit-learn-lars")  # on no workload but the small ones the fastest


@dataclass(frozen=True)
class Job:
    """One problem against some solvers, with one number of threads."""

    problem: Problem
    solvers: tuple[str, ...]
    tasks: tuple[str, ...]
    n_threads: int = 1


def quick() -> list[Job]:
    """The leaders on every workload, what matters most first: the time may end before the list does."""
    jobs = [Job(PROBLEMS[name], PROBLEMS[name].leaders, ("path",)) for name in _QUICK_SMALL]
    for name, solver in _QUICK_CV.items():
        jobs.append(Job(PROBLEMS[name], PROBLEMS[name].leaders, ("path",)))
        jobs.append(Job(PROBLEMS[name], (solver,), ("cv",)))
    jobs += [Job(PROBLEMS[name], PROBLEMS[name].leaders[:1], ("path",), 2) for name in _QUICK_TWO_THREADS]
    rest = [problem for problem in _group("workload") if problem.name not in (*_QUICK_SMALL, *_QUICK_CV)]
    return jobs + [Job(problem, problem.leaders, ("path",)) for problem in rest]


def all_jobs() -> list[Job]:
    """Every solver with one thread, the leaders with two, the hard designs, the growth."""
    problems = [*_group("workload"), *_group("real")]
    peers = tuple(name for name in SOLVERS if name != _OURS)
    fast = tuple(name for name in peers if name not in _SLOW)
    jobs = [Job(problem, fast, ("path", "cv")) for problem in problems]
    jobs += [Job(problem, problem.leaders, ("path", "cv"), 2) for problem in problems]
    jobs += [Job(problem, _SLOW, ("path",)) for problem in problems]
    return jobs + families() + survival() + sparse() + classes() + hard() + growth()


def families() -> list[Job]:
    """The further families, with every peer that has them."""
    return [Job(problem, problem.leaders, ("path",)) for problem in _group("families")]


def survival() -> list[Job]:
    """Cox models, with every peer that has them."""
    return [Job(problem, problem.leaders, ("path", "cv")) for problem in _group("survival")]


def sparse() -> list[Job]:
    """Sparse problems of different make, those of the workloads and real ones with them."""
    problems = [*_group("sparse"), *(PROBLEMS[name] for name in ("F", "Fg", *_REAL_SPARSE))]
    return [Job(problem, problem.leaders, ("path", "cv")) for problem in problems]


def classes() -> list[Job]:
    """Several outputs and groups of features, with every peer that has them."""
    return [Job(problem, problem.leaders, ("path", "cv")) for problem in _group("classes")]


def hard() -> list[Job]:
    """The hard designs, with the peers that take on most of them."""
    return [Job(problem, ("glmnet", "adelie", "scikit-learn"), ("path",)) for problem in _group("hard")]


def growth() -> list[Job]:
    """No peers: how the time of normball grows."""
    return [Job(problem, (), ("cv",) if problem.cv else ("path", "cv")) for problem in _group("growth")]


def chosen(names: Sequence[str]) -> list[Job]:
    """The problems that the command line names, against the leaders."""
    return [Job(PROBLEMS[name], PROBLEMS[name].leaders, ("path", "cv")) for name in names]


def only(jobs: Sequence[Job], solvers: Sequence[str] | None, tasks: Sequence[str]) -> list[Job]:
    """A plan with the solvers and tasks that the command line names; normball alone where only it is named."""
    limited = []
    for job in jobs:
        peers = job.solvers if solvers is None else tuple(one for one in solvers if one != _OURS)
        kept = tuple(task for task in job.tasks if task in tasks)
        if kept:
            limited.append(replace(job, solvers=peers, tasks=kept))
    return list(dict.fromkeys(limited))


def _group(group: str) -> list[Problem]:
    return [problem for problem in PROBLEMS.values() if problem.group == group]
