"""Networks through the front: shipped and one's own, derived, generated, verified and reported."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import throughtime
from derive.network_catalog import beside, load, shipped
from proofs.modules import load_source
from proofs.network_verification import PROMISED, verify_network
from tests.networks import read, source_of
from throughtime.cli import cli
from throughtime.network_model import NetworkModel

ROWS = {
    "A6": ("deep", "deep_bidirectional"),
    "A7": ("tagger", "deep_bidirectional"),
    "A8": (
        "one_to_one", "one_to_many", "many_to_one", "many_to_many", "encoder_decoder", "encoder_decoder_free",
        "attention",
    ),
    "A9": ("head_linear", "head_sigmoid", "head_softmax"),
    "A10": ("head_linear", "head_sigmoid", "head_softmax"),
    "A11": ("tagger", "next_character", "many_to_one"),
    "A12": ("tagger", "many_to_one", "encoder_decoder", "head_softmax"),
}  # fmt: skip
"""The rows of the README's table that are networks, and the shipped networks that show each."""

MINE = "f = scan(mine, x[t])\nb = scan(gru, x[t], reverse)\ny[t] = V @ concat(f.s[t], b.h[t])\n"
CELL = "s[t] = tanh(A @ s[t-1] + B @ u[t])\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "my.net").write_text(MINE, encoding="utf-8")
    (tmp_path / "mine.cell").write_text(CELL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(cli, arguments)


def test_the_rows_of_the_table_ship() -> None:
    names = {entry.name for entry in shipped()}
    assert {name for row in ROWS.values() for name in row} <= names
    assert all(entry.title and entry.reference for entry in shipped())


@pytest.mark.parametrize("name", [entry.name for entry in shipped()])
def test_a_shipped_network_is_verified(name: str) -> None:
    network = load(name)
    found = verify_network(network, source_of(network))
    assert found.failures == ()


def test_load_gives_a_network_for_a_network() -> None:
    model = throughtime.load("tagger")
    assert isinstance(model, NetworkModel)
    assert "tagger" in repr(model)
    assert "y[t] = softmax" in model.derive().text()
    assert json.dumps(model.derive().to_dict())
    assert r"\begin{aligned}" in model._repr_latex_()


def test_a_file_finds_its_cells_beside_it(folder) -> None:
    network = load("my.net")
    assert sorted(network.cells) == ["gru", "mine"]
    assert beside(folder / "my.net")("nobody") is None


def test_generate_then_verify_the_file(folder) -> None:
    assert run("generate", "my.net", "-o", "my.py").exit_code == 0
    done = run("verify", "my.py")
    assert done.exit_code == 0
    assert "verified: every check ran and held" in done.output
    source = (folder / "my.py").read_text(encoding="utf-8")
    load_source(source, "my", PROMISED)
    broken = source.replace('add_to(outputs_bar, "b_h", ', 'add_to(outputs_bar, "b_h", -')
    assert broken != source
    (folder / "my.py").write_text(broken, encoding="utf-8")
    again = run("verify", "my.py")
    assert again.exit_code == 3
    assert "segment b" in again.output


def test_a_network_that_does_not_fit_is_no_valid_input(folder) -> None:
    (folder / "bad.net").write_text("f = scan(mine, x[t])\ny[t] = V @ f.h[t]\n", encoding="utf-8")
    done = run("derive", "bad.net")
    assert done.exit_code == 4
    assert "bad.net, line 2" in done.output


def test_cells_lists_networks_too() -> None:
    listed = json.loads(run("cells", "--json").output)
    assert {"lstm", "tagger"} <= {cell["name"] for cell in listed["cells"]}


def test_the_report_of_a_network_is_the_same_twice_and_tells_every_segment(folder) -> None:
    pages = []
    for out in ("one", "two"):
        done = run("report", "my.net", "-o", out, "--format", "ipynb")
        assert done.exit_code == 0
        pages.append((folder / out / "my.ipynb").read_bytes())
        assert (folder / out / "my.py").exists()
    assert pages[0] == pages[1]
    text = pages[0].decode()
    for words in (
        "Segment f, along t",
        "Segment b, along t, reversed",
        "Segment y",
        "Gradient norms",
    ):
        assert words in text


def test_an_unverified_network_is_withheld(folder, monkeypatch) -> None:
    import numeric.network_source as generator

    right = generator.generate_network
    monkeypatch.setattr(
        generator,
        "generate_network",
        lambda d: right(d).replace("add_all(params_bar", "add_all(inputs_bar"),
    )
    done = run("generate", "my.net", "-o", "my.py")
    assert done.exit_code == 3
    assert not (folder / "my.py").exists()


def test_a_network_without_inputs_beside_its_lengths_is_verified() -> None:
    network = read("ragged t\nf = scan(gru, y[t-1])\ny[t] = tanh(V @ f.h[t])")
    assert verify_network(network, source_of(network)).failures == ()
