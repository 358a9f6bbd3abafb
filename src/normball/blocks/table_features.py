"""The features of a long table: numbers or labels, and what is remarkable about single columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from normball.blocks.encoding import Roles
from normball.blocks.learning import Content, Feature
from normball.blocks.long_table import LongTable
from normball.blocks.readers import ItemReader, Reader
from normball.blocks.survey import Survey
from normball.blocks.surveyed import SurveyedLabels, SurveyedNumbers
from normball.blocks.surveyed_dates import dates_of
from normball.inputs.column_findings import examine_text, numbers_as_text, unusable
from normball.inputs.columns import Labels, Numbers, Unusable
from normball.inputs.sources import Source
from normball.inputs.survival import FEWEST_TIMES, survival
from normball.inputs.terms.plan import Plan
from normball.messages import OR, DataError, Finding

NOT_IN_BLOCKS = ("text",)  # of the options that make features


def feature_contents(
    table: LongTable, roles: Roles, plan: Plan, found: Survey
) -> tuple[dict[str, Feature], dict[str, Reader], list[Finding]]:
    """What the features hold, the readers of those that are read otherwise now, and what there is to say.

    By the rules of `inputs.features.read_features`.
    """
    contents: dict[str, Feature] = {}
    readers: dict[str, Reader] = {}
    findings: list[Finding] = []
    for name in roles.features:
        content = found.contents[name]
        if name in plan.dates:
            try:
                contents[name], readers[name] = dates_of(name, found)
            except DataError as error:
                findings += error.findings
            continue
        if isinstance(content, Unusable):
            findings.append(unusable(name, content))
            continue
        if isinstance(content, SurveyedLabels) and name not in plan.categorical and not content.declared:
            numbers = content.as_numbers()
            if numbers is None:
                findings += examine_text(name, content)
            else:
                findings += numbers_as_text(name, content)
                readers[name] = number_reader(content)
                content = numbers
        if isinstance(content, SurveyedNumbers) and table.named:
            findings += content.findings(name)
        contents[name] = content
    return contents, readers, [_in_blocks(finding) for finding in findings]


def _in_blocks(finding: Finding) -> Finding:
    """Without the remedies that rows in blocks do not take."""
    refused = tuple(f"{name}=" for name in NOT_IN_BLOCKS)
    return replace(finding, fix=OR.join(fix for fix in finding.fix.split(OR) if not fix.startswith(refused)))


def number_reader(content: SurveyedLabels) -> ItemReader:
    """The reader of labels that are the text of numbers."""
    numbers = np.append(content.meant(), np.nan).tolist()
    return ItemReader({item: numbers[code] for item, code in content.codes.items()}, np.nan, np.float64)


def survival_findings(table: LongTable, roles: Roles, found: Survey) -> list[Finding]:
    """W27 by the rule for columns in memory, which looks at no more than which values there are."""
    if len(roles.target) > 1:
        return []
    source = Source(table.names, table.named, found.n_rows, lambda j: _values_of(found.contents[table.names[j]]))
    (name,) = roles.target
    apart = {*table.names}.difference(roles.features)
    return survival(source, _values_of(found.contents[name]), name, apart)


def _values_of(content: Content | Unusable) -> Numbers | Labels | Unusable:
    """A column in which each value stands once; of numbers that were not told apart, some between their ends."""
    if isinstance(content, SurveyedLabels):
        return Labels(np.arange(len(content.values), dtype=np.int32), content.values, content.declared)
    if isinstance(content, Unusable):
        return content
    if content.distinct is not None:
        return Numbers(content.distinct, content.whole)
    return Numbers(np.linspace(content.low, content.high, FEWEST_TIMES))
