"""What a check is given: the derivation, the generated code at work, and a seed; and how a check is written."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from derive.cell import Cell
from derive.derivation import Derivation
from derive.domains import Domains, domains_of
from proofs.modules import Code
from proofs.point import Extent, draw_sizes, steps_for
from proofs.samples import LESS, Sample, draw_smooth
from proofs.table import Check

PATIENCE = 3
NOWHERE = "no point was found at which all is finite, and away from kinks and poles"
Found = TypeVar("Found")


class NoSampleError(ValueError):
    """No point was found at which the cell is defined and smooth."""


@dataclass(slots=True)
class Search:
    """The search for points at which a cell is defined and smooth; after three in vain no other is begun.

    Args:
        vain: how many were in vain.
    """

    vain: int = 0

    def found(self, draw: Callable[[], Found | None], told: str = "") -> Found:
        """What is drawn.

        Args:
            draw: searches for a point; ``None`` if there is none.
            told: why there may be none, and what to do.

        Raises:
            NoSampleError: none was found, now or for the checks before.
        """
        sample = draw() if self.vain < PATIENCE else None
        if sample is None:
            self.vain += 1
            raise NoSampleError(f"{NOWHERE}: {told}" if told else NOWHERE)
        return sample


@dataclass(frozen=True, slots=True)
class Known:
    """What is drawn, and what is true there: it does not depend on the code, and is found once for all that share it.

    Args:
        found: by what it is called, or by what found it and from what.
    """

    found: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, name: Hashable, find: Callable[[], Found]) -> Found:
        """What stands under a name; found if nothing does."""
        if name not in self.found:
            self.found[name] = find()
        return self.found[name]

    def of(self, find: Callable[..., Found], *given: Any) -> Found:
        """What a function says of things that were found here before.

        Args:
            find: the function.
            given: its arguments; each is known by its identity, and kept.
        """
        name = (find, *map(id, given))
        return self.once(name, lambda: (given, find(*given)))[1]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is verified.

    Args:
        derivation: of the cell that the code claims to implement.
        code: the generated code.
        seed: of everything random.
        search: for points, of all checks together.
    """

    derivation: Derivation
    code: Code
    seed: int
    search: Search = field(default_factory=Search, compare=False)

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.derivation.cell

    @property
    def domains(self) -> Domains:
        """Where what is given must lie."""
        return domains_of(self.cell)

    def extent(
        self, purpose: str, *, smallest: int = 2, largest: int = 4, steps: int = 4, samples: int = 2
    ) -> Extent:
        """Random sizes for a check, different for different dimensions."""
        rng = Random(f"{self.seed}/{purpose}")  # noqa: S311 - no secret
        sizes = draw_sizes(self.cell, rng, smallest, largest)
        return Extent(sizes, steps_for(self.cell, steps) if steps > 1 else 1, samples)

    def sample(self, purpose: str, extent: Extent, *, margin: float = 1e-3) -> Sample:
        """A random run for a check, away from kinks and poles.

        Raises:
            NoSampleError: none was found.
        """
        seed = Random(f"{self.seed}/{purpose}/values").randrange(2**31)  # noqa: S311
        return self.search.found(
            lambda: draw_smooth(self.cell, extent, seed, margin=margin, less=LESS),
            self.domains.told(),
        )


Examine = Callable[[Subject], Check]
