"""Feeds broken inputs to every door until it has had enough: python -m tests.fuzz.run --inputs 1000000

An input that ends in anything but our errors, or that takes longer than the limit, is kept in tests/fuzz/corpus, from
where the tests feed it again for ever.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from types import FrameType

from derive.errors import ThroughtimeError
from tests.fuzz.doors import Door, doors
from tests.fuzz.mutations import mutated

CORPUS = Path(__file__).parent / "corpus"
LIMIT = 20
"""Seconds that a reader may take, on a slow machine."""
WEIGHTS = {
    "cells": 40,
    "networks": 16,
    "claims": 24,
    "names of cells": 5,
    "starts": 5,
    "certificates": 3,
}
"""Of a hundred inputs, how many each door gets; the rest go to the weight files."""


class TooLongError(BaseException):
    """A reader took longer than the limit; no handler for exceptions catches it."""


def _alarm(signum: int, frame: FrameType | None) -> None:
    raise TooLongError


def fed(door: Door, data: bytes) -> str:
    """What a door makes of an input: ``read``, ``refused``, or the exception that must not be."""
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(LIMIT)
    try:
        door.read(data)
    except ThroughtimeError as error:
        return "refused" if str(error).strip() else "refused without a word"
    except TooLongError:
        return f"took more than {LIMIT} s"
    except BaseException:  # noqa: BLE001 - that is what is looked for
        return traceback.format_exc()
    finally:
        signal.alarm(0)
    return "read"


def kept(door: Door, data: bytes) -> Path:
    """The input in the corpus."""
    folder = CORPUS / door.name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.bin"
    path.write_bytes(data)
    return path


def main() -> None:
    """Feeds as many inputs as were asked for, and tells what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    rng, all_doors = random.Random(chosen.seed), doors()  # noqa: S311
    names = list(all_doors)
    share = [WEIGHTS.get(name, 7 / (len(names) - len(WEIGHTS))) for name in names]
    outcomes: Counter[tuple[str, str]] = Counter()
    seen: set[str] = set()
    began = time.monotonic()
    for count in range(1, chosen.inputs + 1):
        door = all_doors[rng.choices(names, share)[0]]
        data = mutated(rng, door.examples)
        outcome = fed(door, data)
        if outcome not in ("read", "refused"):
            *_, last = outcome.strip().splitlines()
            places = [line for line in outcome.splitlines() if line.startswith("  File")][-1:]
            if (what := f"{last[:60]} {places}") not in seen:
                seen.add(what)
                sys.stderr.write(f"{door.name}: {kept(door, data)}\n{outcome}\n")
            outcome = "FAILED"
        outcomes[door.name, outcome] += 1
        if count % 10_000 == 0:
            rate = count / (time.monotonic() - began)
            sys.stderr.write(
                f"{count:,} inputs, {rate:.0f} a second, {len(seen)} kinds of failure\n"
            )
    width = max(map(len, names))
    for name in names:
        found = {what: n for (door_name, what), n in sorted(outcomes.items()) if door_name == name}
        told = ", ".join(f"{n:,} {what}" for what, n in found.items())
        sys.stdout.write(f"{name:<{width}}  {told}\n")
    sys.exit(1 if seen else 0)


if __name__ == "__main__":
    main()
