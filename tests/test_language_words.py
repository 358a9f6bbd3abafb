"""One word for one thing, in one register: the Korean messages keep to the glossary of docs/languages.md."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from messages_in_source import PACKAGE
from normball.cli import main
from normball.language.retelling import filled
from normball.messages import command_line_words
from normball.results.text import display_width

GLOSSARY = Path(__file__).parents[1] / "docs" / "languages.md"
LAST_WORD = re.compile(r"[가-힣]+(?=[.?!](?:\s|$|[\"”)]))")  # of a sentence
OTHER_REGISTERS = re.compile(r"(?<![니시])다$|(?:어요|아요|해요|나요|까요|십시오)$")  # than 합니다


def korean() -> list[tuple[str, str]]:
    """The messages by the English ones, each of which stands once in its part."""
    found: list[tuple[str, str]] = []

    def keep(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found.extend((key, own) for key, own in members if isinstance(own, str))
        assert [key for key, n in Counter(key for key, _ in members).items() if n > 1] == [], "twice in one part"
        return dict(members)

    json.loads((PACKAGE / "language" / "ko.json").read_text("utf-8"), object_pairs_hook=keep)
    return found


def glossary() -> list[list[list[str]]]:
    """The English, the words for it, and those that are not used for it."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]*)\|$", GLOSSARY.read_text("utf-8"), re.MULTILINE)
    return [[[word for word in cell.strip().split(", ") if word] for cell in row] for row in rows[1:]]


@pytest.mark.skipif(not GLOSSARY.is_file(), reason="the documentation is not here")
def test_messages_keep_to_the_glossary() -> None:
    texts = [own for _, own in korean()]
    rows = glossary()
    assert len(rows) > 60
    for english, words, others in rows:
        assert [word for word in words if not any(word in text for text in texts)] == [], english
        assert [text for text in texts if any(other in text for other in others)] == [], english


def test_sentences_are_in_one_register() -> None:
    for english, own in korean():
        assert [word for word in LAST_WORD.findall(own) if OTHER_REGISTERS.search(word)] == [], english


@pytest.mark.parametrize(("mark", "expected"), [(",", "“,”가"), (";", "“;”이"), ("|", "“|”이"), ("", "“”이(가)")])
def test_the_particle_of_a_mark_goes_with_its_name(mark: str, expected: str) -> None:
    assert filled("“{0}”{0|이/가}", [mark]) == expected


def test_options_are_called_by_their_names_in_korean_and_columns_by_theirs() -> None:
    told = command_line_words(
        "min_count= 열 “min_count”가 “l1_ratio” 열(dates=)과 다릅니다. offset=을 빼세요: 옵션 n_lambdas"
    )
    assert told == "--min-count 열 “min_count”가 “l1_ratio” 열(--dates)과 다릅니다. --offset을 빼세요: 옵션 --n-lambdas"


def test_a_remedy_with_a_quotation_mark_leaves_the_others_whole() -> None:
    fix = 'X = normball.read_table(X, na=["\\"x"])  or  categorical=["b"]  or  drop=["b"]'
    assert command_line_words(fix) == "--na '\"x'  or  --categorical b  or  --drop b"


def test_lines_of_usage_begin_below_one_another(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--help", "--lang", "ko"]) == 0
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert display_width(first[: first.index("normball")]) == second.index("normball")
