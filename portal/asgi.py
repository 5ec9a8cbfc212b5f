"""The ASGI application for production and for `script/server`; static files are served by the site itself."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from django.conf import settings
from servestatic import ServeStaticASGI

application = ServeStaticASGI(
    django_application,
    root=settings.STATIC_ROOT,
    prefix=settings.STATIC_URL,
    max_age=3600 if settings.DEBUG else 86400,
)
