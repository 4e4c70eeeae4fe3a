"""Loaded weights against the framework they come from: is the shipped cell with these parameters that very layer?"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from derive import catalog
from derive.derivation import derive
from numeric.source import generate
from numeric.weights.recurrent import Recurrent
from proofs.modules import load_source
from proofs.table import Check, measured, not_applicable

Array = np.ndarray
T, B = 7, 3
_TORCH_CLASSES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}


def weights_check(layer: Recurrent, seed: int = 0) -> Check:
    """The layer's outputs, as our code and as the framework computes them from the file's own tensors.

    Args:
        layer: as loaded.
        seed: of the random inputs and initial states.

    Returns:
        A row of the table; not applicable where the framework is not installed. The bound is rounding: in float64
        for torch, in float32 for Keras and onnxruntime.
    """
    needs, run, bound = _RUNNERS[layer.framework]
    what = f"{layer.spec} with the weights of {layer.name} against {needs[0]}"
    if absent := [name for name in needs if find_spec(name) is None]:
        return not_applicable("loaded weights", what, f"{absent[0]} is not installed")
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((T, B, layer.m))
    start = {name: rng.standard_normal((B, layer.n)) for name in ("h", "c")}
    ours = outputs_of(layer, x, start)
    theirs = run(layer, x, start)
    error = float(np.linalg.norm(ours - theirs) / max(1e-30, float(np.linalg.norm(theirs))))
    return measured("loaded weights", what, f"T={T} B={B} n={layer.n} m={layer.m}", error, bound)


def weights_gradient_check(layer: Recurrent, seed: int = 0) -> Check:
    """The gradients of the generated code at the loaded weights, against a complex step along random directions.

    Law: for a loss ⟨v, h⟩, Im L(θ + iεd) / ε = ⟨∂L/∂θ, d⟩ up to rounding (Squire and Trapp, 1998), jointly in the
    parameters, the inputs and the initial state.

    Args:
        layer: as loaded.
        seed: of the inputs, the states, the loss and the directions.
    """
    code = load_source(generate(derive(catalog.load(layer.spec))))
    rng = np.random.default_rng(seed)
    state = {
        k: rng.standard_normal(v.shape) for k, v in code.init_state(B, layer.n, layer.m).items()
    }
    given = (layer.parameters, {"x": rng.standard_normal((T, B, layer.m))}, state)
    outputs, _, cache = code.forward(given[0], given[1]["x"], given[2])
    weight = {k: rng.standard_normal(v.shape) for k, v in outputs.items()}
    found = code.backward(given[0], cache, weight)
    along = [{k: rng.standard_normal(np.shape(v)) for k, v in part.items()} for part in given]
    turned = [
        {k: v + 1e-30j * d[k] for k, v in part.items()}
        for part, d in zip(given, along, strict=True)
    ]
    moved, _, _ = code.forward(turned[0], turned[1]["x"], turned[2])
    true = sum(float(np.sum(weight[k] * v.imag)) for k, v in moved.items()) / 1e-30
    ours = sum(
        float(np.sum(part[k] * d[k])) for part, d in zip(found, along, strict=True) for k in d
    )
    size = sum(
        float(np.linalg.norm(part[k]) * np.linalg.norm(d[k]))
        for part, d in zip(found, along, strict=True)
        for k in d
    )
    what = f"every gradient of {layer.spec} at the weights of {layer.name} against a complex step"
    sizes = f"T={T} B={B} n={layer.n} m={layer.m}"
    return measured(
        "gradients at loaded weights", what, sizes, abs(ours - true) / max(size, 1e-30), 1e-11
    )


def outputs_of(layer: Recurrent, x: Array, start: Mapping[str, Array]) -> Array:
    """The states h of every step, (T, B, n), as the code generated for the shipped cell computes them.

    Args:
        layer: as loaded; if it reads backwards, so does this, and the states come in the order of x.
        x: (T, B, m).
        start: h, and c for an lstm, before the first step; (B, n).
    """
    module = load_source(generate(derive(catalog.load(layer.spec))))
    names = ("h", "c") if layer.kind == "lstm" else ("h",)
    turned = x[::-1].copy() if layer.reverse else x
    outputs, _, _ = module.forward(layer.parameters, turned, {name: start[name] for name in names})
    return outputs["h"][::-1] if layer.reverse else outputs["h"]


def _torch(layer: Recurrent, x: Array, start: Mapping[str, Array]) -> Array:
    import torch

    kind = getattr(torch.nn, _TORCH_CLASSES[layer.kind])
    only = {"nonlinearity": layer.activation} if layer.kind == "rnn" else {}
    module = kind(layer.m, layer.n, bias="bias_ih" in layer.raw, **only).double()
    state = {f"{k}_l0": torch.tensor(np.asarray(v, np.float64)) for k, v in layer.raw.items()}
    module.load_state_dict(state)
    h, c = (torch.tensor(start[name])[None] for name in ("h", "c"))
    turned = torch.tensor(x[::-1].copy() if layer.reverse else x)
    with torch.no_grad():
        found = module(turned, (h, c) if layer.kind == "lstm" else h)[0].numpy()
    return found[::-1] if layer.reverse else found


def _keras(layer: Recurrent, x: Array, start: Mapping[str, Array]) -> Array:
    if find_spec("tensorflow") is None:
        os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    options: dict[str, Any] = {"use_bias": "bias" in layer.raw, "return_sequences": True}
    if layer.kind == "gru":
        made = keras.layers.GRU(layer.n, reset_after=layer.reset_after, **options)
    elif layer.kind == "lstm":
        made = keras.layers.LSTM(layer.n, **options)
    else:
        name = {"identity": "linear"}.get(layer.activation, layer.activation)
        made = keras.layers.SimpleRNN(layer.n, activation=name, **options)
    turned = (x[::-1] if layer.reverse else x).transpose(1, 0, 2).astype(np.float32)
    made.build(turned.shape)
    made.set_weights(list(layer.raw.values()))
    states = [start[name].astype(np.float32) for name in ("h", "c")]
    h = made(turned, initial_state=states if layer.kind == "lstm" else states[:1])
    found = keras.ops.convert_to_numpy(h).transpose(1, 0, 2).astype(np.float64)
    return found[::-1] if layer.reverse else found


def _onnx(layer: Recurrent, x: Array, start: Mapping[str, Array]) -> Array:
    import onnxruntime

    from numeric.weights.onnx_export import onnx_model

    model = onnx_model(layer, raw=layer.raw)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    given = {"X": x.astype(np.float32), "initial_h": start["h"][None].astype(np.float32)}
    if layer.kind == "lstm":
        given["initial_c"] = start["c"][None].astype(np.float32)
    return np.asarray(session.run(["Y"], given)[0], np.float64)[:, 0]


_RUNNERS: Mapping[
    str,
    tuple[tuple[str, ...], Callable[[Recurrent, Array, Mapping[str, Array]], Array], float],
] = {
    "torch": (("torch",), _torch, 1e-12),
    "keras": (("keras",), _keras, 1e-5),
    "onnx": (("onnxruntime", "onnx"), _onnx, 1e-5),
}
