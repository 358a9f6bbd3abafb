"""Saved models: reading them, and choosing a point on their path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normball.cli.values import MIX_OF_PENALTY
from normball.run import Run, rule_of

if TYPE_CHECKING:
    from argparse import Namespace

    from normball.comparison import Comparison
    from normball.cv_result import CVPath
    from normball.model_file import Model
    from normball.results.fit import Fit
    from normball.results.path import Path


def load_model(place: str) -> tuple[Model, Run]:
    """Read a model and, where it is known, where it came from."""
    from normball.model_file import load_with_run

    model, run = load_with_run(place, Run.from_dict)
    return model, run or Run()


def mix_of(model: Model, arguments: Namespace, made: Run) -> Fit | Path | CVPath:
    """The model with the mix asked for; of a comparison, if none is, the one that was picked."""
    from normball.comparison import Comparison

    wanted = asked_mix(arguments)
    if isinstance(model, Comparison):
        return picked(model, made.select) if wanted is None else model.with_mix(wanted)
    own = (model if not hasattr(model, "path") else model.path).l1_ratio
    if wanted is not None and wanted != own:
        raise ValueError(f"this model has l1_ratio={own!r} alone, so there is no other to choose")
    return model


def asked_mix(arguments: Namespace) -> float | None:
    """The mix that --l1-ratio or --penalty names."""
    if arguments.penalty is None:
        return arguments.l1_ratio  # type: ignore[no-any-return]
    ratio = MIX_OF_PENALTY[arguments.penalty]
    if arguments.l1_ratio not in (None, ratio):
        raise ValueError(f"--penalty {arguments.penalty} has a fixed --l1-ratio: give one of the two")
    return ratio


def picked(comparison: Comparison, select: str | float) -> CVPath:
    """The mix that a choice of lambda goes with."""
    return comparison.pick(rule_of(select))


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
        return model.at(rule_of(lam))
    try:
        return model.at(lam=lam)
    except ValueError:
        span = f"{float(low)!r} to {float(high)!r}"
        text = f"the path has no lambda {lam:g}: give --lam a number from {span}, or fit with --select"
        raise ValueError(f"{text} {lam!r}") from None
