"""Real-time recurrent learning in generated files: the gradient of backpropagation, step after step forward."""

from __future__ import annotations

import ast
import re
from functools import cache
from types import ModuleType

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from derive.catalog import load
from derive.cell import Cell
from derive.derivation import derive
from derive.errors import ArgumentError, CellError
from derive.language import read_cell
from derive.network_derivation import derive_network
from derive.network_language import read_network
from numeric.additions import Additions, additions_in, generate_with
from numeric.names import argument_names
from numeric.realtime import realtime_functions
from numeric.stack_text import StackText
from proofs.verification import verify
from tests.generated import module_of
from tests.networks import CELLS
from tests.numeric.test_truncated import LAGGED, assert_same, numbers

ODD = """
index w
dim k = 2
z[t] = sigmoid(A @ concat(h[t-1], w[t]) + a) * k0
k[t] = softmax(K @ h[t-1])
h[t] = tanh(W @ h[t-2] * mean(h[t-1]) + z[t] + logsumexp(k[t]) - E @ w[t])
y[t] = h[t] / (1 + sum(h[t] * h[t])) + relu(h[t-1])
const k0 = 0.5
"""
NAMED = "h[t] = tanh(memory @ h[t-1] + U @ values[t] + influence @ name[t])"
APART = """
h[t] = tanh(W @ b)
s[t] = tanh(s[t-2]) * h[t] + U @ x[t] * h[t-1]
y[t] = sin(V @ x[t])
k[t] = s[t]
"""
TEXTS = {"lagged": LAGGED, "odd": ODD, "named": NAMED, "apart": APART}


@cache
def module(name: str) -> ModuleType:
    cell = read_cell(TEXTS[name], name) if name in TEXTS else load(name)
    return module_of(generate_with(derive(cell), Additions(real_time=True)), name)


@given(
    name=st.sampled_from(["lstm", "gru", "lagged", "mingru"]),
    T=st.integers(1, 7),
    B=st.integers(1, 3),
    seed=st.integers(0, 99),
)
@example(name="lagged", T=1, B=2, seed=0)
@settings(max_examples=20)
def test_the_gradient_forward_in_time_is_that_of_backpropagation(name, T, B, seed):
    m = module(name)
    params, x, state, bars, final_bar = numbers(m, seed, T, B)
    *_, kept = m.forward(params, x, state)
    true = m.backward(params, kept, bars, final_bar)[0]
    found = m.real_time_gradients(params, x, bars, state, final_bar=final_bar)
    assert_same([found], [true], 1e-10)


def test_states_of_parameters_alone_and_outputs_without_memory_or_of_one_letter_are_whole():
    m, rng = module("apart"), np.random.default_rng(0)
    params = {k: rng.standard_normal(v) for k, v in m.parameter_shapes(3, 2, 4, 5).items()}
    x = rng.standard_normal((4, 2, params["U"].shape[1]))
    start = m.init_state(2, 3, 2, 4, 5)
    state = {k: rng.standard_normal(v.shape) for k, v in start.items()}
    memory = m.real_time_start(params, state, {"h": 1, "s": 2})
    for t in range(len(x)):
        outputs, sensitivities, memory = m.real_time_step(params, x[t], memory)
        for name, value in params.items():
            shapes = {k: v.shape for k, v in sensitivities[name].items()}
            assert shapes == {k: (value.size, *v.shape) for k, v in outputs.items()}
    whole, final, kept = m.forward(params, x, state)
    assert_same([outputs], [{k: v[-1] for k, v in whole.items()}], 1e-12)
    bars = {k: rng.standard_normal(v.shape) for k, v in whole.items()}
    ends = {k: rng.standard_normal(v.shape) for k, v in final.items()}
    for some in [bars, *({k: v} for k, v in bars.items())]:
        true = m.backward(params, kept, some, ends)[0]
        found = m.real_time_gradients(params, x, some, state, final_bar=ends)
        assert_same([found], [true], 1e-10)


def test_every_kind_of_expression_has_its_text():
    m, rng = module("odd"), np.random.default_rng(0)
    shapes = m.parameter_shapes
    sizes = [3, 4, 2][: shapes.__code__.co_argcount]
    params = {k: 0.5 * rng.standard_normal(s) for k, s in shapes(*sizes).items()}
    zeros = m.init_state(2, *sizes)
    state = {k: rng.standard_normal(v.shape) for k, v in zeros.items()}
    w = rng.integers(0, params["E"].shape[1], (5, 2))
    outputs, final, kept = m.forward(params, w, state)
    bars = {k: rng.standard_normal(v.shape) for k, v in outputs.items()}
    ends = {k: rng.standard_normal(v.shape) for k, v in final.items()}
    true = m.backward(params, kept, bars, ends)[0]
    assert_same([m.real_time_gradients(params, w, bars, state, final_bar=ends)], [true], 1e-10)


def test_the_gradient_of_every_prefix_is_known_on_the_way():
    m = module("gru")
    params, x, state, bars, _ = numbers(m, 3, 6)
    memory = m.real_time_start(params, state, {"h": 1})
    total = {k: np.zeros(v.size) for k, v in params.items()}
    for t in range(len(x)):
        outputs, sensitivities, memory = m.real_time_step(params, x[t], memory)
        for k in params:
            total[k] += m.gradient_along(sensitivities[k], {"h": bars["h"][t]})
        now, _, kept = m.forward(params, x[: t + 1], state)
        np.testing.assert_allclose(outputs["h"], now["h"][-1], rtol=1e-12)
        true = m.backward(params, kept, {"h": bars["h"][: t + 1]})[0]
        assert_same([{k: total[k].reshape(v.shape) for k, v in params.items()}], [true], 1e-10)


def test_what_is_kept_does_not_grow_with_the_number_of_steps():
    m = module("lagged")
    params, x, state, *_ = numbers(m, 4, 9)
    memory = m.real_time_start(params, state, {"h": 2, "x": 1})

    def size(kept) -> int:
        values = sum(v.size for found in kept["values"].values() for v in found)
        parts = (v for of in kept["influence"].values() for found in of.values() for v in found)
        return values + sum(v.size for v in parts)

    sizes = []
    for t in range(len(x)):
        *_, memory = m.real_time_step(params, x[t], memory)
        sizes.append(size(memory))
    assert len(set(sizes[2:])) == 1
    entries = sum(v.size for v in params.values())
    B, n, width = 2, 3, 4
    assert sizes[-1] == B * (2 * n + width) + entries * B * 2 * n  # S |θ| for each sample


def test_what_forward_and_backward_refuse_is_refused_by_name():
    m = module("gru")
    params, x, state, bars, ends = numbers(m, 5, 6)
    longer = {"h": np.concatenate((bars["h"], bars["h"]))}
    for arguments, more, told in (
        ((params, x, {"nobody": bars["h"]}), {}, "outputs_bar does not know nobody"),
        ((params, x, longer), {}, r"outputs_bar\['h'\] has shape \(12, 2, 3\)"),
        ((params, x, {"h": bars["h"][:, :1]}), {}, r"outputs_bar\['h'\] has shape \(6, 1, 3\)"),
        ((params, x[:0], bars), {}, r"x has shape \(0, 2, 4\)"),
        ((params, x * np.nan, bars), {}, "x holds numbers that are not finite"),
        ((params, x, bars), {"final_bar": {"nobody": ends["h"]}}, "final_bar does not know nobody"),
    ):
        with pytest.raises(ValueError, match=told):
            m.real_time_gradients(*arguments, state, **more)
    nothing = m.real_time_gradients(params, x, None, state)
    assert not any(np.any(v) for v in nothing.values())


def test_the_parameters_of_a_whole_run_are_checked_once_and_those_of_a_step_at_every_step(
    monkeypatch,
):
    m, seen = module("gru"), []
    params, x, state, bars, _ = numbers(m, 5, 6)
    check = m.unpacked
    monkeypatch.setattr(m, "unpacked", lambda *given: seen.append(1) or check(*given))
    m.real_time_gradients(params, x, bars, state)
    assert len(seen) == 1
    memory = m.real_time_start(params, state, {"h": 1})
    for t in range(3):
        *_, memory = m.real_time_step(params, x[t], memory)
    assert len(seen) == 1 + 3


def test_a_step_refuses_by_name_what_is_not_for_it():
    m = module("gru")
    params, x, state, *_ = numbers(m, 5, 6)
    memory = m.real_time_start(params, state, {"h": 1})
    short = {"h": [memory["values"]["h"][0][:, :2]]}
    of_memory = "memory is not of these parameters: expected what real_time_start"
    for arguments, told in (
        ((list(params.values()), x[0], memory), "params is a list: expected a dict of arrays"),
        (({**params, "q": x[0]}, x[0], memory), of_memory),
        (({**params, "b_z": x[0]}, x[0], memory), r"params\['b_z'\] has shape"),
        (({**params, "b_z": params["b_z"] * np.nan}, x[0], memory), r"params\['b_z'\] holds"),
        ((params, x, memory), r"x has shape \(6, 2, 4\): expected \(2, 4\)"),
        ((params, x[0, :1], memory), r"x has shape \(1, 4\): expected \(2, 4\)"),
        ((params, x[0] * np.nan, memory), "x holds numbers that are not finite"),
        ((params, x[0].astype(np.float32), memory), "x has dtype float32"),
        ((params, x[0], {}), of_memory),
        ((params, x[0], None), of_memory),
        ((params, x[0], {**memory, "values": short}), r"memory\['values'\]\['h'\] has shape"),
    ):
        with pytest.raises((ValueError, TypeError), match=told):
            m.real_time_step(*arguments)


def test_names_that_the_functions_need_themselves_do_not_collide():
    m, rng = module("named"), np.random.default_rng(1)
    params = {k: rng.standard_normal(s) for k, s in m.parameter_shapes(3, 4, 2).items()}
    xs = [rng.standard_normal((4, 2, params[k].shape[1])) for k in ("U", "influence")]
    outputs, _, kept = m.forward(params, *xs)
    bars = {"h": rng.standard_normal(outputs["h"].shape)}
    assert_same(
        [m.real_time_gradients(params, *xs, bars)], [m.backward(params, kept, bars)[0]], 1e-10
    )


ROLES = ("hh", "yy", "WW", "UU", "bb", "xx", "uu", "kk")
BASE = """
const kk = 0.5
hh[t] = tanh(WW @ hh[t-2] + UU @ concat(hh[t-1], xx[t], uu[t]) * kk + bb * mean(hh[t-1]))
yy[t] = softmax(hh[t]) * logsumexp(hh[t]) + xx[t] / (1 + sum(uu[t] * uu[t]))
"""


def names_of_the_functions() -> list[str]:
    """Every name that the functions of real time have, and those that derived ones can get."""
    derivation = derive(read_cell(BASE + "zz[t] = E @ ww[t]\nindex ww\n", "base"))
    found = {"x_t", "h_dot", "W_dot", "h_dot_prev", "h_prev", "x_t_"}
    for node in ast.walk(ast.parse("\n".join(realtime_functions(derivation, "")))):
        found |= {v for k in ("id", "arg", "name") if isinstance(v := getattr(node, k, None), str)}
    return sorted(found - {*ROLES, "zz", "ww", "params", "state", "steps"})


def renamed(mine: list[str]) -> Cell | None:
    """The cell with its quantities so called, or nothing if the language does not take a name."""
    called = dict(zip(ROLES, mine, strict=True))
    text = re.sub(r"\b(\w\w)\b", lambda word: called.get(word[1], word[1]), BASE)
    try:
        return read_cell(text, "renamed")
    except CellError:
        return None


@pytest.mark.parametrize("shift", range(len(ROLES)))
def test_quantities_that_bear_any_name_of_the_functions_keep_their_gradients(shift):
    """Each name meets each role; constants are given under the names that arguments have."""
    pool = [n for n in names_of_the_functions() if renamed([*ROLES[:2], n, *ROLES[3:]])]
    assert {"basis", "memory", "one_above_another", "WW_dot", "xx_t", "values"} <= set(pool)
    for first in range(0, len(pool), len(ROLES)):
        mine = [pool[(first + (shift + i) % len(ROLES)) % len(pool)] for i in range(len(ROLES))]
        cell = renamed(mine)
        assert cell is not None, mine
        m = module_of(generate_with(derive(cell), Additions(real_time=True)), "renamed")
        params, xs, state, bars = any_numbers(m, cell)
        constant = {argument_names(cell)[q.name]: 0.7 for q in cell.constants}
        outputs, _, kept = m.forward(params, *xs, state, **constant)
        found = m.real_time_gradients(params, *xs, bars, state, **constant)
        assert_same([found], [m.backward(params, kept, bars)[0]], 1e-10)
        step = m.step(params, *(x[0] for x in xs), state, **constant)[0]
        assert_same([step], [{k: v[0] for k, v in outputs.items()}], 1e-12)


def any_numbers(m: ModuleType, cell: Cell):
    """Parameters, inputs, state and the loss's gradients for three steps of two samples."""
    rng, sizes = np.random.default_rng(2), dict(zip(cell.dims, (3, 2, 4), strict=False))
    shapes = m.parameter_shapes(*sizes.values())
    params = {k: 0.5 * rng.standard_normal(s) for k, s in shapes.items()}
    rows = [int(q.shape[0].subs(sizes)) for q in cell.inputs]
    xs = [rng.standard_normal((3, 2, r)) for r in rows]
    zeros = m.init_state(2, *sizes.values())
    state = {k: rng.standard_normal(v.shape) for k, v in zeros.items()}
    constant = {argument_names(cell)[q.name]: 0.7 for q in cell.constants}
    outputs = m.forward(params, *xs, state, **constant)[0]
    return params, xs, state, {k: rng.standard_normal(v.shape) for k, v in outputs.items()}


@pytest.mark.parametrize(
    "text",
    [
        "h[t] = tanh(n @ h[t-1] + m @ x[t] + h_0 + x_t)",
        "h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ x_t[t])",
        "h[t] = tanh(W @ concat(h[t-1], x[t]))",
        "const x_t = 0.5\nh[t] = tanh(W @ h[t-1] + x_t * U @ x[t])",
    ],
)
def test_files_are_verified_whatever_things_are_called_and_with_one_parameter_alone(text):
    cell = read_cell(text, "named")
    source = generate_with(derive(cell), Additions(real_time=True))
    checked = verify(cell, source)
    assert checked.ok, checked.table()


def test_float32_stays_float32():
    m = module("lstm")
    params, x, state, bars, _ = numbers(m, 5, 3)
    narrow = [{k: v.astype(np.float32) for k, v in d.items()} for d in (params, bars, state)]
    found = m.real_time_gradients(narrow[0], x.astype(np.float32), narrow[1], narrow[2])
    assert {v.dtype for v in found.values()} == {np.dtype(np.float32)}


def test_brackets_around_a_whole_line_are_left_out_and_no_others():
    d = derive(load("gru"))
    text = StackText(lambda leaf: leaf.name, str)
    lines = [text.line(a.expr) for a in d.assignments]
    assert lines[0] == "(W_z @ h) + (U_z @ x) + b_z"
    assert all(line.count("(") == line.count(")") for line in lines)


def test_a_network_is_refused_and_a_file_says_what_it_brings():
    d = derive_network(read_network("f = scan(gru, x[t])\n", "net", CELLS.get))
    with pytest.raises(ArgumentError, match="written for one cell"):
        generate_with(d, Additions(real_time=True))
    wanted = Additions((1, 2), True, real_time=True)
    assert additions_in(generate_with(derive(load("elman")), wanted)) == wanted
