"""Text files whose first line is not just the names, whose rows end oddly, or whose bytes are of another kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from normball.inputs.prepare import prepare
from normball.inputs.tables import read_table
from normball.messages import DataError, Finding

ROWS = [(i, i * i % 7, i * 0.5 + i * i % 5) for i in range(30)]
NAMES = ["a", "b", "y"]

Read = Callable[..., Any]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write text and read it as a table; what there is to say is in `read.findings`."""

    def write_and_read(content: str | bytes, **options: Any) -> Any:
        path = tmp_path / "t.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        write_and_read.findings = []  # type: ignore[attr-defined]
        return read_table(path, findings=write_and_read.findings, **options)  # type: ignore[attr-defined]

    return write_and_read


def lines(delimiter: str = ";", end: str = "", first: str = "") -> str:
    return "".join(first + delimiter.join(map(str, row)) + end + "\n" for row in ROWS)


def said(read: Any) -> list[str]:
    findings: list[Finding] = read.findings
    return [str(finding) for finding in findings]


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        ("a;b;y\n" + lines(), ""),
        ("sep=;\na;b;y\n" + lines(), ""),
        ('"sep=;"\r\na;b;y\r\n' + lines(), ""),
        ("SEP=,\na,b,y\n" + lines(","), ""),
        ("sep=|\na|b|y\n" + lines("|"), ""),
        ("\ufeffa;b;y\n" + lines(), ""),
        ("\n\n  \na;b;y\n\n" + lines(end="\n"), ""),
        ("a;b;y\n" + lines(end=";"), ""),
        ("a;b;y;\n" + lines(end=";"), ""),
        ("a;b;y;\n" + lines(), ""),
        ("a;b;y;;\n" + lines(end=";;"), ""),
        (";a;b;y\n" + lines(first=";"), ""),
        ("a;b;y\n" + lines() + ";;\n;;\n", 'W10 Left out the last 2 rows of "t.csv", which hold no value.'),
        ("a;b;y\n" + lines() + ";;\n", 'W10 Left out the last row of "t.csv", which holds no value.'),
        ("a b y\n" + lines(" "), ""),
        ("  a   b   y\n" + lines("   ", first=" "), ""),
        ("a\tb\ty\n" + lines("\t"), ""),
        ("a;b;y\r" + lines().replace("\n", "\r"), ""),
        ('"a";"b";"y"\n' + lines(), ""),
        ("a (x, y, z);b;y\n" + lines(), ""),
    ],
)
def test_the_table_is_found_whatever_is_around_it(content: str, remark: str, read: Read) -> None:
    table = read(content)
    assert [name[0] for name in table.columns] == NAMES
    assert table.rows() == ROWS
    assert said(read) == [remark] * bool(remark)


@pytest.mark.parametrize("delimiter", [";", ",", " "])
def test_row_names_as_r_writes_them(delimiter: str, read: Read) -> None:
    head = delimiter.join(f'"{name}"' for name in NAMES)
    rows = "".join(f'"{3 * i + 2}"{delimiter}{delimiter.join(map(str, row))}\n' for i, row in enumerate(ROWS))
    assert read(f"{head}\n{rows}").rows() == ROWS
    assert said(read) == [
        'W10 The rows of "t.csv" have one value more than there are names: the first is taken for the name of the row '
        "and left out."
    ]
    named = "".join(f"row {i}{delimiter}{delimiter.join(map(str, row))}\n" for i, row in enumerate(ROWS))
    if delimiter != " ":
        assert read(f"{head}\n{named}").rows() == ROWS


def test_a_decimal_comma_in_every_row_makes_no_row_names(read: Read) -> None:
    with pytest.raises(DataError, match=r"has 9 rows with another number of values than the header, which has 2"):
        read("x,y\n" + "".join(f"{i % 7},{i},{i}\n" for i in range(9)))


def test_nameless_columns_with_values_get_a_name(read: Read) -> None:
    assert read(",a,\n1,2,3\n4,5,6\n").columns == ["column_1", "a", "column_3"]


@pytest.mark.parametrize(
    ("preamble", "line"),
    [
        ("# exported on Monday\n", 2),
        ("Report;;\n;;\n", 3),
        ("Report\nSource: UCI, 2007\n\n", 4),
        ("\n\nA title, with a comma\n\n\n", 6),
    ],
)
def test_a_preamble_is_refused_and_the_remedy_reads_the_table(preamble: str, line: int, read: Read) -> None:
    content = preamble + "a;b;y\n" + lines()
    with pytest.raises(DataError, match=rf"line {line} looks like the names.\n    Fix: header={line}$"):
        read(content)
    assert read(content, header=line).rows() == ROWS


def test_no_names_at_all(read: Read) -> None:
    table = read(lines(), header="none")
    assert table.columns == ["column_1", "column_2", "column_3"]
    assert table.rows() == ROWS
    with pytest.raises(DataError, match=r'E06 .*\n.*, or header="none" if the first line holds no names'):
        read("1;1;2\n" + lines())
    for line in (99, 5):
        with pytest.raises(DataError, match=f"has no names in line {line}"):
            read("a\n1\n2\n3\n\n", header=line)


def test_names_suffixed_until_they_differ(read: Read) -> None:
    assert read("s,s,s_2,s\n1,2,3,4\n5,6,7,9\n", dedupe="suffix").columns == ["s", "s_3", "s_2", "s_4"]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("a;b;y;\u00e9\n1;2;3;\u00fc\n".encode("utf-16-le"), {"encoding": "utf-16-le"}),
        ("a;b;y;\u00e9\n1;2;3;\u00fc\n".encode("utf-16"), {}),
        ("a;b;y;\u00e9\n1;2;3;\u00fc\n".encode("utf-32"), {}),
        ("a;b;y;\u00e9\n1;2;3;\u00fc\n".encode("utf-8-sig"), {}),
        ("a;b;y;e\u0301\n1;2;3;\u00fc\n".encode("utf-8-sig"), {}),
        ("a;b;y;\u00e9\n1;2;3;\u00fc\n".encode("latin-1"), {"encoding": "latin-1"}),
    ],
)
def test_bytes_of_other_kinds(content: bytes, options: dict[str, Any], read: Read) -> None:
    table = read(content, **options)
    assert table.columns == ["a", "b", "y", "\u00e9"]
    assert table.rows() == [(1, 2, 3, "\u00fc")]
    assert said(read) == []


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        ("a\n\u00e9\n".encode("latin-1"), "latin-1"),
        ("a\n\u20ac\n".encode("cp1252"), "cp1252"),
        ("a\n한글\n".encode("cp949"), "cp949"),
        (("a\n" + "한글\n" * 200).encode("euc_kr"), "cp949"),
        ("a\n\u20ac\n".encode("utf-16-le"), "utf-16-le"),
        ("a\n\u20ac\n".encode("utf-16-be"), "utf-16-be"),
        (("a\n" + "한😀가\n" * 3000).encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_the_encoding_that_is_advised_reads_the_file(content: bytes, remedy: str, read: Read) -> None:
    with pytest.raises(DataError, match=f'Fix: encoding="{remedy}"'):
        read(content)
    assert read(content, encoding=remedy)["a"][0] == content.decode(remedy).split("\n")[1]


def test_what_the_file_says_of_itself_and_an_option_that_says_otherwise(read: Read) -> None:
    read("a;\u00e9\n1;2\n".encode("utf-16"), encoding="latin-1")
    assert said(read) == ['W10 "t.csv" begins with the mark of utf-16, which is used; not latin-1.']
    assert read("sep=;\na,b\n1,2\n", delimiter=",").rows() == [(1, 2)]
    assert said(read) == ['W10 The first line of "t.csv" says that ";" separates values; "," is used, as asked for.']


def test_the_delimiter_that_is_advised_reads_the_file(read: Read) -> None:
    content = "a;b\n1,5;2\n2,5;3\n3;4\n"
    with pytest.raises(DataError, match=r'Fix: delimiter=";"'):
        read(content, delimiter=",")
    assert read(content, delimiter=";", decimal=",").rows() == [(1.5, 2), (2.5, 3), (3.0, 4)]


@pytest.mark.parametrize("text", ['"Who is it?" he asked', '5" and 3"', '"open', 'he said "no'])
def test_quotes_inside_text_are_text(text: str, read: Read) -> None:
    rows = "".join(f"{i}\t{text if i == 3 else 'plain'}\t{i}\n" for i in range(9))
    table = read("a\tb\ty\n" + rows)
    assert table.rows() == [(i, text if i == 3 else "plain", i) for i in range(9)]
    assert all("has quotes that do not close; they are taken for text" in remark for remark in said(read))


def test_quotes_around_cells_may_hold_delimiters_and_line_ends(read: Read) -> None:
    assert read('a,"b, c"\n"1,5","x\ny"\n2,"say ""c"""\n').rows() == [("1,5", "x\ny"), ("2", 'say "c"')]
    assert said(read) == []


@pytest.mark.parametrize(
    ("content", "options", "fix", "better"),
    [
        ("a,b,y\n" + lines(","), {"delimiter": ";"}, 'delimiter=","', {"delimiter": ","}),
        ("a\tb\ty\n" + lines("\t"), {"delimiter": ";"}, 'delimiter="tab"', {"delimiter": "tab"}),
        (lines(), {"dedupe": "suffix"}, 'header="none" where the file is read', {"header": "none"}),
    ],
)
def test_a_target_that_is_not_found_tells_how_to_read_the_file(
    content: str, options: dict[str, Any], fix: str, better: dict[str, Any], read: Read
) -> None:
    with pytest.raises(DataError, match=r'E02 Target|E11 "t.csv" has no ";" between its values') as caught:
        prepare(read(content, **options), "y", family="auto")
    (missing,) = (finding for finding in caught.value.findings if finding.code in ("E02", "E11"))
    assert missing.fix.startswith(fix)
    assert read(content, **better).rows() == ROWS
