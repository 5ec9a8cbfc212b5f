"""One index and one foreign key less on files, which a classification writes a million at a time.

Neither is asked for: the index begins as two others do, and the key is of a rule, which is only told of. On SQLite, where
dropping a foreign key means to copy the table, the key stays; it costs little there.
"""

from typing import Any

from django.db import migrations, models
from django.db.models.deletion import CASCADE, SET_NULL

INDEX = "inventory_file_distribution_id_6d0e707b"


class AlterFieldOnPostgreSQL(migrations.AlterField):
    """Alters the field in the models' state, and in the database only on PostgreSQL."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [("inventory", "0005_chunk")]

    operations = [
        AlterFieldOnPostgreSQL(
            model_name="file",
            name="rule",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=SET_NULL,
                related_name="+",
                to="inventory.rule",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="file",
                    name="distribution",
                    field=models.ForeignKey(
                        db_index=False, on_delete=CASCADE, related_name="files", to="inventory.distribution"
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX IF EXISTS {INDEX}",
                    f"CREATE INDEX IF NOT EXISTS {INDEX} ON inventory_file (distribution_id)",
                ),
            ],
        ),
    ]
