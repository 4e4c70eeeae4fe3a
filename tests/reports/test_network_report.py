"""The report on a network: every formula displays, every segment is told, the drawing holds the whole network."""

from __future__ import annotations

import re
from functools import cache

import pytest

from derive.network_catalog import load, shipped
from derive.network_derivation import derive_network, label
from numeric.network_source import generate_network
from proofs.modules import load_source
from proofs.network_norms import gradient_norms
from proofs.network_verification import PROMISED, verify_network
from reports.drawing import draw_flow
from reports.html import to_html
from reports.network_flow import network_flow
from reports.network_links import code_of_segments, segment_links
from reports.network_report import NetworkFindings, build_network_report
from reports.strict import complaints
from reports.tex import to_tex
from reports.unrolled import arrows, columns_of, draw_unrolled
from tests.networks import TEXTS, network_of

NAMES = [entry.name for entry in shipped()]


@cache
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
    assert all(norm.gradient > 0 for norm in norms.values())
    assert norms["u"].relative == norms["u"].gradient / norms["u"].weights


def test_the_rolled_network_has_a_loop_for_every_scan_and_none_elsewhere() -> None:
    for name in ("tagger", "encoder_decoder", "one_to_many", "deep"):
        network = load(name)
        kinds = {n.id: n.kind for n in network_flow(network)[0]}
        for s in network.segments:
            wanted = ("scan_back" if s.reverse else "scan") if s.cell.states else "output"
            assert kinds[s.name] == wanted


def test_the_unrolled_tagger_has_every_arrow_and_each_scans_direction() -> None:
    network = load("tagger")
    one, two, between, last = columns_of(network)
    assert (one.time, two.time, between.time, last.time) == ("1", "2", "", "T")
    drawn = set(arrows(network))
    for before, after in ((one, two), (two, between), (between, last)):
        assert (("f", before), ("f", after)) in drawn
        assert (("b", after), ("b", before)) in drawn
    for column in (one, two, last):
        for source, target in (("e", "f"), ("e", "b"), ("f", "y"), ("b", "y")):
            assert ((source, column), (target, column)) in drawn
    assert len(drawn) == 2 * 3 + 4 * 3


def test_a_decoder_starts_where_the_encoder_ended_and_a_readout_after_the_last_step() -> None:
    network = load("encoder_decoder")  # its encoder runs backwards, so it ends at the first step
    axes = [c.axis for c in columns_of(network)]
    assert axes == ["t"] * 4 + ["s"] * 4
    starts = [(a[1].time, b[1].time) for a, b in arrows(network) if (a[0], b[0]) == ("enc", "dec")]
    assert starts == [("1", "1")]
    (arrow,) = [a for a in arrows(load("many_to_one")) if a[1][0] == "y"]
    assert arrow[0][1].time == "T"
    assert arrow[1][1].axis == "end"


@pytest.mark.parametrize("name", [*TEXTS])
def test_every_kind_of_network_is_drawn_unrolled_without_boxes_on_each_other(name: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    figure = draw_unrolled(network_of(name))
    boxes = [
        p.get_path().get_extents() for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)
    ]
    assert len(boxes) >= len(network_of(name).segments)
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:index]), index
    width, height = figure.get_size_inches()
    assert all(0 < size < 40 for size in (width, height))


def test_adjoints_pass_between_scans_of_opposite_directions_at_opposite_steps() -> None:
    derivation = derive_network(load("tagger"))
    lines = {(p.segment, p.to): p.text for p in derivation.passages}
    assert lines["b", "e"] == "e_bar[T+1-t] in e += e_bar[t] of b"
    assert lines["f", "e"] == "e_bar[t] in e += e_bar[t] of f"
    assert lines["y", "b"] == "b_h_bar[T+1-t] in b += b_h_bar[t] of y"
    page = to_tex(build_network_report(findings("tagger"))).text
    assert "counted in the direction" in page


def test_the_gradient_is_composed_layer_by_layer_before_the_segments() -> None:
    page = to_html(build_network_report(findings("deep")))
    table = page[page.index('id="composed"') : page.index('id="segment-y"')]
    links = [table.index(f'href="#segment-{name}"') for name in ("y", "p", "u", "g", "f")]
    assert links == sorted(links)
    assert "the loss" in table
    assert "and 8 more" in table  # of the LSTM's twelve parameters


@pytest.mark.parametrize("name", ["encoder_decoder", "deep_bidirectional"])
def test_every_equation_of_a_segment_links_to_its_code_and_its_check_and_they_link_back(
    name: str,
) -> None:
    found = findings(name)
    page = to_html(build_network_report(found))
    targets = re.findall(r'\bid="([^"]+)"', page)
    assert len(targets) == len(set(targets))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(targets)
    code = code_of_segments(found.derivation, found.source)
    links = segment_links(found.derivation, code, found.verification)
    lines = found.source.splitlines()
    for d, (segment, each) in zip(found.derivation.segments, links.items(), strict=True):
        wanted = {s.number for s in d.steps if s.section in ("adjoint", "input", "parameter")}
        assert set(each.lines) >= wanted
        assert set(each.checks) >= wanted
        for number, places in each.lines.items():
            for place in places:
                assert f"({number})" in lines[place - 1]
                shown = re.search(rf'id="code-L{place}".*', page)
                assert shown
                assert f'href="#eq-{label(segment, number)}"' in shown[0]
                assert f'href="#code-L{place}"' in page


def test_the_parts_of_a_networks_code_are_the_whole_code() -> None:
    found = findings("tagger")
    code = code_of_segments(found.derivation, found.source)
    assert [*code][1:5] == ["e", "f", "b", "y"]
    lines = found.source.splitlines()
    for part in code.values():
        text = part.source.split("\n")
        assert text == lines[part.first_line - 1 :][: len(text)]
    kept = [line for part in code.values() for line in part.source.split("\n") if line]
    assert kept == [line for line in lines if line]


def test_equations_of_the_latex_of_a_network_link_to_its_code() -> None:
    text = to_tex(build_network_report(findings("tagger"))).text
    body = text[text.index(r"\begin{document}") :]
    links = set(re.findall(r"\\hyperlink\{([^}]+)\}", body))
    assert {"eq-b-9", "eq-y-8"} <= links
    assert links <= set(re.findall(r"\\(?:target|lineno)\{([^}]+)\}", body))


def test_a_readout_has_its_line_of_code() -> None:
    source = generate_network(derive_network(load("tagger")))
    assert "a_y = product(f_h_b_h, V) + c  # (1)" in source


def test_every_line_of_every_segment_has_a_verdict_of_its_own() -> None:
    found = findings("tagger")
    lines = found.verification.lines
    assert all(lines.values())
    for s, d in zip(found.derivation.network.segments, found.derivation.segments, strict=True):
        judged = {label(s.name, x.number) for x in d.steps if x.section != "product"}
        assert judged <= set(lines)
