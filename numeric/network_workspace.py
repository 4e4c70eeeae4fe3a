"""The file of a network over a workspace: its segments keep their arrays from run to run, and so do their sums."""

from __future__ import annotations

from derive.network import Segment, Source
from numeric import rooms
from numeric.network_passes import Passes
from numeric.network_source import NetworkFile
from numeric.network_texts import WORKSPACE
from numeric.source import HELPERS, helpers


class PassesOver(Passes):
    """Writes the functions that run the segments one after another, and the class of the workspace."""

    def text(self) -> list[str]:
        """The class and the functions."""
        return [_CLASS, *super().text()]

    def keywords(self) -> dict[str, str]:
        """The arguments by keyword, with the workspace."""
        return {"workspace": "Workspace | None = None", **super().keywords()}

    def begun(self) -> list[str]:
        """The forward pass takes the workspace."""
        return [
            "    ws = Workspace() if own(workspace, Workspace) is None else workspace.taken()",
            '    outputs, final, cache = {}, {}, {"workspace": ws, "run": ws.run}',
        ]

    def reused(self, segment: Segment) -> list[str]:
        """The arrays of the segment's last run."""
        return [f'workspace=ws.segments.get("{segment.name}")']

    def kept(self, segment: Segment) -> list[str]:
        """The arrays of the segment's run are kept."""
        return [f'    ws.keep("{segment.name}", {self.cache_of(segment.name)})']

    def cache_of(self, name: str) -> str:
        """Under a segment's name, unless what all segments share stands there."""
        return super().cache_of(f"segment {name}" if name in ("workspace", "run") else name)

    def begun_back(self) -> list[str]:
        """The backward pass adds up in the workspace of the forward pass."""
        return ["    ws = checked_run(cache)"]

    def handed_out(self) -> str:
        """The gradients."""
        return "    return ws.handed_out(params_bar, inputs_bar, state_bar)"

    def added_at_end(self, source: Source, value: str) -> str:
        """No sequence is made for one step."""
        made = self.network.segment(source.segment)
        ragged = made.axis in self.ragged and not made.reverse
        function, at = (
            ("add_at_end", f"lengths_{made.axis}")
            if ragged
            else ("add_at_step", "0" if made.reverse else "-1")
        )
        steps = self.steps_made(source.segment)
        arguments = f'outputs_bar, "{source.name}", {value}, {at}, {steps}{self.idioms.sums}'
        return f"    {function}({arguments})"


class NetworkFileOver(NetworkFile):
    """Writes the file of a network whose segments are written over workspaces."""

    def passes(self) -> Passes:
        """The writer of the functions that run the segments one after another."""
        return PassesOver(self.network, self.files, self.sizes, WORKSPACE, TAKEN)

    def helpers(self, text: str) -> list[str]:
        """The functions that the file calls."""
        return helpers(text, (*HELPERS, rooms))


TAKEN = frozenset(["ws", "workspace", *rooms.NAMES])
"""Names that a file over a workspace needs besides those of all files."""

_CLASS = '''\
class Workspace:
    """The arrays of all segments, forward and backward, and of the sums between them, allocated by its first run.

    A workspace that is given to ``forward`` is used again: its outputs, cache and gradients last until the
    next call with the same workspace. It serves runs of the sizes of its first one.
    """

    def __init__(self) -> None:
        self.segments, self.values, self.sums, self.ends = {}, {}, {}, {}
        self.run, self.given = 0, False

    def taken(self) -> Workspace:
        """This workspace for one more run."""
        self.run, self.given = self.run + 1, True
        return self

    def keep(self, name: str, cache: dict) -> None:
        """Keeps the arrays of a segment's run."""
        self.segments[name] = cache["workspace"]
        self.segments[name].given = self.given

    def handed_out(self, *gradients: Arrays) -> tuple[Arrays, ...]:
        """The gradients; unless the caller gave the workspace, the next ones are added up in arrays of their own."""
        if not self.given:
            self.sums, self.ends = {}, {}
        return gradients'''
