"""A fitted model as a `Program`: only the columns that it uses, scales folded into the coefficients."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from normball.export.features import Features
from normball.export.tree import (
    Case,
    Compare,
    Exp,
    Expression,
    Input,
    IsMissing,
    Largest,
    Log,
    Missing,
    Number,
    Output,
    Product,
    Program,
    Quotient,
    Step,
    Sum,
    Text,
    Value,
)
from normball.families import find_family
from normball.version import __version__

if TYPE_CHECKING:
    from normball.family import Family
    from normball.results.fit import Fit
    from normball.survival.baseline import Baseline

KINDS = ("link", "response", "class")
KINDS_OF_TIMES = ("link", "risk", "survival", "cumulative_hazard")
CURVES = ("survival", "cumulative_hazard")


def program_of(
    fit: Fit,
    *,
    kind: str | None = None,
    offset: str | Sequence[str] | None = None,
    exposure: str | None = None,
    unknown: str = "error",
    times: Sequence[float] | None = None,
) -> Program:
    """The model as a program; see `export.export` for what is asked of it."""
    family = find_family(fit.family)
    _check_kind(fit, family, kind, times)
    refuse = unknown == "error"
    features = Features(fit.preparation, refuse)
    sources = features.sources
    offsets = _offsets(fit, offset, exposure, sources)
    coefs, intercepts = np.atleast_2d(fit.coef), np.atleast_1d(fit.intercept)
    names = [f"link_{k + 1}" for k in range(len(intercepts))] if fit.output_names else ["link"]
    links = {
        name: Sum((Number(float(intercept)), *_terms(fit, features, own), *((added,) if added else ())))
        for name, intercept, own, added in zip(names, intercepts, coefs, offsets, strict=True)
    }
    steps: dict[str, Expression] = {}
    if family.has_risk_sets:
        outputs = _of_times(fit.baseline, kind, times or ())
    else:
        outputs = _outputs(fit, family, kind, names, steps)
    parts = (*features.before.values(), *links.values(), *(one.of for one in outputs))
    used = list(dict.fromkeys(one for part in parts for one in inputs_in(part)))
    order = list(sources.values())
    return Program(
        title=f"{family.title} model at lambda {fit.lam:.6g}, l1_ratio {fit.l1_ratio:g}, by normball {__version__}",
        inputs=tuple(sorted(used, key=order.index)),
        before=features.before,
        links=links,
        steps=steps,
        outputs=tuple(replace(one, name=_free(one.name, used)) for one in outputs),
        response="exp" if family.has_risk_sets else family.inverse_link,
        kind=kind or ("risk" if family.has_risk_sets else "" if fit.classes else "response"),
        classes=tuple(fit.classes or ()),
        refuses=refuse,
    )


def _terms(fit: Fit, features: Features, coefs: Any) -> Iterator[Expression]:
    """What the columns add to one linear predictor."""
    place = 0
    for column in fit.preparation.columns:
        own = coefs[place : place + column.n_features].tolist()
        place += column.n_features
        yield from features.terms(column, own)


def inputs_in(node: Any) -> Iterator[Input]:
    """The columns that an expression reads."""
    if isinstance(node, Input):
        yield node
    elif isinstance(node, tuple):
        for one in node:
            yield from inputs_in(one)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from inputs_in(getattr(node, name))


def _free(name: str, used: Sequence[Input]) -> str:
    """The name of an output that is none of an input's."""
    taken = {one.name for one in used}
    while name in taken:
        name += " (model)"
    return name


def _check_kind(fit: Fit, family: Family, kind: str | None, times: Sequence[float] | None) -> None:
    known = KINDS_OF_TIMES if family.has_risk_sets else KINDS
    if kind is not None and kind not in known:
        words = ", ".join(f'"{one}"' for one in known[:-1])
        raise ValueError(f'kind is {kind!r}, but an export of {fit.family} can be {words} or "{known[-1]}"')
    if kind == "class" and fit.classes is None:
        raise ValueError(f'kind="class" needs a binomial or multinomial model; this one is {fit.family}')
    if kind in CURVES and not times:
        raise ValueError(f'kind="{kind}" needs times=, at which the curve is wanted')
    if kind not in CURVES and times:
        raise ValueError(f'times are given, but kind="{kind or "risk"}" does not depend on them')


def _offsets(
    fit: Fit, offset: str | Sequence[str] | None, exposure: str | None, sources: dict[str, Input]
) -> list[Expression | None]:
    """What is added to each linear predictor; the columns of these join `sources`."""
    if offset and exposure:
        raise ValueError("offset and exposure are both given: an exposure is an offset, by its logarithm")
    given = [exposure] if exposure else [offset] if isinstance(offset, str) else list(offset or ())
    if given and not fit.has_offset:
        raise ValueError("The model was fitted without an offset: leave offset= out")
    if not given and fit.has_offset:
        raise ValueError("The model was fitted with an offset: pass offset= the name of its column")
    if not given:
        return [None] * fit.n_outputs
    if len(given) != fit.n_outputs:
        raise ValueError(f"offset names {len(given)} columns, but the model has {fit.n_outputs} outputs")
    added: list[Expression | None] = []
    for name in given:
        role: Literal["exposure", "offset"] = "exposure" if exposure else "offset"
        source = sources.setdefault(name, Input(name, "number", role=role))
        if source.kind != "number":
            raise ValueError(f'The {role} "{name}" is a column of labels in this model, and cannot be added')
        value = Value(source)
        positive = Compare(value, ">", Number(0.0))
        added.append(Case(positive, Log(value), Missing()) if exposure else value)
    return added


def _outputs(
    fit: Fit, family: Family, kind: str | None, links: Sequence[str], steps: dict[str, Expression]
) -> list[Output]:
    """The columns of the answer, called as those of `normball predict`."""
    means = links if kind == "link" else [] if kind == "class" else _means(family.inverse_link, links, steps)
    if fit.classes is None:
        names = fit.output_names or ("prediction",)
        return [Output(name, _step(mean)) for name, mean in zip(names, means, strict=True)]
    if kind in ("link", "response"):
        names = fit.output_names or ("prediction",)
    else:
        names = tuple(f"probability of {name}" for name in fit.output_names or (fit.classes[1],))
    each = [Output(name, _step(mean)) for name, mean in zip(names, means, strict=bool(means))]
    return each if kind in ("link", "response") else [_class(fit.classes, links, steps), *each]


def _step(found: str | Expression) -> Expression:
    return Step(found) if isinstance(found, str) else found


def _means(response: str, links: Sequence[str], steps: dict[str, Expression]) -> Sequence[str | Expression]:
    """The expected target by the linear predictors."""
    if response == "identity":
        return links
    if response == "exp":
        return [Exp(Step(name)) for name in links]
    if response == "logistic":
        odds = [Exp(Product((Number(-1.0), Step(name)))) for name in links]  # infinite far out, where the share is 0
        return [Quotient(Number(1.0), Sum((Number(1.0), one))) for one in odds]
    _largest(links, steps)
    for name in links:
        steps[f"above_{name}"] = Sum((Step(name), Product((Number(-1.0), Step("largest")))))
        steps[f"odds_{name}"] = Exp(Step(f"above_{name}"))
    steps["total"] = Sum(tuple(Step(f"odds_{name}") for name in links))
    return [Quotient(Step(f"odds_{name}"), Step("total")) for name in links]


def _largest(links: Sequence[str], steps: dict[str, Expression]) -> None:
    steps["largest"] = Largest(tuple(map(Step, links)))


def _class(classes: Sequence[Any], links: Sequence[str], steps: dict[str, Expression]) -> Output:
    """The likeliest class; a number where all of them are."""
    are_numbers = all(isinstance(one, numbers.Real) and not isinstance(one, bool | np.bool_) for one in classes)
    labels: list[Expression] = [Number(float(one)) if are_numbers else Text(str(one)) for one in classes]
    if len(links) == 1:
        found: Expression = Case(Compare(Step(links[0]), ">", Number(0.0)), labels[1], labels[0])
        complete: Expression = Step(links[0])
    else:
        _largest(links, steps)
        found, complete = labels[-1], Sum(tuple(map(Step, links)))
        for name, label in zip(links[-2::-1], labels[-2::-1], strict=True):
            found = Case(Compare(Step(name), ">=", Step("largest")), label, found)
    kind: Literal["number", "text"] = "number" if are_numbers else "text"
    return Output("prediction", Case(IsMissing(complete), Missing(kind), found), kind)


def _of_times(baseline: Baseline | None, kind: str | None, times: Sequence[float]) -> list[Output]:
    """The hazard of a row by that of one whose linear predictor is 0."""
    if kind not in CURVES:
        name = "prediction" if kind else "risk"
        return [Output(name, Step("link") if kind == "link" else Exp(Step("link")))]
    assert baseline is not None
    if baseline.stratum_names:
        raise ValueError(f'kind="{kind}" of a model with strata cannot be exported; kind="risk" can')
    outputs = []
    for time in times:
        hazard = _times_risk(float(baseline.cumulative_hazard([time], [0.0])[0, 0]))
        as_survival = kind == "survival" and not isinstance(hazard, Missing)
        curve = Exp(Product((Number(-1.0), hazard))) if as_survival else hazard
        outputs.append(Output(f"{kind.replace('_', ' ')} at {time:g}", curve))
    return outputs


def _times_risk(hazard: float) -> Expression:
    """A hazard times the exponential of the linear predictor: nothing beyond the last time that was seen."""
    if math.isnan(hazard):
        return Missing()
    if hazard == 0.0:
        return Product((Number(0.0), Step("link")))  # missing where that is
    return Exp(Sum((Number(math.log(hazard)), Step("link"))))
