r"""LaTeX as people write it, to the claim language: a grammar of its own, no macro is ever expanded.

Read: ``\frac{\partial L}{\partial W_f}``, ``\partial L/\partial W_f``, ``\partial^+``, ``\odot``, ``\circ``, ``\cdot``,
``\sigma``, ``\tanh``, ``\sum_{t=1}^{T}``, ``\prod_{j=k+1}^{t}``, ``^{\top}``, ``^2``, ``\left( \right)``, ``\| … \|``,
``\sigma_{\max}``, ``\nabla_{W} L``, and names such as ``W_{hh}``, ``h_{t-1}``, ``\delta_t``.
A formula is rewritten token by token; what it then says is read by the one reader that there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from derive.errors import LanguageError
from derive.language_lines import Statement
from proofs.claims.cursor import Names
from proofs.claims.hints import for_name
from proofs.claims.latex_cursor import LatexCursor
from proofs.claims.latex_signs import (
    ACCENT,
    BRACKETS,
    FUNCTION,
    IGNORED,
    INSTEAD,
    NORM,
    PRIME,
    PRODUCT,
    RELATION,
    SLOPE,
    TEXT,
    TOKEN,
    WORDS,
    Part,
    joined_by,
)
from proofs.claims.reader import read_formula
from proofs.claims.syntax import Formula, Node, map_nodes
from proofs.claims.words import tokens_of

MAX_PARTS = 600
MAX_NESTING = 20


def read_latex(statement: Statement, start: int, stop: int, names: Names) -> Formula:
    r"""The formula between dollar signs at ``code[start:stop]``.

    Raises:
        LanguageError: it is not in the grammar; the place is one in the LaTeX.
    """
    code = statement.code[start:stop]
    body = code.strip()
    if len(body) < 2 or not body.endswith("$"):
        raise LanguageError(
            "The formula does not end with a dollar sign.",
            "Write $ … $.",
            place=_place(statement, start, stop),
        )
    first = start + code.index("$") + 1
    parts = [
        Part(m.group(), first + m.start(), first + m.end())
        for m in TOKEN.finditer(body[1:-1])
        if not m.group().isspace()
    ]
    if len(parts) > MAX_PARTS:
        raise LanguageError(
            "The formula is too long.", "Name parts of it.", place=_place(statement, start, stop)
        )
    writer = _Writer(statement, parts, names)
    text = writer.whole()
    whole = (first, first + len(body) - 2)
    return _located(_read(text, statement, names, whole), whole)


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


@dataclass(slots=True)
class _Writer(LatexCursor):
    """Rewrites LaTeX as a claim, by recursive descent over its groups."""

    depth: int = 0

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
        open_product = False
        while self.at < len(self.parts) and self.text not in stops:
            text = self.text
            if text in IGNORED:
                self.at += 1
                continue
            if text in "+-" or text in PRODUCT:
                self.at += 1
                out.append(PRODUCT.get(text, text))
                open_product = False
                continue
            if text in (")", "]", "}"):
                raise self.fail(f"This `{text}` closes nothing.", "Remove it.")
            factor = self.factor(stops)
            if open_product:
                out.append(joined_by(out[-1], factor))
            out.append(factor)
            open_product = True
        return " ".join(out)

    def factor(self, stops: frozenset[str]) -> str:
        base = self.base(stops)
        while self.text == "^":
            self.at += 1
            base = self.raised(base)
        return base

    def raised(self, base: str) -> str:
        """A transpose or a power."""
        inner = self.group_text()
        if inner in (r"\top", r"\intercal") or (inner == "T" and not base.startswith("norm(")):
            return f"({base}).T"
        if re.fullmatch(r"[0-9]+|[a-zT](-[a-z0-9])?", inner):
            return f"{base}**({inner})" if not inner.isdigit() else f"{base}**{inner}"
        raise self.fail(
            "An exponent is a whole number, a number of steps or a transpose.",
            r"Write ^2 or ^{\top}.",
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
        if text == r"\nabla":
            return self.gradient()
        if text in (r"\sum", r"\prod"):
            return self.big(stops)
        if text in BRACKETS:
            return self.bracket()
        if text in NORM:
            return self.norm()
        if self.is_differential():
            return self.quotient()
        if text in FUNCTION or (text in TEXT and self.peek_word() in WORDS):
            return self.function()
        if text.isdigit() or re.fullmatch(r"[0-9.]+", text):
            return self.take().text
        return self.name()

    def bracket(self) -> str:
        opening = self.take()
        return f"({self.closed(opening, BRACKETS[opening.text])})"

    def closed(self, opening: Part, closing: str) -> str:
        """What stands up to the sign that closes; passes that sign."""
        inner = self.expression(frozenset({closing, *RELATION}))
        if self.text != closing:
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
        return f"norm({inner})"

    def function(self) -> str:
        name = FUNCTION.get(self.text)
        if name is None:
            self.at += 1
            name = WORDS[self.group_text()]
        else:
            self.at += 1
        if name == "sigmoid" and self.text == "_":
            name = self.singular_value()
        while self.text in IGNORED:
            self.at += 1
        power = ""
        if self.text == "^":
            self.at += 1
            power = f"**{self.group_text()}"
        if self.text in PRIME or power.removeprefix("**") in PRIME:
            raise self.fail("The derivative of a function is not read.", SLOPE)
        argument = self.bracket() if self.text in BRACKETS else f"({self.factor(frozenset())})"
        return f"{name}{argument}{power}"

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
        """A derivative as a fraction."""
        self.at += 1
        top = self.in_braces()
        bottom = self.in_braces() if top else None
        return self.derivative(top, bottom)

    def gradient(self) -> str:
        r"""``\nabla_W L``, the gradient of the loss, in the shape of W."""
        sign = self.take()
        if not self.skip("_"):
            raise self.fail("A gradient says by what.", r"Write \nabla_{W} L.", sign)
        braced = self.skip("{")
        by = self.name()
        if braced and not self.skip("}"):
            raise self.fail("A gradient is by one quantity.", r"Write \nabla_{h_t} L.")
        while self.text in IGNORED:
            self.at += 1
        of = self.name()
        if of.partition("[")[0] != self.names.loss:
            problem = (
                f"The gradient of {of} is not read: ∇ stands before the loss, {self.names.loss}."
            )
            raise self.fail(problem, r"Write \frac{\partial h_t}{\partial W} for a Jacobian.", sign)
        return f"derivative({of}, {by})"

    def in_braces(self) -> tuple[str, str] | None:
        """A differential that is a group; nothing if the group is anything else."""
        if not self.skip("{"):
            raise self.fail("A fraction has two groups in braces.", r"Write \frac{…}{…}.")
        found = self.differential()
        return found if self.skip("}") else None

    def quotient(self) -> str:
        r"""``\partial h_t / \partial h_k``."""
        top, bottom = self.differential(), None
        if self.text == "/":
            self.at += 1
            bottom = self.differential()
        return self.derivative(top, bottom)

    def derivative(self, top: tuple[str, str] | None, bottom: tuple[str, str] | None) -> str:
        """Two differentials as a quotient of the claim language."""
        if top is None or bottom is None or top[0][0] != bottom[0]:
            raise self.fail(
                "A fraction here is a derivative.", r"Write \frac{\partial L}{\partial W_f}."
            )
        return f"{top[0]}{top[1]}/{bottom[0]}{bottom[1]}"

    def is_differential(self) -> bool:
        """Whether the sign of a differential stands here; d is one where no quantity has that name."""
        if self.text == r"\partial" or "d" in self.names:
            return self.text == r"\partial"
        after = self.parts[self.at + 1].text if self.at + 1 < len(self.parts) else "_"
        if self.text == "d":
            return after != "_"
        return self.text in TEXT and self.peek_word() == "d"

    def differential(self) -> tuple[str, str] | None:
        r"""``\partial h_t``, with ``^+`` behind its sign if it is immediate: the sign, and the quantity."""
        if self.text in TEXT and self.peek_word() == "d":
            self.at += 1
            sign = self.group_text()
        else:
            sign = {r"\partial": "∂", "d": "d"}.get(self.take().text)
        if sign is None:
            return None
        if self.text == "^":
            self.at += 1
            if self.group_text() != "+":
                return None
            sign += "+"
        return sign, self.name()

    def name(self) -> str:
        """A name with its subscripts: what is a step becomes an index."""
        part = self.take()
        word = part.text
        if word in ACCENT:
            word = (
                self.group_text()
                + "tilde"[: 5 if word == r"\tilde" else 0]
                + (word[1:] if word != r"\tilde" else "")
            )
        elif word in TEXT:
            word = self.group_text()
        elif word.startswith("\\"):
            word = word[1:]
        subscript = ""
        if self.text == "_":
            self.at += 1
            subscript = self.group_text()
        if not re.fullmatch(r"[A-Za-z]+", word):
            raise self.fail(
                f"`{part.text}` is not read.",
                INSTEAD.get(
                    part.text, "Write quantities of the cell, numbers and the usual signs."
                ),
                part,
            )
        return self.named(word, subscript, part)

    def named(self, word: str, subscript: str, part: Part) -> str:
        *rest, last = subscript.split(",") if subscript else [""]
        for base in ("_".join([word, *rest, last]), "_".join([word, *rest]), word):
            clean = base.strip("_")
            if clean in self.names:
                step = "" if clean.endswith(last) and clean != word and last else last
                if not step or clean not in self.names.plain:
                    return f"{clean}[{step}]" if step else clean
        if word == "gamma" and not subscript:
            return word
        written = f"{word}_{subscript}" if subscript else word
        problem, remedy = for_name(written.replace("\\", ""), self.names)
        raise self.fail(problem, remedy, part)

    def big(self, stops: frozenset[str]) -> str:
        kind = "sum" if self.take().text == r"\sum" else "product"
        lower = upper = ""
        while self.text in ("_", "^"):
            sign = self.take().text
            lower, upper = (self.group_text(), upper) if sign == "_" else (lower, self.group_text())
        found = re.fullmatch(r"([a-z])(?:=(.+))?", lower)
        if found is None:
            raise self.fail("A sum runs over an index.", r"Write \sum_{t=1}^{T}.")
        body = self.term(stops)
        var, first = found[1], found[2]
        if first is None:
            return f"{kind}({var}, {body})"
        return f"{kind}({var}, {first}..{upper or 'T'}, {body})"

    def term(self, stops: frozenset[str]) -> str:
        """The rest of a product, over which a sum or a product runs."""
        return self.expression(stops | {"+", "-", *RELATION})
