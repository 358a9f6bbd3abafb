"""Other languages: no message is missing, none is stale, and what is put in stands where it belongs."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import normball as nb
from latin import LATIN, english_in, words_of
from messages_in_source import PACKAGE, in_javascript, in_python, messages
from normball.cli import main
from normball.cv_result import CVPath
from normball.language import ENGLISH, PARTS, current, languages, of_locale, retold, speaking, tr
from normball.language.particles import particle
from normball.language.retelling import Template, joined, retell
from normball.learn import IDS, built_in, figure, own, page
from normball.report import page_text
from normball.results.text import display_width
from normball.run import Run
from said_at_the_terminal import every_text, phrases

OTHERS = [language for language in languages() if language != ENGLISH]
PLACE = re.compile(r"\{(\d+)\*?\}")
PARTICLES = re.compile(r"\{\d*\|([^}]*)\}")
REMEDIES = ("drop", "cv_path", "family", "negative_binomial", "repeats", "cv")
KNOWN_PARTICLES = {"은/는", "이/가", "을/를", "과/와", "으로/로", "이라고/라고", "이었/였", "이어야/여야"}
OF_PLURALS = re.compile(r"(?<=[a-z])\{(\d+)\}")  # the s of "rows", say, which other languages lack


def table_of(language: str) -> dict[str, dict[str, str]]:
    found = json.loads((PACKAGE / "language" / f"{language}.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.skipif(not (PACKAGE.parents[1] / "web" / "src").is_dir(), reason="the source of the pages is not here")
@pytest.mark.parametrize("language", OTHERS)
def test_no_message_is_missing_and_none_is_stale(language: str) -> None:
    table, source = table_of(language), messages()
    assert set(table) == {*PARTS}
    every = source["page"] | source["lessons"] | source["python"]
    assert source["page"] - table["page"].keys() == set()
    assert source["lessons"] - table["page"].keys() - table["lessons"].keys() == set()
    held = set().union(*(table[part].keys() for part in ("page", "lessons", "python")))
    assert source["python"] - held == set()
    assert held - every == set(), "no longer in the source"
    told = table["terminal"].keys()
    assert phrases() - told - table["stored"].keys() - held == set()
    assert told - every_text() == set(), "no longer in the source"


@pytest.mark.parametrize("language", OTHERS)
def test_places_are_those_of_the_english_message(language: str) -> None:
    for part, table in table_of(language).items():
        for english, own_words in table.items():
            places, given = set(PLACE.findall(own_words)), set(PLACE.findall(english))
            assert given - set(OF_PLURALS.findall(english)) <= places <= given, (part, english)
            assert own_words, (part, english)
            assert set(PARTICLES.findall(own_words)) <= KNOWN_PARTICLES, (part, english)
            left = re.sub(r"\{\d*(\*|\|[^/}]+/[^/}]+)?\}", "", own_words)
            assert left.count("{") == PLACE.sub("", english).count("{"), (
                part,
                english,
            )  # those of {"group": [...]}, say


def test_messages_are_found_in_the_source() -> None:
    script = 'const a = tr`${n} of ${p > 1 ? tr` (all ${`${p}`})` : "}"} \\u2003rows`;'
    assert in_javascript(script) == {"{0} of {1} \u2003rows", " (all {0})"}
    code = """
def f(n):
    text = "one" if n == 1 else "{0} many"
    a, b = "first", "second"
    return tr(text, n) + tr("third") + message("fourth") + tr(a) + other("fifth")
"""
    assert in_python(code) == {"one", "{0} many", "first", "second", "third", "fourth"}


def test_particles() -> None:
    cases = json.loads((Path(__file__).parent / "particles.json").read_text("utf-8"))
    for forms, words in cases.items():
        closed, opened = forms.split("/")
        for word, expected in words.items():
            assert word + particle(word, closed, opened) == expected


def test_a_language_is_spoken_for_a_while() -> None:
    assert current() == ENGLISH
    assert tr("Answer") == "Answer"
    with speaking("ko"):
        assert current() == "ko"
        assert tr("Answer") == "답"
        with speaking("en"):
            assert tr("Answer") == "Answer"
    assert tr("Answer") == "Answer"
    with pytest.raises(ValueError, match="must be one of en, ko"), speaking("tlh"):
        pass


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"LC_ALL": "ko_KR.UTF-8", "LANG": "en_US.UTF-8"}, "ko"),
        ({"LC_ALL": "", "LC_MESSAGES": "ko_KR", "LANG": "de_DE"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "tlh_QO"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_of_the_locale(settings: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert of_locale() == expected


@pytest.mark.parametrize(
    "text",
    [
        "10 stratified folds at random",
        "5 folds at random, 3 times",
        "4 folds in time order",
        "example 7: 1,599 rows x 12 columns (11 numeric, 1 categorical -> 3 indicators)",
        "7: 10 rows x 2 columns (2 numeric); 3 rows with missing values left out; besides 5 rows set apart, 2 % of all "
        "at random",
        "7: 10 rows x 2 columns (2 numeric); besides 5 rows set apart, the last 20 % of all",
        '7: binary, "1" 217 (13.6 %) / "0" 1,382 -> logistic, l1_ratio 1, 0.5',
        "7: numeric, mean 152, sd 77.0 -> linear, L1",
        "7: count, mean 3.2, 45.1 % zeros -> negative binomial (2), L2",
        "7, 8: time to an event, 128 of 137 rows have it, between 1.00 and 999, 4 strata -> Cox, L1",
        "7, 8: time to an event, 128 of 137 rows have it, between 1.00 and 999 -> Cox (Breslow's ties), L2",
        '7: 3 classes, "1" 50, "2" 50 and 2 more -> multinomial, elastic net (l1_ratio 0.5) across classes',
        "7: 2 targets, 8 mean 1 sd 2, 9 mean 1 sd 2 -> linear, several targets, L1 across targets",
    ],
)
def test_what_a_model_file_holds_is_retold(text: str) -> None:
    with speaking("ko"):
        told = retold(text)
    assert re.findall(r"[A-Za-z]+", re.sub(r"l1_ratio|L1|L2", "", told)) == []
    assert sorted(re.findall(r"[\d.,]*\d", told)) == sorted(re.findall(r"[\d.,]*\d", text))


def remarkable() -> tuple[pl.DataFrame, dict[str, Any]]:
    """Columns and targets that much is to be said about; some are called as words of the messages are."""
    generator = np.random.default_rng(0)
    n = 200
    normal = generator.normal(size=(n, 4))
    frame = pl.DataFrame(
        {
            "mean": normal[:, 0],
            "count": np.full(n, 2.0),
            "copy": normal[:, 0],
            "near": normal[:, 0] + 1e-4 * normal[:, 1],
            "wide": 1e9 * normal[:, 2],
            "drowned": 1e6 + 1e-8 * normal[:, 3],
            "id": np.arange(n),
            "code": generator.integers(100, 999, 40)[generator.integers(0, 40, n)],
        }
    )
    targets = {
        "rare": (generator.uniform(size=n) < 0.03).astype(int),
        "unbalanced": (np.arange(n) % 13 == 0).astype(int),
        "separable": (normal[:, 0] > 0).astype(int),
        "leaked": 2 * normal[:, 0] + 1e-6 * normal[:, 1],
        "whole": generator.poisson(2, size=n),
        "long tail": np.exp(3 * normal[:, 3]),
    }
    return frame, targets


def test_findings_are_in_the_language_and_names_stay() -> None:
    frame, targets = remarkable()
    found = [finding for y in targets.values() for finding in nb.check(frame, y)]
    codes = {finding.code for finding in found}
    assert codes >= {"W11", "W12", "W13", "W14", "W15", "W16", "W17", "W18", "W19", "W20", "W21", "W23", "W26"}
    with speaking("ko"):
        told = [finding.in_command_line_words() for finding in found]
    words = words_of([*frame.columns, "L1", "L2", "AUC", "R2", "YYYYMMDD", "gaussian", "lam", "y", "e"])
    for finding, own_words in zip(found, told, strict=True):
        assert re.findall("[A-Za-z]{2,}", words.sub("", own_words.text)) == [], finding
        assert [name in own_words.text for name in finding.columns] == [
            name in finding.text for name in finding.columns
        ]
        remedies = re.sub(r"normball \w+|--[a-z0-9-]+ [\w.,()]+", "", own_words.fix)
        assert re.findall("[A-Za-z]{2,}", remedies) == [], finding
    assert [finding.retold() for finding in found] == found


def tables() -> Iterator[Any]:
    """A model of each kind: its name, frame, target and options."""
    generator = np.random.default_rng(3)
    n = 160
    numbers = generator.normal(size=(n, 5))
    frame = pl.DataFrame({f"q{k}": numbers[:, k] for k in range(5)}).with_columns(
        zz=pl.Series(generator.choice(["갑", "을", "병"], n))
    )
    eta = 0.8 * numbers[:, 0] - 0.6 * numbers[:, 1]
    yield "gaussian", frame, eta + generator.normal(size=n), {}
    yield "binomial", frame, np.where(eta + generator.normal(size=n) > 0, "예", "아니요"), {"family": "binomial"}
    yield "poisson", frame, generator.poisson(np.exp(eta)), {"family": "poisson"}
    yield (
        "multinomial",
        frame,
        np.digitize(eta + generator.normal(size=n), [-0.5, 0.5]).astype(str),
        {"family": "multinomial"},
    )
    yield "several", frame, np.column_stack([eta, -eta]) + generator.normal(size=(n, 2)), {"family": "multigaussian"}
    yield "nothing", frame, generator.normal(size=n), {}


MODELS = {name: (frame, y, options) for name, frame, y, options in tables()}


@pytest.fixture(scope="module", params=list(MODELS))
def compared(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    frame, y, options = MODELS[request.param]
    return frame, y, nb.compare(frame, y, (1.0, 0.0), cv=4, n_lambdas=12, keep_predictions=True, **options)


def test_no_english_is_left_on_a_korean_page(compared: tuple[Any, Any, Any]) -> None:
    from normball.evidence.refound import refound

    frame, y, comparison = compared
    run = Run(target="zy", date="2026-11-30")
    data = refound(comparison[0].path, frame, y)
    picked: CVPath = comparison.pick("1se")
    with speaking("ko"):
        html = page_text(picked, run, data, comparison)
        alone = page_text(picked, run)
    names = [
        *frame.columns,
        "zy",
        picked.path.fingerprint,
        picked.path.family,
        *picked.path.output_names,
        *map(str, picked.path.classes or ()),
    ]
    for text in (html, alone):
        assert '<html lang="ko">' in text
        assert english_in(text, names) == []
    assert "2026년 11월 30일" in html
    assert 'id="messages"' in html
    assert 'id="messages"' not in page_text(picked, run)


def test_no_english_is_left_in_korean_lessons() -> None:
    frame, y, _ = MODELS["binomial"]
    with speaking("ko"):
        pages = [page(built_in(), IDS), page(own(frame.drop("zz"), y), IDS, quiz=True)]
        drawing = figure("e")
    names = [*frame.columns, "x1", "x2", *json.loads(json.dumps(_data_sets()))]
    for text in pages:
        assert '<html lang="ko"' in text
        assert english_in(text, names) == []
    assert "마름모" in drawing.sentence
    assert "diamond" in figure("e").sentence


def _data_sets() -> list[str]:
    from normball.learn.which_one import counted, record

    names: list[str] = counted(record())["data_sets"]
    return list(itertools.chain.from_iterable([name, *name.split()] for name in names))


def test_summaries_are_in_the_language_and_english_stays(compared: tuple[Any, Any, Any]) -> None:
    frame, _y, comparison = compared
    picked: CVPath = comparison.pick("1se")
    told: list[Callable[[], str]] = [
        comparison.summary,
        picked.summary,
        picked.path.summary,
        picked.at("1se").summary,
    ]
    before = [tell() for tell in told]
    with speaking("ko"):
        korean = [tell() for tell in told]
    assert [tell() for tell in told] == before
    names = [*frame.columns, *picked.path.output_names, picked.path.family, "target", "y0", "y1", *REMEDIES, *LATIN]
    known = words_of(names)
    for text in korean:
        assert [line for line in text.splitlines() if re.search(r"[A-Za-z]{2}", known.sub("", line))] == []


@pytest.mark.parametrize("target", ["count", "logistic", "mean", "model"])
def test_names_are_no_messages(target: str) -> None:
    with speaking("ko"):
        assert (
            retold(f"{target}: numeric, mean 1.5, sd 2 -> linear, L1")
            == f"{target}: 수치, 평균 1.5, 표준편차 2 → 선형, L1"
        )


def test_commands_speak_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame, y, _ = MODELS["binomial"]
    frame.with_columns(zy=pl.Series(y)).write_csv(tmp_path / "t.csv")
    arguments = ["fit", str(tmp_path / "t.csv"), "--target", "zy", "-o", str(tmp_path), "--bootstrap", "0"]
    assert main([*arguments, "--penalty", "l1", "--lang", "ko"]) == 0
    korean = capsys.readouterr().out
    assert "답" in korean
    assert "목표     zy: 두 클래스" in korean
    assert "Answer" not in korean
    assert 'lang="ko"' in (tmp_path / "report.html").read_text("utf-8")
    model = str(tmp_path / "model.json")
    assert "binary" in json.loads((tmp_path / "model.json").read_text("utf-8"))["run"]["outcome"]
    assert main(["show", model]) == 0
    assert "Answer" in capsys.readouterr().out
    assert main(["show", model, "--lang", "ko"]) == 0
    shown = capsys.readouterr().out
    assert "답" in shown
    assert "Answer" not in shown
    assert main(["report", model, "--lang", "ko", "-o", str(tmp_path / "r.html")]) == 0
    assert 'lang="ko"' in (tmp_path / "r.html").read_text("utf-8")
    assert main(["report", model, "--lang", "tlh"]) == 2


def test_lessons_follow_the_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert main(["learn", "e", "--html", str(tmp_path / "ko.html"), "--quiet"]) == 0
    assert main(["learn", "e", "--html", str(tmp_path / "en.html"), "--quiet", "--lang", "en"]) == 0
    assert 'lang="ko"' in (tmp_path / "ko.html").read_text("utf-8")
    assert 'lang="en"' in (tmp_path / "en.html").read_text("utf-8")


USAGE = {  # words of the command line, and what is said of them
    ("fit", "--tarket", "y"): "--tarket 옵션은 없습니다. 비슷한 옵션: --target",
    ("fot",): "“fot” 명령은 없습니다. 비슷한 명령: fit",
    ("fit", "--cv", "a"): "인자 --cv: “a”는 2 이상의 정수가 아닙니다",
    ("fit", "--family", "gama"): "비슷한 이름: “gamma”.",
}


@pytest.mark.parametrize("words", USAGE)
def test_usage_is_told_in_the_language(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--lang", "ko"]) == 2
    told = capsys.readouterr().err
    assert USAGE[words] in told
    assert "모든 옵션: normball" in told


DATA = {  # a table, and what is said of it: the particle goes with the name, the remedy is what can be typed
    "": ["E11 “t.csv”가 비어 있습니다."],
    "a,b,y\n": ["E11 “t.csv”에 머리글 행만 있고 데이터 행이 없습니다."],
    "a,y\n1,2\n3\n4,5\n": [
        "E11 “t.csv”에 값의 수가 머리글(2개)과 다른 행이 있습니다(1행): 2번 행. 2번 행의 값은 1개입니다."
    ],
    "나이,y\n1,2\n,3\n3,4\n4,6.5\n": [
        "E04 결측(NaN): 나이 1(25.0%). 처음은 2번 행.",
        "--missing drop(3행이 남음)  또는",
    ],
    "a,y\nx,1\n2,2.5\n3,4\n4,5\n": ["값 4개 중 1개를 숫자로 읽을 수 없습니다.", "--categorical a  또는  --drop a"],
    "a,b\n1,2\n2,3\n": ["E02 목표 변수 “y” 열이 없습니다. 있는 열: a, b."],
    'a,y\n"1,100",1\n"2,200",3\n"3,300",2\n': [
        "“1,100”은 “,”가 천 단위를 나누면 1100, “,”가 소수점이면 1.1입니다.",
        "조치: --thousands ,  또는  --decimal ,  또는  --categorical a  또는  --drop a",
    ],
    "a,y\n1,2\n2,2\n": ["E03 목표 변수 “y”의 값이 2행 모두 2 하나뿐입니다."],
}


@pytest.mark.parametrize("content", DATA)
def test_errors_about_data_are_told_in_the_language(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "t.csv"
    place.write_text(content, "utf-8")
    arguments = ["fit", str(place), "--target", "y", "-o", str(tmp_path)]
    code = main([*arguments, "--lang", "ko"])
    told = capsys.readouterr().err
    assert code in (3, 5)
    for expected in DATA[content]:
        assert expected in told
    assert re.findall("[A-Za-z]{2,}", re.sub(r"--[a-z]+( [a-z]+)?|t\.csv|NaN|E\d\d", "", told)) == []
    assert main(arguments) == code
    assert re.search("[가-힣]", capsys.readouterr().err.replace("나이", "")) is None


@pytest.mark.parametrize("command", ["", "fit", "check", "predict", "score", "show", "report", "learn", "completion"])
def test_help_is_in_the_language_and_fits_its_lines(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*filter(None, [command]), "--lang", "ko", "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("사용법: normball")
    sentences = [line for line in told.splitlines() if re.search(r"\b(the|of|a|to|is|for|with|and)\b [a-z]", line)]
    assert sentences == []
    assert re.findall(r"^[a-z ]+:$", told, re.MULTILINE) == []  # titles of groups
    indented = [line for line in told.splitlines() if re.match(" {24}.*[가-힣]", line)]
    assert all(display_width(line) <= 80 for line in indented)


def test_what_is_told_by_pieces() -> None:
    templates = [
        Template('"{0}" {1}.', "“{0}”{1*}."),
        Template("is lacking {0}", "{|은/는} {0*}{0|이/가} 없습니다"),
        Template("{0} rows", "{0}행"),
        Template("it stands alone", "홀로 섭니다"),
        Template("There is {0}{1}", "{0} 있음{1*}"),
        Template(", and beside it {0}", ", 옆에 {0}"),
    ]
    assert joined(retell('"표" is lacking 3 rows.', templates)) == "“표”는 3행이 없습니다."
    assert joined(retell("path is lacking y", templates)) == "path는 y가 없습니다"
    assert retell("There is x, and beside it y", templates) == "x 있음, 옆에 y"
    assert retell("There is x", templates) == "x 있음"
    assert retell("it stands alone", templates) == "홀로 섭니다"
    assert retell("something else", templates) == "something else"
