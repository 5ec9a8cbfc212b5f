"""The demonstration's event log: what a watch would have typed along the voyage, some of it late."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from eventlog import logbook
from eventlog.models import Feed, Log
from eventlog.navigation import store
from eventlog.navigation.reading import DEPTH, Batch, Position, Tally, Value
from portal.demo.clock import as_of
from portal.demo.voyage import Station, Voyage
from portal.floor import Plan

Fields = dict[str, Any]
FIXES_EVERY = dt.timedelta(minutes=1)


def fill(plan: Plan) -> None:
    """Opens the log, records the events up to now, and closes it where the cruise is finished."""
    log = Log.objects.filter(cruise=plan.cruise).first()
    if log is not None and log.state == "closed":
        return
    people, voyage = plan.people, plan.voyage
    if log is None or log.state == "not opened":
        with as_of(voyage.begins - dt.timedelta(hours=1)):
            log = logbook.open_log(cruise=plan.cruise, by=people["operator"])
    _navigate(plan)
    count = 0
    for number, (delay, fields) in enumerate(events(voyage)):
        if fields["observed_at"] + delay > timezone.now():
            break
        with as_of(fields["observed_at"] + delay):
            logbook.record(
                log=log,
                by=people["chief"] if number % 9 == 4 else people["watch"],
                fields=fields,
                # The same event has the same id: a loading that was stopped goes on where it was.
                uuid=uuid.uuid5(plan.cruise.uuid, f"event {number}"),
                logged_at=fields["observed_at"] + delay,
            )
        count += 1
    plan.say(f"  {count} events")
    if plan.finished:
        event = log.events.filter(action="recover").order_by("observed_at").first()
        if event is not None and event.revision == 1:
            with as_of(event.observed_at + dt.timedelta(hours=5)):
                logbook.revise(
                    event=event,
                    by=people["watch"],
                    fields={"comment": "bottle 7 leaked"},
                    reason="bottle check after the cast",
                )
        with as_of(voyage.ends + dt.timedelta(hours=1)):
            logbook.close_log(cruise=plan.cruise, by=people["operator"])


def _navigate(plan: Plan) -> None:
    """What the ship's receiver and sounder brought along the voyage up to now; positions of events follow from it."""
    voyage = plan.voyage
    until = min(voyage.ends + dt.timedelta(hours=1), timezone.now())
    fixes: list[Position] = []
    samples: list[Value] = []
    moment = voyage.begins - dt.timedelta(hours=1)
    while moment <= until:
        where, at = voyage.at(moment), int(moment.timestamp()) * 1_000_000
        place = round(where.latitude * 1e7), round(where.longitude * 1e7)
        fixes.append((at, *place, 1, round(where.speed * 100), round(where.course * 100)))
        samples.append((DEPTH, at, round(where.depth, 1)))
        moment += FIXES_EVERY
    batch = Batch(fixes, samples, Tally(lines=2 * len(fixes), fixes=len(fixes), samples=len(samples)), {})
    feed, _ = Feed.objects.get_or_create(
        vessel=plan.cruise.vessel, name="Bridge GNSS (demonstration)", defaults={"kind": "api", "rank": 1}
    )
    store.keep(feed, batch, at=until)


def events(voyage: Voyage) -> Iterator[tuple[dt.timedelta, Fields]]:
    """(delay until it was typed, fields) of every event of a voyage, in the order of their times."""
    chance = voyage.random("events")
    found = list(_underway(voyage))
    for station in voyage.stations:
        found += _station(station)
        if station.number % 6 == 3:
            found += _net(station)
    for fields in sorted(found, key=lambda fields: fields["observed_at"]):
        late = dt.timedelta(seconds=chance.choice((5, 8, 12, 20, 45, 90, 420, 3100)))
        yield late, fields


def _underway(voyage: Voyage) -> Iterator[Fields]:
    begins, ends = voyage.begins, voyage.ends
    hour = dt.timedelta(hours=1)
    yield _event(begins, "Ship", "startCruise", comment=f"left {voyage.region.depart.port_name}")
    yield _event(begins + 2 * hour, "Multibeam", "start", comment="beyond the shelf edge")
    yield _event(begins + 2.1 * hour, "ADCP", "start")
    yield _event(begins + 2.3 * hour, "Underway water", "start", comment="intake opened, lines flushed")
    for day in range(1, (ends - begins).days):
        noon = (begins + dt.timedelta(days=day)).replace(hour=12)
        yield _event(noon, "XBT", "deploy", cast=f"{day:02d}", comment="T-7, good to 760 m")
    yield _event(begins + 97 * hour, "Multibeam", "service", comment="restarted after loss of the bottom in swell")
    yield _event(ends - 3 * hour, "Underway water", "stop")
    yield _event(ends - 2.5 * hour, "ADCP", "stop")
    yield _event(ends - 2.4 * hour, "Multibeam", "stop")
    yield _event(ends, "Ship", "endCruise", comment=f"alongside in {voyage.region.arrive.port_name}")


def _station(station: Station) -> Iterator[Fields]:
    name, cast = f"{station.number:03d}", f"{station.number:03d}"
    down = dt.timedelta(seconds=station.depth / 1.0)  # the winch pays out about 1 m/s
    begins = station.begins + dt.timedelta(minutes=8)
    yield _event(begins, "CTD", "deploy", station=name, cast=cast)
    yield _event(begins + down, "CTD", "maxDepth", station=name, cast=cast, comment="10 m above the bottom")
    yield _event(begins + 2 * down + dt.timedelta(minutes=22), "CTD", "recover", station=name, cast=cast)


def _net(station: Station) -> Iterator[Fields]:
    name = f"{station.number:03d}"
    begins = station.ends - dt.timedelta(minutes=42)
    yield _event(begins, "Multinet", "deploy", station=name, cast=name, comment="300 m to the surface, five nets")
    yield _event(begins + dt.timedelta(minutes=34), "Multinet", "recover", station=name, cast=name)


def _event(at: dt.datetime, instrument: str, action: str, **fields: str) -> Fields:
    return {"observed_at": at.replace(microsecond=0), "instrument": instrument, "action": action, **fields}
