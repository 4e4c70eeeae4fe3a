"""The checks of files that compute all steps together hold for what is generated, and fail for what is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derive.catalog import load
from derive.derivation import derive
from numeric.additions import Additions, generate_with
from proofs import scan_checks, scan_law
from proofs.linear_exact import prove_linear
from proofs.modules import Code, load_source
from proofs.subject import Subject
from proofs.verification import verify
from tests.proofs.corruptions import doubled, sign_flipped

LRU = derive(load("lru"))
MINGRU = derive(load("mingru"))
ATTENTION = derive(load("linear_attention"))


def scanned(derivation) -> str:
    return generate_with(derivation, Additions(scan=True))


def test_a_scanned_file_is_verified_with_the_law_the_recurrence_and_its_own_scans():
    table = verify(MINGRU.cell, scanned(MINGRU), derivation=MINGRU)
    names = {scan_checks.LAW, scan_checks.LINEAR, scan_checks.INTEGERS}
    assert table.ok
    assert names <= table.required
    assert names <= {c.name for c in table.checks if c.ok}


def test_the_law_is_proved_for_matrices_and_entry_by_entry():
    found = scan_law.prove_scan_law()
    assert len(found) == 4
    assert all(law.holds for law in found)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda two, one, times: ([times, one[0], two[0]], ["+", [times, two[0], one[1]], two[1]]),
        lambda two, one, times: ([times, two[0], one[0]], ["+", [times, one[0], two[1]], one[1]]),
        lambda two, one, times: ([times, two[0], one[0]], ["+", one[1], two[1]]),
    ],
)
def test_a_wrong_law_is_refused(monkeypatch, wrong):
    monkeypatch.setattr(scan_law, "composed", wrong)
    assert not all(law.holds for law in scan_law.prove_scan_law())


@pytest.mark.parametrize(
    "name",
    ["lru", "mingru", "minlstm", "rglru", "selective_ssm", "linear_attention", "rwkv", "mlstm"],
)
def test_what_the_derivation_says_of_the_recurrence_is_an_identity(name):
    found = prove_linear(derive(load(name)), seed=1)
    assert found.wrong == ()
    assert found.compared > 10


@pytest.mark.parametrize("change", [doubled, sign_flipped])
def test_a_wrong_factor_or_rest_is_noticed(change):
    for d in (LRU, MINGRU):
        row, *rows = d.linearity.rows
        source, factor = next(iter(row.factors.items()))
        for wrong in (
            replace(row, factors={**row.factors, source: change(factor)}),
            replace(row, rest=change(row.rest)),
        ):
            changed = replace(d)
            changed.__dict__["linearity"] = replace(d.linearity, rows=(wrong, *rows))
            assert prove_linear(changed).wrong == (row.state.name,)


@pytest.mark.parametrize(
    ("derivation", "before", "after"),
    [
        (MINGRU, "value[:, i] += factor[:, i] * value[:, i - 1]", "value[:, i] += value[:, i - 1]"),
        (MINGRU, "factor[1:, i] *= factor[1:, i - 1]", "factor[1:, i] *= 1"),
        (MINGRU, "value[c] += factor[c] * value[c - 1, -1]", "value[c] += factor[c] * value[0, -1]"),
        (MINGRU, "* before[0]", "* 0 * before[0]"),
        (MINGRU, "whole[j][now[j] + t - d]", "whole[j][now[j] + t - 1 - d]"),
        (ATTENTION, "whole[t] += whole[t - 1]", "whole[t] += whole[t - 2]"),
        (MINGRU, "a[:0:-1]))", "a[:-1][::-1]))"),
        (LRU, "made.sum(axis=1)", "made.sum(axis=0)"),
        (LRU, "later[d:] = a", "later[:-d] = a"),
        (LRU, "turned.append((j, i, d, later))", "turned.append((i, j, d, later))"),
        (ATTENTION, "np.cumsum(whole, axis=0)[1:]", "np.cumsum(whole, axis=0)[:-1]"),
    ],
)  # fmt: skip
def test_a_broken_scan_is_noticed_over_the_integers(derivation, before, after):
    source = scanned(derivation)
    assert source.count(before) == 1
    code = Code(load_source(source.replace(before, after)))
    assert not scan_checks.over_integers(Subject(derivation, code, 0)).ok
    assert scan_checks.over_integers(Subject(derivation, Code(load_source(source)), 0)).ok


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("h_bar_all[:1] += h_by[:1] * h_bar[:1]", "h_bar_all[:1] += h_bar[:1]"),
        ("h_by = 1.0 - z", "h_by = z"),
        ("linear_scan(1.0 - z, z * g,", "linear_scan(z, z * g,"),
    ],
)
def test_a_scan_of_the_wrong_recurrence_is_not_verified(before, after):
    source = scanned(MINGRU)
    assert source.count(before) == 1
    assert not verify(MINGRU.cell, source.replace(before, after), derivation=MINGRU).ok
