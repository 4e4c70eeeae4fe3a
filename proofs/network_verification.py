"""Everything that must hold before a network's generated file may be called verified."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.network import Network
from derive.network_derivation import NetworkDerivation, derive_network, label
from derive.network_language import read_network
from numeric.library import own_functions
from proofs import exact_checks, means
from proofs.addition_checks import OF_NETWORKS, examined
from proofs.attestation import read_source, standing
from proofs.branches import Watch
from proofs.modules import constant_of, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_contract import NUMERIC, OPTIONAL, Examine
from proofs.network_exact import prove_network
from proofs.network_layout import NetworkCode
from proofs.table import Check, Verification, failed, measured
from proofs.verification import BRANCHES, LOADED, Say, branches_row, differences_from, guarded
from proofs.workload import SIZE, excess

Regenerate = Callable[[NetworkDerivation], str]
PROMISED = ("init_params", "init_state", "forward", "backward", "value_and_grad")
OF_SEGMENT = (
    "exact, line by line",
    "exact, tangents",
    "exact, through time",
    "general proof",
    "SymPy's derivative",
)
WHOLE = "exact, whole network"
LEFT_OUT = re.compile(r"\w+ is (?:not )?None")
"""What the functions of a segment ask of arguments that a network always gives, or never: the other side cannot be
reached through what the file promises."""


def required_for(network: Network) -> frozenset[str]:
    """The checks that a network's table must hold."""
    lines = {f"{check}: {s.name}" for check in OF_SEGMENT for s in network.segments}
    return frozenset({means.NAME, LOADED, BRANCHES, "laws", WHOLE, *lines, *NUMERIC})


def verify_network(
    network: Network,
    source: str,
    *,
    derivation: NetworkDerivation | None = None,
    seed: int = 0,
    on_progress: Say | None = None,
    regenerate: Regenerate | None = None,
    subject: str = "",
) -> Verification:
    """Runs every check on the derivation of a network and on generated code for it.

    Args:
        network: the network that the code claims to implement.
        source: the code.
        derivation: the network's derivation if it is at hand.
        seed: of every random number; the same seed gives the same table.
        on_progress: told what is being checked.
        regenerate: the generator, to say where the code differs from what it writes today.
        subject: what the table is about; the network's name if not given.
    """
    say = on_progress or (lambda _: None)
    derivation = derivation or derive_network(network)
    refusal = next(filter(None, map(excess, derivation.segments)), None)
    if refusal is not None:
        rows, needed = (refusal,), frozenset({SIZE})
        return Verification(subject or network.name, rows, needed, seed=seed)
    say("derivative laws")
    checks = [exact_checks.laws()]
    lines: dict[str, bool] = {}
    for s, d in zip(network.segments, derivation.segments, strict=True):
        say(f"segment {s.name}: every line of its derivation")
        rows, judged = _of_segment(d, seed)
        checks += [replace(c, name=f"{c.name}: {s.name}") for c in rows]
        lines |= {label(s.name, number): holds for number, holds in judged.items()}
    say("the whole network, modulo a prime")
    checks += [_whole(derivation, seed), means.own_means(source)]
    what = "the file loads and defines what it promises"
    watch = Watch(source)
    module = guarded(lambda: load_source(source, network.name, PROMISED, watch))
    brought = examined(source, OF_NETWORKS)
    if isinstance(module, str):
        checks.append(failed(LOADED, what, module))
    else:
        size = f"{len(source.splitlines())} lines"
        checks.append(Check(LOADED, what, size, 0, 0, "holds", unit="wrong"))
        checks += _numeric(
            NetworkSubject(network, NetworkCode(module), seed), NUMERIC | brought, say
        )
        checks.append(branches_row(watch, watch.unseen(own_functions(), LEFT_OUT)))
    return Verification(
        subject or network.name,
        tuple(checks),
        required_for(network) | brought.keys(),
        OPTIONAL,
        seed,
        differences_from(derivation, source, regenerate),
        lines=lines,
    )


def _of_segment(derivation: Derivation, seed: int) -> tuple[list[Check], dict[int, bool]]:
    """The rows of one segment's derivation, and the verdict on each line; what raises fails, and says with what."""
    found = guarded(lambda: exact_checks.exact(derivation, seed))
    if isinstance(found, str):
        rows, lines = [failed(name, "", found) for name in OF_SEGMENT[:3]], {}
    else:
        rows = list(found[1])
        lines = {number: v.holds for number, v in sorted(found[0].lines.items())}
    for name, examine in (
        (OF_SEGMENT[3], lambda: exact_checks.general(derivation)),
        (OF_SEGMENT[4], lambda: exact_checks.smallest(derivation, seed)),
    ):
        row = guarded(examine)
        rows.append(failed(name, "", row) if isinstance(row, str) else row)
    return rows, lines


def _whole(derivation: NetworkDerivation, seed: int) -> Check:
    what = "L̇ of dual numbers run forward = Σ ⟨adjoint, direction⟩ run backward through all segments, modulo a prime"
    found = guarded(lambda: prove_network(derivation, seed=seed))
    if isinstance(found, str):
        return failed(WHOLE, what, found)
    sizes, wrong = "; ".join(map(str, found.extents)), found.wrong + found.bound.undecided
    figure = len(wrong) if found.extents else 1
    return measured(WHOLE, what, sizes, figure, 0, note=found.bound.note, where=wrong, unit="wrong")


def _numeric(subject: NetworkSubject, examines: dict[str, Examine], say: Say) -> Iterator[Check]:
    for name, examine in examines.items():
        say(name)
        row = guarded(lambda examine=examine: examine(subject))
        yield failed(name, examine.__doc__ or "", row) if isinstance(row, str) else row


def is_network_file(source: str) -> bool:
    """Whether a file states a network.

    Raises:
        ArgumentError: it is no Python.
    """
    return constant_of(source, "NETWORK") is not None


def verify_network_file(
    path: str | Path,
    *,
    source: str | None = None,
    seed: int = 0,
    on_progress: Say | None = None,
    regenerate: Regenerate | None = None,
) -> Verification:
    """Runs every check on a network's generated file as it is now, against the network that it states.

    Args:
        path: of the file; its ``NETWORK`` and ``CELLS`` are read without running it.
        source: its text, if it has been read.
        seed: of every random number.
        on_progress: told what is being checked.
        regenerate: the generator, to say where the file differs from what it writes today.

    Raises:
        ArgumentError: there is no such file, or it states no network.
        CellError: its text is no network.
    """
    source = read_source(Path(path)) if source is None else source
    network = network_in(source, path)
    found = standing(source)
    outcome = verify_network(
        network,
        found.code,
        seed=seed,
        on_progress=on_progress,
        regenerate=regenerate,
        subject=str(path),
    )
    return replace(outcome, certificate=found.sentence)


def network_in(source: str, path: str | Path) -> Network:
    """The network that a generated file states.

    Args:
        source: its text.
        path: where it was found.

    Raises:
        ArgumentError: it states none.
        CellError: its text is no network.
    """
    text, cells = constant_of(source, "NETWORK"), _cells(source)
    if text is None or cells is None:
        raise ArgumentError(
            f"{path} states no network: it has no string NETWORK and no dict CELLS at its top level.",
            "Give a file that throughtime generated.",
        )
    return read_network(text, constant_of(source, "NAME") or Path(path).stem, cells.get)


def _cells(source: str) -> dict[str, str] | None:
    """The dict ``CELLS`` of a file, read without running it."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "CELLS" for t in node.targets
        ):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                return None
            good = isinstance(value, dict) and all(
                isinstance(x, str) for pair in value.items() for x in pair
            )
            return value if good else None
    return None
