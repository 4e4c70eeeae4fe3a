"""The declaration ``init``: how it is read, and what must hold between it and the parameter that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from derive.cell import Quantity
from derive.errors import LanguageError, ShapeError
from derive.initial import KINDS, Start
from derive.language_cursor import Cursor
from derive.language_words import nearest

if TYPE_CHECKING:
    from derive.language_lines import Token
    from derive.syntax import Span

_EXPECTED = f"{', '.join(KINDS)}, a number, or minus another parameter"


def read_start(cursor: Cursor) -> Start:
    """What stands behind ``init name``: ``= 1``, ``= orthogonal``, ``= chrono(100)``, ``= -b_f``.

    Raises:
        LanguageError: it has none of these forms.
    """
    cursor.take("op", "`=`", "=")
    begin = cursor.at
    negative = cursor.skip("-")
    token = cursor.token
    if token is None or token.kind != "name":
        cursor.at = begin
        return Start("number", cursor.number())
    cursor.at += 1
    if token.text in KINDS:
        return _kind(cursor, token, negative)
    if not negative:
        cursor.at -= 1
        raise cursor.fail(_EXPECTED, nearest(token.text, KINDS))
    return Start("parameter", parameter=token.text, negative=True)


def _kind(cursor: Cursor, token: Token, negative: bool) -> Start:
    """A kind, possibly with a number in brackets."""
    kind, number = KINDS[token.text], None
    if kind.argument and cursor.skip("("):
        at = cursor.at
        number = cursor.number()
        if kind.above is not None and number <= kind.above:
            cursor.at = at
            raise cursor.fail(f"{kind.argument}, above {kind.above}")
        cursor.take("op", "`)`", ")")
    if number is None and kind.default is None:
        raise cursor.fail(f"{kind.argument}, as in {token.text}(100)")
    return Start(token.text, number, negative=negative)


def checked_starts(
    declared: Iterable[tuple[str, Start, Span]], quantities: Mapping[str, Quantity]
) -> dict[str, Start]:
    """The starts by parameter.

    Args:
        declared: name, start and place of every ``init``.
        quantities: of the cell, by name.

    Raises:
        ShapeError: an identity is asked of what is not square, or two parameters differ in shape.
        LanguageError: a parameter starts from what is none, or from one that starts from another.
    """
    found: dict[str, Start] = {}
    other: dict[str, Span] = {}
    for name, start, span in declared:
        rows, cols = quantities[name].shape
        if start.kind == "identity" and rows != cols:
            raise ShapeError(
                f"{name} is ({rows}, {cols}); the identity is square.",
                "Choose another kind, or check the equations.",
                place=span.place,
            )
        found[name] = start
        if start.kind == "parameter":
            other[name] = span
    for name, span in other.items():
        _check_other(name, found, span, quantities)
    return found


def _check_other(
    name: str, found: Mapping[str, Start], span: Span, quantities: Mapping[str, Quantity]
) -> None:
    """That a parameter can start as minus another."""
    wanted = found[name].parameter
    q: Any = quantities.get(wanted)
    if q is None or q.role != "parameter":
        known = [p.name for p in quantities.values() if p.role == "parameter"]
        raise LanguageError(
            f"{name} is to start as minus {wanted}, which is no parameter here.{nearest(wanted, known)}",
            "Name a parameter of the same cell.",
            place=span.place,
        )
    if q.shape != quantities[name].shape:
        raise ShapeError(
            f"{name} is {quantities[name].shape} and {wanted} is {q.shape}; they start alike only if they are alike.",
            "Name a parameter of the same shape.",
            place=span.place,
        )
    if wanted in found and found[wanted].kind == "parameter":
        raise LanguageError(
            f"{name} is to start from {wanted}, which starts from {found[wanted].parameter}.",
            f"Give {wanted} a start of its own.",
            place=span.place,
        )
