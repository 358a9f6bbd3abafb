"""Tells a text that was made in English in another language, by the templates that made it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from normball.language.particles import particle

PLACE = re.compile(r"\{(\d+)(?:\|([^/}]*)/([^}]*))?\}")
OF_THE_WORD_BEFORE = re.compile(r"(\S*)\{\|([^/}]*)/([^}]*)\}")
TELLING = 8  # letters between places
END = re.compile(r"(?<=[.?!:;,)])(?= )|(?=\n)")  # of a sentence or a part of one


class Template:
    """One message: its English with places {0}, {1} and its own words.

    Of what is put in, {0*} is a text to be told, too; a name stays as it is. {|은/는} at the beginning of a text is
    the particle of whatever stands before it.
    """

    def __init__(self, english: str, own: str, telling: int = TELLING) -> None:
        self._parts = PLACE.split(english)[::4]  # what stands between the places
        n_letters = sum(map(len, self._parts))
        self.is_telling = n_letters >= telling  # is hardly met by chance
        self.rank = (not self._parts[0], -n_letters)  # first those that tell most, from their first letter on
        self._told = {int(place) for place in re.findall(r"\{(\d+)\*\}", own)}
        self._own = own.replace("*}", "}")

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("(.*?)".join(map(re.escape, self._parts)))

    def values_in(self, text: str) -> tuple[str, ...] | None:
        """What stands in the places where the English is this text; None where it is another one."""
        if len(self._parts) == 1:
            return () if text == self._parts[0] else None
        if not all(part in text for part in self._parts):
            return None
        found = self._pattern.fullmatch(text)
        return found and found.groups()

    def told(self, values: Sequence[str], templates: Sequence[Template]) -> str:
        """Its own words with the values in their places."""
        values = list(values)
        for k in sorted(self._told):
            if k and not self._parts[k]:
                values[k - 1 : k + 1] = _apart(values[k - 1] + values[k], templates)
        told = [retell(one, templates) if k in self._told else one for k, one in enumerate(values)]
        return filled(self._own, told)


def _apart(text: str, templates: Sequence[Template]) -> tuple[str, str]:
    """What stands in two places with nothing between them: the second is the longest end that some template makes."""
    telling = [one for one in templates if one.is_telling]
    for at in range(len(text)):
        if _whole(text[at:], telling, templates) is not None:
            return text[:at], text[at:]
    return text, ""


def retell(text: str, templates: Sequence[Template]) -> str:
    """A text by a template that makes it, or its sentences one by one; as it is where no template makes any."""
    if text.strip():
        for told in _ways(text, templates):
            if told is not None:
                return told
    return text


def _ways(text: str, templates: Sequence[Template]) -> Iterator[str | None]:
    """As a whole; divided; by a template of few words, which may make it by chance; after a word or a line."""
    telling = [one for one in templates if one.is_telling]
    yield _whole(text, telling, templates)
    for head, rest in _divided(text):
        if (told := _whole(head, telling, templates)) is not None:
            yield told + retell(rest, templates)
    yield _whole(text, [one for one in templates if not one.is_telling], templates)
    first, _, rest = text.partition(" ")
    told = _whole(rest, telling, templates)
    yield first + told if told is not None and told.startswith("{|") else None
    yield "\n" + retell(text[1:], templates) if text.startswith("\n") else None


def _whole(text: str, templates: Sequence[Template], every: Sequence[Template]) -> str | None:
    for template in templates:
        values = template.values_in(text)
        if values is not None:
            return template.told(values, every)
    return None


def _divided(text: str) -> Iterator[tuple[str, str]]:
    """A text as a beginning and a rest, the longest beginning first."""
    ends = sorted({at for match in END.finditer(text) for at in (match.start(), match.start() + 1)}, reverse=True)
    for at in ends:
        if 0 < at < len(text):
            yield text[:at], text[at:]


def filled(text: str, values: Sequence[object]) -> str:
    """A message with values in its places, and the particles that go with them."""

    def put(match: re.Match[str]) -> str:
        place, closed, opened = match.groups()
        value = str(values[int(place)])
        return value if closed is None else particle(value, closed, opened)

    return PLACE.sub(put, text)


def joined(text: str) -> str:
    """A text whose parts found their places: particles of the words before them."""
    return OF_THE_WORD_BEFORE.sub(lambda found: found[1] + particle(*found.groups()), text)
