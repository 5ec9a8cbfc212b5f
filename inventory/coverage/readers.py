"""Which reader takes a file. A reader whose version grows reads its files again; a new one those that none took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from inventory.coverage import kongsberg, logged, netcdf, rdi, seabird, tables
from inventory.coverage.reading import Reading, Source


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader: whether it takes a file by its first bytes and its name, and what it reads.

    `read` raises Unreadable for a file of its format that it cannot read, OSError where the disk does not give it.
    """

    name: str
    version: int
    takes: Callable[[Source], bool]
    read: Callable[[Source], Reading]


# In the order of asking: the sure signs first, plain text last.
READERS: Final = (
    Reader("kmall", kongsberg.VERSION, kongsberg.takes_kmall, kongsberg.read_kmall),
    Reader("em", kongsberg.VERSION, kongsberg.takes_all, kongsberg.read_all),
    Reader("netcdf", netcdf.VERSION, netcdf.takes, netcdf.read_netcdf),
    Reader("rdi", rdi.VERSION, rdi.takes, rdi.read_ensembles),
    Reader("seabird", seabird.VERSION, seabird.takes, seabird.read_cast),
    Reader("table", tables.VERSION, tables.takes, tables.read_table),
    Reader("log", logged.VERSION, logged.takes, logged.read_log),
)
# Grows whenever a reader comes or gets better, and never shrinks; 1 for the footprints, which came later.
EDITION: Final = 1 + sum(reader.version for reader in READERS)
CURRENT: Final = frozenset({("", EDITION)} | {(reader.name, reader.version) for reader in READERS})


def reader_of(source: Source) -> Reader | None:
    """The first reader that takes the file, or None."""
    return next((reader for reader in READERS if reader.takes(source)), None)
