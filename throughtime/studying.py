"""Studies and comparisons of gradient flow: measured first, then all files appear at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive import catalog
from numeric.flow import LAGS, Flow
from numeric.setting import Setting, refuse_unheard, sizes_of, unheard
from reports.files import OutputExistsError, write_files
from throughtime.measuring import measured
from throughtime.reporting import rendered

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from proofs.guarantee_setting import Certified
    from proofs.prediction import Predicted

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Studied:
    """A study, written.

    Args:
        flow: the measurements.
        files: by format.
        certified: the certified bounds, if they were looked for.
        predicted: what theory predicts, if anything.
    """

    flow: Flow
    files: Mapping[str, Path]
    certified: Certified | None
    predicted: Predicted | None


def write_study(
    spec: str, setting: Setting, folder: Path, formats: Sequence[str], *, force: bool, say: Say,
    weights: Mapping[str, Any] | None = None, bounds: bool = True,
) -> Studied:  # fmt: skip
    """Study a cell and write the page.

    Args:
        spec: the cell.
        setting: where it is measured.
        folder: where the files go.
        formats: some of html, ipynb, tex, pdf.
        force: replace files that are there.
        say: called with the name of each stage as it begins.
        weights: the user's own parameters by name.
        bounds: whether certified bounds are looked for.
    """
    from reports.study_guarantee import FILE

    names = {kind: f"study.{kind}" for kind in formats}
    _refuse(folder, names | ({"certificate": FILE} if bounds else {}), force)
    refuse_unheard(catalog.load(spec), setting)
    found = measured(spec, setting, say, weights=weights)
    say("examining the theorems")
    from proofs.guarantee_setting import certified
    from proofs.prediction import predicted
    from proofs.theorems import examine
    from proofs.theorems_library import applicable
    from reports.study_page import Study, build_study

    derivation = found.derivation
    findings = tuple(examine(t) for t in applicable(derivation))
    sure: Certified | None = None
    if bounds:
        say("looking for certified bounds")
        sure = certified(derivation, found.weights, found.flow.setting)
    say("writing the study")
    told = predicted(derivation, found.weights, found.flow.setting)
    notebook = build_study(Study(derivation, found.flow, findings, told, sure))
    best = None if sure is None or sure.guarantee is None else sure.guarantee.best
    kept = {} if best is None or best.certificate is None else {FILE: _json(best.certificate)}
    paths = _written(notebook, names, folder, force, say, kept)
    if sure is not None and not kept:
        _remove_certificate(folder / FILE)
    return Studied(found.flow, paths, sure, told)


def _remove_certificate(path: Path) -> None:
    """A replaced study's certificate says nothing about this one; a file that is no certificate is not ours."""
    from proofs.guarantee_data import FORMAT

    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return
    if isinstance(found, dict) and found.get("format") == FORMAT:
        path.unlink()


def write_comparison(
    specs: Sequence[str], setting: Setting, folder: Path, formats: Sequence[str], *, force: bool, say: Say,
    lengths: Sequence[int] = (LAGS,), bounds: bool = True,
) -> tuple[list[Any], Mapping[str, Path]]:  # fmt: skip
    """Compare cells and write the page.

    Args:
        specs: the cells.
        setting: where all of them are measured.
        folder: where the files go.
        formats: some of html, ipynb, tex, pdf.
        force: replace files that are there.
        say: called with the name of each stage as it begins.
        lengths: where the gradient's norm is told; the figure reaches the largest.
        bounds: whether the largest certified weight scale of every cell is looked for.

    Returns:
        The entries of the comparison, and the files by format.
    """
    from numeric.costs import costs
    from proofs.guarantee_setting import certified_scale
    from reports.compare_page import Entry, build_comparison

    names = {kind: f"compare.{kind}" for kind in formats}
    _refuse(folder, names, force)
    cells = [catalog.load(spec) for spec in specs]
    if all(unheard(cell, setting) for cell in cells):
        refuse_unheard(cells[0], setting)
    entries: list[Entry] = []
    for spec, label in zip(specs, short_names(specs), strict=True):
        found = measured(spec, setting, say, max(lengths))
        d = found.derivation
        say(f"certifying {spec}")
        scale = certified_scale(d, found.weights, setting) if bounds else None
        entries.append(Entry(label, d, found.flow, costs(d), sizes_of(d.cell, setting), scale))
    say("writing the comparison")
    return entries, _written(build_comparison(entries, lengths), names, folder, force, say)


def short_names(specs: Sequence[str]) -> list[str]:
    """What cells are called side by side: files without folder and ending, unless two would be called alike."""
    short = [spec.rpartition("/")[2].replace(".cell", "", 1) for spec in specs]
    return [
        name if short.count(name) == 1 else spec for name, spec in zip(short, specs, strict=True)
    ]


def _refuse(folder: Path, names: Mapping[str, str], force: bool) -> None:
    """Say no before the work, not after it."""
    for name in names.values():
        if (folder / name).exists() and not force:
            raise OutputExistsError(
                f"{folder / name} is there already, so nothing was written.",
                "Choose another folder, or pass --force to replace it.",
            )


def _json(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=None, ensure_ascii=False) + "\n").encode()


def _written(
    notebook: NotebookNode,
    names: Mapping[str, str],
    folder: Path,
    force: bool,
    say: Say,
    besides: Mapping[str, bytes] | None = None,
) -> Mapping[str, Path]:
    contents = rendered(notebook, names, tuple(names), say) | dict(besides or {})
    paths = dict(zip(contents, write_files(folder, contents, force=force), strict=True))
    every = {**names, **{Path(name).stem: name for name in besides or {}}}
    return {kind: paths[name] for kind, name in every.items() if name in paths}
