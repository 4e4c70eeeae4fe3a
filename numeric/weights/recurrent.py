"""A recurrent layer of somebody's model: one direction of one layer, gate by gate, and the shipped cell that it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

Array = np.ndarray
Kind = Literal["rnn", "gru", "lstm"]
Framework = Literal["torch", "keras", "onnx"]

GATES: Mapping[str, str] = {"rnn": "h", "gru": "zrg", "lstm": "fiog"}
"""The gates of each kind, under our names; g is the candidate."""
ASSUMED = "a state dict does not tell the activation: tanh is assumed; elman:g=relu, given as the cell, says otherwise"
"""The note on torch's rnn, which knows tanh and relu."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The weights of one gate: its argument is W h[t-1] + a + U x[t] + b (+ p ∘ c).

    Args:
        W: (n, n).
        U: (n, m).
        a: (n,), the bias on the state's side.
        b: (n,), the bias on the input's side.
        p: (n,), the peephole, if there is one.
    """

    W: Array
    U: Array
    a: Array
    b: Array
    p: Array | None = None


@dataclass(frozen=True)
class Recurrent:
    """One direction of one recurrent layer.

    Args:
        name: of the layer, as a user chooses it.
        framework: whose conventions it was written in.
        kind: rnn, gru or lstm.
        gates: the weights by gate, float64.
        sources: the tensors of the file that were used, with their shapes.
        activation: of an rnn's state: tanh, relu, sigmoid or identity.
        reset_after: whether a gru's reset gate acts after the matrix product.
        reverse: whether the layer reads its sequence from the end.
        raw: the tensors as the framework wants them back, for a comparison with the framework itself.
        notes: what a reader should know: a missing bias, an assumed activation.
    """

    name: str
    framework: Framework
    kind: Kind
    gates: Mapping[str, Gate]
    sources: Mapping[str, tuple[int, ...]]
    activation: str = "tanh"
    reset_after: bool = True
    reverse: bool = False
    raw: Mapping[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def told(self, spec: str) -> Recurrent:
        """The layer with the activation of the cell that a user names, where it was assumed."""
        activation = {"elman": "tanh", "elman:g=tanh": "tanh", "elman:g=relu": "relu"}.get(spec)
        if activation is None or ASSUMED not in self.notes:
            return self
        notes = tuple(note for note in self.notes if note != ASSUMED)
        return replace(self, activation=activation, notes=notes)

    @property
    def n(self) -> int:
        """Units."""
        return len(next(iter(self.gates.values())).b)

    @property
    def m(self) -> int:
        """Inputs."""
        return next(iter(self.gates.values())).U.shape[1]

    @property
    def spec(self) -> str:
        """The shipped cell, as ``throughtime.load`` takes it."""
        if self.kind == "rnn":
            return "elman" if self.activation == "tanh" else f"elman:g={self.activation}"
        if self.kind == "gru":
            return "gru_reset_after" if self.reset_after else "gru_mirrored"
        return "lstm" if self.gates["f"].p is None else "lstm_peephole"

    @property
    def parameters(self) -> dict[str, Array]:
        """The shipped cell's parameters; biases that stand side by side are one, b + a."""
        if self.kind == "rnn":
            only = self.gates["h"]
            return {"W": only.W, "U": only.U, "b": only.b + only.a}
        found: dict[str, Array] = {}
        for name, gate in self.gates.items():
            found |= {f"W_{name}": gate.W, f"U_{name}": gate.U}
            if self.kind == "gru" and self.reset_after and name == "g":
                found |= {"a_g": gate.a, "b_g": gate.b}
            else:
                found[f"b_{name}"] = gate.b + gate.a
            if gate.p is not None:
                found[f"p_{name}"] = gate.p
        return found

    def used(self) -> str:
        """One line a tensor: which were used, and of which shape."""
        width = max(map(len, self.sources), default=0)
        return "\n".join(
            f"{name:<{width}}  {' × '.join(map(str, shape))}"
            for name, shape in self.sources.items()
        )


Named = tuple[str, Callable[[], Iterator[Recurrent]]]
"""A layer of a file by its name, and how its directions are read: one that is no shipped cell refuses only then."""


def recurrent_of(spec: str, parameters: Mapping[str, Array]) -> Recurrent:
    """The layer that a shipped cell with these parameters is; the inverse of ``spec`` and ``parameters``.

    Args:
        spec: ``lstm``, ``lstm_peephole``, ``gru_reset_after``, ``gru_mirrored``, ``elman`` or ``elman:g=…``.
        parameters: the cell's parameters.

    Raises:
        KeyError: the cell is none of these.
    """
    cell, _, option = spec.partition(":g=")
    kind, reset_after = _KINDS[cell]
    gates: dict[str, Gate] = {}
    for name in GATES[kind]:
        tail = "" if kind == "rnn" else f"_{name}"
        b = parameters[f"b{tail}"]
        gates[name] = Gate(
            parameters[f"W{tail}"],
            parameters[f"U{tail}"],
            parameters.get(f"a{tail}", np.zeros_like(b)),
            b,
            parameters.get(f"p{tail}"),
        )
    return Recurrent(
        cell, "torch", kind, gates, {}, activation=option or "tanh", reset_after=reset_after
    )


_KINDS: dict[str, tuple[Kind, bool]] = {
    "elman": ("rnn", False),
    "gru_reset_after": ("gru", True),
    "gru_mirrored": ("gru", False),
    "lstm": ("lstm", False),
    "lstm_peephole": ("lstm", False),
}
EXPORTED = tuple(_KINDS)
"""The cells that other frameworks have, too."""
