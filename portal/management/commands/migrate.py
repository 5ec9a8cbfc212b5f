"""Django's `migrate`, whose every migration is written down in the transaction of what it does.

Django writes it down afterwards where the schema editor has left something for the end, as an index. Killed in between,
the next start finds columns that are there already, and no upgrade goes on.
"""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class Executor(MigrationExecutor):
    """Has nothing left for the end of a migration, so that Django writes it down within the transaction."""

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        """As Django's, with an atomic migration done and written down as a whole or not at all."""
        apply = migration.apply

        def whole(state: ProjectState, editor: BaseDatabaseSchemaEditor, *words: Any, **more: Any) -> ProjectState:
            after = apply(state, editor, *words, **more)
            while editor.deferred_sql:
                editor.execute(editor.deferred_sql.pop(0), None)
            return after

        migration.apply = whole  # type: ignore[method-assign, assignment]
        return super().apply_migration(state, migration, fake=fake, fake_initial=fake_initial)


migrate.MigrationExecutor = Executor  # type: ignore[attr-defined]  # by this name Django's command looks for it


class Command(migrate.Command):
    """Brings the database up to date."""
