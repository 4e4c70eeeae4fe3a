"""Where gradient checks are blind: settings in which wrong code looks right, and in which right code looks wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.catalog import load
from proofs.check import check
from proofs.mutants_module import Poisoned, module_of
from proofs.mutants_run import Trial
from proofs.opponents import OPPONENTS
from proofs.opponents_tasks import SETTINGS, Task, amplified, growing, task

OURS, VERIFY = "throughtime.check", "throughtime verify"
PATH = "h_bar_prev[t] += delta_h[t] @ W"
MISTAKES = {
    "transpose missing": "h_bar_prev[t] += delta_h[t] @ W.T",
    "Jacobians in the wrong order": "h_bar_prev[t] += (h_bar[t] @ W) * (1.0 - h[t] ** 2)",
    "cut off after three steps": "h_bar_prev[t] += (delta_h[t] @ W) * (t > T - 3)",
}
"""What stands in a broken Elman network in place of the path from one step to the one before."""
BLIND = (
    ("usual", tuple(MISTAKES)),
    ("n = 1", ("transpose missing", "Jacobians in the wrong order")),
    ("W symmetric", ("transpose missing",)),
    ("W diagonal", ("transpose missing", "Jacobians in the wrong order")),
    ("small weights", ("cut off after three steps",)),
)
"""Settings, and the mistakes that hide there; all of them are seen in the first."""
GROWING = ((2.0, 120), (2.4, 200))
"""Gains of W, and T."""

Row = dict[str, Any]


def blind_spots() -> list[Row]:
    """Wrong code in settings where it looks right: who accepts it."""
    trial = Trial(load("elman"))
    settings = {s.name: s for s in SETTINGS}
    rows: list[Row] = []
    for name, mistakes in BLIND:
        made = task(trial.cell, trial.source, settings[name])
        for mistake in mistakes:
            source = _broken(trial.source, mistake)
            row = _row(name, mistake, source, made)
            row["accepted"][VERIFY] = not any(trial.refusal(source))
            rows.append(row)
    return rows


def growth() -> list[Row]:
    """Right code, and code with one transpose missing, where the trajectory grows: who accepts what."""
    trial = Trial(load("elman"))
    codes = {"right": trial.source, "transpose missing": _broken(trial.source, "transpose missing")}
    rows: list[Row] = []
    for gain, steps in GROWING:
        made = amplified(trial.cell, trial.source, growing(gain, steps))
        rows += [_row(made.setting.name, code, source, made) for code, source in codes.items()]
    return rows


def _broken(source: str, mistake: str) -> str:
    if source.count(PATH) != 1:
        raise RuntimeError(f"the generated code does not say {PATH!r} once")
    return source.replace(PATH, MISTAKES[mistake])


def _row(setting: str, code: str, source: str, made: Task) -> Row:
    module = module_of(source, Poisoned())
    accepted = {o.name: not o.refuses(module, made) for o in OPPONENTS if o.present}
    return {
        "setting": setting,
        "code": code,
        "accepted": {OURS: _ours(module, made), **accepted},
    }


def _ours(module: Any, made: Task) -> bool:
    """``check`` on the same loss as the central differences have."""
    names = [*made.call.params, *made.call.state, "x"]
    params = dict(zip(names, [*made.call.params.values(), *made.call.state.values()], strict=False))
    p = len(made.call.params)

    def arrays(given: dict[str, Any], x: Any) -> list[Any]:
        values = [given[n] for n in names[:-1]]
        dtype = np.result_type(*values, x)
        return [np.asarray(v, dtype) for v in (*values[:p], x, *values[p:])]

    def loss(given: dict[str, Any], x: Any) -> Any:
        return sum(0.5 * np.sum(v * v) for v in made.values(module, arrays(given, x)))

    def gradient(given: dict[str, Any], x: Any) -> Any:
        flat = arrays(given, x)
        found = made.pulled(module, flat, made.values(module, flat))
        return dict(zip(names, [*found[:p], *found[p + 1 :]], strict=False)), [found[p]]

    return check(loss, gradient, params, made.call.inputs[0]).ok
