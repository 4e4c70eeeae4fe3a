"""The signs of LaTeX that claims may use, and what each is in the claim language."""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(r"\\[A-Za-z]+|\\[,;!: ]|\\.|[A-Za-z]|[0-9]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)
PRODUCT = {r"\odot": "*", r"\circ": "*", r"\cdot": "·", r"\times": "·", "*": "*"}
FUNCTION = {
    r"\sigma": "sigmoid", r"\tanh": "tanh", r"\exp": "exp", r"\log": "log", r"\ln": "log", r"\sin": "sin",
    r"\cos": "cos",
}  # fmt: skip
WORDS = {
    "diag": "diag",
    "softmax": "softmax",
    "sigmoid": "sigmoid",
    "ReLU": "relu",
    "relu": "relu",
    "tanh": "tanh",
    "slope": "slope",
}
IGNORED = {
    r"\left", r"\right", r"\,", r"\;", r"\!", r"\:", r"\ ", r"\quad", r"\big", r"\Big", r"\bigl", r"\bigr", r"\Bigl",
    r"\Bigr", r"\bigg", r"\Bigg",
}  # fmt: skip
RELATION = {"=": "==", r"\approx": "~=", r"\le": "<=", r"\leq": "<=", r"\ge": ">=", r"\geq": ">="}
ACCENT = {r"\tilde", r"\hat", r"\bar"}
TEXT = {r"\operatorname", r"\mathrm", r"\text", r"\mathit"}
BRACKETS = {"(": ")", "[": "]", "{": "}"}
NORM = {r"\|": r"\|", r"\lVert": r"\rVert", r"\Vert": r"\Vert", "‖": "‖"}
"""The bars of a norm, each with the one that closes it."""
PRIME = ("'", "′", r"\prime")
SLOPE = r"Write \mathrm{slope}(h_t), the slope of the function that gives h_t, or write it out, as in 1 - h_t^2."
INSTEAD = {"<": r"Write \le.", ">": r"Write \ge.", "/": "Only a derivative stands as a fraction."}
"""What to write for signs that are not read."""


@dataclass(frozen=True, slots=True)
class Part:
    """A token of LaTeX at ``code[start:stop]``."""

    text: str
    start: int
    stop: int


def is_derivative(text: str) -> bool:
    """Whether a rewritten factor is a quotient of differentials."""
    return text[0] in "∂d" and "/" in text and not text.startswith("diag")


def joined_by(left: str, right: str) -> str:
    """The product of two rewritten factors that stand side by side."""
    if is_derivative(left) or is_derivative(right):
        return "·"
    sizes = ("norm(", "(norm(", "sigma_max(", "sigma_min(", "gamma")
    return "*" if left.startswith(sizes) or right.startswith(sizes) else "@"
