"""The ASGI application for production and for `script/server`; static files are served by the site itself."""

import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import IO, Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import get_resolver
from servestatic import ServeStaticASGI

from portal import memory

# Threads that answer requests pass the interpreter on after 1 ms, not 5: who waits for it with a log's row locked keeps
# all who write in that log.
sys.setswitchinterval(0.001)

# Each request has a thread of its own, which ends with it: without a pool each would make a connection of its own.
# Only here: workers and commands fork, and a pool does not outlive that.
if settings.DATABASE_POOL:
    database: dict[str, Any] = settings.DATABASES["default"]
    database["CONN_MAX_AGE"] = 0
    database.setdefault("OPTIONS", {})["pool"] = dict(settings.DATABASE_POOL)


LARGEST_BODY = max(settings.UPLOAD_BYTES, settings.ATTACHMENT_BYTES) + 16_000_000
STRANGERS_BODY = 70_000_000  # of somebody who is not signed in: a manifest to compare with is the most
SPOOL = settings.HOME / "spool"
_headers: ContextVar[dict[bytes, bytes]] = ContextVar("headers")
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class TooLarge(Exception):
    """A body that is larger than we take from a stranger."""


class Handler(ASGIHandler):
    """Runs middleware and view in the thread of the request in one go; only streams are sent by the event loop.

    Django's own would go from the loop into that thread for the middleware, back for the view, and into the thread once
    more: each time both wait for the interpreter, which cost as much as the answers themselves when fifty people write.
    """

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Handles one request; says to a stranger with a large body, before it is all sent, to sign in first."""
        _headers.set(dict(scope["headers"]))
        try:
            await super().handle(scope, receive, send)
        except TooLarge:
            said = f"This request is larger than {STRANGERS_BODY:,} bytes. Sign in first, and send it then.\n"
            answer = HttpResponse(said, status=413, content_type="text/plain", headers={"Connection": "close"})
            await self.send_response(answer, send)

    def load_middleware(self, is_async: bool = False) -> None:
        """Loads the middleware as for WSGI; an async view is called from the thread, on the event loop."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, made in the thread of the request."""
        response: HttpResponseBase = await sync_to_async(self.get_response, thread_sensitive=True)(request)
        return response

    async def read_body(self, receive: Receive) -> IO[bytes]:
        """The body of a request in a file: in memory while small, then on the disk of our home and not in /tmp.

        One that is larger than anything we take ends the connection; writing it down does not hold up the others.
        Raises TooLarge for what no stranger may send.
        """
        from portal import strangers  # of the models, which are there only now

        SPOOL.mkdir(parents=True, exist_ok=True)
        in_memory = settings.FILE_UPLOAD_MAX_MEMORY_SIZE
        body: IO[bytes] = tempfile.SpooledTemporaryFile(in_memory, "w+b", dir=str(SPOOL))  # noqa: SIM115 - the request's
        size, more, known = 0, True, False
        while more:
            message = await receive()
            part: bytes = message.get("body", b"")
            size += len(part)
            if message["type"] == "http.disconnect" or size > LARGEST_BODY:
                body.close()
                raise RequestAborted
            if size > STRANGERS_BODY and not known:
                known = await sync_to_async(strangers.known, thread_sensitive=False)(_headers.get({}))
                if not known:
                    body.close()
                    raise TooLarge
            if size > in_memory:
                await sync_to_async(body.write, thread_sensitive=False)(part)
            else:
                body.write(part)
            more = bool(message.get("more_body", False))
        body.seek(0)
        return body


django.setup(set_prefix=False)
django_application = Handler()

# To look through all that for rubbish takes a fifth of a second each time, and a request waits for it.
get_resolver().url_patterns  # noqa: B018 - all that the pages import
memory.settle()

application = ServeStaticASGI(
    django_application,
    root=settings.STATIC_ROOT,
    prefix=settings.STATIC_URL,
    max_age=3600 if settings.DEBUG else 86400,
)
