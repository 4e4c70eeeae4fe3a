"""What ships: the cells and networks, with title, source and options of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from derive import catalog, network_catalog

if TYPE_CHECKING:
    from derive.language_declarations import Option


def shipped() -> list[dict[str, Any]]:
    """The cells and networks that ship: name, title, source and options of each."""
    networks: list[dict[str, Any]] = [
        {"name": entry.name, "title": entry.title, "source": entry.reference, "options": {}}
        for entry in network_catalog.shipped()
    ]
    cells: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "title": entry.title,
            "source": entry.reference,
            "options": {option.name: _choices(option) for option in entry.options},
        }
        for entry in catalog.shipped()
    ]
    return cells + networks


def _choices(option: Option) -> str:
    allowed = ", ".join(option.values) or "a whole number from 1 to 64"
    return f"{allowed}; {option.default} if not given"
