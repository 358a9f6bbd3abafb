"""What a program has to say to be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from benchmarks.store import Arrays, Page, Solution


@dataclass(frozen=True)
class CVOutcome:
    """What cross-validation chose: an index into the grid."""

    best: int
    facts: Mapping[str, Any]


class Solver:
    """A program on one problem: construct it (not timed), then call `path` or `cv` (timed) with a rung of its ladder.

    What they return is handed to `solution` or `outcome`, which are not timed.
    """

    name: ClassVar[str]
    versions: ClassVar[tuple[str, ...]]  # distributions whose versions identify it
    ladder: ClassVar[tuple[float, ...]]  # tolerances, from loose to tight
    in_peers: ClassVar[bool] = True  # whether it runs in the environment of the peers rather than in normball's
    has_cv: ClassVar[bool] = False
    has_threads: ClassVar[bool] = True  # whether it may be quicker, or slower, with more threads than one
    is_unit: ClassVar[bool] = False  # measures the machine: nothing to judge
    environment: ClassVar[Mapping[str, str]] = {}
    command: ClassVar[tuple[str, ...]] = ()  # for a program that is not in Python: how its worker is started
    standardises: ClassVar[bool] = False  # whether it can be asked to standardise columns in their own units

    def __init__(self, page: Page, data: Arrays, n_threads: int) -> None:
        self.page, self.data, self.n_threads = page, data, n_threads

    @classmethod
    def supports(cls, page: Page) -> bool:
        """Whether it can be asked for this problem."""
        raise NotImplementedError

    @classmethod
    def supports_cv(cls, page: Page) -> bool:
        """Whether it can be asked to cross-validate this problem."""
        return cls.has_cv and cls.supports(page)

    def path(self, rung: float) -> Any:
        """Solve the whole grid."""
        raise NotImplementedError

    def solution(self, result: Any) -> Solution:
        """The path in the units of the columns that it was given."""
        raise NotImplementedError

    def facts(self, result: Any) -> dict[str, Any]:
        """What the program itself says about a path, to be recorded with it."""
        return {}

    def cv(self, rung: float) -> Any:
        """Solve the grid on all rows and on the training rows of every fold, and choose a strength."""
        raise NotImplementedError

    def outcome(self, result: Any) -> CVOutcome:
        """What was chosen."""
        raise NotImplementedError
