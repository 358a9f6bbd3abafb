"""The few SVG marks that the charts need: scales, ticks, lines, words.

Colours are CSS variables of the page (with a fallback), so that one drawing serves light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

INK, FAINT, GRID = "var(--ink, #222)", "var(--faint, #666)", "var(--grid, #ddd)"


def number(value: float) -> str:
    """A number as people write it on an axis: 0.001, 12,000, 1e-05."""
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:,.10g}"


@dataclass(frozen=True)
class Scale:
    """A linear map from data to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """Pixels of the values."""
        share = (np.asarray(values, dtype=float) - self.low) / (self.high - self.low)
        return np.asarray(self.start + share * (self.end - self.start))

    def ticks(self, wanted: int = 6) -> list[float]:
        """Round values inside the scale, about `wanted` of them."""
        low, high = sorted((self.low, self.high))
        rough = (high - low) / wanted
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [k * step for k in range(first, last + 1)]


def padded(values: ArrayLike, start: float, end: float, share: float = 0.05) -> Scale:
    """A scale over the finite `values` with some air at both ends."""
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    air = share * (high - low) or max(abs(high), 1.0) * share
    return Scale(low - air, high + air, start, end)


def points(x: ArrayLike, y: ArrayLike) -> str:
    """The `d` attribute of a line through the finite points."""
    pairs = zip(np.asarray(x, dtype=float), np.asarray(y, dtype=float), strict=True)
    return "M" + "L".join(f"{a:.1f},{b:.1f}" for a, b in pairs if math.isfinite(a) and math.isfinite(b))


def path(d: str, *, stroke: str, width: float = 1.5, dash: str = "", fill: str = "none", title: str = "") -> str:
    """A line or an area; `title` is shown when the pointer rests on it."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    inside = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<path d="{d}" style="fill:{fill};stroke:{stroke}" stroke-width="{width}" stroke-linejoin="round"{dashes}>'
        f"{inside}</path>"
    )


def clipped(marks: Iterable[str], identity: str, box: tuple[float, float, float, float]) -> str:
    """Marks of which only what lies inside `box` (left, top, right, bottom) is seen."""
    left, top, right, bottom = box
    frame = f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"/>'
    return f'<clipPath id="{identity}">{frame}</clipPath><g clip-path="url(#{identity})">{"".join(marks)}</g>'


def words(x: float, y: float, text: str, *, anchor: str = "start", colour: str = INK, size: float = 12) -> str:
    """A line of text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" style="fill:{colour}">'
        f"{escape(text)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, *, stroke: str = GRID, width: float = 1, dash: str = "") -> str:
    """A straight line."""
    return path(f"M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}", stroke=stroke, width=width, dash=dash)


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Heights near the `wanted` ones, in their order, at least `gap` apart and inside [low, high]."""
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    placed = [0.0] * len(wanted)
    floor = low
    for k in order:
        placed[k] = max(wanted[k], floor)
        floor = placed[k] + gap
    ceiling = high
    for k in reversed(order):
        placed[k] = min(placed[k], ceiling)
        ceiling = placed[k] - gap
    return placed


def drawing(marks: Iterable[str], *, width: int, height: int, identity: str, title: str, description: str) -> str:
    """The whole picture, named and described for those who hear it."""
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{identity}-title {identity}-desc" '
        f'xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{identity}-title">{escape(title)}</title><desc id="{identity}-desc">{escape(description)}</desc>'
        f"{''.join(marks)}</svg>"
    )
