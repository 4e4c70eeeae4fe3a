"""The legs of a network: what goes side by side, and that everything a leg reads is there when it runs."""

from __future__ import annotations

import pytest

from derive.network_catalog import load
from derive.network_legs import legs_of
from tests.networks import SHARED_START, TEXTS, network_of, read


def told(network):
    return [(leg.axis, leg.reverse, [s.name for s in leg.segments]) for leg in legs_of(network)]


def test_a_translator_reads_from_both_sides_looks_at_all_of_it_and_writes():
    assert told(load("attention")) == [
        ("s", False, ["e", "f"]),
        ("s", True, ["b"]),
        ("s", False, ["u"]),
        ("end", False, ["K"]),
        ("t", False, ["d", "dec", "y"]),
    ]


def test_what_goes_one_way_along_one_axis_is_one_leg_in_whatever_order_it_is_written():
    assert told(network_of("residual")) == [("t", False, ["u", "f", "v", "q", "y"])]
    legs = told(read(SHARED_START))
    assert legs == [("t", False, ["enc", "z", "a", "r"]), ("s", False, ["dec", "dec2", "y"])]


def test_a_scan_that_starts_where_another_one_along_its_axis_ended_goes_after_it():
    network = read("f = scan(gru, x[t])\ng = scan(gru, z[t], start(f))")
    assert told(network) == [("t", False, ["f"]), ("t", False, ["g"])]


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_leg_reads_is_known_when_it_runs(name):
    network = network_of(name)
    legs = legs_of(network)
    home = {s.name: i for i, leg in enumerate(legs) for s in leg.segments}
    assert sorted(home) == sorted(s.name for s in network.segments)
    for s in network.segments:
        assert (legs[home[s.name]].axis, legs[home[s.name]].reverse) == (s.axis, s.reverse)
        for source in (x for x in s.inputs.values() if x.segment):
            at_once = source.last or source.whole or source.held
            assert home[source.segment] + at_once <= home[s.name]
        for source in s.starts.values():
            assert home[source.segment] < home[s.name]
