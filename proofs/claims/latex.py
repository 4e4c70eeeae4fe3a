r"""LaTeX as people write it, to the claim language: a grammar of its own, no macro is ever expanded.

Read: ``\frac{\partial L}{\partial W_f}``, ``\partial L/\partial W_f``, ``\partial^+``, ``\odot``, ``\circ``, ``\cdot``,
``\sigma``, ``\tanh``, ``\sum_{t=1}^{T}``, ``\prod_{j=k+1}^{t}``, ``^{\top}``, ``^2``, ``\left( \right)``, ``\| … \|``,
``\sigma_{\max}``, ``\rho(W)``, ``\nabla_{W} L``, ``\frac{1}{4}``, and names such as ``W_{hh}``, ``h_{t-1}``.
A formula is rewritten token by token; what it then says is read by the one reader that there is.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace

from derive.errors import LanguageError
from derive.functions import FUNCTIONS, x, y
from derive.language_lines import Statement
from derive.language_scalars import ATOM, Text, scalar_text
from proofs.claims.cursor import Names
from proofs.claims.latex_looks import plain
from proofs.claims.latex_names import LatexNames
from proofs.claims.latex_ranges import running
from proofs.claims.latex_signs import (
    BRACKETS,
    FUNCTION,
    NORM,
    PRIME,
    PRODUCT,
    RELATION,
    SIZES,
    SLOPE,
    TEXT,
    TOKEN,
    WORDS,
    Part,
    is_derivative,
)
from proofs.claims.reader import read_formula
from proofs.claims.syntax import Formula, Node, map_nodes
from proofs.claims.words import tokens_of

MAX_PARTS = 600
MAX_NESTING = 20


def read_latex(
    statement: Statement, start: int, stop: int, names: Names
) -> tuple[Formula, Formula | None]:
    r"""The formula between dollar signs at ``code[start:stop]``, and how else it may be read.

    Raises:
        LanguageError: it is not in the grammar; the place is one in the LaTeX.
    """
    body = statement.code[start:stop].strip()
    first = statement.code.index("$", start) + 1
    if len(body) > 4 and body.startswith("$$") and body.endswith("$$"):
        body, first = body[1:-1], first + 1
    if len(body) < 2 or not body.endswith("$"):
        raise LanguageError(
            "The formula does not end with a dollar sign.",
            "Write $ … $.",
            place=_place(statement, start, stop),
        )
    parts = [
        Part(m.group(), first + m.start(), first + m.end())
        for m in TOKEN.finditer(body[1:-1])
        if not m.group().isspace()
    ]
    return read_parts(statement, parts, names, (first, first + len(body) - 2))


def read_parts(
    statement: Statement, parts: list[Part], names: Names, whole: tuple[int, int]
) -> tuple[Formula, Formula | None]:
    r"""The formula that tokens of LaTeX write, and how else it may be read.

    Products are taken from left to right, as in ``\delta \odot s\, h^\top``; else, as in ``r \odot W h``, factors side
    by side first.

    Args:
        statement: where it stands.
        parts: its tokens, without blanks.
        names: what it may speak of.
        whole: where it begins and ends in the statement.

    Raises:
        LanguageError: it is not in the grammar; the place is one in the LaTeX.
    """
    if len(parts) > MAX_PARTS:
        raise LanguageError(
            "The formula is too long.", "Name parts of it.", place=_place(statement, *whole)
        )
    found: list[Formula] = []
    for tight in (False, True):
        writer = _Writer(statement, plain(parts), names, tight=tight)
        text = writer.whole()
        found.append(_located(_read(text, statement, names, whole), whole))
        if not writer.runs:
            return found[0], None
    return found[0], found[1]


def _place(statement: Statement, start: int, stop: int):
    return statement.place(start, max(stop, start + 1))


def _read(text: str, statement: Statement, names: Names, whole: tuple[int, int]) -> Formula:
    """The rewritten formula read; an error is told at the LaTeX, with what it was rewritten to."""
    flat = Statement(statement.source, text, ((0, 1, text),))
    try:
        return read_formula(flat, tokens_of(flat, 0, len(text)), names)
    except LanguageError as error:
        problem = f"{error.problem}\nThe formula was read as: {text}"
        raise LanguageError(problem, error.remedy, place=statement.place(*whole)) from None


def _located(formula: Formula, whole: tuple[int, int]) -> Formula:
    """Every part placed at the LaTeX as a whole."""

    def change(node: Node) -> Node:
        return replace(node, where=whole)

    return replace(
        formula, left=map_nodes(formula.left, change), right=map_nodes(formula.right, change)
    )


def derivative_at(name: str, argument: str) -> str:
    """f′ at an argument in brackets, by the function's own law: ``(1 - tanh(a)**2)``.

    Raises:
        KeyError: it is no function of the language.
        LanguageError: its law is not written in the language.
    """
    values = {x: Text(argument, ATOM), y: Text(f"{name}{argument}", ATOM)}
    return f"({scalar_text(FUNCTIONS[name].law, values).text})"


@dataclass(slots=True)
class _Writer(LatexNames):
    """Rewrites LaTeX as a claim, by recursive descent over its groups.

    Args:
        tight: whether factors side by side are multiplied before a product with a sign is.
        runs: how often that makes a difference.
    """

    depth: int = 0
    tight: bool = False
    runs: int = 0

    def whole(self) -> str:
        left = self.expression(frozenset(RELATION))
        relation = self.take().text if self.text in RELATION else ""
        if not relation:
            raise self.fail("A claim is an equation.", "Write left = right.")
        right = self.expression(frozenset())
        return f"{left} {RELATION[relation]} {right}"

    def expression(self, stops: frozenset[str]) -> str:
        """Terms up to one of the stops; factors side by side are joined by an open product."""
        out: list[str] = []
        factors: list[str] = []
        beside = 0
        while self.at < len(self.parts) and self.text not in stops:
            text = self.text
            if text in "+-" or text in PRODUCT:
                self.bracket_run(out, beside, text)
                self.at += 1
                out.append(PRODUCT.get(text, text))
                beside = 0
                continue
            if text in (")", "]", "}"):
                raise self.fail(f"This `{text}` closes nothing.", "Remove it.")
            factor = self.factor(stops)
            factors.append(factor)
            if beside:
                out.append(self.joined_by(out[-1], factor))
            out.append(factor)
            beside += 1
        self.bracket_run(out, beside, "")
        return self.made_of(" ".join(out), *factors)

    def bracket_run(self, out: list[str], beside: int, after: str) -> None:
        """Brackets around factors side by side where a product with a sign stands beside them, if those bind first."""
        first = len(out) - max(0, 2 * beside - 1)
        before = out[first - 1] if first else ""
        if beside > 1 and (after in PRODUCT or before in PRODUCT.values()):
            self.runs += 1
            if self.tight:
                out[first:] = [f"({' '.join(out[first:])})"]

    def joined_by(self, left: str, right: str) -> str:
        """The product of two rewritten factors that stand side by side."""
        if is_derivative(left) or is_derivative(right):
            return "·"
        return "*" if left in self.numbers or right in self.numbers else "@"

    def factor(self, stops: frozenset[str]) -> str:
        base = self.base(stops)
        while self.text == "^":
            self.at += 1
            base = self.raised(base)
        return base

    def raised(self, base: str) -> str:
        """A transpose or a power."""
        inner = self.group_text()
        if inner == r"\top" or (inner == "T" and base not in self.numbers):
            self.turned[f"({base}).T"] = base
            return f"({base}).T"
        inner = inner[1:-1] if re.fullmatch(r"\([^()]*\)", inner) else inner
        if re.fullmatch(r"[0-9]+|[a-zT]([+-]([a-zT]|[0-9]+))*", inner):
            return self.made_of(f"{base}**{inner if inner.isdigit() else f'({inner})'}", base)
        raise self.fail(
            "An exponent is a whole number, a number of steps or a transpose.",
            r"Write ^2, ^{t-k} or ^{\top}.",
        )

    def base(self, stops: frozenset[str]) -> str:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.fail(
                f"Groups are nested more than {MAX_NESTING} deep.", "Name an inner part."
            )
        try:
            return self.some_base(stops)
        finally:
            self.depth -= 1

    def some_base(self, stops: frozenset[str]) -> str:
        text = self.text
        if text == r"\frac":
            return self.fraction()
        if text == r"\nabla" or self.is_partial_by():
            return self.gradient()
        if text in (r"\sum", r"\prod"):
            return self.big(stops)
        if text in BRACKETS:
            return self.bracket()
        if text in NORM:
            return self.norm()
        if self.is_differential():
            return self.quotient()
        is_quantity = text[1:] in self.names
        if (text in FUNCTION and not is_quantity) or (text in TEXT and self.peek_word() in WORDS):
            return self.function()
        if re.fullmatch(r"[0-9.]+", text):
            return self.made_of(self.take().text)
        return self.name()

    def bracket(self) -> str:
        opening = self.take()
        if opening.text == "[":
            return self.stacked(opening)
        inner = self.closed(opening, BRACKETS[opening.text])
        return self.made_of(f"({inner})", inner)

    def stacked(self, opening: Part) -> str:
        r"""``[h_{t-1}, x_t]``, the one above the other; with nothing but one part, brackets like any.

        Transposes with commas between them, ``[h_{t-1}^\top, x_t^\top]``, stand side by side.
        """
        stacks, between = frozenset({",", ";"}), set[str]()
        parts = [self.closed(opening, "]", stacks)]
        while (mark := self.parts[self.at - 1].text) in stacks:
            between.add(mark)
            parts.append(self.closed(opening, "]", stacks))
        if len(parts) == 1:
            return self.made_of(f"({parts[0]})", parts[0])
        if ";" not in between and self.turned.keys() >= {*parts}:
            return f"(concat({', '.join(self.turned[part] for part in parts)})).T"
        return f"concat({', '.join(parts)})"

    def closed(self, opening: Part, closing: str, others: frozenset[str] = frozenset()) -> str:
        """What stands up to the sign that closes, or to another one; passes that sign."""
        inner = self.expression(frozenset({closing, *others, *RELATION}))
        if self.text != closing and self.text not in others:
            raise self.fail(f"This `{opening.text}` is never closed.", "Close it.", opening)
        self.at += 1
        return inner

    def norm(self) -> str:
        r"""``\| A \|``, the spectral norm."""
        opening = self.take()
        inner = self.closed(opening, NORM[opening.text])
        if self.text == "_":
            self.at += 1
            if self.group_text() != "2":
                raise self.fail("A norm here is the spectral norm.", r"Write \| … \|_2.", opening)
        return self.made_of(f"norm({inner})")

    def function(self) -> str:
        name = FUNCTION.get(self.text)
        if name is None:
            self.at += 1
            name = WORDS[self.group_text()]
        else:
            self.at += 1
        if name == "sigmoid" and self.text == "_":
            name = self.singular_value()
        power = ""
        if self.text == "^":
            self.at += 1
            power = f"**{self.group_text()}"
        prime = self.parts[self.at - bool(power)] if power or self.text in PRIME else None
        primed = self.text in PRIME or power.removeprefix("**") in PRIME
        self.at += self.text in PRIME
        argument = self.bracket() if self.text in BRACKETS else f"({self.factor(frozenset())})"
        if primed:
            with suppress(KeyError, LanguageError):
                return derivative_at(name, argument)
            raise self.fail("The derivative of a function is not read.", SLOPE, prime)
        written = f"{name}{argument}{power}"
        return self.made_of(written) if name in SIZES else self.made_of(written, argument)

    def singular_value(self) -> str:
        r"""The ``_{\max}`` of ``\sigma_{\max}``."""
        self.at += 1
        which = re.sub(r"\\(mathrm|text|operatorname)|[\\{}]", "", self.group_text())
        if which not in ("max", "min"):
            raise self.fail(
                "A singular value is the largest or the least.", r"Write \sigma_{\max}."
            )
        return f"sigma_{which}"

    def fraction(self) -> str:
        """A derivative as a fraction, or a quotient entry by entry."""
        self.at += 1
        if self.text == "{" and self.opens_differential():
            top = self.in_braces()
            return self.derivative(top, self.in_braces() if top else None)
        top, bottom = self.part_of_fraction(), self.part_of_fraction()
        return self.made_of(f"({top} / {bottom})", top, bottom)

    def part_of_fraction(self) -> str:
        r"""A group, or one digit, as TeX takes it: ``\frac12`` and ``\frac{1}{2}`` are the same."""
        if self.text == "{":
            return self.bracket()
        if not self.text.isdigit():
            raise self.fail("A fraction has two groups in braces.", r"Write \frac{…}{…}.")
        digits = self.take()
        if len(digits.text) > 1:
            self.at -= 1
            rest = replace(digits, text=digits.text[1:], start=digits.start + 1)
            self.parts = [*self.parts[: self.at], rest, *self.parts[self.at + 1 :]]
        return self.made_of(f"({digits.text[0]})")

    def big(self, stops: frozenset[str]) -> str:
        kind = "sum" if self.take().text == r"\sum" else "product"
        lower = upper = ""
        while self.text in ("_", "^"):
            sign = self.take().text
            lower, upper = (self.group_text(), upper) if sign == "_" else (lower, self.group_text())
        found = running(kind, lower, upper)
        if found is None:
            raise self.fail(
                "A sum or a product runs over one index.",
                r"Write \sum_{t=1}^{T}, \prod_{k < j \le t} or, the last one first, \prod_{t \ge j > k}.",
            )
        return found.written(kind, self.term(stops))

    def term(self, stops: frozenset[str]) -> str:
        """The rest of a product, over which a sum or a product runs."""
        return self.expression(stops | {"+", "-", *RELATION})
