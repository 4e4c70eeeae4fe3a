"""Files made for speed, tuned: sizes measured on this machine once, kept in a cache, and written at their head."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from derive.errors import ArgumentError
from derive.network import END
from numeric.costs import refuse_beyond
from numeric.limits import LONGEST, MOST_PARAMETERS, WIDEST
from numeric.tuning import TYPICAL, Clock, Run, Shape, fastest, settings_in, with_settings
from throughtime.model import Model
from throughtime.network_model import NetworkModel

FORMAT = "throughtime tuning 1"


@dataclass(frozen=True, slots=True)
class Tuned:
    """A file with sizes for this machine.

    Args:
        source: its text.
        settings: the sizes at its head.
        cache: where they are kept.
        measured: whether they were measured just now, not read from there.
    """

    source: str
    settings: Mapping[str, int]
    cache: Path
    measured: bool


def default_cache() -> Path:
    """The user's cache of sizes: below XDG_CACHE_HOME or ~/.cache."""
    from proofs.rocq_check import user_cache

    return user_cache() / "tuning.json"


def tuned(
    model: Model | NetworkModel,
    source: str,
    *,
    shapes: Sequence[Shape] = TYPICAL,
    cache: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    clock: Clock = time.perf_counter,
) -> Tuned:
    """A file made for speed with the sizes that are fastest on this machine; the same cache gives the same file.

    Args:
        model: of what the file computes.
        source: the file as ``generate`` gives it.
        shapes: the runs for which it is to be fast.
        cache: the JSON file of what was measured before; the user's own if left out. It is made if there is none.
        say: called with what is being done.
        clock: the time in seconds.

    Raises:
        ArgumentError: the file has no such sizes, a shape is too large, or the cache is none of this machine's.
        OutputError: the cache cannot be read or written.
    """
    from reports.files import write_files

    path = cache or default_cache()
    ordinary = settings_in(source)
    if not ordinary:
        raise ArgumentError(
            f"The code for {model.name} has no sizes at its head, so there is nothing to tune.",
            "Generate it for speed: --optimize speed or --backend numba.",
        )
    for shape in shapes:
        refuse_large(shape)
    known = read_cache(path)
    key = hashlib.sha256(f"{source}\n{[str(s) for s in shapes]}".encode()).hexdigest()
    measured = key not in known
    if measured:
        say(f"tuning {model.name}")
        settings = _measured(model, source, ordinary, shapes, clock)
        entry = {"name": model.name, "shapes": [str(s) for s in shapes], "settings": settings}
        content = {"format": FORMAT, "machine": machine(), "entries": {**known, key: entry}}
        text = json.dumps(content, indent=1, sort_keys=True) + "\n"
        write_files(path.parent, {path.name: text.encode()}, force=True)
    else:
        settings = known[key]["settings"]
        if settings.keys() != ordinary.keys():
            raise _refused(path, f"its sizes for {model.name} are {', '.join(settings)}")
    return Tuned(with_settings(source, settings), settings, path, measured)


def machine() -> str:
    """What sizes are measured on: system, processor and how many there are."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(errors="replace").splitlines() if info.is_file() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(models, platform.processor())
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} × {name or 'unknown'}"


def read_cache(path: Path) -> dict[str, Any]:
    """The entries of a cache; none if there is no such file.

    Raises:
        ArgumentError: the file is no cache, or another machine's; it says what is wrong.
        OutputError: it cannot be read.
    """
    from reports.files import read_bytes

    if not os.path.lexists(path):
        return {}
    try:
        data: Any = json.loads(read_bytes(path).decode())
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"it is no JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _refused(path, f'it does not say "format": "{FORMAT}"')
    if data.get("machine") != machine():
        raise _refused(path, f"it was measured on {data.get('machine')}, and this is {machine()}")
    entries = data.get("entries")
    if not isinstance(entries, dict):
        raise _refused(path, "it has no entries")
    for key, entry in entries.items():
        if not _is_entry(entry):
            raise _refused(path, f"its entry {key} has no sizes that are whole numbers from 0")
    return entries


def _is_entry(entry: Any) -> bool:
    settings = entry.get("settings") if isinstance(entry, dict) else None
    return isinstance(settings, dict) and all(
        type(v) is int and 0 <= v <= 10**12 for v in settings.values()
    )


def _refused(path: Path, why: str) -> ArgumentError:
    return ArgumentError(
        f"{path} is no cache of sizes for this machine: {why}.",
        "Remove it to measure anew, or name another with --tune-cache.",
    )


def refuse_large(shape: Shape) -> None:
    """Refuse a run that is empty or needs more than there can be.

    Raises:
        ArgumentError: says which, and the limit.
    """
    widest = max(shape.n, shape.m)
    least = min(shape.steps, shape.samples, shape.n, shape.m)
    entries = shape.steps * shape.samples * widest
    if least < 1 or widest > WIDEST or shape.steps > LONGEST or entries > MOST_PARAMETERS:
        raise ArgumentError(
            f"{shape}: expected whole numbers from 1, n and m up to {WIDEST:,}, T up to {LONGEST:,}, and "
            f"T times B times the larger of n and m up to {MOST_PARAMETERS:,}.",
            "Choose other sizes.",
        )


def _measured(
    model: Model | NetworkModel,
    source: str,
    ordinary: Mapping[str, int],
    shapes: Sequence[Shape],
    clock: Clock,
) -> dict[str, int]:
    """The sizes that are fastest for these runs."""
    from proofs.modules import load_source
    from proofs.network_verification import PROMISED

    with np.errstate(all="ignore"):
        if isinstance(model, Model):
            module = load_source(source, model.name)
            runs = [_run_of_cell(model, module, shape) for shape in shapes]
        else:
            module = load_source(source, model.name, PROMISED)
            runs = [_run_of_network(model, module, shape) for shape in shapes]
        return fastest(module, ordinary, runs, clock)


def _run_of_cell(model: Model, module: ModuleType, shape: Shape) -> Callable[[], Run]:
    """Forward and backward pass of a cell, from its initial weights, over one workspace."""
    from proofs import layout
    from proofs.point import Extent
    from proofs.samples import draw

    sizes = _sizes(model.cell.dims, shape)
    refuse_beyond(model.cell, sizes)
    sample = draw(model.cell, Extent(sizes, shape.steps, shape.samples), 0)
    params, state = module.init_params(*sizes.values()), layout.state(sample, np.float64)
    given = [*layout.inputs(sample, np.float64), state]
    named, bars = layout.keywords(sample), layout.outputs_bar(sample, np.float64)

    def made() -> Run:
        kept: dict[str, Any] = {}

        def run() -> object:
            *_, cache = module.forward(params, *given, **named, **kept)
            kept["workspace"] = cache["workspace"]
            return module.backward(params, cache, bars)

        return run

    return made


def _run_of_network(model: NetworkModel, module: ModuleType, shape: Shape) -> Callable[[], Run]:
    """Forward and backward pass of a network, from its initial weights, all samples of full length."""
    from proofs import network_layout as layout
    from proofs.network_run import NetworkExtent
    from proofs.network_samples import draw_network

    network, sizes = model.network, _sizes(model.network.dims, shape)
    for s in network.segments:
        counts = dict.fromkeys(network.lengths, shape.steps)
        known: dict[Any, Any] = sizes | counts
        parts: dict[Any, Any] = {d: s.joint.get(d, d).subs(known) for d in s.cell.dims}
        refuse_beyond(s.cell, parts)
    steps = {**{s.axis: shape.steps for s in network.segments}, END: 1}
    ragged = {axis: (shape.steps,) * shape.samples for axis in network.masks if axis in steps}
    sample = draw_network(network, NetworkExtent(sizes, steps, shape.samples, ragged), 0)
    params, state = module.init_params(*sizes.values()), layout.state(sample, np.float64)
    given = [*layout.inputs(sample, np.float64).values(), state]
    named, bars = layout.keywords(sample), layout.outputs_bar(sample, np.float64)

    def run() -> object:
        *_, cache = module.forward(params, *given, **named)
        return module.backward(params, cache, bars)

    return lambda: run


def _sizes(dims: Sequence[Any], shape: Shape) -> dict[Any, int]:
    """The first dimension n, all others m."""
    return {d: shape.m if i else shape.n for i, d in enumerate(dims)}
