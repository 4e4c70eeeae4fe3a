"""Names for sizes: n for the first state, m for the first input, k for the first output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from derive.dimensions import Dimensions, Size, Unknown
from derive.language_roles import Named

_PREFIX = {"state": "n", "input": "m"}


def name_sizes(
    shapes: Mapping[str, tuple[Size, Size]], named: Mapping[str, Named], dimensions: Dimensions[Any]
) -> dict[Unknown, str]:
    """A name for every unknown size in the shapes, in order of first appearance.

    Args:
        shapes: resolved (rows, columns) of every quantity, in order of first appearance.
        named: the roles.
        dimensions: holds the names that were declared.
    """
    found: dict[Unknown, str] = {v: name for name, v in dimensions.named.items()}
    taken = {*dimensions.named, *named, "t", "T"}
    leading = [(wish, v) for wish, v in _leading(shapes, named) if wish not in taken]
    for wish, v in (*leading, *_following(shapes, named)):
        if v not in found:
            found[v] = _free(wish, taken)
            taken.add(found[v])
    appearing = dict.fromkeys(
        v for shape in shapes.values() for size in shape for v in size.unknowns
    )
    return {v: found[v] for v in appearing}


def _leading(
    shapes: Mapping[str, tuple[Size, Size]], named: Mapping[str, Named]
) -> Iterator[tuple[str, Unknown]]:
    """n, m and k."""
    firsts = {
        "n": [q.name for q in named.values() if q.role == "state"],
        "m": [q.name for q in named.values() if q.role == "input"],
        "k": [q.name for q in named.values() if q.role == "intermediate" and not q.used],
    }
    for wish, names in firsts.items():
        if names and (v := shapes[names[0]][0].single):
            yield wish, v


def _following(
    shapes: Mapping[str, tuple[Size, Size]], named: Mapping[str, Named]
) -> Iterator[tuple[str, Unknown]]:
    """``n_<state>``, ``m_<input>``, ``d_<name>``: states and inputs first, rows before columns."""
    by_rank = sorted(shapes, key=lambda name: {"state": 0, "input": 1}.get(named[name].role, 2))
    for axis in (0, 1):
        for name in by_rank:
            for v in shapes[name][axis].unknowns:
                yield f"{_PREFIX.get(named[name].role, 'd')}_{name}", v


def _free(wish: str, taken: set[str]) -> str:
    """The wish, or the wish with the first free number after it."""
    if wish not in taken:
        return wish
    return next(name for i in range(2, len(taken) + 3) if (name := f"{wish}_{i}") not in taken)
