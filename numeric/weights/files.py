"""Weight files as names and arrays: npz, safetensors, Keras and HDF5. They are data; nothing in them is executed."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np

from derive.errors import ArgumentError
from numeric.weights.recurrent import Array

LIMIT = 2**31
"""Bytes: the largest file that is read, and the most that a compressed one may unpack to."""
_PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


@dataclass(frozen=True)
class Tensors:
    """What a weight file holds.

    Args:
        path: the file.
        arrays: its tensors by name.
        labels: for Keras, the name that a group of tensors says it has.
        config: for Keras, the configuration of each layer by its name.
    """

    path: Path
    arrays: Mapping[str, Array]
    labels: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_tensors(path: str | Path) -> Tensors:
    """The tensors of a file.

    Args:
        path: ends in .npz, .safetensors, .keras, .h5 or .hdf5.

    Raises:
        ArgumentError: the file is missing, too large, damaged, or of another kind.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind in _PICKLED:
        raise ArgumentError(
            f"{path} is a pickle, and loading one runs whatever code it holds.",
            "Where you trust it: safetensors.torch.save_file(torch.load(F, weights_only=True), 'model.safetensors').",
        )
    if kind not in _READERS:
        known = ", ".join([*_READERS, ".onnx"])
        raise ArgumentError(f"{path} is no weight file known here.", f"Known endings: {known}.")
    checked_size(path)
    try:
        return _READERS[kind](path)
    except ArgumentError:
        raise
    except MemoryError as error:
        raise ArgumentError(
            f"{path} needs more memory than there is.", "Take a smaller model."
        ) from error
    except Exception as error:  # whatever a library says of a damaged file
        first = (str(error).splitlines() or [""])[0][:200]
        raise ArgumentError(
            f"{path} cannot be read as {kind}: {type(error).__name__}: {first}",
            "Check that it is whole, and that its ending fits what it is.",
        ) from error


def checked_size(path: Path) -> None:
    """Refuses what is no file, or larger than the limit.

    Raises:
        ArgumentError: says so.
    """
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.", "Check the path.")
    if (size := path.stat().st_size) > LIMIT:
        raise ArgumentError(
            f"{path} has {size:,} bytes; at most {LIMIT:,} are read.",
            "Save the recurrent layers alone.",
        )


def refuse_large(what: str, size: int) -> None:
    """Refuses an array that says to be larger than the limit.

    Raises:
        ArgumentError: says its size and the limit.
    """
    if size > LIMIT:
        raise ArgumentError(
            f"{what} has {size:,} bytes; at most {LIMIT:,} are read.", "Take a smaller model."
        )


def library(name: str, path: Path | str) -> ModuleType:
    """An optional library.

    Raises:
        ArgumentError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ArgumentError(
            f"{path if isinstance(path, str) else path.name} needs {name}, which is not installed.",
            "pip install 'throughtime[interop]'",
        ) from error


def _npz(path: Path) -> Tensors:
    with zipfile.ZipFile(path) as archive:
        _refuse_bomb(path, archive)
        for entry in archive.infolist():
            if entry.filename.endswith(".npy"):
                with archive.open(entry) as member:
                    refuse_large(f"{entry.filename} in {path}", _stated_size(member))
    with np.load(path, allow_pickle=False) as file:
        return Tensors(path, {name: file[name] for name in file.files})


def _stated_size(member: IO[bytes]) -> int:
    """The bytes that the head of a .npy file says its array has."""
    old = np.lib.format.read_magic(member) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    return math.prod(map(int, shape)) * dtype.itemsize


def _safetensors(path: Path) -> Tensors:
    numpy = library("safetensors", path)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        refuse_large(f"the head of {path}", length)
        head = json.loads(file.read(length))
    for name, entry in head.items():
        if name != "__metadata__":
            bits = int((re.findall(r"\d+", entry["dtype"]) or ["8"])[0])
            refuse_large(f"{name} in {path}", math.prod(map(int, entry["shape"])) * bits // 8)
    with numpy.safe_open(path, framework="np") as file:
        return Tensors(path, {name: file.get_tensor(name) for name in sorted(file.keys())})


def _keras(path: Path) -> Tensors:
    with zipfile.ZipFile(path) as archive:
        _refuse_bomb(path, archive)
        weights = archive.read("model.weights.h5")
        config = json.loads(archive.read("config.json"))
    return _hdf5(path, io.BytesIO(weights), configurations(config))


def _h5(path: Path) -> Tensors:
    h5py = library("h5py", path)
    with h5py.File(path, "r") as file:
        text = file.attrs.get("model_config")
    found = configurations(json.loads(text)) if text is not None else {}
    return _hdf5(path, path, found)


def _hdf5(path: Path, file: Any, config: Mapping[str, Mapping[str, Any]]) -> Tensors:
    h5py = library("h5py", path)
    arrays: dict[str, Array] = {}
    labels: dict[str, str] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            refuse_large(f"{name} in {path}", int(item.size) * item.dtype.itemsize)
            if item.dtype.kind == "f":
                arrays[name] = item[()]
        elif isinstance(label := item.attrs.get("name"), str):
            labels[name] = label

    with h5py.File(file, "r") as opened:
        opened.visititems(visit)
    return Tensors(path, arrays, labels, config)


def configurations(config: Any, depth: int = 0) -> dict[str, Mapping[str, Any]]:
    """The configuration of every layer by its name, those within other layers included."""
    found: dict[str, Mapping[str, Any]] = {}
    if depth > 50:
        return found
    if isinstance(config, list):
        for part in config:
            found |= configurations(part, depth + 1)
    elif isinstance(config, dict):
        inner = config.get("config")
        named = isinstance(inner, dict) and isinstance(inner.get("name"), str)
        if named and isinstance(config.get("class_name"), str):
            found[inner["name"]] = {**inner, "class_name": config["class_name"]}
        for part in config.values():
            if isinstance(part, dict | list):
                found |= configurations(part, depth + 1)
    return found


def _refuse_bomb(path: Path, archive: zipfile.ZipFile) -> None:
    size = sum(entry.file_size for entry in archive.infolist())
    if size > LIMIT:
        raise ArgumentError(
            f"{path} would unpack to {size:,} bytes; at most {LIMIT:,} are read.",
            "Save the recurrent layers alone.",
        )


_READERS: dict[str, Callable[[Path], Tensors]] = {
    ".npz": _npz,
    ".safetensors": _safetensors,
    ".keras": _keras,
    ".h5": _h5,
    ".hdf5": _h5,
}
