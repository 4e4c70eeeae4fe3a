"""Networks from text: what they are made of."""

from __future__ import annotations

import pytest
from sympy import Symbol

from derive.network_derivation import derive_network
from derive.network_language import read_network
from tests.networks import CELLS, TEXTS, network_of, read


@pytest.mark.parametrize("name", TEXTS)
def test_every_kind_of_network_reads(name: str) -> None:
    network = network_of(name)
    assert network.text == TEXTS[name]
    assert {q.name for s in network.segments for q in s.cell.parameters} == {
        q.name for q in network.parameters
    }


def test_a_scan_has_the_names_of_its_cell_under_its_own() -> None:
    network = read("f = scan(gru, x[t])\ny[t] = V @ f.h[t]")
    assert [q.name for q in network.segment("f").cell.states] == ["f_h"]
    assert "f_W_z" in {q.name for q in network.parameters}
    assert [q.name for q in network.inputs] == ["x"]


def test_a_reversed_scan_is_a_segment_of_its_own() -> None:
    network = network_of("tagger")
    assert [(s.name, s.reverse) for s in network.segments] == [
        ("e", False), ("f", False), ("b", True), ("y", False),
    ]  # fmt: skip


def test_what_is_fed_back_runs_together() -> None:
    free = network_of("free_running")
    assert [s.name for s in free.segments] == ["enc", "dec", "loss"]
    assert {q.name for q in free.segment("dec").cell.states} == {"dec_h", "y"}
    assert list(free.segment("dec").starts) == ["dec_h"]
    assert free.states[-1].name == "y"


def test_what_stands_between_a_value_and_its_earlier_step_runs_with_both() -> None:
    network = read("f = scan(elman, x[t])\ng = scan(elman, f.h[t])\nu[t] = g.h[t] + f.h[t-1]")
    assert [s.name for s in network.segments] == ["f"]
    kept = read(
        "f = scan(elman, x[t])\nb = scan(elman, f.h[t], reverse)\np[t] = f.h[t-1]\nu[t] = b.h[t] + p[t]"
    )
    assert [s.name for s in kept.segments] == ["f", "b", "u"]


def test_tied_scans_have_their_parameters_once() -> None:
    network = network_of("tied")
    assert {q.name for q in network.parameters} == {"a_W", "a_U"}


def test_a_layer_above_a_stack_of_two_sees_one_size() -> None:
    network = read(
        "f = scan(gru, x[t])\nb = scan(gru, x[t], reverse)\nu[t] = concat(f.h[t], b.h[t])\np = scan(gru, u[t])"
    )
    upper = network.segment("p")
    n, k = (network.segment(s).cell.states[0].shape[0] for s in "fb")
    assert n != k
    assert list(upper.joint.values()) == [n + k]
    assert upper.cell.quantity("u").shape[0] == next(iter(upper.joint))


def test_a_loss_of_the_end_is_computed_once() -> None:
    network = network_of("many_to_one")
    loss = network.loss
    assert loss is not None
    assert network.segment(loss.segment).axis == "end"
    assert network.axes["label"] == "end"


def test_a_weight_of_each_step_is_a_number() -> None:
    weight = next(q for q in network_of("aligned").inputs if q.name == "w")
    assert weight.shape == (1, 1)


def test_options_of_a_cell_are_given_in_order_or_by_name() -> None:
    for text in ("f = scan(skip(3), x[t])", "f = scan(skip(d=3), x[t])"):
        assert read(text).segment("f").cell.quantity("f_h").depth == 3


def test_an_option_written_out_is_the_one_that_is_not_written() -> None:
    network = read("f = scan(elman, x[t])\ng = scan(elman(g=tanh), x[t], share(f))")
    assert {p.name for p in network.parameters} == {"f_W", "f_U", "f_b"}


def test_inputs_of_a_cell_are_given_in_order_or_by_name() -> None:
    before = "f = scan(gru, x[s])\nH[end] = columns(f.h[s])\nd = scan(attending, "
    derivations = {
        derive_network(read(f"{before}{inputs})\ny[t] = V @ d.h[t]")).text()
        for inputs in (
            "H[end], y[t-1]",
            "H[end], x=y[t-1]",
            "K=H[end], x=y[t-1]",
            "x=y[t-1], K=H[end]",
        )
    }
    assert len(derivations) == 1


def test_an_input_may_be_called_like_a_word_of_scans() -> None:
    mine = {"mine": "h[t] = tanh(W @ h[t-1] + start[t] + reverse[t])"}
    network = read_network("f = scan(mine, reverse=u[t], start=v[t])", "n", mine.get)
    assert "v[t] + u[t]" in derive_network(network).text()


def test_an_embedding_declares_its_index() -> None:
    for text in (
        "e[t] = embed(E, word[t])",
        "index word\ne[t] = E @ word[t]",
        "index word\ne[t] = embed(E, word[t])",
    ):
        network = read(f"{text}\nf = scan(gru, e[t])")
        (word,) = network.inputs
        assert word.kind == "index"
        assert word.shape[1] == 1


def test_states_hold_where_a_sample_has_no_step() -> None:
    network = read("ragged t\nf = scan(elman, x[t])\ny[t] = V @ f.h[t]")
    assert network.masks == {"t": "mask"}
    cell = network.segment("f").cell
    assert [eq.target.name for eq in cell.equations] == ["f_h_new", "f_h"]
    assert cell.quantity("mask").kind == "mask"
    assert [q.name for q in network.inputs] == ["x"]


def test_a_users_cell_stands_beside_the_network() -> None:
    mine = {"mine": "s[t] = tanh(A @ s[t-1] + B @ u[t])"}
    network = read_network("f = scan(mine, x[t])", "n", mine.get)
    assert network.cells == mine
    assert {q.name for q in network.parameters} == {"f_A", "f_B"}


def test_names_of_sizes_do_not_meet() -> None:
    cells = {"a": "dim h = n\nh[t] = tanh(W @ h[t-1] + x[t])"}
    network = read_network("f = scan(a, x[t])\ng = scan(a, z[t])", "n", cells.get)
    assert [str(d) for d in network.dims] == ["f_n", "g_n"]
    assert network.segment("f").cell.dims == (Symbol("f_n", positive=True, integer=True),)


def test_titles_are_read_as_those_of_cells() -> None:
    network = read_network("# A thing\n# source: me\nf = scan(gru, x[t])", "n", CELLS.get)
    assert (network.title, network.reference) == ("A thing", "me")


def test_what_the_loss_judges_is_an_output_or_no_prediction_could_be_had():
    text = "f = scan(gru, x[t])\nu[t] = W @ f.h[t]\ny[t] = V @ tanh(u[t])\nloss[t] = w[t] * squared_error(y[t], d[t])\n"
    (*_, last) = read(text).segments
    assert {q.name for q in last.cell.outputs} == {"y", "loss"}
