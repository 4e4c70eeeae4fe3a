"""A recurrent layer as an ONNX model of one node, for onnxruntime and whatever else reads ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from numeric.weights.conventions import to_onnx_tensors
from numeric.weights.files import library
from numeric.weights.recurrent import Array, Recurrent

_OPERATORS = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}
_NAMES = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "identity": "Affine"}
OPSET = 17


def onnx_model(layer: Recurrent, *, raw: Mapping[str, Array] | None = None) -> Any:
    """A model with inputs X (T, B, m), initial_h and, for an lstm, initial_c (1, B, n), and outputs Y, Y_h, Y_c.

    Args:
        layer: the layer.
        raw: its tensors W, R, B and P in ONNX's order, if it came with them; made from its gates if left out.

    Returns:
        An ``onnx.ModelProto`` in float32, which ``onnx.save`` writes.

    Raises:
        ArgumentError: onnx is not installed.
    """
    onnx = library("onnx", "An ONNX model")
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    tensors = to_onnx_tensors(layer) if raw is None else dict(raw)
    lstm = layer.kind == "lstm"
    states = ["h", "c"] if lstm else ["h"]
    inputs = ["X", "W", "R", "B" if "B" in tensors else "", ""]
    inputs += [f"initial_{s}" for s in states] + (["P"] if "P" in tensors else [])
    attributes: dict[str, Any] = {
        "hidden_size": layer.n,
        "direction": "reverse" if layer.reverse else "forward",
    }
    if layer.kind == "gru":
        attributes["linear_before_reset"] = int(layer.reset_after)
    if layer.kind == "rnn":
        attributes["activations"] = [_NAMES[layer.activation]]
        if layer.activation == "identity":
            attributes |= {"activation_alpha": [1.0], "activation_beta": [0.0]}
    outputs = ["Y", *(f"Y_{s}" for s in states)]
    node = helper.make_node(_OPERATORS[layer.kind], inputs, outputs, layer.name, **attributes)
    last = ["one", "B", layer.n]
    graph = helper.make_graph(
        [node],
        layer.name,
        [helper.make_tensor_value_info("X", real, ["T", "B", layer.m])]
        + [helper.make_tensor_value_info(f"initial_{s}", real, [1, "B", layer.n]) for s in states],
        [helper.make_tensor_value_info("Y", real, ["T", "one", "B", layer.n])]
        + [helper.make_tensor_value_info(f"Y_{s}", real, last) for s in states],
        [
            onnx.numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name)
            for name, array in tensors.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model
