"""ONNX: a graph of plain operators in double precision (`ai.onnx.ml` holds its coefficients in single)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normball.export.civil import DAYS, with_days
from normball.export.printer import no_words, notes, quoted
from normball.export.tree import (
    Case,
    Compare,
    Condition,
    DatePart,
    Exp,
    Expression,
    Floor,
    Input,
    IsMissing,
    Largest,
    Log,
    Lookup,
    Missing,
    Number,
    Product,
    Program,
    Quotient,
    Smallest,
    Step,
    Sum,
    Text,
    Value,
    Words,
)

if TYPE_CHECKING:
    import onnx

OPSET, IR_VERSION = 19, 9  # the first with Equal on texts; onnxruntime 1.17 and later read it
_SIGNS = {"<": "Less", "<=": "LessOrEqual", ">": "Greater", ">=": "GreaterOrEqual", "==": "Equal"}


class Graph:
    """Nodes and constants; expressions are columns (n, 1)."""

    def __init__(self, helper: Any, tensors: Any) -> None:
        self.helper, self.tensors = helper, tensors
        self.nodes: list[Any] = []
        self.constants: dict[Any, Any] = {}
        self.names: dict[Input, str] = {}
        self.steps: dict[str, str] = {}
        self._met: dict[Any, str] = {}

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """The result of an operator, one that is there already if there is one."""
        key = (operator, inputs, tuple(attributes.items()))
        if key not in self._met:
            self._met[key] = f"normball.{len(self.nodes)}"
            self.nodes.append(self.helper.make_node(operator, list(inputs), [self._met[key]], **attributes))
        return self._met[key]

    def constant(self, values: NDArray[Any]) -> str:
        """A constant array of numbers, or of texts."""
        key = (values.shape, tuple(values.ravel().tolist()))
        if key not in self.constants:
            name = f"normball.constant.{len(self.constants)}"
            if values.dtype.kind == "O":
                texts = [text.encode() for text in values.ravel()]
                tensor = self.helper.make_tensor(name, self.tensors.STRING, values.shape, texts)
            else:
                tensor = self.helper.make_tensor(name, self.tensors.DOUBLE, values.shape, values.ravel().tolist())
            self.constants[key] = tensor
        return str(self.constants[key].name)

    def number(self, value: float) -> str:
        """A constant number."""
        return self.constant(np.array([[value]], dtype=np.float64))

    def texts(self, *values: str) -> str:
        """Constant texts in a row."""
        return self.constant(np.array([values], dtype=object))

    def expression(self, node: Expression) -> str:
        """The name of a result."""
        match node:
            case Number(value):
                return self.number(value)
            case Text(value):
                return self.texts(value)
            case Missing(kind):
                return self.texts("") if kind == "text" else self.number(np.nan)
            case Value(source, fill):
                return self._value(source, fill)
            case Lookup():
                return self._lookup(node)
            case DatePart():
                raise AssertionError(node)  # see `with_days`
            case Words():
                raise no_words(node)
            case Floor(of):
                return self.node("Floor", self.expression(of))
            case Sum(terms):
                return self._sum(terms)
            case Product(factors):
                return self._chain("Mul", factors)
            case Quotient(above, below):
                return self.node("Div", self.expression(above), self.expression(below))
            case Exp(of):
                return self.node("Exp", self.expression(of))
            case Log(of):
                return self.node("Log", self.expression(of))
            case Largest(of):
                return self.node("Max", *map(self.expression, of))
            case Smallest(of):
                return self.node("Min", *map(self.expression, of))
            case Step(name):
                return self.steps[name]
            case Case(condition, then, otherwise):
                return self.node("Where", self.condition(condition), self.expression(then), self.expression(otherwise))

    def condition(self, node: Condition) -> str:
        """The name of a column of truth values."""
        match node:
            case IsMissing(Value(source)):
                return self.node("IsNaN", self._value(source, None))
            case IsMissing(of):
                return self.node("IsNaN", self.expression(of))
            case Compare(left, sign, right):
                return self.node(_SIGNS[sign], self.expression(left), self.expression(right))

    def _chain(self, operator: str, parts: Sequence[Expression]) -> str:
        found, *rest = map(self.expression, parts)
        for one in rest:
            found = self.node(operator, found, one)
        return found

    def _sum(self, terms: Sequence[Expression]) -> str:
        """Products with a number as one matrix product, the rest one by one."""
        scaled, rest = [], []
        for one in terms:
            match one:
                case Product((Number(coef), feature)):
                    scaled.append((coef, feature))
                case _:
                    rest.append(one)
        parts = [self.expression(one) for one in rest]
        if scaled:
            columns = self.node("Concat", *(self.expression(one) for _, one in scaled), axis=1)
            coefs = self.constant(np.array([[coef] for coef, _ in scaled]))
            parts.append(self.node("MatMul", columns, coefs))
        found = parts[0]
        for part in parts[1:]:
            found = self.node("Add", found, part)
        return found

    def _value(self, source: Input, fill: float | None) -> str:
        plain = self.names[source]
        if source.inf_is_missing:
            plain = self.node("Where", self.node("IsInf", plain), self.number(np.nan), plain)
        return plain if fill is None else self.node("Where", self.node("IsNaN", plain), self.number(fill), plain)

    def _lookup(self, node: Lookup) -> str:
        """Which of the texts it is, times their numbers; where it is none, what becomes of that."""
        pairs = [(text, value) for texts, value in node.entries for text in texts]
        otherwise = self.number(np.nan if node.otherwise is None else node.otherwise)
        column = self.names[node.input]
        if not pairs:
            return otherwise
        same = self.node("Equal", column, self.texts(*(text for text, _ in pairs)))
        ones = self.node("Cast", same, to=self.tensors.DOUBLE)
        values = self.constant(np.array([[value, 1.0] for _, value in pairs]))
        both = self.node("MatMul", ones, values)
        value, known = (self.node("Gather", both, self._place(place), axis=1) for place in (0, 1))
        found = self.node("Where", self.node("Greater", known, self.number(0.0)), value, otherwise)
        if node.missing == node.otherwise:
            return found
        missing = self.number(np.nan if node.missing is None else node.missing)
        return self.node("Where", self.node("Equal", column, self.texts("")), missing, found)

    def _place(self, place: int) -> str:
        key = ("place", place)
        if key not in self.constants:
            self.constants[key] = self.helper.make_tensor(f"normball.place.{place}", self.tensors.INT64, [1], [place])
        return str(self.constants[key].name)


def write_onnx(program: Program) -> bytes:
    """The model in ONNX's format: a column (n, 1) for each input and output."""
    content: bytes = model_of(program).SerializeToString()
    return content


def model_of(program: Program) -> onnx.ModelProto:
    """The model as an object of the onnx package."""
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError:
        raise ImportError("ONNX needs a package: pip install normball[onnx]") from None
    _check_names(program)
    program = with_days(program)
    graph = Graph(helper, TensorProto)
    types = {"number": TensorProto.DOUBLE, "date": TensorProto.DOUBLE, "text": TensorProto.STRING}
    graph.names = {source: source.name for source in program.inputs}
    for name, node in (*program.before.items(), *program.links.items(), *program.steps.items()):
        graph.steps[name] = graph.expression(node)
    absent = graph.node("IsNaN", graph.steps[next(iter(program.links))])
    for one in program.outputs:
        found = graph.expression(one.of)
        graph.nodes.append(helper.make_node("Where", [absent, found, found], [one.name]))  # a constant gets all rows
    inputs, outputs = (
        [helper.make_tensor_value_info(one.name, types[one.kind], ["n", 1]) for one in ends]
        for ends in (program.inputs, program.outputs)
    )
    constants = list(graph.constants.values())
    made = helper.make_graph(graph.nodes, "normball", inputs, outputs, constants)
    model = helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="normball",
        doc_string="\n".join(notes(program, 'NaN, of texts ""', "gives NaN", DAYS)),
    )
    onnx.checker.check_model(model)
    return model


def _check_names(program: Program) -> None:
    """Raise where the graph cannot have these names."""
    for source in program.inputs:
        if not source.name:
            raise ValueError("a column has an empty name, which ONNX does not allow: rename it")
        if source.name.startswith("normball."):
            raise ValueError(f"column {quoted(source.name)} is called as a result inside would be: rename it")
