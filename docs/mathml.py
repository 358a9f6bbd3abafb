"""Formulas as MathML, which browsers draw by themselves: the pages need no script and no network for them."""

import html
import re
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
ACCENTS = ("~", "¯", "ˉ", "^", "ˆ")


def drawn(formula: str, display: bool) -> str:
    """A formula; brackets keep their size, and the indices of a letter with an accent stand beside it."""
    ElementTree.register_namespace("", NAMESPACE)
    told = re.sub(
        r"&(?!lt;|gt;|amp;)\w+;", lambda found: html.unescape(found[0]), tex2mathml(formula, as_block=display)
    )
    root = ElementTree.fromstring(told)
    for element in root.iter(f"{{{NAMESPACE}}}mo"):
        if element.text in tuple("()[]{}|‖"):
            element.set("stretchy", "false")
        if element.text in tuple("|‖"):
            element.attrib |= {"lspace": "0", "rspace": "0"}
    for element in list(root.iter(f"{{{NAMESPACE}}}munderover")):
        letter, index, accent = element
        if accent.text in ACCENTS:
            element.tag = f"{{{NAMESPACE}}}msub"
            element[:] = [ElementTree.Element(f"{{{NAMESPACE}}}mover", accent="true"), index]
            element[0].extend([letter, accent])
    return ElementTree.tostring(root, encoding="unicode")


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(f'<span class="math">{drawn(node.astext(), False)}</span>')
    raise nodes.SkipNode


def _display(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{drawn(node.astext(), True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))  # type: ignore[arg-type]
