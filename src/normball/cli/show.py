"""`normball show`: the summary of a saved model."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

from normball.cli.console import Console
from normball.cli.source import UsageError
from normball.language import message, retold


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    from normball.cli import knots, summary
    from normball.cli.models import asked_mix, choose, load_model, mix_of
    from normball.comparison import Comparison
    from normball.results import facts
    from normball.results.fit import Fit
    from normball.results.path import Path

    console.quiet = False  # what it prints is all that it is asked for
    if arguments.path and arguments.lam:
        raise UsageError("--path shows every lambda: leave --lam out")
    saved, made = load_model(arguments.model)
    model = mix_of(saved, arguments, made)
    if arguments.path:
        if isinstance(model, Fit):
            raise UsageError(f"{arguments.model} holds one model, no path")
        console.result("\n".join(knots.lines(model, console)))
        console.document({"path": knots.document(model)})
        return 0
    if isinstance(model, (Fit, Path)):
        fit = choose(model, arguments.lam) if arguments.lam or isinstance(model, Fit) else None
        console.result(model.summary() if fit is None else fit.summary())
        console.document({"path": model.to_frame().to_dicts() if fit is None else fit.to_frame().to_dicts()})
        return 0
    made = replace(made, select=arguments.lam or made.select)
    choose(model, made.select)
    if made.table:
        console.told(message("Read"), retold(made.table))
        console.told(message("Target"), retold(made.outcome))
    shown = saved if isinstance(saved, Comparison) and asked_mix(arguments) is None else model
    summary.say(shown, model, made, console)
    findings = facts.findings(model, facts.point(model, made.select))
    console.findings(finding.for_another_fit() for finding in findings)
    console.document(summary.document(shown, model, made, {"model": arguments.model}))
    return 0
