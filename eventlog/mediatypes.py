"""What kind of file is it? Told by its first bytes, because names and browsers' words lie. Pure.

The marks are those of the formats' own specifications: JPEG (ITU-T T.81), PNG, RIFF (WebP, WAVE), ISO base media
(HEIF, MP4), EBML (WebM), Ogg (RFC 3533), MPEG audio, PDF.
"""

from __future__ import annotations

import re

HEAD = 4096  # bytes that `sniff` wants to see
# Shown in the page; everything else is only offered for download.
SHOWN = ("image/", "audio/", "video/")
ACCEPTED = "JPEG, PNG, WebP and HEIC images, WebM, Ogg, MP4, WAV and MP3 sound, PDF, and plain text"
_HEIF = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
_MP4 = {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"3gp4", b"3gp5", b"MSNV"}
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def sniff(head: bytes, declared: str = "") -> str:
    """The media type by the first HEAD bytes of a file; empty for a kind that is not taken.

    `declared` is what the sender says: it decides only between sound and film in a container that holds either.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith(b"OggS"):
        return _sound_or_film("ogg", declared, "audio")
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _sound_or_film("webm", declared, "audio") if b"webm" in head[:64] else ""
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _iso_media(head[8:12], declared)
    if head.startswith(b"ID3") or (len(head) > 2 and head[0] == 0xFF and head[1] in (0xFB, 0xF3, 0xF2, 0xFA)):
        return "audio/mpeg"
    return "text/plain" if _is_text(head) else ""


def is_shown(media_type: str) -> bool:
    """Whether browsers may show it in the page; the rest is offered for download."""
    return media_type.startswith(SHOWN)


def _iso_media(brand: bytes, declared: str) -> str:
    if brand in _HEIF:
        return "image/heic"
    if brand in (b"M4A ", b"M4B "):
        return "audio/mp4"
    return _sound_or_film("mp4", declared, "video") if brand in _MP4 else ""


def _sound_or_film(container: str, declared: str, otherwise: str) -> str:
    kind = declared.partition("/")[0].strip().lower()
    return f"{kind if kind in ('audio', 'video') else otherwise}/{container}"


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters; a character may be cut off at the end of what was read."""
    if not head or _CONTROL.search(head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and len(head) == HEAD
    return True
