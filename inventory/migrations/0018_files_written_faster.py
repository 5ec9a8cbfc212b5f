"""Files are written with one index and two foreign keys less: a million at a time, at each delivery and classification.

One index by data set and distribution finds what two found. Who writes files holds the rows that the keys name; nothing
deletes these. On SQLite, where dropping a foreign key means to copy the table, the keys stay; they cost little there.
"""

from importlib import import_module

from django.db import migrations, models
from django.db.models.deletion import CASCADE, SET_NULL

AlterFieldOnPostgreSQL = import_module("inventory.migrations.0006_lighter_files").AlterFieldOnPostgreSQL


class Migration(migrations.Migration):
    dependencies = [("inventory", "0017_classification_asked")]

    operations = [
        migrations.RemoveIndex(model_name="file", name="inventory_f_distrib_f05a40_idx"),
        migrations.RemoveIndex(model_name="file", name="inventory_f_dataset_c4f426_idx"),
        migrations.AddIndex(
            model_name="file",
            index=models.Index(fields=["dataset", "distribution"], name="inventory_f_dataset_2f2035_idx"),
        ),
        AlterFieldOnPostgreSQL(
            model_name="file",
            name="distribution",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=CASCADE,
                related_name="files",
                to="inventory.distribution",
            ),
        ),
        AlterFieldOnPostgreSQL(
            model_name="file",
            name="dataset",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=SET_NULL,
                related_name="files",
                to="inventory.dataset",
            ),
        ),
    ]
