"""What comes by browser goes to the disk as it comes, never into memory, and no further than the limit."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from inventory import paths
from portal.refusals import Fault, NotLikeThis

ROOM = 1_000_000  # bytes of a request beside the file: the other fields, the frame
FORGET_SECONDS = 24 * 3600
_HASHES = {32: "md5", 64: "sha256"}


class ToDisk(FileUploadHandler):
    """Writes the one file of a form into a folder of ours; what is left of a broken upload is taken away."""

    def __init__(self, folder: Path, limit: int) -> None:
        super().__init__()
        self.folder, self.limit = folder, limit
        self.too_large = False
        self.kept: Path | None = None
        self._handle: Any = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins; a second one of the same form takes the place of the first."""
        super().new_file(*args, **kwargs)
        self.upload_interrupted()
        self.folder.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix="upload-", dir=self.folder)
        self._handle, self.kept = os.fdopen(number, "wb"), Path(name)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Writes on. Stops the upload once it is larger than the limit."""
        if start + len(raw_data) > self.limit:
            self.too_large = True
            raise StopUpload(connection_reset=True)
        self._handle.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        """The file as forms know it; its bytes lie in `kept`."""
        self._handle.close()
        assert self.kept is not None
        return UploadedFile(self.kept.open("rb"), self.file_name, self.content_type, file_size, self.charset)

    def upload_interrupted(self) -> None:
        """Takes away what was written."""
        if self._handle is not None:
            self._handle.close()
        if self.kept is not None:
            self.kept.unlink(missing_ok=True)
        self.kept = None


def accept(request: HttpRequest) -> ToDisk:
    """Readies a request for a large file, before anything of its body is read. Raises NotLikeThis for one too large."""
    limit = settings.UPLOAD_BYTES
    length = request.META.get("CONTENT_LENGTH") or "0"
    handler = ToDisk(settings.HOME / "uploads", limit)
    _forget(handler.folder)
    if length.isdecimal() and int(length) > limit + ROOM:
        raise too_large()
    request.upload_handlers = [handler]
    return handler


def _forget(folder: Path) -> None:
    """Takes away what broken connections left a day ago."""
    for left in folder.glob("upload-*"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < time.time() - FORGET_SECONDS:
                left.unlink()


def too_large() -> NotLikeThis:
    """The refusal of a file that is larger than may come by browser."""
    return NotLikeThis(
        f"The file is larger than {settings.UPLOAD_BYTES:,} bytes, which is the most that is taken by browser. "
        "Send it on a disk, or have it copied into a delivery folder."
    )


def keep(handler: ToDisk, name: str, checksum: str = "") -> Path:
    """The uploaded file under its own name in a folder of its own, beside it its checksum where one was told.

    What a browser sends of a path is left out. Raises NotLikeThis for a checksum that is none.
    """
    assert handler.kept is not None
    folder = handler.folder / str(uuid.uuid4())
    kind = ""
    if checksum:
        checksum = checksum.split()[0].lower()
        kind = _HASHES.get(len(checksum), "") if re.fullmatch("[0-9a-f]+", checksum) else ""
        if not kind:
            handler.upload_interrupted()
            said = "is neither MD5 (32 digits) nor SHA-256 (64 digits)"
            raise NotLikeThis("The checksum cannot be used.", [Fault("checksum", said)])
    folder.mkdir(parents=True)
    own = re.sub(r"[\\/\0]", "_", re.split(r"[\\/]", name)[-1]).strip() or "upload"
    place = folder / os.fsdecode(os.fsencode(own)[-200:])
    if own.startswith(".") or paths.display(own) != own:
        place = folder / ("upload" + place.suffix)
    handler.kept.rename(place)
    handler.kept = None
    if kind:
        place.with_name(f"{place.name}.{kind}").write_text(f"{checksum}  {place.name}\n")
    return place
