"""Takes navigation in from files, and from programs that send lines or fixes."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

from eventlog.models import Feed
from eventlog.navigation import feeds, formats, store, watch
from eventlog.navigation.reading import Reader
from portal import access
from portal.access import Actor
from portal.models import Cruise, Vessel
from portal.refusals import Fault, NotLikeThis

MOST_SENT: Final = 50_000  # lines or fixes in one request
LONGEST: Final = 4096  # characters of a line of a file; what is longer is cut, and refused by its checksum
_OUT_OF_THE_WAY = {"raw", "data", "proc", "nav", "."}


def import_files(
    paths: Iterable[Path], *, vessel: Vessel, feed: str = "", near: dt.datetime | None = None
) -> list[dict[str, Any]]:
    """Reads files, and all files under folders, into feeds of a vessel; for each what came of it.

    Without `feed` each file goes into a feed named like its folder (`…/s330/raw/file` into "s330"). Streams: memory
    does not grow with the file. Raises NotLikeThis for a path that cannot be read.
    """
    reports = []
    for path in _files(paths):
        counts: dict[str, dict[str, Any]] = {}
        with _opened(path) as stream:
            lines = iter(lambda stream=stream: stream.readline(LONGEST), "")  # type: ignore[misc]
            for suffix, batch in formats.read(lines, near=near):
                target = feeds.for_files(vessel, f"{feed or _named(path)} {suffix}".strip())
                stored = store.keep(target, batch)
                told = counts.setdefault(
                    target.name, {"lines": 0, "fixes": 0, "samples": 0, "refused": {}, "no_fix": 0}
                )
                told["lines"] += batch.tally.lines
                told["no_fix"] += batch.tally.no_fix
                told["fixes"] += stored.fixes
                told["samples"] += stored.samples
                for reason, number in batch.tally.refused.items():
                    told["refused"][reason] = told["refused"].get(reason, 0) + number
                told["evidence"] = batch.evidence
        reports += [{"file": str(path), "feed": name, **told} for name, told in counts.items()]
    watch.look(vessel.pk, dt.datetime.now(dt.UTC))
    return reports


def send(
    *,
    cruise: Cruise,
    by: Actor,
    feed: str,
    lines: Sequence[str] = (),
    fixes: Sequence[Mapping[str, Any]] = (),
    at: dt.datetime,
) -> dict[str, Any]:
    """Takes in NMEA lines, stamped or else heard at `at`, or fixes: {at, latitude, longitude, quality, speed_mps,
    course_deg}. Returns counts.

    Raises NotYou; NotLikeThis for more than MOST_SENT, a name that cannot be, or fixes with faults, each named.
    """
    access.require(by, "navigation.send", cruise)
    if len(lines) + len(fixes) > MOST_SENT:
        raise NotLikeThis("Too much at once.", [Fault("lines", f"send at most {MOST_SENT:,} lines or fixes")])
    target = Feed.objects.filter(vessel=cruise.vessel_id, name=feed).first() or feeds.set_feed(
        cruise=cruise, by=access.System(str(by)), name=feed, kind="api"
    )
    reader = Reader()
    for line in lines:
        reader.read(line) if line[:1].isdigit() else reader.read(line[:LONGEST], at)
    faults = [fault for number, fix in enumerate(fixes) if (fault := _add(reader, number, fix, at))]
    if faults:
        raise NotLikeThis("Some fixes are not accepted; none was stored.", faults[:100])
    batch = reader.take()
    stored = store.keep(target, batch, at=at)
    tally = batch.tally
    return {
        "feed": target.name,
        "lines": tally.lines,
        "fixes": stored.fixes,
        "repeated": tally.fixes - min(stored.fixes, tally.fixes),
        "samples": stored.samples,
        "without_fix": tally.no_fix,
        "not_read": tally.other,
        "refused": dict(tally.refused),
        "last_refused": {"line": tally.last[0], "reason": tally.last[1]} if tally.last else None,
    }


def _add(reader: Reader, number: int, fix: Mapping[str, Any], now: dt.datetime) -> Fault | None:
    where = f"fixes[{number}]"
    moment, latitude, longitude = fix.get("at"), fix.get("latitude"), fix.get("longitude")
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        return Fault(f"{where}.at", "is needed, as a time with its zone")
    if moment > now + dt.timedelta(days=1):
        return Fault(f"{where}.at", "lies more than a day after now")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return Fault(f"{where}.latitude", "a fix needs latitude and longitude, degrees")
    quality = fix.get("quality")
    if quality in (0, 6, 7, 8):
        reader.tally.no_fix += 1
        return None
    if not reader.add(
        moment.astimezone(dt.UTC),
        float(latitude),
        float(longitude),
        quality=-1 if quality is None else int(quality),
        speed_mps=fix.get("speed_mps"),
        course_deg=fix.get("course_deg"),
    ):
        return Fault(where, reader.tally.last[1] if reader.tally.last else "is not a fix")
    return None


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.is_file() and not found.name.startswith("."))
        elif path.is_file():
            yield path
        else:
            raise NotLikeThis("There is nothing to read.", [Fault(str(path), "is neither a file nor a folder")])


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """The text of a file, also of one packed with gzip."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="latin-1", newline=None) as stream:
            yield stream
    except OSError as error:
        raise NotLikeThis("A file cannot be read.", [Fault(str(path), str(error))]) from error


def _named(path: Path) -> str:
    parents = [parent.name for parent in path.parents]
    return next((name for name in parents if name and name.lower() not in _OUT_OF_THE_WAY), path.stem)
