"""What people write instead of the claim language, and what to write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from derive.language_words import nearest
from proofs.claims.cursor import Names
from proofs.claims.vocabulary import DERIVATIVES, FUNCTIONS

_LATEX = "Put a formula in LaTeX between dollar signs: $ … $."
_SUM = "Write sum(t, …), or sum(k, 1..t, …)."
_PRODUCT = "Write product(j, k+1..t, …)."
RANGES = {"sum": _SUM, "product": _PRODUCT}
"""How each is written."""
_SLOPE = "Write slope(h[t]), the slope of the function that gives h[t], or write it out, as in 1 - h[t]**2."
FOREIGN = {
    "^": "Write ** 2 for a power, .T for a transpose.",
    "\\": _LATEX,
    "{": f"Write h[t-1] for h_{{t-1}}. {_LATEX}",
    "}": _LATEX,
    "$": "The whole formula stands between dollar signs: $ left = right $.",
    "<": "Write <=.",
    ">": "Write >=.",
    "≠": "Write ==: a claim says that something holds.",
    "×": "Write @ for a matrix product, * for one entry by entry.",
    "Σ": _SUM,
    "∑": _SUM,
    "Π": _PRODUCT,
    "∏": _PRODUCT,
    "'": _SLOPE,
    "′": _SLOPE,
    "|": "Write norm(…).",
    "‖": "Write norm(…).",
    '"': 'A title stands before the colon: claim "title" : left == right; what is claimed is a formula.',
}
"""What to write for a character that the claim language does not have."""
_ANY = "Write names, numbers, + - * / @ · ** .T, brackets and functions; Greek letters by name."


def for_character(char: str) -> str:
    """What to write instead of a foreign character."""
    greek = re.fullmatch(r"GREEK SMALL LETTER (\w+)", unicodedata.name(char, ""))
    return FOREIGN.get(char) or (
        f"Write {greek[1].lower().replace('lamda', 'lambda')}." if greek else _ANY
    )


def for_line(code: str) -> str:
    """What to write instead of a line that begins with no word of a file of claims, such as one of a slide."""
    plain = 'Write e.g. claim "name" : left == right'
    latex = f"{plain}, or claim : $ … $ around one formula in LaTeX. Other text goes behind #."
    return latex if "\\" in code or "$" in code else plain


def for_name(name: str, names: Names, bound: Collection[str] = ()) -> tuple[str, str]:
    """What is wrong with a name that is no quantity, and what to write.

    Args:
        name: the name.
        names: what a formula may speak of.
        bound: the indices that run here.
    """
    inside = "it stands in indices, ranges and exponents only"
    if name in FUNCTIONS or name in DERIVATIVES:
        return f"{name} is a function.", f"Write its argument in brackets: {name}(…)."
    if name == "T":
        return f"T is the length; {inside}.", "Write e.g. h[T], 1..T or ** (T-k)."
    if name in bound or name in ("t", "k", "j"):
        return f"{name} is a step; {inside}.", f"Write e.g. {name}-1 in square brackets."
    problem = f"{name} is no quantity of the cell."
    if big := re.fullmatch(r"(sum|prod)(uct)?(_\w*)?", name):
        return problem, RANGES["sum" if big[1] == "sum" else "product"]
    if name == "I" and names.timed:
        like = f"{next(iter(names.timed))}[t]"
        return problem, f"Write eye({like}), the identity with as many rows as {like}."
    if indexed := _indexed(name, names.timed):
        return problem, indexed
    known = [*names.timed, *names.plain, names.loss, *FUNCTIONS]
    quantities = ", ".join([*names.timed, *names.plain])
    return problem + nearest(name, known), f"It has {quantities}; the loss is {names.loss}."


def _indexed(name: str, timed: Collection[str]) -> str:
    """What to write for ``h_t``, with the sign of a differential or without; empty if it is not that."""
    base, _, step = name.rpartition("_")
    whose = base[1:] if base[:1] in ("d", "∂") and base not in timed else base
    if not step or whose not in timed:
        return ""
    before = f"; the step before is {base}[{step}-1]" if step.isalpha() else ""
    return f"Write {base}[{step}]{before}."


def for_call(name: str, timed: Collection[str]) -> tuple[str, str]:
    """What is wrong with a name before a bracket that is no function, and what to write."""
    close = nearest(name, (*FUNCTIONS, *DERIVATIVES, "sum", "product"))
    problem = f"{name} is not a function of the claim language.{close}"
    if name in ("d", "∂"):
        return problem, "Write e.g. derivative(f[t] * c[t], f[t])."
    if name in timed or (name[0] in "d∂" and name[1:] in timed):
        return problem, f"Write a step in square brackets: {name}[t]. Write * or @ for a product."
    return problem, "Write * or @ for a product."
