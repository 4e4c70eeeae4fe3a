r"""The relations of a piece of mathematics: its sides, the sign between them, and chains ``a = b = c`` taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from proofs.claims.latex_looks import SAME
from proofs.claims.latex_signs import TOKEN, Part
from proofs.documents.wrappings import group_end

RELATIONS = {
    "=": "=", "≤": "≤", "≥": "≥", r"\approx": r"\approx", r"\equiv": "=", r"\triangleq": "=", r"\coloneqq": "=",
    r"\doteq": "=", r"\defeq": "=", "≈": r"\approx",
}  # fmt: skip
"""Relations that are judged, each as a claim writes it."""
OTHERS = {
    "<", ">", r"\neq", r"\ne", r"\in", r"\to", r"\rightarrow", r"\leftarrow", r"\gets", r"\sim", r"\propto", r"\ll",
    r"\gg", r"\lesssim", r"\gtrsim", r"\Rightarrow", r"\Leftrightarrow", r"\implies", r"\iff", r"\mapsto", r"\simeq",
    r"\cong", r"\longrightarrow", r"\subset", r"\subseteq", r"\xrightarrow",
}  # fmt: skip
"""Relations that no claim has."""
CONTINUES = {"+", "-", r"\cdot", r"\times", r"\odot", r"\circ", "*", r"\otimes", r"\ast"}
FILLERS = {
    "&",
    "{",
    "}",
    r"\quad",
    r"\qquad",
    r"\,",
    r"\;",
    r"\:",
    r"\!",
    r"\ ",
    r"\hspace",
    r"\mathrel",
    r"\mathbin",
    "~",
}
OPENS, CLOSES = {"{", "(", "[", r"\{"}, {"}", ")", "]", r"\}"}


def signs_of(parts: Sequence[Part]) -> list[str]:
    """What says something in a row."""
    return [SAME.get(p.text, p.text) for p in parts if not (p.text.isspace() or p.text in FILLERS)]


def trimmed(piece: list[Part]) -> list[Part]:
    """A piece without blanks around it and without the full stop behind it."""
    edges = {".", ":", *(FILLERS - {"{", "}"})}
    kept = [p for p in piece if not p.text.isspace()]
    while kept and kept[-1].text in edges:
        kept.pop()
    while kept and kept[0].text in edges:
        kept.pop(0)
    return kept


def text_of(parts: Sequence[Part]) -> str:
    """The tokens as one text."""
    return "".join(p.text for p in parts).strip()


def chain_of(
    piece: list[Part], before: tuple[Part, ...]
) -> Iterator[tuple[tuple[Part, ...], str, tuple[Part, ...]]]:
    """The relations of a piece, one by one; one that begins with a relation goes on from the side before."""
    cuts = list(cuts_of(piece))
    left = tuple(trimmed(cuts[0][0])) or before
    for (_, relation), (right, _) in pairwise(cuts):
        side = tuple(trimmed(right))
        if left or side:
            yield left, relation, side
        left = side


def cuts_of(piece: Sequence[Part]) -> Iterator[tuple[list[Part], str]]:
    """The sides of a piece, each with the relation behind it."""
    side, depth = list[Part](), 0
    for part in _over_relations(piece):
        depth += (part.text in OPENS) - (part.text in CLOSES)
        depth += (part.text == r"\begin") - (part.text == r"\end")
        text = SAME.get(part.text, part.text)
        if depth <= 0 and (text in RELATIONS or text in OTHERS):
            if side and side[-1].text == ":" and text == "=":
                side.pop()
            yield side, RELATIONS.get(text, text)
            side = []
        else:
            side.append(part)
    yield side, ""


def _over_relations(piece: Sequence[Part]) -> Iterator[Part]:
    r"""A piece with ``\overset{!}{=}`` and ``\stackrel{\text{def}}{=}`` as the relation itself."""
    at = 0
    while at < len(piece):
        if piece[at].text in (r"\overset", r"\stackrel", r"\underset"):
            first = group_end(piece, at + 1)
            second = group_end(piece, first) if first else 0
            if second and text_of(piece[first + 1 : second - 1]) in RELATIONS:
                yield replace(piece[at], text=text_of(piece[first + 1 : second - 1]))
                at = second
                continue
        yield piece[at]
        at += 1


def tokens(text: str) -> list[Part]:
    """The tokens of a text of TeX, blanks left out."""
    return [
        Part(m.group(), m.start(), m.end()) for m in TOKEN.finditer(text) if not m.group().isspace()
    ]
