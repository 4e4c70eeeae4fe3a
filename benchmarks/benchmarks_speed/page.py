"""The page and the figure of a measurement of speed."""

from __future__ import annotations

import json
import math
from operator import itemgetter
from pathlib import Path

import matplotlib.pyplot as plt

OPENBLAS = "scipy-openblas"
"""The products of the NumPy that PyPI has."""
OTHERS = ("torch.nn", "jax jit", "torch eager", "autograd", "readable")


def write(result: dict, folder: Path) -> None:
    """docs/speed.json, docs/speed.md and docs/speed.svg."""
    told = json.dumps(result, indent=1) + "\n"
    (folder / "speed.json").write_text(told, encoding="utf-8")
    figure(result["rows"], folder / "speed.svg")
    (folder / "speed.md").write_text(text(result), encoding="utf-8")


def text(result: dict) -> str:
    """The page."""
    lines = [
        "# Speed of the generated code",
        "",
        "Forward and backward pass with the gradients by all parameters and inputs. Each entry is another's time",
        "over our best: the median of the ratios within rounds, in brackets the quartiles; above 1, ours is faster.",
        "*Best* is the faster of the NumPy file of `generate --optimize speed` (fast) and the file of `--backend",
        "numba` (compiled), and with more threads a team of `--threads` (team), which share out the samples and",
        "whose products have one thread each; *NumPy* is the first alone. *Floor* is the share of our best time",
        "that the matrix products alone take by NumPy, in the order that the recurrence forces, with as many tanh",
        "as the cell has; compiled products can be faster. *readable* is the file that `generate` writes if not",
        "asked otherwise; *own* is a cell of our own making for which nobody has a kernel. All gradients agreed",
        "before anything was timed. With one thread all contenders are interleaved in random order in one process;",
        "with two each has a process of its own, one at work at a time; none sees more processors than it has",
        "threads. A turn repeats what takes less than 50 ms, up to 15 times, and its median counts. Where units are",
        "many, the products decide: torch's are those of MKL and oneDNN, ours those of NumPy's OpenBLAS, or of MKL",
        "where a table says so: the same files, with a NumPy that was built upon it, as conda's may be. Every",
        "library chooses its instructions by itself, but where a table names the kernels of OpenBLAS, which the",
        "variable OPENBLAS_CORETYPE chose: on family 25, model 17 (Zen 4), it takes those for SkylakeX by itself,",
        "which are the slower ones for products as large as those of 256 units. Machines are shared with other",
        "work. Shapes are steps, samples, inputs, units. Memory: [memory.md](memory.md).",
        "",
        "![Others' time over ours](speed.svg)",
    ]
    for machine in result["machines"]:
        told = ", ".join(f"{k} {v}" for k, v in machine.items() if k != "processor")
        mine = [r for r in result["rows"] if r["processor"] == machine["processor"]]
        lines += ["", f"## {machine['processor']}", "", f"With {told}.", *_tables(mine)]
    return "\n".join(lines) + "\n"


def _tables(every: list[dict]) -> list[str]:
    """The tables of one machine."""
    lines, table = [], itemgetter("cell", "threads", "blas")
    for cell, threads, blas in dict.fromkeys(map(table, every)):
        rows = [r for r in every if table(r) == (cell, threads, blas)]
        others = [o for o in OTHERS if any(o in r[f"over {r['best']}"] for r in rows)]
        count = "one thread" if threads == 1 else f"{threads} threads"
        lines += [
            "",
            f"### {cell}, {count}{_products(blas)}",
            "",
            *_table(rows, others),
            *_warmed(rows),
        ]
    return lines


def _products(blas: str) -> str:
    """Whose products NumPy's are, where it is not OpenBLAS as it comes."""
    library, _, kernels = blas.partition(" ")
    if library != OPENBLAS:
        return f", NumPy on {library.split('-')[0].upper()}"
    return f", OpenBLAS with the kernels for {kernels}" if kernels else ""


def _warmed(rows: list[dict]) -> list[str]:
    """What was not counted of each turn."""
    seconds = max(r.get("warm", 0.0) for r in rows)
    return ["", f"Each was at work for {seconds} s before its time counted."] if seconds else []


def _table(rows: list[dict], others: list[str]) -> list[str]:
    head = ["shape", "type", "best", *others, "NumPy: torch.nn", "NumPy: jax jit", "floor"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for r in rows:
        best, plain = r[f"over {r['best']}"], r["over fast"]
        entries = [_entry(best.get(o)) for o in others]
        entries += [_entry(plain.get(o)) for o in ("torch.nn", "jax jit")]
        share = best.get("floor")
        entries.append(f"{share[0]:.2f}" if share else "")
        lines.append(f"| {r['shape']} | {r['dtype']} | {r['best']} | {' | '.join(entries)} |")
    for other in others:
        known = [r[f"over {r['best']}"][other][0] for r in rows if other in r[f"over {r['best']}"]]
        mean = math.exp(sum(map(math.log, known)) / len(known))
        lines += [""] * (other == others[0]) + [
            f"Geometric mean over {other}: {mean:.2f}, least {min(known):.2f}."
        ]
        lines.append("") if other != others[-1] else None
    return lines


def _entry(ratio: list[float] | None) -> str:
    if ratio is None:
        return ""
    middle, low, high = (f"{q:.2f}" if q < 10 else f"{q:.0f}" for q in ratio)
    return f"{middle} ({low}–{high})"


def figure(rows: list[dict], path: Path) -> None:
    """Others' time over ours, by shape: a row of plots for each machine."""
    plt.rcParams["svg.hashsalt"] = "speed"
    kind = itemgetter("dtype", "threads", "blas")
    rows = [r for r in rows if kind(r) == ("float32", 1, OPENBLAS)]
    machines = list(dict.fromkeys(r["processor"] for r in rows))
    cells = list(dict.fromkeys(r["cell"] for r in rows))
    size = (3.2 * len(cells), 0.6 + 2.8 * len(machines))
    shown, axes = plt.subplots(
        len(machines), len(cells), figsize=size, sharex="col", sharey=True, squeeze=False
    )
    for machine, line in zip(machines, axes, strict=True):
        for axis, cell in zip(line, cells, strict=True):
            mine = [r for r in rows if (r["processor"], r["cell"]) == (machine, cell)]
            _curves(axis, mine)
            axis.set_title(cell)
        line[0].set_ylabel(f"other's time / ours\n{machine}", fontsize=7)
    axes[0][0].legend(fontsize=7)
    shown.suptitle("float32, one thread", fontsize=9)
    plt.tight_layout()
    plt.savefig(path, metadata={"Date": None})


def _curves(axis, rows: list[dict]) -> None:
    """One cell on one machine."""
    for k, other in enumerate(OTHERS[:4]):
        points = [(i, r[f"over {r['best']}"].get(other)) for i, r in enumerate(rows)]
        points = [(i, q[0]) for i, q in points if q]
        if points:
            axis.plot(*zip(*points, strict=True), marker="o", color=f"C{k}", label=other)
    axis.axhline(1.0, color="black", linewidth=0.8)
    axis.set(yscale="log", xticks=range(len(rows)))
    axis.set_xticklabels([r["shape"] for r in rows], rotation=70, fontsize=7)
