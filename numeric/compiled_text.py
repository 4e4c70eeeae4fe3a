"""Functions of one number that compiled files bring along, such as turn into vector instructions.

tanh x = 2 t / (1 + t²) with t = tanh y, y = ½x, and t = y p / q is a convergent of the continued fraction
tanh y = y / (1 + y² / (3 + y² / (5 + …))) (J. H. Lambert, 1761). Doubling forgives an error of t where that is near 1,
so that few terms suffice. With s = y² and q = p + s w this is x p q / (p q + s (w q + p²)): no term cancels, and what
rounding does to p q it does above and below, so the result is good to two units in the last place in either precision.
"""

from __future__ import annotations

from itertools import zip_longest

HEAD = '''\
def compiled(function, *also: str):
    """The function compiled; sums may be contracted, divisions by zero give infinity as in NumPy.

    While it runs, other threads may. Of a file the machine code is kept for later processes, in __pycache__ or else
    in Numba's cache folder, unless neither can be written to.
    """
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz", *also}}
    try:
        return njit(cache="__file__" in globals(), **options)(function)
    except RuntimeError:
        return njit(**options)(function)'''


def lambert(terms: int) -> tuple[list[int], list[int]]:
    """A convergent of tanh y = y / (1 + y² / (3 + y² / (5 + …))).

    Law: y p(y²) / q(y²), by pₖ = (2k − 1) pₖ₋₁ + s pₖ₋₂ with s = y², and the same for q.

    Args:
        terms: of the continued fraction.

    Returns:
        The coefficients of p and of q, those of the lowest powers first.
    """
    p, q = ([0], [1]), ([1], [1])
    for odd in range(3, 2 * terms, 2):
        p, q = ((new, _next(odd, old, new)) for old, new in (p, q))
    return p[1], q[1]


def _next(odd: int, old: list[int], new: list[int]) -> list[int]:
    """odd · new + s · old."""
    shifted = [0, *old]
    return [odd * a + b for a, b in zip_longest(new, shifted, fillvalue=0)]


def real_tanh(name: str, kind: str, terms: int, top: float) -> str:
    """The hyperbolic tangent in one precision.

    Args:
        name: of the function.
        kind: the type of the numbers.
        terms: of the continued fraction.
        top: beyond this the result is 1.
    """
    p, q = lambert(terms)
    w = [b - a for a, b in zip_longest(p, q, fillvalue=0)][1:]
    return "\n".join(
        [
            f"def {name}(x):",
            f'    """tanh x for a {kind}."""',
            f"    x = min(max(x, {kind}({-top})), {kind}({top}))",
            f"    s = {kind}(0.25) * x * x",
            *_polynomial("p", p, kind),
            *_polynomial("w", w, kind),
            "    q = p + s * w",
            "    a = p * q",
            "    v = x * a / (a + s * (w * q + p * p))",
            f"    return min(max(v, {kind}(-1)), {kind}(1))",
        ]
    )


def _polynomial(name: str, coefficients: list[int], kind: str) -> list[str]:
    """Lines that compute a polynomial in s (W. G. Horner, 1819)."""
    highest, *rest = (f"{kind}({float(c)!r})" for c in reversed(coefficients))
    return [f"    {name} = {highest}", *(f"    {name} = {name} * s + {c}" for c in rest)]


TANH = f'''\
def tanh_of(x):
    """tanh x, for numbers of every type."""
    return np.tanh(x)


{real_tanh("_tanh32", "float32", 7, 9.02)}


{real_tanh("_tanh64", "float64", 15, 19.07)}


def _tanh_any(x):
    """tanh x for any other number."""
    return np.tanh(x)


@overload(tanh_of, jit_options={{"error_model": "numpy", "fastmath": {{"contract", "nsz"}}}})
def _tanh_of(x):
    """The function for numbers of this type."""
    return _tanh32 if x == types.float32 else _tanh64 if x == types.float64 else _tanh_any'''.replace(
    "float32(", "np.float32("
).replace("float64(", "np.float64(")

SIMPLE = {
    "relu": ("max(0, x)", "return x if x.real > 0 else x - x"),
    "absolute": ("|x|", "return -x if x.real < 0 else x"),
    "positive": ("1 where x > 0, else 0", "return x - x + 1 if x.real > 0 else x - x"),
    "sign": (
        "−1, 0 or 1",
        "return (x - x + 1 if x.real > 0 else x - x) - (x - x + 1 if x.real < 0 else x - x)",
    ),
    "softplus": (
        "log(1 + eˣ), written so that nothing overflows",
        "return x + np.log1p(np.exp(-x)) if x.real > 0 else np.log1p(np.exp(x))",
    ),
    "exp": ("eˣ", "return np.exp(x)"),
    "log": ("log x", "return np.log(x)"),
    "sin": ("sin x", "return np.sin(x)"),
    "cos": ("cos x", "return np.cos(x)"),
    "sqrt": ("√x", "return np.sqrt(x)"),
}
"""The other functions: what they are, and how one number becomes another."""


def function_text(name: str) -> str:
    """The source of a function of one number."""
    if name == "tanh":
        return TANH
    meaning, line = SIMPLE[name]
    return f'@compiled\ndef {name}_of(x):\n    """{meaning}."""\n    {line}'
