"""The check of the sizes that a file's text names: a number in a text is a place at which it may go another way.

``x[:400]``, ``B // 400`` and ``range(max(0, T - 400), T)`` have no branch that could stay unseen, and are right until
an axis is longer. So runs are made whose axes are, each by itself, as long as every number that the text names, and
longer by one and two.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any

from sympy import Integer

from derive.cell import Cell
from numeric.fast_source import SETTINGS
from numeric.library import own_functions
from proofs import differences, samples
from proofs import network_samples as networks
from proofs.compare import Comparison
from proofs.evaluation import at_sizes
from proofs.modules import text_of
from proofs.network_checks import NetworkSubject
from proofs.point import Extent, steps_for
from proofs.special_checks import LONG_WAY
from proofs.subject import Subject
from proofs.table import Check, measured, not_applicable
from proofs.thin_runs import GAINS, along_everything, gradient_within, tame

NAME = "named sizes"
WHAT = "gradients of runs as long along each axis as every number of the text, and a little longer, along a direction"
SMALLER = (*GAINS, 0.03, 0.01)
"""How large weights are, and all else that is given, until a run is tame."""
LEAST, MOST = 5, 1000
"""Numbers below are sizes of other checks; an axis longer than the second is beyond what a check can run."""

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


def named(source: str) -> dict[int, int]:
    """The whole numbers that a text names and other checks need not reach, each with the first line that does.

    The house's own functions are not asked, nor the sizes at a file's head: other checks change them.

    Args:
        source: the file.
    """
    own, found = own_functions(), dict[int, int]()

    def asked(node: ast.AST) -> Iterator[ast.AST]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef) and (
                ast.dump(child) in own or child.name.startswith("init_params")
            ):
                continue
            if isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) in SETTINGS:
                continue
            if _is_coefficient(child, node):
                continue
            yield child
            yield from asked(child)

    for node in asked(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value >= LEAST:
            found.setdefault(node.value, node.lineno)
    return found


def _is_coefficient(node: ast.AST, within: ast.AST) -> bool:
    """Whether a node is a number too large for a size that is added, multiplied or divided by, as in 1 / 1000000."""
    large = isinstance(node, ast.Constant) and type(node.value) is int and node.value > MOST
    return large and isinstance(within, ast.BinOp) and isinstance(within.op, ARITHMETIC)


def named_sizes(subject: Subject) -> Check:
    """Every axis as long as each number of the text, and one and two longer: the gradient along a direction."""
    cell, rng = subject.cell, Random(f"{subject.seed}/{NAME}")  # noqa: S311 - no secret
    small = subject.extent(NAME, steps=3)

    def extents(size: int) -> Iterator[tuple[str, Extent]]:
        yield "T", replace(small, steps=steps_for(cell, size))
        yield "B", replace(small, samples=size)
        yield "every size", replace(small, sizes=_alike(cell, size))

    def compared(extent: Extent) -> float | None:
        seed = rng.randrange(2**31)
        draw = lambda gain: samples.draw(cell, extent, seed, gain=gain)  # noqa: E731
        return _along(subject, samples, differences.random_directions, draw)

    return _row(subject.code.module, declared(cell), extents, compared)


def named_sizes_of_network(subject: NetworkSubject) -> Check:
    """The same of a network."""
    network, rng = subject.network, Random(f"{subject.seed}/{NAME}")  # noqa: S311 - no secret
    small = networks.draw_extent(network, rng, steps=3)

    def extents(size: int) -> Iterator[tuple[str, Any]]:
        yield "T", networks.uneven(networks.draw_extent(network, rng, steps=size))
        yield "B", networks.draw_extent(network, rng, steps=3, samples=size)
        yield "every size", replace(small, sizes=dict.fromkeys(network.dims, size))

    def compared(extent: Any) -> float | None:
        seed = rng.randrange(2**31)
        draw = lambda gain: networks.draw_network(network, extent, seed, gain=gain)  # noqa: E731
        return _along(subject, networks, networks.random_directions, draw)

    sizes = frozenset[int]().union(*(declared(s.cell) for s in network.segments))
    return _row(subject.code.module, sizes, extents, compared)


def _along(subject: Any, room: Any, directions: Any, draw: Callable[[float], Any]) -> float | None:
    """How far a run's gradient is from the true one along a direction in everything; ``None`` where none tells.

    A run that is tame, from smaller and smaller weights; where none is, one of which rounding left enough all the same.
    """
    for sample, whole in islice(tame(subject, map(draw, SMALLER)), 1):
        return along_everything(room, sample, whole, directions(sample, subject.seed)).worst
    for sample in map(draw, GAINS):
        whole = gradient_within(subject, sample)
        if whole is not None:
            error = along_everything(room, sample, whole, directions(sample, subject.seed)).worst
            if error <= LONG_WAY:
                return error
    return None


def declared(cell: Cell) -> frozenset[int]:
    """The numbers in the shapes of a cell, which its text declares: an axis of 2,000 is never of another length."""
    return frozenset(
        int(k) for q in cell.quantities for side in q.shape for k in side.atoms(Integer)
    )


def _alike(cell: Cell, size: int) -> dict[Any, int]:
    """Every dimension of this size, or larger where a shape needs it."""
    sizes = dict.fromkeys(cell.dims, size)
    sides = [at_sizes(side, sizes) for q in cell.quantities for side in q.shape]
    return sizes if all(side >= 1 for side in sides) else dict.fromkeys(cell.dims, size + 1)


def _row(module: Any, sizes: frozenset[int], extents: Any, compared: Any) -> Check:
    numbers = {k: line for k, line in named(text_of(module)).items() if k <= MOST or k not in sizes}
    if not numbers:
        return not_applicable(NAME, WHAT, "the text names no number from 5 on")
    found, unseen = Comparison({}), list[str]()
    for number, line in sorted(numbers.items()):
        if number > MOST:
            told = f"line {line}: {number} is beyond every size that a check can run"
            found.errors[told, None] = float("inf")
            continue
        for size in (number, number + 1, number + 2):
            for axis, extent in extents(size):
                told, error = f"line {line}: {number}, where {axis} = {size}", compared(extent)
                if error is None:
                    unseen.append(told)
                else:
                    found.errors[told, None] = error
    where = tuple(told for told, _ in found.wrong(LONG_WAY))
    if unseen and not where:
        return not_applicable(
            NAME, WHAT, f"not seen, as no run stays tame there: {'; '.join(unseen)}"
        )
    sizes = f"{len(numbers)} of the text"
    return measured(NAME, WHAT, sizes, found.worst, LONG_WAY, where=where)
