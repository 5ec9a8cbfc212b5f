"""Sends files and long lists without holding them in memory, under ASGI and under WSGI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

BLOCK = 256 * 1024
FULL = 64 * 1024  # bytes after which what was made is sent


def send(request: HttpRequest, parts: Iterable[bytes | str], *, content_type: str, name: str) -> StreamingHttpResponse:
    """The parts one after the other as a download called `name`.

    Django would read a plain iterator to its end before sending under ASGI; hence the asynchronous one there.
    """
    body = _one_by_one(iter(parts)) if isinstance(request, ASGIRequest) else parts
    response = StreamingHttpResponse(body, content_type=content_type)
    safe = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    response["Content-Disposition"] = f'attachment; filename="{safe}"'
    return response


def send_file(
    request: HttpRequest, file: BinaryIO, size: int, *, content_type: str, name: str
) -> StreamingHttpResponse:
    """An open file of `size` bytes; it is closed with the response, sent to its end or not."""
    response = send(request, _blocks(file), content_type=content_type, name=name)
    response._resource_closers.append(file.close)  # type: ignore[attr-defined]  # as Django's FileResponse does
    response["Content-Length"] = str(size)
    return response


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


async def _one_by_one(parts: Iterator[bytes | str]) -> AsyncIterator[bytes]:
    """Blocks of parts, each made in the thread of the request, where its database connection lives."""
    while block := await sync_to_async(_block, thread_sensitive=True)(parts):
        yield block


def _block(parts: Iterator[bytes | str]) -> bytes:
    """Parts until they fill a block; nothing at their end. A list of a million lines is not sent line by line."""
    block = bytearray()
    for part in parts:
        block += part.encode() if isinstance(part, str) else part
        if len(block) >= FULL:
            break
    return bytes(block)
