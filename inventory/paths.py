"""File names keep their bytes: a POSIX path as text that a database can hold, and back again without loss.
Every name that enters the inventory passes here, so that no path can point outside its distribution."""

import os
import re
import unicodedata
from typing import Final

LONGEST: Final = 4096  # bytes; PATH_MAX of Linux, the longest path that a program there can open

_FIRST_BYTE: Final = 0xEF80  # U+EF80..U+EFFF stand for the bytes 0x80..0xFF; private use, so no real script is lost
_STAND_IN = re.compile("[\uef80-\uefff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:")
_PLAIN = re.compile(r"(?:[A-Za-z0-9_\-][\w\-., +()=@#~&']*/)*[A-Za-z0-9_\-][\w\-., +()=@#~&']*", re.ASCII)

# Python's own escape puts an undecodable byte at U+DC80..U+DCFF, which no UTF-8 database accepts: move it.
_FROM_ESCAPE = {0xDC00 + byte: 0xEF00 + byte for byte in range(0x80, 0x100)}
# A real U+EF80..U+EFFF in a name would read as a byte; it is written as the three bytes of its UTF-8 form.
_FROM_ESCAPE_OR_REAL: dict[int, int | str] = {
    **_FROM_ESCAPE,
    **{
        code: "".join(chr(0xEF00 + byte) for byte in chr(code).encode())
        for code in range(_FIRST_BYTE, _FIRST_BYTE + 0x80)
    },
}
_TO_ESCAPE = {0xEF00 + byte: 0xDC00 + byte for byte in range(0x80, 0x100)}


class PathRefused(ValueError):
    """A path that may not enter the inventory; `reason` is a sentence for the person who sent it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def of_system(name: str | os.PathLike[str]) -> str:
    """The text form of a name or a place as the system told it to Python."""
    return to_text(os.fsencode(name))


def to_text(raw: bytes) -> str:
    """The text form of a path's bytes: valid UTF-8 stays itself, any other byte 0x80-0xFF is U+EF80-U+EFFF.

    `to_bytes` undoes it exactly; two different byte strings never have the same text.
    Raises PathRefused for a NUL byte, which neither a POSIX name nor a PostgreSQL text can hold.
    """
    if b"\0" in raw:
        raise PathRefused("The name holds a NUL byte, which no file name can have.")
    if raw.isascii():
        return raw.decode("ascii")
    return raw.decode("utf-8", "surrogateescape").translate(_FROM_ESCAPE_OR_REAL)


def to_bytes(text: str) -> bytes:
    """The path's bytes for a text that `to_text` made.

    Raises PathRefused for a text that `to_text` never makes (a lone surrogate, a NUL, or stand-ins for bytes
    that are valid UTF-8 together): were it accepted, one file would have two texts.
    """
    if text.isascii() and "\0" not in text:
        return text.encode("ascii")
    if _SURROGATE.search(text):
        raise PathRefused("The name holds half of a surrogate pair; it is not a valid text.")
    raw = text.translate(_TO_ESCAPE).encode("utf-8", "surrogateescape")
    if ("\0" in text or _STAND_IN.search(text)) and to_text(raw) != text:
        raise PathRefused("The name uses the stand-ins for undecodable bytes where valid text is meant.")
    return raw


def inside(text: str, *, backslashes: bool = False) -> str:
    """The normal form of a relative path: no leading "./", no doubled slashes, no "." components.

    With `backslashes` the path was written on Windows and each backslash separates; otherwise a backslash is
    an ordinary character of the name, as on POSIX. Blanks, also at the ends, belong to the name.
    Raises PathRefused for a path that is empty, absolute, begins with a drive letter, climbs with "..",
    names a folder (slash at the end), holds NUL or an impossible stand-in, or is longer than 4,096 bytes.
    """
    plain = text.removeprefix("./")
    if len(text) < 1000 and _PLAIN.fullmatch(plain):
        return plain  # nine of ten names: letters, digits and simple signs, no component beginning with a dot
    if backslashes:
        text = text.replace("\\", "/")
    if not text:
        raise PathRefused("The path is empty.")
    if "\0" in text:
        raise PathRefused("The path holds a NUL, which no file name can have.")
    if _DRIVE.match(text) and (backslashes or text[2:3] in ("\\", "/")):
        raise PathRefused(f"{display(text)} begins with a drive letter; give the path relative to the root.")
    if text.startswith(("/", "\\\\")):
        raise PathRefused(f"{display(text)} is absolute; give the path relative to the distribution's root.")
    if text.endswith("/"):
        raise PathRefused(f"{display(text)} names a folder, not a file.")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise PathRefused(f"{display(text)} climbs out with '..'; give a path inside the distribution.")
    if not parts or text.endswith("/."):
        raise PathRefused(f"{display(text)} names a folder, not a file.")
    path = "/".join(parts)
    if _DRIVE.match(path) and (backslashes or path[2:3] in ("\\", "/")):
        raise PathRefused(f"{display(text)} hides a drive letter; give the path relative to the root.")
    if path.startswith("\\\\"):
        raise PathRefused(f"{display(text)} hides an absolute path; give it relative to the distribution's root.")
    if len(to_bytes(path)) > LONGEST:
        raise PathRefused(f"The path is longer than {LONGEST:,} bytes: {display(path[:60])}…")
    return path


def display(text: str) -> str:
    """The path as people may see it: what is invisible or could mislead is spelled out, all else stays.

    Control characters appear as \\n, \\t, \\x01, undecodable bytes as \\xff, invisible and direction-changing
    characters as \\u202e, and a backslash as two, so that two names never look the same for these reasons.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(_seen(sign) for sign in text)


def _seen(sign: str) -> str:
    code = ord(sign)
    if sign == "\\":
        return "\\\\"
    if _FIRST_BYTE <= code < _FIRST_BYTE + 0x80:
        return f"\\x{code - 0xEF00:02x}"
    if sign in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[sign]
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or (
        unicodedata.category(sign) == "Zs" and sign != " "
    ):
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return sign
