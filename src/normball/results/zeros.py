"""Zeros of counts and amounts in words."""

from __future__ import annotations

from collections.abc import Mapping


def zeros(diagnostics: Mapping[str, float] | None) -> str:
    """How many targets are zero, and how many the family expects of held-out means; `-` where there are none."""
    found = diagnostics or {}
    if "zeros" not in found or max(found["zeros"], found["zeros_expected"]) < 1.0:
        return "-"
    expected = f"{found['zeros_expected']:,.0f} +/- {max(found['zeros_se'], 1.0):,.0f}"
    return f"{found['zeros']:,.0f} ({expected})"
