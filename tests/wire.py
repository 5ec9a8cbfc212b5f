"""A small HTTP/1.1 client on asyncio, for tests and benchmarks with a real server: requests and event streams.

It costs little, so that fifty clients do not slow down the server that they measure on the same two cores.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class Broken(Exception):
    """The connection ended before the answer did."""


@dataclass
class Answer:
    """Status and body of an answer."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


_wires: set[Wire] = set()


def run(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`; closes every connection that the work left open, also where it was cancelled."""

    async def closing() -> T:
        try:
            return await work
        finally:
            while _wires:
                await _wires.pop().close()

    return asyncio.run(closing())


class Wire:
    """One kept-alive connection to 127.0.0.1."""

    def __init__(self, port: int, token: str = "", headers: dict[str, str] | None = None) -> None:
        self.port = port
        self.headers = {"Host": f"127.0.0.1:{port}"} | (headers or {})
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def request(self, method: str, path: str, data: Any = None) -> Answer:
        """Sends a request and reads its answer; connects where there is no connection."""
        await self._connect()
        await self.send(method, path, data)
        try:
            return await self.answer()
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            await self.close()
            raise Broken(str(error)) from error

    async def send(self, method: str, path: str, data: Any = None) -> None:
        """Sends a request and does not wait."""
        await self._connect()
        assert self.writer is not None
        self.writer.write(self.words(method, path, data))
        await self.writer.drain()

    def words(self, method: str, path: str, data: Any = None) -> bytes:
        """The bytes of a request."""
        body = b"" if data is None else json.dumps(data).encode()
        headers = dict(self.headers)
        if data is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body

    async def answer(self) -> Answer:
        """Reads an answer to its end."""
        status, headers = await self._head()
        assert self.reader is not None
        if "content-length" in headers:
            return Answer(status, await self.reader.readexactly(int(headers["content-length"])))
        return Answer(status, b"".join([part async for part in self._chunks()]))

    async def events(self, path: str) -> AsyncIterator[tuple[str, str, str]]:
        """(id, event, data) of a stream of server-sent events."""
        await self.send("GET", path)
        status, _ = await self._head()
        if status != 200:
            raise Broken(f"status {status}")
        text = b""
        async for part in self._chunks():
            text += part
            while b"\n\n" in text:
                block, _, text = text.partition(b"\n\n")
                told = {"id": "", "event": "", "data": ""}
                for line in block.decode().split("\n"):
                    name, _, value = line.partition(": ")
                    told[name] = value
                if told["event"]:
                    yield told["id"], told["event"], told["data"]

    async def close(self) -> None:
        """Ends the connection."""
        _wires.discard(self)
        writer, self.reader, self.writer = self.writer, None, None
        if writer is not None:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _connect(self) -> None:
        if self.writer is None or self.writer.is_closing():
            _wires.add(self)
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**22)

    async def _head(self) -> tuple[int, dict[str, str]]:
        assert self.reader is not None
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in head[1:] if line)
        return int(head[0].split(" ")[1]), {name.lower(): value for name, _, value in pairs}

    async def _chunks(self) -> AsyncIterator[bytes]:
        assert self.reader is not None
        while True:
            size = int((await self.reader.readline()).strip() or b"0", 16)
            data = await self.reader.readexactly(size + 2)
            if not size:
                return
            yield data[:-2]
