"""Covering designs: few rows in which any two levels of different factors meet, or any three."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, combinations, product

Row = tuple[int, ...]
Part = tuple[tuple[int, int], ...]
"""Some factors, in order, each with a level."""


@lru_cache(32)
def covering(levels: Row, by_threes: Row = (), grounds: tuple[Row, ...] = ((),)) -> tuple[Row, ...]:
    """Rows of levels in which any two levels of different factors meet, and any three of some factors.

    Rows are built one after another: each begins with a combination that is missing yet, and takes for every other
    factor the level by which it covers most (D. M. Cohen et al., The AETG system: an approach to testing based on
    combinatorial design, IEEE Transactions on Software Engineering 23, 1997).

    Args:
        levels: how many each factor has.
        by_threes: the factors that are combined by threes.
        grounds: beginnings of rows, if no others may be: what no ground has, stands in no row.
    """
    factors, first = range(len(levels)), len(grounds[0])
    rows: list[Row] = []
    missing = dict.fromkeys(_asked_for(levels, by_threes, grounds))
    while missing:
        start = dict(next(iter(missing)))
        fits = [dict(enumerate(g)) | start for g in grounds if _fits(g, start)]
        fixed = max(fits, key=lambda r: sum(p in missing for p in _parts(r)))
        for factor in sorted({*factors[first:]} - fixed.keys(), key=lambda f: -levels[f]):
            turn = (len(rows) + factor) % levels[factor]  # ties go to another level every time
            options = [(turn + i) % levels[factor] for i in range(levels[factor])]
            fixed[factor] = max(
                options, key=lambda v: sum(p in missing for p in _parts(fixed | {factor: v}))
            )
        for part in _parts(fixed):
            missing.pop(part, None)
        rows.append(tuple(fixed[f] for f in factors))
    return tuple(rows)


def _asked_for(levels: Row, by_threes: Row, grounds: tuple[Row, ...]) -> Iterator[Part]:
    """The combinations that must stand in some row."""
    together = [*combinations(by_threes, 3), *combinations(range(len(levels)), 2)]
    for chosen in together:
        for values in product(*(range(levels[f]) for f in chosen)):
            part = tuple(zip(chosen, values, strict=True))
            if any(_fits(g, dict(part)) for g in grounds):
                yield part


def _fits(ground: Row, part: dict[int, int]) -> bool:
    return all(part.get(f, v) == v for f, v in enumerate(ground))


def _parts(fixed: dict[int, int]) -> Iterator[Part]:
    """The combinations by twos and threes of what is fixed."""
    items = sorted(fixed.items())
    return chain(combinations(items, 2), combinations(items, 3))
