"""The command line: each command reads its arguments, asks the model, and returns an Outcome.

Nothing here imports SymPy, NumPy or matplotlib before a command runs: ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import click

from derive.errors import ArgumentError
from throughtime._version import __version__
from throughtime.cli_study import compare, study
from throughtime.console import Front, Outcome, common
from throughtime.progress import Progress

if TYPE_CHECKING:
    from throughtime.model import Model, Verification
    from throughtime.network_model import NetworkModel

NOT_VERIFIED = 3
REPORT_FORMATS = ("html", "ipynb", "tex", "pdf")
SUSPECTS = 40

_EPILOG = """\b
CELL is the name of a shipped cell (lstm), with options if it has any (elman:g=relu),
or the path of your own file (my.cell). A network of cells is named alike:
tagger, or my.net, with the cells of its own in files beside it.

\b
Exit codes: 0 done, 1 internal error, 2 usage, 3 verification failed or a claim refuted,
4 the input is not a valid cell.
"""


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


@click.group(cls=Front, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="throughtime")
def cli() -> None:
    """Gradients of recurrent networks: derived, proved, generated as code and verified."""


@cli.command(epilog=_EPILOG)
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
def report(
    say: Progress,
    cell: str,
    output: Path | None,
    formats: tuple[str, ...] | None,
    force: bool,
    certify: bool,
) -> Outcome:
    """Write the report on CELL: derivation, proofs, code, study."""
    model = _load(cell, say)
    folder = output or Path("build", "report", model.name)
    wanted = ({} if formats is None else {"formats": formats}) | (
        {"certify": True} if certify else {}
    )
    files = model.report(folder, force=force, on_progress=say, **wanted)
    missing = [name for name in formats or REPORT_FORMATS if name not in files]
    return Outcome(
        {"cell": model.name, "folder": folder, "files": files, "missing": missing},
        "\n".join(str(path) for path in files.values()),
        note=f"Not made here: {', '.join(missing)}." if missing else "",
    )


@cli.command(epilog=_EPILOG)
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
    _refuse_existing(output, force=force)
    model = _load(cell, say)
    say(f"deriving {model.name}")
    derivation = model.derive()
    text = derivation.latex() if form == "tex" else derivation.text()
    data = {"cell": model.name, "file": output, "derivation": derivation.to_dict()}
    if output is None:
        return Outcome(data, text)
    _write(output, text, force=force)
    return Outcome(data, str(output))


@cli.command(epilog=_EPILOG)
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
    _refuse_existing(output, force=force)
    model = _load(cell, say, starts)
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
        _write(target, source, force=force)
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
        note = f"{verification.table()}\n{_verdict(verification)}\n" + fate * (shown is None)
    return Outcome(data, shown or str(target or ""), _code(verification), note)


@cli.command(epilog=_EPILOG)
@click.argument("target", metavar="F.py|CELL")
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
@common
@click.pass_obj
def verify(say: Progress, target: str, seed: int, renew: bool, mutants: bool) -> Outcome:
    """Run the checks on a generated file as it is now, or on CELL."""
    if target.endswith(".py"):
        from throughtime.model import verify_file

        say(f"reading {target}")
        verification = verify_file(Path(target), seed=seed, on_progress=say)
        if renew and verification.ok:
            verification = _renewed(Path(target), verification)
    elif renew:
        raise ArgumentError("--renew writes into a file, and a cell is none.", "Give F.py.")
    else:
        verification = _load(target, say).verify(seed=seed, on_progress=say)
    data = {"target": target, "verified": verification.ok, "verification": verification.to_dict()}
    changes = "" if verification.ok else _changes(verification)
    certificate = f"{verification.certificate}\n" if verification.certificate else ""
    text = f"{verification.table()}\n{changes}{certificate}{_verdict(verification)}"
    outcome = Outcome(data, text, _code(verification))
    return _with_mutants(outcome, target, seed, say) if mutants and verification.ok else outcome


def _with_mutants(outcome: Outcome, target: str, seed: int, say: Progress) -> Outcome:
    """The outcome of the checks, and that of the mutants."""
    from proofs.mutants_run import run_mutants, run_mutants_of_file

    if target.endswith(".py"):
        report = run_mutants_of_file(Path(target), seed=seed, on_progress=say)
    else:
        report = run_mutants(_load(target, say).cell, seed=seed, on_progress=say)
    data = {**outcome.data, "verified": report.ok, "mutants": report.to_dict()}
    verdict = "" if report.ok else f"\nNOT verified; mutants survived: {len(report.survivors)}"
    return Outcome(
        data, f"{report.table()}\n\n{outcome.text}{verdict}", 0 if report.ok else NOT_VERIFIED
    )


@cli.command(epilog=_EPILOG)
@click.argument("claims", metavar="CLAIMS")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PAGE.html",
    help="Write the verdicts as a page.",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@common
@click.pass_obj
def audit(say: Progress, claims: str, output: Path | None, force: bool) -> Outcome:
    """Judge the formulas in CLAIMS, a file or the name of one that ships: right, or wrong where and why."""
    _refuse_existing(output, force=force)
    say(f"reading {claims}")
    from proofs.claims.court import audit as judged
    from proofs.claims.register import claims_text

    text, source = claims_text(claims)
    found = judged(text, source, on_progress=say)
    if output is not None:
        from reports.audit import build_audit
        from reports.html import to_html

        _write(output, to_html(build_audit(found)), force=force)
    blocks = "\n\n".join(verdict.text() for verdict in found.verdicts)
    data = {**found.to_dict(), "ok": found.ok, "file": output}
    return Outcome(data, f"{blocks}\n\n{found.table()}", 0 if found.ok else NOT_VERIFIED)


@cli.command(epilog=_EPILOG)
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
def certify(say: Progress, cell: str, output: Path | None, check: bool, force: bool) -> Outcome:
    """Write a proof for Rocq's kernel that the gradient of CELL is right, for all sizes and lengths."""
    from throughtime.certifying import certified, refuse_name

    refuse_name(output)
    _refuse_existing(output, force=force)
    model = _load(cell, say)
    say(f"certifying {model.name}")
    outcome = certified(model, output, check=check, say=say)
    if output is not None and outcome.exit_code == 0:
        _write(output, str(model.certify()), force=force)
    return outcome


@cli.command()
@common
@click.pass_obj
def cells(say: Progress) -> Outcome:
    """List the cells that ship."""
    say("reading the shipped cells")
    from throughtime.model import shipped

    found = shipped()
    blocks = []
    for cell in found:
        options = "".join(f"\n    :{name}=  {what}" for name, what in cell["options"].items())
        blocks.append(f"{cell['name']:<12} {cell['title']}{options}\n    {cell['source']}")
    return Outcome({"cells": found}, "\n".join(blocks))


cli.add_command(study)
cli.add_command(compare)


def main() -> None:
    """Run the command line; exits with its code."""
    for stream in (sys.stdout, sys.stderr):
        # Mathematics and source code leave as UTF-8 whatever the locale says.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    cli(prog_name="throughtime")


def _renewed(path: Path, verification: Verification) -> Verification:
    """The file with a new certificate, and the verification that says so."""
    from dataclasses import replace

    from proofs.attestation import certified, standing
    from reports.files import read_bytes

    code = standing(read_bytes(path).decode()).code
    _write(path, certified(code, verification), force=True)
    return replace(verification, certificate="certificate: renewed for the code as it is now")


def _load(cell: str, say: Progress, starts: tuple[str, ...] = ()) -> Model | NetworkModel:
    say(f"reading {cell}")
    from derive.starts import chosen_starts
    from throughtime.model import load

    return load(cell, init=chosen_starts(starts))


def _refuse_existing(path: Path | None, *, force: bool) -> None:
    """Say no before the work, not after it."""
    if path is not None and path.exists() and not force:
        raise ArgumentError(f"{path} exists already.", "Choose another name, or pass --force.")


def _write(path: Path, text: str, *, force: bool) -> None:
    from reports.files import write_files

    write_files(path.parent, {path.name: text.encode()}, force=force)


def _code(verification: Verification) -> int:
    return 0 if verification.ok else NOT_VERIFIED


def _changes(verification: Verification) -> str:
    """Where a file that failed differs from what the generator writes today: the first suspects."""
    lines = [line for line in verification.differences if not line.startswith(("---", "+++"))]
    if not lines:
        return ""
    more = f"\n    and {len(lines) - SUSPECTS} more" if len(lines) > SUSPECTS else ""
    shown = "\n".join(f"    {line}" for line in lines[:SUSPECTS])
    return f"lines that differ from what the generator writes:\n{shown}{more}\n"


def _verdict(verification: Verification) -> str:
    if verification.ok:
        return "verified: every check ran and held"
    names = ", ".join(check.name for check in verification.failures)
    return f"NOT verified; failed: {names}"
