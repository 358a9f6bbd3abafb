"""Pictures of recorded measurements, as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.problems import PROBLEMS
from benchmarks.records import Record, latest
from benchmarks.session import TARGET

_FLOOR = 1e-16  # what rounding leaves; a logarithmic axis has no zero
_COLOURS = {
    "normball": "#d1495b",
    "adelie": "#30638e",
    "adelie-cov": "#7fa8c9",
    "glmnet": "#3c887e",
    "scikit-learn": "#edae49",
    "scikit-learn-lars": "#b98a2f",
    "skglm": "#6c4a8c",
    "celer": "#8d8d8d",
    "glum": "#4d4d4d",
}


def draw(records: list[Record], folder: Path) -> list[str]:
    """Draw what the records allow; the answer is the names of the files."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "normball", "font.size": 9, "axes.spines.top": False,
                                "axes.spines.right": False})  # fmt: skip
    drawn = []
    for name, figure in (("gap.svg", _gap(records)), ("growth.svg", _growth(records))):
        if figure is not None:
            figure.savefig(folder / name, metadata={"Date": None})
            drawn.append(name)
    return drawn


def _gap(records: list[Record]) -> Any:
    """Suboptimality against seconds, a panel a problem, a line a program: its ladder of tolerances."""
    from matplotlib.figure import Figure

    attempts = [r for r in latest(records, "attempt", "problem", "solver", "rung", "threads") if r["threads"] == 1]
    names = [name for name in PROBLEMS if any(r["problem"] == name for r in attempts)]
    names = [name for name in names if PROBLEMS[name].group != "growth"]
    if not names:
        return None
    n_columns = min(4, len(names))
    n_rows = -(-len(names) // n_columns)
    figure = Figure(figsize=(3.2 * n_columns, 2.6 * n_rows + 0.5), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False)
    for ax, name in zip(axes.flat, names, strict=False):
        here = [r for r in attempts if r["problem"] == name]
        for solver in dict.fromkeys(r["solver"] for r in here):
            line = sorted((r for r in here if r["solver"] == solver), key=lambda r: -r["rung"])
            ax.loglog(
                [r["seconds"] for r in line],
                [max(r["suboptimality"], _FLOOR) for r in line],
                "o-", ms=3, lw=1, label=solver, color=_COLOURS.get(solver),
            )  # fmt: skip
        _plain(ax.xaxis)
        ax.axhline(TARGET, color="0.7", lw=0.8, ls="--")
        ax.set_title(f"{name}  ({PROBLEMS[name].family})", fontsize=9)
    for ax in list(axes.flat)[len(names) :]:
        ax.set_axis_off()
    figure.supxlabel("seconds for the path, one thread")
    figure.supylabel("suboptimality / null loss, worst strength")
    found = {label: handle for ax in axes.flat for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(found.values(), found.keys(), loc="outside upper center", ncols=min(9, len(found)), frameon=False)
    return figure


def _growth(records: list[Record]) -> Any:
    """Seconds against rows, columns and folds, a row a kind of data; dashed: proportional."""
    from matplotlib.figure import Figure

    kinds = ("tall", "wide", "logistic")
    growth = [r for r in records if r.get("group") == "growth" and r["threads"] == 1]
    times = [r for r in growth if r["kind"] == "timing"]
    folds = {r["problem"]: r for r in growth if r["kind"] == "comparison" and r["task"] == "cv/path"}
    if not times and not folds:
        return None
    figure = Figure(figsize=(9, 7), layout="constrained")
    axes = figure.subplots(len(kinds), 3, squeeze=False)
    for row, kind in zip(axes, kinds, strict=True):
        here = [r for r in times if r["problem"].startswith(f"grow_{kind}_")]
        for ax, size, other in ((row[0], "n", "p"), (row[1], "p", "n")):
            base = _base(r[other] for r in here)
            _line(ax, [(r[size], median(r["ours"]["seconds"])) for r in here if r[other] == base], proportional=True)
            ax.set_xlabel({"n": "rows", "p": "columns"}[size])
        here = [r for name, r in folds.items() if name.startswith(f"grow_{kind}_")]
        points = [(r["n_folds"], median(r["ours"]["seconds"])) for r in here]
        if here:  # no folds: the path alone
            points.append((1, median([median(r["theirs"]["seconds"]) for r in here])))
        _line(row[2], points, proportional=False)
        row[2].set_xlabel("folds (1: the path alone)")
        row[0].set_ylabel(f"{kind}: seconds")
    return figure


def _base(values: Iterable[int]) -> int | None:
    """The value that most problems share."""
    found = list(values)
    return max(found, key=found.count) if found else None


def _line(ax: Any, points: list[tuple[int, float]], *, proportional: bool) -> None:
    """Logarithmic axes for what should be proportional, plain ones from zero for what should be flat."""
    if not points:
        return
    sizes, seconds = zip(*sorted(points), strict=True)
    ax.plot(sizes, seconds, "o-", ms=3, color=_COLOURS["normball"])
    if not proportional:
        ax.set_ylim(0, 1.1 * max(seconds))
        return
    ax.plot(sizes, [seconds[-1] * size / sizes[-1] for size in sizes], "--", lw=0.8, color="0.6")
    ax.set_xscale("log")
    ax.set_yscale("log")
    _plain(ax.xaxis)
    _plain(ax.yaxis)


def _plain(axis: Any) -> None:
    """Few, plain numbers on a logarithmic axis, also where it spans less than a decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if high < 30 * low else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
