"""R's glmnet; its worker is `glmnet.R`, which times itself inside R."""

from __future__ import annotations

from pathlib import Path

from benchmarks.solvers.base import Solver
from benchmarks.store import Page


class Glmnet(Solver):
    """`glmnet` and `cv.glmnet`.

    For squared error glmnet divides y by its standard deviation, but not the ridge part of the penalty; the worker maps
    the mix and the strengths so that it solves our problem. Gamma, Tweedie and negative binomial are family objects,
    for which its reweighting runs in R; Huber's loss is none of them. It has classes, given as a factor, and several
    targets with features for all or for none, but no groups of features.
    """

    name = "glmnet"
    versions = ()
    ladder = (1e-7, 1e-8, 1e-9, 1e-11, 1e-13, 1e-15)
    has_cv = True
    has_threads = False
    standardises = True
    command = ("Rscript", "--vanilla", str(Path(__file__).with_suffix(".R")))

    @classmethod
    def supports(cls, page: Page) -> bool:
        if page.family == "multigaussian" and not (page.grouped and page.l1_ratio == 1):
            return False
        return page.family_name != "huber" and not page.groups
