"""At which choices of its free indices a formula was judged, and whether they are enough to call it proved.

Choices at which it speaks of a step that the run does not have are passed over. What is left must not be the end of
the run alone, where a product has no factors and every Jacobian is the identity: that would prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

from proofs.claims.world import World


@dataclass(slots=True)
class Coverage:
    """The choices of free indices at which both sides were compared."""

    free: set[str] = field(default_factory=set)
    wide: set[str] = field(default_factory=set)
    apart: set[tuple[str, str]] = field(default_factory=set)

    def of_run(self, world: World, choices: list[dict[str, int]]) -> None:
        """Notes the choices of one run."""
        for places in choices:
            self.free |= places.keys()
            self.apart |= {
                (a, b) for a, b in combinations(sorted(places), 2) if places[a] != places[b]
            }
        for name in self.free:
            if world.is_last(name) or len({places[name] for places in choices}) > 1:
                self.wide.add(name)

    @property
    def gap(self) -> str:
        """What is missing, in words; empty if nothing is.

        Each index must have been judged at two steps of one run, and any two at steps that differ.
        """
        narrow = sorted(self.free - self.wide)
        if narrow:
            return f"it can be judged for one {narrow[0]} only, at an end of the run"
        same = [pair for pair in combinations(sorted(self.free), 2) if pair not in self.apart]
        return f"it can be judged for {same[0][0]} = {same[0][1]} only" if same else ""
