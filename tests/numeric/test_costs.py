"""A cell that is too large to be measured is refused before anything is drawn."""

from __future__ import annotations

import pytest

from derive import catalog
from derive.errors import ArgumentError
from numeric.costs import MOST_PARAMETERS, refuse_beyond


def test_absurd_sizes_are_refused_with_the_size_and_the_limit() -> None:
    cell = catalog.load("lstm")
    n, m = cell.dims
    refuse_beyond(cell, {n: 1000, m: 1000})
    with pytest.raises(ArgumentError, match=r"1,600,160,000 trained .* n = 20,000, m = 1; at most"):
        refuse_beyond(cell, {n: 20_000, m: 1})
    assert MOST_PARAMETERS == 2**27
