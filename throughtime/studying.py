"""Studies and comparisons of gradient flow: measured first, then all files appear at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive import catalog
from derive.derivation import Derivation, derive
from derive.starts import cell_started
from numeric.flow import Flow, Setting, flow, initial_weights, sizes_of
from reports.files import OutputExistsError, write_files
from throughtime.reporting import rendered

if TYPE_CHECKING:
    from nbformat import NotebookNode

Say = Callable[[str], None]


def measured(spec: str, setting: Setting, say: Say) -> tuple[Derivation, Flow]:
    """The gradient flow of a cell.

    Args:
        spec: a shipped cell's name with options, or a file's path.
        setting: where it is measured.
        say: called with the name of each stage as it begins.

    Raises:
        MeasureError: the run leaves the floating-point numbers, or a state is a matrix.
        ArgumentError: a parameter that is to be set is unknown.
    """
    from numeric.source import generate
    from proofs.modules import load_source

    say(f"deriving {spec}")
    derivation = derive(cell_started(catalog.load(spec), setting.starts or {}))
    cell = derivation.cell
    sizes = sizes_of(cell, setting)
    say(f"measuring {spec}")
    module = load_source(generate(derivation))
    own = module.init_params(*(sizes[d] for d in cell.dims), seed=setting.seed)
    return derivation, flow(derivation, initial_weights(derivation, setting, own), setting)


def write_study(
    spec: str, setting: Setting, folder: Path, formats: Sequence[str], *, force: bool, say: Say
) -> tuple[Flow, Mapping[str, Path]]:
    """Study a cell and write the page.

    Args:
        spec: the cell.
        setting: where it is measured.
        folder: where the files go.
        formats: some of html, ipynb, tex, pdf.
        force: replace files that are there.
        say: called with the name of each stage as it begins.

    Returns:
        The measurements, and the files by format.
    """
    names = {kind: f"study.{kind}" for kind in formats}
    _refuse(folder, names, force)
    derivation, found = measured(spec, setting, say)
    say("examining the theorems")
    from proofs.theorems import examine
    from proofs.theorems_library import applicable
    from reports.study_page import Study, build_study

    findings = tuple(examine(t) for t in applicable(derivation))
    say("writing the study")
    notebook = build_study(Study(derivation, found, findings))
    return found, _written(notebook, names, folder, force, say)


def write_comparison(
    specs: Sequence[str], setting: Setting, folder: Path, formats: Sequence[str], *, force: bool, say: Say
) -> tuple[list[Any], Mapping[str, Path]]:  # fmt: skip
    """Compare cells and write the page.

    Args:
        specs: the cells.
        setting: where all of them are measured.
        folder: where the files go.
        formats: some of html, ipynb, tex, pdf.
        force: replace files that are there.
        say: called with the name of each stage as it begins.

    Returns:
        The entries of the comparison, and the files by format.
    """
    from numeric.costs import costs
    from reports.compare_page import Entry, build_comparison

    names = {kind: f"compare.{kind}" for kind in formats}
    _refuse(folder, names, force)
    entries: list[Entry] = []
    for spec in specs:
        derivation, found = measured(spec, setting, say)
        entries.append(
            Entry(spec, derivation, found, costs(derivation), sizes_of(derivation.cell, setting))
        )
    say("writing the comparison")
    return entries, _written(build_comparison(entries), names, folder, force, say)


def _refuse(folder: Path, names: Mapping[str, str], force: bool) -> None:
    """Say no before the work, not after it."""
    for name in names.values():
        if (folder / name).exists() and not force:
            raise OutputExistsError(
                f"{folder / name} is there already, so nothing was written.",
                "Choose another folder, or pass --force to replace it.",
            )


def _written(
    notebook: NotebookNode, names: Mapping[str, str], folder: Path, force: bool, say: Say
) -> Mapping[str, Path]:
    contents = rendered(notebook, names, tuple(names), say)
    paths = dict(zip(contents, write_files(folder, contents, force=force), strict=True))
    return {kind: paths[name] for kind, name in names.items() if name in paths}
