"""Generated files: right on every cell, readable as before, and good to call."""

from __future__ import annotations

import ast
import inspect

import numpy as np
import pytest
from hypothesis import example, given, note

from derive.catalog import load, shipped
from derive.derivation import derive
from derive.language import read_cell
from numeric.fast_again import generate_small
from numeric.fast_source import generate_fast
from numeric.source import generate
from tests.generated import (
    arguments,
    bars,
    called,
    generated,
    in_its_layout,
    module_of,
    outputs_in_its_layout,
    read_module,
    shipped_module,
)
from tests.oracle import Sample, assert_close, distance, gradients, sample, unrolled
from tests.strategies import samples

every_cell = pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)

ODD = {
    "mixed lags, inputs at two steps": (
        "h[t] = tanh(W @ h[t-2] + V.T @ s[t-1] + U @ x[t])\n"
        "s[t] = sigmoid(V @ h[t] + A @ x[t-1] + p * s[t-2]) * s[t-1]\n"
    ),
    "W and its transpose": "h[t] = tanh(W @ h[t-1] + W.T @ h[t-2] + U @ x[t])\ny[t] = softmax(V @ h[t] + c)\n",
    "layer normalisation": (
        "a[t] = W @ h[t-1] + U @ x[t]\nd[t] = a[t] - mean(a[t])\n"
        "h[t] = tanh(g * d[t] / sqrt(mean(d[t] * d[t]) + 0.01) + b)\n"
    ),
    "no inputs": "h[t] = tanh(W @ h[t-1] + V @ h[t-3] + b)\n",
    "no parameters": "h[t] = tanh(h[t-1] + x[t] * h[t-2])\ny[t] = x[t] * h[t]\n",
    "neither": "h[t] = sin(h[t-1] + 0.5)\n",
    "only matrix states": "S[t] = tanh(A @ S[t-1] @ B + x[t] @ u[t].T)\n",
    "several inputs": "h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ z[t] + e[t])\n",
    "an input used only later": "h[t] = tanh(W @ h[t-1] + U @ x[t-3])\n",
    "a memory whose rows only its start shows": (
        "w[t] = softmax(M[t-1] @ (K @ x[t]))\nM[t] = M[t-1] + w[t] @ (V @ x[t]).T\n"
    ),
    "scalars": "dim q = 1\ndim e = 1\nq[t] = tanh(p * q[t-1] + e[t])\ndim p = 1\n",
    "rows": "dim r = 1, n\nr[t] = tanh(r[t-1] @ W + u[t].T @ V)\n",
    "a constant without a value": "const alpha\nh[t] = alpha * h[t-1] + (1 - alpha) * tanh(U @ x[t])\n",
    "a constant with a value": "const alpha = 0.25\nh[t] = alpha * h[t-1] + U @ x[t]\n",
    "every function": (
        "h[t] = softplus(W @ h[t-1]) + abs(V @ x[t]) * sin(h[t-1]) - cos(h[t-1]) / exp(h[t-1]**2)"
        " + log(2 + sigmoid(x[t])) + relu(h[t-1])\n"
    ),
    "inputs that pass through": (
        "h[t] = tanh(x[t] + e[t] + W @ h[t-1])\ny[t] = z[t] + U @ h[t]\nr[t] = concat(q[t], h[t])\nw[t] = c[t] - c[t]\n"
        "s[t] = concat(p[t], a[t])\n"
    ),
    "what no step changes": (
        "r = exp(-exp(nu))\nq = 2 * r + w\nA = W - W.T\nh[t] = r * h[t-1] + tanh(A @ h[t-1] + U @ x[t] + w * q)\n"
        "y[t] = V @ h[t] + A @ q\nz[t] = concat(q, h[t])\n"
    ),
    "a product of parameters at every step": (
        "dim g = 1\ndim e = 1\nW = P @ Q\ne = exp(g) / sqrt(sum(Q * Q))\n"
        "h[t] = tanh(e * (W @ h[t-1]) + W.T @ h[t-2] + softmax(b) * (U @ x[t]) + e)\n"
    ),
    "numbers that no step changes": "const alpha\nr = sqrt(1 - alpha**2)\nh[t] = alpha * h[t-1] + r * (U @ x[t])\n",
    "delta rule": (
        "k[t] = W_k @ x[t]\nv[t] = W_v @ x[t]\ndim beta = 1\nbeta[t] = sigmoid(w_b @ x[t])\n"
        "S[t] = S[t-1] - beta[t] * ((S[t-1] @ k[t] - v[t]) @ k[t].T)\ny[t] = S[t] @ (W_q @ x[t])\n"
    ),
    "products of parameters": "h[t] = tanh(W @ V @ h[t-1] + 2 * U @ x[t] - 0.5 * b)\n",
    "a scalar gate": "dim w = n\nq[t] = w.T @ h[t-1]\nh[t] = tanh(q[t] * (W @ h[t-1]) + U @ x[t] + sum(h[t-1]))\n",
    "mean over a square matrix": "dim M = n, n\nM[t] = tanh(M[t-1] + x[t])\nh[t] = h[t-1] + mean(M[t]) * b\n",
    "a size that only one unread input shows": "h[t] = tanh(x[t] + h[t-1])\nc[t] = h[t] * mean(z[t])\n",
    "gates of one and of many": (
        "dim f = 1\nf[t] = sigmoid(v @ h[t-1] + u @ x[t] + c)\nh[t] = f[t] * h[t-1] + tanh(W @ h[t-1] + U @ x[t] + b)\n"
    ),
    "a vector over a number, before the other states": (
        "c[t] = tanh(W @ c[t-1] / sqrt(1 + sum(x[t])**2))\nh[t] = h[t-1] + V @ c[t-1]\n"
    ),
    "one product of the inputs, twice in what a weight multiplies": (
        "h[t] = tanh(h[t-1] + U @ s[t-1])\ns[t] = tanh(W @ s[t-1] + b)\n"
        "c[t] = tanh(W @ V.T @ (A @ x[t] - A @ x[t] * tanh(A @ x[t])))\n"
    ),
    "a number of parameters alone": (
        "dim s = 1\ndim w = 1\ns[t] = tanh(mean(V.T @ V @ (w - b)))\nh[t] = tanh(h[t-1] + V @ x[t]) * w * (p @ c)\n"
        "dim p = 1, o\n"
    ),
    "a gate that the inputs alone make": (
        "f[t] = sigmoid(V @ x[t-1] + 0.5)\nh[t] = tanh(sigmoid(U @ x[t-1] + h[t-1]) + f[t] * h[t-2])\n"
    ),
}  # fmt: skip


def right_on(s: Sample, bound: float, module=None) -> None:
    """Demand outputs, final state and gradients as the equations and complex steps have them."""
    module = generated(s.cell) if module is None else module
    positional, keywords = arguments(s)
    before = [{k: v.copy() for k, v in positional[0].items()}, *(x.copy() for x in positional[1:])]
    outputs, final, cache = module.forward(*positional, **called(module, keywords))
    values = unrolled(s)
    assert_close(outputs, outputs_in_its_layout(s, values), bound)
    found = module.backward(positional[0], cache, *bars(s))
    for group, expected in zip(found, in_its_layout(s, gradients(s)), strict=True):
        assert_close(group, expected, bound)
    for name, value in final.items():
        q = s.cell.quantity(name)
        steps = [values[name, s.T - back] for back in reversed(range(q.depth))]
        last = [
            v[0] if v.ndim == 3 else v for v in steps
        ]  # parameters alone are alike for all samples
        shown = value[0] if q.depth == 1 else value[:, 0]
        stacked = last[0] if q.depth == 1 else np.stack(last)
        assert distance(np.ravel(shown), np.ravel(np.broadcast_to(stacked, stacked.shape))) < bound
    assert_close(positional[0], before[0], 0.0)
    for x, copy in zip(positional[1:], before[1:], strict=True):
        np.testing.assert_array_equal(x, copy)


@every_cell
@pytest.mark.parametrize("T", [1, 4])
def test_the_code_of_a_shipped_cell_is_right(entry, T):
    right_on(sample(load(entry.name), T=T, B=3, seed=8), 1e-12, shipped_module(entry.name))


@pytest.mark.parametrize(
    "spec", ["elman:g=relu", "elman:g=sigmoid", "elman:g=identity", "skip:d=1", "skip:d=7"]
)
def test_the_code_of_a_cell_with_options_is_right(spec):
    right_on(sample(load(spec), T=5, B=2), 1e-12)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_the_code_of_an_odd_cell_is_right(text):
    right_on(sample(read_cell(text, "odd"), T=4, B=3), 1e-11)


@pytest.mark.parametrize("sizes", [(2, 5, 3, 4), (1, 3, 2, 4), (4, 1, 2, 3)], ids=str)
@pytest.mark.parametrize("name", ["lstm", "gru_stacked", "linear_attention_gated", "lstm_rows"])
def test_sizes_do_not_matter(name, sizes):
    cell = load(name)
    numbers = dict(zip(cell.dims, sizes, strict=False))
    right_on(sample(cell, T=3, B=2, sizes=numbers), 1e-12, shipped_module(name))


def found_sample(text: str) -> Sample:
    return sample(read_cell(text, "found"))


@given(samples())
@example(
    found_sample(
        "dim W_om = 1, m\ndim h = 1\nh[t] = tanh(W_om @ (K @ concat(x[t], u[t])) + h[t-1])\ndim x = n\n"
    )
)
@example(
    found_sample(
        "dim x = n\nh[t] = tanh(W @ concat(x[t], u[t]) - W @ concat(x[t], u[t]) + h[t-1])\n"
    )
)
@example(found_sample("dim c = 1\nh[t] = tanh(x[t] + h[t-1])\nc[t] = tanh(-sum(M[t] @ x[t]))\n"))
@example(
    found_sample(
        "dim s = 1\ndim r = 1, n\nh[t] = tanh(x[t] + h[t-1])\ns[t] = tanh(sum((r[t]).T))\n"
    )
)
@example(found_sample("h[t] = tanh(x[t] + h[t-1])\ny[t] = tanh(-(tanh(x[t]) * (x[t] * x[t])))\n"))
def test_the_code_of_a_random_cell_is_right(s):
    note(s.cell.text)
    right_on(s, 1e-9)


# ── readable ──


@pytest.mark.parametrize("spec", ["lstm", "gru", "skip:d=3"])
def test_a_generated_file_reads_as_before(golden, spec):
    golden(f"code/{spec.partition(':')[0]}.py", generate(derive(load(spec))))


@every_cell
def test_every_equation_number_is_a_line_of_the_derivation(entry):
    d = derive(load(entry.name))
    source = generate(d)
    numbers = {int(n) for line in source.splitlines() if "  # (" in line for n in _numbers(line)}
    assert numbers <= {s.number for s in d.steps}
    computed = {s.number for s in d.steps if s.section in ("adjoint", "parameter", "equation")}
    assert len(numbers & computed) >= 0.8 * len(computed)


def _numbers(line: str) -> list[str]:
    return [part.strip(" ()") for part in line.partition("  # ")[2].split(",")]


@every_cell
def test_a_file_needs_numpy_only_and_compiles_without_unused_helpers(entry):
    source = generate(derive(load(entry.name)))
    tree = ast.parse(source)
    imports = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert imports == ["from __future__ import annotations", "import numpy as np"]
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    public = {
        "parameter_shapes",
        "init_params",
        "init_state",
        "forward",
        "backward",
        "step",
        "value_and_grad",
    }
    called = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    assert functions - called <= public
    assert all(ast.get_docstring(n) for n in tree.body if isinstance(n, ast.FunctionDef))


@every_cell
def test_no_line_is_much_too_long_and_nothing_is_assigned_for_nothing(entry):
    source = generate(derive(load(entry.name)))
    assert max(map(len, source.splitlines())) <= 140
    for function in (n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)):
        names = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
        stored = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        loaded = {n.id for n in names if isinstance(n.ctx, ast.Load)}
        if function.name != "step":
            assert stored - loaded <= {"_"}, function.name


def test_text_in_a_title_stays_text():
    hostile = '# a """ title \\ with "quotes" {and} % braces\nh[t] = tanh(W @ h[t-1])\n'
    module = module_of(generate(derive(read_cell(hostile, "specimen"))))
    assert module.NAME == "specimen"
    assert "title" in module.__doc__


@every_cell
def test_the_equations_in_the_file_make_the_same_file(entry):
    source = generate(derive(load(entry.name)))
    equations = module_of(source).EQUATIONS
    again = generate(derive(read_cell(equations, entry.name)))
    assert source.partition('"""\n')[2] == again.partition('"""\n')[2]


# ── good to call ──


def test_a_sequence_in_two_stretches_is_the_whole():
    """Streaming forward, and truncation that is none: the later stretch's gradients go in as final_bar."""
    module, s = shipped_module("skip"), sample(load("skip"), T=7)
    (params, x), keywords = arguments(s)
    whole, end, cache = module.forward(params, x, **keywords)
    outputs_bar, final_bar = bars(s)
    expected = module.backward(params, cache, outputs_bar, final_bar)

    first, middle, cache_1 = module.forward(params, x[:3], keywords["state"])
    second, last, cache_2 = module.forward(params, x[3:], middle)
    np.testing.assert_allclose(np.concatenate((first["h"], second["h"])), whole["h"], rtol=1e-13)
    np.testing.assert_allclose(last["h"], end["h"], rtol=1e-13)
    params_2, inputs_2, between = module.backward(
        params, cache_2, {"h": outputs_bar["h"][3:]}, final_bar
    )
    params_1, inputs_1, start = module.backward(
        params, cache_1, {"h": outputs_bar["h"][:3]}, between
    )
    assert_close({k: params_1[k] + params_2[k] for k in params_1}, expected[0], 1e-12)
    assert distance(np.concatenate((inputs_1["x"], inputs_2["x"])), expected[1]["x"]) < 1e-12
    assert_close(start, expected[2], 1e-12)


@every_cell
def test_single_steps_are_the_whole(entry):
    module, s = shipped_module(entry.name), sample(load(entry.name), T=4)
    (params, *inputs), keywords = arguments(s)
    whole, end, _ = module.forward(params, *inputs, **keywords)
    state = keywords.pop("state")
    for t in range(s.T):
        outputs, state = module.step(params, *(x[t] for x in inputs), state=state, **keywords)
        for name, value in outputs.items():
            np.testing.assert_allclose(value, whole[name][t], rtol=1e-12, atol=1e-12)
    for name, value in state.items():
        np.testing.assert_allclose(value, end[name], rtol=1e-12, atol=1e-12)


def test_a_cell_without_inputs_runs_as_long_as_it_is_told():
    module = read_module(ODD["no inputs"])[1]
    params = module.init_params(3, seed=1)
    state = {"h": np.random.default_rng(0).standard_normal((3, 5, 3))}
    outputs, _, _ = module.forward(params, state, steps=6)
    assert outputs["h"].shape == (6, 5, 3)
    one, after = module.step(params, state)
    np.testing.assert_array_equal(one["h"], outputs["h"][0])
    assert after["h"].shape == (3, 5, 3)


def test_value_and_grad_passes_the_loss_s_gradients_on():
    module, s = shipped_module("gru"), sample(load("gru"), T=5)
    (params, x), keywords = arguments(s)

    def loss(outputs):
        return 0.5 * float(np.sum(outputs["h"] ** 2)), {"h": np.array(outputs["h"])}

    value, (params_bar, inputs_bar, state_bar) = module.value_and_grad(loss, params, x, **keywords)
    outputs, _, cache = module.forward(params, x, **keywords)
    assert value == pytest.approx(0.5 * np.sum(outputs["h"] ** 2))
    expected = module.backward(params, cache, {"h": outputs["h"]})
    assert_close(params_bar, expected[0], 0.0)
    assert_close(inputs_bar, expected[1], 0.0)
    assert_close(state_bar, expected[2], 0.0)


def test_what_is_left_out_is_zero():
    module, s = shipped_module("lstm"), sample(load("lstm"), T=3)
    (params, x), _ = arguments(s)
    zeros = module.init_state(s.B, *s.sizes.values())
    _, _, cache = module.forward(params, x)
    outputs_bar = {"h": np.ones((3, s.B, zeros["h"].shape[1]))}
    left_out = module.backward(params, cache, outputs_bar)
    written = module.backward(params, cache, outputs_bar | {"c": 0 * outputs_bar["h"]}, zeros)
    for found, expected in zip(left_out, written, strict=True):
        assert_close(found, expected, 0.0)


@every_cell
def test_float32_in_float32_out(entry):
    module, s = shipped_module(entry.name), sample(load(entry.name), T=3)
    positional, keywords = arguments(s)
    small = lambda arrays: {k: v.astype(np.float32) for k, v in arrays.items()}  # noqa: E731
    params, inputs = small(positional[0]), [x.astype(np.float32) for x in positional[1:]]
    keywords["state"] = small(keywords["state"])
    outputs, final, cache = module.forward(params, *inputs, **keywords)
    found = module.backward(params, cache, *map(small, bars(s)))
    for group in (outputs, final, cache, *found):
        assert {name: v.dtype.name for name, v in group.items() if v.dtype != np.float32} == {}
    exact, _, cache = module.forward(*positional, **arguments(s)[1])
    wide = module.backward(positional[0], cache, *bars(s))
    assert_close(outputs, exact, 1e-4)
    for group, expected in zip(found, wide, strict=True):
        assert_close(group, expected, 1e-3)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_float32_stays_float32_in_odd_cells(text):
    cell, module = read_module(text)
    s = sample(cell, T=3)
    positional, keywords = arguments(s)
    small = lambda arrays: {k: v.astype(np.float32) for k, v in arrays.items()}  # noqa: E731
    params, inputs = small(positional[0]), [x.astype(np.float32) for x in positional[1:]]
    keywords["state"] = small(keywords["state"])
    outputs, final, cache = module.forward(params, *inputs, **keywords)
    found = module.backward(params, cache, *map(small, bars(s)))
    for group in (outputs, final, *found):
        assert {name: v.dtype.name for name, v in group.items() if v.dtype != np.float32} == {}


@pytest.mark.parametrize(
    "text", [*ODD.values(), load("lstm").text, load("gru").text], ids=[*ODD, "lstm", "gru"]
)
def test_gradients_share_no_memory_with_anything_and_may_be_written_to(text):
    cell, module = read_module(text)
    s = sample(cell, T=3)
    positional, keywords = arguments(s)
    _, final, cache = module.forward(*positional, **keywords)
    outputs_bar, final_bar = bars(s)
    found = module.backward(positional[0], cache, outputs_bar, final_bar)
    given = [
        *positional[0].values(),
        *positional[1:],
        *outputs_bar.values(),
        *final_bar.values(),
        *cache.values(),
    ]
    results = [*final.values(), *(v for group in found for v in group.values())]
    for i, result in enumerate(results):
        assert not any(np.shares_memory(result, v) for v in given), i
        assert not any(np.shares_memory(result, v) for v in results[:i]), i
        assert np.ndim(result) == 0 or result.flags.writeable


def test_backward_may_be_called_twice():
    module, s = shipped_module("lstm_peephole"), sample(load("lstm_peephole"), T=4)
    positional, keywords = arguments(s)
    _, _, cache = module.forward(*positional, **keywords)
    once, twice = (module.backward(positional[0], cache, *bars(s)) for _ in range(2))
    for found, expected in zip(once, twice, strict=True):
        assert_close(found, expected, 0.0)


def test_arrays_in_any_memory_order_are_taken():
    module, s = shipped_module("lstm"), sample(load("lstm"), T=4)
    (params, x), keywords = arguments(s)
    expected = module.forward(params, x, **keywords)[0]
    turned = {k: np.asfortranarray(v) for k, v in params.items()}
    strided = np.repeat(x, 2, axis=1)[:, ::2]
    assert_close(module.forward(turned, strided, **keywords)[0], expected, 1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["lstm", "gru", "slstm"])
def test_saturated_gates_raise_no_warning_and_give_finite_gradients(name, dtype):
    module, s = shipped_module(name), sample(load(name), T=3)
    (params, *inputs), keywords = arguments(s)
    big = [np.sign(x).astype(dtype) * dtype(1e4) for x in inputs]
    params = {k: v.astype(dtype) for k, v in params.items()}
    keywords["state"] = {k: v.astype(dtype) for k, v in keywords["state"].items()}
    outputs, _, cache = module.forward(params, *big, **keywords)
    outputs_bar = {k: v.astype(dtype) for k, v in bars(s)[0].items()}
    found = module.backward(params, cache, outputs_bar)
    for group in (outputs, *found):
        assert all(np.all(np.isfinite(v)) for v in group.values())


def test_signatures_are_typed():
    module = shipped_module("leaky")
    for name in ("forward", "backward", "step", "init_params", "init_state", "parameter_shapes"):
        parameters = inspect.signature(getattr(module, name)).parameters.values()
        assert all(p.annotation is not inspect.Parameter.empty for p in parameters), name


@pytest.mark.parametrize("name", ["lstm", "rglru", "mlstm"])
def test_the_arguments_of_a_step_are_called_alike_in_every_kind_of_file(name):
    derivation = derive(load(name))
    kinds = (generate, generate_fast, generate_small)
    steps = [inspect.signature(module_of(kind(derivation)).step) for kind in kinds]
    assert list(steps[0].parameters)[:2] == ["params", "x_t"]
    assert [list(s.parameters) for s in steps[1:]] == [list(steps[0].parameters)] * 2
