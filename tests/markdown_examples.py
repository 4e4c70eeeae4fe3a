"""The blocks of a page in Markdown, read and run: what a page shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner


class Example(NamedTuple):
    """One block of a page; a block under ``<!-- slow -->`` is left to the end-to-end tests."""

    line: int
    slow: bool
    language: str
    text: str


def examples(page: str) -> list[Example]:
    """The blocks of a page in Markdown, in order."""
    found = re.finditer(r"(?ms)^(<!-- slow -->\n)?```(\w+)\n(.*?)^```$", page)
    return [
        Example(page.count("\n", 0, hit.start()) + 1, bool(hit[1]), hit[2], hit[3]) for hit in found
    ]


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that stands under it."""
    parts = re.split(r"(?m)^\$ (.*)\n", text)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def matches(expected: str, printed: str) -> bool:
    """Whether the text was printed; ``...`` stands for anything."""
    pattern = ".*".join(map(re.escape, expected.rstrip("\n").split("...")))
    return re.fullmatch(pattern, printed.rstrip("\n"), re.DOTALL) is not None


def run(command: str, expected: str) -> None:
    """Run one command of a page in this folder; ``cat`` makes the file that it shows."""
    from throughtime.cli import cli

    program, *arguments = shlex.split(command)
    if program == "cat":
        Path(arguments[0]).write_text(expected, encoding="utf-8")
        return
    assert program == "throughtime", f"the tests of pages do not know how to run {program}"
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.stderr
    assert matches(expected, result.stdout), f"{command} printed:\n{result.stdout}"
