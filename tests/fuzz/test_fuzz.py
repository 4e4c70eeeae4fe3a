from __future__ import annotations

import random

import pytest

from tests.fuzz.doors import Door, doors
from tests.fuzz.mutations import mutated
from tests.fuzz.run import CORPUS, fed

DOORS = doors()
KEPT = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*.bin"))


@pytest.mark.parametrize("name", DOORS)
def test_what_belongs_there_is_read_or_refused_politely(name: str) -> None:
    for example in DOORS[name].examples:
        assert fed(DOORS[name], example) in ("read", "refused")


@pytest.mark.parametrize("name", DOORS)
def test_broken_inputs_are_refused_with_a_word(name: str) -> None:
    rng = random.Random(name)  # noqa: S311 - mutations, no secret
    for _ in range(60):
        data = mutated(rng, DOORS[name].examples)
        assert fed(DOORS[name], data) in ("read", "refused"), data


@pytest.mark.parametrize("path", KEPT)
def test_what_once_broke_a_reader_does_so_no_more(path: str) -> None:
    door = {name.replace(" ", "-"): door for name, door in DOORS.items()}[path.split("/")[0]]
    assert fed(door, (CORPUS / path).read_bytes()) in ("read", "refused")


def test_the_watch_notices_a_crash_and_a_reader_without_end() -> None:
    def crash(_: bytes) -> object:
        raise RecursionError

    def exits(_: bytes) -> object:
        raise SystemExit(0)

    assert "RecursionError" in fed(Door("crash", crash, ()), b"")
    assert "SystemExit" in fed(Door("exit", exits, ()), b"")
