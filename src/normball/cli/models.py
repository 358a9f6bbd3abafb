"""Saved models: reading them, and choosing a point on their path."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import TYPE_CHECKING

from normball.cli.source import UsageError
from normball.cli.values import MIX_OF_PENALTY
from normball.family import written
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
    from normball.results.facts import penalty
    from normball.results.fit import Fit
    from normball.results.path import Path

    wanted = asked_mix(arguments)
    if wanted is None:
        return picked(model, made.select) if isinstance(model, Comparison) else model
    option = f"--penalty {arguments.penalty}" if arguments.penalty else f"--l1-ratio {written(wanted)}"
    if isinstance(model, Comparison):
        if wanted in model.l1_ratios:
            return model.with_mix(wanted)
        known = ", ".join(map(written, model.l1_ratios))
        raise UsageError(f"{option} is none of the penalties compared: give --l1-ratio with one of {known}")
    own = model if isinstance(model, (Fit, Path)) else model.path
    if wanted != own.l1_ratio:
        raise UsageError(f"this model holds one penalty, {penalty(own.l1_ratio)}, and no other: leave {option} out")
    return model


def asked_mix(arguments: Namespace) -> float | None:
    """The mix that --l1-ratio or --penalty names."""
    if arguments.penalty is None:
        return arguments.l1_ratio  # type: ignore[no-any-return]
    ratio = MIX_OF_PENALTY[arguments.penalty]
    if arguments.l1_ratio not in (None, ratio):
        raise UsageError(f"--penalty {arguments.penalty} has a fixed --l1-ratio: give one of the two")
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
            raise ValueError(
                f"this model was fitted at lambda {written(model.lam)} alone, so --lam has nothing to choose"
            )
        return model
    low, high = float(model.lambdas[-1]), float(model.lambdas[0])
    if isinstance(lam, str):
        if isinstance(model, Path):
            raise ValueError(f"this path has no cross-validation: give --lam a number from {_within(low, high)}")
        return model.at(rule_of(lam))
    try:
        return model.at(lam=lam)
    except ValueError:
        text = (
            f"the path has no lambda {lam:g}: give --lam a number from {_within(low, high)}, or fit with --select"
            f" {written(lam)}"
        )
        raise ValueError(text) from None


def _within(low: float, high: float) -> str:
    """`0.00124 to 1.23`: four digits that lie inside, so that the ends can be typed."""
    least, most = (
        Context(prec=4, rounding=direction).create_decimal_from_float(end)
        for end, direction in ((low, ROUND_CEILING), (high, ROUND_FLOOR))
    )
    return f"{float(least):g} to {float(most):g}" if least <= most else f"{low!r} to {high!r}"
