"""PMML 4.4: a RegressionModel, one for each of several targets, with what it cannot say as derived fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from normball.export.civil import with_days
from normball.export.printer import no_words, notes, number, quoted
from normball.export.tree import (
    Case,
    Compare,
    Condition,
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
from normball.inputs.gaps import MISSING_LEVEL
from normball.inputs.text import label_text
from normball.version import __version__

Element = ElementTree.Element
NAMESPACE = "http://www.dmg.org/PMML-4_4"
LARGEST = "1.7976931348623157e308"
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SIGNS = {"<": "lessThan", "<=": "lessOrEqual", ">": "greaterThan", ">=": "greaterOrEqual", "==": "equal"}


def write_pmml(program: Program) -> str:
    """The document as text."""
    _check_names(program)
    program = with_days(program)
    root = Element("PMML", xmlns=NAMESPACE, version="4.4")
    text = "\n".join(
        notes(program, "missing", "is an invalid value, for which there is no result", "days since 1970-01-01")
    )
    header = _under(root, "Header", description=_FORBIDDEN.sub("?", text))
    _under(header, "Application", name="normball", version=__version__)
    fields = Fields(program)
    has_classes = program.response in ("logistic", "softmax") and program.kind != "link"
    if has_classes:
        models = [_classification(program, fields)]
    else:
        several = len(program.links) > 1
        models = [_regression(program, fields, place, several) for place in range(len(program.links))]
    dictionary = _under(root, "DataDictionary")
    for source in program.inputs:
        dictionary.append(fields.data_field(source))
    if has_classes:
        target = _under(dictionary, "DataField", name=fields.target, optype="categorical", dataType=_type(program))
        for label in program.classes:
            _under(target, "Value", value=label_text(label))
    if len(fields.derived):
        transformations = _under(root, "TransformationDictionary")
        transformations.extend(fields.derived.values())
    root.extend(models)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _under(parent: Element, tag: str, **attributes: str) -> Element:
    return ElementTree.SubElement(parent, tag, attributes)


def _type(program: Program) -> str:
    """The type of the classes."""
    return "double" if any(one.name == "prediction" and one.kind == "number" for one in program.outputs) else "string"


class Fields:
    """The fields of a document: those of the data, and those derived from them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.derived: dict[Expression, Element] = {}
        self.taken = {source.name for source in program.inputs} | {one.name for one in program.outputs}
        self.lookups: dict[Input, list[Lookup]] = {}
        for link in program.links.values():
            for term in link.terms:
                if isinstance(term, Lookup):
                    self.lookups.setdefault(term.input, []).append(term)
        self.target = self.free("class")
        self.steps: dict[str, str] = {}
        for name, node in program.before.items():
            self.steps[name] = self.name_of(node, name)

    def free(self, name: str) -> str:
        """A name that no other field has."""
        found, place = name, 2
        while found in self.taken:
            found, place = f"{name} {place}", place + 1
        self.taken.add(found)
        return found

    def data_field(self, source: Input) -> Element:
        """The declaration of a column."""
        if source.kind != "text":
            return Element("DataField", name=source.name, optype="continuous", dataType="double")
        field = Element("DataField", name=source.name, optype="categorical", dataType="string")
        spelled = dict.fromkeys(
            text for one in self.lookups.get(source, ()) for texts, _ in one.entries for text in texts
        )
        if any(_replaced(one) for one in self.lookups.get(source, ())):
            spelled[MISSING_LEVEL] = None
        for text in spelled:
            _under(field, "Value", value=text)
        return field

    def mining_field(self, source: Input) -> Element:
        """How a column is taken: levels that nobody knows, and missing ones."""
        field = Element("MiningField", name=source.name)
        found = self.lookups.get(source, ())
        if source.kind == "text":
            refuses = self.program.refuses and all(one.otherwise is None for one in found)
            field.set("invalidValueTreatment", "returnInvalid" if refuses else "asIs")
        if any(one.missing is None for one in found):
            field.set("missingValueTreatment", "returnInvalid")
        elif any(_replaced(one) for one in found):
            field.set("missingValueReplacement", MISSING_LEVEL)
        return field

    def name_of(self, node: Expression, called: str) -> str:
        """The field that has the value of an expression: a column, or one derived from that."""
        if isinstance(node, Value) and node.fill is None and not node.input.inf_is_missing:
            return node.input.name
        if isinstance(node, Step):
            return self.steps[node.name]
        if node not in self.derived:
            field = Element("DerivedField", name=self.free(called), optype="continuous", dataType="double")
            field.append(expression(node, self.steps))
            self.derived[node] = field
        return self.derived[node].attrib["name"]


def _replaced(node: Lookup) -> bool:
    """Whether a missing value counts as a level of its own."""
    return node.missing is not None and node.missing != (node.otherwise or 0.0)


def expression(node: Expression, steps: Mapping[str, str]) -> Element:
    """An expression by PMML's functions; `steps` are the fields with earlier results."""
    match node:
        case Number(value):
            return _constant(number(value), "double")
        case Text(value):
            return _constant(value, "string")
        case Value(source, fill):
            if fill is None:
                return _present(source)
            absent = _apply("isMissing", _present(source))
            return _apply("if", absent, expression(Number(fill), steps), _present(source))
        case Lookup():
            return _chosen(node)
        case Sum(terms):
            return _chain("+", [expression(one, steps) for one in terms])
        case Product(factors):
            return _chain("*", [expression(one, steps) for one in factors])
        case Quotient(above, below):
            return _apply("/", expression(above, steps), expression(below, steps))
        case Exp(of):
            return _apply("exp", expression(of, steps))
        case Log(of):
            return _apply("ln", expression(of, steps))
        case Largest(of):
            return _apply("max", *(expression(one, steps) for one in of))
        case Smallest(of):
            return _apply("min", *(expression(one, steps) for one in of))
        case Floor(of):
            return _apply("floor", expression(of, steps))
        case Words():
            raise no_words(node)
        case Step(name):
            return Element("FieldRef", field=steps[name])
        case Case(condition, Missing(), otherwise):
            return _apply("if", _apply("not", _condition(condition, steps)), expression(otherwise, steps))
        case Case(condition, then, Missing()):
            return _apply("if", _condition(condition, steps), expression(then, steps))
        case Case(condition, then, otherwise):
            return _apply("if", _condition(condition, steps), expression(then, steps), expression(otherwise, steps))
    raise ValueError(f"PMML has no way to write {type(node).__name__}")


def _present(source: Input) -> Element:
    """A column, without its infinite numbers where these count as missing."""
    if not source.inf_is_missing:
        return Element("FieldRef", field=source.name)
    inside = [
        _apply(function, Element("FieldRef", field=source.name), _constant(sign + LARGEST, "double"))
        for function, sign in (("greaterOrEqual", "-"), ("lessOrEqual", ""))
    ]
    return _apply("if", _apply("and", *inside), Element("FieldRef", field=source.name))


def _chosen(node: Lookup) -> Element:
    """The number of a level inside another expression."""

    def field() -> Element:
        return Element("FieldRef", field=node.input.name)

    found = [] if node.otherwise is None else [expression(Number(node.otherwise), {})]
    for texts, value in node.entries[::-1]:
        known = _apply("isIn", field(), *(_constant(text, "string") for text in texts))
        found = [_apply("if", known, expression(Number(value), {}), *found)]
    present = _apply("isNotMissing", field())
    return _apply("if", present, *found, *([] if node.missing is None else [expression(Number(node.missing), {})]))


def _condition(node: Condition, steps: Mapping[str, str]) -> Element:
    match node:
        case IsMissing(of):
            return _apply("isMissing", expression(of, steps))
        case Compare(left, sign, right):
            return _apply(_SIGNS[sign], expression(left, steps), expression(right, steps))


def _constant(value: str, kind: str) -> Element:
    constant = Element("Constant", dataType=kind)
    constant.text = value
    return constant


def _apply(function: str, *arguments: Element) -> Element:
    applied = Element("Apply", function=function)
    applied.extend(arguments)
    return applied


def _chain(function: str, arguments: Sequence[Element]) -> Element:
    """Of two arguments at a time."""
    found, *rest = arguments
    for one in rest:
        found = _apply(function, found, one)
    return found


def _regression(program: Program, fields: Fields, place: int, several: bool) -> Element:
    """The model of one linear predictor, and what follows from it."""
    name = list(program.links)[place]
    native = {"link": "none", "response": {"identity": "none"}.get(program.response, program.response), "risk": "exp"}
    output = program.outputs[place]
    model = Element("RegressionModel", functionName="regression")
    model.set("normalizationMethod", native.get(program.kind, "none"))
    if several:
        model.set("modelName", output.name)
    table = _table(fields, program.links[name])
    schema = _schema(program, fields)
    answers = Element("Output")
    kind = {"optype": "continuous", "dataType": "double"}
    if program.kind in native:
        _under(answers, "OutputField", name=output.name, feature="predictedValue", **kind)
    else:
        link = fields.free("link")
        _under(answers, "OutputField", name=link, feature="predictedValue", isFinalResult="false", **kind)
        for one in program.outputs:
            if not isinstance(one.of, Missing):
                field = _under(answers, "OutputField", name=one.name, feature="transformedValue", **kind)
                field.append(expression(one.of, {name: link}))
    model.extend([schema, answers, table])
    return model


def _classification(program: Program, fields: Fields) -> Element:
    """The model of classes; of two the first has the linear predictor 0."""
    normalization = {"logistic": "logit", "softmax": "softmax"}[program.response]
    model = Element("RegressionModel", functionName="classification", normalizationMethod=normalization)
    labels = [label_text(label) for label in program.classes]
    tables = [_table(fields, link) for link in program.links.values()]
    if len(tables) == 1:
        tables = [tables[0], Element("RegressionTable", intercept="0.0")]
        labels = labels[::-1]
    for table, label in zip(tables, labels, strict=True):
        table.set("targetCategory", label)
    schema = _schema(program, fields)
    _under(schema, "MiningField", name=fields.target, usageType="target")
    answers = Element("Output")
    chances = [one for one in program.outputs if one.name != "prediction" or program.kind == "response"]
    for one in program.outputs:
        if one not in chances:
            kind = {"optype": "categorical", "dataType": _type(program)}
            _under(answers, "OutputField", name=one.name, feature="predictedValue", **kind)
    for one, label in zip(chances, labels, strict=False):
        kind = {"optype": "continuous", "dataType": "double"}
        _under(answers, "OutputField", name=one.name, feature="probability", value=label, **kind)
    model.extend([schema, answers, *tables])
    return model


def _schema(program: Program, fields: Fields) -> Element:
    schema = Element("MiningSchema")
    schema.extend([fields.mining_field(source) for source in program.inputs])
    return schema


def _table(fields: Fields, link: Sum) -> Element:
    """A linear predictor; what a level that is not listed would add goes to the intercept."""
    intercept = 0.0
    numeric: list[Element] = []
    levels: list[Element] = []
    for term in link.terms:
        if isinstance(term, Number):
            intercept += term.value
        elif isinstance(term, Lookup):
            base = term.otherwise or 0.0
            intercept += base
            levels += _levels(term, base)
        else:
            coef, node = _scaled(term)
            name = fields.name_of(node, _called(node))
            numeric.append(Element("NumericPredictor", name=name, coefficient=number(coef)))
    table = Element("RegressionTable", intercept=number(intercept))
    table.extend(numeric + levels)
    return table


def _called(node: Expression) -> str:
    """A name for a derived field."""
    match node:
        case Value(source):
            return f"{source.name} filled"
        case Case(IsMissing(Value(source)), Number(), Number()):
            return f"{source.name} missing"
    return "derived"


def _scaled(term: Expression) -> tuple[float, Expression]:
    if isinstance(term, Product) and len(term.factors) == 2 and isinstance(term.factors[0], Number):
        return term.factors[0].value, term.factors[1]
    return 1.0, term


def _levels(node: Lookup, base: float) -> list[Element]:
    pairs = {text: value for texts, value in node.entries for text in texts}
    if node.missing is not None and _replaced(node):
        pairs[MISSING_LEVEL] = node.missing
    return [
        Element("CategoricalPredictor", name=node.input.name, value=text, coefficient=number(value - base))
        for text, value in pairs.items()
        if value != base
    ]


def _check_names(program: Program) -> None:
    """Raise where XML cannot hold a name or a level."""
    texts = [(f"the name {quoted(source.name)}", source.name) for source in program.inputs]
    texts += [(f"a level of column {quoted(one.name)}", level) for one in program.inputs for level in one.levels]
    texts += [("a class", str(label)) for label in program.classes]
    for what, text in texts:
        if (wrong := _FORBIDDEN.search(text)) is not None:
            raise ValueError(
                f"{what} has the character {quoted(wrong[0])}, which PMML, as all XML, cannot hold: change it"
            )
