"""Recurrent layers from a weight file, whatever framework wrote it."""

from __future__ import annotations

from pathlib import Path

from derive.errors import ArgumentError
from numeric.weights.files import read_tensors
from numeric.weights.keras_layers import keras_layers
from numeric.weights.onnx_layers import onnx_layers
from numeric.weights.recurrent import Named, Recurrent
from numeric.weights.torch_layers import torch_layers


def recurrent_layers(path: str | Path) -> tuple[Recurrent, ...]:
    """Every direction of every recurrent layer in a file.

    Args:
        path: .safetensors or .npz (a state dict of torch), .keras or .h5 (Keras), .onnx.

    Raises:
        ArgumentError: the file cannot be read, or a layer in it is none of the shipped cells.
    """
    return tuple(layer for _, read in _named(path) for layer in read())


def _named(path: str | Path) -> tuple[Named, ...]:
    """The layers of a file by name, none of them read yet."""
    if Path(path).suffix.lower() == ".onnx":
        return tuple(onnx_layers(path))
    tensors = read_tensors(path)
    return (*torch_layers(tensors), *keras_layers(tensors))


def chosen_layers(path: str | Path, name: str | None = None) -> tuple[Recurrent, ...]:
    """The layer of this name, or all of them.

    A name stands for every layer that begins with it: ``lstm`` for ``lstm.l0`` and ``lstm.l0.reverse``. What the file
    holds besides may be none of the shipped cells.

    Args:
        path: the weight file.
        name: of a layer; all if left out.

    Raises:
        ArgumentError: there is none, or none of this name, or one that is chosen is none of the shipped cells.
    """
    named = _named(path)
    if not named:
        raise ArgumentError(
            f"{path} holds no recurrent layer of torch, Keras or ONNX.",
            "Give the parameters of your own cell as .npz, under their names in the cell.",
        )
    if name is None:
        return tuple(layer for _, read in named for layer in read())
    chosen = tuple(
        layer
        for title, read in named
        if _within(title, name) or _within(name, title)
        for layer in read()
        if _within(layer.name, name)
    )
    if not chosen:
        there = ", ".join(title for title, _ in named)
        raise ArgumentError(f"{path} has no recurrent layer {name!r}.", f"It has {there}.")
    return chosen


def _within(name: str, outer: str) -> bool:
    """Whether a name begins with another, part by part."""
    return f"{name}.".startswith(f"{outer}.")
