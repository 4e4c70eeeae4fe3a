"""Measuring a cell's gradient flow: derived, its code loaded, its parameters started, then followed over many steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from derive import catalog
from derive.cell import Cell
from derive.derivation import Derivation, derive
from derive.errors import ArgumentError
from derive.starts import cell_started
from numeric.costs import refuse_beyond, refuse_long, refuse_wide
from numeric.flow import LAGS, Flow, flow
from numeric.setting import Setting, initial_weights, sizes_of

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A cell, ready to be measured in any setting.

    Args:
        derivation: of the cell.
        module: its generated code, which knows how its parameters start.
    """

    derivation: Derivation
    module: ModuleType

    def started(
        self, setting: Setting, weights: Mapping[str, Any] | None = None
    ) -> tuple[Setting, dict[str, Any]]:
        """The setting with the sizes that hold, and the weights there.

        Args:
            setting: where the cell is measured.
            weights: a user's own parameters by name; they fix the sizes.

        Raises:
            ArgumentError: a parameter that is to be set is unknown, or the weights do not fit the cell or are given and
                started too.
        """
        from numeric.given_weights import parameters_from

        cell = self.derivation.cell
        if weights is not None:
            if setting.starts or setting.init != "own":
                raise ArgumentError(
                    "The weights are given, and init says how they start.",
                    "Leave out one of the two; --set gives a parameter another value.",
                )
            found, own = parameters_from(cell, weights, setting.weights)
            setting = replace(setting, sizes=found)
        else:
            sizes = sizes_of(cell, setting)
            refuse_beyond(cell, sizes)
            refuse_long(cell, sizes, setting.steps)
            own = self.module.init_params(*sizes.values(), seed=setting.seed)
        return setting, initial_weights(self.derivation, setting, own)


def prepared(cell: Cell) -> Prepared:
    """A cell's derivation and its generated code, loaded."""
    from numeric.source import generate
    from proofs.modules import load_source

    derivation = derive(cell)
    return Prepared(derivation, load_source(generate(derivation)))


@dataclass(frozen=True, slots=True)
class Measured:
    """A cell and what was measured of it.

    Args:
        derivation: of the cell.
        weights: its parameters and constants, (rows, columns).
        flow: the measurements.
    """

    derivation: Derivation
    weights: Mapping[str, Any]
    flow: Flow

    def __str__(self) -> str:
        from reports.verdict import verdict

        return f"{self.derivation.cell.name}: {verdict(self.flow)}"

    def _repr_html_(self) -> str:
        from html import escape

        from reports.html import data_uri
        from reports.study_gain import gain_picture

        svg = data_uri(gain_picture(self.flow).svg)
        return f'<p>{escape(str(self))}</p><img src="{svg}" alt="gain of the gradient against the lag">'


def measured_cell(
    cell: Cell,
    setting: Setting,
    say: Say = lambda _: None,
    lags: int = LAGS,
    weights: Mapping[str, Any] | None = None,
) -> Measured:
    """The gradient flow of a cell; see ``measured``."""
    say(f"deriving {cell.name}")
    ready = prepared(cell_started(cell, setting.starts or {}))
    if weights is None:
        refuse_wide(cell, sizes_of(cell, setting))
    setting, fixed = ready.started(setting, weights)
    say(f"measuring {cell.name}")
    return Measured(ready.derivation, fixed, flow(ready.derivation, fixed, setting, lags))


def measured(
    spec: str,
    setting: Setting,
    say: Say,
    lags: int = LAGS,
    weights: Mapping[str, Any] | None = None,
) -> Measured:
    """The gradient flow of a cell.

    Args:
        spec: a shipped cell's name with options, or a file's path.
        setting: where it is measured; ``setting.weights`` says where the user's own weights come from.
        say: called with the name of each stage as it begins.
        lags: the largest lag.
        weights: the user's own parameters by name.

    Raises:
        MeasureError: the run leaves the floating-point numbers.
        ArgumentError: a parameter that is to be set is unknown, or weights do not fit.
    """
    return measured_cell(catalog.load(spec), setting, say, lags, weights)
