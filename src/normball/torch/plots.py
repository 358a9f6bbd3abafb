"""Pictures of networks with matplotlib, which is imported here only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from normball.torch.network_path import NetworkPath


def plot_path(path: NetworkPath, axes: Any = None) -> Any:
    """Loss held out and number of features over the strength; returns the two axes."""
    drawn = _axes(2, sharex=True) if axes is None else axes
    above, below = drawn
    shown = [point for point in path.points if point.lam > 0]  # the dense network has no place on a log axis
    lams = [point.lam for point in shown]
    above.errorbar(
        lams, [point.loss for point in shown], [point.standard_error for point in shown], color="C0", marker=".", lw=1
    )
    dense = path.points[0]
    above.axhline(dense.loss, color="0.6", lw=1, label="dense network")
    for label, point, style in (("best", path.best, "--"), ("one standard error", path.one_se, "-.")):
        if point.lam > 0:
            above.axvline(point.lam, color="0.4", linestyle=style, label=label)
    above.set_xscale("log")
    above.set_ylabel("loss held out")
    above.legend(fontsize="small", framealpha=0.85, edgecolor="none")
    below.step(lams, [point.n_selected for point in shown], where="mid", color="C0")
    below.set_xscale("log")
    below.set_xlabel("lam")
    below.set_ylabel(f"features of {dense.selected.size}")
    return drawn


def _axes(n: int, **options: Any) -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("plot() needs matplotlib: pip install normball[plot]") from None
    return plt.subplots(n, layout="constrained", **options)[1]


def plot_monitor(frame: pl.DataFrame, axes: Any = None) -> Any:
    """Norms of weights, norms of gradients and shares of saturated outputs over the steps; returns the three axes."""
    drawn = _axes(3, sharex=True) if axes is None else axes
    kinds = {"norm": "norm of the weights", "gradient": "norm of the gradient", "saturated": "share saturated"}
    for (kind, says), ax in zip(kinds.items(), drawn, strict=True):
        names = [name for name in frame.columns if name.startswith(f"{kind}/")]
        for name in names:
            ax.plot(frame["step"], frame[name], label=name.partition("/")[2], lw=1)
        ax.set_ylabel(says)
        if names:
            ax.legend(fontsize="small", framealpha=0.85, edgecolor="none")
    drawn[1].set_yscale("log")
    drawn[2].set_ylim(0, 1)
    drawn[2].set_xlabel("step")
    return drawn
