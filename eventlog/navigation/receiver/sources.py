"""Where lines come from: a UDP port, a TCP server, a file that grows. Each line is stamped as it arrives.

A source never gives up: what goes wrong is told through `trouble` and tried again, ever more slowly up to a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import random
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

LONGEST: Final = 4096  # bytes of a line; what is longer is cut
IDLE_S: Final = 60.0  # a connection that is silent for this long is taken for dead
SLOWEST_S: Final = 60.0
POLL_S: Final = 0.5
BLOCK: Final = 1 << 20
Sink = Callable[[bytes, dt.datetime], None]
Trouble = Callable[[str], None]


def clean(line: bytes) -> bytes:
    """The sentence in a line: without the headers of IEC 61162-450 and tag blocks, and without a name in front."""
    line = line.removeprefix(b"UdPbC\x00").strip(b"\r\n\x00 ")
    if line.startswith(b"\\"):
        line = line.rpartition(b"\\")[2]
    if line[:1] != b"$" and 0 < (at := line.find(b"$")) < 80:
        line = line[at:]
    return line[:LONGEST]


class Datagrams(asyncio.DatagramProtocol):
    """Lines that come in datagrams, one or many in each."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def datagram_received(self, data: bytes, addr: object) -> None:
        at = dt.datetime.now(dt.UTC)
        for line in data.splitlines():
            if line.strip():
                self.sink(clean(line), at)


async def listen_udp(address: str, sink: Sink, trouble: Trouble) -> None:
    """Listens on `:port`, `host:port` or a multicast group and port, until cancelled."""
    host, _, port = address.rpartition(":")
    pause = 1.0
    while True:
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: Datagrams(sink), sock=_bound(host.strip("[]"), int(port))
            )
        except OSError as error:
            trouble(f"It cannot listen on {address}: {error.strerror or error}.")
            await asyncio.sleep(pause)
            pause = min(pause * 2, SLOWEST_S)
            continue
        trouble("")
        try:
            await asyncio.Event().wait()
        finally:
            transport.close()


def _bound(host: str, port: int) -> socket.socket:
    group = None
    with contextlib.suppress(ValueError):
        group = ipaddress.ip_address(host) if host else None
    family = socket.AF_INET6 if group is not None and group.version == 6 else socket.AF_INET
    found = socket.socket(family, socket.SOCK_DGRAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setblocking(False)
        if group is not None and group.is_multicast and group.version == 4:
            found.bind((host, port))
            member = struct.pack("4sl", group.packed, socket.INADDR_ANY)
            found.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        else:
            found.bind((host, port))
    except OSError:
        found.close()
        raise
    return found


async def read_tcp(address: str, sink: Sink, trouble: Trouble) -> None:
    """Reads lines from a TCP server and connects again whenever it ends or falls silent, until cancelled."""
    host, _, port = address.rpartition(":")
    pause = 1.0
    while True:
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), limit=LONGEST)
        except (OSError, TimeoutError) as error:
            trouble(f"{address} does not answer: {getattr(error, 'strerror', '') or type(error).__name__}.")
        else:
            try:
                if await _lines(reader, sink, trouble):
                    pause = 1.0
                trouble(f"{address} ended the connection or fell silent; connecting again.")
            finally:
                writer.close()
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(2):
                        await writer.wait_closed()
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  not a secret
        pause = min(pause * 2, SLOWEST_S)


async def _lines(reader: asyncio.StreamReader, sink: Sink, trouble: Trouble) -> int:
    """Passes on lines until the end, an error or silence; returns how many."""
    count = 0
    while True:
        try:
            async with asyncio.timeout(IDLE_S):
                line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            line = await reader.readexactly(error.consumed)  # garbage without an end, in pieces
        except asyncio.IncompleteReadError as error:
            if error.partial.strip():
                sink(clean(error.partial), dt.datetime.now(dt.UTC))
            return count
        except (OSError, TimeoutError):
            return count
        if line.strip():
            sink(clean(line), dt.datetime.now(dt.UTC))
            count += 1
            if count == 1:
                trouble("")


async def follow(place: Path, sink: Sink, trouble: Trouble, offsets: dict[str, int]) -> None:
    """Follows a file, or the files of a folder, from where `offsets` says that they were read to, until cancelled."""
    reader = _Tail(place, sink, offsets)
    while True:
        try:
            more = reader.step()
            trouble("")
        except OSError as error:
            more = False
            trouble(f"{place} cannot be read: {error.strerror or error}.")
        await asyncio.sleep(0 if more else POLL_S)


class _Tail:
    """The state of following a file: which one, and how far."""

    def __init__(self, place: Path, sink: Sink, offsets: dict[str, int]) -> None:
        self.place, self.sink, self.offsets = place, sink, offsets

    def step(self) -> bool:
        """Reads whole lines that are new, a block at most; says whether there may be more. Raises OSError."""
        folder = self.place.is_dir()
        files = sorted(f for f in self.place.iterdir() if f.is_file()) if folder else [self.place]
        for file in files:
            size, start = file.stat().st_size, self.offsets.get(str(file), 0)
            if size < start:
                start = 0  # a new file of the same name
            if size > start and self._read(file, start):
                return True
        return False

    def _read(self, file: Path, start: int) -> bool:
        with file.open("rb") as stream:
            stream.seek(start)
            block = stream.read(BLOCK)
        whole = block.rfind(b"\n") + 1
        if not whole:
            if len(block) < BLOCK:
                return False  # the end of the line is still to come
            whole = len(block)
        at = dt.datetime.now(dt.UTC)
        for line in block[:whole].splitlines():
            if line.strip():
                self.sink(line[:LONGEST], at)
        self.offsets[str(file)] = start + whole
        return True
