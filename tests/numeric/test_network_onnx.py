"""Networks against onnxruntime's RNN, GRU and LSTM on random weights, in both directions at once."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from tests.generated import module_of
from tests.networks import read, source_of
from tests.oracle import assert_close

pytestmark = pytest.mark.needs("onnx", "onnxruntime")
T, B, N, M = 6, 3, 4, 5

OUTPUTS = {"Y": (T, 2, B, N), "Y_h": (2, B, N), "Y_c": (2, B, N)}

# Our cell, ONNX's operator, the gates in ONNX's order by our names, and its attributes.
CASES = {
    "RNN": ("elman", "RNN", [""], {}),
    "GRU, reset before the product": (
        "gru_mirrored",
        "GRU",
        ["_z", "_r", "_g"],
        {"linear_before_reset": 0},
    ),
    "GRU, reset after the product": (
        "gru_reset_after",
        "GRU",
        ["_z", "_r", "_g"],
        {"linear_before_reset": 1},
    ),
    "LSTM": ("lstm", "LSTM", ["_i", "_o", "_f", "_g"], {}),
}


def module_for(cell: str) -> ModuleType:
    return module_of(source_of(read(f"f = scan({cell}, x[t])\nb = scan({cell}, x[t], reverse)")))


def by_onnx(operator: str, attributes: dict, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What onnxruntime computes: Y (T, directions, B, n), Y_h, and Y_c for an LSTM."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    names = ["X", "W", "R", "B", "", "initial_h"] + ["initial_c"] * (operator == "LSTM")
    outs = ["Y", "Y_h"] + ["Y_c"] * (operator == "LSTM")
    node = helper.make_node(
        operator, names, outs, hidden_size=N, direction="bidirectional", **attributes
    )
    of = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    graph = helper.make_graph(
        [node],
        "one",
        [of(k, v.shape) for k, v in inputs.items()],
        [of(k, OUTPUTS[k]) for k in outs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {k: v.astype(np.float32) for k, v in inputs.items()})


@pytest.mark.parametrize("case", CASES)
def test_forward_values_in_both_directions_equal_onnxruntime(case: str) -> None:
    cell, operator, gates, attributes = CASES[case]
    module = module_for(cell)
    rng = np.random.default_rng(3)
    shapes = module.parameter_shapes(N, M, N)
    params = {k: 0.5 * rng.standard_normal(v) for k, v in shapes.items()}
    x, h, c = (rng.standard_normal(s) for s in ((T, B, M), (2, B, N), (2, B, N)))
    count = len(gates)
    W = np.stack([np.concatenate([params[f"{s}_U{g}"] for g in gates]) for s in "fb"])
    R = np.stack([np.concatenate([params[f"{s}_W{g}"] for g in gates]) for s in "fb"])
    bias = np.zeros((2, 2 * count * N))
    for i, s in enumerate("fb"):
        bias[i, : count * N] = np.concatenate([params[f"{s}_b{g}"] for g in gates])
        if cell == "gru_reset_after":  # the bias inside the reset's product
            bias[i, -N:] = params[f"{s}_a_g"]
    inputs = {"X": x, "W": W, "R": R, "B": bias, "initial_h": h}
    state = {f"{s}_h": h[i] for i, s in enumerate("fb")}
    if cell == "lstm":
        inputs["initial_c"] = c
        state |= {f"{s}_c": c[i] for i, s in enumerate("fb")}
    outputs, final, _ = module.forward(params, x, state)
    Y, *ends = by_onnx(operator, attributes, inputs)
    mine = {s: outputs[f"{s}_h"] for s in "fb"}
    assert_close(mine, {s: Y[:, i] for i, s in enumerate("fb")}, 2e-6)
    last = {
        f"{s}_{k}": end[i] for k, end in zip("hc", ends, strict=False) for i, s in enumerate("fb")
    }
    assert_close({k: final[k] for k in last}, last, 2e-6)
    single, _, _ = module.forward(
        {k: v.astype(np.float32) for k, v in params.items()},
        x.astype(np.float32),
        {k: v.astype(np.float32) for k, v in state.items()},
    )
    assert_close(
        {s: single[f"{s}_h"] for s in "fb"}, {s: Y[:, i] for i, s in enumerate("fb")}, 2e-6
    )
