"""The scans of a network: ``f = scan(lstm, e[t], reverse, start(enc), share(g))``.

scan  ::= name = scan(cell, input, … , word …)
cell  ::= name | name(option, …), an option being a value or name=value
input ::= sequence | name=sequence
sequence ::= name[t] | name[t-d] | name.state[t]
word  ::= reverse | start(scan) | start(name), with name.state[end] = … above | share(scan)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from derive.errors import LanguageError
from derive.language_lines import Statement, Token
from derive.network_arguments import Argument, Value
from derive.network_columns import as_written
from derive.network_foreign import said_here
from derive.network_lines import Line
from derive.syntax import Ref, Span

WORDS = ("reverse", "start", "share")
OPERATORS = ("+", "-", "*", "/", "@", "**", ".")


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan as read.

    Args:
        name: its name.
        span: the place of its name.
        cell: name of the cell.
        cell_span: the place of the cell's name.
        options: the values of the cell's options, in order or by name.
        arguments: what it gives the cell's inputs, in order or by name.
        axis: the letter of its time index.
        reverse: whether it runs backwards.
        start: the scan whose final states it starts from, if any.
        share: the scan whose parameters it uses, if any.
    """

    name: str
    span: Span
    cell: str
    cell_span: Span
    options: tuple[Argument[str], ...]
    arguments: tuple[Argument[Ref], ...]
    axis: str
    reverse: bool
    start: tuple[str, Span] | None
    share: tuple[str, Span] | None

    @property
    def inputs(self) -> tuple[Ref, ...]:
        """What it runs along, in the order in which it stands there."""
        return tuple(argument.value for argument in self.arguments)

    @property
    def chosen(self) -> str:
        """The cell with its options, as in a text."""
        given = ", ".join(as_written(option.span) for option in self.options)
        return f"{self.cell}({given})" if self.options else self.cell


def is_scan(statement: Statement) -> bool:
    """Whether a statement reads ``name = scan…``."""
    texts = [token.text for token in statement.tokens[:3]]
    return len(texts) == 3 and texts[1:] == ["=", "scan"]


def starts_of(statement: Statement) -> list[str]:
    """The names within ``start(…)`` of a statement, before it is read."""
    texts = [token.text for token in statement.tokens]
    return [
        c for a, b, c in zip(texts, texts[1:], texts[2:], strict=False) if (a, b) == ("start", "(")
    ]


def read_scan(line: Line) -> Scan:
    """One scan.

    Raises:
        LanguageError: it has not the form of a scan.
    """
    return _Reader(line).scan()


@dataclass(slots=True)
class _Reader:
    line: Line
    at: int = 3
    words: dict[str, object] = field(default_factory=dict)

    @property
    def statement(self) -> Statement:
        return self.line.statement

    def peek(self, ahead: int = 0) -> Token | None:
        tokens = self.statement.tokens
        return tokens[self.at + ahead] if self.at + ahead < len(tokens) else None

    def fail(self, expected: str) -> LanguageError:
        token = self.peek() or self.statement.tokens[-1]
        found = f"found `{token.text}`" if self.peek() else "the line ends"
        return LanguageError(
            f"Expected {expected}; {found}.",
            "Write name = scan(cell, input[t]), then reverse, start(scan) or share(scan) if need be.",
            place=self.statement.place(token.start, token.stop),
        )

    def take(self, expected: str, *texts: str) -> Token:
        token = self.peek()
        if token is None or (token.text not in texts if texts else token.kind != "name"):
            raise self.fail(expected)
        self.at += 1
        return token

    def skip(self, text: str) -> bool:
        token = self.peek()
        if token is None or token.text != text:
            return False
        self.at += 1
        return True

    def span(self, token: Token) -> Span:
        return Span(self.statement, token.start, token.stop)

    def scan(self) -> Scan:
        name = self.statement.tokens[0]
        self.take("`(`", "(")
        cell = self.take("the name of a cell")
        options = self.options()
        arguments: list[Argument[Ref]] = []
        while self.skip(","):
            if not self.word():
                self.refuse_foreign(arguments)
                if self.words:
                    raise self.fail(f"one of {', '.join(WORDS)}")
                arguments.append(self.argument(self.input))
        self.take("`,` or `)`", ")")
        if self.peek() is not None:
            raise self.fail("the end of the line")
        if not arguments:
            self.at -= 1
            raise self.fail("an input, e.g. x[t]")
        return Scan(
            name.text, self.span(name), cell.text, self.span(cell), options, tuple(arguments), self.line.axis,
            "reverse" in self.words, self.words.get("start"), self.words.get("share"),
        )  # fmt: skip

    def options(self) -> tuple[Argument[str], ...]:
        given: list[Argument[str]] = []
        if self.skip("("):
            given.append(self.argument(self.option))
            while self.skip(","):
                given.append(self.argument(self.option))
            self.take("`,` or `)`", ")")
        return tuple(given)

    def option(self) -> str:
        token = self.peek()
        if token is None or token.kind == "op":
            raise self.fail("the value of an option")
        self.at += 1
        return token.text

    def argument(self, value: Callable[[], Value]) -> Argument[Value]:
        first, after, name = self.peek(), self.peek(1), ""
        if first is not None and first.kind == "name" and after is not None and after.text == "=":
            name, self.at = first.text, self.at + 2
        given, last = value(), self.statement.tokens[self.at - 1]
        start = first.start if first is not None else last.start
        return Argument(given, Span(self.statement, start, last.stop), name)

    def word(self) -> bool:
        token = self.peek()
        if token is None or token.text not in WORDS or (after := self.peek(1)) is None:
            return False
        if after.text in ("[", "="):
            return False
        self.at += 1
        value: object = True
        if token.text != "reverse":
            self.take("`(`", "(")
            scan = self.take("the name of a scan")
            self.take("`)`", ")")
            value = (scan.text, self.span(scan))
        if token.text in self.words:
            self.at -= 1
            raise self.fail(f"{token.text} once")
        self.words[token.text] = value
        return True

    def input(self) -> Ref:
        self.refuse_expression("number", *OPERATORS)
        name = self.take("an input, e.g. x[t]")
        self.refuse_expression("(", *OPERATORS)
        self.take(f"a time index: {name.text}[t]", "[")
        self.take("a time index", "t")
        lag = 0
        if self.skip("-"):
            token = self.peek()
            if token is None or not token.text.isdigit() or len(token.text) > 2:
                raise self.fail("a small whole number")
            lag, self.at = int(token.text), self.at + 1
        close = self.take("`]`: a scan runs along a named sequence", "]")
        self.refuse_expression(*OPERATORS)
        return Ref(Span(self.statement, name.start, close.stop), name.text, lag)

    def refuse_foreign(self, given: list[Argument[Ref]]) -> None:
        """Refuse what other libraries give a layer: a word with no index, or with a value that is no sequence."""
        word, after, value = self.peek(), self.peek(1), self.peek(3)
        sequence = (
            after is not None and after.text == "=" and value is not None and value.text in "[."
        )
        if word is None or after is None or after.text not in ",)=" or sequence:
            return
        tokens = self.statement.tokens
        along = as_written(given[0].span) if given else f"x[{self.line.axis or 't'}]"
        names = {"name": tokens[0].text, "cell": tokens[4].text, "input": along}
        said = said_here(word.text, **names, axis=self.line.axis or "t")
        if said:
            raise LanguageError(*said, place=self.statement.place(word.start, word.stop))

    def refuse_expression(self, *signs: str) -> None:
        """Refuse an input that goes on where a named sequence does not."""
        token = self.peek()
        if token is not None and (token.text in signs or token.kind in signs):
            raise self.expression()

    def expression(self) -> LanguageError:
        """The error for an input that is more than a named sequence; the next token stands within it."""
        tokens, first, last, depth = self.statement.tokens, self.at, self.at, 0
        while tokens[first - 1].text not in ",=" or depth:
            first -= 1
            depth += (tokens[first].text in ")]") - (tokens[first].text in "([")
        while last < len(tokens) and (depth or tokens[last].text not in ",)"):
            depth += (tokens[last].text in "([") - (tokens[last].text in ")]")
            last += 1
        place = self.statement.place(tokens[first].start, tokens[last - 1].stop)
        text = place.text[place.column : place.column + place.width]
        taken = {token.text for token in tokens}
        free = next((name for name in "uvwabc" if name not in taken), f"{tokens[0].text}_in")
        named = f"{free}[{self.line.axis}]"
        return LanguageError(
            "A scan runs along a named sequence.",
            f"Give what it runs along a line of its own, {named} = {text}, and scan {named}.",
            place=place,
        )
