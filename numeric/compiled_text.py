"""Functions of one number that compiled files bring along, such as turn into vector instructions.

tanh x = u / (u + 2) with u = e²ˣ − 1 = 2ᵏ (eʳ − 1) + (2ᵏ − 1), 2x = k ln 2 + r and |r| ≤ ½ ln 2; eʳ − 1 is its Taylor
series. No term cancels for x ≥ 0, so the result is good to two units in the last place in either precision.
"""

from __future__ import annotations

from math import factorial, log

HEAD = '''\
def compiled(function):
    """The function compiled; sums may be contracted, divisions by zero give infinity as in NumPy."""
    return njit(error_model="numpy", fastmath={"contract", "nsz"})(function)'''


def real_tanh(name: str, kind: str, whole: str, bits: int, bias: int, degree: int, top: int) -> str:
    """The hyperbolic tangent in one precision.

    Args:
        name: of the function.
        kind: the type of the numbers.
        whole: the type of whole numbers of that width.
        bits: of the mantissa.
        bias: of the exponent.
        degree: of the Taylor series.
        top: beyond this the result is 1.
    """
    split = {"float32": (0.693359375, -2.121944400546905827679e-4)}
    high, low = split.get(kind, (0.6931471803691238, 1.9082149292705877e-10))
    series = [f"    p = {kind}({1 / factorial(degree)!r})"]
    series += [f"    p = p * r + {kind}({1 / factorial(k)!r})" for k in range(degree - 1, 0, -1)]
    return "\n".join(
        [
            f"def {name}(x):",
            f'    """tanh x for a {kind}."""',
            f"    y = min(abs(x), {kind}({top}))",
            f"    k = np.floor(y * {kind}({2 / log(2)!r}) + {kind}(0.5))",
            f"    r = (y + y) - k * {kind}({high!r}) - k * {kind}({low!r})",
            f"    power = {whole}(({whole}(k) + {whole}({bias})) << {whole}({bits})).view({kind})",
            *series,
            f"    u = power * (p * r) + (power - {kind}(1))",
            f"    v = u / (u + {kind}(2))",
            "    return v if x >= 0 else -v",
        ]
    )


TANH = (
    f'''\
def tanh_of(x):
    """tanh x, for numbers of every type."""
    return np.tanh(x)


{real_tanh("_tanh32", "float32", "int32", 23, 127, 7, 10)}


{real_tanh("_tanh64", "float64", "int64", 52, 1023, 13, 20)}


def _tanh_any(x):
    """tanh x for any other number."""
    return np.tanh(x)


@overload(tanh_of, jit_options={{"error_model": "numpy", "fastmath": {{"contract", "nsz"}}}})
def _tanh_of(x):
    """The function for numbers of this type."""
    return _tanh32 if x == types.float32 else _tanh64 if x == types.float64 else _tanh_any'''.replace(
        "float32(", "np.float32("
    )
    .replace("float64(", "np.float64(")
    .replace("int32(", "np.int32(")
    .replace("int64(", "np.int64(")
    .replace("view(float", "view(np.float")
)

SIMPLE = {
    "relu": ("max(0, x)", "return x if x.real > 0 else x - x"),
    "absolute": ("|x|", "return -x if x.real < 0 else x"),
    "positive": ("1 where x > 0, else 0", "return x - x + 1 if x.real > 0 else x - x"),
    "sign": (
        "−1, 0 or 1",
        "return x - x + 1 if x.real > 0 else x - x - 1 if x.real < 0 else x - x",
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
