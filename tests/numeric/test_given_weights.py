"""Weights from a user's file: sizes that follow from shapes, and refusals that say what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from derive.errors import ArgumentError
from numeric.given_weights import parameters_from
from numeric.source import generate
from proofs.modules import load_source
from tests.numeric.dynamics import derivation_of


def own(name: str, n: int = 5, m: int = 3) -> dict[str, Any]:
    d = derivation_of(name)
    sizes = [n if i == 0 else m for i, _ in enumerate(d.cell.dims)]
    return load_source(generate(d)).init_params(*sizes, seed=3)


@pytest.mark.parametrize("name", ["elman", "lstm", "lstm_stacked", "gru", "rwkv", "deltanet"])
def test_sizes_follow_from_the_shapes_of_generated_parameters(name: str) -> None:
    given = own(name)
    sizes, found = parameters_from(derivation_of(name).cell, given, "mine")
    expected = [5 if i == 0 else 3 for i, _ in enumerate(sizes)]
    assert list(sizes.values()) == expected
    for key, value in given.items():
        np.testing.assert_array_equal(found[key].ravel(), np.ravel(value))
        assert found[key].ndim == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda w: w.pop("U"), "lacks U"),
        (lambda w: w.update(V=np.ones(2)), "no parameter 'V'"),
        (lambda w: w.update(U=w["U"].T), r"W has shape \(5, 5\)|U has shape \(3, 5\)"),
        (lambda w: w.update(W=np.ones((5, 5, 5))), "has 3 axes"),
        (lambda w: w.update(W=np.full((5, 5), np.nan)), "finite"),
        (lambda w: w.update(W=np.array([["a"] * 5] * 5)), "finite"),
        (lambda w: w.update(b=np.ones(4)), "b has shape"),
        (lambda w: w.update(W=np.ones((0, 0)), U=np.ones((0, 3)), b=np.ones(0)), "does not follow"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(change: Any, told: str) -> None:
    given = own("elman")
    change(given)
    with pytest.raises(ArgumentError, match=told):
        parameters_from(derivation_of("elman").cell, given, "mine.npz")
