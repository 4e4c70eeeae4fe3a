"""Recurrent layers in a state dict of torch: torch.nn.RNN, GRU, LSTM and their single cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from derive.errors import ArgumentError
from numeric.weights.conventions import KINDS, gates_of, refuse_odd_numbers
from numeric.weights.files import Tensors
from numeric.weights.recurrent import ASSUMED, Named, Recurrent

_NAME = re.compile(r"(?:(.*)\.)?weight_hh(?:_l(\d+)(_reverse)?)?")


def torch_layers(tensors: Tensors) -> Iterator[Named]:
    """Every direction of every recurrent layer of a state dict.

    A name reads ``PREFIX.weight_hh_lK`` or ``PREFIX.weight_hh_lK_reverse``; the layer is called ``PREFIX.lK`` or
    ``PREFIX.lK.reverse``. A single cell (``PREFIX.weight_hh``) is called ``PREFIX``. Reading one raises ArgumentError
    where tensors are missing, or their shapes are not those of such a layer.
    """
    for name in tensors.arrays:
        if found := _NAME.fullmatch(name):
            prefix, number, reverse = found.groups()
            parts = (prefix, number and f"l{number}", reverse and "reverse")
            title = ".".join(filter(None, parts)) or "cell"
            yield title, partial(_layer, tensors, name, title, reverse=bool(reverse))


def _layer(tensors: Tensors, name: str, title: str, *, reverse: bool) -> Iterator[Recurrent]:
    at = name.rindex("weight_hh")
    before, after = name[:at], name[at + len("weight_hh") :]
    if f"{before}weight_hr{after}" in tensors.arrays:
        raise ArgumentError(
            f"The layer {title} projects its state (proj_size); no shipped cell does.",
            "Choose other layers by name, or write such a cell in a file of your own, and give its parameters as .npz.",
        )
    names = {
        key: f"{before}{key}{after}" for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    W, R, b, a = (tensors.arrays.get(each) for each in names.values())
    if W is None or R is None or W.ndim != 2 or R.ndim != 2:
        raise ArgumentError(
            f"The layer {title} has no matrix {names['weight_ih']}.", "Check the file."
        )
    n = R.shape[1]
    kind = KINDS.get(R.shape[0] // n if n and R.shape[0] % n == 0 else 0)
    biases = [each for each in (b, a) if each is not None]
    if kind is None or W.shape[0] != R.shape[0] or any(x.shape != (R.shape[0],) for x in biases):
        shapes = ", ".join(
            f"{k}: {tensors.arrays[v].shape}" for k, v in names.items() if v in tensors.arrays
        )
        raise ArgumentError(
            f"The layer {title} has shapes that no RNN, GRU or LSTM has: {shapes}.",
            "Expected (k n, m), (k n, n) and (k n,) with k = 1, 3 or 4.",
        )
    if len(biases) == 1:
        lacking = names["bias_ih" if b is None else "bias_hh"]
        raise ArgumentError(
            f"The layer {title} has one bias and no {lacking}; expected both, or none.",
            "Check the file; where one was left out on purpose, give zeros.",
        )
    used = [each for each in names.values() if each in tensors.arrays]
    refuse_odd_numbers(title, {each: tensors.arrays[each] for each in used})
    notes = () if biases else ("no bias: zeros are used",)
    if kind == "rnn":
        notes += (ASSUMED,)
    yield Recurrent(
        title,
        "torch",
        kind,
        gates_of("torch", kind, W, R, b, a),
        {each: tensors.arrays[each].shape for each in used},
        reverse=reverse,
        raw={key: tensors.arrays[each] for key, each in names.items() if each in tensors.arrays},
        notes=notes,
    )
