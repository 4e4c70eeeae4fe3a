"""The signs of LaTeX that claims may use, and what each is in the claim language."""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(r"\\[A-Za-z]+|\\[,;!: ]|\\.|[A-Za-z]|[0-9]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)
PRODUCT = {r"\odot": "*", r"\circ": "*", r"\cdot": "·", r"\times": "·", "*": "*", r"\oslash": "/"}
FUNCTION = {
    r"\sigma": "sigmoid", r"\tanh": "tanh", r"\exp": "exp", r"\log": "log", r"\ln": "log", r"\sin": "sin",
    r"\cos": "cos", r"\rho": "spectral_radius",
}  # fmt: skip
WORDS = {
    "diag": "diag",
    "softmax": "softmax",
    "sigmoid": "sigmoid",
    "ReLU": "relu",
    "relu": "relu",
    "tanh": "tanh",
    "slope": "slope",
    "eye": "eye",
    "tr": "trace",
    "trace": "trace",
    "step": "step",
    "sign": "sign",
    "sgn": "sign",
    "softplus": "softplus",
    "abs": "abs",
}
SIZES = {"spectral_radius", "sigma_max", "sigma_min", "trace"}
"""Functions whose value is a number whatever they are of; a norm is written with bars."""
RELATION = {"=": "==", r"\approx": "~=", "≤": "<=", "≥": ">="}
ACCENT = {r"\tilde", r"\hat", r"\bar"}
TEXT = {
    r"\operatorname", r"\mathrm", r"\text", r"\mathit", r"\textrm", r"\textit", r"\textnormal", r"\textsf", r"\textbf",
}  # fmt: skip
BRACKETS = {"(": ")", "[": "]", "{": "}"}
NORM = {r"\|": r"\|", r"\lVert": r"\rVert", r"\Vert": r"\Vert", "‖": "‖"}
"""The bars of a norm, each with the one that closes it."""
PRIME = ("'", "′", r"\prime")
SLOPE = r"Write \mathrm{slope}(h_t), the slope of the function that gives h_t, or write it out, as in 1 - h_t^2."
_NORM = r"Write \| … \| for a norm."
_ONE = "A claim has one relation: write a claim for each."
_FINITE = r"Write what holds at every finite number of steps, e.g. a bound by a power, \| … \| \le (…)^{t-k}."
_ALONE = "A claim is one equation or one inequality; what it presumes stands before the colon, behind `given`."
_EIGEN = r"Write \rho(W) for the largest size of an eigenvalue, \sigma_{\max}(W) for the largest singular value."
_ROWS = "Write one formula, without an environment or rows."
_OUTER = r"Write \odot for the product of entries, a b^\top for the outer product."
_ENTRIES = "Entries are not read: write the whole vector or matrix."
INSTEAD = {
    "<": r"Write \le.", ">": r"Write \ge.", "=": _ONE, "≤": _ONE, "≥": _ONE, r"\approx": _ONE,
    "/": r"Only a derivative stands with a slash; write \frac{1}{4} of numbers.", "|": _NORM, r"\lvert": _NORM,
    r"\to": _FINITE, r"\rightarrow": _FINITE, r"\lim": _FINITE, r"\infty": _FINITE, r"\Rightarrow": _ALONE,
    r"\implies": _ALONE, r"\iff": _ALONE, r"\lambda": _EIGEN, r"\mathbb": "Nothing here is random.", r"\begin": _ROWS,
    r"\\": _ROWS, r"\otimes": _OUTER, "_": _ENTRIES, "'": r"Write ^\top for a transpose.",
}  # fmt: skip
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
