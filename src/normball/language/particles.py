"""Which form of a Korean particle goes with a word; web/src/language.js does the same on the page."""

from __future__ import annotations

import re

FIRST, LAST = ord("가"), ord("힣")
FINALS = 28  # of a syllable, the first of which is none
RIEUL = 8
MARKS = {",": "", ".": "x", ";": "x", ":": "x", "|": "l", "'": "", "\t": "x"}  # 쉼표 점 세미콜론 콜론 세로줄 따옴표 탭


def particle(word: str, closed: str, opened: str) -> str:
    """은 or 는, 을 or 를: the form after a consonant or that after a vowel; where nobody can tell, both.

    After brackets that follow a word without a space it is that of the word: 시간(일)을.

    Numbers are read digit by digit, Latin words as they are spelled in Korean. 으로 is 로 after ㄹ, too.
    """
    before_brackets = re.sub(r"(?<=[^\s(])\([^()]*\)\W*$", "", word)
    letters = re.sub(r"[\W_]+$", "", before_brackets.replace("%", "퍼센트"))
    end = final(letters) if letters else MARKS.get(word)
    if end is None:
        return f"{closed}({opened})"
    return opened if end == "" or (end == "l" and closed == "으로") else closed


def final(word: str) -> str | None:
    """The consonant at the end of a word: "" where there is none, "l", "x" for another one; None if unknown."""
    last = word[-1:]
    if last and FIRST <= ord(last) <= LAST:
        code = (ord(last) - FIRST) % FINALS
        return "l" if code == RIEUL else "x" if code else ""
    if last.isascii() and last.isdigit():  # 영 일 이 삼 사 오 육 칠 팔 구
        return "l" if last in "178" else "x" if last in "036" else ""
    latin = re.search(r"[a-z]+$", word, re.IGNORECASE)
    if latin is None:
        return None
    if re.fullmatch(r".|[A-Z]+", latin[0]):  # by the names of letters
        return "l" if latin[0][-1] in "lLrR" else "x" if latin[0][-1] in "mnMN" else ""
    if re.search(r"le?$", latin[0], re.IGNORECASE):
        return "l"
    return "x" if re.search(r"(me?|ne?|ng|^[^aeiou]*[aeiou][ckpt])$", latin[0], re.IGNORECASE) else ""
