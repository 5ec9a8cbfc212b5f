"""An import knows its number in the log, which revisions it made, what came of every row, and whether it was undone."""

from collections import Counter

from django.db import migrations, models


def number_them(apps, schema_editor):
    """Those that are there already are numbered in their order."""
    counted = Counter()
    for row in apps.get_model("eventlog", "Import").objects.order_by("at", "pk").only("pk", "log_id", "at"):
        counted[row.log_id] += 1
        type(row).objects.filter(pk=row.pk).update(number=counted[row.log_id], finished_at=row.at)


class Migration(migrations.Migration):
    dependencies = [("eventlog", "0005_chained")]

    operations = [
        migrations.AddField(
            "import", "number", models.PositiveIntegerField(default=0, help_text="1, 2, 3 … in its log")
        ),
        migrations.AddField(
            "import",
            "spans",
            models.JSONField(
                default=list, blank=True, help_text="[[first, last]…]: sequences of the revisions it made"
            ),
        ),
        migrations.AddField(
            "import",
            "report",
            models.BinaryField(default=b"", help_text="what came of each row: JSON, a row a line, gzip"),
        ),
        migrations.AddField(
            "import",
            "options",
            models.JSONField(default=dict, blank=True, help_text="format, mapping and reason, as they were given"),
        ),
        migrations.AddField(
            "import",
            "finished_at",
            models.DateTimeField(null=True, blank=True, help_text="empty: it was interrupted"),
        ),
        migrations.AddField("import", "undone_at", models.DateTimeField(null=True, blank=True)),
        migrations.AddField("import", "undone_by_name", models.CharField(max_length=200, blank=True)),
        migrations.AddField("import", "undone_reason", models.TextField(blank=True)),
        migrations.RunPython(number_them, migrations.RunPython.noop),
        migrations.AlterField("import", "number", models.PositiveIntegerField(help_text="1, 2, 3 … in its log")),
        migrations.AlterModelOptions("import", {"ordering": ["-number"]}),
        migrations.AddConstraint("import", models.UniqueConstraint("log", "number", name="import_numbered_once")),
    ]
