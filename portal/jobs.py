"""Jobs: RQ runs what the work lists hold. The row is the queue; Valkey only wakes the workers.

A sweep each minute looks at every door's work list, so a missed wake-up, a crash and the normal path are one.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Iterable
from itertools import islice
from typing import Final

import django_rq
import structlog
from django.db import OperationalError, close_old_connections, transaction
from django.utils import timezone
from redis.exceptions import RedisError
from rq.job import Job

from portal import floor, work

logger = structlog.stdlib.get_logger("leadline.jobs")
QUICK, LONG = "quick", "long"
SWEEP_KEY, SWEEP_SECONDS = "leadline:swept", 60
WORKERS_ALIVE_SECONDS = 120
BATCH = 500
TURN: Final = 600.0  # s after which a worker lets other work pass, where what it does can keep its place


def soon() -> None:
    """After the commit: sweep at once. A queue that cannot be reached only delays it to the next minute."""
    transaction.on_commit(wake_workers, robust=True)


def wake_workers() -> None:
    """Queues a sweep now, unless one waits already. A queue that cannot be reached is only logged."""
    try:
        queue = django_rq.get_queue(QUICK)
        if not _pending(queue, "sweep-soon"):
            queue.enqueue(sweep, job_id="sweep-soon", result_ttl=60)
    except RedisError as error:
        logger.warning("queue not reached", error=str(error))


def sweep() -> None:
    """Takes back what dead workers left, and queues everything that waits behind any door.

    While the embedded database is held by a long writer nothing is taken back; the sweep of the next minute does it.
    """
    close_old_connections()
    try:
        work.take_back()
    except OperationalError as error:
        logger.warning("nothing taken back", error=str(error))
    for door in floor.doors().values():
        queue = django_rq.get_queue(LONG if door.long else QUICK)
        keys = list(islice(door.waiting(), BATCH))
        for key in reversed(keys) if door.awaited else keys:  # each goes before the last one
            job_id = f"{door.name}-{key}".replace(".", "-").replace(":", "-")
            if not (work.running(door.name, key) or work.resting(door.name, key) or _pending(queue, job_id)):
                kept = {"result_ttl": 60, "failure_ttl": 3600}
                first = door.awaited and not work.gave_way(door.name, key)
                queue.enqueue(open_door, door.name, key, job_id=job_id, at_front=first, **kept)
    django_rq.get_connection(QUICK).set(SWEEP_KEY, timezone.now().isoformat(), ex=3600)


def open_door(name: str, key: str) -> None:
    """What RQ calls: claims one piece of work and does it. Nothing happens when another worker is at it."""
    close_old_connections()
    structlog.contextvars.bind_contextvars(request_id=f"job-{name}-{key}"[:64])
    try:
        if perform(name, key, turn=TURN):
            soon()  # what this made possible need not wait for the minute
    finally:
        structlog.contextvars.clear_contextvars()


def perform(name: str, key: str, *, turn: float = math.inf) -> bool:
    """Claims and does one piece of work here and now; says whether it was done, or as much as `turn` seconds allow."""
    door = floor.doors()[name]
    try:
        progress = work.Progress.claim(name, key, label=door.says)
    except work.Taken:
        return False
    progress.until = time.monotonic() + turn
    with progress:
        door.run(key, progress)
    progress.row.refresh_from_db()
    return progress.row.state == "done"


def drain(names: Iterable[str] = (), rounds: int = 20) -> int:
    """Does everything that waits behind these doors (none named: all), in this process; returns how many pieces.

    For commands and tests. Failed pieces rest as they do for workers.
    """
    count, wanted = 0, frozenset(names)
    for _ in range(rounds):
        done = 0
        for door in [found for name, found in floor.doors().items() if not wanted or name in wanted]:
            for key in list(door.waiting()):
                if not work.resting(door.name, key):
                    done += perform(door.name, key)
        count += done
        if not done:
            break
    return count


def health() -> dict[str, object]:
    """Whether the queue answers, how many workers live, and how long ago the last sweep was, in seconds."""
    started = time.monotonic()
    try:
        connection = django_rq.get_connection(QUICK)
        connection.ping()
        answer = round(time.monotonic() - started, 4)
        alive = [w for w in django_rq.workers.get_worker_class().all(connection=connection) if _alive(w)]
        swept = connection.get(SWEEP_KEY)
    except RedisError as error:
        return {"queue": f"not reached: {type(error).__name__}", "workers": 0, "swept_seconds_ago": None}
    age = None
    if swept:
        age = (timezone.now() - dt.datetime.fromisoformat(swept.decode())).total_seconds()
    return {"queue": "ok", "queue_seconds": answer, "workers": len(alive), "swept_seconds_ago": age}


def _alive(worker: object) -> bool:
    beat: dt.datetime | None = getattr(worker, "last_heartbeat", None)
    return beat is not None and timezone.now() - beat < dt.timedelta(seconds=WORKERS_ALIVE_SECONDS)


def _pending(queue: object, job_id: str) -> bool:
    """Whether this job stands in the queue and has not begun."""
    try:
        status = Job.fetch(job_id, connection=django_rq.get_connection(QUICK)).get_status()
    except Exception:
        return False  # no such job: RQ raises NoSuchJobError, or AttributeError for a half-expired one
    return str(getattr(status, "value", status)) in ("queued", "deferred", "scheduled")
