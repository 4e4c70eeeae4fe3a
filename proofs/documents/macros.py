r"""Macros that a document defines: each use is replaced by its body, and nothing else is ever done with them.

Read are ``\newcommand``, ``\renewcommand``, ``\providecommand``, ``\def``, ``\let``, ``\DeclareMathOperator`` and
``\DeclarePairedDelimiter``. What comes of a use stands where the use stands, so every message shows the document's own
text. What a group or an environment defines holds up to its end, as TeX has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from derive.errors import LanguageError
from proofs.claims.latex_signs import Part

COMMANDS = {r"\newcommand", r"\renewcommand", r"\providecommand", r"\DeclareRobustCommand"}
DELIMITER = r"\DeclarePairedDelimiter"
OPERATOR = r"\DeclareMathOperator"
DEFINING = {*COMMANDS, OPERATOR, DELIMITER, r"\def", r"\gdef", r"\let"}
OPENS, CLOSES = (
    {"{", r"\begin", r"\begingroup", r"\bgroup"},
    {"}", r"\end", r"\endgroup", r"\egroup"},
)
MAX_DEPTH = 20
MAX_MADE = 200_000
MAX_LENGTH = 600
"""How many tokens a definition or a use may have."""
MAX_WASTED = 60_000
"""How many tokens are read in vain, of definitions and uses that do not end, before the rest is left as it stands."""


@dataclass(frozen=True, slots=True)
class Macro:
    """A body with holes ``#1``, ``#2``.

    Args:
        arguments: how many holes it has.
        body: its tokens.
        default: the first argument where none stands in square brackets; ``None`` if it must be given.
        starred: whether a star behind the name says nothing.
    """

    arguments: int
    body: tuple[Part, ...]
    default: tuple[Part, ...] | None = None
    starred: bool = False


MAX_BEFORE = 18
"""How many tokens may stand between the name and the body of a definition."""


class _EndError(Exception):
    """A definition or a use does not end, or not soon."""


def expanded(parts: Iterable[Part], source: str) -> list[Part]:
    """The tokens with definitions taken out and uses replaced.

    Args:
        parts: the tokens of a document, blanks among them.
        source: its name, for messages.

    Raises:
        LanguageError: the uses make more than 200,000 tokens.
    """
    return _Expansion(list(parts), source).run()


class _Expansion:
    def __init__(self, parts: list[Part], source: str) -> None:
        self.rest = [(part, 0) for part in reversed(parts)]
        self.source, self.made, self.wasted = source, 0, 0
        self.macros: dict[str, Macro] = {}
        self.taken: list[Part] = []
        self.scopes: list[dict[str, Macro | None] | None] = []

    def run(self) -> list[Part]:
        found: list[Part] = []
        while self.rest:
            part, depth = self.rest.pop()
            self.taken.clear()
            try:
                if self.wasted > MAX_WASTED:
                    found.append(part)
                elif part.text in DEFINING:
                    prefixed = bool(found) and found[-1].text == r"\global"
                    self.define(part.text, everywhere=prefixed or part.text == r"\gdef")
                elif part.text in self.macros and depth < MAX_DEPTH:
                    self.use(part, depth)
                else:
                    self.scope(part.text, found)
                    found.append(part)
            except _EndError:
                self.wasted += len(self.taken)
                self.rest += [(p, depth) for p in reversed(self.taken)]
                found.append(part)
        return found

    # ── groups ──

    def scope(self, text: str, before: list[Part]) -> None:
        """A group begins or ends; one that is the argument of a command, as far as that can be seen, is none."""
        if text in OPENS:
            last = next((p.text for p in reversed(before[-2:]) if not p.text.isspace()), "")
            argument = text == "{" and (last in ("}", "]") or last.startswith("\\"))
            self.scopes.append(None if argument else {})
        elif text in CLOSES and self.scopes:
            for name, macro in (self.scopes.pop() or {}).items():
                self.keep(name, macro)

    def keep(self, name: str, macro: Macro | None) -> None:
        """What a name stands for from here on; ``None`` if for nothing."""
        if macro is None:
            self.macros.pop(name, None)
        else:
            self.macros[name] = macro

    def set(self, name: str, macro: Macro | None, *, everywhere: bool) -> None:
        """A definition, kept up to the end of the group around it."""
        groups = [scope for scope in self.scopes if scope is not None]
        for scope in groups if everywhere else ():
            scope.pop(name, None)
        if groups and not everywhere:
            groups[-1].setdefault(name, self.macros.get(name))
        self.keep(name, macro)

    # ── reading ──

    def take(self) -> Part:
        if not self.rest or len(self.taken) > MAX_LENGTH:
            raise _EndError
        self.taken.append(self.rest.pop()[0])
        return self.taken[-1]

    def peek(self) -> str:
        """The next token that is no blank; blanks before it are passed."""
        while self.rest and self.rest[-1][0].text.isspace():
            self.take()
        return self.rest[-1][0].text if self.rest else ""

    def group(self, opening: str = "{", closing: str = "}") -> tuple[list[Part], int]:
        """The tokens of a group, or one token; and where it ends."""
        if self.peek() != opening:
            alone = self.take()
            return [alone], alone.stop
        self.take()
        inside, depth = list[Part](), 0
        while True:
            part = self.take()
            if part.text == closing and depth == 0:
                return inside, part.stop
            depth += (part.text == "{") - (part.text == "}")
            inside.append(part)

    def name(self) -> str:
        inside, _ = self.group()
        return "".join(p.text for p in inside).strip()

    # ── definitions ──

    def define(self, how: str, *, everywhere: bool) -> None:
        starred = self.peek() == "*"
        if starred:
            self.take()
        name = self.name()
        if not name.startswith("\\"):
            return
        if how == OPERATOR:
            inside, _ = self.group()
            around = [Part(text, 0, 0) for text in (r"\operatorname", "{", "}")]
            macro = Macro(0, (*around[:2], *inside, around[2]))
        elif how == DELIMITER:
            (left, _), (right, _) = self.group(), self.group()
            hole = [Part("#", 0, 0), Part("1", 0, 0)]
            macro = Macro(1, (*left, *hole, *right), starred=True)
        else:
            read = self.alias if how == r"\let" else self.command if how in COMMANDS else self.plain
            macro = read()
        if not (how == r"\providecommand" and name in self.macros):
            self.set(name, macro, everywhere=everywhere)

    def alias(self) -> Macro:
        if self.peek() == "=":
            self.take()
        self.peek()
        other = self.take()
        return self.macros.get(other.text, Macro(0, (other,)))

    def command(self) -> Macro:
        count, default = 0, None
        if self.peek() == "[":
            inside, _ = self.group("[", "]")
            text = "".join(p.text for p in inside).strip()
            count = int(text) if text in set("0123456789") else 0
        if self.peek() == "[":
            default = tuple(self.group("[", "]")[0])
        body, _ = self.group()
        return Macro(count, tuple(body), default)

    def plain(self) -> Macro | None:
        r"""``\def``: its parameters stand as they are; nothing where anything else stands between them."""
        before: list[str] = []
        while self.peek() != "{":
            before.append(self.take().text)
            if len(before) > MAX_BEFORE:
                raise _EndError
        body, _ = self.group()
        count = before.count("#")
        simple = before == [text for i in range(count) for text in ("#", str(i + 1))]
        return Macro(count, tuple(body)) if simple else None

    # ── uses ──

    def use(self, call: Part, depth: int) -> None:
        macro, stop = self.macros[call.text], call.stop
        if macro.starred and self.rest and self.rest[-1][0].text == "*":
            self.take()
        arguments: list[list[Part]] = []
        for i in range(macro.arguments):
            if i == 0 and macro.default is not None and self.peek() != "[":
                arguments.append(
                    [replace(p, start=call.start, stop=call.stop) for p in macro.default]
                )
                continue
            given = i == 0 and macro.default is not None
            inside, stop = self.group("[", "]") if given else self.group()
            arguments.append(inside)
        body = list(_filled(macro.body, arguments, call.start, stop))
        self.made += len(body)
        if self.made > MAX_MADE:
            raise LanguageError(
                f"{self.source}: the macros make more than {MAX_MADE:,} signs, at last {call.text}.",
                "Write its formulas out.",
            )
        self.rest += [(part, depth + 1) for part in reversed(body)]


def _filled(
    body: tuple[Part, ...], arguments: list[list[Part]], start: int, stop: int
) -> Iterable[Part]:
    """The body with its holes filled; its own tokens stand where the use does."""
    hole = False
    for part in body:
        if hole:
            hole = False
            if part.text[:1].isdigit() and 0 < int(part.text[0]) <= len(arguments):
                yield from arguments[int(part.text[0]) - 1]
                if part.text[1:]:
                    yield Part(part.text[1:], start, stop)
            continue
        if part.text == "#":
            hole = True
        else:
            yield replace(part, start=start, stop=stop)
