"""What the states of a scan start from: the final states of another scan, or values of their own at [end].

dec = scan(lstm, d[s], start(enc))          from the states c and h with which enc ends
s0.h[end] = tanh(P @ enc.h[end] + b)
dec = scan(lstm, d[s], start(s0))           h from what stands before, c from what is given to the network
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from derive.errors import LanguageError
from derive.language_roles import Named
from derive.language_words import listed, nearest
from derive.network import END
from derive.network_groups import Group
from derive.network_scans import Scan
from derive.syntax import EquationText, Span


def dotted(equation: EquationText) -> str:
    """The name before the dot of what an equation defines; empty if there is no dot."""
    return _written(equation).partition(".")[0].strip() if "." in _written(equation) else ""


def _written(equation: EquationText) -> str:
    """What an equation defines, as its author wrote it."""
    place = equation.target_span.place
    return place.text[place.column : place.column + place.width].partition("[")[0].strip()


@dataclass(slots=True)
class Begun:
    """The equations that give states of scans their first values, by the name before the dot.

    Args:
        equations: them, in order.
    """

    equations: dict[str, list[EquationText]] = field(default_factory=dict)

    def note(self, equation: EquationText, axis: str) -> None:
        """One more: ``s.h[end] = …``.

        Raises:
            LanguageError: it gives a value for every step.
        """
        if axis != END:
            raise LanguageError(
                f"{_written(equation)} is what a state of a scan starts from, and has one value only.",
                f"Write {_written(equation)}[end] = …, or a name without a dot.",
                place=equation.target_span.place,
            )
        self.equations.setdefault(dotted(equation), []).append(equation)

    def started(self, scan: Scan, scans: Mapping[str, Scan]) -> tuple[str | None, tuple[str, ...]]:
        """What a scan starts from, and the groups that give it.

        Raises:
            LanguageError: nothing of this name is defined above.
        """
        if scan.start is None:
            return None, ()
        name, span = scan.start
        if name in self.equations:
            return name, tuple(e.target for e in self.equations[name])
        if name not in scans:
            raise LanguageError(
                f"{name} is no scan defined above.{nearest(name, scans)}",
                "Name a scan of an earlier line, or say in earlier lines what each state starts from, as in "
                f"{name}.h[end] = … for a state h.",
                place=span.place,
            )
        return name, (name,)

    def alike(
        self, groups: Sequence[Group], named: Mapping[str, Named], scans: Mapping[str, Scan]
    ) -> Iterator[tuple[str, str, Span]]:
        """States that start from others, and so have their shapes.

        Raises:
            LanguageError: the other scan has no state of this name, or the scan has none that is given a value.
        """
        for g in groups:
            start = scans[g.name].start if g.start else None
            if start is None:
                continue
            word, span = start
            states = sorted(n for n in g.targets if named[n].role == "state")
            pairs = {f"{word}{state.removeprefix(g.name)}": state for state in states}
            if word in self.equations:
                self._refuse_others(g.name, word, pairs)
            for other, state in pairs.items():
                if other in named and (word in self.equations or named[other].role == "state"):
                    yield state, other, span
                elif word not in self.equations:
                    raise LanguageError(
                        f"{word} has no state {state.removeprefix(g.name + '_')} to start from.",
                        "Start a scan from one whose states have the same names, or say what each starts from, as "
                        f"in s.{state.removeprefix(g.name + '_')}[end] = … and start(s).",
                        place=span.place,
                    )

    def _refuse_others(self, scan: str, word: str, pairs: Mapping[str, str]) -> None:
        """Refuse a first value of what is no state of the scan."""
        for e in self.equations[word]:
            if e.target not in pairs:
                states = listed([state.removeprefix(f"{scan}_") for state in pairs.values()])
                raise LanguageError(
                    f"{scan} starts from {word} and has no state {_written(e).partition('.')[2].strip()}.",
                    f"Give values to its states: {states}.",
                    place=e.target_span.place,
                )
