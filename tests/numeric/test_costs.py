"""A cell that is too large to be measured is refused before anything is drawn."""

from __future__ import annotations

import math
from typing import Any

import pytest

from derive import catalog
from derive.errors import ArgumentError
from numeric.costs import MOST_PARAMETERS, refuse_beyond, refuse_long, refuse_wide
from numeric.setting import Setting


def test_absurd_sizes_are_refused_with_the_size_and_the_limit() -> None:
    cell = catalog.load("lstm")
    n, m = cell.dims
    refuse_beyond(cell, {n: 1000, m: 1000})
    with pytest.raises(ArgumentError, match=r"1,600,160,000 trained .* n = 20,000, m = 1; at most"):
        refuse_beyond(cell, {n: 20_000, m: 1})
    assert MOST_PARAMETERS == 2**27


def test_a_run_of_which_only_the_whole_is_absurd_is_refused_with_its_work() -> None:
    cell = catalog.load("elman")
    n, m = cell.dims
    refuse_long(cell, {n: 32, m: 16}, 10**7)
    refuse_long(cell, {n: 4000, m: 16}, 10**5)
    with pytest.raises(
        ArgumentError, match=r"m = 16; over T = 10,000,000 steps these are 1.6e\+14"
    ):
        refuse_long(cell, {n: 4000, m: 16}, 10**7)


def test_a_state_that_is_too_wide_to_be_followed_is_refused_with_its_width() -> None:
    cell = catalog.load("lstm")
    n, m = cell.dims
    refuse_wide(cell, {n: 2048, m: 3})
    with pytest.raises(
        ArgumentError, match=r"has 5,000 entries at n = 2,500, m = 3; .* most 4,096"
    ):
        refuse_wide(cell, {n: 2500, m: 3})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"steps": 10**15}, "T = 1,000,000,000,000,000: expected a whole number from 1 to 10,000"),
        ({"n": 10**9}, "n = 1,000,000,000: .* to 20,000"),
        ({"m": 0}, "m = 0: expected a whole number from 1"),
        ({"gain": math.nan}, "gain = nan: expected a number from -1,000,000,000 to"),
        ({"inputs": -1.0}, "inputs = -1: expected a number from 0 to"),
        ({"values": {"b": math.inf}}, "b = inf: expected a number from"),
    ],
)
def test_a_setting_outside_the_limits_is_refused_with_the_value_and_the_limit(
    given: dict[str, Any], says: str
) -> None:
    with pytest.raises(ArgumentError, match=says):
        Setting(**given)
