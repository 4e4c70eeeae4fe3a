"""Models made elsewhere, verified: every check on their cells, and on those with the very weights of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from proofs.table import Verification
from proofs.weights_check import weights_gradient_check
from throughtime.exchange import Loaded, loaded
from throughtime.model import load


def verified_weights(
    path: str | Path, layer: str | None, seed: int, say: Callable[[str], None]
) -> list[tuple[Loaded, Verification]]:
    """Every check on the cells of a weight file, and on them with these very weights.

    Args:
        path: the file.
        layer: a layer's name; all if left out.
        seed: of everything random.
        say: called with the name of each stage as it begins.

    Raises:
        ArgumentError: the file cannot be read, or it holds no layer.
    """
    found = []
    for each in loaded(path, None, layer):
        say(f"verifying {each.spec} with the weights of {each.label}")
        verification = load(each.spec).verify(seed=seed, on_progress=say)
        own = [weights_gradient_check(each.layer, seed)] if each.layer else []
        found.append(
            (
                each,
                replace(
                    verification,
                    subject=each.label,
                    checks=(*verification.checks, each.check, *own),
                    required=verification.required
                    | {"loaded weights", "gradients at loaded weights"},
                    optional=verification.optional | {"loaded weights"},
                ),
            )
        )
    return found
