"""L1- and L2-regularised models: whole paths, cross-validated, certified.

The names below are imported on first use, so that ``import normball`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from normball.version import __version__ as __version__

if TYPE_CHECKING:
    from normball.ball import fit_ball
    from normball.batch import fit_paths
    from normball.blocks.opening import Blocks
    from normball.blocks.tables import open_table
    from normball.comparison import Comparison
    from normball.cv import cv_path
    from normball.cv_result import CVPath
    from normball.estimators import GLMClassifier, GLMClassifierCV, GLMRegressor, GLMRegressorCV
    from normball.estimators_survival import CoxRegressor, CoxRegressorCV
    from normball.findings.check import check
    from normball.inputs.tables import read_table
    from normball.messages import DataError, Interrupted, NormballWarning, NotConverged
    from normball.mixes import compare
    from normball.model_file import load
    from normball.path import fit_path
    from normball.results.fit import Fit
    from normball.results.path import Path
    from normball.results.paths import Paths

__all__ = [
    "Blocks",
    "CVPath",
    "Comparison",
    "CoxRegressor",
    "CoxRegressorCV",
    "DataError",
    "Fit",
    "GLMClassifier",
    "GLMClassifierCV",
    "GLMRegressor",
    "GLMRegressorCV",
    "Interrupted",
    "NormballWarning",
    "NotConverged",
    "Path",
    "Paths",
    "check",
    "compare",
    "cv_path",
    "fit_ball",
    "fit_path",
    "fit_paths",
    "load",
    "open_table",
    "read_table",
]

_MODULE_OF = {
    "Blocks": "blocks.opening",
    "CVPath": "cv_result",
    "Comparison": "comparison",
    "CoxRegressor": "estimators_survival",
    "CoxRegressorCV": "estimators_survival",
    "DataError": "messages",
    "Fit": "results.path",
    "GLMClassifier": "estimators",
    "GLMClassifierCV": "estimators",
    "GLMRegressor": "estimators",
    "GLMRegressorCV": "estimators",
    "Interrupted": "messages",
    "NormballWarning": "messages",
    "NotConverged": "messages",
    "Path": "results.path",
    "Paths": "results.paths",
    "check": "findings.check",
    "compare": "mixes",
    "cv_path": "cv",
    "fit_ball": "ball",
    "fit_path": "path",
    "fit_paths": "batch",
    "load": "model_file",
    "open_table": "blocks.tables",
    "read_table": "inputs.tables",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'normball' has no attribute {name!r}")
    value = getattr(import_module(f"normball.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
