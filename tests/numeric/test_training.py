"""Clipping, windows, optimisers and the loop, against their laws and against torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numeric.training import (
    adam,
    clip_by_norm,
    clip_by_value,
    global_norm,
    sgd,
    train,
    windows,
)


def gradients(seed: int = 0, scale: float = 1.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"W": scale * rng.standard_normal((3, 2)), "b": scale * rng.standard_normal(4)}


@given(
    seed=st.integers(0, 1000), scale=st.sampled_from([1e-3, 1.0, 1e3]), limit=st.floats(0.1, 10.0)
)
def test_clipping_by_norm_keeps_the_direction_and_bounds_the_length(seed, scale, limit):
    before = gradients(seed, scale)
    after = clip_by_norm(before, limit)
    norm = global_norm(before)
    assert global_norm(after) == pytest.approx(min(norm, limit))
    for name, g in before.items():
        np.testing.assert_allclose(after[name] * norm, g * min(norm, limit), rtol=1e-12)


def test_clipping_leaves_short_gradients_and_its_arguments_alone():
    before = gradients()
    kept = {name: g.copy() for name, g in before.items()}
    assert all(np.array_equal(clip_by_norm(before, 1e6)[n], kept[n]) for n in kept)
    clip_by_norm(before, 0.1)
    clip_by_value(before, 0.1)
    assert all(np.array_equal(before[n], kept[n]) for n in kept)


def test_clipping_by_value_bounds_every_entry():
    after = clip_by_value(gradients(3, 5.0), 0.5)
    assert max(np.abs(g).max() for g in after.values()) == 0.5


def test_clipping_keeps_float32():
    after = clip_by_norm({"W": np.ones((2, 2), np.float32)}, 0.5)
    assert after["W"].dtype == np.float32


def test_gradients_whose_squares_overflow_are_clipped_to_the_limit_and_not_to_zero():
    after = clip_by_norm({"W": np.array([3e200, 0.0]), "b": np.array([-4e200])}, 2.0)
    np.testing.assert_allclose(after["W"], [1.2, 0.0], rtol=1e-12)
    np.testing.assert_allclose(after["b"], [-1.6], rtol=1e-12)


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
@pytest.mark.parametrize("entry", [np.inf, -np.inf, np.nan])
def test_gradients_that_are_not_finite_are_not_clipped_whatever_stands_before_them(clip, entry):
    for first in (0.0, 1.0):
        for names in ("Wb", "bW"):
            whole = {"W": np.full(2, first), "b": np.array([1.0, entry])}
            with pytest.raises(ValueError, match=r"gradients\['b'\] holds numbers that are not"):
                clip({name: whole[name] for name in names}, 1.0)


def test_no_factor_brings_a_norm_beyond_the_largest_number_to_the_limit():
    with pytest.raises(ValueError, match="the gradients' norm is beyond the largest number"):
        clip_by_norm({"W": np.full(4, 1.5e308)}, 1.0)


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
@pytest.mark.parametrize("limit", [-1.0, np.nan, "1", None])
def test_a_limit_that_is_none_is_told(clip, limit):
    with pytest.raises(ValueError, match=f"limit is {limit!r}: expected a number with 0 <= limit"):
        clip(gradients(), limit)


@pytest.mark.parametrize(
    ("update", "name", "value", "bound"),
    [
        (sgd, "rate", np.nan, "0 <= rate < inf"),
        (sgd, "momentum", -0.9, "0 <= momentum < inf"),
        (adam, "rate", "0.1", "0 <= rate < inf"),
        (adam, "b1", 1.0, "0 <= b1 < 1.0"),
        (adam, "b2", np.nan, "0 <= b2 < 1.0"),
        (adam, "eps", -1e-8, "0 <= eps < inf"),
    ],
)
def test_rates_that_make_no_step_are_refused_and_nothing_is_remembered(update, name, value, bound):
    memory = {}
    with pytest.raises(ValueError, match=f"{name} is {value!r}: expected a number with {bound}"):
        update(gradients(1), gradients(2), memory, **{"rate": 0.1, name: value})
    assert not memory


@pytest.mark.parametrize("update", [sgd, adam])
def test_a_memory_of_other_parameters_is_refused_rather_than_broadcast(update):
    """A memory of (3, 2) would make a parameter of (2,) one of (3, 2)."""
    memory: dict[str, np.ndarray] = {}
    update({"b": np.zeros((3, 2))}, {"b": np.ones((3, 2))}, memory, 0.1)
    kept = dict(memory)
    with pytest.raises(ValueError, match=r"memory\['.*b'\] has shape \(3, 2\): expected \(2,\)"):
        update({"b": np.zeros(2)}, {"b": np.ones(2)}, memory, 0.1)
    assert memory == kept


@pytest.mark.parametrize("update", [sgd, adam])
def test_gradients_that_are_not_one_for_every_parameter_are_refused(update):
    params, right = gradients(1), gradients(2)
    for wrong, said in (
        ({"W": right["W"]}, "lack or do not know b: expected W, b"),
        ({**right, "x": right["W"]}, "lack or do not know x"),
        (
            {**right, "b": right["b"][:, None]},
            r"gradients\['b'\] has shape \(4, 1\): expected \(4,\)",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            update(params, wrong, {}, 0.1)


@pytest.mark.parametrize("update", [sgd, adam])
@pytest.mark.parametrize("entry", [np.inf, -np.inf, np.nan])
def test_gradients_that_are_not_finite_are_refused_by_name_and_nothing_is_remembered(update, entry):
    params = {"W": np.ones((2, 2)), "b": np.ones(2)}
    memory = {}
    for dtype in (np.float64, np.float32):
        wrong = {"W": np.zeros((2, 2)), "b": np.array([1.0, entry], dtype)}
        with pytest.raises(ValueError, match=r"gradients\['b'\] holds numbers that are not finite"):
            update(params, wrong, memory, 0.1)
    assert not memory
    large = {
        "W": np.full((2, 2), 1e200),
        "b": np.zeros(2),
    }  # its square is no number, and it is one
    np.testing.assert_allclose(sgd(params, large, {}, 1e-201)["W"], 0.9)


def test_all_that_value_and_grad_returns_is_no_gradient_by_the_parameters():
    def all_three(params, batch):
        return 0.0, (gradients(), {}, {})

    with pytest.raises(
        TypeError, match="gradients are a tuple: expected a dict of arrays by parameter"
    ):
        train(gradients(), all_three, [None], clip=1.0)


def test_sgd_remembers_gradients_as_they_were():
    g, memory = {"x": np.array([1.0])}, {}
    params = sgd({"x": np.array([0.0])}, g, memory, 0.1, 0.5)
    g["x"] *= 10.0
    assert sgd(params, g, memory, 0.1, 0.5)["x"] == pytest.approx(-0.1 - 0.1 * (0.5 + 10.0))


@pytest.mark.parametrize("update", [sgd, adam])
def test_training_goes_on_where_it_ended_with_the_memory_of_before(update):
    def bowl(params, batch):
        return float(np.sum((params["x"] - batch) ** 2)), {"x": 2 * (params["x"] - batch)}

    start, batches = {"x": np.array([4.0, -3.0])}, list(np.random.default_rng(0).random((7, 2)))
    whole = train(start, bowl, batches, update=update)
    memory: dict[str, np.ndarray] = {}
    half = train(start, bowl, batches[:3], update=update, memory=memory)
    np.testing.assert_array_equal(
        train(half, bowl, batches[3:], update=update, memory=memory)["x"], whole["x"]
    )


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
def test_what_is_no_dict_of_real_arrays_is_not_clipped(clip):
    whole = np.array([3, 4])
    for nonsense, told in (
        (({"W": whole},) * 3, "gradients are a tuple: expected a dict of arrays by parameter"),
        ({"W": whole}, r"gradients\['W'\] is int64: expected an array of float32 or float64"),
        ({"W": 3.0}, r"gradients\['W'\] is float: expected an array"),
    ):
        with pytest.raises(TypeError, match=told):
            clip(nonsense, 1.0)


@pytest.mark.parametrize("update", [sgd, adam])
def test_parameters_of_whole_numbers_are_refused_rather_than_cut_off(update):
    with pytest.raises(TypeError, match=r"params\['W'\] is int64"):
        update({"W": np.array([1, 2])}, {"W": np.array([0.5, 0.5])}, {}, 0.1)


def test_windows_overlap_and_are_followed_by_their_targets():
    series = np.arange(20.0).reshape(10, 2)
    steps, targets = windows(series, 4, ahead=2)
    assert steps.shape == (4, 5, 2)
    for i in range(5):
        np.testing.assert_array_equal(steps[:, i], series[i : i + 4])
        np.testing.assert_array_equal(targets[i], series[i + 5])


@pytest.mark.parametrize("given", [(2.5, 1), (2, 1.0), ("2", 1)])
def test_windows_of_no_whole_length_are_refused(given):
    with pytest.raises(TypeError, match="expected whole numbers"):
        windows(np.zeros(9), *given)


def test_a_series_too_short_for_a_window_is_refused():
    with pytest.raises(ValueError, match="a series of 3 values has no window of 3 with 1 ahead"):
        windows(np.zeros(3), 3)


@pytest.mark.needs("torch")
@pytest.mark.parametrize("kind", ["sgd", "momentum", "adam"])
def test_the_optimisers_take_the_steps_that_torch_takes(kind):
    import torch

    start = {
        "W": np.random.default_rng(1).standard_normal((3, 2)),
        "b": np.array([0.3, -2.0, 1.0, 0.1]),
    }
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
    make = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, lr=0.05),
    }[kind](list(theirs.values()))
    ours, memory = start, {}
    for step in range(7):
        g = gradients(step, 1.0 + step)
        for name, value in theirs.items():
            value.grad = torch.tensor(g[name])
        make.step()
        if kind == "adam":
            ours = adam(ours, g, memory, 0.05)
        else:
            ours = sgd(ours, g, memory, 0.05, 0.9 if kind == "momentum" else 0.0)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value.detach().numpy(), rtol=1e-12)


def test_training_goes_downhill_and_tells_every_step():
    seen: list[float] = []

    def bowl(params, batch):
        return float(np.sum((params["x"] - batch) ** 2)), {"x": 2 * (params["x"] - batch)}

    after = train(
        {"x": np.array([4.0, -3.0])}, bowl, [np.array([1.0, 2.0])] * 200, rate=0.1, clip=1.0,
        each=lambda step, loss, params, g: seen.append(loss),
    )  # fmt: skip
    assert len(seen) == 200
    assert seen[-1] < 1e-2 < seen[0]
    np.testing.assert_allclose(after["x"], [1.0, 2.0], atol=0.1)


def test_no_function_bears_the_name_of_one_that_a_file_has_already():
    from numeric import names, realtime
    from numeric.training import NAMES

    assert not set(NAMES) & (names.HELPERS | names.RESERVED | set(realtime.NAMES))


def test_a_generated_file_trains_with_numpy_alone():
    """A GRU with a readout learns to repeat what it saw two steps ago."""
    from derive.derivation import derive
    from derive.language import read_cell
    from numeric.source import generate
    from numeric.training import with_training
    from proofs.modules import load_source

    text = (
        "z[t] = sigmoid(W_z @ h[t-1] + U_z @ x[t] + b_z)\n"
        "g[t] = tanh(W_g @ h[t-1] + U_g @ x[t] + b_g)\n"
        "h[t] = (1 - z[t]) * h[t-1] + z[t] * g[t]\n"
        "y[t] = V @ h[t] + c\n"
        "loss[t] = squared_error(y[t], d[t])\n"
    )
    file = load_source(with_training(generate(derive(read_cell(text, "echo")))))
    rng = np.random.default_rng(0)
    losses: list[float] = []

    def loss_of(outputs):
        return float(np.mean(outputs["loss"])), {
            "loss": np.full_like(outputs["loss"], 1 / outputs["loss"].size)
        }

    def value_and_gradient(params, batch):
        value, (by_params, _, _) = file.value_and_grad(loss_of, params, *batch)
        return value, by_params

    def batches():
        for _ in range(300):
            x = rng.choice([-1.0, 1.0], (12, 16, 1))
            yield x, np.concatenate([np.zeros((2, 16, 1)), x[:-2]])

    sizes = {"n": 12, "m": 1}
    shapes = read_cell(text, "echo").dims
    file.train(
        file.init_params(*(sizes.get(str(d), 1) for d in shapes), seed=1), value_and_gradient, batches(),
        rate=0.02, clip=1.0, each=lambda step, loss, params, g: losses.append(loss),
    )  # fmt: skip
    assert losses[0] > 0.3
    assert np.mean(losses[-10:]) < 0.1 * losses[0]
