"""L1- and L2-regularised models: whole paths, cross-validated, certified.

The names below are imported on first use, so that ``import normball`` costs next to nothing.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from normball.ball import fit_ball
    from normball.check import check
    from normball.cv import CVPath, compare, cv_path
    from normball.estimators import GLMClassifier, GLMClassifierCV, GLMRegressor, GLMRegressorCV
    from normball.messages import DataError, Interrupted, NormballWarning, NotConverged
    from normball.model_file import load
    from normball.path import Fit, Path, fit_path

__version__ = "0.1.0"

__all__ = [
    "CVPath",
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
    "check",
    "compare",
    "cv_path",
    "fit_ball",
    "fit_path",
    "load",
]

_MODULE_OF = {
    "CVPath": "cv",
    "DataError": "messages",
    "Fit": "path",
    "GLMClassifier": "estimators",
    "GLMClassifierCV": "estimators",
    "GLMRegressor": "estimators",
    "GLMRegressorCV": "estimators",
    "Interrupted": "messages",
    "NormballWarning": "messages",
    "NotConverged": "messages",
    "Path": "path",
    "check": "check",
    "compare": "cv",
    "cv_path": "cv",
    "fit_ball": "ball",
    "fit_path": "path",
    "load": "model_file",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'normball' has no attribute {name!r}")
    value = getattr(import_module(f"normball.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps `normball.check` the function when the submodule of the same name is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if name != "check" or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
