"""The report on a network: every formula displays, every segment is told, the drawing holds the whole network."""

from __future__ import annotations

import pytest

from derive.network_catalog import load, shipped
from derive.network_derivation import derive_network
from numeric.network_source import generate_network
from proofs.modules import load_source
from proofs.network_norms import gradient_norms
from proofs.network_verification import PROMISED, verify_network
from reports.drawing import draw_flow
from reports.html import to_html
from reports.network_flow import network_flow
from reports.network_report import NetworkFindings, build_network_report
from reports.strict import complaints
from reports.tex import to_tex
from tests.networks import TEXTS, network_of

NAMES = [entry.name for entry in shipped()]


def findings(name: str) -> NetworkFindings:
    network = load(name)
    derivation = derive_network(network)
    source = generate_network(derivation)
    norms = gradient_norms(network, load_source(source, name, PROMISED))
    return NetworkFindings(derivation, source, verify_network(network, source), norms)


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", NAMES)
def test_every_formula_of_a_network_displays(name: str) -> None:
    derivation = derive_network(load(name))
    steps = [step.latex for d in derivation.segments for step in d.steps]
    assert complaints([*steps, *(p.latex for p in derivation.passages)]) == []


def test_the_report_tells_every_segment_in_the_order_of_the_backward_pass() -> None:
    found = findings("deep_bidirectional")
    page = to_html(build_network_report(found))
    at = [page.index(f'id="segment-{s}"') for s in ("y", "q", "p", "u", "b", "f")]
    assert at == sorted(at)
    assert "Verified" in page
    assert "Segment q, along t, reversed" in to_tex(build_network_report(found)).text


@pytest.mark.parametrize("name", [*TEXTS])
def test_every_segment_and_every_input_is_drawn(name: str) -> None:
    network = network_of(name)
    nodes, edges = network_flow(network)
    assert len(nodes) == len(network.segments) + len(network.inputs)
    assert {s.name for s in network.segments} <= {n.id for n in nodes}
    assert draw_flow(nodes, edges) is not None


def test_every_segment_with_parameters_has_a_norm() -> None:
    norms = findings("deep").norms
    assert set(norms) == {"f", "g", "u", "p", "y"}
    assert all(norm > 0 for norm in norms.values())
