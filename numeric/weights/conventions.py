"""How frameworks lay out the weights of their recurrent layers: gate orders, transposes, biases, peepholes.

Sources: torch.nn.RNN, GRU and LSTM (PyTorch documentation); keras.layers.SimpleRNN, GRU and LSTM (Keras source);
operators RNN, GRU and LSTM (ONNX operator schemas).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from derive.errors import ArgumentError
from numeric.weights.recurrent import GATES, Array, Framework, Gate, Kind, Recurrent

ORDERS: Mapping[Framework, Mapping[Kind, str]] = {
    "torch": {"rnn": "h", "gru": "rzg", "lstm": "ifgo"},
    "keras": {"rnn": "h", "gru": "zrg", "lstm": "ifgo"},
    "onnx": {"rnn": "h", "gru": "zrg", "lstm": "iofg"},
}
"""The order in which the gates lie below one another, under our names."""
PEEPHOLES = "iof"
"""The order of ONNX's peepholes."""
KINDS: Mapping[int, Kind] = {1: "rnn", 3: "gru", 4: "lstm"}
"""The kind of a layer by its number of gates."""


def gates_of(
    framework: Framework, kind: Kind, W: Array, R: Array, b: Array | None, a: Array | None, p: Array | None = None
) -> dict[str, Gate]:  # fmt: skip
    """The gates of stacked weights.

    Args:
        framework: in whose order they lie.
        kind: rnn, gru or lstm, with k gates.
        W: (k n, m), of the input.
        R: (k n, n), of the state.
        b: (k n,), the bias on the input's side; zero if None.
        a: (k n,), the bias on the state's side; zero if None.
        p: (3 n,), ONNX's peepholes.

    Returns:
        The gates in our order, float64.
    """
    order, n = ORDERS[framework][kind], R.shape[1]
    zero = np.zeros(len(order) * n)
    parts = [
        dict(zip(order, np.split(np.asarray(each, np.float64), len(order)), strict=True))
        for each in (R, W, zero if a is None else a, zero if b is None else b)
    ]
    peep = (
        {}
        if p is None
        else dict(zip(PEEPHOLES, np.split(np.asarray(p, np.float64), 3), strict=True))
    )
    return {g: Gate(*(part[g] for part in parts), peep.get(g)) for g in GATES[kind]}


def refuse_odd_numbers(title: str, tensors: Mapping[str, Array]) -> None:
    """Refuses weights that are no real numbers with a floating point, or not finite.

    Args:
        title: the layer's name.
        tensors: its tensors, by their names in the file.

    Raises:
        ArgumentError: says which, and what was found.
    """
    for name, array in tensors.items():
        if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
            raise ArgumentError(
                f"In the layer {title}, {name} has the dtype {array.dtype}; expected floating-point numbers.",
                "Turn it into float32 before it is saved; what was quantised, by its scale.",
            )
        odd = np.argwhere(~np.isfinite(np.asarray(array, np.float64)))
        if len(odd):
            at = ", ".join(map(str, odd[0]))
            raise ArgumentError(
                f"In the layer {title}, {name} holds {array[tuple(odd[0])]} at [{at}]; expected finite numbers.",
                "Take weights of a model that has not diverged.",
            )


def _stacked(layer: Recurrent, framework: Framework) -> tuple[Array, Array, Array, Array]:
    """W, R, b and a of a layer, in a framework's order."""
    gates = [layer.gates[g] for g in ORDERS[framework][layer.kind]]
    return (
        np.concatenate([g.U for g in gates]),
        np.concatenate([g.W for g in gates]),
        np.concatenate([g.b for g in gates]),
        np.concatenate([g.a for g in gates]),
    )


def to_torch(layer: Recurrent) -> dict[str, Array]:
    """The state dict of torch.nn.RNN, GRU or LSTM with one layer.

    Raises:
        ArgumentError: torch has no such layer.
    """
    if layer.kind == "gru" and not layer.reset_after:
        raise ArgumentError(
            "torch.nn.GRU resets after the matrix product; gru_mirrored resets before it.",
            "Use gru_reset_after, or export to Keras or ONNX.",
        )
    _refuse_peephole(layer, "torch.nn.LSTM")
    if layer.kind == "rnn" and layer.activation not in ("tanh", "relu"):
        raise ArgumentError(f"torch.nn.RNN knows no {layer.activation}.", "It knows tanh and relu.")
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return dict(zip(names, _stacked(layer, "torch"), strict=True))


def to_keras(layer: Recurrent) -> dict[str, Array]:
    """The weights of keras.layers.SimpleRNN, GRU or LSTM, in the order of ``set_weights``.

    Raises:
        ArgumentError: Keras has no such layer.
    """
    _refuse_peephole(layer, "keras.layers.LSTM")
    W, R, b, a = _stacked(layer, "keras")
    both = layer.kind == "gru" and layer.reset_after
    return {"kernel": W.T, "recurrent_kernel": R.T, "bias": np.stack([b, a]) if both else b + a}


def to_onnx_tensors(layer: Recurrent) -> dict[str, Array]:
    """The inputs W, R, B (and P) of the ONNX operators RNN, GRU and LSTM, one direction."""
    W, R, b, a = _stacked(layer, "onnx")
    found = {"W": W[None], "R": R[None], "B": np.concatenate([b, a])[None]}
    peep = [layer.gates[g].p for g in PEEPHOLES] if layer.kind == "lstm" else [None]
    if all(p is not None for p in peep):
        found["P"] = np.concatenate([p for p in peep if p is not None])[None]
    return found


def _refuse_peephole(layer: Recurrent, what: str) -> None:
    if any(gate.p is not None for gate in layer.gates.values()):
        raise ArgumentError(f"{what} has no peepholes.", "Export to ONNX, or use the cell lstm.")
