"""``check`` on right and wrong gradients that others wrote: by hand in NumPy, by torch, by jax."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from derive.errors import ArgumentError
from proofs.check import check
from proofs.check_verdict import BlockVerdict, GradientVerdict

Arrays = dict[str, Any]


def run(p: Arrays, x: Any) -> list[Any]:
    """The states of an Elman network, from h0 on."""
    states = [p["h0"]]
    for x_t in x:
        states.append(np.tanh(states[-1] @ p["W"].T + x_t @ p["U"].T + p["b"]))
    return states


def weights(samples: int) -> Any:
    return np.arange(1.0, samples + 1)[:, None]


def loss(p: Arrays, x: Any) -> Any:
    return sum(0.5 * np.sum(weights(x.shape[1]) * h**2) for h in run(p, x)[1:])


def by_hand(bug: str = "") -> Any:
    """Backpropagation through time as one writes it, with one mistake or none."""

    def gradient(p: Arrays, x: Any) -> tuple[Arrays, list[Any]]:
        h = run(p, x)
        g = {n: np.zeros_like(v) for n, v in p.items()}
        x_bar, h_bar = np.zeros_like(x), np.zeros_like(h[0])
        for t in reversed(range(len(x))):
            h_bar = h_bar + weights(x.shape[1]) * h[t + 1]
            delta = h_bar * (1 - h[t if bug == "point" else t + 1] ** 2)
            delta = -delta if bug == "sign" else delta
            term = delta.T @ h[t + 1 if bug == "off by one" else t]
            if bug == "one sample":
                term = delta[:1].T @ h[t][:1]
            g["W"] = term if bug == "no sum over time" else g["W"] + term
            g["U"] += delta.T @ x[t]
            g["b"] += delta.mean(axis=0) if bug == "mean" else delta.sum(axis=0)
            x_bar[t] = delta @ p["U"]
            h_bar = delta @ (p["W"].T if bug == "transpose" else p["W"])
            if bug == "dropped path" or (bug == "truncation" and len(x) - t >= 3):
                h_bar = 0 * h_bar
        g["h0"] = h_bar
        if bug == "transposed block":
            g["W"] = g["W"].T
        if bug == "swapped blocks":
            g["b"], g["W"] = g["W"][0], g["W"]
        return g, [np.roll(x_bar, 1, axis=0) if bug == "shifted" else x_bar]

    return gradient


def arguments(
    n: int = 3, m: int = 2, steps: int = 5, samples: int = 2, gain: float = 1.0, drive: float = 1.0
) -> tuple[Arrays, Any]:
    rng = np.random.default_rng(7)
    p = {
        "W": gain * rng.standard_normal((n, n)) / np.sqrt(n),
        "U": rng.standard_normal((n, m)),
        "b": 0.3 * rng.standard_normal(n),
        "h0": rng.standard_normal((samples, n)),
    }
    return p, drive * rng.standard_normal((steps, samples, m))


def judged(bug: str = "", **sizes: Any) -> GradientVerdict:
    p, x = arguments(**sizes)
    return check(loss, by_hand(bug), p, x, states=["h0"])


def test_a_right_gradient_is_right_in_every_block() -> None:
    verdict = judged()
    assert verdict.ok, str(verdict)
    assert {b.name for b in verdict.blocks} == {"W", "U", "b", "h0", "input 0"}
    assert verdict.method == "complex steps; at other values too"


@pytest.mark.parametrize(
    ("bug", "wrong", "said"),
    [
        ("sign", "input 0", "sign is wrong"),
        ("point", "W", ""),
        ("off by one", "W", "off by one"),
        ("one sample", "W", "sum over samples"),
        ("no sum over time", "W", "sum over time"),
        ("mean", "b", "1/B times"),
        ("transpose", "h0", "W is symmetric"),
        ("dropped path", "h0", "path is dropped"),
        ("truncation", "input 0", "single step"),
        ("transposed block", "W", "it is transposed"),
        ("shifted", "input 0", "off by one"),
        ("swapped blocks", "b", ""),
    ],
)
def test_a_wrong_gradient_is_named_with_its_block_and_the_likely_mistake(
    bug: str, wrong: str, said: str
) -> None:
    verdict = judged(bug)
    assert verdict.status == "wrong"
    assert wrong in verdict.wrong
    assert any(said in mistake for mistake in verdict.mistakes) or not said, str(verdict)


def test_blocks_that_are_right_are_not_blamed() -> None:
    assert judged("off by one").wrong == ("W",)
    assert judged("mean").wrong == ("b",)


def test_the_wrong_steps_of_an_input_are_named() -> None:
    verdict = judged("truncation")
    (block,) = [b for b in verdict.blocks if b.name == "input 0"]
    assert block.times == (0, 1)
    assert "t = 0–1" in str(verdict)


@pytest.mark.parametrize(("gain", "steps"), [(2.0, 120), (2.4, 200)])
def test_a_right_gradient_on_a_growing_trajectory_is_accepted(gain: float, steps: int) -> None:
    verdict = judged(n=16, m=3, steps=steps, gain=gain, drive=0.0, samples=1)
    assert verdict.ok, str(verdict)


@pytest.mark.parametrize(
    ("gain", "steps", "bug"), [(2.0, 120, "transpose"), (2.4, 200, "off by one")]
)
def test_one_wrong_term_on_a_growing_trajectory_is_refused(
    gain: float, steps: int, bug: str
) -> None:
    verdict = judged(bug, n=16, m=3, steps=steps, gain=gain, drive=0.0, samples=1)
    assert verdict.status == "wrong"


def test_rounding_that_decides_is_said() -> None:
    verdict = judged(n=16, m=3, steps=300, gain=3.0, drive=0.0, samples=1)
    assert verdict.status != "wrong"
    assert "rounding decides" in verdict.method


def symmetric(w: Any) -> Any:
    return (w + w.T) / 2


def small(w: Any) -> Any:
    return 1e-4 * w


@pytest.mark.parametrize(
    ("bug", "special"), [("transpose", symmetric), ("truncation", small), ("dropped path", small)]
)
def test_where_a_wrong_gradient_looks_right_it_is_found_at_other_values(
    bug: str, special: Any
) -> None:
    p, x = arguments(steps=6)
    rest = {"h0": 0 * p.pop("h0")}
    p["W"] = special(p["W"])

    def from_rest(p: Arrays, x: Any) -> Any:
        return loss(p | rest, x)

    def gradient(p: Arrays, x: Any) -> Any:
        return by_hand(bug)(p | rest, x)

    here = check(from_rest, gradient, p, x, elsewhere=False, tolerance=1e-3)
    assert here.ok, str(here)
    verdict = check(from_rest, gradient, p, x, tolerance=1e-3)
    assert verdict.status == "wrong"
    assert "right here, wrong at other values" in str(verdict)
    assert verdict.mistakes
    assert check(from_rest, lambda p, x: by_hand()(p | rest, x), p, x, tolerance=1e-3).ok


def test_a_loss_that_means_nothing_elsewhere_is_judged_where_it_is() -> None:
    """The square root of −0.1 is no number, and half of these entries are as small as that elsewhere."""
    w = {"w": np.array([1e-3, 2e-3, 1e-3, 3e-3])}

    def root(p: Arrays) -> Any:
        with np.errstate(invalid="ignore"):
            return np.sum(np.sqrt(p["w"]))

    verdict = check(root, lambda p: {"w": 0.5 / np.sqrt(p["w"])}, w)
    assert verdict.ok
    assert "other values" not in verdict.method


def test_whole_numbers_are_handed_on_and_nothing_is_differentiated_by_them() -> None:
    rng = np.random.default_rng(3)
    p = {"E": rng.standard_normal((5, 3))}
    words = np.array([[0, 3], [4, 3], [1, 0]])

    def embedded(p: Arrays, words: Any) -> Any:
        assert words.dtype.kind == "i"
        return np.sum(p["E"][words] ** 3)

    def scattered(p: Arrays, words: Any) -> Arrays:
        g = np.zeros_like(p["E"])
        np.add.at(g, words, 3 * p["E"][words] ** 2)
        return {"E": g}

    def overwritten(p: Arrays, words: Any) -> Arrays:
        g = np.zeros_like(p["E"])
        g[words] = 3 * p["E"][words] ** 2
        return {"E": g}

    right = check(embedded, scattered, p, words)
    assert right.ok
    assert [b.name for b in right.blocks] == ["E"]
    assert check(embedded, overwritten, p, words).wrong == ("E",)


def test_a_verdict_is_true_only_if_right_and_is_data_and_a_page() -> None:
    right, wrong = judged(), judged("transpose")
    assert right
    assert not wrong
    assert json.loads(json.dumps(wrong.to_dict()))["status"] == "wrong"
    html = wrong._repr_html_()
    assert "<strong>wrong</strong>" in html
    assert "<li>" in html
    name = GradientVerdict((BlockVerdict("<b>", "right", 0.0, 1.0),), "m", 0.0)._repr_html_()
    assert "&lt;b&gt;" in name


def test_code_that_takes_no_complex_numbers_is_judged_by_differences() -> None:
    def real_loss(p: Arrays, x: Any) -> Any:
        return loss({n: np.asarray(v, np.float64) for n, v in p.items()}, np.asarray(x, np.float64))

    p, x = arguments()
    with_warnings_as_errors = check(real_loss, by_hand(), p, x)
    assert with_warnings_as_errors.ok
    assert with_warnings_as_errors.method.startswith("extrapolated differences")
    assert check(real_loss, by_hand("transpose"), p, x).status == "wrong"


def test_a_complex_step_through_abs_is_not_believed() -> None:
    w = {"w": np.array([0.7, -0.4, 1.3])}
    verdict = check(
        lambda p: np.sum(np.abs(p["w"]) ** 3), lambda p: {"w": 3 * p["w"] * np.abs(p["w"])}, w
    )
    assert verdict.ok
    assert verdict.method.startswith("extrapolated differences")


def test_a_missing_gradient_and_a_wrong_shape_are_wrong() -> None:
    p, x = arguments()
    verdict = check(loss, lambda p, x: {"W": by_hand()(p, x)[0]["W"], "U": np.zeros(3)}, p, x)
    notes = {b.name: b.note for b in verdict.blocks if b.status == "wrong"}
    assert "no gradient of this name" in notes["b"]
    assert "shape is (3,)" in notes["U"]


def test_nothing_compared_is_not_right() -> None:
    verdict = check(lambda p: 1.0, lambda p: {}, {})
    assert verdict.status == "inconclusive"


def test_arguments_that_cannot_be_judged_are_refused() -> None:
    p, x = arguments()
    with pytest.raises(ArgumentError, match="not finite"):
        check(lambda p, x: np.nan, by_hand(), p, x)
    with pytest.raises(ArgumentError, match="one number"):
        check(lambda p, x: x, by_hand(), p, x)
    with pytest.raises(ArgumentError, match="dict"):
        check(loss, lambda p, x: [1.0], p, x)


def test_gates_in_another_order_are_named() -> None:
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal((8, 3)), rng.standard_normal((4, 2, 3))

    def stacked(p: Arrays, x: Any) -> Any:
        i, f, g, o = np.split(x @ p["K"].T, 4, axis=-1)
        return np.sum(np.tanh(g) * i + o * f)

    def other_order(p: Arrays, x: Any) -> Arrays:
        i, f, g, o = np.split(x @ p["K"].T, 4, axis=-1)
        bars = [np.tanh(g), o, f, i * (1 - np.tanh(g) ** 2)]
        flat = np.concatenate(bars, axis=-1).reshape(-1, 8)
        return {"K": flat.T @ x.reshape(-1, 3)}

    verdict = check(stacked, other_order, {"K": w}, x)
    assert any("order 0, 1, 3, 2" in m for m in verdict.mistakes), str(verdict)


@pytest.mark.needs("torch")
def test_torchs_gradient_is_right_and_a_broken_one_is_not() -> None:
    torch: Any = import_module("torch")

    def run_torch(p: Arrays, x: Any) -> tuple[Any, Arrays]:
        leaves = {n: torch.tensor(np.asarray(v), requires_grad=True) for n, v in p.items()}
        h, total = leaves["h0"], 0.0
        for x_t in torch.tensor(np.asarray(x)):
            h = torch.tanh(h @ leaves["W"].T + x_t @ leaves["U"].T + leaves["b"])
            total = total + (h**2).sum()
        return total, leaves

    def gradient(p: Arrays, x: Any) -> Arrays:
        total, leaves = run_torch(p, x)
        total.backward()
        return {n: v.grad for n, v in leaves.items()}

    def broken(p: Arrays, x: Any) -> Arrays:
        return {n: v.T if n == "W" else v for n, v in gradient(p, x).items()}

    p, x = arguments()
    assert check(lambda p, x: run_torch(p, x)[0], gradient, p, x).ok
    assert check(lambda p, x: run_torch(p, x)[0], broken, p, x).wrong == ("W",)


def test_jaxs_gradient_is_right_and_a_broken_one_is_not() -> None:
    jax: Any = pytest.importorskip("jax", reason="jax is not installed")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    def jax_loss(p: Arrays, x: Any) -> Any:
        h, total = p["h0"], 0.0
        for t in range(len(x)):
            h = jnp.tanh(h @ p["W"].T + x[t] @ p["U"].T + p["b"])
            total = total + (h**2).sum()
        return total

    p, x = arguments(steps=3)
    assert check(jax_loss, jax.grad(jax_loss), p, x).ok

    def broken(p: Arrays, x: Any) -> Arrays:
        return {**jax.grad(jax_loss)(p, x), "b": 2 * jax.grad(jax_loss)(p, x)["b"]}

    assert "b: it is 2 = B times what it should be" in " ".join(
        check(jax_loss, broken, p, x).mistakes
    )
