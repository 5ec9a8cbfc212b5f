"""The local test registrar as the settings describe it."""

from __future__ import annotations

from django.conf import settings

from publishing.registrar.server import RegistrarServer, Store


def serve_on(port: int) -> RegistrarServer:
    """The registrar bound to a loopback port, 0 for any free one, with its records in the home."""
    return RegistrarServer(
        port,
        store=Store(settings.HOME / "registrar" / "registrar.sqlite3"),
        user=settings.REGISTRAR_USER,
        password=settings.REGISTRAR_PASSWORD,
        prefix=settings.DOI_PREFIX,
    )
