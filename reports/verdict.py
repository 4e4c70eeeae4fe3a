"""The verdict of a study in one sentence, and what stands beside it: the limit of long lags, growth on the way."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np

from numeric.flow import Flow
from numeric.growth_law import FACTOR, Law
from numeric.lyapunov import Growth

DIGITS = 10
ROUNDING = 10.0**-DIGITS
"""Rates per step that differ by less differ by the rounding of floating-point numbers alone."""

UNKNOWN = math.log(1000)
"""Where it is open whether a gradient has changed by such a factor over the run, nobody can say that it stays."""

ROUNDED = "zero in floating-point numbers: by weights of 0, or gates so closed or slopes so flat that nothing is left"
OPEN = "whether exponentially or like a power of the lag, so short a run does not tell"


def verdict(flow: Flow) -> str:
    """Whether the gradient vanishes, explodes or stays, by which law, and how fast.

    It stays where λ₁ is within twice its error of 0, unless that leaves open a factor 1000 over the run; or changes the
    gradient by less than a factor 2 over the run.
    Where the run follows a power of the lag, its degree is told, and no rate; see ``numeric.growth_law``.
    """
    law, steps = flow.law, f"{flow.setting.steps:,} steps"
    if law is None:
        return f"Over {steps} the gradient becomes {ROUNDED if flow.rounds else 'exactly zero'}."
    match law.kind:
        case "polynomial":
            return of_power(law, steps)
        case "both":
            return of_both(law)
        case "unsettled":
            mean = with_error(flow.growth.rate, flow.growth.error)
            later = with_error(law.rate, law.rate_error)
            parts = f"λ₁ = {mean} per step on average, {later} in the later part"
            if is_exponential_at_least(flow.growth, law):
                way = "vanishes" if law.rate < 0 else "explodes"
                return f"The gradient {way}, at a rate that is not settled over {steps}: {parts}."
            return (
                f"The gradient follows no one law over {steps}: {parts}; a longer run would tell."
            )
        case _:
            return _exponential(flow)


def is_exponential_at_least(growth: Growth, law: Law) -> bool:
    """Whether a rate that changes along a run is clear of 0 in all of it, and no smaller in the later part.

    Args:
        growth: of the whole run.
        law: unsettled.
    """
    ahead = math.copysign(1, law.rate)
    clear = min(ahead * growth.rate - 2 * growth.error, ahead * law.rate - 2 * law.rate_error)
    slower = ahead * (growth.rate - law.rate) > 2 * math.hypot(growth.error, law.rate_error)
    return clear * growth.steps > FACTOR and not slower


def _exponential(flow: Flow) -> str:
    rate, error = flow.growth.rate, flow.growth.error
    told = f"λ₁ = {with_error(rate, error)} per step"
    if abs(rate) < max(FACTOR / flow.setting.steps, 2 * error):
        if 2 * error * flow.growth.steps > UNKNOWN:
            return (
                f"Over {flow.setting.steps:,} steps the gradient neither grows nor vanishes for certain: {told}; "
                "a longer run would tell."
            )
        if abs(rate) < max(ROUNDING, 2 * error):
            return f"The gradient keeps its size: {told}."
        change = (
            f"a factor {math.exp(rate * flow.growth.steps):.2f} over {flow.growth.steps:,} steps"
        )
        return f"The gradient keeps its size: {told}, {change}."
    if flow.law is not None and flow.law.kind == "open":
        way = "shrinks" if rate < 0 else "grows"
        return f"The gradient {way}: {told} on average over {flow.setting.steps:,} steps; {OPEN}."
    way = "vanishes" if rate < 0 else "explodes"
    verb = "halves" if rate < 0 else "doubles"
    return f"The gradient {way}: {told}; it {verb} every {_steps(abs(flow.half_life))}."


def _steps(count: float) -> str:
    """How many steps a factor 2 takes: never 0.0."""
    return f"{count:.1f} steps" if count >= 0.1 else f"{count:.1g} steps"


def of_power(law: Law, steps: str) -> str:
    """A gradient that goes as a power of the lag.

    Args:
        law: polynomial.
        steps: over which it was measured, in words; told unless the degree is exact.
    """
    way = "grows" if law.degree > 0 else "vanishes"
    lead = "The gradient" if law.degree_error == 0 else f"Over {steps} the gradient"
    doubled = "multiplied" if law.degree > 0 else "divided"
    return (
        f"{lead} {way} polynomially, not exponentially: over k steps {_power(law)}; it is {doubled} by "
        f"{2 ** abs(law.degree):.3g} when the lag doubles."
    )


def of_both(law: Law) -> str:
    """A gradient that goes as a power of the lag times an exponential."""
    way, tempo = ("vanishes", "halves") if law.rate < 0 else ("explodes", "doubles")
    told = f"λ₁ = {with_error(law.rate, law.rate_error)} per step"
    until = f", which outweighs it up to lag {law.turn:,.0f}" if law.turn >= 1 else ""
    every = _steps(math.log(2) / abs(law.rate))
    return f"The gradient {way}: {told}; but for a factor {_power(law)}{until}, it {tempo} every {every}."


def _power(law: Law) -> str:
    """k^d with its degree."""
    if law.degree_error == 0:
        return f"like k^d, d = {law.degree:.0f} exactly".replace("-", "−")
    return f"like k^d, d = {with_error(law.degree, law.degree_error)}"


def besides(flow: Flow) -> tuple[str, ...]:
    """What is told beside the verdict, one sentence each: what is exact of long lags, and growth on the way to 0."""
    return tuple(_limit(flow)) + tuple(_on_the_way(flow))


def _limit(flow: Flow) -> Iterator[str]:
    """What the eigenvalues of a Jacobian that is the same at every step say of k → ∞."""
    found = flow.powers
    if found is None:
        return
    same = "The Jacobian is the same at every step, J, with its eigenvalues on its diagonal"
    if found.steps:
        yield f"{same}: all are 0, and J^k = 0 from k = {found.steps} on."
        return
    rows = f"{found.degree + 1} row{'s' if found.degree else ''}"
    law = f"like k^d ρ^k with d = {found.degree} and ρ = {found.radius:.6g}"
    why = f"as the largest Jordan block there has {rows}"
    yield f"{same}: in the limit of long lags the norm of J^k goes exactly {law}, {why}."


def _on_the_way(flow: Flow) -> Iterator[str]:
    """Growth before the gradient vanishes: what a matrix that is not normal does, though its eigenvalues are small."""
    if flow.law is None or not verdict(flow).startswith("The gradient vanishes"):
        return
    gains = flow.gains
    logs = np.median(gains.joint if gains.largest is None else gains.largest, axis=1)
    peak = int(np.argmax(logs))
    if logs[peak] < FACTOR:
        return
    above = int(np.flatnonzero(logs > 0)[-1])
    what = "gain" if gains.largest is None else "largest singular value"
    until = (
        f"and is below 1 from lag {above + 1:,} on"
        if above + 1 < len(logs)
        else "and is above 1 still"
    )
    until += "" if above + 1 < len(logs) else f" at lag {above:,}, the largest measured"
    yield f"Before that it grows: its {what} is {math.exp(logs[peak]):.3g} at lag {peak:,}, {until}."


def with_error(value: float, error: float) -> str:
    """A measured number ± its error, both to the error's second digit; an error of rounding alone is none."""
    digits = 5
    if ROUNDING < error < math.inf:
        digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:z.{digits}f} ± {error:.{digits}f}".replace("-", "−")


def typeset_verdict(flow: Flow) -> str:
    """The verdict as Markdown, its numbers typeset."""
    return typeset(verdict(flow))


def typeset(text: str) -> str:
    """A sentence as Markdown, its formulas typeset."""
    signs = {
        "λ₁": r"\lambda_1",
        "±": r"\pm",
        "−": "-",
        "ρ": r"\rho",
        "k^d ": "k^d ",
        "λ": r"\lambda",
    }

    def formula(match: re.Match[str]) -> str:
        found = match[0]
        for sign, tex in signs.items():
            found = found.replace(sign, tex)
        return f"${found}$"

    return re.sub(r"(λ₁|\bd|ρ|J\^k|\bk) = [−±.\d ]*\d|k\^d( ρ\^k)?|J\^k", formula, text)
