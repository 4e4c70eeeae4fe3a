"""Messages of generated code: each names the argument, what it is and what it should be."""

from __future__ import annotations

import re

import numpy as np
import pytest

from derive.catalog import load
from derive.derivation import derive
from derive.network_derivation import derive_network
from numeric import checks
from numeric.fast_again import generate_small, generate_small_network
from numeric.fast_source import generate_fast, generate_fast_network
from numeric.network_source import generate_network
from numeric.portable_network import generate_portable_network
from numeric.portable_source import generate_portable
from numeric.source import generate
from tests.generated import arguments, bars, module_of, read_module, shipped_module
from tests.networks import network_of, numbers
from tests.oracle import sample

MODULE = shipped_module("lstm")
S = sample(load("lstm"), T=4, B=3)
"""n = 3 hidden, m = 2 inputs, T = 4 steps, B = 3 samples."""


def given():
    (params, x), keywords = arguments(S)
    return dict(params), x.copy(), dict(keywords["state"])


def said(call, error=ValueError) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def changed(params, **new):
    return {**params, **new}


FORWARD = {
    "a weight of a wrong shape": (
        lambda P, x, s: (changed(P, W_f=P["W_f"][:2]), x, s),
        "params['W_f'] has shape (2, 3): expected (2, 2)",
    ),
    "a later weight of a wrong shape": (
        lambda P, x, s: (changed(P, U_g=P["U_g"].T), x, s),
        "params['U_g'] has shape (2, 3): expected (3, 2)",
    ),
    "a bias with an axis too many": (
        lambda P, x, s: (changed(P, b_o=P["b_o"][:, None]), x, s),
        "params['b_o'] has shape (3, 1): expected (3,)",
    ),
    "a weight without its second axis": (
        lambda P, x, s: (changed(P, W_f=P["b_f"]), x, s),
        "params['W_f'] has shape (3,): expected 2 axes",
    ),
    "a weight that is not there": (
        lambda P, x, s: ({k: v for k, v in P.items() if k != "b_g"}, x, s),
        "params lack or do not know b_g: expected W_f, U_f, b_f, W_i,",
    ),
    "the first weight is not there": (
        lambda P, x, s: ({k: v for k, v in P.items() if k != "W_f"}, x, s),
        "params['W_f'] is missing: expected an array of 2 axes",
    ),
    "a weight of an unknown name": (
        lambda P, x, s: (changed(P, W_q=P["W_f"]), x, s),
        "params lack or do not know W_q: expected W_f",
    ),
    "a weight whose name is no name": (
        lambda P, x, s: (changed(P, W_q=x) | {1: x}, x, s),
        "params lack or do not know 1, W_q: expected W_f",
    ),
    "a state whose name is no name": (lambda P, x, s: (P, x, {1: x}), "state does not know 1: expected c, h"),
    "a weight that is not a number": (
        lambda P, x, s: (changed(P, U_o=P["U_o"] * np.nan), x, s),
        "params['U_o'] holds numbers that are not finite",
    ),
    "an infinite weight": (
        lambda P, x, s: (changed(P, U_o=P["U_o"] + np.inf), x, s),
        "params['U_o'] holds numbers that are not finite",
    ),
    "an input of too many features": (
        lambda P, x, s: (P, np.zeros((4, 3, 5)), s),
        "x has shape (4, 3, 5): expected (4, 3, 2)",
    ),
    "an input without samples": (lambda P, x, s: (P, x[:, 0], s), "x has shape (4, 2): expected (T, B, …)"),
    "an input without steps": (lambda P, x, s: (P, x[:0], s), "x has shape (0, 3, 2): expected (T, B, …)"),
    "an infinite input": (lambda P, x, s: (P, x + np.inf, s), "x holds numbers that are not finite"),
    "a state of other samples": (
        lambda P, x, s: (P, x, {**s, "c": s["c"][:1]}),
        "state['c'] has shape (1, 3): expected (3, 3)",
    ),
    "a state of an unknown name": (
        lambda P, x, s: (P, x, {**s, "d": s["c"]}),
        "state does not know d: expected c, h",
    ),
    "a state that is not a number": (
        lambda P, x, s: (P, x, {**s, "h": s["h"] * np.nan}),
        "state['h'] holds numbers that are not finite",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), FORWARD.values(), ids=FORWARD)
def test_forward_names_the_argument_its_shape_and_the_expected_one(spoil, message):
    arguments_ = spoil(*given())
    assert message in said(lambda: MODULE.forward(*arguments_))


DTYPES = {
    "whole numbers": (lambda P, x, s: (changed(P, W_i=np.ones((3, 3), int)), x, s), "W_i int64"),
    "half precision": (lambda P, x, s: ({k: v.astype(np.float16) for k, v in P.items()}, x, s), "W_f float16"),
    "two precisions": (lambda P, x, s: (changed(P, b_f=P["b_f"].astype(np.float32)), x, s), "b_f float32"),
    "an input of another precision": (
        lambda P, x, s: (P, x.astype(np.float32), s),
        "x has dtype float32: expected float64, as the parameters have",
    ),
    "a state of another precision": (
        lambda P, x, s: (P, x, {**s, "h": s["h"].astype(np.float32)}),
        "state['h'] has dtype float32: expected float64",
    ),
    "text": (lambda P, x, s: (P, np.full((4, 3, 2), "a"), s), "x has dtype <U1: expected float64"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), DTYPES.values(), ids=DTYPES)
def test_forward_names_the_dtype_and_the_expected_one(spoil, message):
    arguments_ = spoil(*given())
    assert message in said(lambda: MODULE.forward(*arguments_), TypeError)


SEQUENCE, LAST = np.zeros((4, 3, 3)), np.zeros((3, 3))
BACKWARD = {
    "a wrong shape": ({"h": LAST}, None, "outputs_bar['h'] has shape (3, 3): expected (4, 3, 3)"),
    "an unknown name": ({"hh": SEQUENCE}, None, "outputs_bar does not know hh: expected c, h"),
    "an intermediate": ({"f": SEQUENCE}, None, "outputs_bar does not know f: expected c, h"),
    "no number": (
        {"c": SEQUENCE * np.nan},
        None,
        "outputs_bar['c'] holds numbers that are not finite",
    ),
    "a wrong last shape": (
        {},
        {"c": SEQUENCE},
        "final_bar['c'] has shape (4, 3, 3): expected (3, 3)",
    ),
    "an unknown last name": ({}, {"x": LAST}, "final_bar does not know x: expected c, h"),
}


@pytest.mark.parametrize(("outputs_bar", "final_bar", "message"), BACKWARD.values(), ids=BACKWARD)
def test_backward_names_the_gradient_its_shape_and_the_expected_one(
    outputs_bar, final_bar, message
):
    params, x, state = given()
    _, _, cache = MODULE.forward(params, x, state)
    assert message in said(lambda: MODULE.backward(params, cache, outputs_bar, final_bar))


def test_backward_refuses_weights_of_another_shape_than_forward_had():
    params, x, state = given()
    _, _, cache = MODULE.forward(params, x, state)
    assert "params['b_f']" in said(
        lambda: MODULE.backward({**params, "b_f": np.zeros(7)}, cache, {})
    )


def test_a_constant_that_is_not_finite_or_no_number_is_refused():
    module, s = shipped_module("leaky"), sample(load("leaky"), T=2)
    (params, x), _ = arguments(s)
    assert "alpha holds numbers that are not finite" in said(
        lambda: module.forward(params, x, alpha=np.nan)
    )
    assert "alpha has shape (2,): expected ()" in said(
        lambda: module.forward(params, x, alpha=[0.1, 0.2])
    )


def test_a_cell_that_knows_its_size_from_the_state_alone_asks_for_it():
    module = read_module("h[t] = sin(h[t-1] + 0.5)\n")[1]
    assert "state['h'] is missing" in said(lambda: module.forward({}, steps=3))
    assert "state['h'] has shape (3,): expected 2 axes" in said(
        lambda: module.forward({}, {"h": np.zeros(3)}, steps=3)
    )


def test_backward_s_gradients_may_be_of_one_output_only():
    params, x, state = given()
    _, _, cache = MODULE.forward(params, x, state)
    outputs_bar, _ = bars(S)
    MODULE.backward(params, cache, {"c": outputs_bar["c"]})


# ── what is given by name, in every kind of file ──

KINDS = {
    "readable": generate,
    "speed": generate_fast,
    "size": generate_small,
    "array-api": generate_portable,
    "network": generate_network,
    "network, speed": generate_fast_network,
    "network, size": generate_small_network,
    "network, array-api": generate_portable_network,
}


def lists(kind: str):
    """A function to call, and its arguments by name, each of which ought to be a dict."""
    if kind.startswith("network"):
        derivation = derive_network(network_of("tagger"))
        module = module_of(KINDS[kind](derivation), kind)
        n = numbers(network_of("tagger"), module)
        params, inputs, state = n.params, list(n.inputs.values()), n.state
        keywords = n.keywords
    else:
        module = module_of(KINDS[kind](derive(load("lstm"))), kind)
        params, x, state = given()
        inputs, keywords = [x], {}
    outputs, final, cache = module.forward(params, *inputs, state, **keywords)
    forward = {"params": params, "state": state}
    backward = {"params": params, "outputs_bar": dict(outputs), "final_bar": dict(final)}
    return (
        (forward, lambda g: module.forward(g["params"], *inputs, g["state"], **keywords)),
        (backward, lambda g: module.backward(g["params"], cache, g["outputs_bar"], g["final_bar"])),
    )


def refused(call, given, name: str, wrong) -> str:
    """What is said of one argument that is something else."""
    return said(lambda: call({**given, name: wrong}), TypeError)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_dict_is_told_with_what_was_expected(kind):
    for right, call in lists(kind):
        call(right)
        for name, values in right.items():
            for wrong in ([*values.values()], np.zeros(3), "W", 5):
                found = f"{name} is a {type(wrong).__name__}"
                told = refused(call, right, name, wrong)
                assert told == f"{found}: expected a dict of arrays by name"


@pytest.mark.parametrize("cache", [None, {}, {"h": SEQUENCE}, [SEQUENCE], SEQUENCE], ids=repr)
def test_a_cache_of_another_file_is_refused_by_one_over_a_workspace(cache):
    module = module_of(generate_fast(derive(load("lstm"))), "fast")
    told = said(lambda: module.backward(given()[0], cache, {}), TypeError)
    assert told == "cache is not of this file: expected the third of what forward returned"


# ── the checks themselves ──


def test_lists_are_taken_for_arrays():
    found = checks.checked("x", [[1.0, 2.0]], (1, 2), np.dtype(np.float64))
    assert isinstance(found, np.ndarray)


def test_an_index_out_of_range_tells_the_range():
    said_ = said(lambda: checks.checked_index("w", np.array([[0, 7]]), (1, 2), 5))
    assert said_ == "w holds 0 to 7: expected numbers from 0 to 4"
    assert re.search(
        "whole numbers",
        said(lambda: checks.checked_index("w", np.ones((1, 2)), (1, 2), 5), TypeError),
    )


def test_every_check_is_listed_for_the_generator():
    own = {
        name
        for name, v in vars(checks).items()
        if callable(v) and getattr(v, "__module__", "") == checks.__name__
    }
    assert own == set(checks.NAMES)
