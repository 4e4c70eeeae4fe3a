"""The order of tokens in an expression: operands and operators alternate."""

from __future__ import annotations

from typing import NoReturn

from derive.errors import LanguageError
from derive.language_lines import MAX_SIGNS, Statement, Token

POWERS = "Write e.g. x**2; x**0.5 is sqrt(x), e**x is exp(x), and x**a is exp(a * log(x))."
"""Where an exponent is no whole number."""


def check_order(statement: Statement, tokens: tuple[Token, ...]) -> None:
    """Operands and operators alternate; signs and powers are not piled up."""
    before: Token | None = None
    signs = 0
    for token in tokens:
        after_operand = before is not None and (before.kind != "op" or before.text in ")]")
        starts = token.kind != "op" or token.text in "(["
        if after_operand and before is not None and (before.text, token.text) == ("]", "["):
            _raise_at(
                statement,
                token,
                "An index is a time, and entries of a column have none.",
                "Give what you need of it an equation of its own; a gate that is one number is declared, `dim a = 1`.",
            )
        if after_operand and starts and not (before.kind == "name" and token.text in "(["):
            _raise_at(
                statement, token, "Two operands stand side by side.", "Write * or @ between them."
            )
        if not after_operand and (
            token.text in ("[", "|", "=") or (not starts and token.text not in "+-")
        ):
            _raise_missing(statement, before, token)
        signs = signs + 1 if token.text in "+-" and not after_operand else 0
        if signs > MAX_SIGNS:
            _raise_at(
                statement, token, f"More than {MAX_SIGNS} signs stand in a row.", "One is enough."
            )
        if after_operand and token.text == "|":
            _raise_at(
                statement,
                token,
                "`|` separates the values of an option.",
                "Remove it from the expression.",
            )
        before = token
    if before is None or (before.kind == "op" and before.text not in ")]"):
        last = before or statement.tokens[-1]
        _raise_at(
            statement,
            last,
            f"An operand is missing after `{last.text}`.",
            "Complete the expression.",
        )
    _check_powers(statement, tokens)


def _check_powers(statement: Statement, tokens: tuple[Token, ...]) -> None:
    for i, token in enumerate(tokens):
        if token.text != "**":
            continue
        rest = [t for t in tokens[i + 1 : i + 4] if t.text not in "+-"]
        if not rest or rest[0].kind != "number" or not rest[0].text.isdigit():
            _raise_at(
                statement,
                token,
                "The exponent must be a whole number.",
                POWERS,
            )
        if len(rest) > 1 and rest[1].text in ("**", "."):
            _raise_at(statement, rest[1], "Powers are not chained.", "Use brackets: (x**2)**3.")


def _raise_at(statement: Statement, token: Token, problem: str, remedy: str) -> NoReturn:
    raise LanguageError(problem, remedy, place=statement.place(token.start, token.stop))


def _raise_missing(statement: Statement, before: Token | None, token: Token) -> NoReturn:
    if before is None:
        _raise_at(
            statement,
            token,
            f"An operand is missing before `{token.text}`.",
            "An absolute value is abs(a)." if token.text == "|" else "Complete the expression.",
        )
    problem = f"An operand is missing between `{before.text}` and `{token.text}`."
    remedy = {
        "[": "Stack with concat(a, b).",
        "|": "An absolute value is abs(a).",
        ")": "A function is given an argument, sum(a) for a.sum(); the transpose is A.T, without brackets.",
    }.get(token.text, "Complete the expression.")
    _raise_at(statement, token, problem, remedy)
