"""Runs the local test registrar, which answers as DataCite's REST API does. `manage.py serve` starts it by itself."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from publishing.registrar.server import RegistrarServer, Store


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL_REGISTRAR:
            raise CommandError(f"REGISTRAR_URL names {settings.REGISTRAR_URL}; the local registrar is not used.")
        server = RegistrarServer(
            settings.REGISTRAR_PORT,
            store=Store(settings.HOME / "registrar" / "registrar.sqlite3"),
            user=settings.REGISTRAR_USER,
            password=settings.REGISTRAR_PASSWORD,
            prefix=settings.DOI_PREFIX,
        )
        server.serve_forever()
