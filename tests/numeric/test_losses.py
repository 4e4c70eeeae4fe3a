"""Losses: what the written-out form computes is the plain loss, whatever the targets are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.generated import read_module

CELL = "h[t] = tanh(W @ h[t-1] + U @ x[t])\n{}\nloss[t] = {}(p[t], {})\n"


def cross_entropy(p: np.ndarray, d: np.ndarray) -> np.ndarray:
    return -(d * np.log(p)).sum(-1)


def binary_cross_entropy(p: np.ndarray, d: np.ndarray) -> np.ndarray:
    return -(d * np.log(p) + (1 - d) * np.log(1 - p)).sum(-1)


PLAIN = {
    ("p[t] = softmax(V @ h[t])", "cross_entropy"): cross_entropy,
    ("p[t] = softmax(softmax(V @ h[t]))", "cross_entropy"): cross_entropy,
    ("q[t] = softmax(V @ h[t])\np[t] = 0.5 * q[t]", "cross_entropy"): cross_entropy,
    ("p[t] = sigmoid(V @ h[t])", "binary_cross_entropy"): binary_cross_entropy,
    ("q[t] = sigmoid(V @ h[t])\np[t] = 0.5 * q[t]", "binary_cross_entropy"): binary_cross_entropy,
}
TARGETS = {
    "one of many": np.eye(4)[[0, 3, 1]],
    "a distribution": np.array([[0.1, 0.2, 0.3, 0.4]] * 3),
    "a step that is padded": np.eye(4)[[0, 3, 1]] * [[1], [0], [1]],
    "weights of classes": np.eye(4)[[0, 3, 1]] * [5.0, 0.1, 1.0, 2.0],
    "anything": np.array([[-1.0, 2.0, 0.5, 3.0]] * 3),
}


@pytest.mark.parametrize("form", PLAIN, ids=" ".join)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("weighted", ["d[t]", "w * d[t]"])
def test_a_loss_and_its_gradients_are_those_of_the_plain_form(form, target, weighted):
    prediction, function = form
    _, module = read_module(CELL.format(prediction, function, weighted))
    rng = np.random.default_rng(1)
    params = {k: rng.standard_normal(s) for k, s in module.parameter_shapes(3, 2, 4).items()}
    x, d = rng.standard_normal((3, 2, 2)), np.repeat(TARGETS[target][:, None], 2, axis=1)

    def plain(params, d):
        outputs, _, cache = module.forward(params, x, d)
        h = outputs["h"] @ params["V"].T
        if "softmax(softmax" in prediction:
            h = softmax(h)
        p = softmax(h) if "softmax" in prediction else 1 / (1 + np.exp(-h))
        p = p / 2 if "0.5" in prediction else p
        return PLAIN[form](p, params.get("w", 1) * d), outputs, cache

    loss, outputs, cache = plain(params, d)
    np.testing.assert_allclose(outputs["loss"].reshape(loss.shape), loss, atol=1e-12)
    bar = {"loss": np.ones_like(outputs["loss"])}
    by_params, by_inputs, _ = module.backward(params, cache, bar)
    for gradients, values, at in (
        (by_params, params, lambda name, v: plain({**params, name: v}, d)[0].sum()),
        ({"d": by_inputs["d"]}, {"d": d}, lambda _, v: plain(params, v)[0].sum()),
    ):
        for name, gradient in gradients.items():
            way = rng.standard_normal(gradient.shape)
            slope = (
                at(name, values[name] + 1e-5 * way) - at(name, values[name] - 1e-5 * way)
            ) / 2e-5
            np.testing.assert_allclose((gradient * way).sum(), slope, rtol=1e-6, atol=1e-7)


def softmax(a: np.ndarray) -> np.ndarray:
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_logarithms_of_logistic_functions_lose_no_digit():
    text = "h[t] = h[t-1] + x[t]\ny[t] = log(sigmoid(h[t]))\nz[t] = log(1 - sigmoid(h[t]))\n"
    _, module = read_module(text)
    x = np.array([-300.0, -40.0, -1.0, 0.0, 2.0, 40.0, 300.0]).reshape(1, 1, 7)
    outputs, _, cache = module.forward({}, x)
    right = -np.logaddexp(0, -x), -np.logaddexp(0, x)
    np.testing.assert_allclose(outputs["y"], right[0], rtol=1e-15)
    np.testing.assert_allclose(outputs["z"], right[1], rtol=1e-15)
    _, by_inputs, _ = module.backward({}, cache, {"y": np.ones_like(x), "z": np.zeros_like(x)})
    np.testing.assert_allclose(by_inputs["x"], 0.5 * (1 - np.tanh(x / 2)), rtol=1e-12)


def test_a_cross_entropy_of_a_logistic_function_in_place_is_stable_too():
    _, module = read_module(
        "h[t] = h[t-1] + x[t]\nloss[t] = binary_cross_entropy(sigmoid(h[t]), d[t])\n"
    )
    x = np.array([[[-800.0, 800.0]]])
    outputs, _, _ = module.forward({}, x, np.array([[[1.0, 0.0]]]))
    np.testing.assert_allclose(outputs["loss"].ravel(), [1600.0])
