"""Watching the drop folder: each look makes and updates the rows of what lies there, and says what is complete.

Nothing in the folder is changed. The ship's clock is not believed: only our own says how long nothing changed.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from inventory import intake, paths
from inventory.arrivals import layout
from inventory.arrivals.asking import change, locked, shape_of
from inventory.arrivals.layout import Item
from inventory.arrivals.looking import Listed, Seen, Told, listed, look
from inventory.arrivals.receiving import refuse, write
from inventory.models import Arrival
from inventory.models.arrival import DROP
from inventory.staging import path_key
from inventory.states import ARRIVAL
from portal import journal
from portal.access import WORKER
from portal.models import Cruise, Operator, Work
from portal.refusals import NotLikeThis, NotNow
from portal.work import Progress

DOOR, KEY = "inventory.sweep", "drop"
LOOK_SECONDS: Final = 50  # between two looks; the sweep of the doors comes each minute
BUDGET_SECONDS: Final = 60.0  # after which the rest waits for the next look
SHARE: Final = 10  # a delivery is looked at for no more than a tenth of the time
OFTEN, SELDOM = dt.timedelta(minutes=10), dt.timedelta(days=1)  # the longest pause while it arrives, and afterwards
MOST_UNKNOWN, MOST_OF_ONE = 500, 50  # deliveries of unknown cruises, and of one, that may wait at a time
UNSETTLED = ("arriving", "complete", "offered", "refused", "changed")
LOOKED_AT = ("arriving", "offered", "received", "changed", "refused")


@dataclass(slots=True)
class Round:
    """What one look at the whole folder came to."""

    there: int = 0
    looked_at: int = 0
    complete: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def waiting() -> list[str]:
    """The one key of the door, once a look is due: after a minute, or since somebody asked for one."""
    if settings.DROP_FOLDER is None:
        return []
    last = Work.objects.filter(door=DOOR, key=KEY).exclude(state="running").order_by("-pk").first()
    if last is None or last.ended_at is None or timezone.now() >= last.ended_at + dt.timedelta(seconds=LOOK_SECONDS):
        return [KEY]
    asked = Arrival.objects.filter(source=DROP, looked_at__isnull=True, state__in=LOOKED_AT, since__gt=last.ended_at)
    return [KEY] if asked.exists() else []


def run(key: str, progress: Progress) -> None:
    """What the worker calls."""
    look_around(progress)


def look_around(progress: Progress, *, everything: bool = False) -> Round:
    """One look under a claim; of the looks before, no work row is kept. Raises NotNow as `sweep` does."""
    progress.describe("Looking into the drop folder", unit="files")
    done = sweep(told=progress.advance, everything=everything)
    told = f"{done.there:,} deliveries, {done.looked_at:,} looked at"
    progress.note("; ".join([told, *done.remarks]))
    Work.objects.filter(door=DOOR, key=KEY).exclude(pk=progress.row.pk).exclude(state="running").delete()
    return done


def sweep(*, told: Told, everything: bool = False, now: Callable[[], dt.datetime] = timezone.now) -> Round:
    """Looks at what is new and what is due (or at everything). `told` hears how many more files were seen.

    Raises NotNow where no folder is watched, or it cannot be listed.
    """
    drop = settings.DROP_FOLDER
    if drop is None:
        raise NotNow("No drop folder is watched: LEADLINE_DROP is off.")
    rows = {row.path: row for row in Arrival.objects.filter(source=DROP)}
    operators = frozenset(Operator.objects.values_list("pk", flat=True))
    try:
        items = list(layout.found(drop, operators, {path: row.state for path, row in rows.items()}))
    except OSError as error:
        raise NotNow(f"The drop folder cannot be listed: {error.strerror}. Is its disk mounted?") from error
    done = Round(there=len(items))
    if not items and rows.keys() - {path for path, row in rows.items() if row.state == "gone"}:
        done.remarks.append("nothing lies in the drop folder any more; is its disk mounted?")
        return done
    _miss(rows, {item.path for item in items})
    unsettled = Counter(row.cruise_id for row in rows.values() if row.state in UNSETTLED)
    due: list[tuple[Arrival, Item]] = []
    for item in items:
        row = rows.get(item.path) or _meet(item, now(), unsettled, told)
        if row is None:
            done.remarks.append(f"{paths.display(item.path)} is one too many of its cruise, or of unknown ones")
            continue
        if row.state == "gone":
            row = _return(row)
        if row.state in LOOKED_AT and (everything or row.due_at is None or row.due_at <= now()):
            due.append((row, item))
    started = time.monotonic()
    for row, item in sorted(due, key=lambda pair: pair[0].due_at or pair[0].seen_at):
        if time.monotonic() > started + BUDGET_SECONDS:
            done.remarks.append("the rest is looked at next time")
            break
        told(0)
        done.looked_at += 1
        if _look_at(row, item, told, now) == "complete":
            done.complete.append(item.path)
    del done.remarks[20:]
    return done


# --- seen for the first time, gone, back again ------------------------------------------------------------------------


@transaction.atomic
def _meet(item: Item, now: dt.datetime, unsettled: Counter[int | None], told: Told) -> Arrival | None:
    """A row for what was not seen before; none where too many of its cruise, or of unknown ones, are not settled."""
    told(0)
    cruise = layout.cruise_of(item.name)
    of = cruise.pk if cruise else None
    if unsettled[of] >= (MOST_OF_ONE if cruise else MOST_UNKNOWN):
        return None
    unsettled[of] += 1
    made = Arrival.objects.create(
        source=DROP,
        path=item.path,
        path_key=path_key(item.path),
        shape="directory",
        cruise=cruise,
        operator_id=item.operator or (cruise.vessel.operator_id if cruise else None),
        since=now,
        seen_at=now,
    )
    journal.record(WORKER, "arrival.see", made, changes={"path": [None, made.shown]})
    return made


def _miss(rows: dict[str, Arrival], there: set[str]) -> None:
    """Those that do not lie there any more."""
    for row in rows.values():
        if row.path in there or not ARRIVAL.allows(row.state, "arrival.vanish"):
            continue
        with transaction.atomic():
            arrival = locked(row.pk)
            if ARRIVAL.allows(arrival.state, "arrival.vanish"):
                several = row.state == "arriving" and row.place.is_dir()
                reason = "It holds several deliveries, which are shown one by one." if several else ""
                mark = arrival.mark if arrival.state == "received" else ""  # what comes back is compared with that
                state = ARRIVAL.step(arrival.state, "arrival.vanish")
                change(arrival, "arrival.vanish", WORKER, state, reason=reason, mark=mark)


@transaction.atomic
def _return(row: Arrival) -> Arrival:
    """What was gone lies there again: as it was received, or from the beginning."""
    arrival = locked(row.pk)
    verb = "arrival.come_back" if arrival.distribution_id else "arrival.resume"
    if not ARRIVAL.allows(arrival.state, verb):
        return arrival
    return change(arrival, verb, WORKER, ARRIVAL.step(arrival.state, verb), reason="", due_at=None)


# --- one look ---------------------------------------------------------------------------------------------------------


def _look_at(row: Arrival, item: Item, told: Told, now: Callable[[], dt.datetime]) -> str:
    """Looks at one delivery and writes down what was seen; its state afterwards."""
    started = time.monotonic()
    shape = row.shape if item.fault else shape_of(row.place)
    seen = Seen(fault=item.fault) if item.fault else look(row.place, shape, told)
    cruise = row.cruise or layout.cruise_of(item.name)
    listing = row.state == "arriving" and shape != "archive" and not seen.fault
    promise = _promise(row.place, cruise, told) if listing and cruise else None
    cost, at = dt.timedelta(seconds=time.monotonic() - started), now()
    with transaction.atomic():
        arrival = locked(row.pk)
        if arrival.state != row.state:  # somebody said something meanwhile
            return arrival.state
        arrival.shape = shape
        _write(arrival, item, seen, cruise, promise, at, cost)
        _judge(arrival, item, seen, promise, at)
        return arrival.state


def _promise(place: Path, cruise: Cruise, told: Told) -> Listed | None:
    try:
        return listed(place, intake.manifest_in(place, cruise), told)
    except (NotLikeThis, OSError):
        return None


def _write(
    arrival: Arrival,
    item: Item,
    seen: Seen,
    cruise: Cruise | None,
    promise: Listed | None,
    now: dt.datetime,
    cost: dt.timedelta,
) -> None:
    """What was seen, and when it is looked at next: the longer nothing changed, the more seldom."""
    values: dict[str, Any] = {"looked_at": now, "shape": arrival.shape, "rate": None}
    if arrival.cruise is None and cruise is not None:
        values |= {"cruise": cruise, "operator_id": item.operator or cruise.vessel.operator_id}
    changed_at = arrival.changed_at
    if changed_at is None or (seen.mark != arrival.mark and not seen.fault):
        values["changed_at"] = changed_at = now
        if arrival.looked_at and arrival.bytes is not None and seen.bytes > arrival.bytes:
            values["rate"] = (seen.bytes - arrival.bytes) / max((now - arrival.looked_at).total_seconds(), 1.0)
    if not seen.fault:
        values |= {"files": seen.files, "bytes": seen.bytes}
        if arrival.state != "received":
            values["remarks"] = list(seen.problems)
    if arrival.state == "arriving":
        values |= {"listed_files": promise and promise.files, "listed_bytes": promise and promise.bytes}
        if promise is not None:
            values["files"] = promise.files - promise.absent
    longest = OFTEN if arrival.state == "arriving" else SELDOM
    values["due_at"] = now + max(
        min((now - changed_at) / SHARE, longest), cost * SHARE, dt.timedelta(seconds=LOOK_SECONDS)
    )
    for name, value in values.items():
        setattr(arrival, name, value)
    arrival.save(update_fields=[name.removesuffix("_id") for name in values])


def _judge(arrival: Arrival, item: Item, seen: Seen, promise: Listed | None, now: dt.datetime) -> None:
    """What follows from what was seen."""
    if arrival.state == "received" and seen.unread:
        return  # a disk that fails is not another delivery
    differs = seen.mark != arrival.mark and not seen.fault
    if differs:
        arrival.mark = seen.mark
        arrival.save(update_fields=["mark"])
    if arrival.state == "arriving":
        _of_arriving(arrival, item, seen, promise, now)
    elif arrival.state == "refused" and differs:
        state = ARRIVAL.step(arrival.state, "arrival.resume")
        change(arrival, "arrival.resume", WORKER, state, reason="", faults=[])
    elif arrival.state == "received" and (differs or item.fault):
        reason = (
            "Its files are not those that were received any more. Have it received again as the next shipment, "
            "or leave it out."
        )
        change(arrival, "arrival.change", WORKER, ARRIVAL.step(arrival.state, "arrival.change"), reason=reason)
        write(arrival, f"{arrival} changed after it was received", reason)


def _of_arriving(arrival: Arrival, item: Item, seen: Seen, promise: Listed | None, now: dt.datetime) -> None:
    if item.fault:
        refuse(arrival, NotLikeThis(item.fault))
        arrival.refresh_from_db()
        return
    assert arrival.changed_at is not None
    still = now > arrival.changed_at  # it is as the look before saw it
    quiet = now >= arrival.changed_at + dt.timedelta(minutes=settings.DROP_QUIET)
    told, missing = seen.told or item.told, promise.absent if promise else 0
    reason = seen.fault
    if not reason and seen.partials and quiet:
        reason = (
            f"{seen.partials:,} files look as if they were still on their way, as {seen.partial[0]}. "
            "Let the transfer end, take them away, or have it received as it is."
        )
    elif not reason and promise and missing and quiet and not told:
        reason = (
            f"{missing:,} of the {promise.files:,} files in its list are not here, or not whole, as "
            f"{promise.examples[0]}. Send them, or have it received as it is."
        )
    sized = promise is not None and promise.bytes is not None and not item.nested
    whole = ((quiet or (still and (told or sized))) and not missing) or (told and quiet)
    if not (seen.fault or seen.partials) and seen.files and whole:
        _of_whole(arrival, item)
    else:
        _wait(arrival, reason)


def _wait(arrival: Arrival, reason: str) -> None:
    """Keeps why it is not further. A letter goes out the first time that a person has to do something."""
    if reason != arrival.reason:
        arrival.reason = reason
        arrival.save(update_fields=["reason"])
        if reason:
            write(arrival, f"{arrival} waits", reason)


def _of_whole(arrival: Arrival, item: Item) -> None:
    """All is here: it is received when its cruise can take it, or waits for a person."""
    cruise = arrival.cruise
    if cruise is None:
        _wait(arrival, layout.unknown(item.name))
        return
    cruise = Cruise.objects.select_for_update(of=("self",)).select_related("vessel__operator").get(pk=cruise.pk)
    if item.operator and item.operator != cruise.vessel.operator_id:
        fault = f"{cruise} is no cruise of {arrival.operator}, in whose folder it lies."
        refuse(arrival, NotLikeThis(f"{fault} Take it away, or name it as the cruise that it is of."))
        arrival.refresh_from_db()
        return
    if hindrance := _hindrance(cruise):
        _wait(arrival, hindrance)
        return
    if Arrival.objects.filter(cruise=cruise, state="complete").exists():
        return  # another delivery of it is being received; the next look decides
    before = cruise.distributions.current().first()
    if before is not None and before.state != "announced":
        reason = f"{before} is there already. Have this received as the next shipment, or leave it out."
        change(arrival, "arrival.offer", WORKER, ARRIVAL.step(arrival.state, "arrival.offer"), reason=reason)
        write(arrival, f"{arrival} waits for your word", reason)
        return
    change(arrival, "arrival.complete", WORKER, ARRIVAL.step(arrival.state, "arrival.complete"), reason="", faults=[])


def _hindrance(cruise: Cruise) -> str:
    """Why nothing of this cruise is received by itself now; empty where nothing is in the way."""
    if cruise.state == "cancelled":
        return f"{cruise} is cancelled: it can deliver nothing. Reinstate the cruise, or leave it out."
    if cruise.state != "ended":
        return f"{cruise} is {cruise.state}. It is received when the cruise has ended, or at once if you say so."
    if cruise.approved_at:
        return f"The record of {cruise} is approved. Open a new review, or leave it out."
    return ""


def watched() -> Any:
    """Everything seen in the drop folder that is not settled, for those who watch it."""
    rows = Arrival.objects.filter(source=DROP).unsettled().select_related("cruise", "distribution")
    return rows.order_by(F("changed_at").desc(nulls_last=True), "path")
