"""Generated code against torch, jax and autograd: docs/speed.md and its figure.

    python benchmarks/speed.py [--rounds N] [--cells lstm,gru] [--shapes 100,1,16,16 …] [--threads 1,2]
        [--kernels ZEN] [--out docs] [--keep]

Every contender computes the outputs and the gradients by all parameters and inputs of Σ weights · h, on the same
numbers; the gradients must agree before anything is timed. What is reported are medians of ratios within rounds.
With one thread all contenders are interleaved in one process; with more each has a process of its own, in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path

import numpy as np
from benchmarks_speed import apart, contenders, page

SHAPES = [
    (100, 1, 16, 16), (100, 1, 64, 64), (100, 8, 32, 32), (100, 32, 64, 64), (1000, 16, 64, 128),
    (100, 64, 128, 256), (50, 128, 256, 512),
]  # fmt: skip
CELLS = ("lstm", "gru", "elman", "own")
TIGHT = {"float32": 2e-3, "float64": 1e-8}
SLOW, FEW = 0.5, 4
"""Who takes more than so many seconds takes part in so many rounds."""


def agreeing(
    cell: str, shape: tuple[int, ...], dtype: str, wanted: list[str] | None = None, threads: int = 1
) -> dict[str, contenders.Run]:
    """The contenders, all of whose gradients agree with those of the readable file."""
    runs = contenders.runs(cell, shape, np.dtype(dtype), wanted, threads)
    expected = {k: np.asarray(v) for k, v in runs["readable"]().items()}
    for name, run in runs.items():
        if name == "floor":
            continue
        found = run()
        for key, value in expected.items():
            error = np.abs(np.asarray(found[key]) - value).max() / np.abs(value).max()
            if not error < TIGHT[dtype]:
                raise AssertionError(
                    f"{name} on {cell} {shape} {dtype}: {key} is off by {error:.1e}"
                )
    return runs


def measured(runs: dict[str, contenders.Run], rounds: int) -> dict[str, list[float]]:
    """The times of every contender, in seconds, taken in turn; who is slow takes part in fewer rounds."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    many = {name: apart.repeats(run) for name, run in runs.items()}
    order = list(runs)
    shuffle = random.Random(0)  # noqa: S311 - an order of runs, no secret
    for _ in range(rounds):
        shuffle.shuffle(order)
        for name in order:
            if len(times[name]) >= FEW and times[name][0] > SLOW:
                continue
            times[name].append(apart.turn(runs[name], many[name]))
    return times


def ratios(times: dict[str, list[float]]) -> dict[str, object]:
    """What of a measurement is reported: median times, and others' over ours, round by round."""
    usual = {name: statistics.median(t) for name, t in times.items()}
    ours = {name: usual[name] for name in ("fast", "compiled", contenders.TEAM) if name in times}
    best = min(ours, key=ours.__getitem__)
    found: dict[str, object] = {
        "best": best,
        "ms": {name: round(1e3 * t, 4) for name, t in usual.items()},
    }
    for mine in dict.fromkeys((best, "fast")):
        found[f"over {mine}"] = {
            name: _quartiles([a / b for a, b in zip(t, times[mine], strict=False)])
            for name, t in times.items()
            if name != mine
        }
    return found


def _quartiles(values: list[float]) -> list[float]:
    """The median, and what a quarter lies below and above."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return [round(middle, 3), round(low, 3), round(high, 3)]


def machine() -> dict[str, str]:
    """What the numbers were taken on."""
    packages = {
        p: version(p) for p in ("numpy", "numba", "torch", "jax", "autograd") if contenders.has(p)
    }
    count = str(os.cpu_count())
    python = platform.python_version()
    return {"processor": processor(), "processors": count, "python": python, **packages}


def processor() -> str:
    """The processor's name, and of what family it is, where the system says it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    known = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    parts = (f"{word} {known[key]}" for word, key in _FAMILY.items() if key in known)
    return ", ".join([known.get("model name", platform.processor()), *parts])


_FAMILY = {"family": "cpu family", "model": "model"}


def joined(folder: Path, result: dict, *, keep: bool) -> dict:
    """What was measured, and what other machines did before, or this one if that is to be kept; in order."""
    before = folder / "speed.json"
    old = json.loads(before.read_text(encoding="utf-8")) if before.exists() else {}
    if not keep:
        mine = [m["processor"] for m in result["machines"]]
        old = {k: [v for v in old[k] if v["processor"] not in mine] for k in old}
    machines = [*result["machines"], *old.get("machines", [])]
    machines = list({m["processor"]: m for m in reversed(machines)}.values())[::-1]
    key = itemgetter("processor", "cell", "threads", "blas", "shape", "dtype")
    every = {key(r): r for r in (*old.get("rows", []), *result["rows"])}.values()
    names = [m["processor"] for m in machines]
    shapes = [",".join(map(str, shape)) for shape in SHAPES]

    def place(r: dict) -> tuple:
        shape = shapes.index(r["shape"]) if r["shape"] in shapes else len(shapes)
        other = r["blas"] != page.OPENBLAS
        which = names.index(r["processor"]), CELLS.index(r["cell"])
        return *which, r["threads"], other, shape, r["dtype"]

    return {"machines": machines, "rows": sorted(every, key=place)}


def main() -> None:
    """Measures, and writes the page after every cell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--cells", default=",".join(CELLS))
    parser.add_argument("--shapes", nargs="*", default=[",".join(map(str, s)) for s in SHAPES])
    parser.add_argument("--dtypes", default="float32,float64")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument(
        "--kernels", default="", help="whose kernels OpenBLAS takes; its own choice if left out"
    )
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument(
        "--keep", action="store_true", help="what this machine does not measure again stays"
    )
    parser.add_argument("--serve", nargs=5, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        cell, text, dtype, threads, name = chosen.serve
        shape = tuple(map(int, text.split(",")))
        runs = agreeing(cell, shape, dtype, ["readable", name], int(threads))
        apart.serve(runs[name])
        return
    one = apart.environment(1, chosen.kernels)
    if dict(os.environ) != one:
        os.execve(sys.executable, [sys.executable, *sys.argv], one)  # noqa: S606 - ourselves
    result = {"machines": [machine()], "rows": []}
    chosen.out.mkdir(exist_ok=True)
    for cell in chosen.cells.split(","):
        for threads in map(int, chosen.threads.split(",")):
            for text in chosen.shapes:
                for dtype in chosen.dtypes.split(","):
                    result["rows"].append(
                        row(cell, text, dtype, chosen.rounds, threads, chosen.kernels)
                    )
                    sys.stdout.write(json.dumps(result["rows"][-1]) + "\n")
                    sys.stdout.flush()
        page.write(joined(chosen.out, result, keep=chosen.keep), chosen.out)


def row(
    cell: str, text: str, dtype: str, most: int, threads: int, kernels: str
) -> dict[str, object]:
    """One line of the tables."""
    shape = tuple(map(int, text.split(",")))
    work = shape[0] * shape[1] * shape[3] * (shape[2] + shape[3])
    rounds = max(7, min(most, int(most * 3e7 / work)))
    with apart.held_to(threads):
        if threads == 1:
            times = measured(agreeing(cell, shape, dtype), rounds)
        else:
            every = contenders.names(cell, shape, threads)
            who = [n for n in every if n not in ("autograd", "torch eager")]
            command = [__file__, "--serve", cell, text, dtype, str(threads)]
            times = apart.measured(command, who, min(rounds, 9), threads, contenders.TEAM, kernels)
    about = {
        "processor": processor(),
        "cell": cell,
        "shape": text,
        "dtype": dtype,
        "threads": threads,
        "rounds": rounds,
        "warm": 0.0 if threads == 1 else apart.WARM,
    }
    blas = str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"])
    about["blas"] = " ".join([blas, kernels]).rstrip()
    return {**about, **ratios(times)}


if __name__ == "__main__":
    main()
