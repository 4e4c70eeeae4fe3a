"""What is wrong only between two blocks of one sample, or where something was left out of its run, is refused."""

from __future__ import annotations

import pytest

from derive.catalog import load
from derive.derivation import derive
from numeric.additions import Additions, generate_with
from proofs.attestation import standing
from proofs.modules import Code, load_source
from proofs.settings_runs import LEVELS, SAMPLES, other_settings, settings
from proofs.special_checks import as_given, special_runs
from proofs.subject import Subject
from proofs.table import Check
from proofs.workspace_checks import workspace

DERIVATION = derive(load("lstm"))
SOURCE = standing(generate_with(DERIVATION, Additions(speed=True))).code


def judged(check: object, right: str = "", wrong: str = "") -> Check:
    assert right in SOURCE
    code = Code(load_source(SOURCE.replace(right, wrong)))
    return check(Subject(DERIVATION, code, 0))  # type: ignore[operator]


BETWEEN = {
    "what the loss adds after a block": ("+= dl_dc[last - 1, 0]", "+= dl_dc[-1, 0]"),
    "what the loss adds within a block": ("dl_dh[first:last - 1, 0]", "dl_dh[: count - 1, 0]"),
    "what the next block begins with": ("rows_bar[count, 0, 0:n] = c_bar", "rows_bar[-1, 0, 0:n] = c_bar"),
    "steps of a block that is shorter": ("in ws.chain[:count][::-1]:", "in ws.chain[::-1]:"),
    "blocks of a stretch": ("delta_fiog_gates[first - start : last - start, 3]", "delta_fiog_gates[:count, 3]"),
}  # fmt: skip


@pytest.mark.parametrize("what", BETWEEN)
def test_what_is_wrong_between_blocks_of_one_sample_is_refused(what: str) -> None:
    found = judged(special_runs, *BETWEEN[what])
    assert not found.ok
    assert all("B = 1" in place and "BLOCK_BYTES" in place for place in found.where)


COLUMNS = {"c": "0:n", "h": "n:2 * n"}


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_that_an_earlier_run_of_one_sample_was_given_are_refused(name: str) -> None:
    found = judged(workspace, f"jacobians[:count, 2 * n, {COLUMNS[name]}] = 0", "pass")
    assert not found.ok
    assert all("B = 1" in place for place in found.where)


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_wrong_where_one_output_of_one_sample_is_left_out_is_refused(name: str) -> None:
    zeros = f"jacobians[:count, 2 * n, {COLUMNS[name]}] = "
    found = judged(as_given, f"{zeros}0", f"{zeros}dl_d{name} is None")
    assert not found.ok
    assert all("B = 1" in place for place in found.where)


def test_any_three_settings_and_numbers_of_samples_meet() -> None:
    module = load_source(SOURCE)
    runs = list(other_settings(module))
    blocks, stretches = LEVELS["BLOCK_BYTES"], LEVELS["STRETCH_ROWS"]
    seen = {(b, v["STRETCH_ROWS"], v["BLOCK_BYTES"]) for b, v in runs}
    assert seen == {(b, s, k) for b in SAMPLES for s in stretches for k in blocks}
    assert {(v["BLOCK_BYTES"], v["MATRIX_SIZE"] > 0) for _, v in runs} == {
        (k, m) for k in blocks for m in (True, False)
    }
    assert len(runs) < 120


def test_settings_are_put_back_and_a_file_without_any_has_no_such_runs() -> None:
    module = load_source(SOURCE)
    with settings(module, {"BLOCK_BYTES": 1}):
        assert module.BLOCK_BYTES == 1
    assert module.BLOCK_BYTES == 1_000_000
    assert list(other_settings(object())) == []
