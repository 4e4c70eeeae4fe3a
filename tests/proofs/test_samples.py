"""Points at which checks are made: as far from kinks as can be had, and no endless search where there are none."""

from __future__ import annotations

from itertools import count, islice
from typing import Any

import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.source import generate
from proofs.modules import Code, load_source
from proofs.point import Extent
from proofs.samples import LESS, draw_smooth, first_smooth
from proofs.subject import PATIENCE, NoSampleError, Search, Subject
from proofs.verification import verify

NOWHERE = "h[t] = log(-1 - h[t-1] * h[t-1] - x[t] * x[t]) + W @ h[t-1]"


@pytest.mark.parametrize(
    ("kept", "taken"),
    [
        ([0.2, 5.0, 9.0], 1),  # the first that keeps the whole distance
        ([0.02, 0.2, 0.9], 1),  # a tenth of it
        ([0.02, 0.03], 0),  # a hundredth
        ([0.001, 0.002], None),
        ([], None),
    ],
)
def test_a_run_keeps_as_much_of_the_distance_as_any_does(kept: list[float], taken: int) -> None:
    assert first_smooth(((i, k) for i, k in enumerate(kept)), 1.0, LESS) == taken


def test_no_run_is_made_after_the_first_that_keeps_the_distance() -> None:
    runs = count()
    assert first_smooth(((i, i / 3) for i in runs), 1.0, LESS) == 4
    assert list(islice(runs, 1)) == [5]


def test_after_some_searches_in_vain_no_other_is_begun() -> None:
    search, asked = Search(), list[int]()

    def nothing() -> Any:
        asked.append(1)

    assert search.found(lambda: 7) == 7
    for _ in range(PATIENCE + 3):
        with pytest.raises(NoSampleError, match="no point was found"):
            search.found(nothing)
    assert len(asked) == PATIENCE
    with pytest.raises(NoSampleError):
        search.found(lambda: 7)


def test_a_cell_that_is_defined_nowhere_is_not_verified_and_not_searched_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell = read_cell(NOWHERE, "nowhere")
    derivation = derive(cell)
    source = generate(derivation)
    extent = Extent(dict.fromkeys(cell.dims, 2), 3, 2)
    assert draw_smooth(cell, extent, 0) is None
    subject = Subject(derivation, Code(load_source(source)), 0)
    with pytest.raises(NoSampleError):
        subject.sample("this", extent)
    searched = list[str]()

    def seen(*_: Any, **__: Any) -> None:
        searched.append("")

    monkeypatch.setattr("proofs.subject.draw_smooth", seen)
    found = verify(cell, source)
    assert not found.ok
    assert len(searched) == PATIENCE
    assert {"forward", "complex step", "Taylor remainder"} <= {c.name for c in found.failures}
