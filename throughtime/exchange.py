"""Parameters out of other frameworks' files, and a cell's parameters back into their conventions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from derive import catalog
from derive.cell import Cell
from derive.errors import ArgumentError
from numeric.weights.conventions import to_keras, to_torch
from numeric.weights.files import read_tensors
from numeric.weights.loading import chosen_layers
from numeric.weights.onnx_export import onnx_model
from numeric.weights.recurrent import EXPORTED, Recurrent, recurrent_of

if TYPE_CHECKING:
    from proofs.table import Check
    from throughtime.model import Model

Convention = Literal["torch", "keras"]
_CONVENTIONS = {"torch": to_torch, "keras": to_keras}


def load_weights(path: str | Path, layer: str | None = None) -> tuple[Recurrent, ...]:
    """The recurrent layers of a model made elsewhere, each with its shipped cell and that cell's parameters.

    Args:
        path: .safetensors or .npz (a state dict of torch), .keras or .h5 (Keras), .onnx. Loading executes nothing.
        layer: a layer's name; all if left out. ``lstm`` stands for ``lstm.l0``, ``lstm.l0.reverse`` and so on.

    Returns:
        One ``Recurrent`` a direction: ``.spec`` is what ``throughtime.load`` takes, ``.parameters`` are its parameters,
        ``.used()`` says which tensors of the file they came from.

    Raises:
        ArgumentError: the file cannot be read, or a layer in it is none of the shipped cells.
    """
    return chosen_layers(path, layer)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A cell with a user's own weights.

    Args:
        spec: the cell.
        parameters: its parameters by name.
        label: file and layer, for a reader.
        check: the comparison with the framework; none for weights that bear the cell's own names.
        layer: the layer as it was found; none for weights that bear the cell's own names.
        told: which tensors were used, and what was assumed.
    """

    spec: str
    parameters: Mapping[str, np.ndarray]
    label: str
    check: Check | None = None
    layer: Recurrent | None = None
    told: str = ""


def loaded(path: str | Path, spec: str | None = None, layer: str | None = None) -> list[Loaded]:
    """What a weight file holds: a cell's parameters by their own names, or layers of a framework.

    Args:
        path: the file.
        spec: the cell whose parameters they are; found by itself for layers of torch, Keras and ONNX.
        layer: a layer's name; all if left out.

    Raises:
        ArgumentError: the file cannot be read, or it holds nothing that is known.
    """
    path = Path(path)
    if spec is not None and path.suffix.lower() in (".npz", ".safetensors"):
        arrays = read_tensors(path).arrays
        own = {q.name for q in catalog.load(spec).parameters}
        if own & set(arrays) or not chosen_layers(path, layer):
            return [Loaded(spec, arrays, str(path))]
    return [_from_layer(path, each, spec) for each in chosen_layers(path, layer)]


def _from_layer(path: Path, layer: Recurrent, spec: str | None) -> Loaded:
    from proofs.weights_check import weights_check

    layer = layer.told(spec or "")
    check = weights_check(layer)
    whose = (
        f"forward values of {layer.spec}" if spec not in (None, layer.spec) else "forward values"
    )
    way = ", read from the end" if layer.reverse else ""
    lines = [
        f"{layer.name}: {layer.framework} {layer.kind}{way}, as {spec or layer.spec}",
        *(f"  {line}" for line in layer.used().splitlines()),
        *(f"  {note}" for note in layer.notes),
        f"  {whose} compared with {layer.framework}: "
        + (
            check.note
            if check.verdict == "not applicable"
            else f"{check.figure:.1e}, {check.verdict}"
        ),
    ]
    label = f"{path.name}: {layer.name}"
    return Loaded(spec or layer.spec, layer.parameters, label, check, layer, "\n".join(lines))


def state_dict(
    model: Model, params: Mapping[str, np.ndarray], convention: Convention
) -> dict[str, np.ndarray]:
    """A cell's parameters as another framework names and stacks them.

    Args:
        model: of a cell that the framework has: lstm, gru_reset_after, gru_mirrored, elman.
        params: the cell's parameters.
        convention: torch (``weight_ih_l0``, …) or keras (``kernel``, …).

    Raises:
        ArgumentError: the framework has no such cell, or a parameter is missing or has a wrong shape.
    """
    if convention not in _CONVENTIONS:
        raise ArgumentError(
            f"There is no convention {convention!r}.", f"Choose from {', '.join(_CONVENTIONS)}."
        )
    return _CONVENTIONS[convention](_layer(model, params))


def to_onnx(model: Model, params: Mapping[str, np.ndarray]) -> Any:
    """A cell's parameters as an ONNX model of one node; see ``numeric.weights.onnx_export.onnx_model``.

    Raises:
        ArgumentError: ONNX has no such cell, a parameter does not fit, or onnx is not installed.
    """
    return onnx_model(_layer(model, params))


def _layer(model: Model, params: Mapping[str, np.ndarray]) -> Recurrent:
    """The layer that a cell with these parameters is."""
    spec = _shipped_alike(model.cell)
    if spec is None:
        raise ArgumentError(
            f"No framework has the cell {model.name}.",
            f"They have {', '.join(EXPORTED)}; for any other cell there is to_torch.",
        )
    arrays = {name: np.asarray(value) for name, value in params.items()}
    wanted = {q.name: q.shape for q in model.cell.parameters}
    sizes: dict[str, int] = {}
    for name, shape in wanted.items():
        if name not in arrays:
            raise ArgumentError(f"The parameter {name} is missing.", f"Give {', '.join(wanted)}.")
        expected = [str(size) for size in shape if str(size) != "1"]
        found = arrays[name].shape
        if len(found) != len(expected) or any(
            sizes.setdefault(dim, length) != length
            for dim, length in zip(expected, found, strict=True)
        ):
            raise ArgumentError(
                f"The parameter {name} has shape {found}; expected ({', '.join(expected)}) with "
                f"{', '.join(f'{d} = {k}' for d, k in sizes.items())}.",
                "Check the array.",
            )
    return recurrent_of(spec, arrays)


def _shipped_alike(cell: Cell) -> str | None:
    """The exported cell with the same equations."""
    for name in EXPORTED:
        specs = [f"{name}:g={g}" for g in ("tanh", "relu", "sigmoid", "identity")]
        for spec in specs if name == "elman" else [name]:
            if [(e.target, e.expr) for e in catalog.load(spec).equations] == [
                (e.target, e.expr) for e in cell.equations
            ]:
                return spec
    return None
