"""Saved models: reading them, and choosing a point on their path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from normball.report.run import Run

if TYPE_CHECKING:
    from normball.cv_results import CVPath
    from normball.results import Fit, Path


def load_model(place: str) -> tuple[CVPath | Path, Run]:
    """Read a model and, where it is known, where it came from."""
    from normball.model_file import load

    model = load(place)
    with open(place, encoding="utf-8") as file:
        run = json.load(file).get("run")
    return model, Run.from_dict(run or {})


def choose(model: CVPath | Path, lam: str | float) -> Fit:
    """The model at "1se", "best" or a number."""
    from normball.results import Path

    if isinstance(model, Path):
        if isinstance(lam, str):
            low, high = model.lambdas[-1], model.lambdas[0]
            raise ValueError(f"this path has no cross-validation: give --lam a number from {low:.4g} to {high:.4g}")
        return model.at(lam=lam)
    return model.at(lam=lam) if isinstance(lam, float) else model.at("best" if lam == "best" else "1se")
