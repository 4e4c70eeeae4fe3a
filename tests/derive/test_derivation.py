"""The derivation as a page: golden files, numbers, the same bytes on every run, and nothing that depends on T."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, note

from derive import expressions as ex
from derive.catalog import load, shipped
from derive.derivation import SECTIONS, derive
from derive.language import read_cell
from tests.strategies import cells

ROOT = Path(__file__).resolve().parents[2]
ON_THE_PAGE = (
    "lstm", "lstm_peephole", "lstm_coupled", "gru", "gru_reset_after", "leaky", "skip:d=3", "linear_attention_gated",
)  # fmt: skip

every_cell = pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)


@pytest.mark.parametrize("spec", ON_THE_PAGE)
def test_a_derivation_reads_as_before(golden, spec):
    name = spec.partition(":")[0]
    golden(f"derivations/{name}.txt", derive(load(spec)).text())


def test_the_lstm_s_latex_reads_as_before(golden):
    golden("derivations/lstm.tex", derive(load("lstm")).latex())


@every_cell
def test_steps_are_numbered_from_one_and_grouped_by_section(entry):
    steps = derive(load(entry.name)).steps
    assert [s.number for s in steps] == list(range(1, len(steps) + 1))
    sections = list(dict.fromkeys(s.section for s in steps))
    assert sections == [key for key in SECTIONS if key in sections]
    assert [s.section for s in steps] == sorted((s.section for s in steps), key=sections.index)


@every_cell
def test_every_quantity_has_its_line(entry):
    d = derive(load(entry.name))
    owners = {
        section: {s.lhs.name for s in d.section(section)}
        for section in ("parameter", "input", "initial")
    }
    assert owners["parameter"] == {q.name for q in d.cell.parameters}
    assert owners["input"] == {q.name for q in d.cell.inputs}
    assert owners["initial"] >= {q.name for q in d.cell.states}
    for step in d.steps:
        assert step.title
        assert step.latex
        assert step.text
        assert step.rules or step.section in ("equation", "abbreviation", "input"), step.text


@every_cell
def test_a_line_of_the_cell_s_text_leads_to_its_steps_and_back(entry):
    cell = load(entry.name)
    for step in derive(cell).steps:
        if step.line and step.owner:
            line = cell.text.splitlines()[step.line - 1]
            assert re.match(rf"\s*{re.escape(step.owner)}\s*(\[t\])?\s*=", line)


@every_cell
def test_whatever_a_line_mentions_is_on_the_page(entry):
    """Every adjoint, and every intermediate that no line writes out, has a line of its own."""
    d = derive(load(entry.name))
    defined = {s.lhs.at(0) if ex.has_time(s.lhs) else s.lhs for s in d.steps if s.lhs is not None}
    given = {q.symbol for q in (*d.cell.inputs, *d.cell.parameters, *d.cell.constants)}
    for step in (s for s in d.steps if s.section in ("equation", "adjoint", "input", "parameter")):
        for leaf in ex.leaves(step.rhs):
            now = leaf.at(0) if ex.has_time(leaf) else leaf
            if isinstance(now, ex.Adjoint) or (isinstance(now, ex.Timed) and now not in given):
                assert now in defined or d.notation.written_out(now) is not None, (step.text, now)


@every_cell
def test_plain_data_survives_json(entry):
    data = derive(load(entry.name)).to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["cell"] == entry.name


def test_a_notebook_shows_one_display_with_every_step():
    d = derive(load("gru"))
    shown = d._repr_latex_()
    assert shown.startswith("$$\\begin{aligned}")
    assert shown.count("&=") == len(d.steps)


def test_a_step_is_found_by_what_it_defines():
    d = derive(load("lstm"))
    h = d.cell.quantity("h").symbol
    assert d.step_of(ex.Adjoint(h)).section == "adjoint"
    assert d.step_of(ex.Adjoint(ex.Timed("nothing", 0, *h.shape))) is None


@pytest.mark.parametrize("spec", ["lstm", "skip:d=3"])
def test_nothing_is_unrolled_steps_are_told_from_t_alone(spec):
    """A step number occurs in the gradients of the initial values only."""
    d = derive(load(spec))
    for step in (s for s in d.steps if s.section != "product"):
        index = r"-?\d+" if step.section == "initial" else r"t([+-]\d+)?"
        found = re.findall(r"\[([^\]]*)\]", step.text)
        assert all(re.fullmatch(index, i) for i in found), step.text


def test_the_gradient_of_the_oldest_value_of_a_skip_comes_from_one_step():
    d = derive(load("skip:d=3"))
    lines = [s.text for s in d.section("initial")]
    assert lines == [
        "h_bar[0] = W.T @ delta_h[1] + V.T @ delta_h[3]",
        "h_bar[-1] = V.T @ delta_h[2]",
        "h_bar[-2] = V.T @ delta_h[1]",
    ]


def test_a_bracketed_sum_inside_a_sum_over_time():
    d = derive(read_cell("h[t] = tanh(p * (h[t-1] + x[t]) + W @ h[t-1])\n"))
    (line,) = [s.text for s in d.section("parameter") if s.lhs.name == "p"]
    assert line == "p_bar = sum over t of delta_h[t] * (h[t-1] + x[t])"


# ── the same bytes ──

_DIGEST = """
import hashlib
from derive.catalog import load, shipped
from derive.derivation import derive
from numeric.source import generate
whole = hashlib.sha256()
for entry in shipped():
    d = derive(load(entry.name))
    for part in (d.text(), d.latex(), generate(d)):
        whole.update(part.encode())
print(whole.hexdigest())
"""


def digest(seed: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", _DIGEST],
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def test_derivations_and_code_have_the_same_bytes_under_every_hash_seed():
    found = {digest(seed) for seed in ("0", "1", "2")}
    assert len(found) == 1
    assert len(found.pop()) == hashlib.sha256().digest_size * 2


@given(cells())
def test_deriving_twice_gives_the_same(cell):
    note(cell.text)
    assert derive(cell).text() == derive(read_cell(cell.text, "random")).text()


def test_what_has_no_name_is_written_without_a_detour():
    text = "z[t] = W @ h[t-1] + x[t]\nh[t] = z[t] / sqrt(mean(z[t]**2)) + V @ relu(z[t])\n"
    page = derive(read_cell(text, "normalised")).text()
    assert "(V.T @ h_bar[t]) * step(z[t])" in page
    assert "sum(h_bar[t] * z[t] / a_h[t]) / sqrt(a_h[t])" in page


def test_a_column_times_a_row_is_no_diagonal_matrix_times_ones():
    page = derive(
        read_cell("dim u = 1\nu[t] = e.T @ m[t-1]\nm[t] = A @ m[t-1] + B * u[t]", "memory")
    ).text()
    assert "dm[t]/dm[t-1] = A + B @ e.T" in page


def test_a_number_that_scales_a_block_is_written_as_a_number_at_declared_sizes_too():
    text = "const k\ndim x = 7\nh[t] = k * h[t-1] + (1 - k) * (V @ tanh(W @ h[t-1] + x[t]))"
    for sizes in ("", "dim W = 7, 5\n"):
        page = derive(read_cell(sizes + text, "leaky")).text()
        assert "k * I + (1 - k) * (V @ diag(1 - tanh(a_h[t])**2) @ W)" in page
