"""What is known at one step of a run, and where each state stands in the joint state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from derive.derivation import Derivation
from derive.expressions import Block
from numeric.interpret import Array, Look, Program, Sizes, size_of

Place = tuple[str, int]
"""A state, and how many steps back."""


@dataclass(slots=True)
class Scene:
    """What one application of an operator sees.

    Args:
        look: the values of the step.
        value: of the program of a parameter or of a diagonal's entries, at the step.
        done: products B X of the blocks found so far.
        owed: what Bᵀ must still be applied to, by block.
    """

    look: Look
    value: Callable[[Program], Array]
    done: dict[Block, Any] = field(default_factory=dict[Block, Any])
    owed: dict[Block, Any] = field(default_factory=dict[Block, Any])


def places(block: Block) -> tuple[Place, Place]:
    """Whose rows a block of the Jacobian has, and whose columns."""
    return (block.of.name, 0), (block.by.name, block.by.lag - 1)


def slots(derivation: Derivation, sizes: Sizes) -> dict[tuple[str, int], slice]:
    """Where each state, and each of its earlier values, stands in the joint state."""
    found: dict[tuple[str, int], slice] = {}
    start = 0
    for q in derivation.cell.states:
        rows = size_of(q.shape[0] * q.shape[1], sizes)
        for back in range(q.depth):
            found[q.name, back] = slice(start, start + rows)
            start += rows
    return found
