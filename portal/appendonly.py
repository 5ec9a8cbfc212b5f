"""Tables whose rows are never altered or deleted: triggers that say so, for SQLite and PostgreSQL. For migrations."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.special import RunPython

FUNCTION = """
CREATE OR REPLACE FUNCTION leadline_append_only() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never altered or deleted', TG_TABLE_NAME;
END;
$$ LANGUAGE plpgsql
"""


def append_only(*tables: str) -> RunPython:
    """An operation that lets rows of these tables only be added."""

    def forward(apps: Any, editor: Any) -> None:
        if editor.connection.vendor == "postgresql":
            editor.execute(FUNCTION, None)  # not a template: % stays %
        for table in tables:
            if editor.connection.vendor == "postgresql":
                editor.execute(
                    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION leadline_append_only()"
                )
                continue
            for act in ("UPDATE", "DELETE"):
                editor.execute(
                    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never altered or deleted'); END"
                )

    def backward(apps: Any, editor: Any) -> None:
        for table in tables:
            if editor.connection.vendor == "postgresql":
                editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
                continue
            for act in ("update", "delete"):
                editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{act}")

    return RunPython(forward, backward)


def alterable(*tables: str) -> RunPython:
    """The opposite: lets rows of these tables be altered, until `append_only` is said again in a later migration."""
    closing = append_only(*tables)
    assert closing.reverse_code is not None
    return RunPython(closing.reverse_code, closing.code)
