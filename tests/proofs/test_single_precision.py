"""float32: a function less exact than float32 is refused; a run that magnifies rounding is not."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_catalog import load as load_network
from derive.network_derivation import derive_network
from derive.network_language import read_network
from numeric.fast_source import generate_fast
from numeric.network_source import generate_network
from numeric.source import generate
from proofs.behaviour_checks import single_precision
from proofs.modules import Code, load_source
from proofs.network_adjoints import interpreted_gradient
from proofs.network_checks import NetworkSubject
from proofs.network_checks import single_precision as network_single_precision
from proofs.network_layout import NetworkCode
from proofs.network_samples import complex_step_gradient, draw_extent, draw_smooth_network
from proofs.network_verification import PROMISED
from proofs.single_precision import LEAST, MOST, allowed
from proofs.subject import Subject
from tests.networks import network_of

CELL = derive(
    read_cell("z[t] = sigmoid(V @ x[t])\nh[t] = tanh(z[t] * (W @ h[t-1]) + U @ x[t])", "my")
)
NETWORK = derive_network(load_network("tagger"))
COARSE = '''

def coarse(x, *out):
    """tanh, in single precision to four and a half digits."""
    y = np.tanh(x, *out)
    if y.dtype == np.float32:
        y *= np.float32(1 + 2e-5)
    return y
'''


def coarsely(source: str) -> str:
    assert "np.tanh" in source
    return source.replace("np.tanh", "coarse") + COARSE


@pytest.mark.parametrize("make", [generate, generate_fast], ids=["readable", "fast"])
@pytest.mark.parametrize("seed", range(4))
def test_a_function_less_exact_than_single_precision_is_refused(make, seed):
    good, bad = (Code(load_source(text, "my")) for text in (make(CELL), coarsely(make(CELL))))
    assert single_precision(Subject(CELL, good, seed)).ok
    found = single_precision(Subject(CELL, bad, seed))
    assert found.verdict == "fails"
    assert LEAST <= found.bound < found.figure < MOST
    assert any("params_bar['W']" in where for where in found.where)


def test_so_it_is_in_a_network():
    source = generate_network(NETWORK)
    for text, verdict in ((source, "holds"), (coarsely(source), "fails")):
        code = NetworkCode(load_source(text, "tagger", PROMISED))
        found = network_single_precision(NetworkSubject(NETWORK.network, code, 0))
        assert found.verdict == verdict


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("factor", [3, 4])
def test_a_run_that_magnifies_rounding_is_not_refused(factor, seed):
    cell = derive(read_cell(f"h[t] = sin({factor} * (U @ x[t] + W @ h[t-1]))", "ill"))
    found = single_precision(Subject(cell, Code(load_source(generate(cell), "ill")), seed))
    assert found.ok, found
    assert found.bound > LEAST


@pytest.mark.parametrize("seed", range(6))
def test_a_run_in_which_a_difference_is_lost_is_not_refused(seed):
    """tanh is nearly 1 where x is small, and float32 has few digits of 1 - tanh**2 there."""
    cell = derive(read_cell("h[t] = tanh(W @ h[t-1] - 1 / r + 3 / (r * x[t]))", "lost"))
    good, bad = (
        Code(load_source(text, "lost")) for text in (generate(cell), coarsely(generate(cell)))
    )
    found = single_precision(Subject(cell, good, seed))
    assert found.ok, found
    assert found.figure < 0.5 * found.bound or found.bound <= MOST
    assert single_precision(Subject(cell, bad, seed)).figure > found.figure


LOST = "h[t] = tanh(W @ h[t-1] - 1 / r + 3 / (r * x[t]))"


@pytest.mark.parametrize("seed", [1, 3, 4, 7, 10])
@pytest.mark.parametrize("head", ["", "ragged t\n"])
def test_nor_is_a_network_that_runs_such_a_cell(head: str, seed: int) -> None:
    text = f"{head}f = scan(lost, x[t])\ny[t] = V @ f.h[t]"
    network = read_network(text, "losing", {"lost": LOST}.get)
    source = generate_network(derive_network(network))
    good, bad = (
        NetworkCode(load_source(text, "losing", PROMISED)) for text in (source, coarsely(source))
    )
    found = network_single_precision(NetworkSubject(network, good, seed))
    assert found.ok, found
    assert found.bound > MOST
    assert network_single_precision(NetworkSubject(network, bad, seed)).figure > found.figure


@pytest.mark.parametrize("name", ["bridged", "ragged_attention", "free_running"])
def test_the_derived_equations_of_a_network_give_its_gradient(name: str) -> None:
    network = network_of(name)
    sample = draw_smooth_network(network, draw_extent(network, Random(1), samples=3), 5)  # noqa: S311
    assert sample is not None
    true = complex_step_gradient(sample)
    found = interpreted_gradient(derive_network(network), sample)
    assert {place for place, _ in found} >= {name for name, t in true if t is None}
    for (place, t), value in found.items():
        whole, _, number = place.partition(" of sample ")
        expected = true[whole, t][int(number)] if number else true[whole, t]
        mine = value.reshape(value.shape[-2:]) if number else value
        own = expected[: mine.shape[0], : mine.shape[1]] if number else expected
        assert np.allclose(mine, own, rtol=1e-9, atol=1e-10), place


def test_the_bound_follows_what_rounding_does_within_limits():
    assert allowed(0.0) == allowed(1e-8) == LEAST
    assert LEAST < allowed(1e-6) < allowed(1.5e-6) < MOST
    assert allowed(1.0) == allowed(math.inf) == allowed(math.nan) == MOST


@pytest.mark.parametrize("when", ["(T > 5)", "(B > 2)", "(T == 1)"])
def test_what_is_wrong_in_float32_at_other_sizes_alone_is_refused(when: str) -> None:
    source = generate(CELL)
    ends = "    params_bar = {"
    wrong = f"    U_bar = U_bar * dtype.type(1 + (dtype.itemsize == 4) * {when})\n{ends}"
    assert ends in source
    assert not single_precision(Subject(CELL, Code(load_source(source.replace(ends, wrong))), 0)).ok
