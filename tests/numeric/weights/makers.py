"""Models of other frameworks, small and random, written to files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def torch_model(path: Path, seed: int = 0) -> Any:
    """A bidirectional LSTM of two layers, a GRU, an RNN without biases and a single GRU cell, as safetensors."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.enc = torch.nn.LSTM(3, 5, num_layers=2, bidirectional=True)
            self.gru = torch.nn.GRU(4, 6)
            self.plain = torch.nn.RNN(4, 3, bias=False)
            self.cell = torch.nn.GRUCell(2, 3)

    model = Model()
    save_file(model.state_dict(), str(path))
    return model


def keras_model(seed: int = 1) -> Any:
    """An LSTM, a bidirectional GRU, a GRU that resets before the product, and a relu layer."""
    pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.LSTM(5, name="memory", return_sequences=True, bias_initializer="random_normal"),
            layers.Bidirectional(
                layers.GRU(4, name="both", return_sequences=True, bias_initializer="random_normal"),
                name="bi",
            ),
            layers.GRU(2, reset_after=False, name="old", return_sequences=True),
            layers.SimpleRNN(3, activation="relu", name="simple", use_bias=False),
        ]
    )


def onnx_model(path: Path, seed: int = 0) -> None:
    """An LSTM in both directions, one with peepholes, GRUs with either reset, and a relu RNN."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(seed)
    n, m = 4, 3
    nodes, tensors = [], []
    for op, gates, runs, name, options in (
        ("LSTM", 4, 2, "both", {"direction": "bidirectional"}),
        ("LSTM", 4, 1, "peep", {}),
        ("GRU", 3, 2, "after", {"direction": "bidirectional", "linear_before_reset": 1}),
        ("GRU", 3, 1, "before", {"direction": "reverse"}),
        ("RNN", 1, 1, "plain", {"activations": ["Relu"]}),
    ):
        shapes = {"W": (gates * n, m), "R": (gates * n, n), "B": (2 * gates * n,)}
        if name == "peep":
            shapes["P"] = (3 * n,)
        inputs = ["X", *(f"{name}_{role}" for role in "WRB"), "", "", "", ""]
        if name == "peep":
            inputs[7] = f"{name}_P"
        for role, shape in shapes.items():
            array = rng.standard_normal((runs, *shape)).astype(np.float32)
            tensors.append(numpy_helper.from_array(array, f"{name}_{role}"))
        while not inputs[-1]:
            inputs.pop()
        nodes.append(helper.make_node(op, inputs, [f"{name}_Y"], name, hidden_size=n, **options))
    real = TensorProto.FLOAT
    given = helper.make_tensor_value_info("X", real, ["T", "B", m])
    made = [helper.make_tensor_value_info(node.output[0], real, None) for node in nodes]
    graph = helper.make_graph(nodes, "layers", [given], made, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, str(path))
