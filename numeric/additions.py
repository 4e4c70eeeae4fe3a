"""What a generated file can bring along besides forward and backward pass, as one row each: asked for, written, found.

truncation    truncated_gradients: every k₁ steps, back k₂ steps
checkpoint    checkpointed_value_and_grad: O(√T) memory
portable      for any array namespace instead of NumPy's alone
speed         over a workspace, in the order that takes least time
size          over a workspace for one stretch of steps, which is computed again where it is needed
compiled      over a workspace, with the loops over time compiled by Numba
threads       a team of threads that share out the samples, in a compiled file
settings      the sizes at the head of a file over a workspace, as they were tuned
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.network_derivation import NetworkDerivation
from numeric import checkpointed, realtime, stretches, team
from numeric.checkpointed import checkpointed_functions
from numeric.compiled_source import generate_compiled, generate_compiled_network
from numeric.fast_again import AGAIN, generate_small, generate_small_network
from numeric.fast_source import generate_fast, generate_fast_network
from numeric.network_source import generate_network
from numeric.portable_network import generate_portable_network
from numeric.portable_source import generate_portable
from numeric.realtime import realtime_functions
from numeric.scan_source import generate_network_scan, generate_scan
from numeric.source import generate
from numeric.stretches import sources, stretch_functions
from numeric.team_source import team_functions
from numeric.truncated import truncated_functions, truncation_in
from numeric.tuning import settings_in, with_settings

SCANS = frozenset({"running_sum", "linear_scan", "coupled_scan"})
"""Of these functions, a file that computes its steps together has at least one."""


@dataclass(frozen=True, slots=True)
class Additions:
    """What is asked for.

    Args:
        truncation: (k₁, k₂), or ``None``.
        checkpoint: gradients with O(√T) memory.
        scan: no loop over steps, for recurrences that are linear in their state.
        real_time: gradients forward in time, for small cells.
        portable: over any array namespace; nothing else goes with it.
        speed: made for speed, not for reading.
        compiled: made for speed, the loops compiled by Numba.
        size: made for little memory.
        threads: samples shared out among threads, in a compiled file.
        settings: the sizes at the head of a file over a workspace, by name; the ordinary ones where left out.
    """

    truncation: tuple[int, int] | None = None
    checkpoint: bool = False
    scan: bool = False
    real_time: bool = False
    portable: bool = False
    speed: bool = False
    compiled: bool = False
    size: bool = False
    threads: bool = False
    settings: tuple[tuple[str, int], ...] = ()

    @property
    def workspace(self) -> bool:
        """Whether the file computes over a workspace."""
        return self.speed or self.compiled or self.size


def generate_with(derivation: Derivation | NetworkDerivation, wanted: Additions) -> str:
    """The file of a cell or a network, with what is asked for behind its own functions.

    Args:
        derivation: of the cell or the network.
        wanted: what to bring along.

    Raises:
        ArgumentError: it makes no sense for this cell or network; the message says why.
    """
    if wanted.portable:
        return _portable(derivation, wanted)
    if wanted.workspace:
        text = with_settings(_fast(derivation, wanted), dict(wanted.settings))
        parts = [text.rstrip("\n")]
    else:
        parts = [_main(derivation, scan=wanted.scan).rstrip("\n")]
    if wanted.truncation is not None:
        parts += [
            *truncated_functions(derivation, wanted.truncation),
            *stretch_functions(derivation),
            *sources(stretches, stretches.NAMES),
        ]
    if wanted.checkpoint:
        parts += checkpointed_functions(derivation, "\n".join(parts), workspace=wanted.workspace)
    if wanted.threads:
        parts += _team(derivation, wanted)
    if wanted.real_time:
        parts += realtime_functions(derivation, "\n".join(parts))
    return "\n\n\n".join(parts) + "\n"


def _main(derivation: Derivation | NetworkDerivation, *, scan: bool) -> str:
    """The file before anything is added."""
    if isinstance(derivation, NetworkDerivation):
        return generate_network_scan(derivation) if scan else generate_network(derivation)
    return generate_scan(derivation) if scan else generate(derivation)


def _fast(derivation: Derivation | NetworkDerivation, wanted: Additions) -> str:
    """The file over a workspace, before anything is added."""
    kind = "size" if wanted.size else "compiled" if wanted.compiled else "speed"
    what, asked = _ASKED[kind]
    for given, option, computes in (
        (wanted.scan, "--scan", "it computes no steps together"),
        (wanted.real_time, "--rtrl", "it computes nothing forward in time"),
    ):
        if given:
            raise ArgumentError(
                f"{what} goes step by step and backwards: {computes}.",
                f"Leave out {option}, or {asked}.",
            )
    if wanted.truncation is not None:
        raise ArgumentError(
            f"Truncated gradients read what the readable file keeps; {what[0].lower()}{what[1:]} keeps it otherwise.",
            f"Leave out --truncate, or {asked}.",
        )
    if wanted.size and wanted.compiled:
        raise ArgumentError(
            "Compiled files keep what their steps compute; a file made for little memory computes it again.",
            "Leave out --backend numba, or --optimize size.",
        )
    for_cell, for_network = _WRITERS[kind]
    if isinstance(derivation, NetworkDerivation):
        return for_network(derivation)
    return for_cell(derivation)


_ASKED = {
    "speed": ("A file made for speed", "--optimize speed"),
    "size": ("A file made for little memory", "--optimize size"),
    "compiled": ("A compiled file", "--backend numba"),
}
"""The files over a workspace: what they are, and the option that asks for them."""
_WRITERS = {
    "speed": (generate_fast, generate_fast_network),
    "size": (generate_small, generate_small_network),
    "compiled": (generate_compiled, generate_compiled_network),
}
"""The files over a workspace: who writes them for a cell, and who for a network."""


def _team(derivation: Derivation | NetworkDerivation, wanted: Additions) -> list[str]:
    """The class whose threads share out the samples."""
    if not wanted.compiled:
        raise ArgumentError(
            "Threads share out samples where loops are compiled: others wait for each other at every call of NumPy.",
            "Leave out --threads, or add --backend numba.",
        )
    return team_functions(derivation)


def _portable(derivation: Derivation | NetworkDerivation, wanted: Additions) -> str:
    """The file over any array namespace, by itself."""
    if wanted != Additions(portable=True):
        raise ArgumentError(
            "A file for any array namespace brings nothing else along.",
            "Leave out the other options.",
        )
    if isinstance(derivation, NetworkDerivation):
        return generate_portable_network(derivation)
    return generate_portable(derivation)


def additions_in(source: str) -> Additions:
    """What a file brings along, read without running it."""
    defined = functions_in(source)
    again = any(name.startswith(AGAIN) for name in defined)
    return Additions(
        truncation=truncation_in(source),
        checkpoint=checkpointed.NAME in defined,
        scan=bool(defined & SCANS),
        real_time=realtime.NAME in defined,
        portable="namespace" in defined,
        speed="stretch" in defined and not again,
        compiled="compiled" in defined,
        size=again,
        threads=team.NAME in defined,
        settings=tuple(settings_in(source).items()) if "stretch" in defined else (),
    )


def functions_in(source: str) -> frozenset[str]:
    """The names of a file's functions and classes; none if it is no Python."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(n.name for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef))
