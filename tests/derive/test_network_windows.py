"""Which networks can be truncated, and why others cannot."""

from __future__ import annotations

import pytest

from derive.errors import ArgumentError
from derive.network_catalog import load
from derive.network_windows import windowed_leg
from tests.networks import network_of, read


@pytest.mark.parametrize(
    ("name", "segments"),
    [
        ("attention", ["dec", "loss"]),
        ("ragged_attention", ["dec", "loss"]),
        ("reversed_encoder", ["dec", "y"]),
        ("bridged", ["dec", "loss"]),
        ("conditioned", ["f", "y"]),
        ("residual", ["u", "f", "v", "q", "y"]),
    ],
)
def test_windows_lie_on_what_runs_forward_and_is_read_no_further(name, segments):
    assert [s.name for s in windowed_leg(network_of(name)).segments] == segments


def test_of_the_translator_the_decoder_is_cut():
    assert windowed_leg(load("attention")).axis == "t"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("f = scan(gru, x[t], reverse)", "segment f of specimen runs from the last step to the first"),
        (
            "f = scan(gru, x[t])\nb = scan(gru, x[t], reverse)\ny[t] = f.h[t] + b.h[t]",
            "segment b of specimen runs from the last step to the first",
        ),
        ("f = scan(gru, x[t])\ny[end] = V @ f.h[end]", "segment y of specimen is computed after the scans"),
        ("y[end] = tanh(V @ x[end])", "segment y of specimen is computed after the scans"),
        ("f = scan(gru, x[t])\ng = scan(gru, z[s])", "g of specimen runs along s, and f along t, and neither reads"),
        (
            "f = scan(gru, x[t])\ng = scan(gru, z[t], start(f))",
            "segment g of specimen runs along t when f has ended there",
        ),
        ("f = scan(gru, x[t])\nb = scan(gru, x[t], reverse)", "b of specimen runs along t, and so does f"),
    ],
)  # fmt: skip
def test_others_are_refused_with_the_reason(text, why):
    with pytest.raises(ArgumentError, match=why):
        windowed_leg(read(text))
