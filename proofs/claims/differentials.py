"""Quantities and their derivatives, token by token: ``h[t]``, ``dh[t]/dh[t-1]``, ``d+h[t]/dW``, ``∂L/∂h[t]``."""

from __future__ import annotations

from dataclasses import dataclass

from derive.language_lines import Token
from proofs.claims.cursor import Cursor
from proofs.claims.hints import for_name
from proofs.claims.syntax import Deriv, Node, Qty


@dataclass(slots=True)
class Differentials(Cursor):
    """Reads what a formula's products and sums are made of."""

    def quantity(self, name: str, token: Token) -> Qty:
        """A name with its index, if it takes one."""
        first = self.at - 1
        if name not in self.names:
            problem, remedy = for_name(name, self.names, self.bound)
            shown = (
                problem if name == token.text else problem.replace(" is", f" in {token.text} is", 1)
            )
            raise self.fail(shown, remedy, token)
        index = self.index() if self.text == "[" else None
        if index is None and name in self.names.timed and name not in self.names.still:
            raise self.fail(
                f"{name} changes with time and needs an index.", f"Write {name}[t].", token
            )
        if index is not None and name in self.names.plain:
            raise self.fail(f"{name} is a parameter and takes no index.", f"Write {name}.", token)
        return Qty(where=(token.start, self.since(first)[1]), name=name, index=index)

    def differential(self) -> Deriv | None:
        """``du[i]/dv[j]`` and its kin, if that stands here."""
        start = self.at
        token = self.tokens[start]
        sign = token.text[0]
        if sign not in "d∂" or token.text in self.names:
            return None
        kind = "open" if sign == "∂" or self.names.open_d else "total"
        top = self.after_sign(sign)
        if top is None:
            kind, top = "immediate", self.after_plus(sign)
        if top is None and sign == "∂" and token.text != sign:
            self.quantity(token.text[1:], token)
        if top is None:
            return None
        of = self.quantity(*top)
        self.want("/")
        below = self.peek(0)
        bottom = self.after_sign(sign)
        if bottom is None:
            token = self.take("name", f"{sign} and a name")
            if token.text[0] == sign and token.text != sign:
                self.quantity(token.text[1:], token)
            raise self.fail(
                f"Expected {sign} and a quantity below the fraction line.",
                f"Write d{of.name}/d….",
                below,
            )
        by = self.not_the_loss(self.quantity(*bottom))
        return Deriv(where=self.since(start), kind=kind, of=of, by=by)

    def after_sign(self, sign: str) -> tuple[str, Token] | None:
        """The quantity after its d, beside it or apart, and the token that holds its name; passes both."""
        first, second = self.peek(0), self.peek(1)
        if first and first.text[0] == sign and first.text[1:] in self.names:
            self.at += 1
            return first.text[1:], first
        if first and first.text == sign and second and second.kind == "name":
            self.at += 2
            return second.text, second
        return None

    def after_plus(self, sign: str) -> tuple[str, Token] | None:
        """The quantity after ``d+``, all in one word, and its token; passes both."""
        first, plus, name = self.peek(0), self.peek(1), self.peek(2)
        if not (first and first.text == sign and plus and plus.text == "+" and name):
            return None
        beside = plus.start == first.stop and name.start == plus.stop
        if not beside or name.text not in self.names:
            return None
        self.at += 3
        return name.text, name

    def not_the_loss(self, by: Node) -> Qty:
        """What one differentiates by is a quantity."""
        if not isinstance(by, Qty) or by.name == self.names.loss:
            token = next((t for t in self.tokens if t.start == by.where[0]), None)
            raise self.fail(
                "One differentiates by a quantity of the cell.", "Write e.g. dL/dh[t].", token
            )
        return by
