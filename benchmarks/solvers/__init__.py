"""The programs that are compared, one file each. Nothing of a program is imported before a worker needs it."""

from __future__ import annotations

from benchmarks.solvers.adelie import Adelie, AdelieCovariance
from benchmarks.solvers.base import Solver
from benchmarks.solvers.celer import Celer
from benchmarks.solvers.glmnet import Glmnet
from benchmarks.solvers.glmstar import Glmstar
from benchmarks.solvers.glum import Glum
from benchmarks.solvers.gram import Gram, WideVectorGram
from benchmarks.solvers.normball import Normball
from benchmarks.solvers.scikit_learn import ScikitLearn, ScikitLearnLars
from benchmarks.solvers.scikit_survival import ScikitSurvival
from benchmarks.solvers.skglm import Skglm

SOLVERS: dict[str, type[Solver]] = {
    solver.name: solver
    for solver in (
        Normball,
        Adelie,
        AdelieCovariance,
        Celer,
        Glmnet,
        Glmstar,
        Glum,
        Gram,
        ScikitLearn,
        ScikitLearnLars,
        ScikitSurvival,
        Skglm,
        WideVectorGram,
    )
}
