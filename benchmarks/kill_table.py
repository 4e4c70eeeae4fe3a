"""The kill table: every mutant of every shipped cell, and who notices. Writes docs/kill-table.md.

python -m benchmarks.kill_table                     all shipped cells; an hour on two cores
python -m benchmarks.kill_table --others 4          the others are asked about every fourth mutant only
python -m benchmarks.kill_table --render            the page again, from what was found last time
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.kill_page import page, write_figure
from derive.catalog import load, shipped
from derive.network_catalog import load as load_network
from numeric.source import generate
from proofs.check import check
from proofs.mutants import Mutant
from proofs.mutants_module import Poisoned, module_of
from proofs.mutants_networks import NetworkTrial
from proofs.mutants_run import Trial
from proofs.opponents import OPPONENTS
from proofs.opponents_networks import network_task
from proofs.opponents_tasks import SETTINGS, Task, amplified, growing, task

ROOT = Path(__file__).resolve().parents[1]
FOUND = ROOT / "build" / "kill-table"
NETWORKS = ("many_to_one", "tagger", "deep")
CLOSELY = ("elman", "gru", "lstm")
"""Cells that are asked about in every setting; the others in the usual one."""
NOT_A_PASS = ("step", "value_and_grad", "init_state")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", nargs="*", default=[entry.name for entry in shipped()])
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    parser.add_argument("--others", type=int, default=1, metavar="N")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--render", action="store_true")
    chosen = parser.parse_args()
    if not chosen.render:
        FOUND.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(chosen.processes) as pool:
            names = [*chosen.cells, *chosen.networks]
            for cell in pool.map(examine, names, [chosen.others] * len(names)):
                print(cell, file=sys.stderr, flush=True)  # noqa: T201
        (FOUND / "growth.txt").write_text(json.dumps(growth()))
    found = [json.loads(path.read_text()) for path in sorted(FOUND.glob("*.json"))]
    grown = json.loads((FOUND / "growth.txt").read_text())
    (ROOT / "docs" / "images").mkdir(parents=True, exist_ok=True)
    (ROOT / "docs" / "kill-table.md").write_text(page(found, grown), encoding="utf-8")
    write_figure(found, ROOT / "docs" / "images" / "kill-table.svg")


def examine(name: str, others: int) -> str:
    """Judges the mutants of a cell or network, asks the others, and writes down who noticed what."""
    if name in NETWORKS:
        whole = NetworkTrial(load_network(name))
        return _written(name, others, whole, [network_task(whole.network, whole.source)])
    trial = Trial(load(name))
    settings = SETTINGS if name in CLOSELY else SETTINGS[:1]
    tasks = [task(trial.cell, trial.source, setting) for setting in settings]
    return _written(name, others, trial, tasks)


def _written(name: str, others: int, trial: Trial | NetworkTrial, tasks: list[Task]) -> str:
    trial.sound()
    right = module_of(trial.source, Poisoned())
    alarms = {
        f"{o.name}, {t.setting.name}": o.refuses(right, t)
        for o in OPPONENTS
        if o.present
        for t in tasks
    }
    rows = list(_rows(trial, tasks, others))
    versions = {o.name: f"{o.package} {o.version}".strip() if o.present else "" for o in OPPONENTS}
    data = {
        "cell": name,
        "others": others,
        "versions": versions,
        "false alarms": alarms,
        "mutants": rows,
    }
    (FOUND / f"{name}.json").write_text(json.dumps(data, indent=0))
    return name


def _rows(trial: Trial | NetworkTrial, tasks: list[Task], others: int) -> Iterator[dict[str, Any]]:
    asked: set[str] = {trial.source}
    for i, mutant in enumerate(trial.mutants()):
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


def growth() -> list[dict[str, Any]]:
    """Right code, and code with one transpose lost, where the trajectory grows: who accepts what."""
    trial = Trial(load("elman"))
    lost = next(
        m.source or ""
        for m in trial.mutants(["source"])
        if m.kind == "transpose" and m.place.startswith("backward,") and "W.T" in m.description
    )
    rows: list[dict[str, Any]] = []
    for gain, steps in ((2.0, 120), (2.4, 200)):
        made = amplified(trial.cell, trial.source, growing(gain, steps))
        for code, source in (("right", trial.source), ("one transpose lost", lost)):
            module = module_of(source, Poisoned())
            accepted = {o.name: not o.refuses(module, made) for o in OPPONENTS if o.present}
            accepted["throughtime"] = _ours(module, made)
            rows.append({"setting": made.setting.name, "code": code, "accepted": accepted})
    return rows


def _ours(module: Any, made: Task) -> bool:
    """``check`` on the same loss as the central differences have."""
    names = [*made.call.params, *made.call.state, "x"]
    params = dict(zip(names, [*made.call.params.values(), *made.call.state.values()], strict=False))
    p = len(made.call.params)

    def arrays(given: dict[str, Any], x: Any) -> list[Any]:
        values = [given[n] for n in names[:-1]]
        dtype = np.result_type(*values, x)
        return [np.asarray(v, dtype) for v in (*values[:p], x, *values[p:])]

    def loss(given: dict[str, Any], x: Any) -> Any:
        return sum(0.5 * np.sum(v * v) for v in made.values(module, arrays(given, x)))

    def gradient(given: dict[str, Any], x: Any) -> Any:
        flat = arrays(given, x)
        found = made.pulled(module, flat, made.values(module, flat))
        return dict(zip(names, [*found[:p], *found[p + 1 :]], strict=False)), [found[p]]

    return check(loss, gradient, params, made.call.inputs[0]).ok


if __name__ == "__main__":
    main()
