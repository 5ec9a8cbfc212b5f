"""Writes a log as it was before the chain: with the tables of migration 0002, and as that program wrote its rows.

Run with Django's settings in the environment, after `migrate eventlog 0002`; one argument: how many events.
"""

from __future__ import annotations

import datetime as dt
import sys
import uuid

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.db.migrations.executor import MigrationExecutor  # noqa: E402

START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def write(events: int) -> None:
    """Two logs: an open one with `events` events of every history there was, and a closed one with an import."""
    executor = MigrationExecutor(connection)
    apps = executor.loader.project_state([("eventlog", "0002_append_only"), ("portal", "0002_append_only")]).apps
    vessel = apps.get_model("portal", "Vessel").objects.create(
        id="ZZTS",
        name="Tester",
        operator=apps.get_model("portal", "Operator").objects.create(id="org.example.ships", name="Example Ships"),
    )
    port = apps.get_model("portal", "Port").objects.create(id="PTPDL", name="Ponta Delgada")
    person = apps.get_model("portal", "Person").objects.create(email="watch@example.org", given_name="Sam")
    for name, state, many in (("OLD1", "open", events), ("OLD2", "closed", 3)):
        cruise = apps.get_model("portal", "Cruise").objects.create(
            cruise_id=name,
            title=name,
            vessel=vessel,
            depart_date=START.date(),
            arrive_date=START.date(),
            depart_port=port,
            arrive_port=port,
            since=START,
        )
        log = apps.get_model("eventlog", "Log").objects.create(
            cruise=cruise, state=state, since=START, opened_at=START, closed_at=START if state == "closed" else None
        )
        apps.get_model("eventlog", "Template").objects.create(log=log, instrument="CTD", action="deploy")
        for begin in range(0, many, 1000):
            with transaction.atomic():
                _events(apps, log, person, begin, min(many, begin + 1000))


def _events(apps, log, person, begin: int, end: int) -> None:
    events_of, revisions_of = (apps.get_model("eventlog", name).objects for name in ("Event", "Revision"))
    made = []
    for n in range(begin, end):
        kind = n % 4  # recorded; imported; recorded, revised, struck and restored; recorded and struck
        made.append(
            apps.get_model("eventlog", "Event")(
                uuid=uuid.uuid4(),
                log=log,
                number=f"20260302.{n:06d}",
                observed_at=START + dt.timedelta(minutes=n, microseconds=n),
                logged_at=START,
                instrument="CTD",
                action="deploy",
                station="002" if kind == 2 else "001",
                latitude=36.5,
                longitude=-25.0 - n / 1e6,
                author=None if kind == 1 else person,
                author_name="mt" if kind == 1 else "Sam",
                source="sealog-json" if kind == 1 else "web",
                original={"id": n, "free": "été", "deep": {"x": [1.5, None]}} if kind == 1 else {},
                struck_at=START if kind == 3 else None,
                revision={2: 4, 3: 2}.get(kind, 1),
            )
        )
    rows = []
    for n, event in zip(range(begin, end), events_of.bulk_create(made), strict=True):
        rows += _history(apps, event, n % 4, person)
        if n % 4 == 1:
            measured = apps.get_model("eventlog", "Measurement").objects
            measured.create(event=event, source="nav", name="depth", value="3120.5", unit="m")
            measured.create(event=event, source="nav", name="speed", value="0.1", unit="kn")
    revisions_of.bulk_create(rows)


def _history(apps, event, kind: int, person) -> list:
    def row(number: int, verb: str, changes: dict):
        return apps.get_model("eventlog", "Revision")(
            event=event,
            number=number,
            at=event.observed_at + dt.timedelta(hours=number),
            by=person,
            by_name="Sam",
            verb=verb,
            changes=changes,
            reason="why" if number > 1 else "",
        )

    if kind == 1:
        return [row(1, "import", {})]
    told = {"instrument": "CTD", "action": "deploy", "station": "001", "latitude": 36.5, "longitude": event.longitude}
    rows = [row(1, "record", {name: [None, value] for name, value in told.items()})]
    if kind == 2:
        rows.append(row(2, "revise", {"station": ["001", "002"]}))
        rows.append(row(3, "strike", {"struck": [False, True]}))
        rows.append(row(4, "restore", {"struck": [True, False]}))
    if kind == 3:
        rows.append(row(2, "strike", {"struck": [False, True]}))
    # The time of a strike is that of its revision.
    if kind == 3:
        event.struck_at = rows[-1].at
        event.save(update_fields=["struck_at"])
    return rows


if __name__ == "__main__":
    write(int(sys.argv[1]))
