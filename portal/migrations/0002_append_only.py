"""Rows of portal_journalentry are only added."""

from django.db import migrations

from portal.appendonly import append_only


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]
    operations = [append_only("portal_journalentry")]
