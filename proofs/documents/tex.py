r"""Where the mathematics of a document stands: ``$ … $``, ``\[ … \]``, ``equation``, ``align`` and their kin.

Comments and what is set as it is written (``verbatim``, ``lstlisting``) say nothing. Nothing is run, and no other file
is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from proofs.claims.latex_signs import TOKEN, Part
from proofs.documents.macros import expanded

ENVIRONMENTS = {
    "equation", "align", "gather", "multline", "eqnarray", "flalign", "alignat", "displaymath", "math", "dmath",
    "IEEEeqnarray", "empheq",
}  # fmt: skip
LITERAL = {"verbatim", "Verbatim", "lstlisting", "minted", "comment", "filecontents"}
OTHER_FILES = {r"\input", r"\include", r"\subfile", r"\import", r"\subimport"}
MAX_LENGTH = 5_000
"""How many tokens a formula may have."""
_OPENS = {r"\[": r"\]", r"\(": r"\)"}
_BEGIN = re.compile(r"\\begin\s*\{(\w+\*?)\}")
_IF = re.compile(r"\\(if(?!f\b)[a-z]*|fi)(?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class Block:
    """Mathematics at one place of a document.

    Args:
        parts: its tokens, macros expanded, blanks among them.
        displayed: whether it stands by itself.
        start: where it begins in the text.
    """

    parts: tuple[Part, ...]
    displayed: bool
    start: int


@dataclass(slots=True)
class Found:
    """What a document holds.

    Args:
        blocks: its mathematics, in order.
        others: where it names another file.
    """

    blocks: list[Block] = field(default_factory=list[Block])
    others: list[Part] = field(default_factory=list[Part])


def mathematics(text: str, source: str) -> Found:
    """The mathematics of a text of TeX.

    Args:
        text: the document.
        source: its name, for messages.

    Raises:
        LanguageError: its macros make more than is read.
    """
    parts = expanded(_tokens(text), source)
    found, at = Found(), 0
    none: dict[str, int] = {}
    while at < len(parts):
        block, at = _block(parts, at, none)
        if block is not None:
            found.blocks.append(block)
        elif parts[at - 1].text in OTHER_FILES:
            found.others.append(parts[at - 1])
    return found


def _tokens(text: str) -> Iterator[Part]:
    """The tokens that say something."""
    at, stop = 0, len(text)
    end = re.search(r"^[^%\n]*\\end\s*\{document\}", text, re.MULTILINE)
    stop = end.end() if end else stop
    while at < stop:
        if text[at] == "%":
            line = re.compile(r"[^\n]*\n?[ \t]*").match(text, at)
            at = line.end() if line else stop
            continue
        if skipped := _literal(text, at):
            at = skipped
            continue
        sign = TOKEN.match(text, at)
        assert sign is not None  # noqa: S101 - any character is a token
        kept = sign.group()
        at = sign.end()
        if not kept.isspace():
            yield Part(kept, sign.start(), at)
        else:
            yield Part("\n\n" if kept.count("\n") > 1 else " ", sign.start(), at)


def _literal(text: str, at: int) -> int:
    """Where what is set as it is written ends, or what is left out; 0 if nothing such begins there."""
    if text[at] != "\\":
        return 0
    begun = _BEGIN.match(text, at)
    if begun and begun[1].rstrip("*") in LITERAL:
        end = text.find(rf"\end{{{begun[1]}}}", at)
        return end + len(begun[1]) + 6 if end >= 0 else len(text)
    if verb := re.compile(r"\\(?:verb\*?|lstinline)([^A-Za-z0-9\s{*])").match(text, at):
        end = text.find(verb[1], verb.end(), verb.end() + 1000)
        return end + 1 if end >= 0 else 0
    if re.compile(r"\\iffalse(?![A-Za-z])").match(text, at):
        depth = 0
        for sign in _IF.finditer(text, at):
            depth += -1 if sign[1] == "fi" else 1
            if depth == 0:
                return sign.end()
        return len(text)
    return 0


def _block(parts: list[Part], at: int, none: dict[str, int]) -> tuple[Block | None, int]:
    """The mathematics that begins at a token, and what comes after it."""
    text = parts[at].text
    if text == "$":
        double = at + 1 < len(parts) and parts[at + 1].text == "$"
        closing = ["$", "$"] if double else ["$"]
        return _until(parts, at, at + len(closing), closing, displayed=double, none=none)
    if text in _OPENS:
        return _until(parts, at, at + 1, [_OPENS[text]], displayed=text == r"\[", none=none)
    if text == r"\begin":
        name, after = _named(parts, at + 1)
        if name.rstrip("*") in ENVIRONMENTS:
            return _until(
                parts,
                at,
                after,
                [r"\end", "{", *_letters(name), "}"],
                displayed=name != "math",
                none=none,
            )
    return None, at + 1


def _letters(name: str) -> list[str]:
    return [m.group() for m in TOKEN.finditer(name)]


def _named(parts: list[Part], at: int) -> tuple[str, int]:
    """The name in braces that stands there, and what comes after it."""
    while at < len(parts) and parts[at].text == " ":
        at += 1
    if at >= len(parts) or parts[at].text != "{":
        return "", at
    end = next((i for i in range(at, len(parts)) if parts[i].text == "}"), len(parts))
    return "".join(p.text for p in parts[at + 1 : end]).strip(), end + 1


def _until(
    parts: list[Part],
    at: int,
    first: int,
    closing: list[str],
    *,
    displayed: bool,
    none: dict[str, int],
) -> tuple[Block | None, int]:
    """The block up to what closes it; none where a paragraph ends before, as TeX has it of what is within a line.

    Args:
        parts: all tokens.
        at: where the block begins.
        first: where its mathematics begins.
        closing: the tokens that close it.
        displayed: whether it stands by itself.
        none: for each way of closing, up to where none was found when it was looked for last.
    """
    width, key = len(closing), "".join(closing)
    stop = min(len(parts) - width, first + MAX_LENGTH) + 1
    for i in range(max(first, none.get(key, 0)), stop):
        text = parts[i].text
        if text == closing[0] and [p.text for p in parts[i : i + width]] == closing:
            return Block(tuple(parts[first:i]), displayed, parts[at].start), i + width
        if text == "\n\n" and closing == ["$"]:
            return None, at + 1
    none[key] = max(stop, none.get(key, 0))
    return None, at + 1
