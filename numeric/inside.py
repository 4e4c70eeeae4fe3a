"""Random numbers taken into the domain of what they are drawn for, and changes that would leave it undone."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from derive.domains import Domain

Key = TypeVar("Key", bound=tuple[Any, ...])


def inside(domain: Domain | None, numbers: Any) -> Any:
    """Numbers from the whole line, each taken to its place in a domain; as they are if there is none.

    Law: x ↦ a + exp(x)/n above a and b − exp(x)/n below b, in matrices of n columns, whose products with columns stay
    as large for many; the share σ(x) of an interval with two ends; and x ± ¼ where only 0 is left out.

    Args:
        domain: the domain.
        numbers: normal ones, or others that are not large, (…, rows, columns).
    """
    if domain is None:
        return numbers
    low, high = domain.low, domain.high
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) / (1 + np.exp(-numbers))
    if np.isinf(low) and np.isinf(high):
        return numbers + np.copysign(0.25, numbers)
    away = np.exp(numbers) / numbers.shape[-1]
    return low + away if np.isfinite(low) else high - away


def middle(domain: Domain) -> Fraction:
    """A number well within a domain: half way between its ends, or 1 away from its only one, or 1."""
    low, high = domain.low, domain.high
    if np.isinf(low):
        return Fraction(1 if np.isinf(high) else high - 1)
    number = Fraction(low + 1 if np.isinf(high) else (low + high) / 2)
    return number if number or not domain.divides else Fraction(high / 2)


def kept_inside(
    domains: Mapping[str, Domain], changed: Mapping[Key, Any], before: Mapping[Key, Any]
) -> dict[Key, Any]:
    """Changed values; every entry that would leave its domain stays as it was.

    Args:
        domains: by name.
        changed: values by place, whose first part is the name.
        before: what they were.
    """
    found = dict(changed)
    for place in (p for p in changed if p[0] in domains):
        domain, value = domains[place[0]], changed[place]
        lies = (value > domain.low) & (value < domain.high)
        lies &= (value != 0) | (not domain.divides)
        found[place] = np.where(lies, value, before[place])
    return found
