"""The verdict on somebody's gradient: which blocks are right, which are wrong where, and what the mistake may be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Literal

Status = Literal["right", "wrong", "inconclusive"]
ELSEWHERE = "at other values"


@dataclass(frozen=True, slots=True)
class BlockVerdict:
    """What was found about the gradient of one block.

    Args:
        name: the parameter's name, or ``input 0``, ``input 1``, …
        status: right, wrong, or inconclusive.
        error: relative error in norm; infinite for a wrong shape or a missing block.
        bound: what it may be.
        times: for an input, the steps (from 0) at which it is wrong.
        note: what else there is to say.
    """

    name: str
    status: Status
    error: float
    bound: float
    times: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class GradientVerdict:
    """Whether a gradient is right.

    Args:
        blocks: one verdict per block and stretch.
        method: how the truth was found.
        sensitivity: relative change of the claimed gradient when parameters change by one rounding.
        mistakes: what the likely mistake is, the likeliest first.
    """

    blocks: tuple[BlockVerdict, ...]
    method: str
    sensitivity: float
    mistakes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Wrong if any block is; right if every block is."""
        found = {b.status for b in self.blocks}
        return "wrong" if "wrong" in found else "right" if found == {"right"} else "inconclusive"

    @property
    def ok(self) -> bool:
        """Whether every block was compared and is right."""
        return self.status == "right"

    def __bool__(self) -> bool:
        return self.ok

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the wrong blocks."""
        return tuple(dict.fromkeys(b.name for b in self.blocks if b.status == "wrong"))

    def to_dict(self) -> dict[str, object]:
        """The verdict as plain data."""
        return {
            "status": self.status,
            "method": self.method,
            "sensitivity": self.sensitivity,
            "blocks": [asdict(b) for b in self.blocks],
            "mistakes": list(self.mistakes),
        }

    def __str__(self) -> str:
        lines = [f"{self.status}; {self.method}"]
        for b in self.blocks:
            at = f" at t = {_spans(b.times)}" if b.times else ""
            tail = f"; {b.note}" if b.note else ""
            lines.append(
                f"  {b.name:<12} {b.status}{at}: error {b.error:.1e}, bound {b.bound:.1e}{tail}"
            )
        return "\n".join([*lines, *(f"  likely: {m}" for m in self.mistakes)])

    def _repr_html_(self) -> str:
        rows = "".join(
            _row(
                "td", b.name, b.status, f"{b.error:.1e}", f"{b.bound:.1e}", _spans(b.times), b.note
            )
            for b in self.blocks
        )
        head = _row("th", "block", "verdict", "error", "bound", "wrong at t =", "")
        likely = "".join(f"<li>{escape(m)}</li>" for m in self.mistakes)
        mistakes = f"<p>Likely:</p><ul>{likely}</ul>" if likely else ""
        said = f"<p><strong>{self.status}</strong>; {escape(self.method)}</p>"
        return f"{said}<table>{head}{rows}</table>{mistakes}"


def _row(tag: str, *cells: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"


def _spans(times: tuple[int, ...]) -> str:
    """0, 1, 2, 5 as 0–2, 5."""
    spans: list[list[int]] = []
    for t in times:
        if spans and t == spans[-1][-1] + 1:
            spans[-1] = [spans[-1][0], t]
        else:
            spans.append([t])
    return ", ".join("–".join(map(str, s)) for s in spans)
