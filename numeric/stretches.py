"""Stretches of a run in generated files: what a cache holds, step by step, cut into windows that lie side by side.

A cell's file can do that always; a network's with the leg that ``windowed_leg`` finds.
"""

from __future__ import annotations

import inspect
import textwrap
from types import ModuleType

import numpy as np

from derive.derivation import Derivation
from derive.network import Network
from derive.network_derivation import NetworkDerivation
from derive.network_legs import Leg
from derive.network_windows import windowed_leg
from numeric.body import listed, quoted
from numeric.forward_pass import Forward
from numeric.schedule import program
from numeric.source import File

Array = np.ndarray


def side_by_side(array: Array, starts: Array, length: int) -> Array:
    """The rows from each start on, (length, W·B, …) of an array (T, B, …): windows side by side as samples."""
    found = array[starts + np.arange(length)[:, None]]
    return found.reshape(length, -1, *array.shape[2:])


def repeated(array: Array, count: int, length: int) -> Array:
    """One value at every step, (T, B, …), as that of so many windows side by side, (length, W·B, …), without a copy."""
    windows = np.concatenate([array[0]] * count)
    return np.broadcast_to(windows, (length, *windows.shape))


NAMES = ("side_by_side", "repeated")


def stored_by_step(derivation: Derivation) -> dict[str, int]:
    """The arrays of a cell's cache with one entry a step: how many values before the first step each begins with."""
    file = File(program(derivation))
    kept = Forward(file.program, file.names).cached()
    constants = {q.name for q in file.cell.constants}
    return {
        name: file.memory[name].depth if name in file.memory else 0
        for name in kept
        if name not in constants
    }


def depths(derivation: Derivation | NetworkDerivation) -> dict[str, int]:
    """The states, and inputs with memory: how many values before the first step each has."""
    parts = derivation.segments if isinstance(derivation, NetworkDerivation) else (derivation,)
    quantities = (q for d in parts for q in (*d.cell.states, *d.cell.inputs))
    return {q.name: q.depth for q in quantities if q.depth}


def stretch_functions(derivation: Derivation | NetworkDerivation) -> list[str]:
    """The constants and functions by which a file cuts its caches."""
    of_network = isinstance(derivation, NetworkDerivation)
    held = held_in(derivation.network, "real") if of_network else []
    names = f"[{', '.join(map(quoted, held))}]" if held else ""
    head = f"HELD = frozenset({names})\n{_table('DEPTHS', depths(derivation))}"
    if of_network:
        return [head, *_of_network(derivation)]
    stored = stored_by_step(derivation)
    first, depth = next(iter(stored.items()))
    return [
        head,
        _table("STORED", stored),
        _steps_and_samples(f'cache["{first}"]', depth),
        "\n".join(
            [
                "def windows_of(cache: dict, starts: Array, length: int) -> dict:",
                '    """The cache of windows of this many steps, side by side as samples."""',
                "    cut = {name: side_by_side(cache[name], starts, length + d) for name, d in STORED.items()}",
                "    return {**cache, **cut}",
            ]
        ),
    ]


def held_in(network: Network, kind: str = "") -> list[str]:
    """The inputs of the leg that is cut that are the same at every step: all, or those of one kind."""
    found = dict.fromkeys(
        name
        for s in windowed_leg(network).segments
        for name, source in s.inputs.items()
        if source.held and kind in ("", s.cell.quantity(name).kind)
    )
    return list(found)


def _of_network(derivation: NetworkDerivation) -> list[str]:
    network, leg = derivation.network, windowed_leg(derivation.network)
    home = dict(zip((s.name for s in network.segments), derivation.segments, strict=True))
    kept = {s.name: stored_by_step(home[s.name]) for s in leg.segments}
    held = held_in(network)
    stored = {s: {k: d for k, d in found.items() if k not in held} for s, found in kept.items()}
    still = {s: [k for k in found if k in held] for s, found in kept.items()}
    rows = [f'    "{name}": {_dict(found)},' for name, found in stored.items()]
    segment = leg.segments[0].name
    first, depth = next(iter(kept[segment].items()))
    again = [
        f'    cut["{name}"] |= {{k: repeated(cache["{name}"][k], len(starts), length) for k in '
        f"[{', '.join(map(quoted, names))}]}}"
        for name, names in still.items()
        if names
    ]
    return [
        "\n".join(["STORED = {", *rows, "}"]),
        _steps_and_samples(f'cache["{segment}"]["{first}"]', depth),
        "\n".join(
            [
                "def windows_of(cache: dict, starts: Array, length: int) -> dict:",
                '    """The cache of windows of this many steps, side by side as samples."""',
                "    cut = {",
                "        segment: {**cache[segment], **{",
                "            name: side_by_side(cache[segment][name], starts, length + d)",
                "            for name, d in stored.items()",
                "        }}",
                "        for segment, stored in STORED.items()",
                "    }",
                *again,
                *_lengths(network, leg),
                "    return {**cache, **cut}",
            ]
        ),
    ]


def _lengths(network: Network, leg: Leg) -> list[str]:
    """The lengths of samples in windows: along their axis what is left of them, along others what they are."""
    beside = set(network.lengths.values())
    lines: list[str] = []
    for axis in network.masks:
        name = f'"lengths of {axis}"'
        if axis == leg.axis:
            lines += [
                f"    lengths, _ = cache[{name}]",
                "    lengths = np.clip(lengths - starts[:, None], 0, length).ravel()",
                f"    cut[{name}] = lengths, length",
            ]
        elif axis in beside:
            lines += [
                f"    lengths, T = cache[{name}]",
                f"    cut[{name}] = np.tile(lengths, len(starts)), T",
            ]
    return lines


def _steps_and_samples(array: str, depth: int) -> str:
    before = f" - {depth}" if depth else ""
    return "\n".join(
        [
            "def steps_and_samples(cache: dict) -> tuple[int, int]:",
            '    """T and B of the run that left this cache."""',
            f"    T, B = {array}.shape[:2]",
            f"    return T{before}, B",
        ]
    )


def _dict(found: dict[str, int]) -> str:
    return "{" + ", ".join(f'"{name}": {depth}' for name, depth in found.items()) + "}"


def _table(name: str, found: dict[str, int]) -> str:
    items = [f'"{key}": {depth}' for key, depth in found.items()]
    return "\n".join(listed(f"{name} = {{", items, "}"))


def sources(module: ModuleType, names: tuple[str, ...]) -> list[str]:
    """The text of functions, to be copied into a file."""
    return [textwrap.dedent(inspect.getsource(getattr(module, name))).rstrip() for name in names]
