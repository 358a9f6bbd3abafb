"""Saved models: reading them, and choosing a point on their path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normball.run import Run

if TYPE_CHECKING:
    from normball.cv_result import CVPath
    from normball.results.fit import Fit
    from normball.results.path import Path


def load_model(place: str) -> tuple[Fit | Path | CVPath, Run]:
    """Read a model and, where it is known, where it came from."""
    from normball.model_file import load_with_run

    model, run = load_with_run(place, Run.from_dict)
    return model, run or Run()


def choose(model: Fit | Path | CVPath, lam: str | float) -> Fit:
    """The model at "1se", "best" or a number."""
    from normball.results.fit import Fit
    from normball.results.path import Path

    if isinstance(model, Fit):
        if isinstance(lam, float) and lam != model.lam:
            raise ValueError(f"this model was fitted at lambda {model.lam!r} alone, so --lam has nothing to choose")
        return model
    low, high = model.lambdas[-1], model.lambdas[0]
    if isinstance(lam, str):
        if isinstance(model, Path):
            raise ValueError(f"this path has no cross-validation: give --lam a number from {low:.4g} to {high:.4g}")
        return model.at("best" if lam == "best" else "1se")
    try:
        return model.at(lam=lam)
    except ValueError:
        span = f"{float(low)!r} to {float(high)!r}"
        text = f"the path has no lambda {lam:g}: give --lam a number from {span}, or fit with --select"
        raise ValueError(f"{text} {lam!r}") from None
