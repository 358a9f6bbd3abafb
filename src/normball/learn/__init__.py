"""Nine lessons on penalties, on built-in data or on a table of one's own: `normball learn`, `figure("e")`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normball import charts
from normball.files import write_bytes, write_text
from normball.learn.data import IDS, Lessons, built_in, own
from normball.learn.page import coloured, page, png

__all__ = ["IDS", "Figure", "Lessons", "built_in", "figure", "own", "page"]


@dataclass(frozen=True, repr=False)
class Figure:
    """One lesson as a drawing.

    Attributes
    ----------
    id, title : str
        Which lesson.
    svg : str
        The drawing; its colours are CSS variables.
    sentence : str
        What it shows, with its numbers.
    table : dict
        The same as a table: head and rows.
    numbers : dict
        What the sentence stands on, with all digits.
    text : tuple of str
        The paragraphs of the lesson; the last one says what the usual picture leaves out.
    """

    id: str
    title: str
    svg: str
    sentence: str
    table: dict[str, Any]
    numbers: dict[str, Any]
    text: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Figure {self.id}: {self.title}. {self.sentence}"

    def _repr_html_(self) -> str:
        from markupsafe import escape

        drawing = coloured(self.svg)
        words = f"<figcaption>{escape(self.sentence)}</figcaption>"
        return f'<figure style="max-width: 52rem; margin: 0">{drawing}{words}</figure>'

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drawing.

        Parameters
        ----------
        path : str or path
            Ends in ``.svg`` or ``.png``. PNG needs ``pip install normball[png]``.
        """
        kind = Path(path).suffix.lower()
        if kind == ".svg":
            write_text(path, coloured(self.svg))
        elif kind == ".png":
            write_bytes(path, png(self.svg))
        else:
            raise ValueError(f'{os.fspath(path)!r} must end in ".svg" or ".png"')


def figure(
    id: str,
    X: Any = None,
    y: Any = None,
    *,
    columns: Sequence[str] = (),
    missing: str = "error",
    values: Mapping[str, float] | None = None,
) -> Figure:
    """Draw one lesson.

    Parameters
    ----------
    id : {"a", "b", "c", "d", "e", "f", "g", "h", "i"}
        The lesson: a the same line with larger weights, b slopes and held-out rows, c error plus penalty, d two
        features that say the same, e ellipse and ball, f few or small weights, g convexity, h budget and price,
        i which penalty.
    X, y : optional
        Data of your own, as in `fit_path`; by default those of the lesson.
    columns : two names, optional
        The features whose weights are drawn.
    missing : {"error", "drop", "impute"}
        What to do with missing values in `X`.
    values : {name: number}, optional
        Where the controls of the page stand, such as ``{"t": 0.5, "shape": 1}``; by default as the page opens.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import normball.learn
    >>> picture = normball.learn.figure("a")
    >>> [round(p, 5) for p in picture.numbers["probability"]]
    [0.73106, 0.99995]
    """
    if id not in IDS:
        raise ValueError(f'There is no lesson {id!r}; the lessons are "a" to "i"')
    if (X is None) != (y is None):
        raise ValueError("Give both X and y, or neither")
    lessons = built_in() if X is None else own(X, y, columns, missing, ids=[id])
    return drawn(lessons, [id], values or {})[0]


def drawn(lessons: Lessons, ids: Sequence[str], values: Mapping[str, float] | None = None) -> list[Figure]:
    """The drawings of some lessons."""
    return [
        Figure(
            id=one["id"],
            title=one["title"],
            svg=one["svg"],
            sentence=one["sentence"],
            table=one["table"],
            numbers=one["numbers"],
            text=(*one["text"], one["careful"]),
        )
        for one in charts.call("lessons", lessons.by_id, list(ids), dict(values or {}))
    ]
