"""The page and the figure of a measurement of speed."""

from __future__ import annotations

import json
import math
import os
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
    machine = ", ".join(f"{k} {v}" for k, v in result["machine"].items())
    lines = [
        "# Speed of the generated code",
        "",
        "Forward and backward pass with the gradients by all parameters and inputs. Each entry is another's time",
        "over our best: the median of the ratios within rounds, in brackets the quartiles; above 1, ours is faster.",
        "*Best* is the faster of the NumPy file of `generate --optimize speed` (fast) and the file of `--backend",
        "numba` (compiled); *NumPy* is the first alone. *Floor* is the share of our best time that the matrix products",
        "alone take by NumPy, in the order that the recurrence forces, with as many tanh as the cell has; compiled",
        "products can be faster. *readable* is the file that `generate` writes if not asked otherwise; *own* is a cell",
        "of our own making for which nobody has a kernel. All gradients agreed before anything was timed. With one",
        "thread all contenders are interleaved in random order in one process; with two each has a process of its own,",
        "one at work at a time; none sees more processors than it has threads. A turn repeats what takes less than",
        "50 ms, up to 15 times, and its median counts. Where units are many, the products decide: torch's are those of",
        "MKL and oneDNN, ours those of NumPy's OpenBLAS, or of MKL where a table says so: the same files, with a NumPy",
        "that was built upon it, as conda's may be. Shapes are steps, samples, inputs, units. Memory:",
        "[memory.md](memory.md).",
        "",
        f"Measured on: {machine}, {os.cpu_count()} processors in all, shared with other work.",
        "",
        "![Others' time over ours](speed.svg)",
    ]
    table = itemgetter("cell", "threads", "blas")
    for cell, threads, blas in dict.fromkeys(map(table, result["rows"])):
        rows = [r for r in result["rows"] if table(r) == (cell, threads, blas)]
        others = [o for o in OTHERS if any(o in r[f"over {r['best']}"] for r in rows)]
        count = "one thread" if threads == 1 else f"{threads} threads"
        on = "" if blas == OPENBLAS else f", NumPy on {blas.split('-')[0].upper()}"
        lines += ["", f"## {cell}, {count}{on}", "", *_table(rows, others)]
    return "\n".join(lines) + "\n"


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
    """Others' time over ours, by shape."""
    plt.rcParams["svg.hashsalt"] = "speed"
    cells = list(dict.fromkeys(r["cell"] for r in rows))
    _, axes = plt.subplots(
        1, len(cells), figsize=(3.2 * len(cells), 3.6), sharey=True, squeeze=False
    )
    for axis, cell in zip(axes[0], cells, strict=True):
        kind = (cell, "float32", 1, OPENBLAS)
        mine = [r for r in rows if itemgetter("cell", "dtype", "threads", "blas")(r) == kind]
        for k, other in enumerate(OTHERS[:4]):
            points = [(i, r[f"over {r['best']}"].get(other)) for i, r in enumerate(mine)]
            points = [(i, q[0]) for i, q in points if q]
            if points:
                axis.plot(*zip(*points, strict=True), marker="o", color=f"C{k}", label=other)
        axis.axhline(1.0, color="black", linewidth=0.8)
        axis.set(title=cell, yscale="log", xticks=range(len(mine)))
        axis.set_xticklabels([r["shape"] for r in mine], rotation=70, fontsize=7)
    axes[0][0].set_ylabel("other's time / ours, float32, one thread")
    axes[0][0].legend(fontsize=7)
    plt.tight_layout()
    plt.savefig(path, metadata={"Date": None})
