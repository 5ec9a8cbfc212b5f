"""Which kind of event log is this? Told by what is in the file, because names of files lie.
One door for an upload: whatever it is, it comes out as the same Reading."""

from typing import Any

from . import boundedjson, document, elog, mapped, r2r, scs, sealog, table
from .record import MOST_BYTES, Reading, Unreadable

# What can be asked for instead of being told by the content, and what it is called.
FORMATS = {
    r2r.FORMAT: "R2R Event Logger CSV",
    elog.FORMAT: "ELOG .log file",
    sealog.FORMAT: "Sealog JSON",
    scs.FORMAT: "SCS .elg event file",
    document.FORMAT: "Leadline JSON",
    mapped.FORMAT: "plain CSV or TSV with a mapping of its columns",
}
ALIASES = {
    "r2r-csv": r2r.FORMAT,
    "elog-csv": r2r.FORMAT,
    "elog-log": elog.FORMAT,
    "log": elog.FORMAT,
    "sealog-json": sealog.FORMAT,
    "elg": scs.FORMAT,
    "scs-elg": scs.FORMAT,
    "scs_elg": scs.FORMAT,
    "json": document.FORMAT,
    "leadline": document.FORMAT,
    "csv": mapped.FORMAT,
    "tsv": mapped.FORMAT,
}
_KINDS = (
    (b"PK\x03\x04", "a spreadsheet or another packed file; save the log as CSV, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old office file; save the log as CSV"),
    (b"\x1f\x8b", "packed with gzip; unpack it first"),
    (b"%PDF", "a PDF; the log is needed as CSV or JSON"),
    (b"<", "XML or a web page; the log is needed as CSV or JSON"),
)


class NeedsMapping(Unreadable):
    """A table of no known kind: somebody has to say what its columns hold. `proposal` is a first guess."""

    def __init__(self, message: str, proposal: mapped.Proposal) -> None:
        super().__init__(message)
        self.proposal = proposal


def read_any(
    name: str,
    data: bytes,
    aux: bytes | None = None,
    *,
    form: str = "",
    columns: mapped.Columns | None = None,
    most_bytes: int = MOST_BYTES,
) -> Reading:
    """The events of a log in any format that is understood. `name` is for messages, and names the event of an SCS file.

    `form` is one of FORMATS or ALIASES, where the content is not to decide; `columns` is the mapping of a plain
    table; `aux` is Sealog's file of auxiliary data, where there is one. Raises NeedsMapping for a table that is of
    no known kind and has no mapping; Unreadable, saying what the file seems to be, for everything else.
    """
    form = ALIASES.get(form, form)
    if form and form not in FORMATS:
        raise Unreadable(f"There is no format {form[:40]!r}; known are {', '.join(FORMATS)}")
    start = data[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable(f"{name} is empty")
    for mark, kind in _KINDS:
        if start.startswith(mark):
            raise Unreadable(f"{name} is {kind}")
    is_json = form in (sealog.FORMAT, document.FORMAT) or (not form and start.startswith((b"{", b"[")))
    if is_json:
        return _json(name, data, aux, form, most_bytes)
    if aux is not None:
        raise Unreadable(_STRAY.format(name))
    if not form:
        form = elog.FORMAT if elog.looks_like(data) else mapped.FORMAT if columns else _kind_of_table(data, most_bytes)
    if form == elog.FORMAT:
        return elog.read(data, most_bytes=most_bytes)
    if form == scs.FORMAT:
        return scs.read(data, name, most_bytes=most_bytes)
    if form == mapped.FORMAT:
        return _table(name, data, columns, most_bytes)
    return r2r.read(data, most_bytes=most_bytes)


_STRAY = "{} is not a Sealog export, so the auxiliary file beside it belongs to something else"


def _kind_of_table(data: bytes, most_bytes: int) -> str:
    """SCS, R2R, or a plain table, by the first rows."""
    text, _, _ = table.decode(data, most_bytes)
    first = [row for row, _ in zip(table.rows(text[: 4 * table.LONGEST_ROW]), range(50), strict=False) if row.values]
    if len(first) > 1 and any(scs.looks_like(first[0].values, row.values) for row in first[1:]):
        return scs.FORMAT
    try:
        r2r.check(text)
    except Unreadable as error:
        header, _ = mapped.header_of(text)
        if len(header.values) < 2:
            raise error from None
        return mapped.FORMAT
    return r2r.FORMAT


def _table(name: str, data: bytes, columns: mapped.Columns | None, most_bytes: int) -> Reading:
    if columns is not None:
        return mapped.read(data, columns, most_bytes=most_bytes)
    proposal = mapped.propose(data, most_bytes=most_bytes)
    message = f"{name} is not an R2R event log, but a table of its own: say what its columns hold"
    raise NeedsMapping(message, proposal)


def _json(name: str, data: bytes, aux: bytes | None, form: str, most_bytes: int) -> Reading:
    value, notes = boundedjson.load(data, most_bytes=most_bytes, deepest=document.DEEPEST)
    if form == document.FORMAT or (not form and document.is_document(value)):
        if aux is not None:
            raise Unreadable(_STRAY.format(name))
        return document.from_object(value, notes)
    _sealog_events(name, value)
    records: Any = []
    if aux is not None:
        records, more = boundedjson.load(aux, most_bytes=most_bytes)
        notes = (*notes, *(f"Auxiliary file: {note}" for note in more))
    return sealog.from_rows(value, records, notes=notes)


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
