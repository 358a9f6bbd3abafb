"""`normball report`: the page of a saved model."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from normball.cli.console import Console


def run(arguments: Namespace, words: list[str], console: Console) -> int:
    """Run the command."""
    from normball.cli.models import load_model
    from normball.cli.outputs import sizes
    from normball.report import write_report
    from normball.results.cv import CVPath

    model, made = load_model(arguments.model)
    if not isinstance(model, CVPath):
        raise ValueError(f"{arguments.model} holds a model without cross-validation; the report needs one (cv_path)")
    made = replace(made, select=arguments.lam or made.select)
    place = Path(arguments.output) if arguments.output else Path(arguments.model).with_name("report.html")
    write_report(model, place, made)
    console.result(f"Wrote    {sizes([str(place)])}")
    console.document({"files": {"report": str(place)}})
    return 0
