"""The texts of stretches are compressed by LZ4 where the server knows it: a search reads a thousand of them.

On PostgreSQL 14 and later, unless it was built without; what is written already stays as it is until it is counted anew.
"""

from typing import Any

from django.db import migrations

KNOWN = "SELECT 1 FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"


def compress(apps: Any, schema_editor: Any) -> None:
    """Sets the compression of what is written from now on."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(KNOWN)
        if cursor.fetchone():
            cursor.execute("ALTER TABLE inventory_stretch ALTER COLUMN text SET COMPRESSION lz4")


class Migration(migrations.Migration):
    dependencies = [("inventory", "0018_files_written_faster")]

    operations = [migrations.RunPython(compress, migrations.RunPython.noop)]
