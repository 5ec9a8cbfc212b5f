"""SpatiaLite for Pythons that were built without loadable extensions, and for SQLite newer than SpatiaLite.

Django's own engine needs Connection.enable_load_extension, which many self-built Pythons lack, and makes its
metadata with a call whose ISO triggers fail on SQLite 3.50 and newer (Django ticket 32935).
"""

from __future__ import annotations

import ctypes
import sqlite3
from pathlib import Path
from typing import Any

from django.contrib.gis.db.backends.spatialite import base as spatialite
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.sqlite3 import base as sqlite

LIBRARY = b"mod_spatialite"


def _sqlite_library() -> ctypes.CDLL:
    """The very libsqlite3 that this process' sqlite3 module is linked with; another copy would not know the handle."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if "libsqlite3.so" in line:
            library = ctypes.CDLL(line.split(maxsplit=5)[-1])
            library.sqlite3_libversion.restype = ctypes.c_char_p
            if library.sqlite3_libversion().decode() == sqlite3.sqlite_version:
                return library
    raise ImproperlyConfigured(
        "This Python can load SpatiaLite neither by its sqlite3 module nor through a shared libsqlite3. "
        "Use the operating system's own python3, or set DATABASE_URL to a PostGIS database."
    )


def load_by_pointer(connection: sqlite3.Connection, name: bytes = LIBRARY) -> None:
    """Loads an SQLite extension into an open connection through the C interface.

    The sqlite3* handle is the first member after the object header in every CPython from 3.11 on.
    Raises ImproperlyConfigured when the extension cannot be loaded.
    """
    library = _sqlite_library()
    handle = ctypes.c_void_p.from_address(id(connection) + object.__basicsize__)
    library.sqlite3_enable_load_extension.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.sqlite3_load_extension.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.POINTER(ctypes.c_char_p),
    ]
    message = ctypes.c_char_p()
    library.sqlite3_enable_load_extension(handle, 1)
    outcome = library.sqlite3_load_extension(handle, name, None, ctypes.byref(message))
    library.sqlite3_enable_load_extension(handle, 0)
    if outcome != 0:
        reason = (message.value or b"no reason given").decode(errors="replace")
        raise ImproperlyConfigured(
            f"SpatiaLite could not be loaded: {reason}. Install the package libsqlite3-mod-spatialite."
        )


class DatabaseWrapper(spatialite.DatabaseWrapper):
    """Django's SpatiaLite connection, with the two repairs named above."""

    def get_new_connection(self, conn_params: Any) -> Any:
        if hasattr(sqlite3.Connection, "enable_load_extension"):
            return super().get_new_connection(conn_params)
        connection = sqlite.DatabaseWrapper.get_new_connection(self, conn_params)
        load_by_pointer(connection)
        return connection

    def prepare_database(self) -> None:
        with self.cursor() as cursor:
            if not cursor.execute("PRAGMA table_info(geometry_columns)").fetchall():
                cursor.execute("SELECT InitSpatialMetaData(1)")
        super().prepare_database()
