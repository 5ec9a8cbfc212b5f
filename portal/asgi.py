"""The ASGI application for production and for `script/server`; static files are served by the site itself."""

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application
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

django_application = get_asgi_application()

application = ServeStaticASGI(
    django_application,
    root=settings.STATIC_ROOT,
    prefix=settings.STATIC_URL,
    max_age=3600 if settings.DEBUG else 86400,
)
