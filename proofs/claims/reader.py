"""The tokens of a formula to its syntax tree, by recursive descent of bounded depth.

A grammar of its own, because a quotient of differentials binds tighter than any product: ``a * dL/dh[t]`` is
a times a derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from derive.language_lines import Statement, Token
from proofs.claims.cursor import Names
from proofs.claims.differentials import Differentials
from proofs.claims.hints import RANGES, for_call
from proofs.claims.syntax import (
    RELATIONS,
    Add,
    Big,
    Call,
    Chain,
    Deriv,
    Formula,
    Index,
    Literal,
    Mul,
    Node,
    Num,
    Open,
    Pow,
    Transposed,
)
from proofs.claims.vocabulary import (
    ALIASES,
    DERIVATIVES,
    FUNCTIONS,
    MAX_DEPTH,
    MAX_RUNNING,
    RESERVED,
)


def read_formula(statement: Statement, tokens: list[Token], names: Names) -> Formula:
    """``left relation right``.

    Raises:
        LanguageError: the tokens are no formula.
    """
    reader = Reader(statement, tokens, names)
    left = reader.expression(0)
    relation = reader.take_one_of(RELATIONS, "a relation: ==, ~=, <= or >=")
    right = reader.expression(0)
    within = None
    if reader.skip("within"):
        within = Fraction(reader.take("number", "a tolerance").text)
        if relation != "~=":
            raise reader.fail(
                "`within` belongs to ~=.",
                "Write left ~= right within 0.05.",
                reader.tokens[reader.at - 2],
            )
    reader.end()
    return Formula(left, relation, right, within)


def read_expression(statement: Statement, tokens: list[Token], names: Names) -> Node:
    """An expression alone."""
    reader = Reader(statement, tokens, names)
    node = reader.expression(0)
    reader.end()
    return node


@dataclass(slots=True)
class Reader(Differentials):
    """The grammar, one method a rule."""

    def expression(self, depth: int) -> Node:
        """A sum."""
        if depth > MAX_DEPTH:
            raise self.fail(
                f"The formula is nested more than {MAX_DEPTH} deep.", "Name an inner part."
            )
        first = self.at
        terms = [(1, self.signed(depth))]
        while self.text in ("+", "-"):
            sign = 1 if self.take("op", "a sign").text == "+" else -1
            terms.append((sign, self.signed(depth)))
        if len(terms) == 1:
            return terms[0][1]
        return Add(where=self.since(first), terms=tuple(_merged(terms)))

    def signed(self, depth: int) -> Node:
        """A product, with signs before it."""
        first, sign = self.at, 1
        while self.text in ("+", "-"):
            sign = -sign if self.take("op", "a sign").text == "-" else sign
            if self.at - first > 8:
                raise self.fail("Too many signs stand in a row.", "One is enough.")
        node = self.product(depth)
        if sign > 0:
            return node
        if isinstance(node, Num):
            return Num(where=self.since(first), value=-node.value, unit=node.unit)
        return Add(where=self.since(first), terms=((-1, node),))

    def product(self, depth: int) -> Node:
        """Factors, from left to right."""
        first = self.at
        node = self.power(depth)
        while self.text in ("*", "/", "@", "·"):
            op = self.take("op", "an operator").text
            right = self.power(depth)
            node = _joined(node, op, right, self.since(first))
        return node

    def power(self, depth: int) -> Node:
        """A base with its exponent."""
        first = self.at
        base = self.postfix(depth)
        if not self.skip("**"):
            return base
        steps = self.step_count()
        if steps is not None:
            return Pow(where=self.since(first), base=base, exponent=steps)
        sign = -1 if self.skip("-") else 1
        exponent = self.postfix(depth + 1)
        if sign < 0:
            exponent = (
                Num(value=-exponent.value)
                if isinstance(exponent, Num)
                else Add(terms=((-1, exponent),))
            )
        return Pow(where=self.since(first), base=base, exponent=exponent)

    def postfix(self, depth: int) -> Node:
        """An operand and its transposes."""
        first = self.at
        node = self.operand(depth)
        while self.text in (".T", "**2"):
            op = self.take("op", "an operator").text
            square = Pow(where=self.since(first), base=node, exponent=Num(value=Fraction(2)))
            node = Transposed(where=self.since(first), of=node) if op == ".T" else square
        return node

    def operand(self, depth: int) -> Node:
        """A number, a name, a derivative, a call, a list or brackets."""
        token = self.peek(0)
        if token is None:
            raise self.fail("The formula ends where an operand must follow.", "Complete it.")
        if token.kind == "number":
            self.at += 1
            return Num(
                where=(token.start, token.stop), value=Fraction(token.text), unit=_unit(token.text)
            )
        if self.skip("("):
            node = self.expression(depth + 1)
            self.want(")")
            return node
        if token.text == "[":
            return self.literal(depth)
        if token.kind != "name":
            raise self.fail(
                f"`{token.text}` stands where an operand must.", "Put a name or a number before it."
            )
        return self.word(depth)

    def word(self, depth: int) -> Node:
        """What begins with a name."""
        token = self.tokens[self.at]
        following = self.peek(1)
        if token.text in ("sum", "product") and following and following.text == "(":
            return self.big(depth)
        if self.is_call():
            return self.call(depth)
        if token.text == "gamma" and "gamma" not in self.names:
            self.at += 1
            return Call(where=(token.start, token.stop), name="gamma", args=())
        differential = self.differential()
        if differential is not None:
            return differential
        return self.quantity(token.text, self.take("name", "a name"))

    def literal(self, depth: int) -> Literal:
        """``[1, 2]`` is a column; ``[[1, 2], [3, 4]]`` is given by rows."""
        first = self.at
        self.want("[")
        rows: list[tuple[Node, ...]] = []
        while True:
            if self.skip("["):
                rows.append(self.listed(depth, "]"))
            else:
                rows.append((self.expression(depth + 1),))
            if not self.skip(","):
                break
        self.want("]")
        if len({len(row) for row in rows}) != 1:
            raise self.fail(
                "The rows have different lengths.",
                "Give every row as many entries.",
                self.tokens[first],
            )
        return Literal(where=self.since(first), rows=tuple(rows))

    def listed(self, depth: int, closing: str) -> tuple[Node, ...]:
        """Expressions with commas between, up to the closing bracket."""
        parts = [self.expression(depth + 1)]
        while self.skip(","):
            parts.append(self.expression(depth + 1))
        self.want(closing)
        return tuple(parts)

    def is_call(self) -> bool:
        """Whether ``f(`` or ``tanh²(`` stands here."""
        name, *after = (self.peek(i) for i in range(3))
        signs = [token.text for token in after if token]
        known = name is not None and ALIASES.get(name.text, name.text) in FUNCTIONS
        return signs[:1] == ["("] or (signs == ["**2", "("] and known)

    def call(self, depth: int) -> Node:
        """A function of its arguments; ``tanh²(a)`` is the square of ``tanh(a)``."""
        first = self.at
        token = self.take("name", "a name")
        name = ALIASES.get(token.text, token.text)
        if name not in FUNCTIONS and name not in DERIVATIVES:
            raise self.fail(*for_call(name, self.names.timed), token)
        squared = self.skip("**2")
        self.want("(")
        args = self.listed(depth, ")")
        wanted = 2 if name in DERIVATIVES else FUNCTIONS[name]
        if len(args) != wanted and name != "concat":
            raise self.fail(
                f"{name} takes {wanted} argument(s); found {len(args)}.", "Give that many.", token
            )
        if name in DERIVATIVES:
            by = self.not_the_loss(args[1])
            return Deriv(where=self.since(first), kind=DERIVATIVES[name], of=args[0], by=by)
        node = Call(where=self.since(first), name=name, args=args)
        two = Num(value=Fraction(2))
        return Pow(where=node.where, base=node, exponent=two) if squared else node

    def big(self, depth: int) -> Big:
        """``sum(t, 1..T, body)`` or ``product(j, k+1..t, descending, body)``."""
        first = self.at
        kind = self.take("name", "a name").text
        self.want("(")
        var = self.take("name", "the index that runs").text
        if var in self.names or var in RESERVED or var in self.bound:
            raise self.fail(
                f"{var} cannot run: it has a meaning already.",
                "Choose another index.",
                self.tokens[self.at - 1],
            )
        if len(self.bound) >= MAX_RUNNING:
            raise self.fail(
                f"{len(self.bound) + 1} sums and products stand within one another; at most {MAX_RUNNING} are read.",
                "Name an inner part as a quantity of the cell.",
                self.tokens[first],
            )
        if self.text != ",":
            found = f"found `{self.text}`" if self.text else "the claim ends"
            raise self.fail(f"Expected `,` behind the index that runs; {found}.", RANGES[kind])
        self.want(",")
        lo, hi = self.range() or (Index((), 1), Index((("T", 1),), 0))
        descending = self.text == "descending" and self.skip("descending") and bool(self.want(","))
        self.bound.append(var)
        body = self.expression(depth + 1)
        self.bound.pop()
        self.want(")")
        return Big(
            where=self.since(first),
            kind=kind,
            var=var,
            lo=lo,
            hi=hi,
            descending=descending,
            body=body,
        )


def _unit(text: str) -> Fraction:
    """One in the last digit written."""
    mantissa, _, exponent = text.lower().partition("e")
    return Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def _merged(terms: list[tuple[int, Node]]) -> list[tuple[int, Node]]:
    """−a within a sum becomes a term with a minus sign."""
    found: list[tuple[int, Node]] = []
    for sign, term in terms:
        alone = isinstance(term, Add) and len(term.terms) == 1
        found.append(
            (sign * term.terms[0][0], term.terms[0][1])
            if alone and isinstance(term, Add)
            else (sign, term)
        )
    return found


_JOIN: dict[str, Callable[[tuple[int, int], tuple[Node, ...]], Node]] = {
    "@": lambda where, parts: Chain(where=where, factors=parts),
    "·": lambda where, parts: Open(where=where, factors=parts),
}


def _joined(left: Node, op: str, right: Node, where: tuple[int, int]) -> Node:
    """left op right; runs of one operator are one node."""
    if op in "*/":
        head = left.factors if isinstance(left, Mul) and left.where[0] == where[0] else ((1, left),)
        return Mul(where=where, factors=(*head, (1 if op == "*" else -1, right)))
    family = Chain if op == "@" else Open
    parts = left.factors if isinstance(left, family) and left.where[0] == where[0] else (left,)
    return _JOIN[op](where, (*parts, right))
