"""Whatever the author calls things, the generated code is right: its own names give way."""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword

import pytest

from derive.catalog import load
from derive.derivation import derive
from derive.errors import CellError
from derive.language import read_cell
from derive.language_elsewhere import NUMBERS
from numeric.names import RESERVED, Names, argument_names
from numeric.source import generate
from tests.generated import generated, read_module
from tests.numeric.test_source import right_on
from tests.oracle import sample

TEXT = "{h}[t] = tanh({W} @ {h}[t-1] + {U} @ {x}[t] + {b}) * {alpha} + {u}[t]\n"
ROLES = ("h", "W", "U", "x", "b", "alpha", "u")


def names_in_generated_code() -> list[str]:
    """Every name that generated code uses: its variables, arguments, functions and Python's own."""
    odd = "S[t] = sigmoid(S[t-2]) * S[t-1]\n"
    found: set[str] = set()
    for cell in (
        load("lstm"),
        load("leaky"),
        load("linear_attention_gated"),
        read_cell(odd, "odd"),
    ):
        for node in ast.walk(ast.parse(generate(derive(cell)))):
            found |= {
                getattr(node, key)
                for key in ("id", "arg", "name")
                if isinstance(getattr(node, key, None), str)
            }
    return sorted(found)


NASTY = sorted(
    {
        *names_in_generated_code(), *RESERVED, *keyword.softkwlist, "lambda_", "n", "m", "k", "t", "T", "B", "h_bar",
        "delta_f", "delta_h", "tanh_c", "a_f", "a_h", "a_h_2", "dl_dh", "h_dot", "h_0", "h_all", "h_prev", "h_prev2",
        "h_final_bar", "W_bar", "K", "K_h", "range", "print", "len", "list", "abs", "sum", "min", "max", "zip", "self",
        "cls", "array", "numpy", "torch", "I", "E", "pi", "S", "N", "O", "Q", "oo", "beta", "gamma", "zeta", "Lambda",
    }
)  # fmt: skip


def cell_with(names: dict[str, str]):
    """The cell with its quantities so called, or None if the language does not take a name."""
    text = f"const {names['alpha']} = 0.75\n" + TEXT.format(**names)
    try:
        return read_cell(text, "named")
    except CellError:
        return None


def admissible() -> list[str]:
    ordinary = dict(zip(ROLES, ("hh", "WW", "UU", "xx", "bb", "aa", "uu"), strict=True))
    refused = {name for name in NASTY if cell_with({**ordinary, "h": name}) is None}
    refused |= {"I", *NUMBERS}  # what they stand for, where they have no time index
    return [name for name in NASTY if name not in refused]


def test_the_language_refuses_few_names():
    assert len(admissible()) > 150


@pytest.mark.parametrize("shift", range(0, 210, 7))
def test_a_cell_with_nasty_names_is_right(shift):
    """Each name meets each role: the list is turned round by one name after the other."""
    pool = admissible()
    for turn in range(7):
        chosen = [pool[(shift + i + turn) % len(pool)] for i in range(len(ROLES))]
        names = dict(zip(ROLES, chosen, strict=True))
        if names["alpha"] in ("params", "state", "steps"):  # the test passes it by its name
            names["alpha"] = "alpha_of_the_test"
        cell = cell_with(names)
        assert cell is not None, chosen
        right_on(sample(cell, T=3, B=2), 1e-11, generated(cell))


@pytest.mark.parametrize(
    "text",
    [
        "h_bar[t] = h_bar[t-1] * p\nh[t] = tanh(h_bar[t] + W @ h[t-1])",
        "delta_f[t] = x[t]\nf[t] = sigmoid(delta_f[t] + V @ h[t-1])\nh[t] = f[t] * h[t-1]",
        "a_f[t] = W @ x[t] + b\nf[t] = sigmoid(a_f[t] + a_f_2)\nh[t] = f[t] * h[t-1] + sigmoid(V @ x[t] + c)",
        "tanh_c[t] = x[t] * tanh_c_2\nc[t] = tanh_c[t] * c[t-1]\nh[t] = tanh(c[t]) + h[t-1]",
        "h[t] = tanh(W @ h[t-1] + h_0 * h_all + h_prev * h_final_bar)",
        "f[t] = sigmoid(W_f @ h[t-1] + b_f)\ni[t] = sigmoid(W_i @ h[t-1] + b_i)\nh[t] = f[t] * h[t-1] + b_fi * i[t]",
        "a_fi[t] = sigmoid(W_f @ h[t-1])\ni[t] = sigmoid(W_i @ h[t-1])\nh[t] = a_fi[t] * h[t-1] + W_a_fii * i[t]",
        "n[t] = tanh(m @ n[t-1] + k @ T[t])",
        "I[t] = tanh(W @ I[t-1] + U @ x[t] + b)",
        "h[t] = tanh(W @ h[t-1] + U @ I[t])",
        "dim I = n, n\nh[t] = tanh(I @ h[t-1] + U @ x[t])",
        "n[t] = tanh(W @ n[t-1] + total * product)",
    ],
)  # fmt: skip
def test_names_of_ours_give_way_to_the_author_s(text):
    cell, module = read_module(text)
    right_on(sample(cell, T=3, B=2), 1e-11, module)


def test_dictionaries_keep_the_author_s_names():
    cell, module = read_module("range[t] = tanh(params @ range[t-1] + np @ zeros[t])\n")
    assert set(module.parameter_shapes(3, 2)) == {"params", "np"}
    right_on(sample(cell, T=3), 1e-11, module)


def test_arguments_are_called_as_it_is_told():
    cell, module = read_module(
        "const T = 0.5\nconst step\nnp[t] = tanh(T * np[t-1] + step * x[t] + W @ t_[t])\n"
    )
    names = argument_names(cell)
    assert names == {"np": "np_", "T": "T_", "x": "x", "step": "step_", "W": "W", "t_": "t_"}
    known = inspect.signature(module.forward).parameters
    assert {names["T"], names["step"], names["x"], names["t_"]} <= known.keys()


def test_no_identifier_is_handed_out_twice():
    names = Names(derive(load("lstm")).notation)
    found = [
        names.named(i, wish)
        for i, wish in enumerate(["h", "h", "h_", "np", "class", "match", "_", "h"])
    ]
    assert len(set(found)) == len(found)
    assert not any(keyword.iskeyword(name) or name == "np" for name in found)
    assert names.named(0, "anything") == "h"


def test_builtins_that_the_passes_use_are_reserved():
    """The copied helpers are functions of their own, in which an author's name cannot stand."""
    for spec in ("lstm", "leaky", "linear_attention_gated", "skip:d=3"):
        tree = ast.parse(generate(derive(load(spec))))
        own = [f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name in RESERVED]
        assert {f.name for f in own} >= {"forward", "backward", "step"}
        used = {v.id for f in own for v in ast.walk(f) if isinstance(v, ast.Name)}
        assert {name for name in used if hasattr(builtins, name)} <= RESERVED
