"""What Python, JavaScript and C share: a function that goes through the steps of a program."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from normball.export.printer import Printer
from normball.export.tree import Expression, Lookup, Number, Program, Sum, Words


class CodePrinter(Printer):
    """A printer of statements; tables of levels are constants before the function."""

    end = ""
    declare = ""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.tables: list[Lookup | Words] = []

    def lookup(self, node: Lookup) -> str:
        """A call with the table of the levels, which is written once."""
        return self.found(node, self.table(node))

    def table(self, node: Lookup | Words) -> str:
        """The name of a table, which stands before the function."""
        if node not in self.tables:
            self.tables.append(node)
        return f"TABLE_{self.tables.index(node) + 1}"

    @abstractmethod
    def found(self, node: Lookup, table: str) -> str:
        """The number of a level by the name of its table."""

    def step(self, name: str) -> str:
        """A variable."""
        return name

    def text(self, value: str) -> str:
        """A string."""
        return self.string(value)

    @abstractmethod
    def string(self, value: str) -> str:
        """A string literal."""

    def statements(self) -> list[str]:
        """The steps, a line for each term of a linear predictor."""
        constant = self.declare.replace("let", "const")
        lines = [f"{constant}{name} = {self._bare(node)}{self.end}" for name, node in self.program.before.items()]
        for name, link in self.program.links.items():
            first, *rest = link.terms
            lines.append(f"{self.declare}{name} = {self.expression(first)}{self.end}")
            lines += [self._further(name, term) for term in rest]
        lines += [f"{constant}{name} = {self._bare(node)}{self.end}" for name, node in self.program.steps.items()]
        return lines

    def _further(self, name: str, term: Expression) -> str:
        return f"{name} += {self.expression(term)}{self.end}"

    def _bare(self, node: Expression) -> str:
        """Without the brackets that a sum would need inside another expression."""
        return (
            self.sum([self.expression(one) for one in node.terms]) if isinstance(node, Sum) else self.expression(node)
        )

    def texts_of(self, node: Lookup | Words) -> list[tuple[str, float]]:
        """Every spelling, or word, with its number."""
        if isinstance(node, Words):
            return list(node.entries)
        return [(text, value) for texts, value in node.entries for text in texts]

    def optional_number(self, value: float | None, nothing: str) -> str:
        """A number, or what stands for none."""
        return nothing if value is None else self.expression(Number(value))


def indented(lines: Sequence[str], by: str = "    ") -> list[str]:
    """Lines inside a block."""
    return [f"{by}{line}" if line else "" for line in lines]
