"""The commands ``derive`` and ``generate``."""

from __future__ import annotations

from pathlib import Path

import click

from derive.errors import ArgumentError
from throughtime.cli_common import EPILOG, exit_code, load, refuse_existing, verdict, write
from throughtime.console import Outcome, common
from throughtime.progress import Progress


@click.command(epilog=EPILOG)
@click.argument("cell")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "tex"]),
    default="text",
    help="For the terminal, or LaTeX.",
    show_default=True,
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write here instead of standard output.",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@common
@click.pass_obj
def derive(say: Progress, cell: str, form: str, output: Path | None, force: bool) -> Outcome:
    """Show the backward equations of CELL, step by step."""
    refuse_existing(output, force=force)
    model = load(cell, say)
    say(f"deriving {model.name}")
    derivation = model.derive()
    text = derivation.latex() if form == "tex" else derivation.text()
    data = {"cell": model.name, "file": output, "derivation": derivation.to_dict()}
    if output is None:
        return Outcome(data, text)
    write(output, text, force=force)
    return Outcome(data, str(output))


@click.command(epilog=EPILOG)
@click.argument("cell")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="F.py",
    help="Write here instead of standard output.",
)
@click.option(
    "--unverified",
    is_flag=True,
    help="If a check fails, write F.unverified.py all the same (the exit code stays 3).",
)
@click.option(
    "--training",
    is_flag=True,
    help="Bring along clipping, windows of a series, SGD, Adam and a training loop.",
)
@click.option(
    "--init",
    "starts",
    multiple=True,
    metavar="NAME=HOW",
    help="How a parameter starts: W=orthogonal, b_f=chrono(100), b_i=-b_f; may be given again.",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@common
@click.pass_obj
def generate(
    say: Progress, cell: str, output: Path | None, unverified: bool, training: bool,
    starts: tuple[str, ...], force: bool,
) -> Outcome:  # fmt: skip
    """Write NumPy code for CELL, if every check of it holds."""
    if output is not None and output.suffix != ".py":
        raise ArgumentError(f"{output} is not a Python file's name.", f"Name it {output.stem}.py.")
    refuse_existing(output, force=force)
    model = load(cell, say, starts)
    say(f"generating {model.name}")
    source = model.generate().source
    if training:
        from numeric.training import with_training

        source = with_training(source)
    verification = model.verify(source, on_progress=say)
    if verification.ok:
        source = model.certified(source).source
    target = output
    if output is not None and not verification.ok:
        target = output.with_suffix(".unverified.py") if unverified else None
    if target is not None:
        write(target, source, force=force)
    shown = source if output is None and (verification.ok or unverified) else None
    data = {
        "cell": model.name,
        "verified": verification.ok,
        "file": target,
        "source": shown,
        "verification": verification.to_dict(),
    }
    note = ""
    if not verification.ok:
        fate = f"Written as {target}." if target else "Nothing was written."
        note = f"{verification.table()}\n{verdict(verification)}\n" + fate * (shown is None)
    return Outcome(data, shown or str(target or ""), exit_code(verification), note)
