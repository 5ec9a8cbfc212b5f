"""Rows by the thousand: COPY on PostgreSQL, which takes a tenth of the time of INSERT; bulk_create elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)
BATCH = 1000
FEW = 100  # rows below which one INSERT is as quick


def create(model: type[Row], rows: Sequence[Row]) -> list[Row]:
    """Writes new rows of one model and sets their keys. No signals, no `save`; the caller's transaction.

    For models of plain columns: texts, numbers, times, UUIDs, JSON and foreign keys. Raises IntegrityError as the
    database does.
    """
    made = list(rows)
    if connection.vendor != "postgresql" or len(made) < FEW:
        return model._default_manager.bulk_create(made, batch_size=BATCH)
    for row in made:
        # A row may point to one that got its key only after it was set; bulk_create says the same.
        row._prepare_related_fields_for_save(operation_name="bulk_create")  # type: ignore[attr-defined]
    fields = list(model._meta.concrete_fields)
    key = model._meta.pk
    table, quote = model._meta.db_table, connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)", [table, key.column, len(made)]
        )
        for row, (number,) in zip(made, cursor.fetchall(), strict=True):
            row.pk = number
        columns = ", ".join(quote(field.column) for field in fields)
        values = attrgetter(*(field.attname for field in fields))
        written = [(place, dump) for place, field in enumerate(fields) if (dump := _dump_of(field))]
        with cursor.cursor.copy(f"COPY {quote(table)} ({columns}) FROM STDIN") as copy:
            for row in made:
                told = list(values(row))
                for place, dump in written:
                    told[place] = dump(told[place])
                copy.write_row(told)
    for row in made:
        row._state.adding = False
        row._state.db = connection.alias
    return made


def _dump_of(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """How a value of the field is written where psycopg would not know: JSON."""
    if isinstance(field, models.JSONField):
        return lambda value: None if value is None else json.dumps(value, cls=field.encoder)
    return None
