"""Clipping, windows, optimisers and the loop are checked where a file has them; every mistake in them is noticed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import throughtime
from numeric.training import with_training
from proofs.addition_checks import OF_CELLS, OF_NETWORKS, examined
from proofs.modules import Code, load_source
from proofs.training_checks import CLIPPING, OF_TRAINING, OPTIMISERS, WINDOWS
from proofs.training_loop import LOOP
from proofs.verification import guarded

SOURCE = with_training("import numpy as np\n\nArray = np.ndarray\nArrays = dict[str, Array]\n")
CHECKS = {name: examine for checks in OF_TRAINING.values() for name, examine in checks.items()}
CLIPPED = (
    '    real_arrays("gradients", gradients)\n    all_finite("gradients", gradients)\n'
    '    in_range("limit", limit)\n'
)
FOUND = "if np.shape(found) != like.shape:"
OVERFLOWING = "return float(np.sqrt(sum(np.sum(np.square(g)) for g in gradients.values())))"

MISTAKES = {
    CLIPPING: [
        (f"{CLIPPED}    norm", f"{CLIPPED.split('all')[0]}in_range('limit', limit)\n    norm"),
        (f"{CLIPPED}    return", f"{CLIPPED.split('all')[0]}in_range('limit', limit)\n    return"),
        (f"{CLIPPED}    norm", f"{CLIPPED.split('in_')[0].rstrip()}\n    norm"),
        (f"{CLIPPED}    return", f"{CLIPPED.split('in_')[0].rstrip()}\n    return"),
        ("global_norm(gradients)\n    if", "global_norm({k: np.ravel(g)[:999] for k, g in gradients.items()})\n    if"),
        ("norm > limit else 1.0", "norm > limit > 0 else 1.0"),
        ("norm > limit else 1.0", "norm > limit * (1 + 1e-6) else 1.0"),
        ("for name, g in gradients.items()}", "for name, g in [*gradients.items()][:12]}"),
        ("norm > limit else", "norm < limit else"),
        ("scale = limit / norm", "scale = norm / limit"),
        ("np.sum(np.square(g / largest))", "np.sum(np.abs(g / largest))"),
        ("float(np.sqrt(sum(squares)))", "float(np.sqrt(max(squares)))"),
        ("return largest * float(np.sqrt(sum(squares)))", OVERFLOWING),
        ("    if norm == np.inf:", "    if norm is None:"),
        ("limit / norm if norm > limit else 1.0", "min(1.0, limit / norm)"),
        ("np.clip(g, -limit, limit)", "np.clip(g, 0, limit)"),
        ("np.clip(g, -limit, limit)", "np.clip(g, -limit, limit, out=g)"),
        ("(g * scale).astype(g.dtype)", "(g * np.float64(scale)).astype(float)"),
    ],
    WINDOWS: [
        ("series[i : i + count]", "series[min(i, 400) : min(i, 400) + count]"),
        ("series[length + ahead - 1 :]", "series[length + min(ahead, 700) - 1 :]"),
        ("np.stack([series[i : i + count]", "np.stack([series[i : i + count].reshape(count, -1)"),
        ("series[i : i + count]", "series[min(i, 40) : min(i, 40) + count]"),
        ("series[length + ahead - 1 :]", "series[length + min(ahead, 5) - 1 :]"),
        ("series[i : i + count]", "series[i + 1 : i + 1 + count]"),
        ("series[length + ahead - 1 :]", "series[length :]"),
        ("[:count]", "[: count - 1]"),
        ("count = len(series) - length - ahead + 1", "count = len(series) - length"),
        ("or count < 1", "or count < 0"),
    ],
    OPTIMISERS: [
        ('dtype is None or dtype.kind != "f"', "dtype is None"),
        ("(1.0 - b2**count)", "(1.0 - b2 ** min(count, 500))"),
        ("rate * m / (", "rate * (np.arange(np.size(m)).reshape(m.shape) < 900) * m / ("),
        ("(1.0 - b1**count)", "(1.0 - b1 ** min(count, 6))"),
        ("np.square(g)\n        m, v", "np.square(g) * (np.abs(g) > 1e-8)\n        m, v"),
        ("momentum * before[name] + g", "before[name] + g"),
        ("momentum * before[name] + g", "momentum * before[name] + (1 - momentum) * g"),
        (FOUND, "if np.ndim(found) < like.ndim:"),
        ('in_range("rate", rate, np.inf)', 'in_range("rate", rate)'),
        ('in_range("momentum", momentum, np.inf)', 'in_range("momentum", momentum**2, np.inf)'),
        ('("b1", b1, 1.0)', '("b1", b1, np.inf)'),
        ('("b2", b2, 1.0), ', ""),
        ('("eps", eps, np.inf)', '("eps", abs(eps), np.inf)'),
        ("    if gradients.keys() != params.keys():", "    if not gradients.keys() <= params.keys():"),
        ("    if gradients.keys() != params.keys():", "    if not gradients.keys() >= params.keys():"),
        ("        if found != shape:", "        if len(found) < len(shape):"),
        ("value - rate * memory[name]", "value + rate * memory[name]"),
        ("1.0 - b1**count", "1.0 - b1"),
        ("(1.0 - b2) * np.square(g)", "np.square(g)"),
        ("(np.sqrt(v) + eps)", "np.sqrt(v + eps)"),
        ("np.zeros(()))) + 1", "np.zeros(()))) + 2"),
        ("(1.0 - b1**count)", "(1.0 - 0.9**count)"),
        ("(np.sqrt(v) + eps)", "(np.sqrt(v) + 1e-8)"),
        ('int(memory.get("step count", np.zeros(()))) + 1', 'adam.__dict__.get("n", 0) + 1; adam.n = count'),
        ("(np.sqrt(v) + eps)).astype(params[name].dtype)", "(np.sqrt(v) + eps)).astype(np.float64)"),
        ("memory[name]).astype(value.dtype)", "memory[name]).astype(np.float64)"),
    ],
    LOOP: [
        ("enumerate(batches)", "zip(range(1000), batches)"),
        ("rate)\n    return params", "rate * (step < 500))\n    return params"),
        ("params, gradients)\n        gradients", "params, clip_by_norm(gradients, clip or 1e9))\n        gradients"),
        ("    each(step, loss, params,", "    each(step, loss, {k: 2 * v for k, v in params.items()},"),
        ("if clip is None", "if clip is None or update is adam"),
        ("if clip is None", "if not clip"),
        ("update(params, gradients, memory, rate)", "update(params, gradients, memory if step else {}, rate)"),
        ("enumerate(batches)", "enumerate(batches[:])"),
        ("enumerate(batches)", "enumerate(batches[:12])"),
        ("clip_by_norm(gradients, clip)", "gradients"),
        ("    each(step, loss,", "    each(step, 2 * loss,"),
        ("params = update(params, gradients, memory, rate)", "update(params, gradients, memory, rate)"),
        ("update(params, gradients, memory, rate)", "update(params, gradients, {}, 2 * rate)"),
        ("{} if memory is None else memory", "train.__dict__.setdefault('memory', {})"),
        ("{} if memory is None else memory", "{}"),
        ("Callable[..., Arrays] = adam", "Callable[..., Arrays] = sgd"),
        ("rate: float = 1e-2", "rate: float = 1e-3"),
    ],
}  # fmt: skip


def verdicts(source: str) -> dict[str, str]:
    subject = SimpleNamespace(code=Code(load_source(source, "training", ("train",))), seed=0)
    rows = {name: guarded(lambda e=examine: e(subject)) for name, examine in CHECKS.items()}
    return {name: "fails" if isinstance(r, str) else r.verdict for name, r in rows.items()}


def test_what_is_right_holds():
    assert set(verdicts(SOURCE).values()) == {"holds"}


@pytest.mark.parametrize(
    ("check", "right", "wrong"), [(c, *pair) for c, pairs in MISTAKES.items() for pair in pairs]
)
def test_a_mistake_is_noticed_by_its_check(check, right, wrong):
    assert right in SOURCE
    assert verdicts(SOURCE.replace(right, wrong, 1))[check] == "fails"


def test_a_file_that_trains_is_verified_with_its_training_and_no_other_is():
    plain = throughtime.read("h[t] = tanh(W @ h[t-1] + U @ x[t])", "small").generate().source
    for table in (OF_CELLS, OF_NETWORKS):
        assert set(CHECKS) <= set(examined(with_training(plain), table))
        assert not set(CHECKS) & set(examined(plain, table))


def test_a_broken_clipping_withholds_the_word_verified():
    model = throughtime.read("h[t] = tanh(W @ h[t-1] + U @ x[t])", "small")
    source = with_training(model.generate().source)
    broken = source.replace("norm > limit else", "norm < limit else")
    verification = model.verify(broken)
    assert not verification.ok
    assert [check.name for check in verification.failures] == [CLIPPING, LOOP]


def test_a_changed_line_of_a_file_that_trains_is_told_alone(tmp_path):
    from throughtime.verifying import verify_file

    model = throughtime.read("h[t] = tanh(W @ h[t-1] + U @ x[t])", "small")
    path = tmp_path / "small.py"
    right, wrong = "norm > limit else", "norm < limit else"
    path.write_text(with_training(model.generate().source).replace(right, wrong), "utf-8")
    changed = [line for line in verify_file(path).differences if line[0] in "+-"]
    assert [line for line in changed if not line.startswith(("+++", "---"))] == [
        f"-    scale = limit / norm if {right} 1.0",
        f"+    scale = limit / norm if {wrong} 1.0",
    ]
