"""Rows of eventlog_revision are only added."""

from django.db import migrations

from portal.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [("eventlog", "0001_initial")]
    operations = [append_only("eventlog_revision")]
