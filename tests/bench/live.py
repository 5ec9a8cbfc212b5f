"""How quick is the live log? 50 people write and 50 screens look on, with the real server on a PostgreSQL of its own.

    .venv/bin/python tests/bench/live.py [--seconds 30] [--workers 1] [--reconnects 1000]

Prints the 95th percentile of a write, from its press to its answer, and from a write to every other screen, first
with a press every 2 s of each writer, then as fast as they can; how many of so many reconnects missed an event; and
beside them a bare `GET /health/live` under the same load and a bare INSERT with COMMIT, as baselines.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import random
import re
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.running import Cluster, Site
from tests.wire import Broken, Wire

WRITERS = SCREENS = 50
PERIOD_S = 2.0
THING = re.compile('"thing_uuid":"([^"]*)"')  # to read all of the JSON would cost the clients more than the server


class Watched:
    """What all screens saw: when each of them got each event, and in which order."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = [[] for _ in range(SCREENS)]
        self.got: dict[str, list[float]] = {}
        self.sent: dict[str, float] = {}


def p95(values: list[float]) -> float:
    """The 95th percentile, in milliseconds."""
    return statistics.quantiles(values, n=20)[-1] * 1000 if len(values) > 1 else float("nan")


def press(writer: int) -> dict[str, Any]:
    """One press of a button of the writer's own instrument."""
    at = dt.datetime.now(dt.UTC).isoformat()
    fields = {"observed_at": at, "instrument": f"Instrument {writer}", "action": "sample"}
    return {"id": str(uuid.uuid4()), "verb": "record", "uuid": str(uuid.uuid4()), "logged_at": at, "fields": fields}


async def look(site: Site, number: int, watched: Watched) -> None:
    """One open screen."""
    wire = Wire(site.port, site.people["chief"]["token"])
    try:
        async for sequence, kind, data in wire.events(f"{site.base}/changes/stream?after=0"):
            if kind == "change":
                now = time.perf_counter()
                watched.seen[number].append(int(sequence))
                watched.got.setdefault(THING.search(data)[1], []).append(now)
    finally:
        await wire.close()


async def write(site: Site, number: int, until: float, period: float, took: list[float], watched: Watched) -> None:
    """One writer: a press each `period` seconds (0: at once after the answer) from a tablet of its own."""
    wire = Wire(site.port, site.people["watch"]["token"])
    device = {"uuid": str(uuid.UUID(int=number + 1)), "name": f"tablet {number}", "page": "log", "waiting": 1}
    due = time.perf_counter() + random.random() * period
    while due < until:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        item = press(number)
        began = time.perf_counter()
        watched.sent[item["uuid"]] = began
        device["now"] = dt.datetime.now(dt.UTC).isoformat()
        answer = await wire.request("POST", f"{site.base}/events:batch", {"device": device, "items": [item]})
        assert answer.status == 200, answer.body
        assert answer.json()["results"][0]["result"] == "done", answer.body
        took.append(time.perf_counter() - began)
        due = max(due + period, time.perf_counter())
    await wire.close()


async def idle(site: Site, until: float, took: list[float]) -> None:
    """The baseline: a request that does nothing, under the same load."""
    wire = Wire(site.port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        await wire.request("GET", "/health/live")
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)
    await wire.close()


async def load(site: Site, seconds: float, period: float) -> dict[str, float]:
    """Writers and screens for so long; the figures."""
    watched, spent = Watched(), site.cpu_seconds()
    took: list[Any] = []
    bare: list[Any] = []
    screens = [asyncio.create_task(look(site, n, watched)) for n in range(SCREENS)]
    await asyncio.sleep(2)
    until = time.perf_counter() + seconds
    writers = [write(site, n, until, period, took, watched) for n in range(WRITERS)]
    await asyncio.gather(idle(site, until, bare), *writers)
    last = (await count(site))["sequence"]
    deadline = time.perf_counter() + 20
    while any(not seen or seen[-1] < last for seen in watched.seen) and time.perf_counter() < deadline:
        await asyncio.sleep(0.1)
    for screen in screens:
        screen.cancel()
    await asyncio.gather(*screens, return_exceptions=True)
    assert all(seen == list(range(1, last + 1)) for seen in watched.seen), "a screen missed a change"
    delays = [got - began for thing, began in watched.sent.items() for got in watched.got[thing]]
    all_screens = [max(watched.got[thing]) - began for thing, began in watched.sent.items()]
    return {
        "writes": len(took),
        "writes a second": len(took) / seconds,
        "write p50": statistics.median(took) * 1000,
        "write p95": p95(took),
        "to a screen p95": p95(delays),
        "to the last screen p95": p95(all_screens),
        "health/live p95": p95(bare),
        "cpu": (site.cpu_seconds() - spent) * 1000 / max(1, len(took)),
    }


async def count(site: Site) -> Any:
    """The number of the last change."""
    return await asyncio.to_thread(site.call, f"{site.base}/events:batch", {"items": []})


async def reconnect(site: Site, times: int) -> int:
    """Screens that are cut again and again while people write; how many of them missed a change or saw one twice."""
    begun = (await count(site))["sequence"]
    seen: list[list[int]] = [[] for _ in range(SCREENS)]
    cuts = 0

    async def look_for(number: int, changes: int, seconds: float, until: int | None = None) -> None:
        last = seen[number][-1] if seen[number] else begun
        wire = Wire(site.port, site.people["chief"]["token"], {"Last-Event-ID": str(last)})
        with contextlib.suppress(Broken, ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            async with (
                asyncio.timeout(seconds),
                contextlib.aclosing(wire.events(f"{site.base}/changes/stream")) as feed,  # type: ignore[type-var]
            ):
                async for sequence, kind, _ in feed:
                    if kind == "change":
                        seen[number].append(int(sequence))
                        changes -= 1
                    if changes <= 0 or (until is not None and seen[number] and seen[number][-1] >= until):
                        break
        await wire.close()

    async def screen(number: int) -> None:
        nonlocal cuts
        chance = random.Random(number)
        while cuts < times:
            cuts += 1
            await look_for(number, chance.randint(1, 8), 0.2 + chance.random() * 2)

    screens = asyncio.gather(*(screen(n) for n in range(SCREENS)))
    while not screens.done():
        until = time.perf_counter() + 2
        await asyncio.gather(*(write(site, n, until, 1.0, [], Watched()) for n in range(10)))
    await screens
    last = (await count(site))["sequence"]
    await asyncio.gather(*(look_for(n, 10**9, 30, last) for n in range(SCREENS) if seen[n][-1:] != [last]))
    whole = list(range(begun + 1, last + 1))
    return sum(1 for one in seen if one != whole)


def bare_insert(url: str, rounds: int = 300) -> float:
    """The baseline of a write: INSERT of one small row and COMMIT, p95 in milliseconds."""
    import psycopg

    with psycopg.connect(url.replace("postgis://", "postgresql://", 1)) as connection:
        connection.execute("create table if not exists bench_row (at timestamptz, words text)")
        connection.commit()
        took = []
        for _ in range(rounds):
            began = time.perf_counter()
            connection.execute("insert into bench_row values (now(), 'CTD deploy')")
            connection.commit()
            took.append(time.perf_counter() - began)
    return p95(took)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seconds", type=float, default=30)
    words.add_argument("--workers", type=int, default=1)
    words.add_argument("--reconnects", type=int, default=1000)
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="leadline-bench-") as folder:
        cluster = Cluster(Path(folder) / "postgres")
        site = Site(Path(folder) / "home", cluster.start(), workers=given.workers)
        try:
            site.prepare()
            insert = bare_insert(site.database)
            site.start()
            print(f"{WRITERS} writers, {SCREENS} screens, {given.workers} web process(es), PostgreSQL with fsync")
            print(f"baseline: bare INSERT and COMMIT          p95 {insert:8.1f} ms")
            loads = {"a press every 2 s of each writer": PERIOD_S, "each writer as fast as it can": 0.0}
            for name, period in loads.items():
                figures = asyncio.run(load(site, given.seconds, period))
                base = figures["health/live p95"]
                print(f"\n{name}: {figures['writes']:.0f} writes, {figures['writes a second']:.1f} a second")
                print(f"  baseline: GET /health/live, same load   p95 {base:8.1f} ms")
                for kind, goal in (("write p95", 100), ("to a screen p95", 300), ("to the last screen p95", 300)):
                    value = figures[kind]
                    ratios = f"{value / base:5.1f} x health/live, {value / insert:6.1f} x INSERT"
                    print(f"  {kind:<40}    {value:8.1f} ms  (goal {goal}; {ratios})")
                print(f"  web server's processor time for each write, sent to 50 screens {figures['cpu']:.1f} ms")
                print(f"  write p50                                   {figures['write p50']:8.1f} ms")
            missed = asyncio.run(reconnect(site, given.reconnects))
            print(f"\n{given.reconnects} reconnects: {missed} of {SCREENS} screens missed or doubled a change (goal 0)")
        finally:
            site.end()
            cluster.stop()


if __name__ == "__main__":
    main()
