"""The measurements in other array namespaces, against NumPy: torch, jax, and the standard's strictest reading."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from derive.errors import ArgumentError
from numeric.forward_run import run
from numeric.interpret import Array
from numeric.lyapunov import growth, spectrum
from numeric.namespace import FUNCTIONS, NUMPY, Namespace, namespace
from numeric.products import extremes, log_norms
from numeric.singular import log_largest_singular
from numeric.stream import Stream, normal_inputs
from tests.numeric.dynamics import derivation_of, sizes_of, weights

OTHERS = ("array_api_strict", "torch", "jax")


def other(name: str, dtype: str = "float64") -> Namespace:
    module = pytest.importorskip(name)
    if name == "torch":
        pytest.importorskip("array_api_compat")
    if name == "jax":
        module.config.update("jax_enable_x64", True)
    return namespace(name, dtype)


def measured(
    name: str, space: Namespace, n: int = 5, m: int = 3, steps: int = 15
) -> dict[str, Array]:
    derivation, sizes, fixed = derivation_of(name), sizes_of(name, n, m), weights(name, n, m)

    def stream() -> Stream:
        drawn = normal_inputs(derivation, sizes, 1, space=space)
        return Stream(derivation, sizes, fixed, drawn, space=space)

    inputs = {"x": np.random.default_rng(2).standard_normal((steps, 1, m, 1))}
    stored = run(
        derivation, sizes, {k: v[None] for k, v in fixed.items()}, inputs, steps=steps, space=space
    )
    whole = extremes(stored, (1, steps))
    return {
        "growth": np.array(growth(stream(), 40, warmup=5).rate),
        "spectrum": spectrum(stream(), 20, count=3, warmup=10, interval=2).exponents,
        "determinant": np.array(spectrum(stream(), 5, warmup=4, interval=1).determinant),
        "norms": log_norms(stored),
        "lanczos": log_largest_singular(stored, (1, steps)),
        "largest": whole.largest,
        "smallest": whole.smallest,
    }


@pytest.mark.parametrize("library", ["array_api_strict", "torch"])
@pytest.mark.parametrize("name", ["lstm", "skip", "deltanet"])
def test_every_measurement_is_numpys_in_other_namespaces(library: str, name: str) -> None:
    theirs = measured(name, other(library))
    for what, value in measured(name, NUMPY).items():
        assert isinstance(theirs[what], np.ndarray)
        np.testing.assert_allclose(theirs[what], value, rtol=1e-7, atol=1e-7, err_msg=what)


@pytest.mark.parametrize("library", ["array_api_strict", "torch"])
def test_single_precision_stays_single_and_close(library: str) -> None:
    space = other(library, "float32")
    assert "float32" in str(space.asarray(np.ones(2)).dtype)
    derivation, sizes = derivation_of("elman"), sizes_of("elman", 5, 3)
    stream = Stream(
        derivation,
        sizes,
        weights("elman", 5, 3),
        normal_inputs(derivation, sizes, 1, space=space),
        space=space,
    )
    look = stream.step()
    assert "float32" in str(look(derivation.assignments[-1].target).dtype)
    theirs, ours = measured("elman", space), measured("elman", NUMPY)
    np.testing.assert_allclose(theirs["norms"], ours["norms"], atol=1e-3)
    np.testing.assert_allclose(theirs["growth"], ours["growth"], atol=1e-3)


@pytest.mark.parametrize("library", OTHERS)
def test_the_functions_of_the_language_are_the_same_everywhere(library: str) -> None:
    space = other(library)
    a = np.array([[-800.0], [-1.5], [-0.25], [0.0], [0.5], [3.0], [30.0]])
    for name in FUNCTIONS:
        given = np.abs(a) + 0.1 if name in ("log", "sqrt") else np.minimum(a, 30.0)
        theirs = space.numpy(space.function(name)(space.asarray(given)))
        np.testing.assert_allclose(theirs, NUMPY.function(name)(given), rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("library", OTHERS)
@pytest.mark.parametrize(
    "name", ["minlstm", "rwkv", "lru", "selective_ssm", "mlstm", "gru_stacked"]
)
def test_every_kind_of_equation_runs_in_other_namespaces(library: str, name: str) -> None:
    space = other(library)
    derivation, sizes, fixed = derivation_of(name), sizes_of(name, 4, 3), weights(name, 4, 3)

    def last(where: Namespace) -> dict[str, Any]:
        stream = Stream(
            derivation, sizes, fixed, normal_inputs(derivation, sizes, 1, space=where), space=where
        )
        look = stream.step()
        for _ in range(2):
            look = stream.step()
        return {q.name: where.numpy(look(q.symbol)) for q in derivation.cell.states}

    theirs = last(space)
    for state, value in last(NUMPY).items():
        np.testing.assert_allclose(theirs[state], value, rtol=1e-10, err_msg=state)


def test_norms_neither_underflow_nor_overflow() -> None:
    for space in (NUMPY, Namespace(dtype="float32")):
        for size in (1e-30, 1e30):
            found = space.norm(space.asarray(np.full((3, 3), size)))
            assert found == pytest.approx(3 * size, rel=1e-5)
        assert space.norm(space.zeros((2, 2))) == 0.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("numpie",), "no array namespace"),
        (("numpy", "float16"), "no precision"),
        (("cupy",), "cupy"),
    ],
)
def test_what_is_not_there_is_said(given: tuple[str, ...], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        namespace(*given)


def test_numpy_has_no_device_but_its_own() -> None:
    with pytest.raises(ArgumentError, match="numpy makes no float64 array on cuda"):
        namespace("numpy", device="cuda")


def test_a_device_that_is_not_there_is_said() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("array_api_compat")
    with pytest.raises(ArgumentError, match="moonbase"):
        namespace("torch", device="moonbase")
