"""The charts of report and lessons: one JavaScript bundle, run here without a browser as it runs in the page.

So the drawing that a file holds for print, mail and readers without JavaScript is the drawing that the page makes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from normball.language import current, messages, speaking

if TYPE_CHECKING:
    from quickjs import Context

__all__ = ["bundle", "call", "packed"]


def call(function: str, *arguments: Any) -> Any:
    """Call a function that the bundle exports (`web/src/charts.js`) with plain data; its answer is plain data.

    Parameters
    ----------
    function : str
        Its name.
    *arguments : mappings, sequences, strings, numbers
        What JSON can hold; NaN and infinities are not among it.

    Returns
    -------
    Plain data.
    """
    given = ",".join(json.dumps(argument, allow_nan=False) for argument in arguments)
    return json.loads(_engine(current()).eval(f"JSON.stringify(normball.{function}({given}))"))


def bundle(package: str, name: str) -> str:
    """The text of a bundle that stands inside a package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def packed(data: Mapping[str, Any] | Sequence[Any]) -> str:
    """Data as deflated JSON in characters that stand in any element as they are (`web/src/page/unpack.js`)."""
    return _deflated(json.dumps(data, allow_nan=False, separators=(",", ":")), zlib.Z_FILTERED)  # digits do not repeat


def deflated(text: str) -> str:
    """A text deflated, as `packed`."""
    return _deflated(text, zlib.Z_DEFAULT_STRATEGY)


def _deflated(text: str, strategy: int) -> str:
    """A text deflated, 13 bits in two of 91 characters: 8 % shorter than in base64.

    They are those from # to }, with ~ and ! in place of < and &, which HTML reads as its own.
    """
    compressor = zlib.compressobj(9, strategy=strategy)
    bits = np.unpackbits(np.frombuffer(compressor.compress(text.encode()) + compressor.flush(), dtype=np.uint8))
    groups = np.pad(bits, (0, -bits.size % 13)).reshape(-1, 13)
    values = groups @ (1 << np.arange(12, -1, -1))
    letters = np.stack(np.divmod(values, 91), axis=1) + ord("#")
    return letters.astype(np.uint8).tobytes().decode("ascii").translate({ord("<"): "~", ord("&"): "!"})


@cache
def _engine(language: str) -> Context:
    """An engine that draws in a language: it reads the messages once, before anything else."""
    from quickjs import Context

    context = Context()
    with speaking(language):
        context.eval(f"var normballMessages = {json.dumps(messages('page', 'lessons'))}")
    context.eval(bundle("normball.charts", "charts.js"))
    return context
