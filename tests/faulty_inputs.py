"""A small table, and what is said of it when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from normball.inputs.prepare import prepare
from normball.messages import DataError

N = 30
RNG = np.random.default_rng(1)
X = RNG.normal(size=(N, 3))
Y = RNG.normal(size=N)
TWO = np.arange(N) % 2


def problems(call: Callable[[], Any]) -> str:
    """The message of the DataError that `call` raises."""
    with pytest.raises(DataError) as caught:
        call()
    assert all(finding.is_error for finding in caught.value.findings)
    return str(caught.value)


def remarks(X: Any, y: Any = Y, **options: Any) -> str:
    """The findings about input that can be used."""
    return "\n".join(str(finding) for finding in prepare(X, y, **{"family": "gaussian", **options}).findings)


def frame(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame({"a": X[:, 0], "y": Y, **columns}, strict=False)
