"""A file with what an interrupted fit had solved, from which the same fit goes on."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normball.files import write_bytes
from normball.messages import DataError, Finding, NormballWarning
from normball.solution import Solution, followed_by

WHOSE = "fit"  # names the data and the options of a file


@dataclass(frozen=True)
class Unfinished:
    """The solutions of a fit to rows in blocks, one for each mix of the penalty, in a file.

    Parameters
    ----------
    place : path-like
        The file (NumPy's .npz). It need not be there: it is written where the fit is interrupted, and after each mix.
    """

    place: str | os.PathLike[str]

    def go_on(self, whose: str, which: str, lambdas: NDArray[Any] | None, solve: Callable[[Any], Solution]) -> Solution:
        """What `solve(lambdas)` gives, without solving again what the file holds; what is solved goes to the file.

        `whose` tells data and options from others, and `which` one mix with its grid from the next.
        """
        kept = self._read(whose)
        start = kept.get(which)
        if start is None:
            found = solve(lambdas)
        elif start.n_finished == start.lambdas.size:
            return replace(start, interrupted=False)  # it was stopped with nothing left to solve
        else:
            found = followed_by(start, solve(start.lambdas[start.n_finished :]))
        try:
            self._write(whose, kept | {which: found})
        except OSError as error:  # what is solved is worth more than a file of it
            place, why = os.fspath(self.place), error.strerror
            text = f"What is solved could not be written to {place}: {why}. The fit goes on without."
            warnings.warn(text, NormballWarning, stacklevel=2)
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the file holds; a DataError where that cannot be read."""
        try:
            with np.load(io.BytesIO(Path(self.place).read_bytes()), allow_pickle=False) as file:
                return dict(file)
        except OSError as error:
            raise self._unusable(f"cannot be read ({error.strerror})") from None
        except (AttributeError, EOFError, TypeError, ValueError, zipfile.BadZipFile, zlib.error):  # an array, no arrays
            raise self._unusable("was cut off, or is another file") from None

    def _read(self, whose: str) -> dict[str, Solution]:
        if not Path(self.place).exists():
            return {}
        arrays = self.arrays()
        if str(arrays.pop(WHOSE, "")) != whose:
            raise self._unusable("is of other data or other options")
        solutions: dict[str, dict[str, Any]] = {}
        for name, array in arrays.items():
            which, _, field = name.partition("/")
            solutions.setdefault(which, {})[field] = array
        return {which: _solution(found) for which, found in solutions.items()}

    def _write(self, whose: str, solutions: Mapping[str, Solution]) -> None:
        arrays: dict[str, Any] = {
            f"{which}/{field.name}": np.asarray(getattr(solution, field.name))
            for which, solution in solutions.items()
            for field in fields(solution)
        }
        content = io.BytesIO()
        np.savez(content, **{WHOSE: np.array(whose), **arrays})
        Path(self.place).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(self.place, content.getvalue())

    def _unusable(self, why: str) -> DataError:
        text = f'The file of an interrupted fit, "{os.fspath(self.place)}", {why}.'
        return DataError(Finding("E11", text, "remove it to start anew, or ask for what the interrupted fit was asked"))


def signature(parts: Mapping[str, Any]) -> str:
    """Tells data and options from others."""
    digest = hashlib.sha256()
    for name in sorted(parts):
        value = parts[name]
        digest.update(name.encode() + (value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()))
    return digest.hexdigest()


def _solution(arrays: Mapping[str, Any]) -> Solution:
    plain = {name: array.item() if array.ndim == 0 else array for name, array in arrays.items()}
    return Solution(**plain)
