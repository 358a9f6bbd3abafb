"""What pages and summaries say, in the language of their reader.

English stands in the source. Another language is one file in this folder, `ko.json`: its messages by the English ones,
with places {0}, {1} for what is put in, and {0|은/는} for the particle that goes with it. A table has parts: "page" and
"lessons" are those of the JavaScript (`tr` of web/src/language.js), "python" those of `tr` here. The others are of what
is made in English and told in another language when it is shown (`retold`): "stored" what model files hold, "terminal"
errors, findings and help as they stand in the source, "composed" what several of these make together, and what other
libraries say.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources

from normball.language.retelling import Template, filled, joined, retell

__all__ = ["ENGLISH", "current", "languages", "message", "messages", "of_locale", "retold", "speaking", "tr"]

ENGLISH = "en"
PARTS = ("page", "lessons", "python", "stored", "terminal", "composed")

_current: ContextVar[str] = ContextVar("language", default=ENGLISH)


def languages() -> tuple[str, ...]:
    """The languages that there are, by their codes (ISO 639); English first."""
    files = (file.name for file in resources.files(__package__).iterdir())
    return (ENGLISH, *sorted(name.removesuffix(".json") for name in files if name.endswith(".json")))


def of_locale() -> str:
    """The language of the user's locale; English where there is no table for it."""
    named = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    code = re.split(r"[_.@-]", named)[0].lower()
    return code if code in languages() else ENGLISH


def current() -> str:
    """The language that is spoken here."""
    return _current.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language for a while: reports, lessons and summaries made meanwhile are in it.

    Parameters
    ----------
    language : str
        One of `languages()`: "en", "ko".

    Raises
    ------
    ValueError
        If there is no table for it.

    Examples
    --------
    >>> import normball
    >>> from normball.language import speaking
    >>> fit = normball.fit_path([[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0]).at(lam=0.1)
    >>> with speaking("ko"):
    ...     text = fit.summary()
    >>> "특성" in text
    True
    """
    if language not in languages():
        raise ValueError(f"language is {language!r}, but must be one of {', '.join(languages())}")
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


@cache
def _table(language: str) -> Mapping[str, Mapping[str, str]]:
    if language == ENGLISH:
        return {part: {} for part in PARTS}
    text = resources.files(__package__).joinpath(f"{language}.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found


def messages(*parts: str) -> dict[str, str]:
    """The messages of these parts of the table; of English none, since they stand in the source."""
    return {english: own for part in parts for english, own in _table(current())[part].items()}


def message(english: str) -> str:
    """Marks a text that `tr` gets as the value of a variable, so that a test finds it for the tables."""
    return english


def tr(english: str, *values: object) -> str:
    """A message in the language that is spoken, with the values in its places."""
    return filled(_of_python(current()).get(english, english), values)


@cache
def _of_python(language: str) -> Mapping[str, str]:
    """Its own messages before those that it shares with the page."""
    table = _table(language)
    return {**table["lessons"], **table["page"], **table["python"]}


def retold(text: str, part: str = "stored") -> str:
    """A sentence that is there in English in the language that is spoken: one that a model file holds, or an error.

    Sentences of the part "terminal" are also looked for among "composed"; of those that are "stored", the first of the
    table counts that makes one. What has no words there stays as it is.
    """
    return text if current() == ENGLISH else joined(retell(text, _templates(current(), part)))


@cache
def _templates(language: str, part: str) -> tuple[Template, ...]:
    table = _table(language)
    if part == "stored":
        return tuple(Template(english, own, telling=0) for english, own in table[part].items())
    found = [Template(english, own) for english, own in {**table[part], **table["composed"]}.items()]
    return tuple(sorted(found, key=lambda one: one.rank))
