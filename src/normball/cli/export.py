"""`normball export`: a saved model as a file that another program predicts with."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any, cast

from normball.cli.console import Console, labelled
from normball.cli.source import UsageError
from normball.export.targets import BINARY, ENDINGS, TARGETS
from normball.language import message

if TYPE_CHECKING:
    from normball.export.exporting import ExportOptions
    from normball.results.fit import Fit
    from normball.run import Run


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    from normball.cli.models import choose, load_model, mix_of
    from normball.cli.outputs import STDOUT
    from normball.export.exporting import exported
    from normball.files import write_bytes

    target = _target(arguments)
    place = arguments.output or STDOUT[0]
    if place in STDOUT and target in BINARY:
        raise UsageError(f"-o is needed: a file for {target} is no text, so name one")
    model, made = load_model(arguments.model)
    fit = choose(mix_of(model, arguments, made), arguments.lam or made.select)
    try:
        content = exported(fit, target, _options(arguments, fit, made))
    except ImportError as error:
        raise UsageError(str(error)) from None
    if place not in STDOUT:
        write_bytes(place, content.encode() if isinstance(content, str) else content)
        console.written.append(place)
        console.note(labelled(message("Wrote"), f"the model at lambda {fit.lam:.4g} to {place}"))
    elif not console.machine:
        console.product(str(content).removesuffix("\n"))
    told = {"content": content} if place in STDOUT else {"files": {"export": place}}
    console.document({"model": arguments.model, "lam": fit.lam, "to": target, **told})
    return 0


def _target(arguments: Namespace) -> str:
    """What --to says, or the ending of -o."""
    ending = "." + (arguments.output or "").lower().rpartition(".")[2]
    told = ENDINGS.get(ending)
    if arguments.to is None and told is None:
        raise UsageError(f"--to is needed, or -o with an ending that tells: one of {', '.join(TARGETS)}")
    if arguments.to is not None and told not in (None, arguments.to):
        raise UsageError(f"--to is {arguments.to}, but {arguments.output} is the name of a file for {told}")
    return str(arguments.to or told)


def _options(arguments: Namespace, fit: Fit, made: Run) -> ExportOptions:
    """What was given, and the columns of the offset as they were called for the fit."""
    given = {name: getattr(arguments, name) for name in ("unknown", "kind", "times", "dialect", "table", "keep")}
    options: dict[str, Any] = {name: value for name, value in given.items() if value}
    if made.exposure:
        options["exposure"] = made.exposure
    elif made.offset:
        options["offset"] = made.offset
    elif fit.has_offset:
        raise UsageError("the model has an offset whose column is not known: export in Python, with offset=")
    return cast("ExportOptions", options)
