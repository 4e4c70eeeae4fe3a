"""Recurrent layers in ONNX models: the operators RNN, GRU and LSTM, in either direction or both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from derive.errors import ArgumentError
from numeric.weights.conventions import ORDERS, gates_of, refuse_odd_numbers
from numeric.weights.files import checked_size, library, refuse_large
from numeric.weights.recurrent import Array, Kind, Named, Recurrent

_KINDS: Mapping[str, Kind] = {"RNN": "rnn", "GRU": "gru", "LSTM": "lstm"}
_USUAL = {"rnn": ["Tanh"], "gru": ["Sigmoid", "Tanh"], "lstm": ["Sigmoid", "Tanh", "Tanh"]}
_ACTIVATIONS = {"Tanh": "tanh", "Relu": "relu", "Sigmoid": "sigmoid"}
_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")


def onnx_layers(path: str | Path) -> Iterator[Named]:
    """Every direction of every recurrent node of a model.

    A node called N with both directions gives ``N.forward`` and ``N.reverse``. Reading one raises ArgumentError where
    it is none of the shipped cells.

    Raises:
        ArgumentError: the file is no ONNX model.
    """
    path = Path(path)
    checked_size(path)
    onnx = library("onnx", path)
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf raises its own
        raise ArgumentError(
            f"{path} cannot be read as ONNX: {type(error).__name__}.", "Check that it is whole."
        ) from error
    graph = model.graph
    constants = {each.name: each for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            constants[node.output[0]] = node.attribute[0].t
    for count, node in enumerate(node for node in graph.node if node.op_type in _KINDS):
        title = node.name or f"{node.op_type}_{count}"
        yield title, partial(_directions, onnx, constants, node, title)


def _array(onnx: Any, stored: Any, what: str) -> Array:
    """The numbers of a constant, if it holds as many as it says."""
    refuse_large(what, 8 * math.prod(stored.dims))
    try:
        return onnx.numpy_helper.to_array(stored)
    except (ValueError, TypeError) as error:
        shape = " × ".join(map(str, stored.dims))
        raise ArgumentError(
            f"{what} says that it is {shape}, and holds something else.", "Check that it is whole."
        ) from error


def _directions(
    onnx: Any, constants: Mapping[str, Any], node: Any, title: str
) -> Iterator[Recurrent]:
    kind = _KINDS[node.op_type]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    direction = attributes.get("direction", b"forward").decode()
    names = {role: name for role, name in zip(_INPUTS, node.input, strict=False) if name}
    tensors: dict[str, Array] = {}
    for role in ("W", "R", "B", "P"):
        if role in names:
            if names[role] not in constants:
                raise ArgumentError(
                    f"In the node {title}, {role} is computed by the model ({names[role]}), not stored.",
                    "Simplify the model, so that its weights are constants.",
                )
            tensors[role] = _array(onnx, constants[names[role]], f"{role} of the node {title}")
    runs = ["forward", "reverse"] if direction == "bidirectional" else [direction]
    _refuse_odd(title, kind, attributes, tensors, len(runs))
    refuse_odd_numbers(title, {names[role]: each for role, each in tensors.items()})
    activations = [a.decode() for a in attributes.get("activations", [])] or _USUAL[kind] * len(
        runs
    )
    for k, run in enumerate(runs):
        raw = {role: each[k : k + 1] for role, each in tensors.items()}
        width = raw["R"].shape[1]
        B = raw["B"][0] if "B" in raw else None
        yield Recurrent(
            f"{title}.{run}" if len(runs) > 1 else title,
            "onnx",
            kind,
            gates_of("onnx", kind, raw["W"][0], raw["R"][0],
                     None if B is None else B[:width], None if B is None else B[width:],
                     raw["P"][0] if "P" in raw else None),
            {names[role]: each.shape for role, each in tensors.items()},
            activation=_activation(title, kind, activations, k),
            reset_after=bool(attributes.get("linear_before_reset", 0)),
            reverse=run == "reverse",
            raw=raw,
            notes=() if B is not None else ("no bias: zeros are used",),
        )  # fmt: skip


def _activation(title: str, kind: Kind, activations: list[str], k: int) -> str:
    per = len(_USUAL[kind])
    own = activations[k * per : (k + 1) * per]
    if kind == "rnn" and own and own[0] in _ACTIVATIONS:
        return _ACTIVATIONS[own[0]]
    if own != _USUAL[kind]:
        raise ArgumentError(
            f"The node {title} uses the activations {', '.join(own) or 'none'}.",
            f"The shipped cells use {', '.join(_USUAL[kind])}; write such a cell in a file of your own.",
        )
    return "tanh"


def _refuse_odd(
    title: str, kind: Kind, attributes: Mapping[str, Any], tensors: Mapping[str, Array], runs: int
) -> None:
    """Refuses what changes the equations, and shapes that do not fit."""
    for name, meaning in (("clip", "clips its cells"), ("input_forget", "couples its gates")):
        if attributes.get(name):
            raise ArgumentError(f"The node {title} {meaning}; no shipped cell does so that way.",
                                "Write such a cell in a file of your own.")  # fmt: skip
    k = len(ORDERS["onnx"][kind])
    W, R = tensors.get("W", np.zeros(0)), tensors.get("R", np.zeros(0))
    n = R.shape[-1] if R.ndim == 3 else 0
    expected = {"W": (runs, k * n, W.shape[-1] if W.ndim else 0), "R": (runs, k * n, n),
                "B": (runs, 2 * k * n), "P": (runs, 3 * n)}  # fmt: skip
    for role in ("W", "R"):
        if role not in tensors:
            raise ArgumentError(f"The node {title} has no {role}.", "Check the model.")
    for role, each in tensors.items():
        if each.shape != expected[role] or n == 0:
            raise ArgumentError(
                f"In the node {title}, {role} has shape {each.shape}; expected {expected[role]}.",
                "Check the model.",
            )
