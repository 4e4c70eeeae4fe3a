"""Networks for the tests: texts of every kind, numbers for them, and their gradients by complex steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType

import numpy as np

from derive.catalog import shipped
from derive.network import Network
from derive.network_derivation import derive_network
from derive.network_language import read_network
from numeric.network_source import generate_network
from tests.generated import module_of

ATTENDING = """
a[t] = softmax(K[t].T @ (Q @ h[t-1]))
z[t] = K[t] @ a[t]
h[t] = tanh(W @ h[t-1] + U @ x[t] + C @ z[t] + b)
"""
COVERING = """
e[t] = K[t].T @ (Q @ h[t-1]) - w * seen[t-1]
a[t] = softmax(e[t])
seen[t] = seen[t-1] + a[t]
h[t] = tanh(W @ h[t-1] + C @ (K[t] @ a[t]) + U @ x[t] + b)
dim w = 1
"""
CELLS = {entry.name: entry.text for entry in shipped()}
TOLD = "h[t] = tanh(W @ h[t-1] + C @ topic[t] + U @ x[t] + b)"
TWO = "h[t] = tanh(W @ h[t-1] + U @ a[t] + V @ b[t])"
CELLS |= {"attending": ATTENDING, "covering": COVERING, "told": TOLD, "two": TWO}
LENGTHS = {"t": 5, "s": 4}
B = 3
SIZES = (3, 2, 4, 5, 6, 7, 8, 9, 10, 11)
H = 1e-200

SHARED_START = """
enc = scan(skip(2), x[t])
z[t] = W @ enc.h[t]
a = scan(elman, z[t])
dec = scan(skip(2), q[s], start(enc))
dec2 = scan(skip(2), q[s], start(enc))
r[t] = A @ enc.h[t] + C @ a.h[t]
y[s] = V @ dec.h[s] + V @ dec2.h[s]
"""
"""A network of which sums of sequences and of final values have the same shape where T is 2."""

TEXTS = {
    "one_to_one": """
        y[end] = softmax(V @ tanh(W @ x[end] + b) + c)
        loss[end] = cross_entropy(y[end], d[end])
    """,
    "many_to_one": """
        f = scan(elman(relu), x[t])
        g = scan(lstm, f.h[t])
        y[end] = sigmoid(V @ g.h[end] + c)
        loss[end] = binary_cross_entropy(y[end], label[end])
    """,
    "one_to_many": """
        f = scan(lstm, y[t-1])
        y[t] = softmax(V @ f.h[t] + c)
        loss[t] = cross_entropy(y[t], d[t])
    """,
    "around": """
        f = scan(elman, x[t])
        g = scan(gru, f.h[t])
        y[t] = V @ (g.h[t] + f.h[t-1]) + c
        loss[t] = squared_error(y[t], d[t])
    """,
    "aligned": """
        f = scan(gru, x[t])
        y[t] = V @ f.h[t] + c
        loss[t] = w[t] * squared_error(y[t], d[t])
    """,
    "tagger": """
        e[t] = E @ word[t]
        f = scan(lstm, e[t])
        b = scan(gru, e[t], reverse)
        y[t] = softmax(V @ concat(f.h[t], b.h[t]) + c)
        loss[t] = cross_entropy(y[t], tag[t])
    """,
    "encoder_decoder": """
        enc = scan(lstm, x[t])
        dec = scan(lstm, z[s], start(enc))
        y[s] = softmax(V @ dec.h[s] + c)
        loss[s] = cross_entropy(y[s], d[s])
    """,
    "free_running": """
        enc = scan(gru, x[t])
        dec = scan(gru, y[s-1], start(enc))
        y[s] = V @ dec.h[s] + c
        loss[s] = squared_error(y[s], d[s])
    """,
    "bridged": """
        f = scan(lstm, x[t])
        b = scan(gru, x[t], reverse)
        s0.h[end] = tanh(P @ concat(f.h[end], b.h[end]) + p)
        s0.c[end] = Q @ f.c[end]
        dec = scan(lstm, y[s-1], start(s0))
        y[s] = V @ dec.h[s] + c
        loss[s] = squared_error(y[s], d[s])
    """,
    "ragged_bridged": """
        ragged t
        s0.h[end] = tanh(P @ image[end])
        f = scan(gru, x[t], reverse, start(s0))
        y[t] = softmax(V @ f.h[t])
        loss[t] = cross_entropy(y[t], d[t])
    """,
    "reversed_encoder": """
        enc = scan(gru, x[t], reverse)
        dec = scan(gru, z[s], start(enc))
        y[s] = V @ dec.h[s]
        k[end] = W @ enc.h[end]
    """,
    "indexed": """
        index tag
        f = scan(gru, e[t])
        e[t] = embed(E, word[t])
        q[t] = tanh(Q @ f.h[t] + R @ word[t] + r)
        p[t] = sigmoid(P @ f.h[t] + S @ word[t] + s)
        y[t] = softmax(V @ (q[t] * p[t]) + c)
        loss[t] = cross_entropy(y[t], tag[t])
        k[end] = softmax(K @ f.h[end])
        z[end] = cross_entropy(k[end], topic[end]) + sum(topic[end] * a)
        index topic
    """,
    "ragged": """
        ragged t
        f = scan(lstm, x[t])
        b = scan(gru, x[t], reverse)
        y[t] = softmax(V @ concat(f.h[t], b.h[t]) + c)
        loss[t] = cross_entropy(y[t], d[t])
        k[end] = K @ concat(f.h[end], b.h[end]) + L @ y[end]
    """,
    "ragged_encoder_decoder": """
        ragged t
        ragged s
        e[t] = embed(E, word[t])
        enc = scan(lstm, e[t], reverse)
        dec = scan(lstm, y[s-1], start(enc))
        y[s] = softmax(V @ dec.h[s] + c)
        loss[s] = w[s] * squared_error(y[s], d[s])
    """,
    "ragged_one_to_many": """
        ragged t
        f = scan(gru, y[t-1])
        y[t] = tanh(V @ f.h[t])
        last[end] = W @ y[end]
    """,
    "deep_bidirectional": """
        f = scan(gru, x[t])
        b = scan(elman, x[t], reverse)
        u[t] = concat(f.h[t], b.h[t])
        p = scan(lstm, u[t])
        q = scan(elman, u[t], reverse)
        y[t] = softmax(V @ concat(p.h[t], q.h[t]) + c)
        loss[t] = cross_entropy(y[t], d[t])
    """,
    "tied": """
        a = scan(elman_bare, x[t])
        b = scan(elman_bare, x[t], reverse, share(a))
        y[t] = a.h[t] + b.h[t]
    """,
    "concatenated": """
        f = scan(gru, x[t])
        b = scan(gru, x[t], reverse, share(f))
        u[t] = concat(f.h[t], b.h[t])
        q = scan(elman, u[t])
    """,
    "residual": """
        u[t] = P @ x[t]
        f = scan(gru, u[t])
        v[t] = u[t] + d[t] * f.h[t]
        mean_v[t] = mean(v[t])
        var_v[t] = mean((v[t] - mean_v[t])**2)
        n[t] = g * (v[t] - mean_v[t]) / sqrt(var_v[t] + 0.001) + k
        q = scan(lstm, n[t])
        y[t] = n[t] + q.h[t]
    """,
    "attention": """
        f = scan(gru, x[s])
        b = scan(elman, x[s], reverse)
        u[s] = concat(f.h[s], b.h[s])
        K[end] = tanh(M @ columns(u[s]))
        s0.h[end] = R @ f.h[end]
        dec = scan(attending, K[end], y[t-1], start(s0))
        y[t] = V @ concat(dec.h[t], dec.z[t]) + P @ topic[end]
        loss[t] = squared_error(y[t], d[t])
    """,
    "pooled": """
        f = scan(gru, x[t])
        b = scan(elman, x[t], reverse)
        F[end] = columns(f.h[t])
        a[end] = softmax(F[end].T @ q + columns(b.h[t]).T @ r)
        y[end] = V @ (F[end] @ a[end]) + W @ (columns(b.h[t]) @ a[end]) + P @ f.h[end]
        loss[end] = squared_error(y[end], d[end])
    """,
    "held": """
        f = scan(elman, x[t])
        g[end] = tanh(G @ f.h[end] + embed(E, word[end]))
        w[s] = concat(d[s], g[end])
        b = scan(gru, w[s], reverse)
        dec = scan(told, g[end], y[s-1], start(b))
        y[s] = V @ (b.h[s] * g[end]) + A @ dec.h[s] + B @ z[end] + embed(D, word[end])
        late[end] = L @ y[end] + M @ z[end] + N @ dec.h[end]
    """,
    "covered": """
        enc = scan(lstm, x[s])
        K[end] = columns(enc.h[s])
        dec = scan(covering, K[end], y[t-1])
        y[t] = V @ dec.h[t] + Z @ z[end]
        k[t] = dec.a[t].T @ K[end].T @ c - dec.seen[t].T @ w[t]
        dim k = 1
    """,
    "conditioned": """
        f = scan(told, z[end], x[t])
        y[t] = V @ f.h[t] + embed(E, word[end])
    """,
    "ragged_attention": """
        ragged s
        ragged t
        enc = scan(gru, x[s])
        b = scan(elman, x[s], reverse)
        K[end] = tanh(M @ columns(enc.h[s]))
        dec = scan(attending, K[end], y[t-1], start(enc))
        y[t] = V @ concat(dec.h[t], dec.z[t]) + K[end] @ tanh(K[end].T @ dec.h[t]) + P @ topic[end]
        loss[t] = squared_error(y[t], d[t])
        m[end] = V @ concat(columns(b.h[s]) @ exp(K[end].T @ q), K[end] @ softmax(K[end].T @ r))
        m2[end] = sum(columns(b.h[s])) + mean(K[end]) + logsumexp(K[end].T @ q)
    """,
    "ragged_covered": """
        ragged s
        enc = scan(lstm, x[s])
        K[end] = columns(enc.h[s])
        dec = scan(covering, K[end], y[t-1])
        y[t] = V @ dec.h[t] + Z @ z[end]
        k[t] = dec.a[t].T @ K[end].T @ c - dec.seen[t].T @ w[t] + mean(dec.seen[t])
        dim k = 1
    """,
    "ragged_pointer": """
        ragged s
        ragged t
        index target
        enc = scan(gru, x[s])
        H[end] = columns(enc.h[s])
        q[t] = W @ before[t]
        a[t] = softmax(H[end].T @ q[t])
        loss[t] = cross_entropy(a[t], target[t])
    """,
    "ragged_prior": """
        ragged s
        f = scan(elman, x[s])
        H[end] = columns(f.h[s])
        p[end] = softmax(H[end].T @ q)
        r[end] = softmax(H[end].T @ v)
        k[end] = sum(p[end] * log(p[end] / r[end])) + mean((p[end] @ r[end].T + 1) ** -2)
        l[end] = H[end] @ (p[end] / (r[end] + w[end] ** 2)) + H[end] @ sqrt(p[end])
    """,
    "ragged_pooled": """
        ragged t
        f = scan(elman, x[t], reverse)
        H[end] = columns(f.h[t])
        y[end] = H[end] @ softmax(H[end].T @ q)
        loss[end] = squared_error(y[end], d[end])
    """,
    "skipping": """
        f = scan(skip(3), x[t])
        g = scan(elman, x[t-1])
        y[t] = V @ concat(f.h[t-2], g.h[t])
    """,
}


@cache
def network_of(name: str) -> Network:
    """One of ``TEXTS`` as a network."""
    return read_network(TEXTS[name], name, CELLS.get)


def read(text: str) -> Network:
    """A network of shipped cells."""
    return read_network(text, "specimen", CELLS.get)


def source_of(network: Network) -> str:
    """The generated file of a network."""
    return generate_network(derive_network(network))


@cache
def module_named(name: str) -> ModuleType:
    """The generated module of one of ``TEXTS``."""
    return module_of(source_of(network_of(name)), name)


@dataclass(frozen=True)
class Numbers:
    """What a network is run on: parameters, inputs by name, initial values, and lengths by keyword."""

    params: dict[str, np.ndarray]
    inputs: dict[str, np.ndarray]
    state: dict[str, np.ndarray]
    keywords: dict

    def forward(self, module: ModuleType):
        """The module's forward pass on these numbers."""
        return module.forward(self.params, *self.inputs.values(), self.state, **self.keywords)


def numbers(network: Network, module: ModuleType, *, seed: int = 0, samples: int = B) -> Numbers:
    """Random numbers for a network; all sizes differ, no initial value is zero."""
    rng = np.random.default_rng(seed)
    sizes = dict(zip(network.dims, SIZES, strict=False))
    steps = {d: LENGTHS[axis] for d, axis in network.lengths.items()}
    beside = [steps[d] for d in network.lengths_of_states]
    scaled = {
        k: np.asarray(0.6 * rng.standard_normal(v))
        for k, v in module.parameter_shapes(*sizes.values()).items()
    }
    state = {
        k: rng.standard_normal(v.shape)
        for k, v in module.init_state(samples, *sizes.values(), *beside).items()
    }
    sizes |= steps
    inputs = {}
    for q in network.inputs:
        axis = network.axes[q.name]
        front = () if axis == "end" else (LENGTHS[axis],)
        if q.kind == "index":
            of = network.lengths.get(q.shape[0])
            beyond = lengths_along(of, samples) if of in network.masks else q.shape[0].subs(sizes)
            inputs[q.name] = rng.integers(0, np.array(beyond, int), (*front, samples))
            continue
        inputs[q.name] = rng.standard_normal((*front, samples, int(q.shape[0].subs(sizes))))
    known = {*network.axes.values(), *network.masks}
    alone = [s.axis for s in network.segments if not s.sequences and s.axis not in known]
    keywords = {f"steps_{axis}": LENGTHS[axis] for axis in alone}
    for axis in network.masks:
        keywords[f"lengths_{axis}"] = lengths_along(axis, samples)
    return Numbers(scaled, inputs, state, keywords)


def lengths_along(axis: str, samples: int) -> np.ndarray:
    """Lengths from the whole axis down to 1."""
    return np.maximum(1, LENGTHS[axis] - 2 * np.arange(samples))


def weights(arrays: dict[str, np.ndarray], seed: int = 1) -> dict[str, np.ndarray]:
    """A random weight for every entry: the gradient of a linear loss."""
    rng = np.random.default_rng(seed)
    return {k: rng.standard_normal(v.shape) for k, v in arrays.items()}


def linear_gradients(module: ModuleType, n: Numbers):
    """The generated gradients of Σ ⟨weight, output⟩ + Σ ⟨weight, final⟩, and that loss as a function of numbers."""
    outputs, final, cache = n.forward(module)
    outputs_bar, final_bar = weights(outputs), weights(final, 2)
    found = module.backward(n.params, cache, outputs_bar, final_bar)

    def loss(m: Numbers):
        out, end, _ = m.forward(module)
        return sum((outputs_bar[k] * v).sum() for k, v in out.items()) + sum(
            (final_bar[k] * v).sum() for k, v in end.items()
        )

    return found, loss


def complex_steps(loss, n: Numbers) -> dict[str, dict[str, np.ndarray]]:
    """∂loss/∂(every entry of parameters, inputs and initial values), one complex step each."""
    whole = replace(
        n,
        **{
            g: {
                k: v.astype(complex) if v.dtype.kind == "f" else v for k, v in getattr(n, g).items()
            }
            for g in ("params", "inputs", "state")
        },
    )
    found: dict[str, dict[str, np.ndarray]] = {}
    for group in ("params", "inputs", "state"):
        found[group] = {}
        for name, array in getattr(whole, group).items():
            if array.dtype.kind != "c":
                continue
            slopes = np.zeros(array.shape)
            for at in np.ndindex(array.shape):
                moved = np.array(array)
                moved[at] += 1j * H
                changed = replace(whole, **{group: {**getattr(whole, group), name: moved}})
                slopes[at] = loss(changed).imag / H
            found[group][name] = slopes
    return found
