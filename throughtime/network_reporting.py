"""The files of a network's report: everything is computed first, then all files appear at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from derive.errors import ArgumentError
from reports.files import write_files
from throughtime.console import plain
from throughtime.reporting import refuse_existing, rendered

if TYPE_CHECKING:
    from proofs.network_norms import LayerNorm
    from throughtime.network_model import NetworkModel

FORMATS = ("html", "ipynb", "tex", "pdf")
Say = Callable[[str], None]


def write_network_report(
    model: NetworkModel, folder: Path, formats: Sequence[str] | None, *, force: bool, say: Say
) -> Mapping[str, Path]:
    """Write the report of a network.

    Args:
        model: whose.
        folder: where.
        formats: some of html, ipynb, tex, pdf; all that can be made here if ``None``.
        force: replace files that are there.
        say: called with the name of each stage as it begins.

    Returns:
        The files by format, with ``py`` for the code (only if every check held) and ``json`` for the verification.

    Raises:
        ArgumentError: a format is unknown.
        OutputExistsError: a file is there and ``force`` is false; nothing was done.
        OutputError: the operating system refused.
    """
    wanted = FORMATS if formats is None else tuple(formats)
    if unknown := [name for name in wanted if name not in FORMATS]:
        raise ArgumentError(f"{unknown[0]!r} is no format.", f"Choose from {', '.join(FORMATS)}.")
    names = {kind: f"{model.name}.{kind}" for kind in (*wanted, "py")} | {
        "json": "verification.json"
    }
    if not force:
        refuse_existing(folder, names.values())
    say(f"deriving {model.name}")
    derivation = model.derive()
    say(f"generating {model.name}")
    code = model.generate().source
    verification = model.verify(on_progress=say)
    say("measuring gradient norms")
    norms = _norms(model) if verification.ok else {}
    say("writing the report")
    from reports.network_report import NetworkFindings, build_network_report

    findings = NetworkFindings(derivation, code, verification, norms)
    contents = rendered(build_network_report(findings), names, wanted, say)
    if verification.ok:
        contents[names["py"]] = model.certified().source.encode()
    told = json.dumps(plain(verification.to_dict()), indent=2, ensure_ascii=False)
    contents[names["json"]] = f"{told}\n".encode()
    written = dict(zip(contents, write_files(folder, contents, force=force), strict=True))
    return {kind: written[name] for kind, name in names.items() if name in written}


def _norms(model: NetworkModel) -> dict[str, LayerNorm]:
    """The norms of each segment's gradient and parameters, at the start of training."""
    from proofs.modules import load_source
    from proofs.network_norms import gradient_norms
    from proofs.network_verification import PROMISED

    return gradient_norms(model.network, load_source(model.generate().source, model.name, PROMISED))
