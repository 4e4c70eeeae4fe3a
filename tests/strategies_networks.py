"""Random networks: layers of random cells in random directions, with heads, losses, decoders, indices and lengths."""

from __future__ import annotations

from hypothesis import strategies as st

from derive.network import Network
from tests.networks import read

SHALLOW = (
    "elman", "elman(sigmoid)", "elman_bare", "gru", "gru_mirrored", "gru_reset_after", "lstm", "lstm_coupled",
    "lstm_peephole", "lstm_bare", "leaky", "lstm_stacked",
)  # fmt: skip
"""Cells with one input that look one step back."""
DEEP = ("skip(2)", "skip(3)")
"""Cells that look further back, which no ragged axis can have."""
HEADS = {
    "linear": ("{}", "squared_error"),
    "sigmoid": ("sigmoid({})", "binary_cross_entropy"),
    "softmax": ("softmax({})", "cross_entropy"),
    "tanh": ("tanh({})", "squared_error"),
}


@st.composite
def layers(draw, lines: list[str], sequence: str, *, ragged: bool) -> str:
    """Lines for one to three layers above a sequence; returns the name of what comes out."""
    cells = SHALLOW if ragged else (*SHALLOW, *DEEP)
    for i in range(draw(st.integers(1, 3))):
        cell, other = (draw(st.sampled_from(cells)) for _ in range(2))
        way = draw(st.sampled_from(["on", "back", "both", "tied", "residual", "chained"]))
        out, on, back = f"u{i}", f"f{i}", f"b{i}"
        lines.append(f"{on} = scan({cell}, {sequence}[t]{', reverse' * (way == 'back')})")
        above = f"{on}.h[t]"
        if way in ("both", "tied"):
            same = way == "tied"
            word = f", share({on})" * same
            lines.append(f"{back} = scan({cell if same else other}, {sequence}[t], reverse{word})")
            above = f"{on}.h[t] + {back}.h[t]" if same else f"concat({on}.h[t], {back}.h[t])"
        elif way == "chained":
            lines += [f"{back} = scan({other}, {sequence}[t])"]
            lines += [f"c{i}[t] = concat({on}.h[t], {back}.h[t])"]
            lines += [f"g{i} = scan({cell}, c{i}[t], start({on}))"]
            above = f"g{i}.h[t]"
        elif way == "residual":
            above = f"{on}.h[t] + R{i} @ {sequence}[t]"
        lines.append(f"{out}[t] = {above}")
        sequence = out
    return sequence


@st.composite
def network_texts(draw) -> str:
    """The text of a valid network."""
    lines: list[str] = []
    ragged = draw(st.booleans())
    lines += ["ragged t"] * ragged
    sequence = "x"
    if draw(st.booleans()):
        lines.append("e[t] = embed(E, word[t])")
        sequence = "e"
    sequence = draw(layers(lines, sequence, ragged=ragged))
    form, loss = HEADS[draw(st.sampled_from(sorted(HEADS)))]
    place = draw(st.sampled_from(["step", "end", "decoder", "free"]))
    axis, source = (
        ("end" if place == "end" else "t"),
        f"{sequence}[{'end' if place == 'end' else 't'}]",
    )
    if place in ("decoder", "free"):
        cell = draw(st.sampled_from(["gru", "elman"]))
        fed = "z[s]" if place == "decoder" else "y[s-1]"
        lines += ["ragged s"] * (ragged and draw(st.booleans()))
        lines += [f"enc = scan({cell}, {sequence}[t]{draw(st.sampled_from(['', ', reverse']))})"]
        start = draw(st.sampled_from(["enc", "s0"]))
        lines += ["s0.h[end] = tanh(P @ enc.h[end] + p)"] * (start == "s0")
        lines += [f"dec = scan({cell}, {fed}, start({start}))"]
        axis, source = "s", "dec.h[s]"
    if draw(st.booleans()) and loss == "cross_entropy":
        lines.append("index d")
    weight = f"w[{axis}] * " * draw(st.booleans())
    lines += [f"y[{axis}] = {form.format(f'V @ {source} + c')}"]
    lines += [f"loss[{axis}] = {weight}{loss}(y[{axis}], d[{axis}])"]
    return "\n".join(lines) + "\n"


def networks() -> st.SearchStrategy[Network]:
    """A random network; its text is ``network.text``."""
    return network_texts().map(read)
