"""What a fast file computes for all steps without a loop over them: a stretch after the other, into a workspace.

Readouts, losses and normalisations depend on a step's values alone, so any stretch of steps may go by itself: what
their expressions make on the way is never larger than a stretch, and lies in the processor's cache if a stretch does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from numeric.body import WIDTH, Body


class Bulk(Body):
    """Writes lines that go over the steps of a stretch at once."""

    _loop: tuple[list[str], int] | None = None

    @contextmanager
    def of_a_stretch(self) -> Iterator[None]:
        """Whole sequences are read a stretch at a time meanwhile."""
        self.at_once, self.steps_at_once = "[at]", "at.stop - at.start"
        yield
        self.at_once, self.steps_at_once = "", "T"

    def write_stretch(self, line: str, number: int = 0, *, alone: bool = False) -> None:
        """A line of a loop over stretches: of the one that was written just before, unless it shall be alone."""
        lines, length = self._loop or (None, 0)
        if alone or lines is not self.lines or length != len(lines):
            self.write("for at in ws.slices:")
        *first, last = _broken(line)
        self.lines += ["        " + part for part in first]
        self.write(last, indent=2, number=number)
        self._loop = None if alone else (self.lines, len(self.lines))


def _broken(line: str) -> list[str]:
    """The line; a long one broken inside its first bracket if that is closed at the end, or term by term."""
    if len(line) <= WIDTH:
        return [line]
    target, sign, value = re.split(r" (\+?=) ", line, maxsplit=1)
    first, *more = _terms(value)
    if more:
        return [f"{target} {sign} {first}", *(f"{target} += {term}" for term in more)]
    head, bracket, rest = line.partition("(")
    if bracket and _closes(rest) == len(rest) - 1:
        return [f"{head}(", f"    {rest[:-1]}", ")"]
    return [line]


def _terms(value: str) -> list[str]:
    """What is added up, outside of all brackets."""
    depth, begin, found = 0, 0, []
    for k, c in enumerate(value):
        depth += (c in "([") - (c in ")]")
        if depth == 0 and value.startswith(" + ", k):
            found.append(value[begin:k])
            begin = k + 3
    return [*found, value[begin:]]


def _closes(rest: str) -> int:
    """Where the bracket closes that is open at the beginning."""
    depth = 1
    for k, c in enumerate(rest):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return k
    return -1
