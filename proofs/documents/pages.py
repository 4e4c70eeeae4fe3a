"""The pages of a document: a file of TeX or Markdown is one, each Markdown cell of a notebook another.

Markdown becomes TeX of the same length: whatever is no mathematics is blank there, so every place is the file's own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from derive.errors import LanguageError

SUFFIXES = (".tex", ".ltx", ".md", ".markdown", ".ipynb")
MAX_BYTES = 20_000_000
MAX_CHARACTERS = 1_000_000
_FENCE = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<word>[\w{.-]*)[^\n]*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CODE = re.compile(r"(?<![`$\\])(`+)(?!`)(?:(?!\n\s*\n).){0,2000}?(?<!`)\1(?!`)", re.DOTALL)
_MATHS = re.compile(
    r"(?<!\\)\$\$.{0,8000}?(?<!\\)\$\$"
    r"|(?<![\\$])\$`(?:(?!\n\s*\n).){1,8000}?`\$"
    r"|(?<![\\$])\$(?![\s$])(?:(?!\n\s*\n)[^$]){0,8000}?(?<![\s\\])\$(?![0-9$])"
    r"|\\{1,2}\[.{0,8000}?\\{1,2}\]|\\{1,2}\((?:(?!\n\s*\n).){0,8000}?\\{1,2}\)"
    r"|\\begin\s*\{(?P<name>\w+\*?)\}.{0,8000}?\\end\s*\{(?P=name)\}"
    r"|\\(?:re|provide)?(?:newcommand|def|DeclareMathOperator)[^\n]*",
    re.DOTALL,
)
_AUDIT = re.compile(
    r"%+[ \t]*audit:(?P<line>[^\n]*)|<!--\s*audit:(?P<lines>.*?)(?:-->|\Z)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Page:
    """One text of a document.

    Args:
        source: its name, for messages.
        text: as it stands in the file.
        tex: its mathematics as TeX, character for character where it stands in the text.
        directions: lines of the language of claims that its comments give behind ``audit:``, each where it stands.
    """

    source: str
    text: str
    tex: str
    directions: str


def is_document(place: str) -> bool:
    """Whether a file's name is that of a document, not of a file of claims."""
    return PurePath(place).suffix.lower() in SUFFIXES


def pages(text: str, source: str) -> list[Page]:
    """The pages of a document.

    Args:
        text: the file.
        source: its name, whose ending says what it is.

    Raises:
        LanguageError: it is no notebook though it is called so.
    """
    suffix = PurePath(source).suffix.lower()
    if suffix != ".ipynb" and len(text) > MAX_CHARACTERS:
        problem = f"{source} has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read."
        raise LanguageError(problem, "Split the document.")
    if suffix == ".ipynb":
        return [_of_markdown(cell, f"{source}, cell {n}") for n, cell in _cells(text, source)]
    if suffix in (".md", ".markdown"):
        return [_of_markdown(text, source)]
    return [Page(source, text, text, _directions(text, r"%"))]


def _cells(text: str, source: str) -> list[tuple[int, str]]:
    """The Markdown cells of a notebook, with their numbers."""
    try:
        read: Any = json.loads(text)
        found = [
            (n, "".join(cell["source"]))
            for n, cell in enumerate(read["cells"], 1)
            if cell["cell_type"] == "markdown"
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise LanguageError(f"{source} is no notebook.", "Save it again as .ipynb.") from None
    return found


def _of_markdown(text: str, source: str) -> Page:
    """A page of Markdown."""
    return Page(source, text, _as_tex(text), _directions(text, "<"))


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _as_tex(text: str) -> str:
    """Mathematics where it stands, and blanks for all else."""
    text = _COMMENT.sub(lambda m: _blank(m[0]), text)
    text = _CODE.sub(lambda m: _blank(m[0]), _without_fences(text))
    kept = list(_blank(text))
    for found in _MATHS.finditer(text):
        kept[found.start() : found.end()] = _plain(found[0])
    return "".join(kept)


def _plain(maths: str) -> str:
    r"""Mathematics as TeX has it, as long as before: ``\\(a\\)`` is `` \(a \)``, ``h\_t`` is ``h _t``."""
    if maths.startswith("$`"):
        return f"$ {maths[2:-2]} $"
    if re.match(r"\\\\[\[(]", maths):
        return f" {maths[1:-3]} {maths[-2:]}"
    return re.sub(r"\\([_*])", r" \1", maths)


def _without_fences(text: str) -> str:
    r"""Blanks for what is fenced as code; a fence of mathematics becomes ``\[ … \]``."""
    kept, at, opened = list(text), 0, None
    for line in _FENCE.finditer(text):
        if opened is None:
            opened = line
        elif line["fence"].startswith(opened["fence"]) and not line["word"]:
            inside = text[opened.end() : line.start()]
            is_math = opened["word"] in ("math", "{math}", "latex")
            whole = f"{_fence(opened[0], '$$')}{inside}{_fence(line[0], '$$')}"
            kept[opened.start() : line.end()] = (
                whole if is_math else _blank(opened[0] + inside + line[0])
            )
            at, opened = line.end(), None
    if opened is not None:
        kept[opened.start() :] = _blank(text[max(at, opened.start()) :])
    return "".join(kept)


def _fence(line: str, sign: str) -> str:
    return sign + " " * (len(line) - len(sign))


def _directions(text: str, opening: str) -> str:
    """What comments give behind ``audit:``, and blank lines for all else."""
    lines = [""] * (text.count("\n") + 1)
    for found in _AUDIT.finditer(text):
        if found[0][0] != opening:
            continue
        first = text.count("\n", 0, found.start("line" if found["line"] is not None else "lines"))
        said = found["line"] if found["line"] is not None else found["lines"]
        for n, line in enumerate(said.split("\n")):
            alone = n == 0 or opening == "%"
            lines[first + n] = line.removeprefix(" ").rstrip() if alone else line.rstrip()
    return "\n".join(lines)
