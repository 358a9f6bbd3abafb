"""How `make docs` builds the site: Sphinx, the pages in Markdown, the reference from docstrings, the examples run."""

import argparse
import importlib.util
import logging
import os
import re
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

import normball
from normball.cli.arguments import parser
from normball.cli.parsing import Parser

sys.path.insert(0, str(Path(__file__).parent))
os.environ["COLUMNS"] = "100"  # as wide as the terminal that the pages show
logging.getLogger("normball").setLevel(logging.WARNING)  # the log of the build is Sphinx's
warnings.filterwarnings("error", module="__main__")  # an example that warns is one to mend

project = "normball"
author = "the normball developers"
version = release = normball.__version__
project_copyright = author

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "mathml",
]
templates_path = ["_templates"]
exclude_patterns = ["examples/*", "gallery/*.ipynb", "gallery/*.py"]
nitpicky = False
suppress_warnings = ["config.cache"]

html_theme = "furo"
html_math_renderer = "mathml"
html_title = "normball"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_theme_options = {"top_of_page_buttons": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# "dollarmath" where a page says so: elsewhere $ is money
myst_enable_extensions = ["colon_fence", "deflist", "attrs_block"]
myst_heading_anchors = 4

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say more
autodoc_member_order = "bysource"
autodoc_mock_imports = [name for name in ("torch", "dask", "distributed") if importlib.util.find_spec(name) is None]
numpydoc_show_class_members = False
default_role = "py:obj"  # `fit_path` in a docstring is a link


def _needs(name: str) -> bool:
    """Whether an example can run here: that of the network wants PyTorch."""
    return not name.endswith("network") or importlib.util.find_spec("torch") is not None


_RUNNABLE = "|".join(
    re.escape(path.stem) for path in sorted((Path(__file__).parent / "examples").glob("*.py")) if _needs(path.stem)
)
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": rf"/({_RUNNABLE})\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 10,
    "within_subsection_order": "FileNameSortKey",
    "plot_gallery": True,
}


class CommandHelp(Directive):
    """What `--help` says of every command, a section each; a list of options breaks its lines where a phone does."""

    def run(self) -> list[nodes.Node]:
        top = parser()
        each = next(action.choices for action in top._actions if action.dest == "command")
        return [self._section(name, one) for name, one in {"normball": top, **(each or {})}.items()]

    def _section(self, name: str, command: Parser) -> nodes.Node:
        title = name if name == "normball" else f"normball {name}"
        found = nodes.section("", nodes.title("", title))
        self.state.document.note_implicit_target(found, found)
        found["names"].append(nodes.fully_normalize_name(title))
        found["ids"] = [nodes.make_id(title)]
        about = " ".join((command.description or "").split())
        usage = command.format_usage().removeprefix("usage: ").replace("\n       ", "\n").strip()
        found += [nodes.paragraph("", about), nodes.literal_block(usage, usage, language="none")]
        for group in command._action_groups:
            items = [item for action in group._group_actions for item in _items(command, action)]
            if items:
                found += [nodes.rubric("", group.title or ""), nodes.definition_list("", *items, classes=["options"])]
        found += _epilog(command)
        return found


def _items(command: Parser, action: argparse.Action) -> Iterator[nodes.Node]:
    """An option, or each of the commands, with what it says of itself."""
    formatter = command._get_formatter()
    listed = action._choices_actions if isinstance(action, argparse._SubParsersAction) else [action]
    for one in listed:
        told = nodes.literal("", formatter._format_action_invocation(one))
        about = nodes.paragraph("", formatter._expand_help(one) if one.help else "")
        yield nodes.definition_list_item("", nodes.term("", "", told), nodes.definition("", about))


def _epilog(command: Parser) -> list[nodes.Node]:
    """Examples and lists as they stand, sentences as a paragraph."""
    found: list[nodes.Node] = []
    for part in (command.epilog or "").strip().split("\n\n"):
        heading, _, lines = part.partition(":\n")
        if lines:
            text = textwrap.dedent(lines)
            found += [nodes.rubric("", heading), nodes.literal_block(text, text, language="none")]
        elif part:
            found.append(nodes.paragraph("", part))
    return found


def _to_gallery(app: Sphinx, page: str, source: list[str]) -> None:
    """Let links to an example's file, which a forge follows, lead to its page."""
    source[0] = re.sub(r"(\]\([^)\s]*)examples/(plot_\w+)\.py\)", r"\1gallery/\2.rst)", source[0])


def setup(app: Sphinx) -> None:
    """Add the directive of the page about commands, and the links between pages and examples."""
    app.add_directive("command-help", CommandHelp)
    app.connect("source-read", _to_gallery)
