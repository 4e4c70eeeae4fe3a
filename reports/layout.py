"""Places for the nodes of a data-flow graph: time runs to the right, the inputs come from below.

Layers by longest path; order within a layer by barycentres of the neighbours; heights by least squares under the
order. Ties fall to the order in which the nodes were given, so the same graph has the same places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from derive.errors import ArgumentError

SWEEPS = 24


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the nodes stand and which way the long edges take.

    Args:
        layer: column of each node, from 0 on the left.
        height: vertical place of each node, in units of the distance of two rows.
        span: the lowest and the highest place of anything, bends included.
        ways: for each edge, in order, the bends between its ends as (column, height).
    """

    layer: Mapping[str, int]
    height: Mapping[str, float]
    span: tuple[float, float]
    ways: Sequence[Sequence[tuple[int, float]]]


def lay_out(
    nodes: Sequence[str],
    edges: Sequence[tuple[str, str]],
    *,
    left: Sequence[str] = (),
    right: Sequence[str] = (),
) -> Layout:
    """Places for the nodes of an acyclic graph.

    Args:
        nodes: names, distinct; their order breaks ties.
        edges: (source, target).
        left: nodes without predecessors that stay in the first column, e.g. the previous states.
        right: nodes without successors that go to the last column.

    Raises:
        ArgumentError: a cycle, an unknown name, or a name given twice.
    """
    layer = _layers(nodes, edges, left, right)
    columns, chains = _with_bends(nodes, edges, layer)
    neighbours = _neighbours(chains)
    _order(columns, neighbours)
    height = _heights(columns, neighbours)
    ways = [
        [(layer[edge[0]] + 1 + i, height[bend]) for i, bend in enumerate(chain[1:-1])]
        for edge, chain in zip(edges, chains, strict=True)
    ]
    span = (min(height.values(), default=0.0), max(height.values(), default=0.0))
    return Layout(layer=layer, height={name: height[name] for name in nodes}, span=span, ways=ways)


def _layers(
    nodes: Sequence[str],
    edges: Sequence[tuple[str, str]],
    left: Sequence[str],
    right: Sequence[str],
) -> dict[str, int]:
    """Longest path from the sources; a free source moves to just before the first node that uses it."""
    order = _sorted(nodes, edges)
    layer = dict.fromkeys(nodes, 0)
    after: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        after[source].append(target)
    for name in order:
        for target in after[name]:
            layer[target] = max(layer[target], layer[name] + 1)
    entered = {target for _, target in edges}
    for name in nodes:
        if name not in entered and name not in left and after[name]:
            layer[name] = min(layer[target] for target in after[name]) - 1
    last = max(layer.values(), default=0)
    return layer | {name: last for name in right if not after[name]}


def _sorted(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[str]:
    known = set(nodes)
    if len(known) != len(nodes):
        raise ArgumentError(
            "Two nodes of the drawing share a name.", "Give each node a name of its own."
        )
    for edge in edges:
        if unknown := [name for name in edge if name not in known]:
            raise ArgumentError(
                f"The edge {edge} ends at {unknown[0]!r}, which is no node.", "Add the node."
            )
    waiting = {name: {s for s, t in edges if t == name} for name in nodes}
    order: list[str] = []
    while waiting:
        ready = [name for name in nodes if name in waiting and not waiting[name]]
        if not ready:
            raise ArgumentError(
                f"The data flow runs in a circle through {', '.join(map(repr, waiting))}.",
                "Draw one step: the previous states are nodes of their own.",
            )
        order += ready
        for name in ready:
            del waiting[name]
        for before in waiting.values():
            before.difference_update(ready)
    return order


def _with_bends(
    nodes: Sequence[str], edges: Sequence[tuple[str, str]], layer: Mapping[str, int]
) -> tuple[list[list[str]], list[list[str]]]:
    """Columns with a bend for each column an edge crosses, and each edge as the chain of what it passes."""
    columns: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for name in nodes:
        columns[layer[name]].append(name)
    chains: list[list[str]] = []
    bends: dict[tuple[str, int], str] = {}
    for source, target in edges:
        chain = [source]
        for column in range(layer[source] + 1, layer[target]):
            key = (source, column)  # edges from one source share their way
            if key not in bends:
                bends[key] = f"\0{source}\0{column}"
                columns[column].append(bends[key])
            chain.append(bends[key])
        chains.append([*chain, target])
    return columns, chains


def _neighbours(chains: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    neighbours: dict[str, list[str]] = {}
    for one, other in sorted({pair for chain in chains for pair in pairwise(chain)}):
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    return neighbours


def _order(columns: list[list[str]], neighbours: Mapping[str, list[str]]) -> None:
    """Sort each column by the mean place of its neighbours, to and fro; keep the order with the fewest crossings.

    Barycentres alone stay where they begin too often, so they begin with the bends below the nodes, above them, and
    with both of these upside down.
    """
    given = [list(column) for column in columns]
    above = [sorted(column, key=lambda name: not name.startswith("\0")) for column in given]
    best, fewest = given, _crossings(given, neighbours)
    for start in (
        above,
        given,
        [column[::-1] for column in above],
        [column[::-1] for column in given],
    ):
        found = _swept(start, neighbours)
        if (crossings := _crossings(found, neighbours)) < fewest:
            best, fewest = found, crossings
    columns[:] = best


def _swept(start: list[list[str]], neighbours: Mapping[str, list[str]]) -> list[list[str]]:
    columns = [list(column) for column in start]
    best, fewest = start, _crossings(start, neighbours)
    for sweep in range(SWEEPS):
        last = len(columns) - 1
        for index in range(1, last + 1):
            forward = sweep % 2 == 0
            here, near = (index, index - 1) if forward else (last - index, last - index + 1)
            columns[here] = _by_barycentre(columns[here], columns[near], neighbours)
        crossings = _crossings(columns, neighbours)
        if crossings < fewest:
            best, fewest = [list(column) for column in columns], crossings
    return best


def _by_barycentre(
    column: list[str], near: list[str], neighbours: Mapping[str, list[str]]
) -> list[str]:
    """The column sorted by the mean place of each node's neighbours in the column beside it."""
    place = {name: (i + 0.5) / len(near) for i, name in enumerate(near)}
    keys: dict[str, float] = {}
    for i, name in enumerate(column):
        means = [place[other] for other in neighbours.get(name, ()) if other in place]
        keys[name] = round(sum(means) / len(means), 9) if means else (i + 0.5) / len(column)
    return sorted(column, key=keys.__getitem__)


def _crossings(columns: Sequence[Sequence[str]], neighbours: Mapping[str, list[str]]) -> int:
    total = 0
    for column, following in pairwise(columns):
        place = {name: i for i, name in enumerate(following)}
        pairs = [
            (i, place[o])
            for i, name in enumerate(column)
            for o in neighbours.get(name, ())
            if o in place
        ]
        total += sum((a - c) * (b - d) < 0 for k, (a, b) in enumerate(pairs) for c, d in pairs[:k])
    return total


def _heights(
    columns: Sequence[Sequence[str]], neighbours: Mapping[str, list[str]]
) -> dict[str, float]:
    """Heights near the mean of the neighbours', rows at least one apart (bends may come closer)."""
    height = {
        name: (len(column) - 1) / 2 - i for column in columns for i, name in enumerate(column)
    }
    for _ in range(SWEEPS):
        for column in columns:
            wanted = [_mean_height(name, neighbours.get(name, []), height) for name in column]
            for name, value in zip(column, _apart(column, wanted), strict=True):
                height[name] = value
    return height


def _mean_height(name: str, near: Sequence[str], height: Mapping[str, float]) -> float:
    """The neighbours' mean height; bends weigh more, so that long ways run straight (Gansner et al. 1993)."""
    weights = [(1, 3, 8)[name.startswith("\0") + other.startswith("\0")] for other in near]
    return (
        sum(w * height[o] for w, o in zip(weights, near, strict=True)) / sum(weights)
        if near
        else height[name]
    )


def _apart(column: Sequence[str], wanted: Sequence[float]) -> list[float]:
    """The nearest heights, in least squares, that keep the order and the distances (pool adjacent violators)."""
    offsets = [0.0] if column else []
    for one, other in pairwise(column):
        bends = one.startswith("\0") + other.startswith("\0")
        offsets.append(offsets[-1] + (1.0, 0.75, 0.4)[bends])
    pools: list[list[float]] = []  # mean, size; means must fall from top to bottom
    for value, offset in zip(wanted, offsets, strict=True):
        pools.append([value + offset, 1.0])
        while len(pools) > 1 and pools[-2][0] < pools[-1][0]:
            mean, size = pools.pop()
            before = pools[-1]
            pools[-1] = [
                (before[0] * before[1] + mean * size) / (before[1] + size),
                before[1] + size,
            ]
    means = [mean for mean, size in pools for _ in range(int(size))]
    return [mean - offset for mean, offset in zip(means, offsets, strict=True)]
