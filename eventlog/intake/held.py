"""Files that were uploaded to be looked at first: held between the try and the import, in bounds, and cleaned away."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from eventlog.models import Log
from portal.models import Person
from portal.refusals import NotFound, NotLikeThis, NotNow

LASTS = timedelta(hours=24)
MOST_BYTES = 50_000_000  # of a file; the command and the API take more
MOST_OF_ONE = 5  # files of a person; the oldest goes first
MOST_TOGETHER = 1_000_000_000  # bytes of everybody's


@dataclass(frozen=True, slots=True)
class Held:
    """A file that is held, and Sealog's auxiliary data beside it if there are any."""

    key: str
    name: str
    folder: Path

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return (self.folder / "data").read_bytes()

    @property
    def aux(self) -> bytes | None:
        """The bytes of the auxiliary file."""
        file = self.folder / "aux"
        return file.read_bytes() if file.exists() else None

    def drop(self) -> None:
        """Forgets the file."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _root() -> Path:
    return Path(settings.HOME) / "imports-held"


def hold(*, log: Log, by: Person, name: str, parts: Iterable[bytes], aux: Iterable[bytes] | None = None) -> Held:
    """Holds a file for a day, for this person and this log alone. Raises NotLikeThis when it is too large, NotNow when
    too much is held already."""
    sweep()
    own = sorted(_of(by), key=lambda folder: folder.stat().st_mtime)
    for folder in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
        shutil.rmtree(folder, ignore_errors=True)
    if sum(file.stat().st_size for file in _root().glob("*/*/*") if file.is_file()) > MOST_TOGETHER - MOST_BYTES:
        raise NotNow("Too many uploads wait to be looked at. Use the import command, or try again tomorrow.")
    key = str(uuid.uuid4())
    folder = _root() / str(by.pk) / key
    folder.mkdir(parents=True, mode=0o700)
    try:
        _write(folder / "data", parts)
        if aux is not None:
            _write(folder / "aux", aux)
        (folder / "about.json").write_text(json.dumps({"log": log.pk, "name": name[:200]}))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Held(key, name[:200], folder)


def held(key: str, *, log: Log, by: Person) -> Held:
    """The file of this key. Raises NotFound for another person's, another log's, or one that was cleaned away."""
    folder = _root() / str(by.pk) / str(uuid.UUID(str(key)))
    try:
        about = json.loads((folder / "about.json").read_text())
    except (OSError, ValueError):
        about = {}
    if about.get("log") != log.pk:
        raise NotFound("This upload is not held any more. Upload the file again; nothing was imported from it.")
    return Held(str(key), about["name"], folder)


def sweep() -> int:
    """Forgets what was uploaded more than a day ago; says how many files."""
    limit = (timezone.now() - LASTS).timestamp()
    old = [folder for folder in _root().glob("*/*") if folder.is_dir() and folder.stat().st_mtime < limit]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _of(by: Person) -> list[Path]:
    folder = _root() / str(by.pk)
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _write(file: Path, parts: Iterable[bytes]) -> None:
    size = 0
    with file.open("xb") as out:
        for part in parts:
            size += len(part)
            if size > MOST_BYTES:
                raise NotLikeThis(f"The file has more than {MOST_BYTES:,} bytes; use the import command for it.")
            out.write(part)
