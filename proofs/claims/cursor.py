"""A cursor over the tokens of a formula, with the errors that it can raise."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from derive.errors import LanguageError
from derive.language_lines import Statement, Token
from proofs.claims.syntax import Index, Steps
from proofs.claims.vocabulary import MAX_STEP, RESERVED


@dataclass(frozen=True, slots=True)
class Names:
    """What a formula may speak of.

    Args:
        timed: quantities that take an index.
        plain: parameters and constants.
        loss: the name of the loss; with an index, of its term at a step.
        open_d: whether ``d`` leaves open which derivative is meant, as ``∂`` does.
        still: those of the timed ones that no step changes; their values take an index or none.
        identity: how the identity matrix is called; empty where it has no name.
    """

    timed: Collection[str] = ()
    plain: Collection[str] = ()
    loss: str = "L"
    open_d: bool = False
    still: Collection[str] = ()
    identity: str = ""

    def __contains__(self, name: str) -> bool:
        known = name in self.timed or name in self.plain or name == self.loss
        return known or (name != "" and name == self.identity)


@dataclass(slots=True)
class Cursor:
    """Walks over the tokens of one formula."""

    statement: Statement
    tokens: list[Token]
    names: Names
    at: int = 0
    bound: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """The next token's text, empty at the end."""
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def peek(self, ahead: int) -> Token | None:
        """A later token."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else None

    def fail(self, problem: str, remedy: str, token: Token | None = None) -> LanguageError:
        """An error at a token; at the next one, or the end, if none is given."""
        token = token or self.peek(0)
        if token is None:
            stop = len(self.statement.code.rstrip())
            return LanguageError(problem, remedy, place=self.statement.place(stop, stop + 1))
        return LanguageError(problem, remedy, place=self.statement.place(token.start, token.stop))

    def skip(self, text: str) -> bool:
        """Pass the token if it is this one."""
        if self.text == text:
            self.at += 1
            return True
        return False

    def take(self, kind: str, expected: str) -> Token:
        """The next token, of this kind."""
        token = self.peek(0)
        if token is None or token.kind != kind:
            found = f"found `{token.text}`" if token else "the claim ends"
            raise self.fail(
                f"Expected {expected}; {found}.",
                "Write left == right, with + - * / @ · and brackets between names.",
            )
        self.at += 1
        return token

    def want(self, text: str) -> Token:
        """The next token, which must be this one."""
        self.take_one_of((text,), f"`{text}`")
        return self.tokens[self.at - 1]

    def take_one_of(self, texts: tuple[str, ...], expected: str) -> str:
        """One of these tokens."""
        if self.text not in texts:
            found = f"found `{self.text}`" if self.text else "the claim ends"
            missing = "Is an operator missing between two factors? Write @ (matrix product) or * (entry by entry)."
            raise self.fail(
                f"Expected {expected}; {found}.", "Write ==." if self.text == "=" else missing
            )
        self.at += 1
        return self.tokens[self.at - 1].text

    def end(self) -> None:
        """Nothing may follow."""
        if self.at < len(self.tokens):
            again = self.text in ("=", "==", "<=", ">=", "≤", "≥", "~=", "≈")
            one = "A claim has one relation: write a claim for each."
            raise self.fail(
                f"`{self.text}` does not belong here.",
                one if again else "Write an operator before it, or remove it.",
            )

    def since(self, first: int) -> tuple[int, int]:
        """Where the tokens from ``first`` to the last read one stand."""
        return self.tokens[first].start, self.tokens[max(first, self.at - 1)].stop

    def index(self) -> Index:
        """``[t-1]``"""
        self.want("[")
        index = self.steps()
        self.want("]")
        return index

    def steps(self) -> Index:
        """A sum of index variables and whole numbers."""
        terms: dict[str, int] = {}
        constant = 0
        sign = -1 if self.skip("-") else 1
        while True:
            token = self.peek(0)
            if token is not None and token.kind == "number" and token.text.isdigit():
                if int(token.text) > MAX_STEP:
                    raise self.fail(
                        f"A step of {token.text} is too far; at most {MAX_STEP}.",
                        "Use a smaller one.",
                    )
                constant += sign * int(token.text)
            elif token is not None and token.kind == "name" and token.text not in self.names:
                terms[token.text] = terms.get(token.text, 0) + sign
            else:
                raise self.fail(
                    "A time index is a sum of names and whole numbers.", "Write e.g. t-1 or k+1."
                )
            self.at += 1
            if self.text not in ("+", "-"):
                return Index(tuple((n, f) for n, f in terms.items() if f), constant)
            sign = 1 if self.take("op", "a sign").text == "+" else -1

    def step_count(self) -> Steps | None:
        """``(t-k)``, ``t`` or ``T`` as an exponent."""
        start = self.at
        bracket = self.skip("(")
        token = self.peek(0)
        if (
            token is None
            or token.kind != "name"
            or token.text in self.names
            or (token.text in RESERVED and token.text != "T")
        ):
            self.at = start
            return None
        index = self.steps()
        if bracket:
            self.want(")")
        return Steps(where=self.since(start), index=index)

    def range(self) -> tuple[Index, Index] | None:
        """``lo..hi,`` if that stands here."""
        level = 0
        for token in self.tokens[self.at :]:
            level += (token.text in "([") - (token.text in ")]") if token.kind == "op" else 0
            if token.text == ".." and level == 0:
                break
            if level < 0 or (token.text == "," and level == 0):
                return None
        else:
            return None
        lo = self.steps()
        self.want("..")
        hi = self.steps()
        self.want(",")
        return lo, hi
