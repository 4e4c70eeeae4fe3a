"""Studies of networks: gradient norms layer by layer, measured first, then all files appear at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from derive import network_catalog
from derive.errors import ArgumentError
from reports.files import write_files
from reports.network_study_page import NetworkStudy, build_network_study
from reports.study_gain import exp
from throughtime.console import Outcome
from throughtime.network_model import NetworkModel
from throughtime.reporting import refuse_existing, rendered

LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200)
Say = Callable[[str], None]


def study_network(
    spec: str, folder: Path, formats: Sequence[str], *, steps: int, force: bool, say: Say
) -> Outcome:
    """Measure a network and write the page.

    Args:
        spec: a shipped network's name, or a file's path.
        folder: where the files go.
        formats: some of html, ipynb, tex, pdf.
        steps: the largest length; no more than 200 are measured.
        force: replace files that are there.
        say: called with the name of each stage as it begins.
    """
    names = {kind: f"study.{kind}" for kind in formats}
    if not force:
        refuse_existing(folder, names.values())
    found = measured_network(spec, [t for t in LENGTHS if t <= steps], say)
    say("writing the study")
    contents = rendered(build_network_study(found), names, tuple(formats), say)
    paths = dict(zip(contents, write_files(folder, contents, force=force), strict=True))
    files: Mapping[str, Path] = {k: paths[name] for k, name in names.items() if name in paths}
    states = {name: [exp(v) for v in values] for name, values in found.states.items()}
    logs = {name: values.tolist() for name, values in found.states.items()}
    rates = {name: found.rate(name) for name in found.states}
    data = {"network": found.network.name, "lengths": found.lengths, "states": states, "log_states": logs,
            "rates": rates,
            "segments": {k: v.gradient for k, v in found.segments.items()}, "files": files}  # fmt: skip
    told = [
        f"  {f'{rate:+9.4f}'.replace('-', '−')} per step  {name}" for name, rate in rates.items()
    ]
    return Outcome(data, "\n".join([*told, *map(str, files.values())]))


def measured_network(spec: str, lengths: Sequence[int], say: Say) -> NetworkStudy:
    """The gradient norms of a network, layer by layer.

    Args:
        spec: a shipped network's name, or a file's path.
        lengths: of the sequences.
        say: called with the name of each stage as it begins.

    Raises:
        ArgumentError: no layer of it remembers anything.
    """
    from proofs.modules import load_source
    from proofs.network_norms import gradient_norms
    from proofs.network_reach import log_state_norms
    from proofs.network_verification import PROMISED

    say(f"deriving {spec}")
    model = NetworkModel(network_catalog.load(spec))
    module = load_source(model.generate().source, model.name, PROMISED)
    say(f"measuring {spec}")
    states = log_state_norms(model.network, module, lengths)
    if not states:
        raise ArgumentError(
            f"No layer of {spec} has a state, so no gradient goes through time.",
            "Study a network with a scan in it.",
        )
    return NetworkStudy(model.network, lengths, states, gradient_norms(model.network, module))
