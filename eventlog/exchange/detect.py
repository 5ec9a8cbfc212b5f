"""Which kind of event log is this? Told by what is in the file, because names of files lie.
One door for an upload: whatever it is, it comes out as the same Reading."""

from typing import Any

from . import boundedjson, document, r2r, sealog
from .record import MOST_BYTES, Reading, Unreadable

_KINDS = (
    (b"PK\x03\x04", "a spreadsheet or another packed file; save the log as CSV, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old office file; save the log as CSV"),
    (b"\x1f\x8b", "packed with gzip; unpack it first"),
    (b"%PDF", "a PDF; the log is needed as CSV or JSON"),
    (b"<", "XML or a web page; the log is needed as CSV or JSON"),
)


def read_any(name: str, data: bytes, aux: bytes | None = None, *, most_bytes: int = MOST_BYTES) -> Reading:
    """The events of a log in any format that is understood. `name` is for messages only.

    `aux` is Sealog's file of auxiliary data, where there is one. Raises Unreadable, saying what the file
    seems to be, for everything else.
    """
    start = data[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable(f"{name} is empty")
    for mark, kind in _KINDS:
        if start.startswith(mark):
            raise Unreadable(f"{name} is {kind}")
    is_json = start.startswith((b"{", b"["))
    if not is_json:
        _no_aux(name, aux)
        return r2r.read(data, most_bytes=most_bytes)
    value, notes = boundedjson.load(data, most_bytes=most_bytes, deepest=document.DEEPEST)
    if document.is_document(value):
        _no_aux(name, aux)
        return document.from_object(value, notes)
    _sealog_events(name, value)
    records: Any = []
    if aux is not None:
        records, more = boundedjson.load(aux, most_bytes=most_bytes)
        notes = (*notes, *(f"Auxiliary file: {note}" for note in more))
    return sealog.from_rows(value, records, notes=notes)


def _no_aux(name: str, aux: bytes | None) -> None:
    if aux is not None:
        raise Unreadable(f"{name} is not a Sealog export, so the auxiliary file beside it belongs to something else")


def _sealog_events(name: str, value: Any) -> None:
    """Raises Unreadable if the JSON is something else than Sealog's events, with a word on what it is."""
    if value == []:
        raise Unreadable(f"{name} holds an empty list: no event, and nothing to tell its kind by")
    first = value[0] if isinstance(value, list) else value
    keys = first.keys() if isinstance(first, dict) else set()
    if "event_value" in keys:
        return
    kind = "JSON of a kind that is not known here; known are Sealog exports and Leadline's own document"
    if "data_array" in keys:
        kind = "Sealog's auxiliary data; give it together with the event export"
    elif "cruise_id" in keys:
        kind = "a Sealog cruise record, which holds no events"
    elif "lowering_id" in keys:
        kind = "a Sealog lowering record, which holds no events"
    raise Unreadable(f"{name} is {kind}")
