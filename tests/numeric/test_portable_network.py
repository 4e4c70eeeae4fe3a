"""Networks over any array namespace, against the NumPy files: array-api-strict, torch and JAX, and by every check."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from derive.network_derivation import derive_network
from numeric import portable_ragged, ragged
from numeric.portable_network import generate_portable_network
from proofs.network_verification import verify_network
from tests.generated import module_of, needs_standard
from tests.networks import (
    TEXTS,
    Numbers,
    linear_gradients,
    module_named,
    network_of,
    numbers,
    read,
    source_of,
    weights,
)
from tests.oracle import assert_close

pytestmark = needs_standard

every_network = pytest.mark.parametrize("name", TEXTS)
Arrays = dict[str, Any]
Back = Callable[[Any], np.ndarray]


@cache
def portable_source(name: str) -> str:
    return generate_portable_network(derive_network(network_of(name)))


@cache
def portable(name: str) -> ModuleType:
    return module_of(portable_source(name), f"portable_{name}")


def moved(n: Numbers, xp: Any) -> Numbers:
    """The same numbers as arrays of a namespace."""

    def arrays(given: Arrays) -> Arrays:
        return {k: xp.asarray(v) if isinstance(v, np.ndarray) else v for k, v in given.items()}

    return Numbers(arrays(n.params), arrays(n.inputs), arrays(n.state), arrays(n.keywords))


def results(module: ModuleType, n: Numbers, xp: Any, back: Back) -> list[Arrays]:
    """Everything that a file computes on these numbers, as NumPy arrays."""
    given = moved(n, xp)
    outputs, final, kept = given.forward(module)

    def bars(arrays: Arrays, seed: int) -> Arrays:
        shaped = {k: np.empty(tuple(v.shape)) for k, v in arrays.items()}
        return {k: xp.asarray(v) for k, v in weights(shaped, seed).items()}

    found = module.backward(given.params, kept, bars(outputs, 1), bars(final, 2))
    return [{k: back(v) for k, v in part.items()} for part in (outputs, final, *found)]


def same(name: str, xp: Any, back: Back) -> None:
    plain, module = module_named(name), portable(name)
    n = numbers(network_of(name), plain)
    for ours, theirs in zip(
        results(module, n, xp, back), results(plain, n, np, np.asarray), strict=True
    ):
        assert_close(ours, theirs, 1e-12)
    if network_of(name).loss is None:
        return
    value, found = module.value_and_grad(*arguments(moved(n, xp)), **moved(n, xp).keywords)
    true, gradients = plain.value_and_grad(*arguments(n), **n.keywords)
    assert float(value) == pytest.approx(float(true), rel=1e-12)
    for ours, theirs in zip(found, gradients, strict=True):
        assert_close({k: back(v) for k, v in ours.items()}, theirs, 1e-12)


def arguments(n: Numbers) -> tuple[Any, ...]:
    return (n.params, *n.inputs.values(), n.state)


@every_network
def test_numpy_computes_the_same(name: str) -> None:
    same(name, np, np.asarray)


@every_network
def test_a_strict_namespace_computes_the_same(name: str) -> None:
    strict = pytest.importorskip("array_api_strict")
    same(name, strict, np.from_dlpack)


@every_network
def test_torch_computes_the_same(name: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("array_api_compat")
    same(name, torch, lambda v: v.numpy())


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("name", ["ragged", "indexed", "free_running", "skipping"])
def test_jax_computes_the_same(name: str, jax: Any) -> None:
    same(name, jax.numpy, np.asarray)


def test_jax_compiles_it_with_lengths_that_are_not_known_yet(jax: Any) -> None:
    module, plain = portable("ragged"), module_named("ragged")
    n = numbers(network_of("ragged"), plain)

    @jax.jit
    def gradient(params: Arrays, inputs: list[Any], state: Arrays, lengths: Any) -> Arrays:
        outputs, _, kept = module.forward(params, *inputs, state, lengths_t=lengths)
        return module.backward(params, kept, {"k": outputs["k"]})[0]

    found = gradient(n.params, list(n.inputs.values()), n.state, n.keywords["lengths_t"])
    outputs, _, kept = n.forward(plain)
    assert_close(
        {k: np.asarray(v) for k, v in found.items()},
        plain.backward(n.params, kept, {"k": outputs["k"]})[0],
        1e-12,
    )


@pytest.mark.parametrize(
    "name", ["ragged", "ragged_encoder_decoder", "indexed", "free_running", "skipping"]
)
def test_every_check_of_numpy_files_holds(name: str) -> None:
    found = verify_network(network_of(name), portable_source(name))
    assert found.failures == ()
    assert found.ok


@pytest.mark.parametrize(
    ("name", "pattern", "broken", "sees"),
    [
        ("tagger", r'turned\(outputs\["e"\]\)', 'outputs["e"]', "forward"),
        ("tagger", r'turned\(by_inputs\["e"\]\)', 'by_inputs["e"]', "complex step"),
        ("ragged", r'at_end\(outputs\["y"\], lengths_t\)', 'outputs["y"][-1:, ...]', "forward"),
        ("ragged", r"lengths\[None, :\] - 1\n", "0 * lengths[None, :]\n", "forward"),
        ("ragged", r'    x = held\("x", x, lengths_t, T_t\)\n', "", "padding"),
        ("many_to_one", r"== step % steps", "== 0", "complex step"),
    ],
)
def test_what_breaks_a_file_is_seen(name: str, pattern: str, broken: str, sees: str) -> None:
    changed, count = re.subn(pattern, broken, portable_source(name))
    assert count >= 1
    assert sees in {c.name for c in verify_network(network_of(name), changed).failures}


def test_a_step_at_a_time_gives_what_the_whole_gives() -> None:
    strict = pytest.importorskip("array_api_strict")
    module = portable("aligned")
    n = moved(numbers(network_of("aligned"), module_named("aligned")), strict)
    outputs, final, _ = n.forward(module)
    state = n.state
    for t in range(5):
        inputs = [x[t, ...] for x in n.inputs.values()]
        out, state = module.step(n.params, *inputs, state)
        assert_close(
            {k: np.from_dlpack(v) for k, v in out.items()},
            {k: np.from_dlpack(v[t, ...]) for k, v in outputs.items()},
            1e-12,
        )
    assert_close(
        {k: np.from_dlpack(v) for k, v in state.items()},
        {k: np.from_dlpack(v) for k, v in final.items()},
        1e-12,
    )


@pytest.mark.parametrize(
    "text",
    [
        "xp = scan(elman, device[t])\ny[t] = V @ xp.h[t] + Any",
        "ragged t\nturned = scan(elman, numbers[t], reverse)\ny[end] = at_steps @ turned.h[end]",
        "namespace[t] = W @ told[t]\nmade = scan(elman, namespace[t])\nk[end] = like @ made.h[end]",
    ],
)
def test_names_of_the_code_are_free_for_quantities(text: str) -> None:
    network = read(text)
    plain = module_of(source_of(network))
    module = module_of(generate_portable_network(derive_network(network)), "portable_specimen")
    n = numbers(network, plain)
    for ours, theirs in zip(
        linear_gradients(module, n)[0], linear_gradients(plain, n)[0], strict=True
    ):
        assert_close(ours, theirs, 1e-12)


@pytest.mark.parametrize("kind", ["int32", "uint8", "uint64"])
def test_lengths_are_whole_numbers_of_any_width(kind: str) -> None:
    n = numbers(network_of("ragged"), module_named("ragged"))
    other = replace(n, keywords={"lengths_t": n.keywords["lengths_t"].astype(kind)})
    for module in (module_named("ragged"), portable("ragged")):
        assert_close(other.forward(module)[0], n.forward(module)[0], 0)


@pytest.mark.parametrize(
    ("lengths", "says"),
    [
        (np.array([5, 3]), r"lengths_t has shape \(2,\): expected \(3,\)"),
        (np.array([5.0, 3.0, 1.0]), "lengths_t has dtype float64: expected whole numbers"),
        (np.array([5, 0, 1]), "lengths_t holds numbers out of range: expected lengths from 1 to 5"),
        (np.array([6, 3, 1]), "lengths_t holds numbers out of range: expected lengths from 1 to 5"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(lengths: np.ndarray, says: str) -> None:
    n = numbers(network_of("ragged"), module_named("ragged"))
    with pytest.raises((ValueError, TypeError), match=says):
        replace(n, keywords={"lengths_t": lengths}).forward(portable("ragged"))


def test_lengths_left_out_are_the_whole_axis() -> None:
    n = numbers(network_of("ragged"), module_named("ragged"))
    left_out = replace(n, keywords={})
    whole = replace(n, keywords={"lengths_t": np.full(3, 5)})
    module = portable("ragged")
    assert_close(left_out.forward(module)[0], whole.forward(module)[0], 0)


def test_ragged_functions_are_those_of_the_numpy_files() -> None:
    rng = np.random.default_rng(0)
    sequence, lengths, T = rng.standard_normal((5, 3, 2)), np.array([5, 2, 1]), 5
    for name, given in {
        "mask_of": (lengths, T, np.dtype(np.float64)),
        "held": ("x", sequence, lengths, T),
        "at_end": (sequence, lengths),
        "from_end": (sequence[:1], lengths, T),
    }.items():
        ours, theirs = getattr(portable_ragged, name)(*given), getattr(ragged, name)(*given)
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_the_networks_functions_take_nothing_from_numpy_and_write_into_no_array() -> None:
    source = portable_source("ragged_encoder_decoder")
    after = source[source.index("the whole network") :]
    passes = after[after.index("def forward(") : after.index("def value_and_grad(")]
    assert not re.findall(r"\bnp\.", passes)
    written = re.findall(r"^ *(\w+)\[.*\] [+*|-]?= ", passes, re.MULTILINE)
    assert set(written) <= {"cache"}
