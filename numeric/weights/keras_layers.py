"""Recurrent layers in files of Keras: SimpleRNN, GRU and LSTM, alone or within Bidirectional."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from derive.errors import ArgumentError
from numeric.weights.conventions import KINDS, gates_of, refuse_odd_numbers
from numeric.weights.files import Tensors
from numeric.weights.recurrent import Array, Named, Recurrent

_NEW = re.compile(r"(.*?)/?cell/vars/1")
_OLD = re.compile(r"(.*)/recurrent_kernel(:0)?")
_CLASSES = ("SimpleRNN", "GRU", "LSTM", "SimpleRNNCell", "GRUCell", "LSTMCell")
_ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid", "linear": "identity"}


def keras_layers(tensors: Tensors) -> Iterator[Named]:
    """Every direction of every recurrent layer, in both layouts of Keras's files.

    Keras 3 writes ``layers/lstm/cell/vars/0`` and the layer's own name as an attribute; older files
    ``model_weights/NAME/…/lstm_cell/kernel:0``. A direction within Bidirectional is called by its own name
    behind that of Bidirectional (``both.forward_lstm``), a cell within StackedRNNCells by its own name behind that of
    the stack. Reading one raises ArgumentError where shapes or activations
    are not those of a shipped cell.
    """
    for name in tensors.arrays:
        if found := _NEW.fullmatch(name):
            base = name[: -len("1")]
            around = [tensors.labels.get(f"{part}/vars") for part in _ancestors(found[1])]
            labels = [label for label in around[1:] if label] or [found[1].rsplit("/", 1)[-1]]
            names = (f"{base}0", name, f"{base}2")
            labels, config = _told(tensors, labels, tensors.labels.get(base.rstrip("/"), ""))
            yield ".".join(labels), partial(_layer, tensors, labels, names, found[1], config)
        elif found := _OLD.fullmatch(name):
            base, tail = found[1], found[2] or ""
            parts = [p for p in base.split("/")[:-1] if p != "model_weights"]
            names = (f"{base}/kernel{tail}", name, f"{base}/bias{tail}")
            labels = list(dict.fromkeys([*parts[:1], *parts[-1:]])) or [base]
            labels, config = _told(tensors, labels, base.rsplit("/", 1)[-1])
            yield ".".join(labels), partial(_layer, tensors, labels, names, base, config)


def _told(tensors: Tensors, labels: list[str], cell: str) -> tuple[list[str], Mapping[str, Any]]:
    """The labels of a layer, and what the file says of its equations: where the layer was given a cell, that cell's."""
    layer = tensors.config.get(labels[-1], {})
    if "cells" in layer:
        labels = [*labels, cell]
    given = [layer.get("cell"), *_listed(layer.get("cells"))]
    for each in (each for each in given if isinstance(each, dict)):
        own = each.get("config")
        if isinstance(own, dict) and ("cell" in layer or own.get("name") == cell):
            back = any(tensors.config.get(k, {}).get("go_backwards") for k in labels)
            return labels, {**own, "go_backwards": back, "class_name": each.get("class_name")}
    return labels, layer


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _ancestors(path: str) -> list[str]:
    """The groups around a group, from the outermost to itself; first the root."""
    parts = path.split("/")
    return ["/".join(parts[:k]) for k in range(len(parts) + 1)]


def _layer(
    tensors: Tensors,
    labels: list[str],
    names: tuple[str, str, str],
    path: str,
    config: Mapping[str, Any],
) -> Iterator[Recurrent]:
    """The layer whose own name is the last label, those of the layers around it before it."""
    label = labels[-1]
    kernel, recurrent, bias = (tensors.arrays.get(each) for each in names)
    if kernel is None or recurrent is None or kernel.ndim != 2 or recurrent.ndim != 2:
        raise ArgumentError(f"The layer {label} has no matrix {names[0]}.", "Check the file.")
    n = recurrent.shape[0]
    kind = KINDS.get(recurrent.shape[1] // n if n and recurrent.shape[1] % n == 0 else 0)
    width = recurrent.shape[1]
    fits = bias is None or bias.shape in ((width,), (2, width))
    if kind is None or kernel.shape[1] != width or not fits:
        raise ArgumentError(
            f"The layer {label} has kernels of shape {kernel.shape} and {recurrent.shape}, "
            f"and a bias of shape {None if bias is None else bias.shape}.",
            "Expected (m, k n), (n, k n) and (k n,) or (2, k n) with k = 1, 3 or 4.",
        )
    own = {each: tensors.arrays[each] for each in names if each in tensors.arrays}
    refuse_odd_numbers(label, own)
    both = bias is not None and bias.ndim == 2
    b, a = (bias[0], bias[1]) if bias is not None and both else (bias, None)
    reverse = "backward_layer" in path or "/backward_" in path or bool(config.get("go_backwards"))
    reset_after = bool(config.get("reset_after", both or bias is None)) and kind == "gru"
    notes = () if bias is not None else ("no bias: zeros are used",)
    if not config:
        notes += ("the file has no configuration: the usual activations are assumed",)
        if kind == "gru" and bias is None:
            notes += ("the reset gate is assumed to act after the product, as is usual",)
    yield Recurrent(
        ".".join(labels),
        "keras",
        kind,
        gates_of("keras", kind, kernel.T, recurrent.T, b, a),
        {each: array.shape for each, array in own.items()},
        activation=_activation(label, kind, config),
        reset_after=reset_after,
        reverse=reverse,
        raw=_raw(kernel, recurrent, bias),
        notes=notes,
    )


def _raw(kernel: Array, recurrent: Array, bias: Array | None) -> dict[str, Array]:
    found = {"kernel": kernel, "recurrent_kernel": recurrent}
    return found if bias is None else found | {"bias": bias}


def _activation(label: str, kind: str, config: Mapping[str, Any]) -> str:
    """The activation, refused where the shipped cells do not have it."""
    if config and config.get("class_name") not in _CLASSES:
        raise ArgumentError(
            f"The layer {label} is a {config.get('class_name')}, of which no equations are known here.",
            "Write such a cell in a file of your own, and give its parameters as .npz.",
        )
    name = _called(config.get("activation", "tanh"))
    gate = _called(config.get("recurrent_activation", "sigmoid"))
    if kind != "rnn" and (name != "tanh" or gate != "sigmoid"):
        raise ArgumentError(
            f"The layer {label} uses {name!r} and, in its gates, {gate!r}; the shipped cells use tanh and sigmoid.",
            "Write such a cell in a file of your own, and give its parameters as .npz.",
        )
    if name not in _ACTIVATIONS:
        raise ArgumentError(
            f"The layer {label} uses {name!r}; elman knows {', '.join(_ACTIVATIONS)}.",
            "Write such a cell in a file of your own, and give its parameters as .npz.",
        )
    return _ACTIVATIONS[name]


def _called(function: Any) -> Any:
    """The name of an activation; a function of the user's own has none of Keras's, whatever it is called."""
    return f"the function {function.get('config')}" if isinstance(function, dict) else function
