"""Is anything lost or doubled? 10 tablets log 6 hours without a network and are killed in mid-send, with a real server.

    .venv/bin/python tests/bench/offline.py [--clients 10] [--hours 6] [--kills 8] [--embedded]

Each tablet is a process of its own with a durable append-only queue (a file, fsync after each item) and a simulated
clock; the server is the real one on a PostgreSQL of its own (or SpatiaLite). When the network is back all send at
once. They are killed with SIGKILL again and again: after some bytes of a request, or after the request and before
its answer is read; and started again on the same queue. The server is killed once too. At the end every item that was
queued must stand in the log exactly once, with the values of its last edit. Prints the seconds beside a run without
kills as the baseline.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.running import Cluster, Site
from tests.wire import Broken, Wire

BATCH = 50
PRESS_EVERY_S = 180.0  # of simulated time, on average


def fill(queue: Path, number: int, hours: float) -> None:
    """What a tablet queues in so many simulated hours: presses, details typed after, some undone."""
    chance = random.Random(number)
    at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
    end, offset = dt.datetime.now(dt.UTC), chance.uniform(-300, 300)
    with queue.open("a", encoding="ascii") as file:
        while (at := at + dt.timedelta(seconds=chance.expovariate(1 / PRESS_EVERY_S))) < end:
            for item in press(chance, number, at, offset):
                file.write(json.dumps(item) + "\n")
                file.flush()
                os.fsync(file.fileno())


def press(chance: random.Random, number: int, at: dt.datetime, offset: float) -> list[dict[str, Any]]:
    """A press, and what is done with it afterwards."""
    uuid_, clock = str(uuid.UUID(int=chance.getrandbits(128))), {"offset_s": round(offset, 3), "corrected": True}

    def item(verb: str, seconds: float, **more: Any) -> dict[str, Any]:
        stamped = (at + dt.timedelta(seconds=seconds)).isoformat()
        change = str(uuid.UUID(int=chance.getrandbits(128)))
        return {"id": change, "verb": verb, "uuid": uuid_, "logged_at": stamped, "clock": clock} | more

    fields = {"observed_at": at.isoformat(), "instrument": f"Net {number}", "action": "sample", "comment": ""}
    items = [item("record", 0, fields=fields)]
    items += [
        item("revise", 30 + edit, seen=1, fields={"comment": f"{number}/{edit} {uuid_}"})
        for edit in range(chance.choice((0, 0, 1, 2)))
    ]
    if chance.random() < 0.05:
        items.append(item("undo", 60))
    return items


async def send(site: Site, folder: Path, number: int, chance: random.Random, kills: int) -> None:
    """Sends the queue of a tablet; with `kills` it kills its own process at a random place of some requests."""
    queue = [json.loads(line) for line in (folder / f"queue-{number}").read_text().splitlines()]
    done_file = folder / f"done-{number}"
    done = set(done_file.read_text().split()) if done_file.exists() else set()
    waiting = [item for item in queue if item["id"] not in done]
    device = {"uuid": str(uuid.UUID(int=number + 1)), "name": f"tablet {number}", "page": "log"}
    wire = Wire(site.port, site.people["watch"]["token"])
    while waiting:
        now, some = waiting[0], waiting[: chance.randint(1, BATCH)]
        own = {item["uuid"]: [i["id"] for i in queue if i["uuid"] == item["uuid"]] for item in some}
        for item in some:
            item["mine"] = own[item["uuid"]]
        body = {"device": device | {"waiting": len(waiting), "now": now["logged_at"]}, "items": some}
        try:
            if kills and chance.random() < 0.5:
                await _die(wire, site, body, chance)
            answer = await wire.request("POST", f"{site.base}/events:batch", body)
        except (Broken, OSError):
            await wire.close()
            await asyncio.sleep(0.2)
            continue
        if answer.status != 200:
            await asyncio.sleep(0.2)
            continue
        results = answer.json()["results"]
        bad = [result for result in results if result["result"] not in ("done", "known")]
        assert not bad, bad[0]
        with done_file.open("a", encoding="ascii") as file:
            file.writelines(result["id"] + "\n" for result in results)
            file.flush()
            os.fsync(file.fileno())
        waiting = waiting[len(some) :]
    await wire.close()


async def _die(wire: Wire, site: Site, body: Any, chance: random.Random) -> None:
    """Killed in mid-send: after some bytes, or after all of them and before the answer is read."""
    await wire._connect()
    assert wire.writer is not None
    words = wire.words("POST", f"{site.base}/events:batch", body)
    whole = chance.random() < 0.5
    wire.writer.write(words if whole else words[: chance.randint(1, len(words) - 1)])
    await wire.writer.drain()
    await asyncio.sleep(chance.random() * 0.3)
    os.kill(os.getpid(), signal.SIGKILL)


def tablet(given: argparse.Namespace) -> None:
    """The program of one tablet: `--tablet N` of this file."""
    site = Site(Path("/nonexistent"), port=given.port, people={"watch": {"token": given.token}})
    chance = random.Random(f"{given.tablet} {given.kills} {time.time_ns()}")
    asyncio.run(send(site, Path(given.folder), given.tablet, chance, given.kills))


def run(site: Site, folder: Path, clients: int, kills: int, *, kill_server: bool) -> tuple[float, int]:
    """All tablets send at once until all queues are empty; (seconds, kills)."""
    began, killed, left = time.perf_counter(), 0, dict.fromkeys(range(clients), kills)
    processes = {n: _start(site, folder, n, kills) for n in left}
    while processes:
        time.sleep(0.05)
        if kill_server and killed > clients:
            kill_server = False
            assert site.web is not None
            os.killpg(site.web.pid, signal.SIGKILL)
            site.web.wait()
            site.start()
        for n, process in list(processes.items()):
            if (code := process.poll()) is None:
                continue
            del processes[n]
            if code == -signal.SIGKILL:
                killed, left[n] = killed + 1, left[n] - 1
                processes[n] = _start(site, folder, n, max(0, left[n]))
            else:
                assert code == 0, f"tablet {n} ended with {code}"
    return time.perf_counter() - began, killed


def _start(site: Site, folder: Path, number: int, kills: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, __file__, "--tablet", str(number), "--folder", str(folder), "--kills", str(kills)]
    return subprocess.Popen([*words, "--port", str(site.port), "--token", site.people["watch"]["token"]])


def compare(site: Site, folder: Path, clients: int) -> tuple[int, int, int, int]:
    """(items queued, lost, doubled, differing) by reading the whole change feed and the events."""
    queued = [json.loads(line) for n in range(clients) for line in (folder / f"queue-{n}").read_text().splitlines()]
    found: list[dict[str, Any]] = []
    after, more = 0, True
    while more:
        page = site.call(f"{site.base}/changes?after={after}&limit=1000")
        found += [change for change in page["changes"] if change["thing"] == "event"]
        after, more = page["sequence"], page["more"]
    ids = [change["uuid"] for change in found]
    lost = sum(1 for item in queued if item["id"] not in set(ids))
    doubled = len(ids) - len(set(ids)) + (len([c for c in found if c["verb"] == "record"]) - _count(queued, "record"))
    rows = {change["thing_uuid"]: change["row"] for change in found}
    differing = 0
    for uuid_ in {item["uuid"] for item in queued}:
        own = [item for item in queued if item["uuid"] == uuid_]
        edits = [item["fields"]["comment"] for item in own if item["verb"] == "revise"]
        undone = own[-1]["verb"] == "undo"
        comment = edits[-1] if edits and not undone else (edits[-2] if undone and len(edits) > 1 else "")
        row = rows.get(uuid_)
        differing += row is None or row["comment"] != comment or row["struck"] != (undone and not edits)
    return len(queued), lost, doubled, differing


def _count(items: list[dict[str, Any]], verb: str) -> int:
    return sum(1 for item in items if item["verb"] == verb)


def trial(root: Path, database: str, given: argparse.Namespace, kills: int) -> tuple[float, int, tuple[int, ...]]:
    """One run from an empty database: (seconds, kills, (queued, lost, doubled, differing))."""
    site = Site(root / "home", database)
    folder = root / "tablets"
    folder.mkdir(parents=True)
    for number in range(given.clients):
        fill(folder / f"queue-{number}", number, given.hours)
    site.prepare()
    site.start()
    try:
        seconds, killed = run(site, folder, given.clients, kills, kill_server=bool(kills))
        return seconds, killed, compare(site, folder, given.clients)
    finally:
        site.end()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--clients", type=int, default=10)
    words.add_argument("--hours", type=float, default=6)
    words.add_argument("--kills", type=int, default=8, help="of each tablet, at most")
    words.add_argument("--embedded", action="store_true", help="SpatiaLite instead of PostgreSQL")
    for name, kind in (("tablet", int), ("folder", str), ("port", int), ("token", str)):
        words.add_argument(f"--{name}", type=kind, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.tablet is not None:
        return tablet(given)
    with tempfile.TemporaryDirectory(prefix="leadline-bench-") as place:
        cluster = None if given.embedded else Cluster(Path(place) / "postgres")
        url = cluster.start("calm") if cluster else ""
        try:
            calm, _, _ = trial(Path(place) / "calm", url, given, 0)
            if cluster:
                url = cluster.add("killed")
            seconds, killed, counts = trial(Path(place) / "killed", url, given, given.kills)
        finally:
            if cluster:
                cluster.stop()
    queued, lost, doubled, differing = counts
    print(f"{given.clients} tablets, {given.hours:g} simulated hours without a network, {queued} items queued")
    print(f"killed {killed} times in mid-send, and the server once: {seconds:.1f} s until all was sent")
    print(f"baseline, nobody killed: {calm:.1f} s; ratio {seconds / calm:.1f}")
    print(f"lost {lost}, doubled {doubled}, not as last edited {differing} (goal 0, 0, 0)")
    sys.exit(1 if lost or doubled or differing else 0)


if __name__ == "__main__":
    main()
