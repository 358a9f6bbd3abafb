"""A table of numbers for the tests of the lessons."""

import numpy as np
import polars as pl


def table(n: int = 120, names: list[str] | None = None, binary: bool = False) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, 4))
    X[:, 1] = 0.9 * X[:, 0] + 0.3 * X[:, 1]
    y = X @ [1.0, 0.5, -0.7, 0.0] + 0.5 * rng.normal(size=n)
    return pl.DataFrame(X, schema=names or ["u", "v", "w", "z"]).with_columns(
        y=pl.Series(np.where(y > 0, "yes", "no") if binary else y)
    )
