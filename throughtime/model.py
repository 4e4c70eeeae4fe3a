"""A cell and everything that is made of it: derivation, code, checks and report, each computed once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive import catalog, network_catalog
from derive.cell import Cell
from derive.derivation import Derivation
from derive.derivation import derive as derive_cell
from derive.errors import ArgumentError, NotVerifiedError
from derive.language import cell_from_sympy, read_cell
from derive.starts import cell_started, network_started
from throughtime.code_model import CodeModel, Progress
from throughtime.display import Certificate, Code
from throughtime.network_model import NetworkModel

if TYPE_CHECKING:
    import numpy as np
    from sympy.matrices.expressions import MatrixExpr

    from derive.expressions import Timed
    from derive.network_derivation import NetworkDerivation
    from proofs.layouts import LayoutVerdict
    from proofs.mutants import MutantReport
    from proofs.table import Verification
    from throughtime.exchange import Convention
    from throughtime.measuring import Measured

FORMATS = ("html", "ipynb", "tex", "pdf")


def load(spec: str, *, init: Mapping[str, str] | None = None) -> Model | NetworkModel:
    """The model of a cell, or of a network of cells.

    Args:
        spec: a shipped cell's name (``lstm``), with options if it has any (``elman:g=relu``), a shipped network's
            (``tagger``), or the path of a file: a network's ends in ``.net``.
        init: parameters that start otherwise than declared, by name, each as a declaration writes it
            (``{"W": "orthogonal", "b_f": "chrono(100)", "b_i": "-b_f"}``).

    Raises:
        UnknownCellError: there is no such cell, network or file.
        CellError: the text is no valid cell or network, or a start does not fit.
        ArgumentError: an option or its value is unknown.
    """
    if network_catalog.is_network(spec):
        return NetworkModel(network_started(network_catalog.load(spec), init or {}))
    return Model(cell_started(catalog.load(spec), init or {}))


def read(text: str, name: str = "cell", options: Mapping[str, str] | None = None) -> Model:
    """The model of a cell given as text.

    Args:
        text: equations ``name[t] = expression`` and declarations, one a line.
        name: a short name.
        options: values of the text's options.

    Raises:
        CellError: the text is no valid cell.
        ArgumentError: an option or its value is unknown.
    """
    return Model(read_cell(text, name, options))


def from_sympy(
    name: str,
    equations: Mapping[Timed, MatrixExpr],
    constants: Mapping[str, object] | Sequence[str] = (),
    *,
    title: str = "",
    reference: str = "",
) -> Model:
    """The model of a cell given as SymPy expressions, through the same checks as a text.

    Args:
        name: a short name.
        equations: targets ``h[0]`` (see ``timed``) with their values over ``h[-1]``, … and MatrixSymbols.
        constants: names of numbers that are not trained, with or without default values.
        title: a line of description.
        reference: where the equations come from.

    Raises:
        CellError: an expression is not in the language, or shapes do not fit.
    """
    return Model(cell_from_sympy(name, equations, constants, title=title, reference=reference))


def verify_here(
    path: str, source: str, *, seed: int = 0, on_progress: Progress | None = None
) -> Verification:
    """Run every check on a generated file, in this very process: the file is run in it.

    Args:
        path: where the file was found.
        source: its text.
        seed: of the random sizes, weights and sequences.
        on_progress: called with the name of each stage as it begins.

    Raises:
        ArgumentError: it is no generated file.
        CellError: its equations are no cell.
    """
    from numeric.additions import additions_in, functions_in, generate_with
    from numeric.training import NAMES, with_training
    from proofs.network_verification import is_network_file, verify_network_file
    from proofs.verification import verify_file

    brought, title = additions_in(source), _title_in(source)
    trains = bool(functions_in(source) & {*NAMES})

    def again(derivation: Derivation | NetworkDerivation) -> str:
        """What the generator writes today, with what this file brings along."""
        text = generate_with(derivation, brought)
        return with_training(text) if trains else text

    if is_network_file(source):
        return verify_network_file(
            path,
            source=source,
            seed=seed,
            on_progress=on_progress,
            regenerate=again,
        )
    return verify_file(
        path,
        source=source,
        seed=seed,
        on_progress=on_progress,
        regenerate=lambda d: again(_titled(d, title)),
    )


def _title_in(source: str) -> str:
    """The title that a generated file states in its first lines, empty if it states none."""
    first = source.partition("\n\n")[0].replace("\n", " ")
    found = re.match(
        r'"""(.*): forward and backward pass (?:through time|over any array namespace)\.$', first
    )
    return found[1] if found else ""


def _titled(derivation: Derivation, title: str) -> Derivation:
    """The derivation of the same cell under this title."""
    return replace(derivation, cell=replace(derivation.cell, title=title))


class Model(CodeModel):
    """A cell and what is made of it.

    Args:
        cell: the cell, from ``load`` or built from SymPy expressions.
    """

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    @property
    def name(self) -> str:
        """The cell's name."""
        return self.cell.name

    def __repr__(self) -> str:
        return f"<throughtime.Model {self.name}: {self.cell.title or 'untitled'}>"

    def _repr_latex_(self) -> str:
        lines = (step.latex.replace("=", "&=", 1) for step in self.derive().section("equation"))
        return r"$$\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}$$"

    @cached_property
    def _derivation(self) -> Derivation:
        return derive_cell(self.cell)

    @cached_property
    def _code(self) -> Code:
        from numeric.source import generate

        return Code(generate(self._derivation))

    @cached_property
    def _certificate(self) -> Certificate:
        from proofs.certificate import certificate

        return Certificate(certificate(self._derivation))

    def derive(self) -> Derivation:
        """The gradients through time, step by step, for symbolic sizes and length."""
        return self._derivation

    def prove_layout(self, layout: str, *, seed: int = 0) -> tuple[LayoutVerdict, ...]:
        """Decide whether ``derive().text(layout)`` says what the house's layout says, line by line.

        Args:
            layout: ``denominator``, ``numerator`` or ``row``.
            seed: of the random sizes and values.

        Raises:
            ArgumentError: there is no such layout.
        """
        from proofs.layouts import prove_layout

        return (prove_layout(self._derivation, layout, seed=seed),)

    def _judged(self, source: str, seed: int, on_progress: Progress | None) -> Verification:
        from proofs.verification import verify

        return verify(
            self.cell, source, derivation=self._derivation, seed=seed, on_progress=on_progress
        )

    def study(
        self,
        *,
        T: int = 1000,
        n: int = 32,
        m: int = 16,
        gain: float = 1.0,
        inputs: float = 1.0,
        seed: int = 0,
        weights: Mapping[str, Any] | None = None,
    ) -> Measured:
        """Measure how the gradient flows: ‖∂s_T/∂s_{T−k}‖ against the lag k, and its growth rate.

        Args:
            T: steps over which the rate is measured.
            n: the first dimension.
            m: every other dimension.
            gain: factor on square matrices.
            inputs: the inputs' standard deviation.
            seed: of everything random.
            weights: your own parameters by name; they fix the sizes.

        Raises:
            MeasureError: the run leaves the floating-point numbers.
            ArgumentError: weights do not fit the cell.
        """
        from numeric.setting import Setting, refuse_unheard
        from throughtime.measuring import measured_cell

        where = Setting(T, n, m, gain=gain, inputs=inputs, seed=seed)
        refuse_unheard(self.cell, where)
        return measured_cell(self.cell, where, weights=weights)

    def mutants(self, *, seed: int = 0, on_progress: Progress | None = None) -> MutantReport:
        """Break rules, equations and code in every known way, and judge each broken thing.

        Args:
            seed: of every random size and number.
            on_progress: called with the name of each stage as it begins.
        """
        from proofs.mutants_run import run_mutants

        return run_mutants(self.cell, seed=seed, on_progress=on_progress)

    def certify(self) -> Certificate:
        """A file for Rocq whose theorems say that the backward equations are the gradient; ``check`` has it checked.

        Raises:
            CertificateError: the cell holds something for which certificates have no theorem.
        """
        return self._certificate

    def state_dict(
        self, params: Mapping[str, np.ndarray], convention: Convention = "torch"
    ) -> dict[str, np.ndarray]:
        """Parameters as torch or Keras names and stacks them; see ``throughtime.exchange.state_dict``."""
        from throughtime.exchange import state_dict

        return state_dict(self, params, convention)

    def to_onnx(self, params: Mapping[str, np.ndarray]) -> Any:
        """Parameters as an ONNX model of one node; see ``throughtime.exchange.to_onnx``."""
        from throughtime.exchange import to_onnx

        return to_onnx(self, params)

    def to_torch(self, *, seed: int = 0, **sizes: int) -> Any:
        """A ``torch.nn.Module`` around the generated code; see ``throughtime.torch_module.torch_module``."""
        from throughtime.torch_module import torch_module

        return torch_module(self, seed, sizes)

    def report(
        self,
        folder: str | Path,
        *,
        formats: Sequence[str] | None = None,
        force: bool = False,
        certify: bool = False,
        on_progress: Progress | None = None,
    ) -> Mapping[str, Path]:
        """Write the report: derivation, proof, code, checks and gradient flow.

        Args:
            folder: where; made if it is missing. Files in it are replaced only with ``force``.
            formats: some of html, ipynb, tex, pdf; all that can be made here if left out.
            force: replace files that are there.
            certify: write the certificate for Rocq too, and have it checked where Rocq is installed.
            on_progress: called with the name of each stage as it begins.

        Returns:
            The files written, by format; ``py`` is the code, ``proof`` the general proof, ``json`` the verification.

        Raises:
            NotVerifiedError: a check failed. The report is written all the same and tells which; the code is not.
            OutputError: a file is there already, or cannot be written.
        """
        from throughtime.reporting import write_report

        wanted = FORMATS if formats is None else tuple(formats)
        if unknown := [name for name in wanted if name not in FORMATS]:
            raise ArgumentError(
                f"{unknown[0]!r} is no format.", f"Choose from {', '.join(FORMATS)}."
            )
        say = on_progress or _silent
        files = write_report(self, Path(folder), wanted, force=force, say=say, certify=certify)
        verification = self.verify()
        if not verification.ok:
            failed = ", ".join(check.name for check in verification.failures)
            raise NotVerifiedError(
                f"The code for {self.name} is not verified; failed: {failed}.",
                f"The report in {folder} shows where.",
            )
        return files


def _silent(stage: str) -> None:
    """Nothing is said."""
