"""Truncated gradients of generated files against torch with detach, windows run by themselves, and the lag sum."""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from derive.catalog import load
from derive.cell import Cell
from derive.derivation import derive
from derive.language import read_cell
from derive.network_derivation import derive_network
from derive.network_language import read_network
from derive.truncation import windows
from numeric.additions import Additions, additions_in, generate_with
from numeric.forward_run import run
from numeric.lags import lag_shares
from tests.generated import module_of
from tests.networks import CELLS

LAGGED = "h[t] = tanh(W @ h[t-1] + V @ h[t-2] + U @ x[t] + P @ x[t-1])"
"""Looks two steps back, and one step back along its input."""
WANTED = Additions(truncation=(2, 5), checkpoint=True)


def cell_of(name: str) -> Cell:
    return read_cell(LAGGED, "lagged") if name == "lagged" else load(name)


@cache
def module(name: str) -> ModuleType:
    return module_of(generate_with(derive(cell_of(name)), WANTED), name)


def numbers(m: ModuleType, seed: int, T: int, B: int = 2, n: int = 3, width: int = 4):
    """(params, x, state, bars by outputs, bars by the final state), all random and none zero."""
    rng = np.random.default_rng(seed)
    params = {k: 0.7 * rng.standard_normal(s) for k, s in m.parameter_shapes(n, width).items()}
    state = {k: rng.standard_normal(v.shape) for k, v in m.init_state(B, n, width).items()}
    x = rng.standard_normal((T, B, width))
    outputs, final, _ = m.forward(params, x, state)
    bars = [{k: rng.standard_normal(v.shape) for k, v in d.items()} for d in (outputs, final)]
    return params, x, state, *bars


def assert_same(found, true, tolerance: float = 1e-12) -> None:
    for mine, theirs in zip(found, true, strict=True):
        assert mine.keys() == theirs.keys()
        for name, value in theirs.items():
            np.testing.assert_allclose(
                mine[name],
                value,
                rtol=tolerance,
                atol=tolerance * np.abs(value).max(),
                err_msg=name,
            )


def window_by_window(m: ModuleType, k1: int, k2: int, params, x, state, bars, final_bar):
    """Every window run forward from its own state and backward, by itself, with the ordinary functions."""
    T = len(x)
    total = [{k: np.zeros_like(v) for k, v in params.items()}, {"x": np.zeros_like(x)}]
    total.append({k: np.zeros_like(v) for k, v in state.items()})
    for w in windows(T, k1, k2):
        before = m.forward(params, x[: w.first - 1], state)[1] if w.first > 1 else state
        _, _, cache_ = m.forward(params, x[w.first - 1 : w.last], before)
        seen = {k: v[w.first - 1 : w.last].copy() for k, v in bars.items()}
        for value in seen.values():
            value[: max(0, w.seen - w.first + 1)] = 0.0
        last = final_bar if w.last == T else {}
        by_params, by_inputs, by_state = m.backward(params, cache_, seen, last)
        for name, value in by_params.items():
            total[0][name] += value
        total[1]["x"][w.first - 1 : w.last] += by_inputs["x"]
        if w.first == 1:
            for name, value in by_state.items():
                total[2][name] += value
    return total


@given(
    name=st.sampled_from(["lstm", "gru", "lagged", "mingru"]),
    T=st.integers(1, 14),
    k1=st.integers(1, 6),
    more=st.integers(0, 8),
    seed=st.integers(0, 99),
)
@example(name="lagged", T=13, k1=1, more=0, seed=0)
@example(name="lagged", T=10, k1=3, more=1, seed=1)
@example(name="lstm", T=9, k1=4, more=1, seed=2)
@settings(max_examples=40)
def test_truncated_gradients_are_those_of_windows_run_by_themselves(name, T, k1, more, seed):
    m = module(name)
    params, x, state, bars, final_bar = numbers(m, seed, T)
    *_, cache_ = m.forward(params, x, state)
    k2 = k1 + more
    found = m.truncated_gradients(params, cache_, bars, final_bar, k1=k1, k2=k2)
    assert_same(found, window_by_window(m, k1, k2, params, x, state, bars, final_bar))


@pytest.mark.parametrize("name", ["lstm", "lagged"])
def test_windows_as_long_as_the_sequence_change_no_bit(name):
    m = module(name)
    params, x, state, bars, final_bar = numbers(m, 3, 6)
    *_, cache_ = m.forward(params, x, state)
    whole = m.backward(params, cache_, bars, final_bar)
    for k1, k2 in ((1, 6), (4, 9), (6, 6)):
        found = m.truncated_gradients(params, cache_, bars, final_bar, k1=k1, k2=k2)
        for mine, theirs in zip(found, whole, strict=True):
            assert all(np.array_equal(mine[k], v) for k, v in theirs.items())


def torch_truncated(P, S, x, bars, k1: int, k2: int):
    """Truncated backpropagation as it is written in torch: the state before a window is detached."""
    torch = pytest.importorskip("torch")
    P = {k: torch.tensor(v, requires_grad=True) for k, v in P.items()}
    x, bar = torch.tensor(x), torch.tensor(bars["h"])

    def step(t, past):
        before = x[t - 1] if t else torch.tensor(S["x"])
        a = past[-1] @ P["W"].T + past[-2] @ P["V"].T + x[t] @ P["U"].T + before @ P["P"].T
        return torch.tanh(a)

    past = [torch.tensor(S["h"][0]), torch.tensor(S["h"][1])]  # the oldest first
    with torch.no_grad():
        for t in range(len(x)):
            past.append(step(t, past))
    for end in [*range(k1, len(x), k1), len(x)]:
        start, seen = max(0, end - k2), (end - 1) // k1 * k1
        own = [h.detach() for h in past[: start + 2]]
        for t in range(start, end):
            own.append(step(t, own))
        sum((bar[t] * own[t + 2]).sum() for t in range(seen, end)).backward()
    return {k: v.grad.numpy() for k, v in P.items()}


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (1, 4), (2, 3), (3, 3), (4, 6), (3, 50)])
def test_truncated_gradients_are_torchs_with_detach(k1, k2):
    m = module("lagged")
    params, x, state, bars, _ = numbers(m, 5, 11, B=3)
    *_, cache_ = m.forward(params, x, state)
    found, _, _ = m.truncated_gradients(params, cache_, bars, k1=k1, k2=k2)
    assert_same([found], [torch_truncated(params, state, x, bars, k1, k2)])


@pytest.mark.parametrize("k1", [1, 3])
def test_truncation_keeps_exactly_the_lags_below_k2(k1):
    d, m, T = derive(load("lstm")), module("lstm"), 10
    params, x, state, bars, _ = numbers(m, 7, T, B=1)
    bars = {"h": bars["h"]}
    sizes = dict(zip(d.cell.dims, (3, 4), strict=True))
    fixed = {k: v.reshape(1, *v.shape, *[1] * (2 - v.ndim)) for k, v in params.items()}
    initial = {(k, 0): v[..., None] for k, v in state.items()}
    found = run(d, sizes, fixed, {"x": x[..., None]}, steps=T, initial=initial)
    parts = lag_shares(found, {"h": bars["h"][:, 0, :, None]}, every=k1).parts
    *_, cache_ = m.forward(params, x, state)
    whole = m.backward(params, cache_, bars)[0]
    for k2 in range(k1, T):
        cut = m.truncated_gradients(params, cache_, bars, k1=k1, k2=k2)[0]
        left_out = {n: p[k2:].sum(axis=0).reshape(whole[n].shape) for n, p in parts.items()}
        assert max(np.abs(v).max() for v in left_out.values()) > 1e-6
        assert_same([{n: whole[n] - v for n, v in cut.items()}], [left_out], 1e-10)


def test_the_bias_is_measured_as_the_truncated_code_has_it():
    d, m, T = derive(load("gru")), module("gru"), 9
    params, x, state, bars, _ = numbers(m, 19, T, B=1)
    sizes = dict(zip(d.cell.dims, (3, 4), strict=True))
    fixed = {k: v.reshape(1, *v.shape, *[1] * (2 - v.ndim)) for k, v in params.items()}
    initial = {(k, 0): v[..., None] for k, v in state.items()}
    found = run(d, sizes, fixed, {"x": x[..., None]}, steps=T, initial=initial)
    pairs = [(1, 3), (2, 3), (4, 4), (3, 8), (1, 20)]
    shares = lag_shares(found, {"h": bars["h"][:, 0, :, None]}, truncations=pairs)
    *_, cache_ = m.forward(params, x, state)
    whole = m.backward(params, cache_, bars)[0]
    size = np.sqrt(sum((v**2).sum() for v in whole.values()))
    for k1, k2 in pairs:
        cut = m.truncated_gradients(params, cache_, bars, k1=k1, k2=k2)[0]
        apart = np.sqrt(sum(((whole[k] - v) ** 2).sum() for k, v in cut.items()))
        assert shares.bias((k1, k2)) == pytest.approx(apart / size, rel=1e-9, abs=1e-12)
    assert shares.left_out[3] == pytest.approx(shares.bias((1, 3)), rel=1e-9)
    assert (shares.left_out[0], shares.left_out[T]) == (pytest.approx(1.0), 0.0)


@pytest.mark.parametrize("name", ["gru", "lagged"])
def test_state_carried_from_batch_to_batch_is_truncation_with_windows_end_to_end(name):
    m, length = module(name), 4
    params, x, state, bars, _ = numbers(m, 9, 3 * length)
    *_, cache_ = m.forward(params, x, state)
    whole = m.truncated_gradients(params, cache_, bars, k1=length, k2=length)[0]
    total = {k: np.zeros_like(v) for k, v in params.items()}
    carried = state
    for i in range(0, len(x), length):
        _, carried, cache_ = m.forward(params, x[i : i + length], carried)
        part = {k: v[i : i + length] for k, v in bars.items()}
        for k, v in m.backward(params, cache_, part)[0].items():
            total[k] += v
    assert_same([total], [whole])


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_state_carried_on_and_its_adjoint_carried_back_give_the_unsplit_gradient(cut):
    m = module("lagged")
    params, x, state, bars, final_bar = numbers(m, 11, 7)
    *_, cache_ = m.forward(params, x, state)
    whole = m.backward(params, cache_, bars, final_bar)
    _, middle, early = m.forward(params, x[:cut], state)
    _, _, late = m.forward(params, x[cut:], middle)
    after = m.backward(params, late, {k: v[cut:] for k, v in bars.items()}, final_bar)
    before = m.backward(params, early, {k: v[:cut] for k, v in bars.items()}, after[2])
    params_bar = {k: before[0][k] + after[0][k] for k in params}
    inputs_bar = {"x": np.concatenate((before[1]["x"], after[1]["x"]))}
    assert_same((params_bar, inputs_bar, before[2]), whole)


STACK = """
f = scan(lagged, x[t])
g = scan(lstm, f.h[t])
y[t] = V @ g.h[t] + c
"""


@cache
def stack() -> ModuleType:
    cells = {**CELLS, "lagged": LAGGED}
    network = read_network(STACK, "stack", cells.get)
    return module_of(generate_with(derive_network(network), WANTED), "stack")


def stack_numbers(seed: int, T: int):
    m, rng = stack(), np.random.default_rng(seed)
    sizes = (4, 3, 5, 2)
    names = m.parameter_shapes.__code__.co_varnames[: m.parameter_shapes.__code__.co_argcount]
    sizes = sizes[: len(names)]
    params = {k: 0.5 * rng.standard_normal(s) for k, s in m.parameter_shapes(*sizes).items()}
    state = {k: rng.standard_normal(v.shape) for k, v in m.init_state(2, *sizes).items()}
    x = rng.standard_normal((T, 2, params["f_U"].shape[1]))
    outputs, final, _ = m.forward(params, x, state)
    bars = [{k: rng.standard_normal(v.shape) for k, v in d.items()} for d in (outputs, final)]
    return params, x, state, *bars


@pytest.mark.parametrize("cut", [1, 3])
def test_a_network_split_in_two_gives_the_unsplit_gradient(cut):
    m = stack()
    params, x, state, bars, final_bar = stack_numbers(1, 6)
    *_, cache_ = m.forward(params, x, state)
    whole = m.backward(params, cache_, bars, final_bar)
    _, middle, early = m.forward(params, x[:cut], state)
    _, _, late = m.forward(params, x[cut:], middle)
    after = m.backward(params, late, {k: v[cut:] for k, v in bars.items()}, final_bar)
    before = m.backward(params, early, {k: v[:cut] for k, v in bars.items()}, after[2])
    params_bar = {k: before[0][k] + after[0][k] for k in params}
    inputs_bar = {"x": np.concatenate((before[1]["x"], after[1]["x"]))}
    assert_same((params_bar, inputs_bar, before[2]), whole)


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (2, 3), (3, 4), (2, 9)])
def test_truncated_gradients_of_a_network_are_those_of_windows_run_by_themselves(k1, k2):
    params, x, state, bars, final_bar = stack_numbers(2, 8)
    m = stack()
    *_, cache_ = m.forward(params, x, state)
    found = m.truncated_gradients(params, cache_, bars, final_bar, k1=k1, k2=k2)
    assert_same(found, window_by_window(m, k1, k2, params, x, state, bars, final_bar))


def test_the_defaults_are_what_was_asked_for():
    m = module("lstm")
    params, x, state, bars, _ = numbers(m, 13, 12)
    *_, cache_ = m.forward(params, x, state)
    default = m.truncated_gradients(params, cache_, bars)
    assert_same(default, m.truncated_gradients(params, cache_, bars, k1=2, k2=5), 0.0)
    source = generate_with(derive(load("elman")), WANTED)
    assert additions_in(source) == WANTED
    assert additions_in(generate_with(derive(load("elman")), Additions())) == Additions()


def test_a_file_in_float32_stays_in_float32():
    m = module("lagged")
    given = [numbers(m, 15, 9)[i] for i in (0, 2, 3, 4)]
    params, state, bars, final_bar = [
        {k: v.astype(np.float32) for k, v in d.items()} for d in given
    ]
    x = numbers(m, 15, 9)[1].astype(np.float32)
    *_, cache_ = m.forward(params, x, state)
    for part in m.truncated_gradients(params, cache_, bars, final_bar, k1=2, k2=3):
        assert {v.dtype for v in part.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k1": 3, "k2": 2}, "k1 is 3 and k2 is 2: expected 1 <= k1 <= k2"),
        ({"k1": 0, "k2": 2}, "expected 1 <= k1 <= k2"),
        ({"k1": 1.5, "k2": 2}, "k1 is 1.5 and k2 is 2: expected whole numbers"),
        ({"k1": 1, "k2": 2.0}, "k1 is 1 and k2 is 2.0: expected whole numbers"),
        ({"k1": "1", "k2": 2}, "k1 is '1' and k2 is 2: expected whole numbers"),
    ],
)
def test_what_is_no_truncation_is_refused(given, message):
    m = module("gru")
    params, x, state, bars, _ = numbers(m, 17, 6)
    *_, cache_ = m.forward(params, x, state)
    with pytest.raises((ValueError, TypeError), match=message):
        m.truncated_gradients(params, cache_, bars, **given)


def test_gradients_of_a_wrong_shape_are_refused_by_name():
    m = module("gru")
    params, x, state, bars, _ = numbers(m, 17, 6)
    *_, cache_ = m.forward(params, x, state)
    longer = {"h": np.concatenate((bars["h"], bars["h"]))}
    with pytest.raises(ValueError, match=r"outputs_bar\['h'\] has shape \(12, 2, 3\)"):
        m.truncated_gradients(params, cache_, longer, k1=2, k2=3)
    with pytest.raises(ValueError, match="nobody"):
        m.truncated_gradients(params, cache_, bars, {"nobody": bars["h"][0]}, k1=2, k2=3)


@pytest.mark.parametrize("wrong", [1.0, np.zeros((3, 3)), np.zeros(3)])
def test_the_gradient_of_a_final_state_is_refused_at_its_own_size(wrong):
    m = module("gru")
    params, x, state, bars, _ = numbers(m, 17, 6)
    *_, cache_ = m.forward(params, x, state)
    told = r"final_bar\['h'\] has shape \(.*\): expected \(2, …\)"
    with pytest.raises(ValueError, match=told):
        m.truncated_gradients(params, cache_, bars, {"h": wrong}, k1=2, k2=3)
