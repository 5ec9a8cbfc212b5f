"""Official schemas, read from the folder in which they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree


class Beside(etree.Resolver):
    """Finds what a schema imports beside it; nothing is fetched."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def resolve(self, system_url: str, public_id: str, *context: Any) -> Any:
        found = self.folder / str(system_url).rpartition("/")[2]
        return self.resolve_filename(str(found), *context) if found.exists() else None  # type: ignore[attr-defined]
