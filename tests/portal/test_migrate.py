"""An upgrade that is killed anywhere is done again: a migration is done and written down, or neither."""

from __future__ import annotations

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from portal.management.commands.migrate import Executor


class Half(migrations.Migration):
    """Leaves an index for the end."""

    operations = [
        migrations.CreateModel(
            "Half",
            [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=9, db_index=True))],
        )
    ]


@pytest.mark.django_db(transaction=True)
def test_a_migration_is_written_down_with_what_it_does(monkeypatch: pytest.MonkeyPatch):
    executor, migration = Executor(connection), Half("0001_half", "portal")

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(executor, "record_migration", killed)
        with pytest.raises(KeyboardInterrupt):
            executor.apply_migration(ProjectState(), migration)
    assert "portal_half" not in connection.introspection.table_names()
    try:
        executor.apply_migration(ProjectState(), migration)
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, "portal_half")
        assert [one for one in found.values() if one["index"] and one["columns"] == ["name"]]
        assert ("portal", "0001_half") in executor.recorder.applied_migrations()
    finally:
        executor.recorder.record_unapplied("portal", "0001_half")
        with connection.schema_editor() as editor:
            editor.execute("DROP TABLE portal_half")
