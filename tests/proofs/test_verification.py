from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from derive.derivation import derive
from derive.errors import ArgumentError, LanguageError
from derive.language import read_cell
from numeric.source import generate
from proofs import verification
from proofs.modules import constant_of, load_source
from proofs.table import Check, Verification, measured, not_applicable
from proofs.verification import EXACT, NUMERIC, REQUIRED, verify, verify_file
from proofs.workload import MOST, SIZE
from tests.proofs.specimens import EVERY, derivation_of, source_of


def outcome(name: str, source: str | None = None, **options: object) -> Verification:
    derivation = derivation_of(name)
    code = source_of(name) if source is None else source
    return verify(derivation.cell, code, derivation=derivation, **options)  # type: ignore[arg-type]


@pytest.fixture
def without_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """The derivation is right and stays so: only the file is judged, as with the whole table but sooner."""
    monkeypatch.setattr(verification, "_exact", lambda *_: ([], {}))
    monkeypatch.setattr(verification, "REQUIRED", REQUIRED - set(EXACT))


@pytest.mark.parametrize("name", EVERY)
def test_what_the_generator_writes_is_verified(name: str) -> None:
    found = outcome(name, regenerate=generate)
    assert found.ok, found.table()
    assert {c.name for c in found.checks} == REQUIRED
    assert found.differences == ()
    assert found.hints == ()
    assert all(found.lines.values())


def test_the_table_is_the_same_for_the_same_seed_and_other_for_another() -> None:
    assert outcome("gru", seed=3).table() == outcome("gru", seed=3).table()
    assert outcome("gru", seed=3).table() != outcome("gru", seed=4).table()


def test_progress_names_every_check() -> None:
    said: list[str] = []
    outcome("elman", on_progress=said.append)
    assert set(NUMERIC) <= set(said)


EDITS = {
    "a sign": (
        "c_bar[t] * g[t] * i[t] * (1.0 - i[t])",
        "c_bar[t] * g[t] * i[t] * (1.0 + i[t])",
        "W_i",
    ),
    "a missing factor": ("h_bar[t] * tanh_c[t] * o[t]", "h_bar[t] * tanh_c[t]", "W_o"),
    "the wrong gate": (
        "c_bar[t] * i[t] * (1.0 - g[t] ** 2)",
        "c_bar[t] * f[t] * (1.0 - g[t] ** 2)",
        "W_g",
    ),
    "a shifted time index": (
        "c_bar[t] * c_prev[t] * f[t]",
        "c_bar[t] * c_all[t + 1] * f[t]",
        "W_f",
    ),
    "a forgotten sum": (
        "c_bar_prev[t] += c_bar[t] * f[t]",
        "c_bar_prev[t] = c_bar[t] * f[t]",
        "inputs_bar",
    ),
    "a lost batch sum": (
        "np.sum(delta_fiog, axis=(0, 1))",
        "np.sum(delta_fiog[:, 0], axis=0)",
        "b_f",
    ),
    "a lost path": ("h_bar_prev[t] += delta_fiog[t] @ W_fiog", "pass", "state_bar"),
    "too high a sum": (
        "np.sum(delta_fiog, axis=(0, 1))",
        "np.sum(delta_fiog[1:], axis=(0, 1))",
        "b_f",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.usefixtures("without_exact")
def test_an_edited_file_is_refused_and_the_place_is_named(edit: str) -> None:
    old, new, block = EDITS[edit]
    source = source_of("lstm")
    assert old in source
    found = outcome("lstm", source.replace(old, new), regenerate=generate)
    assert not found.ok
    where = [place for check in found.failures for place in check.where]
    assert any(block in place for place in where), where
    assert any(line.startswith("+") and new in line for line in found.differences)
    assert "wrong: " in found.table()


@pytest.mark.usefixtures("without_exact")
def test_likely_mistakes_are_named() -> None:
    source = source_of("lstm")
    batch = outcome(
        "lstm",
        source.replace("np.sum(delta_fiog, axis=(0, 1))", "np.sum(delta_fiog[:, 0], axis=0)"),
    )
    assert any("the sum over the batch is missing" in hint for hint in batch.hints)
    first = outcome(
        "lstm",
        source.replace("np.sum(delta_fiog, axis=(0, 1))", "np.sum(delta_fiog[1:], axis=(0, 1))"),
    )
    assert any("the term of step 1 is missing" in hint for hint in first.hints)
    turned = outcome("lstm", source.replace('"W_f": W_f_bar', '"W_f": W_f_bar.T'))
    assert "params_bar['W_f']: it is transposed" in turned.hints


@pytest.mark.usefixtures("without_exact")
def test_the_step_from_which_inputs_are_wrong_is_named() -> None:
    old = "h_bar_prev[t] += delta_fiog[t] @ W_fiog"
    found = outcome("lstm", source_of("lstm").replace(old, f"{old} * (t != 2)"))
    assert "inputs_bar['x']: right later, wrong from t = 2 down" in found.hints


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def forward(:\n", "SyntaxError"),
        ("raise SystemExit(0)\n", "SystemExit"),
        ("import no_such_module_at_all\n", "ModuleNotFoundError"),
        ("x = 1\n", "does not define init_params, init_state, forward"),
        (
            "forward = backward = step = value_and_grad = init_params = init_state = 1\n",
            "does not define",
        ),
    ],
)
@pytest.mark.usefixtures("without_exact")
def test_a_file_that_does_not_load_is_refused(source: str, told: str) -> None:
    found = outcome("elman", source)
    assert not found.ok
    assert told in found.table()
    assert {c.name for c in found.failures} >= set(NUMERIC), "what did not run did not hold"


@pytest.mark.usefixtures("without_exact")
def test_a_file_that_raises_or_leaves_or_answers_nonsense_is_refused() -> None:
    head = "    T, B = leading"
    for line in (
        "raise RuntimeError('no')",
        "raise SystemExit(3)",
        "return None",
        "return {}, {}, {}",
    ):
        found = outcome("elman", source_of("elman").replace(head, f"    {line}\n{head}", 1))
        assert not found.ok, line


@pytest.mark.usefixtures("without_exact")
def test_the_line_that_raises_is_named() -> None:
    source = source_of("lstm").replace("c_bar[t] * c_prev[t] * f[t]", "c_bar[t] * c_past[t] * f[t]")
    number = 1 + next(i for i, line in enumerate(source.splitlines()) if "c_past" in line)
    assert (
        f"name 'c_past' is not defined (line {number} of the file)"
        in outcome("lstm", source).table()
    )


@pytest.mark.usefixtures("without_exact")
@pytest.mark.parametrize(
    ("endless", "told"),
    [("pass", "ran for more than 0.2 s"), ("time.sleep(1)", "for more than 2 s")],
)
def test_a_file_that_hangs_or_sleeps_is_stopped(
    endless: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SECONDS", 0.2)
    monkeypatch.setattr(verification, "NUMERIC", {"forward": NUMERIC["forward"]})
    head = "    T, B = leading"
    body = f"    import time\n    while True:\n        {endless}\n{head}"
    assert told in outcome("elman", source_of("elman").replace(head, body, 1)).table()


def test_loading_leaves_no_trace() -> None:
    before = set(sys.modules)
    load_source(source_of("elman"))
    with pytest.raises(ZeroDivisionError):
        load_source("1 / 0")
    assert set(sys.modules) == before


def test_a_file_is_read_as_it_is_now_even_if_its_size_and_date_stay(tmp_path: Path) -> None:
    path = tmp_path / "elman.py"
    path.write_text(source_of("elman"))
    stamp = path.stat()
    right = verify_file(path, regenerate=generate)
    assert right.ok
    path.write_text(source_of("elman").replace("1.0 - h[t] ** 2", "1.0 + h[t] ** 2"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert path.stat().st_size == stamp.st_size
    wrong = verify_file(path, regenerate=generate)
    assert not wrong.ok
    assert wrong.subject == str(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["elman.py"], (
        "nothing is left beside the file"
    )


def test_a_file_is_measured_by_the_equations_that_it_states(tmp_path: Path) -> None:
    path = tmp_path / "gru.py"
    path.write_text(
        re.sub(
            r"(?m)^h\[t\] = .*$",
            "h[t] = z[t] * h[t-1] + (1 - z[t]) * g[t]",
            source_of("gru"),
            count=1,
        )
    )
    assert "forward" in {c.name for c in verify_file(path).failures}


def test_files_that_are_no_generated_files_get_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="cannot be read"):
        verify_file(tmp_path / "absent.py")
    path = tmp_path / "f.py"
    path.write_text("print('hello')\n")
    with pytest.raises(ArgumentError, match="states no equations"):
        verify_file(path)
    path.write_text("def (\n")
    with pytest.raises(ArgumentError, match="no Python"):
        verify_file(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ArgumentError, match="UTF-8"):
        verify_file(path)
    path.write_text('EQUATIONS = "h[t] = nothing("\n')
    with pytest.raises(LanguageError):
        verify_file(path)


def test_equations_are_read_without_running_the_file() -> None:
    assert constant_of('raise SystemExit\nEQUATIONS = "a"\n', "EQUATIONS") == "a"
    assert constant_of("EQUATIONS = print('x')\n", "EQUATIONS") is None


def row(name: str, figure: float = 0.0) -> Check:
    return measured(name, "", "", figure, 1.0)


def test_only_a_full_table_is_verified() -> None:
    needed = frozenset({"a", "b"})
    assert Verification("cell", (row("a"), row("b")), needed).ok
    assert not Verification("cell", (row("a"),), needed).ok
    assert not Verification("cell", (row("a"), row("b", 2.0)), needed).ok
    assert not Verification("cell", (row("a"), row("b", float("nan"))), needed).ok
    assert not Verification("cell", (), needed).ok
    assert not Verification("cell", (), frozenset()).ok
    assert not Verification("cell", (row("a"),), frozenset()).ok
    absent = not_applicable("b", "", "nothing to do")
    assert not Verification("cell", (row("a"), absent), needed).ok
    assert Verification("cell", (row("a"), absent), needed, frozenset({"b"})).ok


def test_the_table_says_what_did_not_run_and_survives_html_and_json() -> None:
    import json

    found = Verification(
        "<b>", (row("a", float("inf")),), frozenset({"a", "b"}), hints=("it is zero",)
    )
    assert "b: it did not run" in found.table()
    assert "likely mistake: it is zero" in found.table()
    assert "&lt;b&gt;" in found._repr_html_()
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["failures"] == ["a", "b"]


@pytest.mark.usefixtures("without_exact")
def test_a_file_that_always_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "SECONDS", 0.6)
    head = "    T, B = leading"
    found = outcome(
        "elman", source_of("elman").replace(head, f"    while True:\n        pass\n{head}", 1)
    )
    hung = [c.name for c in found.checks if c.note.startswith("HangError")]
    left = [c.name for c in found.checks if c.note.startswith("not run: 3 checks before it")]
    assert not found.ok
    assert len([name for name in hung if name in NUMERIC]) == verification.MOST_HANGS
    assert left
    assert {c.name for c in found.checks} == REQUIRED - set(EXACT)


def test_a_cell_too_large_to_check_is_refused_at_once_with_its_size_and_what_to_do() -> None:
    cell = read_cell("dim h = 1000000\nh[t] = tanh(W @ h[t-1] + U @ x[t])\n", "wide")
    derivation = derive(cell)
    found = verify(cell, generate(derivation), derivation=derivation)
    (row,) = found.checks
    assert not found.ok
    assert row.name == SIZE
    assert "2,000,000 values a step" in row.note
    assert f"at most {MOST:.1e}" in row.note
    assert "split the cell" in row.note


def test_an_exact_check_that_fails_on_its_own_depth_is_a_row_not_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def deep(*_: object, **__: object) -> None:
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr(verification.exact_checks, "smallest", deep)
    found = outcome("elman")
    assert [c.name for c in found.failures] == ["SymPy's derivative"]
    assert "RecursionError" in found.failures[0].note


def test_a_file_that_states_other_equations_later_is_refused() -> None:
    said = source_of("elman").replace(
        "\ndef step(", '\nEQUATIONS = "h[t] = x[t]"\n\n\ndef step(', 1
    )
    with pytest.raises(ArgumentError, match="states EQUATIONS at first, and another one"):
        load_source(said)
