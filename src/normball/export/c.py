"""C: a file with one function on a struct, which needs nothing but the standard library (C99)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from normball.export.civil import with_days
from normball.export.code import CodePrinter, indented
from normball.export.printer import notes, quoted
from normball.export.tree import Case, DatePart, Expression, Input, Lookup, Program, Value

_RESERVED = """
alignas alignof auto bool break case char const constexpr continue default do double else enum extern false float for
goto if inline int long nullptr register restrict return short signed sizeof static static_assert struct switch
thread_local true typedef typeof typeof_unqual union unsigned void volatile while asm and and_eq bitand bitor catch
class compl concept const_cast delete dynamic_cast explicit export friend mutable namespace new noexcept not not_eq
operator or or_eq private protected public reinterpret_cast requires static_cast template this throw try typeid
typename using virtual wchar_t xor xor_eq errno linux unix
"""
KEYWORDS = frozenset(_RESERVED.split())  # of C and C++, and macros in small letters
FILL = """
static double filled(double value, double fill) {
    return isnan(value) ? fill : value;
}"""
LOOKUP = """
struct level {
    const char *text;
    double number;
};

static double level_of(const char *value, const struct level *levels, size_t n, double missing, double otherwise) {
    if (value == NULL) return missing;
    for (size_t i = 0; i < n; ++i) {
        if (strcmp(value, levels[i].text) == 0) return levels[i].number;
    }
    return otherwise;
}"""
FINITE = """
static double finite_of(double value) {
    return isinf(value) ? NAN : value;
}"""


def identifiers(names: Iterable[str]) -> list[str]:
    """A name of C for each, all different; in small letters, since macros are in capitals."""
    found: dict[str, None] = {}
    for name in names:
        bare = re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")[:60]
        one = bare = bare if bare and not bare[0].isdigit() else f"x{bare}"
        number = 2
        while one in KEYWORDS or one in found:
            one = f"{bare}_{number}"
            number += 1
        found[one] = None
    return list(found)


class CPrinter(CodePrinter):
    """Expressions of C."""

    end = ";"
    declare = "double "

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        names = identifiers(source.name for source in program.inputs)
        self.member = dict(zip(program.inputs, names, strict=True))

    def string(self, value: str) -> str:
        """A string literal: UTF-8, in ASCII."""
        return '"{}"'.format("".join(_byte(byte) for byte in value.encode()))

    def missing(self, kind: str) -> str:
        """NAN, or NULL of texts."""
        return "NULL" if kind == "text" else "NAN"

    def value(self, source: Input, fill: float | None) -> str:
        """A member of the row."""
        plain = f"row->{self.member[source]}"
        plain = f"finite_of({plain})" if source.inf_is_missing else plain
        return plain if fill is None else f"filled({plain}, {self.number(fill)})"

    def found(self, node: Lookup, table: str) -> str:
        """A call that looks it up."""
        missing, otherwise = (self.optional_number(one, "NAN") for one in (node.missing, node.otherwise))
        size = f"sizeof {table} / sizeof {table}[0]"
        return f"level_of(row->{self.member[node.input]}, {table}, {size}, {missing}, {otherwise})"

    def date_part(self, node: DatePart) -> str:
        """By arithmetic, see `with_days`."""
        raise AssertionError(node)

    def exp(self, of: str) -> str:
        """The exponential."""
        return f"exp({of})"

    def log(self, of: str) -> str:
        """The natural logarithm."""
        return f"log({of})"

    def extreme(self, which: str, of: Sequence[str]) -> str:
        """By fmax or fmin of pairs."""
        function = "fmax" if which == "largest" else "fmin"
        found = of[0]
        for one in of[1:]:
            found = f"{function}({found}, {one})"
        return found

    def is_missing(self, of: Expression) -> str:
        """NaN."""
        return f"isnan({self.expression(Value(of.input) if isinstance(of, Value) else of)})"

    def case(self, node: Case) -> str:
        """A conditional expression."""
        return f"({self.condition(node.condition)} ? {self.expression(node.then)} : {self.expression(node.otherwise)})"


def _byte(byte: int) -> str:
    character = chr(byte)
    if 32 <= byte < 127:
        return f"\\{character}" if character in '"\\?' else character
    return f"\\{byte:03o}"


def write_c(program: Program) -> str:
    """The file as text."""
    _check_texts(program)
    program = with_days(program)
    printer = CPrinter(program)
    body = printer.statements()
    results = identifiers(one.name for one in program.outputs)
    for name, one in zip(results, program.outputs, strict=True):
        body.append(f"result->{name} = {printer.expression(one.of)};")
    text = "\n".join(body)
    lines = [
        f"// {line}".rstrip() for line in notes(program, "NAN, of text NULL", "gives NAN", "days since 1970-01-01")
    ]
    lines += ["// Texts are in UTF-8.", "#include <math.h>", "#include <stddef.h>", "#include <string.h>", ""]
    members = [_member(source.kind, printer.member[source], source.name) for source in program.inputs]
    lines += ["struct row {", *indented(members or ["char unused;"]), "};", "", "struct prediction {"]
    named = zip(results, program.outputs, strict=True)
    lines += [*indented([_member(one.kind, name, one.name) for name, one in named]), "};"]
    known = ((FINITE, "finite_of("), (FILL, "filled("), (LOOKUP, "level_of("))
    lines += [one for one, name in known if name in text]
    for place, table in enumerate(printer.tables):
        pairs = [f"    {{{printer.string(text)}, {printer.number(value)}}}," for text, value in printer.texts_of(table)]
        lines += ["", f"static const struct level TABLE_{place + 1}[] = {{", *pairs, "};"]
    head = "void predict(const struct row *row, struct prediction *result) {"
    unused = [] if "row->" in text else ["(void)row;"]
    return "\n".join([*lines, "", head, *indented([*unused, *body]), "}", ""])


def _member(kind: str, member: str, name: str) -> str:
    declared = f"const char *{member};" if kind == "text" else f"double {member};"
    return f"{declared}  // {quoted(name)}"


def _check_texts(program: Program) -> None:
    """Raise where a level holds what no text of C can."""
    for source in program.inputs:
        if any("\0" in level for level in source.levels):
            raise ValueError(
                f'a level of column {quoted(source.name)} holds the character "\\u0000", which ends texts in C'
            )
