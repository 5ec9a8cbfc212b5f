"""An index of the periods in which files were measured, by both of their ends, on PostgreSQL.

One of the beginnings alone makes a search for a week in the past read half of all files. It is built beside running work.
"""

from typing import Any

from django.db import migrations

MAKE = (
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS coverage_during ON inventory_coverage "
    "USING gist (tstzrange(first_at, last_at, '[]')) WHERE first_at IS NOT NULL"
)


def make(apps: Any, schema_editor: Any) -> None:
    """Builds the index, and has its values counted for the plans."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(MAKE)
        schema_editor.execute("ANALYZE inventory_coverage")


def drop(apps: Any, schema_editor: Any) -> None:
    """Drops it again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX CONCURRENTLY IF EXISTS coverage_during")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("inventory", "0015_permanent_archive")]
    operations = [migrations.RunPython(make, drop, elidable=False)]
