"""The command line: each command reads its arguments, asks the model, and returns an Outcome.

Nothing here imports SymPy, NumPy or matplotlib before a command runs: ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.errors import ArgumentError, CellError
from proofs.sandbox import GIB as GIB_OF_FILE
from proofs.sandbox import SECONDS as SECONDS_OF_FILE
from proofs.sandbox import Limits
from throughtime._version import __version__
from throughtime.cli_common import (
    EPILOG,
    EPILOG_OF_CLAIMS,
    NOT_VERIFIED,
    audited,
    load,
    refuse_existing,
    verdict,
    write,
)
from throughtime.cli_make import derive, generate
from throughtime.cli_study import compare, study
from throughtime.console import Front, Outcome, common
from throughtime.limits import SECONDS, limit_options, limited, within
from throughtime.progress import Progress

if TYPE_CHECKING:
    from proofs.mutants import MutantReport
    from throughtime.model import Verification

REPORT_FORMATS = ("html", "ipynb", "tex", "pdf")
SUSPECTS = 40


class _Formats(click.ParamType):
    """A list of formats with commas between, each one of REPORT_FORMATS."""

    name = "LIST"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split the list and refuse what is no format."""
        formats = tuple(dict.fromkeys(part.strip().lower() for part in value.split(",")))
        for name in formats:
            if name not in REPORT_FORMATS:
                choices = ", ".join(REPORT_FORMATS)
                self.fail(f"{name!r} is no format; choose from {choices}.", param, ctx)
        return formats


@click.group(cls=Front, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="throughtime")
def cli() -> None:
    """Gradients of recurrent networks: derived, proved, generated as code and verified."""


@cli.command(epilog=EPILOG)
@click.argument("cell")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to write; build/report/NAME if not given.",
)
@click.option(
    "--format",
    "formats",
    type=_Formats(),
    help="Some of html,ipynb,tex,pdf; all that can be made here if not given.",
)
@click.option(
    "--certify", is_flag=True, help="Have Rocq's kernel check the equations too; see certify."
)
@click.option("--force", is_flag=True, help="Write over files that exist.")
@common
@click.pass_obj
@limited()
def report(
    say: Progress,
    cell: str,
    output: Path | None,
    formats: tuple[str, ...] | None,
    force: bool,
    certify: bool,
) -> Outcome:
    """Write the report on CELL: derivation, proofs, code, study."""
    model = load(cell, say)
    folder = output or Path("build", "report", model.name)
    wanted: dict[str, Any] = {} if formats is None else {"formats": formats}
    if certify:
        from throughtime.certifying import one_cell

        model, wanted["certify"] = one_cell(model), True
    files = model.report(folder, force=force, on_progress=say, **wanted)
    missing = [name for name in formats or REPORT_FORMATS if name not in files]
    return Outcome(
        {"cell": model.name, "folder": folder, "files": files, "missing": missing},
        "\n".join(str(path) for path in files.values()),
        note=f"Not made here: {', '.join(missing)}." if missing else "",
    )


@cli.command(epilog=EPILOG)
@click.argument("target", metavar="F.py|CELL", required=False)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the random sizes, weights and sequences.",
)
@click.option(
    "--renew",
    is_flag=True,
    help="If every check holds, write a new certificate into F.py.",
)
@click.option(
    "--mutants",
    is_flag=True,
    help="Break it in every known way, too; what survives withholds the word verified.",
)
@click.option(
    "--weights",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Check the layers of a model of torch, Keras or ONNX: their cells, and those with these weights.",
)
@click.option("--layer", metavar="NAME", help="One layer of the file; all of them if not given.")
@common
@click.pass_obj
@limit_options(
    f"{SECONDS_OF_FILE:g} for F.py; {SECONDS:g} else",
    f"{GIB_OF_FILE:g} for F.py; 0.9 of the machine's else",
)
def verify(
    say: Progress, target: str | None, seed: int, renew: bool, mutants: bool, weights: str | None,
    layer: str | None, seconds: float | None, gib: float | None,
) -> Outcome:  # fmt: skip
    """Run the checks on a generated file as it is now, or on CELL.

    F.py is run: in a process of its own, limited in time and memory. That stops code that hangs,
    crashes or fills the memory; it is no jail for code that means harm.
    """
    if weights is not None:
        if target or renew or mutants:
            raise ArgumentError(
                "--weights goes without F.py, CELL, --renew and --mutants.", "Leave them out."
            )
        with within(seconds or SECONDS, gib, say):
            return _verified_weights(weights, layer, seed, say)
    if target is None:
        raise ArgumentError("Nothing to verify was named.", "Give F.py, CELL, or --weights FILE.")
    if target.endswith(".py"):
        from throughtime.verifying import examine

        limits = Limits(seconds or SECONDS_OF_FILE, gib or GIB_OF_FILE)
        found = examine(target, seed, limits, say, mutants=mutants, renew=renew)
        return _judged(target, found.verification, found.mutants)
    if renew:
        raise ArgumentError("--renew writes into a file, and a cell is none.", "Give F.py.")
    with within(seconds or SECONDS, gib, say):
        model = load(target, say)
        verification, report = model.verify(seed=seed, on_progress=say), None
        if mutants and verification.ok:
            report = model.mutants(seed=seed, on_progress=say)
    return _judged(target, verification, report)


def _verified_weights(weights: str, layer: str | None, seed: int, say: Progress) -> Outcome:
    """The outcome of the checks on every layer of a weight file."""
    from throughtime.weights_verification import verified_weights

    say(f"reading {weights}")
    outcomes = []
    for each, verification in verified_weights(weights, layer, seed, say):
        found = _judged(each.label, verification, None)
        outcomes.append((f"{each.told}\n\n{found.text}", found))
    return Outcome(
        {"layers": [found.data for _, found in outcomes]},
        "\n\n".join(text for text, _ in outcomes),
        max(found.exit_code for _, found in outcomes),
    )


def _judged(target: str, verification: Verification, mutants: MutantReport | None) -> Outcome:
    """The outcome of the checks, and that of the mutants if there were any."""
    ok = verification.ok and (mutants is None or mutants.ok)
    data: dict[str, object] = {"target": target, "verified": ok}
    data["verification"] = verification.to_dict()
    changes = "" if verification.ok else _changes(verification)
    certificate = f"{verification.certificate}\n" if verification.certificate else ""
    text = f"{verification.table()}\n{changes}{certificate}{verdict(verification)}"
    if mutants is not None:
        data["mutants"] = mutants.to_dict()
        told = "" if ok else f"\nNOT verified; mutants survived: {len(mutants.survivors)}"
        text = f"{mutants.table()}\n\n{text}{told}"
    return Outcome(data, text, 0 if ok else NOT_VERIFIED)


@cli.command(epilog=EPILOG_OF_CLAIMS)
@click.argument("claims", metavar="CLAIMS")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PAGE.html",
    help="Write the verdicts as a page.",
)
@click.option("--cell", "of", metavar="CELL", help="What CLAIMS speaks of until it names a cell.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@common
@click.pass_obj
@limited()
def audit(say: Progress, claims: str, output: Path | None, of: str | None, force: bool) -> Outcome:
    """Judge the formulas in CLAIMS: right, or wrong where and why.

    CLAIMS is a file of claims or the name of one that ships, or a document: .tex, .md or .ipynb.
    """
    refuse_existing(output, force=force)
    say(f"reading {claims}")
    found = audited(claims, of, say)
    if output is not None:
        from reports.audit import build_audit
        from reports.html import to_html

        write(output, to_html(build_audit(found)), force=force)
    blocks = "\n\n".join(
        [*(v.text() for v in found.verdicts), *(u.written() for u in found.unjudged)]
    )
    data = {**found.to_dict(), "ok": found.ok, "file": output}
    code = (0 if found.ok else NOT_VERIFIED) if found.readable else CellError.exit_code
    return Outcome(data, f"{blocks}\n\n{found.table()}", code)


@cli.command(epilog=EPILOG)
@click.argument("cell")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="F.v",
    help="Write here instead of standard output.",
)
@click.option(
    "--check", is_flag=True, help="Have Rocq's kernel check it; nothing refused is written."
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@common
@click.pass_obj
@limited()
def certify(say: Progress, cell: str, output: Path | None, check: bool, force: bool) -> Outcome:
    """Write a proof for Rocq's kernel that the gradient of CELL is right, for all sizes and lengths."""
    from throughtime.certifying import certified, one_cell, refuse_name

    refuse_name(output)
    refuse_existing(output, force=force)
    model = one_cell(load(cell, say))
    say(f"certifying {model.name}")
    outcome = certified(model, output, check=check, say=say)
    if output is not None and outcome.exit_code == 0:
        write(output, str(model.certify()), force=force)
    return outcome


@cli.command()
@common
@click.pass_obj
def cells(say: Progress) -> Outcome:
    """List the cells that ship."""
    say("reading the shipped cells")
    from throughtime.listing import shipped

    found = shipped()
    blocks = []
    for cell in found:
        options = "".join(f"\n    :{name}=  {what}" for name, what in cell["options"].items())
        blocks.append(f"{cell['name']:<12} {cell['title']}{options}\n    {cell['source']}")
    return Outcome({"cells": found}, "\n".join(blocks))


cli.add_command(derive)
cli.add_command(generate)
cli.add_command(study)
cli.add_command(compare)


def main() -> None:
    """Run the command line; exits with its code."""
    for stream in (sys.stdout, sys.stderr):
        # Mathematics and source code leave as UTF-8 whatever the locale says.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    cli(prog_name="throughtime")


def _changes(verification: Verification) -> str:
    """Where a file that failed differs from what the generator writes today: the first suspects."""
    lines = [line for line in verification.differences if not line.startswith(("---", "+++"))]
    if not lines:
        return ""
    more = f"\n    and {len(lines) - SUSPECTS} more" if len(lines) > SUSPECTS else ""
    shown = "\n".join(f"    {line}" for line in lines[:SUSPECTS])
    return f"lines that differ from what the generator writes:\n{shown}{more}\n"
