"""From equations to proved code: the time of each stage, and where T stands in it. One table.

python -m benchmarks.stages            the LSTM
python -m benchmarks.stages gru lru    other cells
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from derive.catalog import load
from derive.derivation import Derivation, derive
from numeric.source import generate
from proofs.checker import check
from proofs.general import prove as prove_generally
from proofs.modular import prove as prove_exactly
from proofs.modules import load_source

LENGTHS = (10, 1_000, 100_000)
ROUNDS = 5


def main() -> None:
    for name in sys.argv[1:] or ["lstm"]:
        print(table(name), end="\n\n")  # noqa: T201


def table(name: str) -> str:
    """The stages of one cell, with the computing time of each: the best of five, after imports."""
    cell = load(name)
    derivation = derive(cell)
    proof = prove_generally(derivation).to_json()
    exact = prove_exactly(derivation)
    nowhere = "T stands nowhere"
    drawn = "T = " + ", ".join(str(e.steps) for e in exact.extents)
    stages: list[tuple[str, Callable[[], Any], str]] = [
        ("derive", lambda: _derived(name), nowhere),
        ("prove exactly", lambda: prove_exactly(derivation), f"{drawn}, drawn by itself"),
        ("prove generally", lambda: prove_generally(derivation).to_json(), "T is a letter"),
        ("check that proof", lambda: check(proof), "T is a letter"),
        ("generate", lambda: generate(derivation), nowhere),
    ]
    if not (exact.ok and check(proof).accepted):
        raise RuntimeError(f"{name} is not proved")
    taken = [(title, _best(work), where) for title, work, where in stages]
    rows = [(title, f"{1000 * t:8.1f} ms", where) for title, t, where in taken]
    rows.append(("all of it", f"{1000 * sum(t for _, t, _ in taken):8.1f} ms", "for every T"))
    rows += [
        ("a step, there and back", f"{1e6 * t:8.1f} µs", f"in a run of T = {steps:,}")
        for steps, t in _steps(load_source(generate(derivation)), derivation)
    ]
    return "\n".join([name, *(f"  {a:<24}{b:>12}   {c}" for a, b, c in rows)])


def _derived(name: str) -> Any:
    """A derivation from the text of its equations, every line of it."""
    return derive(load(name)).steps


def _best(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    found: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def _steps(module: ModuleType, derivation: Derivation) -> list[tuple[int, float]]:
    """The time of one step of the generated code, forward and backward, in runs of several lengths."""
    cell, rng = derivation.cell, np.random.default_rng(0)
    if len(cell.inputs) != 1 or cell.inputs[0].kind == "index" or len(cell.dims) != 2:
        return []
    params, output = module.init_params(8, 4, seed=1), cell.outputs[0].name
    found: list[tuple[int, float]] = []
    for steps in LENGTHS:
        x = rng.standard_normal((steps, 2, 4))

        def work(x: Any = x) -> None:
            outputs, _, cache = module.forward(params, x)
            module.backward(params, cache, {output: np.ones_like(outputs[output])})

        found.append((steps, _best(work, 1 if steps > 10_000 else ROUNDS) / steps))
    return found


if __name__ == "__main__":
    main()
