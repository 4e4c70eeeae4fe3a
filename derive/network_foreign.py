"""What other libraries give a recurrent layer, and how a network says it."""

from __future__ import annotations

_SAID = {
    "A scan runs one way.": (
        "Write a second one, b = scan({cell}, {input}, reverse), and read both: concat({name}.h[{axis}], b.h[{axis}]).",
        ("bidirectional", "both", "merge_mode"),
    ),
    "A scan is one layer.": (
        "Write one scan for each: the next runs along {name}.h[{axis}], what this one computes.",
        ("layers", "num_layers", "n_layers", "depth"),
    ),
    "A scan from the end has the word reverse.": (
        "Write it alone: {name} = scan({cell}, {input}, reverse).",
        ("reverse", "reversed", "backward", "backwards", "go_backwards", "direction"),
    ),
    "Nothing is dropped at random.": (
        "Multiply with a mask that is given, u[{axis}] = mask[{axis}] * {input}, and scan u[{axis}].",
        ("dropout", "recurrent_dropout", "keep_prob", "zoneout"),
    ),
    "Sizes are no part of a network.": (
        "They are found from its equations, and given to the code when it runs.",
        ("hidden", "hidden_size", "input_size", "units", "size", "num_units", "hidden_dim", "input_dim"),
    ),
    "What a scan starts from is given to the code when it runs, or computed.": (
        "Write start(g) for a scan or for lines g.h[end] = … above.",
        ("h0", "h_0", "c0", "c_0", "hx", "init", "initial", "initial_state", "init_state", "state", "start"),
    ),
    "A scan has all steps and the last.": (
        "Read {name}.h[{axis}], or {name}.h[end].",
        ("return_sequences", "return_state", "return_seq", "last"),
    ),
    "Samples are no part of a network.": (
        "The code takes arrays (steps, samples, features).",
        ("batch_first", "time_major", "batch", "batch_size", "unroll", "stateful"),
    ),
    "What a cell lets one choose stands with the cell.": (
        "Write it in brackets behind the cell, as in scan(elman(relu), x[t]).",
        ("activation", "nonlinearity", "recurrent_activation", "bias", "use_bias"),
    ),
    "Scans share their parameters by the word share.": (
        "Write share(g) for an earlier scan g of the same cell.",
        ("shared", "tied", "tie", "weights", "params", "share"),
    ),
}  # fmt: skip
"""Of each: what is so here, what to write, and the words for it elsewhere."""

_OF_WORD = {word: (so, write) for so, (write, words) in _SAID.items() for word in words}


def said_here(word: str, **names: str) -> tuple[str, str] | None:
    """What is so here and what to write, for a word of other libraries; None for any other word.

    Args:
        word: the word.
        names: the ``name`` of the scan, its ``cell``, its ``input`` and its ``axis``.
    """
    found = _OF_WORD.get(word.lower())
    return found and (found[0], found[1].format(**names))
