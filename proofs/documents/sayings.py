r"""What a block of mathematics says: its rows, its formulas, and what stands beside each.

A row that begins with a relation or an operator continues the one before. Chains are taken apart: ``a = b = c`` says
``a = b`` and ``b = c``. Behind a comma, a wide blank or words stands what a formula presumes, or another formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from proofs.claims.latex_looks import SAME
from proofs.claims.latex_signs import TEXT, WORDS, Part
from proofs.documents.relations import (
    CLOSES,
    CONTINUES,
    OPENS,
    OTHERS,
    RELATIONS,
    chain_of,
    cuts_of,
    signs_of,
    text_of,
    trimmed,
)
from proofs.documents.tex import Block
from proofs.documents.wrappings import group_end, unwrapped

INNER = {"split", "aligned", "alignedat", "gathered", "multlined", "subequations"}
"""Environments whose rows are those of the block around them."""
PROSE = {*TEXT, r"\mbox", r"\textrm", r"\textit", r"\textnormal", r"\hbox"}
BREAKS = {r"\\", r"\cr", r"\newline"}
BETWEEN = {r"\intertext", r"\shortintertext"}
NAMES = {r"\label", r"\tag"}
DROPPED = {r"\nonumber", r"\notag", r"\displaybreak", r"\allowdisplaybreaks", r"\centering"}
WIDE = {r"\quad", r"\qquad", ",", ";", r"\enspace"}
NEAR = 40
"""How many tokens around a mark of alignment are looked at."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One formula as a document states it.

    Args:
        sides: two, or one where it states no relation; their tokens.
        relation: between them, as a claim writes it; the sign itself where no claim has it, empty where there is none.
        label: what the document calls it.
        beside: what stands behind it in its row, as tokens: ranges, conditions, words.
        displayed: whether it stands by itself.
    """

    sides: tuple[tuple[Part, ...], ...]
    relation: str
    label: str
    beside: tuple[tuple[Part, ...], ...]
    displayed: bool

    @property
    def parts(self) -> list[Part]:
        """All of its tokens."""
        return [part for side in self.sides for part in side]


@dataclass(slots=True)
class _Row:
    parts: list[Part] = field(default_factory=list[Part])
    label: str = ""


def sayings(block: Block) -> Iterator[Saying]:
    """What a block says, in order.

    Args:
        block: mathematics of a document.
    """
    rows = _joined(_rows(unwrapped(block.parts)))
    shared = next((row.label for row in rows if row.label), "") if len(rows) == 1 else ""
    lasts: list[tuple[Part, ...]] = []
    for row in rows:
        pieces = list(_pieces(row.parts))
        stated = [i for i, piece in enumerate(pieces) if _is_formula(piece)]
        for n, i in enumerate(stated):
            until = stated[n + 1] if n + 1 < len(stated) else len(pieces)
            beside = [tuple(p) for p in pieces[i + 1 : until] if p]
            if n == 0:
                beside += [tuple(p) for p in pieces[:i] if p]
            before = lasts[n] if n < len(lasts) else ()
            chain = list(chain_of(pieces[i], before))
            lasts[n : n + 1] = [chain[-1][2]] if chain else [before]
            for left, relation, right in chain:
                yield Saying(
                    (left, right), relation, row.label or shared, tuple(beside), block.displayed
                )
        del lasts[len(stated) or len(lasts) :]
        alone = next((p for p in pieces if p and not is_range(p) and not _are_words(p)), None)
        if alone and not stated and block.displayed:
            yield Saying((tuple(alone),), "", row.label, (), displayed=True)


# ── rows ──


def _rows(parts: Sequence[Part]) -> list[_Row]:
    """The block cut at its line breaks, with what names each row."""
    rows, depth, at = [_Row()], 0, 0
    while at < len(parts):
        text = parts[at].text
        group = group_end(parts, at + 1)
        if text in (r"\begin", r"\end") and group:
            inner = text_of(parts[at + 2 : group - 1]).rstrip("*") in INNER
            depth += 0 if inner else (1 if text == r"\begin" else -1)
            rows[-1].parts += [] if inner else parts[at:group]
            at = _past_options(parts, group) if inner and text == r"\begin" else group
        elif text in NAMES and group:
            rows[-1].label = rows[-1].label or text_of(parts[at + 2 : group - 1])
            at = group
        elif text in BETWEEN and group:
            rows.append(_Row())
            at = group
        elif text in BREAKS and depth == 0:
            rows.append(_Row())
            at = _past_options(parts, at + 1)
        else:
            rows[-1].parts += [] if text in DROPPED else [parts[at]]
            at += 1
    return [row for row in rows if any(not p.text.isspace() for p in row.parts) or row.label]


def _past_options(parts: Sequence[Part], at: int) -> int:
    """What comes after ``[2pt]``, ``[t]``, ``{2}`` or a star."""
    if at < len(parts) and parts[at].text == "*":
        at += 1
    if at < len(parts) and parts[at].text == "[":
        end = next((i for i in range(at, min(len(parts), at + 12)) if parts[i].text == "]"), 0)
        return end + 1 if end else at
    return at


def _joined(rows: list[_Row]) -> list[_Row]:
    """Rows that only continue the one before are joined to it; a label at the end of all names all."""
    found: list[_Row] = []
    for row in rows:
        signs = signs_of(row.parts)
        goes_on = (
            not signs or signs[0] in CONTINUES or not (_relates(row.parts) or signs[0] in PROSE)
        )
        if found and (goes_on or _ends_open(found[-1].parts)):
            found[-1].parts += row.parts if _relates(row.parts) else _indented(row.parts)
            found[-1].label = found[-1].label or row.label
        else:
            found.append(row)
    return found


def _indented(parts: list[Part]) -> list[Part]:
    r"""A row that goes on without a sign, as ``&\quad W`` does, without the blank it begins with; a range keeps it."""
    kept = trimmed(parts)
    return parts if not kept or is_range(kept) or _are_words(kept) else kept


def _relates(parts: Sequence[Part]) -> bool:
    return any(relation for _, relation in cuts_of(parts))


def _ends_open(parts: list[Part]) -> bool:
    """Whether a row ends with an operator, or with a bracket still open."""
    signs = signs_of(parts)
    lefts = signs.count(r"\left") - signs.count(r"\right")
    last = signs[-1] if signs else ""
    return last in CONTINUES or last in RELATIONS or lefts > 0


# ── pieces ──


def _pieces(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """A row cut at commas, wide blanks and words; the words are pieces too."""
    piece, depth, at = list[Part](), 0, 0
    while at < len(parts):
        part = parts[at]
        words = _words(parts, at) if depth == 0 else 0
        if words:
            yield trimmed(piece)
            yield list(parts[at:words])
            piece, at = [], words
            continue
        depth += (part.text in OPENS) - (part.text in CLOSES)
        depth += (part.text == r"\begin") - (part.text == r"\end")
        if depth <= 0 and (part.text in WIDE or part.text == "&") and not _goes_on(parts, at):
            yield trimmed(piece)
            piece = []
        else:
            piece.append(part)
        at += 1
    yield trimmed(piece)


def _goes_on(parts: Sequence[Part], at: int) -> bool:
    """Whether a blank or a mark of alignment stands beside a relation or an operator, and so parts nothing."""
    if parts[at].text in (",", ";"):
        return False
    if parts[at].text == "&" and [
        p.text for p in parts[at + 1 : at + NEAR] if not p.text.isspace()
    ][:1] == ["&"]:
        return not signs_of(parts[max(0, at - NEAR) : at])
    between = {*RELATIONS, *OTHERS, *CONTINUES}
    before, after = signs_of(parts[max(0, at - NEAR) : at]), signs_of(parts[at + 1 : at + NEAR])
    return not before or before[-1] in between or not after or after[0] in between


def _words(parts: Sequence[Part], at: int) -> int:
    r"""What comes after words set as text, ``\text{if }``; 0 where none stand: a name in text is mathematics."""
    if parts[at].text not in PROSE or (at and parts[at - 1].text in ("_", "^")):
        return 0
    end = group_end(parts, at + 1)
    said = text_of(parts[at + 2 : end - 1]) if end else ""
    after = next((p.text for p in parts[end:] if not p.text.isspace()), "")
    is_name = said.isalpha() and (said in WORDS or after in ("_", "^", "(", r"\left", "{"))
    is_name = is_name or (
        said.isalpha() and parts[at].text in TEXT and len(said) <= 2 and said not in ("if", "or")
    )
    return 0 if is_name or said == "d" else end


def _is_formula(piece: list[Part]) -> bool:
    """Whether a piece states a relation, and not only over which steps something runs."""
    if _are_words(piece):
        return False
    cut = any(relation for _, relation in cuts_of(piece))
    return cut and not is_range(piece)


def _are_words(piece: Sequence[Part]) -> bool:
    return bool(piece) and piece[0].text in PROSE and group_end(piece, 1) == len(piece)


def is_range(piece: Sequence[Part]) -> bool:
    r"""Whether a piece names steps alone: ``t = 1``, ``k < t``, ``t = 1, \dots, T``."""
    letters = {*"tkjilmsT", r"\tau"}
    steps = {
        *letters, *"+-&'(),", r"\forall", r"\ldots", r"\dots", r"\cdots", r"\{", r"\}", r"\infty", r"\prime",
        *RELATIONS, *OTHERS,
    }  # fmt: skip
    signs = [SAME.get(p.text, p.text) for p in piece if not p.text.isspace()]
    return not letters.isdisjoint(signs) and all(s in steps or s.isdigit() for s in signs)
