"""Where was the ship? Feeds, their fixes, and the positions that follow from them."""

from __future__ import annotations

from typing import Any


def now(vessel_id: str) -> dict[str, Any] | None:
    """The newest voted state of a ship, see `eventlog.navigation.ship.now`; None where nothing is known."""
    from eventlog.navigation import ship  # the pure modules of this room are imported without the database

    return ship.now(vessel_id)
