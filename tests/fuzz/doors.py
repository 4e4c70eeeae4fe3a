"""The doors through which texts and files come in, each with examples of what belongs there."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from derive import catalog, network_catalog
from derive.language import read_cell
from derive.network_language import read_network
from derive.starts import chosen_starts
from numeric.weights.loading import recurrent_layers
from proofs.attestation import standing
from proofs.claims.document import read_document
from proofs.claims.register import shipped, shipped_text
from proofs.documents.reading import read_paper

ROOT = Path(__file__).resolve().parents[2]
PAPERS = ROOT / "tests" / "proofs" / "papers"
SHIPPED = Path(catalog.__file__).parent


@dataclass(frozen=True, slots=True)
class Door:
    """One reader.

    Args:
        name: what is read.
        read: raises what our errors are, and nothing else, whatever it is given.
        examples: what belongs there.
    """

    name: str
    read: Callable[[bytes], object]
    examples: tuple[bytes, ...]


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _file(ending: str) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"weights{ending}"
            path.write_bytes(data)
            return recurrent_layers(path)

    return read


def _cells() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((SHIPPED / "cells").glob("*.cell")))


def _networks() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((SHIPPED / "networks").glob("*.net")))


def _claims() -> tuple[bytes, ...]:
    whole = [shipped_text(name) for name in shipped()]
    parts = [part for text in whole for part in text.split("\n\n")]
    return tuple(part.encode() for part in parts)


def _paper(text: str, suffix: str) -> object:
    return read_paper(text, f"paper.{suffix}", catalog.load("elman"))


def _papers(pattern: str) -> tuple[bytes, ...]:
    whole = [path.read_text("utf-8") for path in sorted(PAPERS.glob(pattern))]
    parts = (
        whole if pattern == "*.ipynb" else [part for text in whole for part in text.split("\n\n")]
    )
    return tuple(part.encode() for part in parts)


def _weights() -> Iterator[bytes]:
    arrays = {
        "a.weight_ih_l0": np.ones((6, 3)),
        "a.weight_hh_l0": np.ones((6, 2)),
        "a.bias_ih_l0": np.ones(6),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    yield buffer.getvalue()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Sequential", "config": {"layers": []}}')
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(64))
    yield packed.getvalue()
    with suppress(ImportError):
        from safetensors.numpy import save

        yield save(arrays)


def doors() -> Mapping[str, Door]:
    """All of them, by name."""
    weights = tuple(_weights())
    found = [
        Door("cells", _text(read_cell), _cells()),
        Door("networks", _text(lambda text: read_network(text, cell_text=network_catalog.shipped_cell)), _networks()),
        Door("claims", _text(read_document), _claims()),
        Door("documents", _text(lambda text: _paper(text, "tex")), _papers("*.tex")),
        Door("documents.md", _text(lambda text: _paper(text, "md")), _papers("*.md")),
        Door("documents.ipynb", _text(lambda text: _paper(text, "ipynb")), _papers("*.ipynb")),
        Door("names of cells", _text(_named), (b"lstm", b"elman:g=relu", b"skip:d=3", b"tagger", b"my.cell")),
        Door("starts", _text(lambda text: chosen_starts((text,))), (b"W=orthogonal", b"b_f=chrono(100)", b"b_i=-b_f")),
        Door("certificates", _text(standing), tuple(_attested())),
        *(Door(f"weights{e}", _file(e), weights) for e in (".npz", ".keras", ".h5", ".safetensors", ".onnx")),
    ]  # fmt: skip
    return {door.name: door for door in found}


def _named(text: str) -> object:
    return network_catalog.load(text) if network_catalog.is_network(text) else catalog.load(text)


def _attested() -> Iterator[bytes]:
    yield b"x = 1\n# certificate: {}\n"
    golden = ROOT / "tests" / "golden" / "code"
    for path in sorted(golden.glob("*.py"))[:2]:
        yield path.read_bytes()
