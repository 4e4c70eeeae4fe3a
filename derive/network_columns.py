"""Whole sequences as matrices: ``K[end] = columns(enc.h[s])`` has a column for each step of s.

So what comes after a scan may look at all of its steps, and not at the last alone:

    K[end] = columns(enc.h[s])                  n × T_s
    a[end] = softmax(K[end].T @ q)              one weight for each step
    y[end] = K[end] @ a[end]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from derive.errors import LanguageError
from derive.language_lines import Statement, Token
from derive.network import END
from derive.shapes import Columns
from derive.syntax import Span

WORD = "columns"


@dataclass(frozen=True, slots=True)
class Whole:
    """One sequence as a matrix.

    Args:
        name: of the matrix, within the equations.
        sequence: the name of the sequence.
        axis: the letter of its time index.
        span: the place.
    """

    name: str
    sequence: str
    axis: str
    span: Span


@dataclass(frozen=True, slots=True)
class Wholes:
    """All that a network takes as matrices.

    Args:
        sequences: them.
        lengths: the name of the size that is how many steps an axis has, by axis.
        masks: the masks of such sizes, as columns, each with the name of the mask of every step.
    """

    sequences: tuple[Whole, ...] = ()
    lengths: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)

    @property
    def made(self) -> dict[str, str]:
        """The sequence of every matrix, by name."""
        return {w.name: w.sequence for w in self.sequences}


def with_matrices(
    statement: Statement, taken: Collection[str]
) -> tuple[Statement, tuple[Whole, ...]]:
    """The statement with ``columns(enc_h[s])`` written ``enc_h_columns[end]``, and what each of these stands for.

    Args:
        statement: without dots.
        taken: all words of the text.

    Raises:
        LanguageError: what stands in the brackets is no sequence, or the line has a time index.
    """
    tokens, code, found = list(statement.tokens), statement.code, list[Whole]()
    i = 0
    while i < len(tokens) - 1:
        if (tokens[i].text, tokens[i + 1].text) != (WORD, "("):
            i += 1
            continue
        matrix, whole = _matrix(statement, tokens[i:], taken)
        first, closing, last = matrix[0], tokens[i + 5], matrix[-1]
        code = (
            code[: first.start] + whole.name.ljust(first.stop - first.start) + code[first.stop : closing.start]
            + "]".rjust(last.stop - closing.start) + code[last.stop :]
        )  # fmt: skip
        tokens[i : i + 7] = matrix
        found.append(whole)
        i += len(matrix)
    if found and END not in [t.text for t in statement.tokens[1:4]]:
        raise LanguageError(
            "columns(…) is known after all steps only, and this line has a value for every step.",
            f"Give it a line of its own, K[end] = {as_written(found[0].span)}, and write K[end] here.",
            place=found[0].span.place,
        )
    return replace(statement, code=code, tokens=tuple(tokens)), tuple(found)


def _matrix(
    statement: Statement, tokens: Sequence[Token], taken: Collection[str]
) -> tuple[list[Token], Whole]:
    """``columns ( name [ s ] )`` as one matrix."""
    texts = [t.text for t in tokens[:7]]
    named = len(tokens) > 5 and tokens[2].kind == tokens[4].kind == "name" and texts[3] == "["
    if not named or texts[5:7] != ["]", ")"] or len(texts[4]) != 1:
        raise LanguageError(
            "columns takes one named sequence.",
            "Write columns(enc.h[s]), or give what stands here a line of its own, u[s] = …, and take columns(u[s]).",
            place=statement.place(tokens[0].start, _closing(tokens).stop),
        )
    word, _, sequence, opening, axis, closing, last = tokens[:7]
    span = Span(statement, word.start, last.stop)
    name = f"{sequence.text}_{WORD}"
    if name in taken:
        raise LanguageError(
            f"The matrix is called {name}, and so is something else.",
            f"Rename the other {name}.",
            place=span.place,
        )
    named = Token("name", name, word.start, sequence.stop)
    index = [opening, replace(axis, text=END), replace(last, text=closing.text)]
    return [named, *index], Whole(name, sequence.text, axis.text, span)


def _closing(tokens: Sequence[Token]) -> Token:
    """The bracket that closes the first one."""
    depth = 0
    for token in tokens[1:]:
        depth += (token.text in "([") - (token.text in ")]")
        if not depth:
            return token
    return tokens[-1]


def as_written(span: Span) -> str:
    """What stands at a place, as its author wrote it."""
    place = span.place
    return place.text[place.column : place.column + place.width]


def check_sequences(wholes: Sequence[Whole], axes: Mapping[str, str]) -> None:
    """A matrix is made of a sequence that the network computes.

    Args:
        wholes: all of them.
        axes: the axis of everything that is defined.

    Raises:
        LanguageError: nothing of this name is defined, or it runs along another axis.
    """
    for w in wholes:
        if w.sequence not in axes:
            raise LanguageError(
                f"{as_written(w.span)}: the network computes no such sequence.",
                f"Take a state of a scan, or an equation with [{w.axis}]; what is given from outside needs a line of "
                f"its own, u[{w.axis}] = … .",
                place=w.span.place,
            )
        if axes[w.sequence] != w.axis:
            along = "is one value, after all steps" if axes[w.sequence] == END else "runs along "
            raise LanguageError(
                f"{w.sequence} {along}{axes[w.sequence] if along.endswith(' ') else ''}.",
                f"Write the index of a sequence along {w.axis}, or the one that it has.",
                place=w.span.place,
            )


def lengths_of(wholes: Sequence[Whole], taken: Collection[str]) -> dict[str, str]:
    """The name of the size that is how many steps an axis has, by axis.

    Args:
        wholes: all of them.
        taken: names that stand for something else.
    """
    names: dict[str, str] = {}
    for axis in dict.fromkeys(w.axis for w in wholes):
        name = f"T_{axis}"
        while name in taken:
            name += "_"
        names[axis] = name
    return names


def shapes_of(wholes: Sequence[Whole], lengths: Mapping[str, str]) -> list[Columns]:
    """What is known of the matrices' shapes."""
    return [Columns(w.name, w.sequence, lengths[w.axis], w.span) for w in wholes]
