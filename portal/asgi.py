"""The ASGI application for production and for `script/server`; static files are served by the site itself."""

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from servestatic import ServeStaticASGI

# Threads that answer requests pass the interpreter on after 1 ms, not 5: who waits for it with a log's row locked keeps
# all who write in that log.
sys.setswitchinterval(0.001)

# Each request has a thread of its own, which ends with it: without a pool each would make a connection of its own.
# Only here: workers and commands fork, and a pool does not outlive that.
if settings.DATABASE_POOL:
    database: dict[str, Any] = settings.DATABASES["default"]
    database["CONN_MAX_AGE"] = 0
    database.setdefault("OPTIONS", {})["pool"] = dict(settings.DATABASE_POOL)


class Handler(ASGIHandler):
    """Runs middleware and view in the thread of the request in one go; only streams are sent by the event loop.

    Django's own would go from the loop into that thread for the middleware, back for the view, and into the thread once
    more: each time both wait for the interpreter, which cost as much as the answers themselves when fifty people write.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """Loads the middleware as for WSGI; an async view is called from the thread, on the event loop."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, made in the thread of the request."""
        response: HttpResponseBase = await sync_to_async(self.get_response, thread_sensitive=True)(request)
        return response


django.setup(set_prefix=False)
django_application = Handler()

application = ServeStaticASGI(
    django_application,
    root=settings.STATIC_ROOT,
    prefix=settings.STATIC_URL,
    max_age=3600 if settings.DEBUG else 86400,
)
