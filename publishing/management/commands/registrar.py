"""Runs the local test registrar, which answers as DataCite's REST API does. `manage.py serve` starts it by itself."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from publishing.registrar.local import serve_on


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL_REGISTRAR:
            raise CommandError(f"REGISTRAR_URL names {settings.REGISTRAR_URL}; the local registrar is not used.")
        server = serve_on(settings.REGISTRAR_PORT)
        server.serve_forever()
