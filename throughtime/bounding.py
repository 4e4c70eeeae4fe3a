"""Certified bounds from Python: ‖∂s_T/∂s_0‖ ≤ C ρᵀ for every start and every input in a box, and their re-check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive import catalog
from derive.starts import cell_started

if TYPE_CHECKING:
    from numeric.setting import Setting
    from proofs.guarantee_setting import Certified
    from throughtime.model import Model


def bounds(
    cell: str | Model, setting: Setting | None = None, weights: Mapping[str, Any] | None = None
) -> Certified:
    """Look for bounds that are certain for every input in a box of three standard deviations.

    Args:
        cell: a model, or what ``load`` takes.
        setting: sizes, how weights start, the inputs' standard deviation and the seed; the usual one if left out.
        weights: the user's own parameters by name; they fix the sizes.

    Returns:
        The ways that were tried, the best of them with its certificate as data, and the largest weight scale for which
        vanishing is certain; or the reason why none could be looked for.

    Raises:
        ArgumentError: a parameter that is to be set is unknown, or the weights do not fit.

    >>> sure = throughtime.bounds("gru").guarantee
    >>> sure.certified, sure.scale
    """
    from numeric.setting import Setting as Place
    from proofs.guarantee_setting import certified
    from throughtime.measuring import prepared

    where = Place() if setting is None else setting
    found = catalog.load(cell) if isinstance(cell, str) else cell.cell
    ready = prepared(cell_started(found, where.starts or {}))
    where, fixed = ready.started(where, weights)
    return certified(ready.derivation, fixed, where)


def recheck_bound(certificate: Mapping[str, Any] | str | Path) -> tuple[float, float]:
    """C and ρ of a certificate that holds: its arithmetic in exact rationals, its enclosures computed anew.

    Args:
        certificate: the data, or the path of its JSON file.

    Raises:
        RefusedError: it does not hold.
        MissingFlintError: python-flint is not installed; ``python -m proofs.guarantee_checker`` needs nothing.
    """
    from proofs.guarantee_data import recheck

    if isinstance(certificate, str | Path):
        certificate = json.loads(Path(certificate).read_text(encoding="utf-8"))
    return recheck(certificate)  # pyright: ignore[reportArgumentType]
