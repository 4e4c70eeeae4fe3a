"""The table of quantities in a report: what each must be, so that all has a value."""

from __future__ import annotations

import pytest

from derive.catalog import load
from derive.derivation import derive
from derive.language import read_cell
from derive.network_derivation import derive_network
from numeric.fast_source import generate_fast, generate_fast_network
from numeric.network_source import generate_network
from numeric.portable_network import generate_portable_network
from numeric.portable_source import generate_portable
from numeric.source import generate
from reports.appendix import appendix
from reports.report_shapes import quantity_rows
from tests.networks import read

CELL = read_cell("h[t] = tanh(W @ h[t-1] + sqrt(P @ z[t]) + log(p[t]) / r)", "asking")
TEXT = "h = scan(elman, x[t])\ny[t] = V @ h.h[t] / d + log(x[t])\n"


def test_every_quantity_says_where_it_must_lie() -> None:
    meaning = {row[0].strip("$").partition("_")[0]: row[3] for row in quantity_rows(CELL)}
    assert "$p_{t} > 0$ is needed, so that all has a value" in meaning["p"]
    assert r"$r \neq 0$ is needed" in meaning["r"]
    assert "$P > 0$ is enough" in meaning["P"]
    assert "so that all" not in meaning["W"]


def test_the_appendix_says_it_too() -> None:
    assert r"$r \neq 0$ is needed" in str(appendix(derive(CELL), "asking"))


@pytest.mark.parametrize("write", [generate, generate_fast, generate_portable])
def test_the_head_of_a_file_says_it(write) -> None:
    head = write(derive(CELL)).partition('"""\n')[0].replace("\n", " ")
    assert (
        "So that all has a value, p > 0 and r != 0 are needed; z > 0 and P > 0 are enough." in head
    )
    assert "So that all" not in write(derive(read_cell("h[t] = tanh(W @ h[t-1])", "plain")))


@pytest.mark.parametrize(
    "write", [generate_network, generate_fast_network, generate_portable_network]
)
def test_the_head_of_a_networks_file_says_it(write) -> None:
    head = write(derive_network(read(TEXT))).partition('"""\n')[0].replace("\n", " ")
    assert "So that all has a value, x > 0 and d != 0 are needed." in head


def test_a_shape_has_brackets_around_a_sum() -> None:
    shapes = {row[0].strip("$"): row[2] for row in quantity_rows(load("lstm_stacked"))}
    assert shapes["W_{f}"] == r"$n \times (m + n)$"
    assert shapes["b_{f}"] == "$n$"
