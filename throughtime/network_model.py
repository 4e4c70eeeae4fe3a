"""A network and everything that is made of it: derivation, code, checks and report, each computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from derive.errors import NotVerifiedError
from derive.network import Network
from derive.network_derivation import NetworkDerivation, derive_network
from throughtime.code_model import CodeModel, Progress
from throughtime.display import Code

if TYPE_CHECKING:
    from proofs.layouts import LayoutVerdict
    from proofs.mutants import MutantReport
    from proofs.table import Verification


class NetworkModel(CodeModel):
    """A network and what is made of it.

    Args:
        network: the network, from ``load``.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name

    def __repr__(self) -> str:
        return f"<throughtime.NetworkModel {self.name}: {self.network.title or 'untitled'}>"

    def _repr_latex_(self) -> str:
        steps = (step for d in self.derive().segments for step in d.section("equation"))
        lines = (step.latex.replace("=", "&=", 1) for step in steps)
        return r"$$\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}$$"

    @cached_property
    def _derivation(self) -> NetworkDerivation:
        return derive_network(self.network)

    @cached_property
    def _code(self) -> Code:
        from numeric.network_source import generate_network

        return Code(generate_network(self._derivation))

    def derive(self) -> NetworkDerivation:
        """The gradients, segment by segment, for symbolic sizes and lengths."""
        return self._derivation

    def prove_layout(self, layout: str, *, seed: int = 0) -> tuple[LayoutVerdict, ...]:
        """Decide for every segment whether ``derive().text(layout)`` says what the house's layout says.

        Args:
            layout: ``denominator``, ``numerator`` or ``row``.
            seed: of the random sizes and values.

        Raises:
            ArgumentError: there is no such layout.
        """
        from proofs.layouts import prove_layout

        return tuple(prove_layout(d, layout, seed=seed) for d in self._derivation.segments)

    def _judged(self, source: str, seed: int, on_progress: Progress | None) -> Verification:
        from proofs.network_verification import verify_network

        return verify_network(
            self.network, source, derivation=self._derivation, seed=seed, on_progress=on_progress
        )

    def mutants(self, *, seed: int = 0, on_progress: Progress | None = None) -> MutantReport:
        """Break the code in every known way, and judge each broken file.

        Args:
            seed: of every random size and number.
            on_progress: called with the name of each stage as it begins.
        """
        from proofs.mutants_networks import run_network_mutants

        return run_network_mutants(self.network, seed=seed, on_progress=on_progress)

    def report(
        self,
        folder: str | Path,
        *,
        formats: Sequence[str] | None = None,
        force: bool = False,
        on_progress: Progress | None = None,
    ) -> Mapping[str, Path]:
        """Write the report: the network drawn, derived segment by segment, its code and its checks.

        Args:
            folder: where; made if it is missing. Files in it are replaced only with ``force``.
            formats: some of html, ipynb, tex, pdf; all that can be made here if left out.
            force: replace files that are there.
            on_progress: called with the name of each stage as it begins.

        Returns:
            The files written, by format; ``py`` is the code, ``json`` the verification.

        Raises:
            NotVerifiedError: a check failed. The report is written all the same; the code is not.
            OutputError: a file is there already, or cannot be written.
        """
        from throughtime.network_reporting import write_network_report

        files = write_network_report(
            self, Path(folder), formats, force=force, say=on_progress or (lambda _: None)
        )
        verification = self.verify()
        if not verification.ok:
            failed = ", ".join(check.name for check in verification.failures)
            raise NotVerifiedError(
                f"The code for {self.name} is not verified; failed: {failed}.",
                f"The report in {folder} shows where.",
            )
        return files
