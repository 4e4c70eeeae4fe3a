"""Which recurrences are linear in their state, and what the derivation says of them."""

from __future__ import annotations

import pytest

from derive.catalog import load
from derive.derivation import derive
from derive.language import read_cell
from derive.network_language import read_network
from derive.text import TextPrinter
from reports.strict import complaints
from tests.networks import CELLS

ELEMENTWISE = {
    "lru", "mingru", "minlstm", "rglru", "selective_ssm", "linear_attention", "linear_attention_gated", "rwkv", "mlstm",
}  # fmt: skip
MATRIX = {"deltanet", "gated_deltanet", "rwkv7", "elman:g=identity"}
NEITHER = {"elman", "lstm", "gru", "leaky", "skip", "slstm", "lstm_coupled"}


@pytest.mark.parametrize("name", sorted(ELEMENTWISE | MATRIX | NEITHER))
def test_a_recurrence_is_linear_where_its_jacobian_holds_no_state(name):
    found = derive(load(name)).linearity
    assert found.linear is (name not in NEITHER)
    assert found.elementwise is (name in ELEMENTWISE)
    assert bool(found.reason) is (name not in ELEMENTWISE)


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("h[t] = W @ h[t-1] + U @ x[t]", True),
        ("a[t] = a[t-1] + x[t]\nb[t] = b[t-1] + a[t-1]", True),
        ("g[t] = tanh(x[t])\nh[t] = W @ h[t-2] + g[t]\ny[t] = tanh(h[t])", True),
        ("h[t] = x[t] * h[t-1] + x[t]", False),
        ("f[t] = sigmoid(x[t])\nh[t] = f[t] * h[t-1]", False),
        ("h[t] = tanh(W @ h[t-1]) + x[t]", False),
    ],
)
def test_a_jacobian_is_constant_where_it_is_made_of_parameters_alone(text, constant):
    assert derive(read_cell(text, "cell")).linearity.constant is constant


def rows(text: str) -> dict[str, str]:
    d = derive(read_cell(text, "cell"))
    show = TextPrinter(d.notation)
    return {r.state.name: show(r.value) for r in d.linearity.rows}


def test_a_state_is_written_by_past_states_alone():
    text = "c[t] = f*c[t-1] + a*c[t-2] + U@x[t]\nd[t] = c[t]*g + d[t-1]\n"
    assert rows(text) == {
        "c": "f * c[t-1] + a * c[t-2] + U @ x[t]",
        "d": "f * g * c[t-1] + a * g * c[t-2] + d[t-1] + (U @ x[t]) * g",
    }


@pytest.mark.parametrize(
    ("text", "linear", "elementwise", "reason"),
    [
        (
            "h[t] = h[t-1] * h[t-1] + x[t]",
            False,
            False,
            "contains h[t-1], which depends on a state",
        ),
        ("h[t] = exp(h[t-1]) + x[t]", False, False, "depends on a state"),
        ("z[t] = sigmoid(h[t-1])\nh[t] = z[t] + x[t]", False, False, "contains z[t]"),
        ("h[t] = mean(h[t-1]) + x[t]", True, False, "mixes the entries"),
        ("h[t] = W @ h[t-1] + x[t]", True, False, "mixes the entries"),
        ("h[t] = f * h[t-1] + x[t]\ny[t] = tanh(h[t]) * h[t]", True, True, ""),
        ("h[t] = sigmoid(W @ x[t]) * h[t-1] + x[t-1]", True, True, ""),
        ("h[t] = (h[t-1] + x[t]) / (1 + x[t] * x[t])", True, True, ""),
    ],
)
def test_linearity_of_small_cells(text, linear, elementwise, reason):
    found = derive(read_cell(text, "cell")).linearity
    assert (found.linear, found.elementwise) == (linear, elementwise)
    assert reason in found.reason


def test_states_that_do_not_read_each_other_stand_apart():
    assert [len(g) for g in derive(load("lru")).linearity.groups] == [2]
    assert [len(g) for g in derive(load("rwkv")).linearity.groups] == [1, 1]
    text = "a[t] = f*a[t-1] + x[t]\nb[t] = g*b[t-1] + x[t]\nc[t] = a[t-1]*k + b[t-1]*k + x[t]\nd[t] = c[t-1]*k"
    assert [len(g) for g in derive(read_cell(text, "cell")).linearity.groups] == [3]


def test_the_derivation_says_so():
    text = derive(load("mingru")).text()
    assert "The recurrence is linear in its state, and acts on it entry by entry" in text
    assert "h[t] = (1 - z[t]) * h[t-1] + z[t] * g[t]\n       the recurrence of h" in text
    assert "acts on it as a matrix" in derive(load("deltanet")).text()
    assert "linear in its state" not in derive(load("gru")).text()
    assert "linear in its state" in derive(load("lru")).latex()
    (chapter,) = derive(load("lru")).to_dict()["chapters"]
    assert chapter["chapter"] == "linear"
    assert "chapters" not in derive(load("lstm")).to_dict()


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", ["lru", "linear_attention", "deltanet"])
def test_katex_accepts_the_chapter(name):
    (chapter,) = derive(load(name)).chapters
    assert complaints([line.latex for line in chapter.lines]) == []


def test_what_has_no_state_is_no_recurrence():
    network = read_network("f = scan(gru, x[t])\ny[t] = V @ f.h[t]\n", "net", CELLS.get)
    found = derive(network.segment("y").cell).linearity
    assert (found.linear, found.reason) == (False, "it has no state")
