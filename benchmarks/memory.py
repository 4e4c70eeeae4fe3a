"""Peak memory of generated code against torch.nn.LSTM, and what saving it costs in time: docs/memory.md.

    python benchmarks/memory.py [--rounds N] [--out docs]

LSTM, float32, T = 10,000, B = 16, 64 inputs, 128 units, one thread. Memory: what one run adds to the peak of a process
of its own, and without the gradients by the inputs, which every run has to return. Time: least processor time of
rounds in which all run in turn in one process. Needs Linux.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
from benchmarks_speed.apart import environment
from benchmarks_speed.contenders import Run, by_torch, has, stacked
from speed import machine

from derive.catalog import load
from derive.derivation import derive
from numeric.additions import Additions, generate_with
from proofs.modules import load_source

T, B, m, n = 10_000, 16, 64, 128
KINDS = {
    "readable": Additions(),
    "--optimize speed": Additions(speed=True),
    "--backend numba": Additions(compiled=True),
    "--optimize size": Additions(size=True),
    "--optimize speed --checkpoint": Additions(speed=True, checkpoint=True),
    "--backend numba --checkpoint": Additions(compiled=True, checkpoint=True),
    "--optimize size --checkpoint": Additions(size=True, checkpoint=True),
}
TORCH = "torch.nn.LSTM"
KEPT = 7 * n * T * B * 4
"""The activations: f, i, o, g, c, tanh c and h of every step."""
RETURNED = m * T * B * 4


@cache
def module_of(name: str) -> ModuleType:
    """A contender's file, loaded; what it compiles in one run the next one finds."""
    return load_source(generate_with(derive(load("lstm")), KINDS.get(name, Additions())))


def prepared(name: str, steps: int = T) -> Run:
    """A contender over so many steps."""
    module = module_of(name)
    params = module.init_params(n, m, seed=1, dtype=np.float32)
    x = np.random.default_rng(0).standard_normal((steps, B, m), np.float32)
    bar = np.ones((steps, B, n), np.float32)
    if name == TORCH:
        return by_torch("lstm", stacked("lstm", params), x, bar)["torch.nn"]

    def loss(outputs: dict, start: int = 0) -> tuple[float, dict]:
        return 0.0, {"h": bar[start : start + len(outputs["h"])]}

    function = "checkpointed_value_and_grad" if "--checkpoint" in name else "value_and_grad"
    return lambda: getattr(module, function)(loss, params, x)[1]


def added_memory(name: str) -> int:
    """The bytes that one run adds to the peak of this process, which has run a few steps before."""
    prepared(name, 8)()
    run = prepared(name)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    run()
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak - pages * resource.getpagesize()


def in_its_own_process(name: str) -> int:
    """As ``added_memory``."""
    done = subprocess.run(  # noqa: S603 - this very file
        [sys.executable, __file__, "--of", name], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


def times(names: list[str], rounds: int) -> dict[str, float]:
    """The least processor times, in seconds; gradients agree before anything is timed."""
    runs = {name: prepared(name) for name in names}
    ours = [name for name in names if name in KINDS]
    expected = runs[ours[0]]()[0]
    for name in ours[1:]:
        for key, value in runs[name]()[0].items():
            error = np.abs(value - expected[key]).max() / np.abs(expected[key]).max()
            if not error < 2e-3:
                raise AssertionError(f"{name}: {key} is off by {error:.1e}")
    found = {name: float("inf") for name in names}
    shuffle, order = random.Random(0), list(names)  # noqa: S311 - an order of runs, no secret
    for _ in range(rounds):
        shuffle.shuffle(order)
        for name in order:
            start = time.process_time()
            runs[name]()
            found[name] = min(found[name], time.process_time() - start)
    return found


def page(memory: dict[str, int], seconds: dict[str, float]) -> str:
    """docs/memory.md."""
    fast = seconds["--optimize speed"]
    lines = [
        "# Memory of the generated code",
        "",
        *__doc__.splitlines()[4:],
        "",
        f"The activations of this run (f, i, o, g, c, tanh c and h of every step) take {KEPT / 1e6:.0f} MB; a run",
        f"returns gradients by its inputs of {RETURNED / 1e6:.0f} MB: the second column is without them.",
        "`--optimize size` keeps states and outputs for all steps and runs a stretch of steps again where the backward",
        "pass needs what it computed; `--checkpoint` keeps the states between √(r T) stretches, r being how many times",
        "as much as the state a step holds, and hands the outputs to the loss stretch by stretch.",
        "",
        f"Measured on: {', '.join(f'{k} {v}' for k, v in machine().items())},",
        "shared with other work. Made by `make memory`.",
        "",
        "| who | MB added | without inputs' gradients | activations over that | time over `--optimize speed` |",
        "|---|---|---|---|---|",
    ]
    for name, size in memory.items():
        own = max(1, size - RETURNED)
        shown = f"`{name}`" if name.startswith("--") else name
        lines.append(
            f"| {shown} | {size / 1e6:.0f} | {own / 1e6:.1f} | {KEPT / own:.1f} | {seconds[name] / fast:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--of", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    one = environment(1)
    if dict(os.environ) != one:
        os.execve(sys.executable, [sys.executable, *sys.argv], one)  # noqa: S606 - ourselves
    if chosen.of:
        sys.stdout.write(f"{added_memory(chosen.of)}\n")
        return
    names = [*KINDS, *([TORCH] if has("torch") else [])]
    memory = {name: in_its_own_process(name) for name in names}
    text = page(memory, times(names, chosen.rounds))
    chosen.out.mkdir(exist_ok=True)
    (chosen.out / "memory.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
