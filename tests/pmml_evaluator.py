"""The part of PMML 4.4 that a regression needs, by the words of its specification; shares no code with the package."""

import math
from xml.etree import ElementTree

NS = "{http://www.dmg.org/PMML-4_4}"
FUNCTIONS = {
    "+": lambda a, b: a + b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "exp": lambda a: math.exp(a) if a < 709.7 else math.inf,
    "ln": math.log,
    "not": lambda a: not a,
    "floor": math.floor,
    "isIn": lambda value, *known: value in known,
    "equal": lambda a, b: a == b,
    "max": max,
    "min": min,
    "greaterThan": lambda a, b: a > b,
    "greaterOrEqual": lambda a, b: a >= b,
    "lessThan": lambda a, b: a < b,
    "lessOrEqual": lambda a, b: a <= b,
    "and": lambda *all_of: all(all_of),
}


class Invalid(Exception):
    """A value that the model does not admit."""


def evaluate(document, row):
    """The final output fields of all models by name, of one row; missing values are None."""
    root = ElementTree.fromstring(document)
    found = {}
    for model in root.findall(f"{NS}RegressionModel"):
        found |= _Model(root, model).outputs(row)
    return found


class _Model:
    def __init__(self, root, model):
        self.model = model
        self.data = {one.get("name"): one for one in root.find(f"{NS}DataDictionary")}
        self.derived = list(root.find(f"{NS}TransformationDictionary") or [])

    def outputs(self, row):
        values = self._mined(row)
        for field in self.derived:
            values[field.get("name")] = self._expression(field[0], values)
        tables = [self._table(table, values) for table in self.model.findall(f"{NS}RegressionTable")]
        chances = self._chances(tables) if self.model.get("functionName") == "classification" else {}
        found, final = dict(values), {}
        for field in self.model.find(f"{NS}Output"):
            match field.get("feature"):
                case "probability":
                    value = chances[field.get("value")]
                case "predictedValue" if chances:
                    value = None if None in tables else max(chances, key=chances.get)
                    value = float(value) if value is not None and field.get("dataType") == "double" else value
                case "predictedValue":
                    value = self._normalized(tables[0])
                case "transformedValue":
                    value = self._expression(field[0], found)
            found[field.get("name")] = value
            if field.get("isFinalResult") != "false":
                final[field.get("name")] = value
        return final

    def _mined(self, row):
        """What the mining schema makes of the data."""
        values = {}
        for field in self.model.find(f"{NS}MiningSchema"):
            if field.get("usageType") == "target":
                continue
            name = field.get("name")
            value, declared = row[name], self.data[name]
            if isinstance(value, float) and math.isnan(value):
                value = None
            if value is None:
                if field.get("missingValueTreatment") == "returnInvalid":
                    raise Invalid(name)
                value = field.get("missingValueReplacement")
            elif declared.get("dataType") == "string":
                valid = {one.get("value") for one in declared}
                if valid and value not in valid and field.get("invalidValueTreatment", "returnInvalid") != "asIs":
                    raise Invalid(name)
            values[name] = value
        return values

    def _expression(self, node, values):
        match node.tag.removeprefix(NS):
            case "Constant":
                return float(node.text) if node.get("dataType") == "double" else node.text
            case "FieldRef":
                return values[node.get("field")]
        function = node.get("function")
        if function == "if":
            chosen = 1 if self._expression(node[0], values) else 2
            return self._expression(node[chosen], values) if chosen < len(node) else None
        arguments = [self._expression(one, values) for one in node]
        if function in ("isMissing", "isNotMissing"):
            return (arguments[0] is None) == (function == "isMissing")
        return None if None in arguments else FUNCTIONS[function](*arguments)

    def _table(self, table, values):
        """A linear predictor; None where a number is missing. A missing level is none of those that are listed."""
        total = float(table.get("intercept"))
        for part in table:
            value = values[part.get("name")]
            if part.tag == f"{NS}CategoricalPredictor":
                total += float(part.get("coefficient")) if value == part.get("value") else 0.0
            elif value is None:
                return None
            else:
                total += float(part.get("coefficient")) * value
        return total

    def _normalized(self, value):
        if value is None or self.model.get("normalizationMethod") == "none":
            return value
        assert self.model.get("normalizationMethod") == "exp"
        return FUNCTIONS["exp"](value)

    def _chances(self, tables):
        labels = [one.get("targetCategory") for one in self.model.findall(f"{NS}RegressionTable")]
        if None in tables:
            return dict.fromkeys(labels)
        if self.model.get("normalizationMethod") == "logit":
            first = 1.0 / (1.0 + FUNCTIONS["exp"](-tables[0]))
            return dict(zip(labels, (first, 1.0 - first), strict=True))
        odds = [FUNCTIONS["exp"](one - max(tables)) for one in tables]
        return {label: one / sum(odds) for label, one in zip(labels, odds, strict=True)}
