"""Published numbers on vanishing gradients, measured again, and the figures that go with them: one page.

    python -m benchmarks.gradient_flow

writes docs/gradient-flow.md and its figures; the exit code is 1 if a number is not within its stated error.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from derive.catalog import load
from numeric.lyapunov import growth, spectrum
from numeric.matrix_states import jacobian_of
from numeric.mean_field import forget_path, leaky_rate, vanilla
from numeric.measure import gains
from numeric.operators import JointJacobian
from numeric.products import extremes, log_norms
from numeric.setting import Runs, Setting
from proofs.prediction import predicted
from reports.figures import Series, line_figure, to_picture
from reports.study_gain import exp
from throughtime.measuring import Prepared, prepared

DOCS = Path(__file__).resolve().parent.parent / "docs"
REMEDIES = ("elman", "irnn", "leaky", "skip:d=3", "antisymmetric", "gru", "lstm")


@dataclass(frozen=True)
class Number:
    """A published number and ours.

    Args:
        what: it is.
        published: the number.
        ours: ours.
        error: by how much they may differ.
        source: who published it.
    """

    what: str
    published: float
    ours: float
    error: float
    source: str

    @property
    def ok(self) -> bool:
        """Whether ours is within the error."""
        return abs(self.ours - self.published) <= self.error


ENGELKEN = "Engelken, Wolf and Abbott, 2023"


def numbers() -> Iterator[Number]:
    """All of them."""
    for g, rate in ((1.5, 0.0652172), (2, 0.1547242), (3, 0.3102493), (5, 0.5324279)):
        yield Number(
            f"λ₁ of random tanh networks, mean field, g = {g}",
            rate,
            vanilla(g).rate,
            6e-8,
            "Molgedey, Schuchhardt and Schuster, 1992",
        )
    for g, rate in ((1.5, 0.045913), (3, 0.216124), (10, 0.716241)):
        yield Number(
            f"λ₁ of leaky networks, δ = 0.5, mean field, g = {g}",
            rate,
            leaky_rate(g, 0.5),
            1e-6,
            ENGELKEN,
        )
    for bias, kept in ((0, 7.9e-31), (1, 2.48e-14), (5, 0.5109)):
        ours = forget_path(bias, 100)
        yield Number(
            f"forget path σ(b)¹⁰⁰, b = {bias}",
            kept,
            ours,
            2e-3 * kept,
            "Gers, Schmidhuber and Cummins, 2000",
        )
    joint, alone = lstm_with_and_without_its_cell_state()
    yield Number(
        "λ₁ of an LSTM with n = 32, b_f = 5, h and c together",
        -0.01,
        joint,
        0.015,
        "what ∂s_t/∂s_{t−1} gives",
    )
    yield Number(
        "the same without c, as published code has it", -1.79, alone, 0.1, "a mistake, reproduced"
    )
    yield Number(
        "λ₁ measured: random tanh network, g = 2, n = 256",
        vanilla(2.0).rate,
        measured(2.0, 256),
        0.03,
        "mean field, for n → ∞",
    )


def cell(spec: str) -> Prepared:
    """A shipped cell, ready to be measured."""
    return prepared(load(spec))


def runs(ready: Prepared, **given: object) -> Runs:
    """The runs of a cell in a setting."""
    setting, fixed = ready.started(Setting(**given))
    return Runs(ready.derivation, fixed, setting)


def measured(gain: float, n: int) -> float:
    """The growth rate of a random network."""
    given = {"n": n, "m": 2, "init": "normal", "gain": gain, "inputs": 0.0, "steps": 3000}
    found = runs(cell("elman_bare"), **given)
    return growth(found.stream(), 3000, seed=found.setting.directions).rate


def lstm_with_and_without_its_cell_state() -> tuple[float, float]:
    """Growth rates by the Jacobian of (h, c), and by the block ∂h_t/∂h_{t−1} alone."""
    n, gain = 32, 0.68
    ready = cell("lstm")
    setting = Setting(n=n, m=4, seed=0)
    rng = np.random.default_rng(0)
    own = ready.module.init_params(n, 4, seed=0)
    given = {
        k: rng.standard_normal(v.shape) * (0.1 if v.ndim == 1 else gain / v.shape[1] ** 0.5)
        for k, v in own.items()
    }
    given["b_f"] = np.full(n, 5.0)
    setting, fixed = ready.started(setting, given)
    stream = Runs(ready.derivation, fixed, setting).stream()
    j = jacobian_of(stream.derivation, stream.sizes)
    assert isinstance(j, JointJacobian)
    part = j.slots["h", 0]
    vectors, logs = [np.ones((2 * n, 1)), np.ones((n, 1))], np.zeros(2)
    for t in range(900):
        jacobian = j.formed(stream.step())
        vectors = [jacobian @ vectors[0], jacobian[part, part] @ vectors[1]]
        lengths = [float(np.linalg.norm(v)) for v in vectors]
        vectors = [v / k for v, k in zip(vectors, lengths, strict=True)]
        logs += np.log(lengths) if t >= 300 else 0.0
    return float(logs[0] / 600), float(logs[1] / 600)


def intervals() -> str:
    """The spectrum of one network, orthonormalised as often as the spread asks for, and every 10 steps."""
    found = runs(cell("elman_bare"), n=40, m=2, init="normal", gain=1.9, inputs=0.0, seed=0)
    rows = [
        "| orthonormalised every | λ₁ | smallest exponent | Σλᵢ − ⟨log abs det J⟩ |",
        "|---|---|---|---|",
    ]
    for interval in (None, 10, 20):
        s = spectrum(found.stream(), 1000, interval=interval)
        told = f"{s.interval} (chosen)" if interval is None else str(interval)
        rows.append(
            f"| {told} | {s.exponents[0]:.4f} | {s.exponents[-1]:.2f} | {s.difference:.1e} |"
        )
    return "\n".join(rows)


def gains_by_gain() -> list[Series]:
    """Elman networks at three gains, with their predictions."""
    series = []
    for gain in (0.9, 1.0, 1.5):
        ready = cell("elman_bare")
        given = {
            "n": 400,
            "m": 2,
            "init": "normal",
            "gain": gain,
            "inputs": 0.0,
            "steps": 1000,
            "seed": 1,
        }
        found = runs(ready, **given)
        logs = log_norms(found.stored(60)) - 0.5 * math.log(400)
        series.append(Series(f"gain {gain}", range(61), [exp(v) for v in logs]))
        told = predicted(ready.derivation, found.fixed, found.setting)
        if told is not None:
            values = [exp(told.rate * k) for k in range(61)]
            label = f"$\\chi^{{k/2}}$, {gain}"
            series.append(Series(label, range(61), values, beside=len(series) - 1))
    return series


def lstm_by_bias() -> list[Series]:
    """LSTMs at three forget biases: the whole state, and the direct path ∏ diag(f)."""
    series = []
    for bias in (0.0, 1.0, 5.0):
        found = runs(cell("lstm"), n=32, m=16, values={"b_f": bias})
        stored = found.stored(100)
        whole = gains(stored)
        lags = range(101)
        series.append(Series(f"$b_f$ = {bias:g}", lags, [exp(v) for v in whole.joint[:, 0]]))
        path = whole.paths["c"][:, 0] - 0.5 * math.log(2)
        values = [exp(v) for v in path]
        series.append(Series(f"$\\prod$ diag$(f)$, {bias:g}", lags, values, beside=len(series) - 1))
    return series


def compared() -> tuple[list[Series], str]:
    """The remedies, side by side, as their authors start them."""
    series, rows = (
        [],
        [
            "| cell | λ₁ per step | halves or doubles every | σ₁ at 100 | σ_N at 100 |",
            "|---|---|---|---|---|",
        ],
    )
    for spec in REMEDIES:
        found = runs(cell(spec), n=32, m=16)
        stored = found.stored(100)
        size = sum(q.depth for q in stored.cell.states) * 32
        logs = log_norms(stored) - 0.5 * math.log(size)
        series.append(Series(spec.partition(":")[0], range(101), [exp(v) for v in logs]))
        rate = growth(found.stream(), 1000, seed=found.setting.directions)
        ends = extremes(stored, (100,))
        power = [float(v[0]) / math.log(10) for v in (ends.largest, ends.smallest)]
        shown = [f"10^{p:.1f}" if math.isfinite(p) else "0" for p in power]
        steps = (
            "–" if rate.rate in (0.0, -math.inf) else f"{math.log(2) / abs(rate.rate):.1f} steps"
        )
        rows.append(
            f"| `{spec}` | {rate.rate:+.4f} ± {rate.error:.4f} | {steps} | {shown[0]} | {shown[1]} |"
        )
    return series, "\n".join(rows)


def picture(
    name: str, series: list[Series], xlabel: str, marks: tuple[tuple[float, str], ...] = ()
) -> None:
    """One figure of the page."""
    drawn = line_figure(
        series, xlabel=xlabel, ylabel="gain", logy=True, marks=marks, size=(7.6, 4.2)
    )
    (DOCS / "images" / f"{name}.svg").write_text(to_picture(drawn).svg + "\n", encoding="utf-8")


def page(found: list[Number], say: Callable[[str], None]) -> str:
    """The page; its figures are written beside it."""
    rows = ["| what | published | ours | within | source |", "|---|---|---|---|---|"]
    for n in found:
        mark = "✓" if n.ok else "✗"
        rows.append(
            f"| {n.what} | {n.published:.7g} | {n.ours:.7g} | {mark} {n.error:.2g} | {n.source} |"
        )
    say("gains")
    picture("gain-elman", gains_by_gain(), "lag $k$ in steps", ((20.0, r"$\sqrt{n}$ = 20"),))
    say("forget biases")
    picture("gain-lstm", lstm_by_bias(), "lag $k$ in steps")
    say("remedies")
    series, table = compared()
    picture("gain-compared", series, "length $k$ in steps")
    say("intervals")
    return TEXT.format(numbers="\n".join(rows), table=table, intervals=intervals())


TEXT = """# Gradient flow: published numbers, measured again

Everything on this page is written by one command, in about a minute:

    make gradient-flow

It fails if a number is not within its stated error.

{numbers}

## Elman networks at gain 0.9, 1.0 and 1.5

![Gain against lag at three gains](images/gain-elman.svg)

Normal weights of variance gain²/n, n = 400, no input; the gain is ‖∂s_T/∂s_(T−k)‖ in Frobenius' norm, over √n. Dotted
beside each: the mean-field prediction χ^(k/2), which is asymptotic in n and not proved. With fixed weights it holds
for k ≪ √n only: beyond the upright line the measurement leaves it. `throughtime study elman_bare --init normal
--inputs 0 --gain 1.5` has the whole story.

## LSTMs with forget bias 0, 1 and 5

![Gain against lag at three forget biases](images/gain-lstm.svg)

The gain of the joint state (h and c together), and of the direct path ∏ diag(f) along the cell state alone, n = 32.
`throughtime study lstm --set b_f=5` has the routes and their shares.

## Remedies, side by side

![Gain against length for seven cells](images/gain-compared.svg)

Every cell as its author starts it, n = 32, 16 inputs, normal with standard deviation 1. `throughtime compare elman irnn
leaky skip antisymmetric gru lstm` adds costs and bounds.

{table}

## How often to orthonormalise

A random tanh network, n = 40, gain 1.9. Directions part by e^((λ₁ − λ_n) · interval) between two orthonormalisations,
and what parts by more than a double's 16 digits is lost: too long an interval returns the rounding error as the
smallest exponent, −3.8 here where −4.9 is right. The sum rule Σλᵢ = ⟨log |det J|⟩ tells.

{intervals}
"""


def main() -> int:
    """Write the page; 1 if a number is off."""

    def say(what: str) -> None:
        print(f"  {what}", file=sys.stderr)  # noqa: T201 - a command tells what it does

    say("published numbers")
    found = list(numbers())
    (DOCS / "images").mkdir(parents=True, exist_ok=True)
    (DOCS / "gradient-flow.md").write_text(page(found, say), encoding="utf-8")
    for n in found:
        if not n.ok:
            say(f"not within {n.error:g}: {n.what}: published {n.published}, ours {n.ours}")
    return 0 if all(n.ok for n in found) else 1


if __name__ == "__main__":
    sys.exit(main())
