"""The checks of what a file brings along besides forward and backward pass: required where the function is there."""

from __future__ import annotations

from typing import Any

from numeric import realtime, team
from numeric.additions import SCANS, functions_in
from proofs import many_steps
from proofs import network_stretch_checks as of_networks
from proofs import network_window_checks as in_windows
from proofs import realtime_checks as in_time
from proofs import scan_checks as scans
from proofs import stretch_checks as of_cells
from proofs import team_checks as teams
from proofs import workspace_checks as workspaces
from proofs.network_contract import Examine as ExamineNetwork
from proofs.subject import Examine
from proofs.training_checks import OF_TRAINING

TRUNCATED, CHECKPOINTED = "truncated_gradients", "checkpointed_value_and_grad"

_SCANS: dict[str, Examine] = {
    scans.LAW: scans.law,
    scans.LINEAR: scans.linear,
    scans.INTEGERS: scans.over_integers,
}
_NETWORK_SCANS: dict[str, ExamineNetwork] = {
    scans.LAW: scans.law,
    scans.LINEAR: scans.linear_segments,
    scans.INTEGERS: scans.over_integers,
}

OF_CELLS: dict[str, dict[str, Examine]] = {
    TRUNCATED: {
        of_cells.EXACT: of_cells.exact_truncation,
        of_cells.WHOLE: of_cells.truncated_whole,
        of_cells.CUT: of_cells.truncated,
        many_steps.WINDOWS: many_steps.truncated,
    },
    CHECKPOINTED: {
        of_cells.AGAIN: of_cells.checkpointed,
        of_cells.SPARSE: of_cells.checkpointed_memory,
    },
    realtime.NAME: {
        in_time.EXACT: in_time.exact_real_time,
        in_time.GRADIENT: in_time.real_time,
        in_time.STEPS: in_time.step_by_step,
        many_steps.IN_TIME: many_steps.real_time,
    },
    "Workspace": {workspaces.WORKSPACE: workspaces.workspace},
    team.NAME: {teams.TEAM: teams.team},
    **dict.fromkeys(sorted(SCANS), _SCANS),
    **OF_TRAINING,
}
OF_NETWORKS: dict[str, dict[str, ExamineNetwork]] = {
    TRUNCATED: {
        of_cells.WHOLE: in_windows.truncated_whole,
        of_cells.CUT: in_windows.truncated,
        many_steps.WINDOWS: many_steps.truncated_network,
    },
    CHECKPOINTED: {
        of_cells.AGAIN: of_networks.checkpointed,
        of_cells.SPARSE: of_networks.checkpointed_memory,
    },
    "Workspace": {workspaces.WORKSPACE: workspaces.workspace_of_network},
    team.NAME: {teams.TEAM: teams.team_of_network},
    **dict.fromkeys(sorted(SCANS), _NETWORK_SCANS),
    **OF_TRAINING,
}


def examined(source: str, table: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The checks of the additions that a file defines, by name.

    Args:
        source: the file.
        table: ``OF_CELLS`` or ``OF_NETWORKS``.
    """
    defined = functions_in(source)
    rows = (checks for function, checks in table.items() if function in defined)
    return {name: examine for checks in rows for name, examine in checks.items()}
