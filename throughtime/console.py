"""What every command has in common: one outcome, printed as text or as JSON, errors included.

Commands compute an Outcome and print nothing. The one place that prints is here, so ``--json`` can
promise exactly one object on standard output, and every error leaves by the same door.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import click

from derive.errors import Place, ThroughtimeError
from throughtime.limits import LimitError
from throughtime.progress import Progress

INTERNAL, USAGE, INTERRUPTED, READER_GONE = 1, 2, 130, 141


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has to say.

    Args:
        data: what ``--json`` prints.
        text: what is printed on standard output without it.
        exit_code: 0 done, 1 internal error, 2 usage, 3 verification failed, 4 not a valid cell.
        note: what is printed on standard error without it.
    """

    data: Mapping[str, object]
    text: str = ""
    exit_code: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Flags:
    """The options every command takes, read from the arguments before anything can fail."""

    json: bool
    quiet: bool
    debug: bool

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Flags:
        """Read the flags from the arguments that stand before ``--``."""
        end = arguments.index("--") if "--" in arguments else len(arguments)
        given = frozenset(arguments[:end])
        return cls(
            json="--json" in given,
            quiet=not given.isdisjoint({"-q", "--quiet"}),
            debug="--debug" in given or bool(os.environ.get("THROUGHTIME_DEBUG")),
        )


class Front(click.Group):
    """A group of commands that return Outcomes; commands receive the Progress as click's object."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that the arguments name, print its outcome and exit (in either mode)."""
        arguments = list(sys.argv[1:] if args is None else args)
        flags = Flags.of(arguments)
        try:
            with Progress(quiet=flags.quiet) as say:
                outcome = super().main(
                    arguments, prog_name, complete_var, standalone_mode=False, obj=say, **extra
                )
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the outermost boundary
            outcome = failure(error)
            if flags.debug:
                traceback.print_exception(error)
        sys.exit(emit(outcome, flags) if isinstance(outcome, Outcome) else outcome)


def common(command: Any) -> Any:
    """Declare the options that Flags reads, so that they are parsed and stand in the help."""
    for names, text in (
        (("--debug",), "Show the traceback of an error."),
        (("-q", "--quiet"), "Show no progress."),
        (("--json",), "Put exactly one JSON object on standard output."),
    ):
        command = click.option(*names, is_flag=True, expose_value=False, help=text)(command)
    return command


def emit(outcome: Outcome, flags: Flags) -> int:
    """Print the outcome and return the exit code; a reader who leaves early hides no failure."""
    try:
        if flags.json:
            click.echo(json.dumps(plain(outcome.data), indent=2, allow_nan=False))
        else:
            if outcome.text:
                click.echo(outcome.text, nl=not outcome.text.endswith("\n"))
            if outcome.note:
                click.echo(outcome.note, err=True)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes standard output once more as it exits; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return outcome.exit_code or READER_GONE
    return outcome.exit_code


def plain(value: object) -> object:
    """The value in JSON's own types: paths and NumPy scalars as themselves, inf and nan as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str | None | bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in value]
    unwrap = getattr(value, "item", None)  # NumPy's scalars
    if unwrap is None:
        raise TypeError(f"no JSON for {type(value).__name__}")
    return plain(unwrap())


def failure(error: BaseException) -> Outcome:
    """The outcome that tells an error: as JSON, as text for standard error, and as an exit code."""
    if isinstance(error, ThroughtimeError):
        return _ours(error)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return _interrupted(error)
    if isinstance(error, click.ClickException):
        shown = io.StringIO()
        error.show(shown)
        message = error.format_message()
        return _outcome("UsageError", message, USAGE, shown=shown.getvalue().rstrip())
    if isinstance(error, OSError) and error.filename is not None:
        name = os.fsdecode(error.filename) if not isinstance(error.filename, int) else "a file"
        return _outcome("FileError", f"{name}: {error.strerror or error}", USAGE)
    if isinstance(error, MemoryError):
        return _outcome(
            "MemoryError",
            f"The memory of this machine is not enough{f': {error}' if str(error) else ''}.",
            USAGE,
            remedy="Choose smaller sizes, or fewer steps or samples.",
        )
    return _outcome(
        "InternalError",
        f"{type(error).__name__}: {error}",
        INTERNAL,
        remedy="This is a bug in throughtime, not in your input. "
        "Please report it with the traceback that --debug shows.",
    )


def _interrupted(error: BaseException) -> Outcome:
    """What Ctrl-C leaves behind: as the command tells it, or what holds for all (``reports.files.write_files``)."""
    raised = error.__cause__ if isinstance(error.__cause__, KeyboardInterrupt) else error
    if isinstance(raised, LimitError):
        return _outcome("LimitError", str(raised), USAGE, remedy=raised.remedy)
    message = str(raised) or "The command was stopped; no file is left half-written."
    return _outcome("Interrupted", message, INTERRUPTED)


def _outcome(
    kind: str, message: str, code: int, *, remedy: str = "", shown: str = "", **more: object
) -> Outcome:
    told = {"type": kind, "message": message, "remedy": remedy, **more}
    note = shown or "\n  ".join(filter(None, (f"{kind}: {message}", remedy)))
    return Outcome({"error": told}, exit_code=code, note=note)


def _ours(error: ThroughtimeError) -> Outcome:
    kind = type(error).__name__
    lines = str(error).split("\n")
    if error.place is not None and len(lines) > 1:
        lines[1] = " " * len(f"{kind}: ") + lines[1]  # the caret stays under its place
    return _outcome(
        kind,
        error.problem,
        error.exit_code,
        remedy=error.remedy,
        shown=f"{kind}: " + "\n".join(lines),
        place=None if error.place is None else _place(error.place),
    )


def _place(place: Place) -> dict[str, object]:
    return {
        "source": place.source,
        "line": place.line,
        "column": place.column + 1,  # both from 1, as editors count
        "width": place.width,
        "text": place.text,
    }
