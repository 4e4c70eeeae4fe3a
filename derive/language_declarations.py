"""The declarations of a cell: const, dim, option, init, index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from derive.errors import ArgumentError, LanguageError
from derive.initial import Start
from derive.language_cursor import Cursor
from derive.language_init import read_start
from derive.language_lines import Statement
from derive.language_words import listed, nearest
from derive.syntax import DECLARATIONS, FUNCTION_NAMES, MAX_LAG, RESERVED, Span

MAX_SIZE = 1_000_000

Size = tuple[int, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declared name.

    Args:
        kind: const, dim, option, init or index.
        name: what it is about.
        span: the name's place.
        value: const: a number or None; dim: one or two sizes (whole number, names with their factors);
            option: the allowed values, the default first; init: a Start; index: None.
    """

    kind: str
    name: str
    span: Span
    value: object


@dataclass(frozen=True, slots=True)
class Option:
    """A choice that a cell offers.

    Args:
        name: its name.
        default: the value taken if none is given.
        values: the allowed values; empty for a lag, which is any whole number from 1 to 64.
    """

    name: str
    default: str
    values: tuple[str, ...] = ()


def is_declaration(statement: Statement) -> bool:
    """Whether a statement starts like a declaration."""
    first, *rest = statement.tokens
    return first.text in DECLARATIONS and not (rest and rest[0].text in ("[", "="))


def read_declaration(statement: Statement) -> Declaration:
    """One declaration.

    Raises:
        LanguageError: it has not the form of its kind.
    """
    cursor = Cursor(statement)
    kind = statement.tokens[0].text
    name = cursor.take("name", "a name")
    span = Span(statement, name.start, name.stop)
    if name.text in RESERVED:
        raise LanguageError(
            f"{name.text} is a word of the language.", "Choose another name.", place=span.place
        )
    value = _VALUES[kind](cursor)
    cursor.finish()
    return Declaration(kind, name.text, span, value)


def _const(cursor: Cursor) -> Fraction | None:
    return cursor.number() if cursor.skip("=") else None


def _dim(cursor: Cursor) -> tuple[Size, ...]:
    cursor.take("op", "`=`", "=")
    sizes = [_size(cursor)]
    if cursor.skip(","):
        sizes.append(_size(cursor))
    return tuple(sizes)


def _size(cursor: Cursor) -> Size:
    """A whole number, a name, or a sum of such, each name possibly with a whole factor."""
    constant, names, start = 0, {}, cursor.at
    while True:
        factor = 1
        if cursor.token is not None and cursor.token.kind == "number":
            factor = _whole(cursor, MAX_SIZE)
            if not cursor.skip("*"):
                constant += factor
                if cursor.skip("+"):
                    continue
                break
        name = cursor.take("name", "a size: a positive whole number or a name").text
        if name in RESERVED:
            cursor.at -= 1
            raise cursor.fail("a name that is no word of the language")
        names[name] = names.get(name, 0) + factor
        if not cursor.skip("+"):
            break
    if constant == 0 and not names:
        cursor.at = start
        raise cursor.fail("a positive size")
    return constant, tuple(names.items())


def _whole(cursor: Cursor, largest: int) -> int:
    token = cursor.take("number", "a whole number")
    if not token.text.isdigit() or not 1 <= int(token.text) <= largest:
        cursor.at -= 1
        raise cursor.fail(f"a whole number from 1 to {largest:,}")
    return int(token.text)


def _option(cursor: Cursor) -> tuple[str, ...]:
    cursor.take("op", "`=`", "=")
    if cursor.token is not None and cursor.token.kind == "number":
        return (str(_whole(cursor, MAX_LAG)),)
    values: list[str] = []
    while True:
        token = cursor.take("name", "a function or a whole number")
        if token.text not in FUNCTION_NAMES or token.text in values:
            cursor.at -= 1
            raise cursor.fail(f"one of the functions {', '.join(FUNCTION_NAMES)}, each once")
        values.append(token.text)
        if not cursor.skip("|"):
            return tuple(values)


_VALUES: dict[str, Callable[[Cursor], object]] = {
    "const": _const,
    "dim": _dim,
    "option": _option,
    "init": read_start,
    "index": lambda _: None,
}


def check_twice(declarations: list[Declaration]) -> None:
    """Each kind of declaration names a thing once; const and option share their names.

    Raises:
        LanguageError: a name is declared twice.
    """
    seen: dict[tuple[str, str], Declaration] = {}
    for found in declarations:
        kind = "option" if found.kind == "const" else found.kind
        first = seen.setdefault((kind, found.name), found)
        if first is not found:
            place = first.span.place
            raise LanguageError(
                f"{found.name} is declared twice: first on line {place.line}: {place.text.strip()}",
                "Keep one of the two.",
                place=found.span.place,
            )


def choose(
    declarations: list[Declaration], given: Mapping[str, str]
) -> tuple[dict[str, str], tuple[Option, ...]]:
    """The value of every option, and the options themselves.

    Args:
        declarations: all declarations of the cell.
        given: values chosen by the user, by option name.

    Raises:
        ArgumentError: an option or value is unknown.
    """
    offered = tuple(_offered(d) for d in declarations if d.kind == "option")
    by_name = {option.name: option for option in offered}
    for name, value in given.items():
        if name not in by_name:
            what = f"Its options are {listed(by_name)}." if by_name else "It has no options."
            raise ArgumentError(f"The cell has no option {name}.{nearest(name, by_name)}", what)
        _check_value(by_name[name], str(value))
    return {o.name: str(given.get(o.name, o.default)) for o in offered}, offered


def _offered(declaration: Declaration) -> Option:
    values: tuple[str, ...] = declaration.value  # type: ignore[assignment]
    return Option(declaration.name, values[0], () if values[0].isdigit() else values)


def _check_value(option: Option, value: str) -> None:
    if option.values and value not in option.values:
        raise ArgumentError(
            f"{option.name}={value} is not offered.{nearest(value, option.values)}",
            f"{option.name} is one of {', '.join(option.values)}.",
        )
    whole = value.isascii() and value.isdigit() and len(value) <= 4
    if not option.values and not (whole and 1 <= int(value) <= MAX_LAG):
        raise ArgumentError(
            f"{option.name}={value} is not a lag.",
            f"{option.name} is a whole number from 1 to {MAX_LAG}.",
        )


def inits(declarations: Iterable[Declaration]) -> Iterator[tuple[str, Start, Span]]:
    """Name, start and place of every ``init``."""
    for found in declarations:
        if isinstance(found.value, Start):
            yield found.name, found.value, found.span
