"""How exports write a moment, a number and a text, and how archives are packed so that they repeat byte by byte."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from eventlog.exchange.record import utc

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP can say; a clock would change the bytes at every call


def moment(at: datetime | None) -> str:
    """ISO 8601 in UTC with Z, with as many digits as there are; "" for None."""
    return utc(at).isoformat().replace("+00:00", "Z") if at else ""


def exact(value: float | None) -> str:
    """The shortest digits that read back as the same number; "" for None."""
    return "" if value is None else repr(float(value))


def extras(extra: Mapping[str, Any]) -> str:
    """The extra fields as one JSON object with sorted keys; "" if there are none."""
    return json.dumps(extra, ensure_ascii=False, sort_keys=True, separators=(",", ":")) if extra else ""


def open_text(path: Path) -> TextIO:
    """A file for UTF-8 with line ends as written. Half a surrogate pair, which has no UTF-8, becomes its \\u escape."""
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")


def encoded(text: str) -> bytes:
    """UTF-8, as `open_text` writes it."""
    return text.encode("utf-8", "backslashreplace")


def sound(text: str) -> str:
    """The text without half surrogate pairs, as `open_text` would write and UTF-8 would read it."""
    return text if text.isascii() else encoded(text).decode("utf-8")


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def for_xml(text: str) -> str:
    """The text with U+FFFD for what XML 1.0 cannot carry: control characters and half surrogate pairs."""
    return _NOT_XML.sub("\ufffd", text)


def one_line(text: str) -> str:
    """The text for formats of one line a row: tabs and line breaks become one blank each run."""
    return re.sub(r"[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", text)


def pack(path: Path, members: Mapping[str, Path | bytes]) -> None:
    """A ZIP archive of these members in their order, with fixed times and rights: the same members, the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # as made on Unix, wherever it was made
            with (
                io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as source,
                archive.open(entry, "w") as target,
            ):
                while block := source.read(1 << 18):
                    target.write(block)
