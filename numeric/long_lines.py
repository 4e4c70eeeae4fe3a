"""Long statements over several lines: one term of a sum, one factor of a product, or one argument, on each."""

from __future__ import annotations

import re

LONGEST = 120


def broken(line: str, note: str = "") -> list[str]:
    """A statement as lines of at most ``LONGEST`` characters, where its terms or its factors are as short.

    Args:
        line: ``name = value``, ``name += value`` or ``function(arguments)`` with its indent, on one line, a comment
            behind it if it has one.
        note: a comment for its first line.
    """
    line, sign, comment = line.partition("  # ")
    note = sign + comment + note
    found = re.match(r"( *[^=(]*?(?:\(.*?\))? \+?= )(?!=)(.*)$", line)
    if len(line + note) <= LONGEST:
        return [line + note]
    if found is None:
        return _broken_call(line, note)
    head, value = found.groups()
    parts = (
        _parts(value, ("+", "-")) if len(_parts(value, ("+", "-"))) > 1 else _parts(value, ("*",))
    )
    if len(parts) < 2:
        return [line + note]
    indent = " " * (len(line) - len(line.lstrip()))
    return [f"{head}({note}", *(f"{indent}    {part}" for part in parts), f"{indent})"]


def _broken_call(line: str, note: str) -> list[str]:
    """A call with an argument on each line; anything else as it is."""
    found = re.fullmatch(r"(( *)[\w.]+\()(.*)\)", line)
    if found is None:
        return [line + note]
    head, indent, text = found.groups()
    arguments, depth = [""], 0
    for part in re.split(r"(, )", text):
        if depth == 0 and part == ", ":
            arguments.append("")
            continue
        arguments[-1] += part
        depth += sum(map(part.count, "([{")) - sum(map(part.count, ")]}"))
        if depth < 0:
            return [line + note]
    return [head + note, *(f"{indent}    {argument}," for argument in arguments), f"{indent})"]


def _parts(value: str, signs: tuple[str, ...]) -> list[str]:
    """What stands between the signs outside of all brackets; each part but the first begins with its sign."""
    parts, depth = [""], 0
    for word in re.split(r"( )", value):
        if depth == 0 and word in signs and parts[-1].strip():
            parts.append("")
        parts[-1] += word
        depth += sum(map(word.count, "([{")) - sum(map(word.count, ")]}"))
    return [part.strip() for part in parts]
