"""Quantities and derivatives in LaTeX, to the claim language."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from proofs.claims.hints import for_name
from proofs.claims.latex_cursor import LatexCursor
from proofs.claims.latex_signs import ACCENT, INSTEAD, TEXT, Part

STEP = re.compile(r"[a-z](?:[+-][0-9])?|T[+-][0-9]|0")
"""A step above a quantity that has none below: ``h^t``, ``h^{t-1}``; ``h^T`` is a transpose, ``h^2`` a power."""

SIZES_OF_IDENTITY = [[letter] for letter in "nmdhHNDk"]
"""Subscripts of the identity that only say how large it is."""


@dataclass(slots=True)
class LatexNames(LatexCursor):
    """Where one stands in a formula, and what is known of its parts.

    Args:
        numbers: what is a number wherever it is written: norms, other sizes, and what is made of them.
        turned: of each transpose that is written, of what it is one.
    """

    numbers: set[str] = field(default_factory=set[str])
    turned: dict[str, str] = field(default_factory=dict[str, str])

    def made_of(self, written: str, *factors: str) -> str:
        """What is made of nothing but numbers is one."""
        if self.numbers.issuperset(factors):
            self.numbers.add(written)
        return written

    def gradient(self) -> str:
        r"""``\nabla_W L`` or ``\partial_W L``, the gradient of the loss, in the shape of W."""
        sign = self.take()
        if not self.skip("_"):
            raise self.fail("A gradient says by what.", r"Write \nabla_{W} L.", sign)
        braced = self.skip("{")
        by = self.name()
        if braced and not self.skip("}"):
            raise self.fail("A gradient is by one quantity.", r"Write \nabla_{h_t} L.")
        of = self.name()
        if of.partition("[")[0] != self.names.loss:
            problem = f"The gradient of {of} is not read: {sign.text} stands before the loss, {self.names.loss}."
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

    def is_partial_by(self) -> bool:
        r"""Whether ``\partial_W`` stands here: by what is differentiated is below the sign."""
        return [p.text for p in self.parts[self.at : self.at + 2]] == [r"\partial", "_"]

    def is_differential(self) -> bool:
        """Whether the sign of a differential stands here; d is one where no quantity has that name."""
        if self.text == r"\partial" or "d" in self.names:
            return self.text == r"\partial"
        after = self.parts[self.at + 1].text if self.at + 1 < len(self.parts) else "_"
        if self.text == "d":
            return after != "_"
        return self.text in TEXT and self.peek_word() == "d"

    def opens_differential(self) -> bool:
        r"""Whether a differential is the next group; ``d d_t`` is one whatever is called d."""
        sign, after, *_ = [*(p.text for p in self.parts[self.at + 1 : self.at + 3]), "", ""]
        self.at += 1
        found = self.is_differential()
        self.at -= 1
        return found or (sign == "d" and after.isalpha())

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
        return self.named(*self.spelled())

    def spelled(self) -> tuple[str, list[str], Part]:
        """A word, its subscripts, and where it stands."""
        part = self.take()
        word = part.text
        below: list[str] = []
        if word in ACCENT:
            word, below = self.accented(word[1:])
        elif word in TEXT:
            word = self.group_text()
        elif word.startswith("\\"):
            word = word[1:]
        while self.skip("_"):
            below += self.group_text().split(",")
        if (
            self.text == "^"
            and "_".join([word, *below]) in self.names.timed
            and STEP.fullmatch(self.peek_word())
        ):
            self.at += 1
            below.append(self.group_text())
        if part.text in INSTEAD and word not in self.names:
            raise self.fail(f"`{part.text}` is not read.", INSTEAD[part.text], part)
        if not re.fullmatch(r"[A-Za-z]+", word):
            raise self.fail(
                f"`{part.text}` is not read.",
                "Write quantities of the cell, numbers and the usual signs.",
                part,
            )
        return word, below, part

    def accented(self, accent: str) -> tuple[str, list[str]]:
        r"""What ``\tilde{c}`` is called, ctilde; with a subscript, c_tilde, where the cell has it so."""
        bare = self.group_text().removeprefix("\\")
        split = f"{bare}{accent}" not in self.names and f"{bare}_{accent}" in self.names
        return (bare, [accent]) if split else (f"{bare}{accent}", [])

    def named(self, word: str, below: list[str], part: Part) -> str:
        """A quantity by all of its subscripts, or by all but the last one, which then is its step."""
        *rest, last = below or [""]
        whole, bare = ("_".join(filter(None, [word, *parts])) for parts in ([*rest, last], rest))
        if whole in self.names:
            return whole
        if word == self.names.identity and below in SIZES_OF_IDENTITY:
            return word
        if last and bare in self.names and bare not in self.names.plain:
            return f"{bare}[{last}]"
        subscript = ",".join(below)
        if len(below) > 1 and word in self.names:
            problem = f"{word} with the subscripts {subscript} is no quantity of the cell, and entries are not read."
            raise self.fail(problem, "Write the whole vector or matrix, with its step alone.", part)
        if word == "gamma" and not subscript:
            return self.made_of(word)
        written = f"{word}_{subscript}" if subscript else word
        problem, remedy = for_name(written.replace("\\", ""), self.names)
        raise self.fail(problem, remedy, part)
