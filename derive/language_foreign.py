"""Characters and words that the language does not have, and what is written instead."""

from __future__ import annotations

import re
import unicodedata

from derive.errors import LanguageError, Place

_INSTEAD = {
    "∘": "*", "⊙": "*", "·": "* or @", "×": "* or @", "−": "-", "–": "-", "^": "**", "σ": "sigmoid", "²": "**2",
    "ᵀ": ".T", "⊤": ".T", "÷": "/", "Σ": "sum", "∑": "sum", "√": "sqrt", "⊗": "a @ b.T",
}  # fmt: skip
"""Signs that have one of the language's own in their place."""

NO_CONDITIONS = (
    "There are no conditions: write m[t] * a + (1 - m[t]) * b with a mask m[t] that is given, or a smooth step, "
    "sigmoid(10 * a)."
)
CONDITIONS = frozenset({"if", "else", "and", "or", "not"})
"""Words of Python that make conditions."""
_TRUTH = "There are no truth values: numbers are 1 and 0, and a word such as reverse stands alone."

_MEANT = {
    ":": "There are no slices and no types: parts of a column are quantities of their own, i[t] = sigmoid(W_i @ x[t]); "
    "a size is declared by `dim h = n`.",
    ";": "One equation a line; columns are stacked with concat(a, b).",
    "'": "A transpose is written .T; names are made of letters, digits and _.",
    "{": "A step is written in square brackets: h[t-1] for h_{t-1}.",
    "}": "A step is written in square brackets: h[t-1] for h_{t-1}.",
    "<": NO_CONDITIONS,
    ">": NO_CONDITIONS,
}
"""What is meant by signs of Python, MATLAB and LaTeX."""


def instead_of_word(word: str) -> str:
    """What to write for a word that Python keeps for itself."""
    if word in CONDITIONS:
        return NO_CONDITIONS
    return _TRUTH if word in ("True", "False", "None") else f"Call it {word}_ instead."


def foreign_character(code: str, at: int, place: Place) -> LanguageError:
    """The error for a character that begins no token.

    Args:
        code: the statement.
        at: the character's position.
        place: the same, for a caret.
    """
    char, after = code[at], code[at + 1 :]
    if char == "^" and re.match(r"\s*(T\b|\{\s*(T|\\top)\b|\\top)", after):
        return LanguageError("`^` is not written in the language.", "Write .T.", place=place)
    if char in _INSTEAD:
        return LanguageError(
            f"`{char}` is not written in the language.", f"Write {_INSTEAD[char]}.", place=place
        )
    spelled = re.fullmatch(r"GREEK (?:SMALL|CAPITAL) LETTER ([A-Z]+)", unicodedata.name(char, ""))
    if spelled:
        word = spelled[1].lower().replace("lamda", "lambda_")
        word = word.capitalize() if char.isupper() else word
        return LanguageError(
            "Names are made of the letters a–z, A–Z, digits and _.", f"Write {word}.", place=place
        )
    if char == "\\":
        return _backslash(after, place)
    if char in "<>:;!&%$?'\"{}~`":
        return LanguageError(
            f"`{char}` has no meaning in the language.", _meant(code, at), place=place
        )
    shown = (
        f"`{char}`"
        if char.isprintable() and not char.isspace()
        else f"The character U+{ord(char):04X}"
    )
    return LanguageError(
        f"{shown} is not part of the language.", "Use ASCII letters, digits and _.", place=place
    )


def _meant(code: str, at: int) -> str:
    """What to write for a sign of another language, where it stands."""
    char, before, after = code[at], code[:at], code[at + 1 :]
    chosen = re.search(r"scan\s*\(\s*(\w+)\s*$", before)
    if char == ":" and chosen:
        option = re.match(r"\s*(\w+\s*=\s*\w+)", after)
        given = option[1] if option else "name=value"
        return f"The options of a cell stand in brackets behind it: scan({chosen[1]}({given}), …)."
    if char in "'\"" and re.match(rf"\w+{char}", after):
        return "Names stand without quotes."
    return _MEANT.get(char, "One equation a line: name[t] = expression.")


def _backslash(after: str, place: Place) -> LanguageError:
    command = re.match(r"[A-Za-z]+", after)
    if command is None:
        return LanguageError(
            "A line is not continued by `\\`.", "Open a bracket: it may span lines.", place=place
        )
    return LanguageError(
        f"`\\{command[0]}` is LaTeX, which equations are not written in.",
        "Write names and functions as words, products with * or @, and steps as [t-1]: h_hat[t] = tanh(W @ h[t-1]).",
        place=place,
    )
