"""float32: a function less exact than float32 is refused; a run that magnifies rounding is not."""

from __future__ import annotations

import math

import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_catalog import load as load_network
from derive.network_derivation import derive_network
from numeric.fast_source import generate_fast
from numeric.network_source import generate_network
from numeric.source import generate
from proofs.behaviour_checks import single_precision
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_checks import single_precision as network_single_precision
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED
from proofs.single_precision import LEAST, MOST, allowed
from proofs.subject import Subject

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
