"""``generate --tune``: its options, and where they make no sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.errors import ArgumentError
from throughtime.progress import Progress

if TYPE_CHECKING:
    from throughtime.model import Model
    from throughtime.network_model import NetworkModel


class _Shape(click.ParamType):
    """Four whole numbers with commas between."""

    name = "T,B,N,M"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Split the four and refuse what is no size of a run."""
        parts = [part.strip() for part in value.split(",")]
        if len(parts) != 4 or not all(p.isascii() and p.isdecimal() and len(p) < 10 for p in parts):
            self.fail(
                f"{value!r} is no size of a run; write T,B,N,M such as 100,32,64,16.", param, ctx
            )
        return tuple(map(int, parts))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be tuned, and how.

    Args:
        tune: whether the sizes are to be measured.
        shapes: T, B, n and m of the runs for which the file is to be fast; none: typical ones.
        cache: the file with what was measured before; the user's own if left out.
    """

    tune: bool
    shapes: tuple[tuple[int, ...], ...]
    cache: Path | None

    def refuse(self, optimize: str, backend: str) -> None:
        """Say no, before any work, to what does not go together.

        Raises:
            ArgumentError: names the option and says why.
        """
        if not self.tune:
            if self.shapes or self.cache:
                option = "--tune-for" if self.shapes else "--tune-cache"
                raise ArgumentError(
                    f"{option} says how to tune, and nothing is tuned.",
                    f"Add --tune, or leave out {option}.",
                )
            return
        if backend == "array-api":
            why = "--backend array-api writes a file without sizes that could be chosen."
        elif optimize == "size":
            why = "--optimize size keeps its sizes: they say how much memory the file needs."
        elif (optimize, backend) == ("readable", "numpy"):
            why = "--optimize readable writes a file without sizes that could be chosen."
        else:
            return
        raise ArgumentError(
            f"{why} There is nothing to tune.",
            "Leave out --tune, or ask for --optimize speed or --backend numba.",
        )

    def granted(
        self, model: Model | NetworkModel, source: str, say: Progress
    ) -> tuple[str, dict[str, object] | None]:
        """The file, tuned if that is asked for; and what there is to say about it."""
        if not self.tune:
            return source, None
        from numeric.tuning import TYPICAL, Shape
        from throughtime.tuning import tuned

        shapes = tuple(Shape(*shape) for shape in self.shapes) or TYPICAL
        found = tuned(model, source, shapes=shapes, cache=self.cache, say=say)
        data = {
            "settings": dict(found.settings),
            "cache": found.cache,
            "measured": found.measured,
            "shapes": [str(shape) for shape in shapes],
        }
        return found.source, data


def tuning_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options, which the command gets as one ``Wish`` named ``wish``."""

    @wraps(command)
    def with_wish(
        *args: Any,
        tune: bool,
        tune_for: tuple[tuple[int, ...], ...],
        tune_cache: Path | None,
        **named: Any,
    ) -> Any:
        return command(*args, wish=Wish(tune, tune_for, tune_cache), **named)

    options = (
        click.option(
            "--tune",
            is_flag=True,
            help="Choose the sizes at the head of a file made for speed: measured here once, for about 20 seconds, "
            "and kept in a cache, from which the same file is written ever after.",
        ),
        click.option(
            "--tune-for",
            type=_Shape(),
            multiple=True,
            metavar="T,B,N,M",
            help="Tune for runs of T steps of B samples, N the first dimension, M every other; may be given again. "
            "Typical ones if left out.",
        ),
        click.option(
            "--tune-cache",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Keep what was measured here, not in the user's cache folder.",
        ),
    )
    wrapped: Any = with_wish
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped
