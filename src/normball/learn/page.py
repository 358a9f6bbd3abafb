"""The page of the lessons, and drawings for places that have no page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from normball import charts
from normball.language import current, messages, tr
from normball.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

    from normball.learn.data import Lessons

ZOOM = 2  # pixels of a PNG for each unit of the drawing


def page(lessons: Lessons, ids: Sequence[str], *, quiz: bool = False) -> str:
    """One HTML file with the lessons.

    Parameters
    ----------
    lessons : Lessons
        Their data.
    ids : sequence of str
        Which lessons, in order.
    quiz : bool
        Hide each drawing until its reader has made a prediction.

    Returns
    -------
    str
    """
    from markupsafe import Markup

    data = {id: lessons.by_id[id] for id in ids}
    shown = charts.call("lessons", data, list(ids))
    for one in shown:
        one["svg"] = Markup(one["svg"])
        one["formulas"] = [Markup(line) for line in one["formulas"]]
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            version=__version__,
            about=lessons.about,
            lessons=shown,
            quiz=quiz,
            language=current(),
            messages=charts.packed(found) if (found := messages("page", "lessons")) else "",
            data=charts.packed(data),
            script=charts.deflated(charts.bundle("normball.learn", "page.js")),
            boot=Markup(charts.bundle("normball.report", "boot.js")),
        )
    )


def coloured(svg: str) -> str:
    """The drawing with the colours of the light page and a ground, for places that do not know the page's variables."""
    colours = _colours()
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    size = f'width="{box[1]}" height="{box[2]}" ' if box else ""
    text = re.sub(r"var\(--(\w+)\)", lambda match: colours[match[1]], svg)
    text = text.replace(
        "<svg ", f'<svg {size}font-family="system-ui, sans-serif" style="max-width: 100%; height: auto" ', 1
    )
    return text.replace("</desc>", f'</desc><rect width="100%" height="100%" fill="{colours["paper"]}"/>', 1)


def png(svg: str) -> bytes:
    """The drawing as an image."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise ImportError(
            "PNG files need the package resvg_py: pip install normball[png]. SVG needs nothing."
        ) from None
    text = coloured(svg).replace("system-ui, sans-serif", "sans-serif", 1)
    return bytes(svg_to_bytes(svg_string=text, zoom=ZOOM))


@cache
def _colours() -> dict[str, str]:
    """The colours of the light page by the names of their variables."""
    style = _templates().get_template("page.css").render()
    colours: dict[str, str] = {}
    for name, value in re.findall(r"--(\w+): (#\w+);", style):
        colours.setdefault(name, value)
    return colours


@cache
def _templates() -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader("normball", "learn"), PackageLoader("normball", "report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["tr"] = tr
    return environment
