"""The commands ``study`` and ``compare``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.errors import ArgumentError, NotVerifiedError
from derive.initial import KINDS
from numeric.limits import LONGEST, MOST_COMPARED, WIDEST
from throughtime.cli_sweep import sweep_options, swept
from throughtime.console import Outcome, common
from throughtime.idle_options import refuse_idle
from throughtime.limits import SECONDS, limited
from throughtime.progress import Progress

if TYPE_CHECKING:
    from numeric.flow import Flow
    from numeric.setting import Setting

INITS = ("own", *(name for name, kind in KINDS.items() if kind.argument == "a factor"))
FORMATS = ("html", "ipynb", "tex", "pdf")
FARTHEST = 10_000


def setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options that say where a cell is measured, and where the page goes."""
    positive = click.IntRange(1, WIDEST)
    options = (
        click.option("--T", "steps", type=click.IntRange(2, LONGEST), default=1000, show_default=True,
                     help="Steps over which the growth rate is measured."),
        click.option("--n", type=positive, default=32, show_default=True, help="The first dimension."),
        click.option("--m", type=positive, default=16, show_default=True, help="The other dimensions."),
        click.option("--init", "inits", multiple=True, metavar="KIND|NAME=HOW",
                     help=f"How square matrices start ({', '.join(INITS)}), own: as the cell's author says; or how one "
                     "parameter starts: b_f=chrono(100), b_i=-b_f. May be given again."),
        click.option("--gain", type=float, default=1.0, show_default=True, help="Factor on square matrices."),
        click.option("--set", "values", multiple=True, metavar="NAME=NUMBER",
                     help="Set a parameter to one number (b_f=5); may be given again."),
        click.option("--inputs", type=float, default=1.0, show_default=True, help="The inputs' standard deviation."),
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of everything random."),
        click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
                     help="Where to write; build/study/NAME or build/compare if not given."),
        click.option("--format", "formats", default="html,ipynb,tex", show_default=True, metavar="LIST",
                     help="Some of html,ipynb,tex,pdf."),
        click.option("--force", is_flag=True, help="Write over files that exist."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


bounds_option = click.option(
    "--bounds/--no-bounds",
    default=True,
    show_default=True,
    help="Look for bounds that are certain for every input in a box; needs python-flint, takes seconds.",
)


@click.command()
@click.argument("cell", required=False)
@setting_options
@click.option(
    "--weights",
    type=click.Path(dir_okay=False),
    default="",
    metavar="FILE",
    help="Measure your own weights: .npz with the parameters of CELL by name; or a model of torch (.safetensors, "
    ".npz), Keras (.keras, .h5) or ONNX (.onnx), whose layers name their cells themselves.",
)
@click.option("--layer", metavar="NAME", help="One layer of the file; all of them if not given.")
@bounds_option
@sweep_options
@common
@click.pass_obj
@limited(f"{SECONDS:g}; none for a sweep")
def study(
    say: Progress, cell: str | None, output: Path | None, formats: str, force: bool, layer: str | None, bounds: bool,
    grid: Path | None, rows: Path | None, workers: int | None, scheduler: str, **given: Any,
) -> Outcome:  # fmt: skip
    """Measure how gradients flow through CELL: rates, routes, exponents, and what is proved of it.

    Of a network of cells (deep, my.net): gradient norms layer by layer, against the length.
    """
    if grid is not None:
        refuse_idle("a sweep")
        return swept(say, cell, grid, rows, workers, scheduler)
    if rows or workers or scheduler:
        raise ArgumentError(
            "--rows, --workers and --scheduler are for a sweep.",
            "Pass --sweep GRID.toml, or leave them out.",
        )
    wanted, setting = _formats(formats), _setting(**given)
    if not setting.weights:
        if cell is None or layer is not None:
            lacks = "No cell was named." if cell is None else "--layer chooses from a weight file."
            raise ArgumentError(lacks, "Give CELL, --weights FILE or --sweep GRID.toml.")
        say(f"reading {cell}")
        from derive.network_catalog import is_network

        if is_network(cell):
            refuse_idle("the study of a network")
            from throughtime.network_studying import study_network

            return study_network(
                cell, output or _folder(cell), wanted, steps=setting.steps, force=force, say=say
            )
        return _studied(cell, setting, output or _folder(cell), wanted, force, say, bounds=bounds)
    refuse_idle("the study of given weights")
    from throughtime.exchange import loaded

    say(f"reading {setting.weights}")
    outcomes = []
    for each in (subjects := loaded(setting.weights, cell, layer)):
        if each.check is not None and each.check.verdict == "fails":
            raise NotVerifiedError(
                f"The layer of {each.label} does not compute what {each.spec} does with its weights.",
                "This is our bug, or the file is not what it says it is: please report it.",
            )
        root = output or _folder(setting.weights)
        folder = root if len(subjects) == 1 else root / _plain(each.label.partition(": ")[2])
        here = replace(setting, weights=each.label)
        found = _studied(
            each.spec, here, folder, wanted, force, say, each.parameters, bounds=bounds
        )
        outcomes.append(replace(found, text=f"{each.told}\n{found.text}".lstrip()))
    if len(outcomes) == 1:
        return outcomes[0]
    return Outcome({"layers": [o.data for o in outcomes]}, "\n\n".join(o.text for o in outcomes))


def _folder(name: str) -> Path:
    return Path("build", "study", _plain(Path(name).stem))


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)


def _studied(
    cell: str, setting: Setting, folder: Path, wanted: tuple[str, ...], force: bool, say: Progress,
    weights: Mapping[str, Any] | None = None, *, bounds: bool = True,
) -> Outcome:  # fmt: skip
    """One cell's study: measured, written, and told."""
    from numeric.mean_field import forget_path, log_forget_path
    from reports.study_guarantee import numbers, told
    from reports.verdict import besides, verdict, with_error
    from throughtime.studying import write_study

    written = write_study(
        cell, setting, folder, wanted, force=force, say=say, weights=weights, bounds=bounds
    )
    found, files, sure = written.flow, written.files, written.certified
    data = {"cell": cell, **_numbers(found), "files": files}
    if setting.weights:
        data["weights"] = setting.weights
    paths = "\n".join(str(path) for path in files.values())
    lines = [verdict(found), *besides(found)]
    if found.ledger is not None:
        from reports.study_routes import name_of
        from reports.study_routes import told as told_routes

        book, last = found.ledger, len(found.ledger.total) - 1
        shares = {
            name_of(route, plain=True): float(book.shares[i, last])
            for i, route in enumerate(book.routes)
            if route.addends
        }
        data |= {"lag": last, "shares": shares, "probes": book.probes}
        lines += told_routes(book)
    if (theory := written.predicted) is not None:
        data["predicted"] = {"rate": theory.rate, "error": theory.error}
        told_rate = with_error(theory.rate, theory.error) if theory.error else f"{theory.rate:z.7f}"
        lines.insert(1, f"predicted for many units: λ₁ = {told_rate}".replace("-", "−"))
    if (bias := (setting.values or {}).get("b_f")) is not None:
        data["forget_path"] = {
            "steps": (steps := min(100, setting.steps)),
            "kept": forget_path(bias, steps),
            "log_kept": log_forget_path(bias, steps),
        }
    if sure is not None:
        data["guarantee"] = numbers(sure)
        lines.append(told(sure))
    return Outcome(data, "\n".join([*lines, paths]))


@click.command()
@click.argument("cells", metavar="CELL...", nargs=-1, required=True)
@setting_options
@click.option(
    "--lengths",
    default="",
    metavar="LIST",
    help="Lengths at which the gradient's norm is told (10,50,200), up to 10,000; the figure reaches the largest.",
)
@bounds_option
@common
@click.pass_obj
@limited()
def compare(
    say: Progress, cells: tuple[str, ...], output: Path | None, formats: str, force: bool, lengths: str, bounds: bool,
    **given: Any,
) -> Outcome:  # fmt: skip
    """Compare how gradients flow through several cells, and what each cell costs."""
    if len(cells) > MOST_COMPARED:
        raise ArgumentError(
            f"{len(cells)} cells to compare; at most {MOST_COMPARED} go on one page.", "Name fewer."
        )
    wanted, setting = _formats(formats), _setting(**given)
    at = _lengths(lengths or str(min(200, setting.steps)), setting.steps)
    say("reading the cells")
    from numeric.setting import told_unheard
    from reports.verdict import verdict
    from throughtime.studying import write_comparison

    folder = output or Path("build", "compare")
    entries, files = write_comparison(
        cells, setting, folder, wanted, force=force, say=say, lengths=at, bounds=bounds
    )
    rows = [
        {
            "cell": e.label,
            **_numbers(e.flow),
            "log_gain": {str(k): float(e.flow.gains.joint[k, 0]) for k in at},
            **dict(zip(("parameters", "operations", "memory"), e.numbers, strict=True)),
            "largest_certified_scale": e.certified,
            "unheard": list(e.unheard),
        }
        for e in entries
    ]
    width = max(len(e.label) for e in entries)
    told = [f"{e.label:<{width}}  {verdict(e.flow)}" for e in entries]
    told += filter(None, [told_unheard({e.label: e.unheard for e in entries})])
    paths = [str(path) for path in files.values()]
    return Outcome({"cells": rows, "files": files}, "\n".join([*told, *paths]))


def _numbers(found: Flow) -> dict[str, Any]:
    last = int(found.extremes.lags[-1])
    return {
        "rate": found.growth.rate,
        "error": found.growth.error,
        "half_life": found.half_life,
        "law": None if found.law is None else asdict(found.law),
        "powers": None if found.powers is None else asdict(found.powers),
        "log_singular_values": {
            "lag": last,
            "largest": float(found.extremes.largest[-1]),
            "smallest": float(found.extremes.smallest[-1]),
        },
        "difference_of_the_shares": found.difference,
    } | ({} if found.ledger is None else {"difference_of_the_routes": found.ledger.difference})


def _lengths(text: str, steps: int) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        number = int(part) if part.strip().isdecimal() and len(part) < 9 else 0
        if not 1 <= number <= FARTHEST:
            raise ArgumentError(
                f"--lengths: {part.strip()!r} is no length; expected whole numbers from 1 to {FARTHEST:,}.",
                "Write --lengths 10,50,200.",
            )
        found.add(number)
    if max(found) > steps:
        raise ArgumentError(
            f"--lengths: {max(found)} steps are more than the run has, {steps}.",
            f"Pass --T {max(found)} or smaller lengths.",
        )
    return tuple(sorted(found))


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    for name in names:
        if name not in FORMATS:
            raise ArgumentError(f"{name!r} is no format.", f"Choose from {', '.join(FORMATS)}.")
    return names


def _setting(*, values: tuple[str, ...], inits: tuple[str, ...], **given: Any) -> Setting:
    from derive.starts import chosen_starts
    from numeric.setting import Setting

    kinds = [text.strip() for text in inits if "=" not in text]
    if wrong := [kind for kind in kinds if kind not in INITS]:
        raise ArgumentError(
            f"{wrong[0]!r} is no way in which square matrices start.",
            f"Choose from {', '.join(INITS)}, or write NAME=HOW: b_f=chrono(100).",
        )
    starts = chosen_starts(text for text in inits if "=" in text)
    numbers: dict[str, float] = {}
    for text in values:
        name, _, number = text.partition("=")
        try:
            numbers[name.strip()] = float(number)
        except ValueError:
            raise ArgumentError(f"{text!r} sets nothing.", "Write NAME=NUMBER: b_f=5.") from None
    return Setting(values=numbers, init=["own", *kinds][-1], starts=starts, **given)
