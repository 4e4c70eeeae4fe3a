"""The checker's one form: what it calls equal is equal in numbers, at every size; and what it must call equal."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs.checker_matrices import Matrices, RefusedError
from proofs.checker_sums import nonnegative, plus, size

N, M, ONE = {"n": 1}, {"m": 1}, {"": 1}
NM = {"n": 1, "m": 1}
SHAPES: dict[str, list[dict[str, int]]] = {
    "W": [N, N], "V": [N, N], "U": [N, M], "h": [N, ONE], "g": [N, ONE], "x": [M, ONE], "s": [ONE, ONE], "K": [N, NM],
}  # fmt: skip


def value(name: str) -> list[Any]:
    return ["value", name, None]


W, V, U, h, g, x, s, K = map(value, SHAPES)
STACK = ["concat", h, x]
EQUAL = {
    "a product transposed": (["T", ["@", W, V]], ["@", ["T", V], ["T", W]]),
    "brackets in a product": (["@", ["@", W, V], h], ["@", W, ["@", V, h]]),
    "distribution": (["@", W, ["+", h, g]], ["+", ["@", W, h], ["@", W, g]]),
    "order of a sum": (["+", h, g, h], ["+", ["*", ["number", "2"], h], g]),
    "order of an elementwise product": (["∘", h, g], ["∘", g, h]),
    "a scalar is its own transpose": (["@", ["T", h], g], ["@", ["T", g], h]),
    "a total is an inner product": (["total", ["∘", h, g]], ["@", ["T", h], g]),
    "a trace-like total": (["total", ["∘", W, ["T", V]]], ["total", ["∘", V, ["T", W]]]),
    "a stack cut and multiplied": (
        ["@", K, STACK],
        ["+", ["@", ["T", ["rows", ["T", K], {}, N]], h], ["@", ["T", ["rows", ["T", K], N, NM]], x]],
    ),
    "rows of a stack": (["rows", STACK, N, NM], x),
    "powers": (["∘", ["f", "^-2", h], h], ["f", "^-1", h]),
    "a power of a product": (["f", "^3", ["∘", h, g]], ["∘", ["f", "^3", h], ["f", "^3", g]]),
    "a spread scalar": (["total", ["∘", h, ["broadcast", s, N, ONE]]], ["@", s, ["total", h]]),
    "functions of equals": (["f", "tanh", ["+", h, g]], ["f", "tanh", ["+", g, h]]),
    "a function and a transpose": (["T", ["f", "exp", ["+", W, ["T", V]]]], ["f", "exp", ["+", ["T", W], V]]),
    "a sum of what does not vary": (
        ["total", ["broadcast", s, N, ONE]],
        ["total", ["∘", ["ones", N, ONE], ["broadcast", s, N, ONE]]],
    ),
    "a product of totals": (["∘", ["total", h], ["total", g]], ["@", ["total", g], ["total", h]]),
    "nothing": (["zeros", N, ONE], ["+", h, ["*", ["number", "-1"], h]]),
}  # fmt: skip
DIFFERENT = {
    "a missing transposition": (["@", W, h], ["@", ["T", W], h]),
    "two matrices in another order": (["@", W, V], ["@", V, W]),
    "a stack the other way round": (["@", K, STACK], ["@", K, ["concat", x, h]]),
    "a sum of products and a product of sums": (["total", ["∘", h, g]], ["@", ["total", h], ["total", g]]),
    "a total and an entry": (["broadcast", ["total", h], N, ONE], h),
    "a function outside and inside": (["f", "tanh", ["@", W, h]], ["@", W, ["f", "tanh", h]]),
    "two functions": (["f", "sin", h], ["f", "cos", h]),
    "a softmax of another column": (["softmax", h], ["softmax", g]),
    "an entry and a whole column": (["softmax", h], ["f", "softmax", h]),
    "chains that visit another matrix": (["total", ["@", W, V, W]], ["total", ["@", W, W, V]]),
    "a chain and its mirror": (["total", ["@", W, ["T", V], W]], ["total", ["@", W, V, W]]),
}  # fmt: skip


def algebra() -> Matrices:
    return Matrices(SHAPES, set())


@pytest.mark.parametrize("name", EQUAL)
def test_equal_expressions_have_one_form(name: str) -> None:
    a, b = EQUAL[name]
    assert algebra().equal(a, b)
    assert np.allclose(number_of(a, 3, 2), number_of(b, 3, 2))


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_expressions_have_different_forms(name: str) -> None:
    a, b = DIFFERENT[name]
    assert not (algebra().matrix(a).rows == algebra().matrix(b).rows and algebra().equal(a, b))


# ── against numbers ──

_FUNCTIONS = {
    "tanh": np.tanh,
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "softmax": lambda a: a / 3,
}


def number_of(e: Any, n: int, m: int) -> np.ndarray:
    """The expression's value at these sizes, for fixed random entries."""
    sizes = {"n": n, "m": m, "": 1}
    rng = np.random.default_rng(n + 10 * m)
    values = {k: rng.normal(size=[_at(d, sizes) for d in shape]) for k, shape in SHAPES.items()}

    def of(e: Any) -> np.ndarray:
        own = [of(a) for a in e[1:] if isinstance(a, list)] if e[0] != "value" else []
        match e:
            case ["value", name, _]:
                return values[name]
            case ["number", c]:
                return np.array([[float(Fraction(c))]])
            case ["ones" | "zeros", r, c]:
                return np.full((_at(r, sizes), _at(c, sizes)), float(e[0] == "ones"))
            case ["rows", _, start, stop]:
                return own[0][_at(start, sizes) : _at(stop, sizes)]
            case ["broadcast", _, r, c]:
                return np.broadcast_to(own[0], (_at(r, sizes), _at(c, sizes)))
            case ["f", f, _]:
                return own[0] ** float(f[1:]) if f[0] == "^" else _FUNCTIONS[f](own[0])
            case _:
                return _NODES[e[0]](*own)

    return of(e)


def _at(d: dict[str, int], sizes: dict[str, int]) -> int:
    return sum(v * sizes[k] for k, v in d.items())


def _softmax(a: np.ndarray) -> np.ndarray:
    return np.exp(a) / np.exp(a).sum()


_NODES: dict[str, Any] = {
    "+": lambda *own: sum(own[1:], own[0]),
    "∘": lambda *own: np.prod(own, axis=0),
    "@": lambda *own: own[0] if len(own) == 1 else own[0] @ _NODES["@"](*own[1:]),
    "*": lambda c, a: c * a,
    "T": lambda a: a.T,
    "total": lambda a: a.sum(keepdims=True),
    "concat": lambda *own: np.concatenate(own),
    "softmax": _softmax,
}


@st.composite
def expressions(draw: Any, shape: str, depth: int = 3) -> Any:
    """An expression; shapes: c for (n, 1), w for (n, n), s for (1, 1)."""
    named = {"c": [h, g], "w": [W, V], "s": [s]}[shape]
    kinds = ["name"] + ["sum", "product", "twice", "transposed", "matmul", "inner", "square"] * (
        depth > 0
    )
    kind = draw(st.sampled_from(kinds))

    def part(of: str = shape) -> Any:
        return draw(expressions(of, depth - 1))

    if kind == "sum":
        return ["+", part(), part()]
    if kind == "product":
        return ["∘", part(), part()]
    if kind == "twice":
        return ["*", ["number", "-2"], part()]
    if kind == "square":
        return ["f", "^2", part()]
    if kind == "matmul" and shape != "s":
        return ["@", part("w"), part()]
    if kind == "transposed" and shape == "w":
        return ["T", part()]
    if kind == "inner":
        if shape == "s":
            return draw(st.sampled_from([["@", ["T", part("c")], part("c")], ["total", part("w")]]))
        return ["∘", part(), ["broadcast", part("s"), N, ONE if shape == "c" else N]]
    return draw(st.sampled_from(named))


@given(expressions("s"), expressions("s"), expressions("c"), expressions("c"))
def test_what_is_called_equal_is_equal_in_numbers(a: Any, b: Any, c: Any, d: Any) -> None:
    for p, q in (
        (a, b),
        (c, d),
        (["@", ["T", c], d], ["@", ["T", d], c]),
        (["+", a, b], ["+", b, a]),
    ):
        alike = [np.allclose(number_of(p, n, 2), number_of(q, n, 2)) for n in (1, 2, 3, 4)]
        assert algebra().equal(p, q) <= all(alike)
        if p[0] in ("@", "+") and p[1:] == [*reversed(q[1:])]:
            assert algebra().equal(p, q)


# ── sizes ──


def test_a_size_is_nonnegative_only_if_it_is_for_all_sizes_of_at_least_one() -> None:
    assert nonnegative(size({"n": 1, "": -1}))
    assert nonnegative(size({"n": 1, "m": 1, "": -2}))
    assert not nonnegative(size({"n": 1, "": -2}))
    assert not nonnegative(size({"n": 2, "m": -1}))
    assert plus(size({"n": 1}), size({"n": 1, "m": 1}), -1) == size({"m": -1})


def test_more_than_the_one_form_sees_is_left_undecided() -> None:
    """A right proof may need it and be refused; a wrong one is never accepted for it."""
    square, product = ["f", "^2", ["+", h, g]], ["∘", ["+", h, g], ["+", h, g]]
    assert np.allclose(number_of(square, 3, 2), number_of(product, 3, 2))
    assert not algebra().equal(square, product)


def test_stacks_cut_at_different_places_stay_different() -> None:
    """[h; x] ∘ [x; h]: whether row i lies in h or x depends on n and m."""
    one, other = ["∘", STACK, ["concat", x, h]], ["∘", STACK, STACK]
    assert algebra().equal(one, one)
    assert not algebra().equal(one, other)


@pytest.mark.parametrize(
    "e",
    [
        ["+", h, x],
        ["@", h, W],
        ["*", h, h],
        ["concat", h, W],
        ["broadcast", h, N, N],
        ["magic", h],
        ["+"],
    ],
)
def test_what_has_no_value_is_refused(e: Any) -> None:
    with pytest.raises(RefusedError):
        algebra().matrix(e)


def test_a_letter_is_summed_over_once() -> None:
    m = algebra()
    i = m.index(size(N))
    entry = m.matrix(h).entry(i, ((), None))
    twice = [(c, (*term, (("sum",), (i,), 1), (("sum",), (i,), 1))) for c, term in entry]
    with pytest.raises(ValueError, match="summed over twice"):
        m.form(twice)


def test_a_coefficient_may_not_move() -> None:
    with pytest.raises(RefusedError, match="a coefficient that moves"):
        algebra().direction(["*", s, h], h)
