"""The other process of ``verifying``: it runs the file and its checks, and answers with plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from proofs.sandbox import Say, answer
from throughtime.model import verify_here

if TYPE_CHECKING:
    from proofs.mutants import MutantReport


def work(request: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """What the checks found; and of the mutants, if they are asked for and the file is verified."""
    path, source, seed = request["path"], request["source"], request["seed"]
    found = verify_here(path, source, seed=seed, on_progress=say)
    broken = _mutants(path, source, seed, say) if request["mutants"] and found.ok else None
    plain = {
        **asdict(found),
        "required": sorted(found.required),
        "optional": sorted(found.optional),
    }
    return {"verification": plain, "mutants": None if broken is None else _plain(broken)}


def _mutants(path: str, source: str, seed: int, say: Say) -> MutantReport:
    from proofs.attestation import standing
    from proofs.mutants_networks import run_network_mutants
    from proofs.mutants_run import run_mutants_of_file
    from proofs.network_verification import is_network_file, network_in

    code = standing(source).code
    if is_network_file(code):
        network = network_in(code, path)
        return run_network_mutants(network, seed=seed, source=code, on_progress=say)
    return run_mutants_of_file(path, code, seed=seed, on_progress=say)


def _plain(report: MutantReport) -> dict[str, Any]:
    """The report without the broken derivations and sources themselves."""
    names = ("family", "kind", "place", "description", "refused")
    rows = [
        {
            "mutant": {n: getattr(j.mutant, n) for n in names},
            "fate": j.fate,
            "check": j.check,
            "reason": j.reason,
        }
        for j in report.judgements
    ]
    return {"cell": report.cell, "judgements": rows}


if __name__ == "__main__":
    answer(work)
