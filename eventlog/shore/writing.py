"""Writes the rows of a final copy, or of a cruise pack, into the tables: the same rows as where they came from."""

from __future__ import annotations

import base64
import datetime as dt
import uuid as uuids
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from eventlog import history, replay
from eventlog.exchange import finalcopy
from eventlog.logbook.sections import BESIDE, IMPORT
from eventlog.models import Import, Log, Measurement, Revision, Term
from portal.models import Person
from portal.refusals import Fault, NotLikeThis

BATCH = 500
Row = dict[str, Any]
_REVISION = (
    *("uuid", "sequence", "thing", "thing_uuid", "number", "at", "by_name", "device", "verb", "reason", "changes"),
    *("after_close", "previous", "digest"),
)


class Writer:
    """Writes into one log. What is there already, by its UUID, is brought up to the row that came."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.people: dict[str, int] = {}
        self.keys: dict[str, dict[uuids.UUID, int]] = {}
        self.links: list[tuple[type[Any], str, Any, str]] = []

    def know(self, rows: Iterable[Row]) -> None:
        """Whose accounts are here, by the UUIDs of those who logged."""
        wanted = [uuids.UUID(row["uuid"]) for row in rows]
        self.people = {str(uuid): pk for uuid, pk in Person.objects.filter(uuid__in=wanted).values_list("uuid", "pk")}

    def section(self, name: str, rows: Iterator[Row]) -> None:
        """Writes the rows of a section, batch by batch. Raises NotLikeThis for one that no table takes."""
        while batch := list(islice(rows, BATCH)):
            try:
                if name in finalcopy.KINDS:
                    self._things(finalcopy.KINDS[name], batch)
                elif name == "revisions":
                    self._revisions(batch)
            except (KeyError, TypeError, ValueError, ValidationError) as error:
                said = "; ".join(error.messages) if isinstance(error, ValidationError) else repr(error)
                raise NotLikeThis(f"A row of {name} is not taken.", [Fault(name, said[:500])]) from error

    def _things(self, kind: str, rows: list[Row]) -> None:
        table = history.TABLES[kind]
        known = uuids_of(rows)
        if table.objects.filter(uuid__in=known).exclude(log=self.log).exists():
            raise NotLikeThis(
                f"An id of a {kind} is in use in another log.", [Fault(kind, "the copy is of another log")]
            )
        names = [n for n in replay.CONTENT[kind] if n not in (*history.LINKS, "struck", "measurements")]
        names += BESIDE.get(kind, ())
        names += ["revision"] if hasattr(table, "revision") else []
        made = []
        for row in rows:
            values = {name: _value(table, name, row[name]) for name in names}
            made.append(table(uuid=uuids.UUID(row["uuid"]), log=self.log, **values, **self._linked(kind, row)))
        fields = [*names, *self._linked(kind, rows[0])]
        table.objects.bulk_create(made, update_conflicts=True, unique_fields=["uuid"], update_fields=fields)
        found = dict(table.objects.filter(uuid__in=known).values_list("uuid", "pk"))
        self.keys.setdefault(kind, {}).update(found)
        if kind == "event":
            _measure(found, rows)

    def _linked(self, kind: str, row: Row) -> dict[str, int | None]:
        """The columns that name another row. Places and terms may name a later one: see `tie`."""
        if kind == "event":
            return {
                "operation_id": self._key("operation", row["operation"]),
                "author_id": self._account(row["author"]),
            }
        if kind == "attachment":
            return {"event_id": self._key("event", row["event"])}
        if kind == "file":
            return {"operation_id": self._key("operation", row["operation"])}
        for name in ("merged_into", "replaced_by"):
            if row.get(name):
                self.links.append((history.TABLES[kind], name, uuids.UUID(row["uuid"]), row[name]))
        return {}

    def _key(self, kind: str, uuid: str | None) -> int | None:
        if uuid is None:
            return None
        if (key := self.keys.get(kind, {}).get(uuids.UUID(uuid))) is None:
            raise ValueError(f"it names the {kind} {uuid}, which is not in the copy")
        return key

    def _account(self, uuid: str | None) -> int | None:
        """The account that logged, where it is one here too; the name stands beside it in any case."""
        return self.people.get(str(uuids.UUID(uuid))) if uuid is not None else None

    def tie(self) -> list[str]:
        """Ties places and terms to those that they were merged into or replaced by; remarks on what is not here."""
        remarks = []
        for table, name, uuid, other in self.links:
            rows = table.objects.filter(uuid=other)
            rows = (
                rows.filter(models.Q(log=self.log) | models.Q(log=None)) if table is Term else rows.filter(log=self.log)
            )
            if (found := rows.first()) is None:
                remarks.append(f"{table.__name__.lower()} {uuid} names {other}, which is not here")
                continue
            table.objects.filter(uuid=uuid, log=self.log).update(**{name: found})
        return remarks

    def _revisions(self, rows: list[Row]) -> None:
        events = self.keys.setdefault("event", {})
        if Revision.objects.filter(uuid__in=uuids_of(rows)).exclude(log=self.log).exists():
            raise NotLikeThis("An id of a change is in use in another log.", [Fault("revisions", "of another log")])
        made = []
        for row in rows:
            values = {name: _value(Revision, name, row[name]) for name in _REVISION}
            event = events.get(uuids.UUID(row["thing_uuid"])) if row["thing"] == "event" else None
            made.append(Revision(log=self.log, event_id=event, by_id=self._account(row["by"]), **values))
        Revision.objects.bulk_create(made)


def taken_import(log: Log, row: Row, data: bytes) -> Import:
    """An import as it was on board, with its bytes."""
    values = {n: _value(Import, n, row[n]) for n in IMPORT if n not in ("number", "report")}
    values |= {"data": data, "report": base64.b64decode(row["report"], validate=True)}
    made, _ = Import.objects.update_or_create(log=log, number=int(row["number"]), defaults=values)
    return made


def rows_of(lines: Iterable[bytes], wanted: Callable[[str], bool]) -> Iterator[tuple[str, Iterator[Row]]]:
    """(section, its rows) of the sections that are wanted, in the order of the document."""
    from itertools import groupby

    for name, group in groupby(finalcopy.rows(lines), key=lambda found: found[0]):
        if wanted(name):
            yield name, (row for _, row in group)


def uuids_of(rows: Iterable[Mapping[str, Any]]) -> list[uuids.UUID]:
    """The ids of rows. Raises ValueError for what is none."""
    return [uuids.UUID(row["uuid"]) for row in rows]


def _measure(keys: Mapping[uuids.UUID, int], rows: list[Row]) -> None:
    """What was measured at the events, in its order; what was there before is replaced by the same."""
    Measurement.objects.filter(event__in=keys.values()).delete()
    Measurement.objects.bulk_create(
        Measurement(event_id=keys[uuids.UUID(row["uuid"])], source=source, name=name, value=value, unit=unit)
        for row in rows
        for source, name, value, unit in row["measurements"]
    )


def _value(table: type[models.Model], name: str, value: Any) -> Any:
    """A value of a column as Python holds it. Raises ValidationError for one that the column does not take."""
    field: Any = table._meta.get_field(name)
    if value is None:
        if not field.null:
            raise ValidationError(f"{name} is empty")
        return None
    if isinstance(field, models.JSONField):
        return value
    if isinstance(field, models.CharField | models.TextField) and (not isinstance(value, str) or "\0" in value):
        raise ValidationError(f"{name} is no text that can be kept")
    found = field.to_python(value)
    if isinstance(found, dt.datetime) and found.tzinfo is None:
        raise ValidationError(f"{name} {value!r:.40} has no zone")
    field.run_validators(found)
    return found
