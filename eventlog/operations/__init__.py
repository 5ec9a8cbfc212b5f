"""Operations: what events of one instrument belong to. Their state follows from their standing events."""

from eventlog.operations.board import board
from eventlog.operations.following import LONGEST_COMMENT, STRUCK, follow, remark
from eventlog.operations.gathering import from_events, gather
from eventlog.operations.joining import join, rejoin, suggest
from eventlog.operations.shown import shown

__all__ = [
    "LONGEST_COMMENT",
    "STRUCK",
    "board",
    "follow",
    "from_events",
    "gather",
    "join",
    "rejoin",
    "remark",
    "shown",
    "suggest",
]
