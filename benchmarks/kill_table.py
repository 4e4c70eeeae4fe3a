"""The kill table: every mutant of every shipped cell and of three networks, and who notices. Writes docs/kill-table.md.

python -m benchmarks.kill_table                     everything; an hour on two cores
python -m benchmarks.kill_table --others 1          the others are asked about every mutant, and not about some
python -m benchmarks.kill_table --again             nothing is used that an earlier run found

What was found about a cell is kept in build/kill-table, and used again for as long as its code and its mutants are the
same; so a run that was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from benchmarks.kill_page import page, write_figure
from benchmarks.kill_spots import BLIND, GROWING, MISTAKES, blind_spots, growth
from derive.catalog import load, shipped
from derive.network_catalog import load as load_network
from numeric.source import generate
from proofs.mutants import Mutant
from proofs.mutants_module import Poisoned, module_of
from proofs.mutants_networks import NetworkTrial
from proofs.mutants_run import Trial
from proofs.opponents import OPPONENTS
from proofs.opponents_networks import network_task
from proofs.opponents_tasks import SETTINGS, Task, task

ROOT = Path(__file__).resolve().parents[1]
FOUND = ROOT / "build" / "kill-table"
NETWORKS = ("many_to_one", "tagger", "deep")
CLOSELY = ("elman", "gru", "lstm")
"""Cells that are asked about in every setting; the others in the usual one."""
SPOTS = "blind spots"
NOT_A_PASS = ("step", "value_and_grad", "init_state")
OTHERS, OF_NETWORKS = 4, 5
"""The others are asked about one mutant in this many; of networks, which take them long, fewer by that factor."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", nargs="*", default=[entry.name for entry in shipped()])
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    parser.add_argument("--others", type=int, default=OTHERS, metavar="N")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--again", action="store_true")
    chosen = parser.parse_args()
    FOUND.mkdir(parents=True, exist_ok=True)
    names = [*chosen.cells, *chosen.networks]
    with ProcessPoolExecutor(chosen.processes) as pool:
        work = [pool.submit(examine, n, chosen.others, again=chosen.again) for n in names]
        work.append(pool.submit(look_at_spots, again=chosen.again))
        for done in as_completed(work):
            print(done.result(), file=sys.stderr, flush=True)  # noqa: T201
    found = [json.loads(_file(name).read_text()) for name in names]
    spots = json.loads(_file(SPOTS).read_text())
    (ROOT / "docs" / "images").mkdir(parents=True, exist_ok=True)
    (ROOT / "docs" / "kill-table.md").write_text(
        page(found, spots["growth"], spots["blind"]), encoding="utf-8"
    )
    write_figure(found, ROOT / "docs" / "images" / "kill-table.svg")


def examine(name: str, others: int, *, again: bool = False) -> str:
    """Judges the mutants of a cell or network, asks the others, and writes down who noticed what."""
    trial: Trial | NetworkTrial
    if name in NETWORKS:
        trial = NetworkTrial(load_network(name))
        tasks = [network_task(trial.network, trial.source)]
        others *= 1 if others == 1 else OF_NETWORKS
    else:
        trial = Trial(load(name))
        settings = SETTINGS if name in CLOSELY else SETTINGS[:1]
        tasks = [task(trial.cell, trial.source, setting) for setting in settings]
    mutants = list(trial.mutants())
    key = _fingerprint(trial.source, mutants, others)
    if _kept(name, key) and not again:
        return f"{name}: kept"
    found = {"cell": name, "key": key, "others": others, **_found(trial, mutants, tasks, others)}
    _keep(name, found)
    return f"{name}: {len(mutants)} mutants"


def look_at_spots(*, again: bool = False) -> str:
    """Who accepts what where wrong code looks right, and right code wrong; written down likewise."""
    source = Trial(load("elman")).source
    key = _fingerprint(source, [], 0, *MISTAKES.values(), str((BLIND, GROWING)))
    if _kept(SPOTS, key) and not again:
        return f"{SPOTS}: kept"
    _keep(SPOTS, {"key": key, "blind": blind_spots(), "growth": growth()})
    return SPOTS


def _kept(name: str, key: str) -> bool:
    return _file(name).exists() and json.loads(_file(name).read_text())["key"] == key


def _keep(name: str, found: dict[str, Any]) -> None:
    """Writes what was found, whole or not at all."""
    partly = _file(name).with_suffix(".part")
    partly.write_text(json.dumps(found, indent=0))
    partly.replace(_file(name))


def _file(name: str) -> Path:
    return FOUND / f"{name}.json"


def _versions() -> dict[str, str]:
    return {o.name: f"{o.package} {o.version}".strip() if o.present else "" for o in OPPONENTS}


def _fingerprint(source: str, mutants: list[Mutant], others: int, *more: str) -> str:
    """Changes with whatever the findings depend on, but for the checks themselves."""
    parts = [source, *map(str, mutants), str(others), str(_versions()), *more]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _found(
    trial: Trial | NetworkTrial, mutants: list[Mutant], tasks: list[Task], others: int
) -> dict[str, Any]:
    """What became of each mutant, and who of the others refuses it, or the right code."""
    trial.sound()
    right = module_of(trial.source, Poisoned())
    alarms = {
        f"{o.name}, {t.setting.name}": o.refuses(right, t)
        for o in OPPONENTS
        if o.present
        for t in tasks
    }
    rows = list(_rows(trial, mutants, tasks, others))
    return {"versions": _versions(), "false alarms": alarms, "mutants": rows}


def _rows(
    trial: Trial | NetworkTrial, mutants: list[Mutant], tasks: list[Task], others: int
) -> Iterator[dict[str, Any]]:
    asked: set[str] = {trial.source}
    for i, mutant in enumerate(mutants):
        j = trial.judged(mutant)
        row: dict[str, Any] = {
            "family": mutant.family,
            "kind": mutant.kind,
            "place": mutant.place,
            "description": mutant.description,
            "fate": j.fate,
            "check": j.check,
            "reason": j.reason if j.fate != "killed" else "",
        }
        source = _code(mutant) if j.fate != "equivalent" and i % others == 0 else None
        if source is not None and source not in asked and any(trial.refusal(source)):
            asked.add(source)
            row["refused"] = _refused(mutant, source, tasks)
        yield row


def _code(mutant: Mutant) -> str | None:
    """The code that the others are asked about: both passes, if the mutant is in them."""
    if mutant.source is not None:
        return None if mutant.place.startswith(NOT_A_PASS) else mutant.source
    if mutant.derivation is None:
        return None
    try:
        return generate(mutant.derivation)
    except (KeyError, ValueError, TypeError, RuntimeError):
        return None


def _refused(mutant: Mutant, source: str, tasks: list[Task]) -> dict[str, bool]:
    """Who refuses the code, by opponent and setting."""
    try:
        module = module_of(source, Poisoned())
    except Exception:  # noqa: BLE001 - code that does not load is refused by everyone
        return {f"{o.name}, {t.setting.name}": True for o in OPPONENTS if o.present for t in tasks}
    found: dict[str, bool] = {}
    for t in tasks:
        t.same_forward = mutant.family != "source" or mutant.place.startswith("backward")
        for o in OPPONENTS:
            if o.present:
                found[f"{o.name}, {t.setting.name}"] = o.refuses(module, t)
    return found


if __name__ == "__main__":
    main()
