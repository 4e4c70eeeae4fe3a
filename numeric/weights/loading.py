"""Recurrent layers from a weight file, whatever framework wrote it."""

from __future__ import annotations

from pathlib import Path

from derive.errors import ArgumentError
from numeric.weights.files import read_tensors
from numeric.weights.keras_layers import keras_layers
from numeric.weights.onnx_layers import onnx_layers
from numeric.weights.recurrent import Recurrent
from numeric.weights.torch_layers import torch_layers


def recurrent_layers(path: str | Path) -> tuple[Recurrent, ...]:
    """Every direction of every recurrent layer in a file.

    Args:
        path: .safetensors or .npz (a state dict of torch), .keras or .h5 (Keras), .onnx.

    Raises:
        ArgumentError: the file cannot be read, or a layer in it is none of the shipped cells.
    """
    if Path(path).suffix.lower() == ".onnx":
        return onnx_layers(path)
    tensors = read_tensors(path)
    return (*torch_layers(tensors), *keras_layers(tensors))


def chosen_layers(path: str | Path, name: str | None = None) -> tuple[Recurrent, ...]:
    """The layer of this name, or all of them.

    A name stands for every layer that begins with it: ``lstm`` for ``lstm.l0`` and ``lstm.l0.reverse``.

    Args:
        path: the weight file.
        name: of a layer; all if left out.

    Raises:
        ArgumentError: there is none, or none of this name.
    """
    layers = recurrent_layers(path)
    if not layers:
        raise ArgumentError(
            f"{path} holds no recurrent layer of torch, Keras or ONNX.",
            "Give the parameters of your own cell as .npz, under their names in the cell.",
        )
    chosen = (
        layers if name is None else tuple(x for x in layers if f"{x.name}.".startswith(f"{name}."))
    )
    if not chosen:
        there = ", ".join(layer.name for layer in layers)
        raise ArgumentError(f"{path} has no recurrent layer {name!r}.", f"It has {there}.")
    return chosen
