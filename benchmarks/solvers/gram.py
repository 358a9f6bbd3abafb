"""The machine's own unit: one Gram matrix X'X by NumPy's BLAS, which the path of a tall problem cannot do without."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.solvers.base import Solver
from benchmarks.store import Page


class Gram(Solver):
    """X'X with the kernel that OpenBLAS chooses by itself."""

    name = "gram"
    versions = ("numpy",)
    ladder = (0.0,)
    in_peers = False
    is_unit = True

    @classmethod
    def supports(cls, page: Page) -> bool:
        return page.is_plain and not page.sparse and page.n > page.p

    def path(self, rung: float) -> Any:
        return self.data.X.T @ self.data.X


class WideVectorGram(Gram):
    """X'X with OpenBLAS told to use its AVX-512 kernels, which it does not choose on every processor that has them."""

    name = "gram-avx512"
    environment: ClassVar[Mapping[str, str]] = {"OPENBLAS_CORETYPE": "SKYLAKEX"}

    @classmethod
    def supports(cls, page: Page) -> bool:
        info = Path("/proc/cpuinfo")
        return super().supports(page) and info.exists() and " avx512dq " in info.read_text()
