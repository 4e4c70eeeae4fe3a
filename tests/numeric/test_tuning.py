"""Sizes at the head of files: read, written, and chosen by a clock that is made up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from derive.catalog import load
from derive.derivation import derive
from numeric.additions import Additions, additions_in, generate_with
from numeric.fast_source import SETTINGS
from numeric.tuning import CANDIDATES, ROUNDS, fastest, settings_in, with_settings

ORDINARY = {
    "STRETCH_ROWS": 512, "PIECE_SIZE": 1_000_000, "BLOCK_BYTES": 1_000_000, "MATRIX_SIZE": 300,
    "TOGETHER_SIZE": 600,
}  # fmt: skip


def source_of(name: str, **wanted) -> str:
    return generate_with(derive(load(name)), Additions(**wanted))


class Machine:
    """A file whose runs take as long as a table says, and the clock that sees it."""

    def __init__(self, cost) -> None:
        self.now, self.cost, self.runs = 0.0, cost, 0
        self.module = SimpleNamespace(**ORDINARY)

    def clock(self) -> float:
        return self.now

    def make(self, factor: float = 1.0):
        def run() -> None:
            self.runs += 1
            self.now += factor * self.cost(self.module, self.runs)

        return lambda: run

    def fastest(self, *factors: float, seconds: float = 1e9) -> dict[str, int]:
        made = [self.make(f) for f in factors or (1.0,)]
        return fastest(self.module, ORDINARY, made, self.clock, seconds)


def test_every_size_has_candidates_and_the_ordinary_one_is_among_them():
    assert CANDIDATES.keys() == {*SETTINGS}
    for wanted in ({"speed": True}, {"size": True}, {"speed": True, "compiled": True}):
        for name, value in settings_in(source_of("lstm", **wanted)).items():
            assert value in CANDIDATES[name]


def test_sizes_are_written_where_they_stand_and_nowhere_else():
    source = source_of("gru", speed=True)
    assert settings_in(source) == ORDINARY
    assert with_settings(source, ORDINARY) == source
    changed = with_settings(source, {"STRETCH_ROWS": 16384, "SMALL_STEP": 1})
    assert settings_in(changed) == {**ORDINARY, "STRETCH_ROWS": 16384}
    assert changed.replace("STRETCH_ROWS = 16_384", "STRETCH_ROWS = 512") == source


def test_what_is_no_size_at_the_top_of_a_file_is_none():
    assert settings_in("STRETCH_ROWS = True\ndef f():\n    BLOCK_BYTES = 2\n") == {}
    assert settings_in('TEXT = """\nSTRETCH_ROWS = 3\n"""\n') == {}
    assert settings_in("STRETCH_ROWS = = 3") == {}
    assert with_settings("STRETCH_ROWS = = 3", {"STRETCH_ROWS": 4}) == "STRETCH_ROWS = = 3"


@pytest.mark.parametrize("kind", [{"speed": True}, {"size": True}, {"compiled": True}])
def test_a_tuned_file_is_written_again_as_it_is(kind):
    derivation = derive(load("elman"))
    ordinary = generate_with(derivation, Additions(**kind))
    tuned = with_settings(ordinary, dict.fromkeys(SETTINGS, 77))
    assert tuned != ordinary
    assert set(settings_in(tuned).values()) == {77}
    assert generate_with(derivation, additions_in(tuned)) == tuned


def test_the_fastest_sizes_are_chosen_one_after_another():
    # Blocks of 500,000 bytes are best only together with stretches of 512 rows, which are chosen first.
    def cost(m, _):
        rows = 1.0 if m.STRETCH_ROWS == 512 else 2.0
        return rows * (0.5 if (m.BLOCK_BYTES, m.STRETCH_ROWS) == (500_000, 512) else 1.0)

    assert Machine(cost).fastest() == {**ORDINARY, "BLOCK_BYTES": 500_000}


def test_what_is_hardly_faster_is_not_chosen():
    assert Machine(lambda m, _: 1.0 - 0.02 * (m.STRETCH_ROWS == 512)).fastest() == ORDINARY
    found = Machine(lambda m, _: 1.0 - 0.04 * (m.STRETCH_ROWS == 512)).fastest()
    assert found["STRETCH_ROWS"] == 512


def test_a_run_that_is_disturbed_now_and_then_changes_nothing():
    def cost(m, count):
        disturbed = 50.0 if count % 7 == 0 else 0.0
        return disturbed + (0.8 if m.BLOCK_BYTES == 4_000_000 else 1.0)

    assert Machine(cost).fastest(1.0, 3.0) == {**ORDINARY, "BLOCK_BYTES": 4_000_000}


def test_the_longest_run_does_not_decide_alone():
    machine = Machine(lambda m, _: 0.5 if m.STRETCH_ROWS == 4096 else 1.0)

    def long() -> None:
        machine.now += 1100.0 if machine.module.STRETCH_ROWS == 4096 else 1000.0

    made = [machine.make(), lambda: long]
    found = fastest(machine.module, ORDINARY, made, machine.clock, 1e9)
    assert found["STRETCH_ROWS"] == 4096, (
        "half the short run's time outweighs a tenth of the long one's"
    )


def test_rounds_end_in_time_but_are_never_fewer_than_the_least():
    values = sum(len(CANDIDATES[name]) for name in ORDINARY)
    least, most = ROUNDS
    machine = Machine(lambda m, _: 1.0)
    machine.fastest(seconds=0.0)
    assert machine.runs == values * (1 + least)
    machine = Machine(lambda m, _: 1.0)
    machine.fastest()
    assert machine.runs == values * (1 + most)
    machine = Machine(lambda m, _: 1.0)
    machine.fastest(seconds=5 * 25)
    runs = 3 * 5 * (1 + 5) + 4 * (1 + 6) + 3 * (1 + 8)
    assert machine.runs == runs, "five rounds of five, six of four, eight of three within 25 s each"


def test_a_clock_that_stands_still_chooses_nothing():
    assert Machine(lambda m, _: 0.0).fastest() == ORDINARY
