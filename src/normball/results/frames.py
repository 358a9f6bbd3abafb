"""Tables of results as frames of the library that the data came in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars

    from normball.results.path import Path


def in_library(table: polars.DataFrame, library: str) -> Any:
    """The same table as a frame of "pandas" or "pyarrow"; of polars for any other library."""
    if library == "pandas":
        import pandas

        return pandas.DataFrame(table.to_dict(as_series=False))
    return table.to_arrow() if library == "pyarrow" else table


def numbers_of(path: Path) -> polars.DataFrame:
    """One row a strength with the numbers of a path."""
    import polars

    from normball.results.outputs import named_intercepts

    of_groups = {} if path.groups is None else {"n_groups_nonzero": path.n_groups_nonzero}
    return polars.DataFrame(
        {
            "lam": path.lambdas,
            "n_nonzero": path.n_nonzero,
            **of_groups,
            "deviance_ratio": path.deviance_ratio,
            "l1_norm": path.l1_norms,
            "l2_norm": path.l2_norms,
            **named_intercepts(path),
            "dual_gap": path.dual_gaps,
            "kkt_violation": path.kkt_violations,
            "status": path.statuses,
            "n_iters": path.n_iters,
        }
    )
