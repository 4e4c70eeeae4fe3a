"""The blocks of a page in Markdown, read and run: what a page shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner


class Example(NamedTuple):
    """One block of a page."""

    line: int
    language: str
    text: str


def examples(page: str) -> list[Example]:
    """The blocks of a page in Markdown, in order."""
    found = re.finditer(r"(?ms)^```(\w+)\n(.*?)^```$", page)
    return [Example(page.count("\n", 0, hit.start()) + 1, hit[1], hit[2]) for hit in found]


def mentioned(page: str) -> list[str]:
    """The commands that stand in the text of a page, or in its indented lines."""
    inside, indented = r"`(throughtime [a-z][^`]*)`", r"(?m)^    (throughtime [a-z].*)$"
    return [" ".join(found.split()) for r in (inside, indented) for found in re.findall(r, page)]


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that stands under it."""
    parts = re.split(r"(?m)^\$ (.*)\n", text)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def matches(expected: str, printed: str) -> bool:
    """Whether the text was printed; ``...`` stands for anything."""
    pattern = ".*".join(map(re.escape, expected.rstrip("\n").split("...")))
    return re.fullmatch(pattern, printed.rstrip("\n"), re.DOTALL) is not None


def run(command: str, expected: str) -> None:
    """Run one command of a page in this folder; ``cat`` makes the file that it shows.

    ``# exit code 3`` behind a command says how it ends.
    """
    from throughtime.cli import cli

    line, _, told = command.partition("  # exit code ")
    program, *arguments = shlex.split(line)
    if program == "cat":
        Path(arguments[0]).write_text(expected, encoding="utf-8")
        return
    assert program == "throughtime", f"the tests of pages do not know how to run {program}"
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == int(told.partition(":")[0] or 0), result.stderr
    assert matches(expected, result.stdout), f"{command} printed:\n{result.stdout}"


def understood(command: str) -> None:
    """Parse one command as the command line would, without running it."""
    from throughtime.cli import cli

    _, name, *arguments = shlex.split(command)
    if arguments:
        cli.commands[name].make_context(name, arguments)
    assert name in cli.commands
