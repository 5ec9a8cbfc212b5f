"""From the bytes of a file to what it says, with refusals as sentences."""

from __future__ import annotations

import json
from typing import Any

from eventlog.exchange import detect, mapped
from eventlog.exchange.record import Reading, Unreadable
from portal.refusals import Fault, NotLikeThis


class NeedsMapping(NotLikeThis):
    """The file is a table of its own: somebody has to say what its columns hold. `proposal` is a first guess."""

    title = "A mapping is needed"

    def __init__(self, reason: str, proposal: mapped.Proposal) -> None:
        told = json.dumps(dict(proposal.mapping), ensure_ascii=False)
        columns = ", ".join(proposal.columns)
        super().__init__(reason, [Fault("mapping", f"its columns are {columns[:600]}; a first guess: {told}")])
        self.proposal = proposal


def read(
    name: str,
    data: bytes,
    aux: bytes | None = None,
    *,
    form: str = "",
    columns: mapped.Columns | None = None,
) -> Reading:
    """Reads a log file of any known format, or of `form`. Raises NotLikeThis when it is none; NeedsMapping for a
    table of no known kind that comes without a mapping."""
    try:
        return detect.read_any(name, data, aux, form=form, columns=columns)
    except detect.NeedsMapping as error:
        raise NeedsMapping(f"{error.message}.", error.proposal) from error
    except Unreadable as error:
        raise NotLikeThis(
            f"{name} cannot be read as an event log.", [Fault("", error.message, error.line or None)]
        ) from error


def mapping_of(told: Any) -> mapped.Columns:
    """The mapping of a plain table from JSON, or from its text. Raises NotLikeThis, saying which part is wrong."""
    try:
        if isinstance(told, str | bytes):
            told = json.loads(told)
        return mapped.Columns.of(told)
    except Unreadable as error:
        raise NotLikeThis("The mapping cannot be used.", [Fault("mapping", error.message)]) from error
    except (ValueError, RecursionError) as error:
        raise NotLikeThis("The mapping cannot be used.", [Fault("mapping", f"it is not JSON: {error}")]) from error


def proposed(name: str, data: bytes) -> mapped.Proposal:
    """The columns, first rows and a first mapping of a plain table. Raises NotLikeThis if it is none."""
    try:
        return mapped.propose(data)
    except Unreadable as error:
        raise NotLikeThis(
            f"{name} cannot be read as a table.", [Fault("", error.message, error.line or None)]
        ) from error
