"""The log live, with a real server: streams, reconnects, several processes, and a server that stops with open streams.

Once on the embedded default, once on PostGIS with two web processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.conftest import _database, free_port
from tests.running import Site
from tests.wire import Broken, Wire
from tests.wire import run as run_wired

pytestmark = pytest.mark.flow


@pytest.fixture(params=["embedded", "postgis"], scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("live")
    if request.param == "embedded":
        made = Site(home)
    else:
        url = os.environ.get("POSTGIS_URL")
        if not url:
            pytest.skip("no PostGIS: POSTGIS_URL is set by script/test")
        name = f"live_{os.getpid()}_{free_port()}"
        _database(url, f"CREATE DATABASE {name}")
        made = Site(home, url.rpartition("/")[0] + f"/{name}", workers=2)
    made.prepare()
    made.start()
    yield made
    made.end()
    if request.param == "postgis":
        _database(url, f"DROP DATABASE {name} WITH (FORCE)")


def press(instrument: str = "Bucket") -> dict[str, Any]:
    at = dt.datetime.now(dt.UTC).isoformat()
    fields = {"observed_at": at, "instrument": instrument, "action": "sample"}
    return {"id": str(uuid.uuid4()), "verb": "record", "uuid": str(uuid.uuid4()), "logged_at": at, "fields": fields}


def batch(site: Site, values: list[dict[str, Any]]) -> Any:
    return site.call(site.base + "/events:batch", {"items": values})


async def follow(site: Site, who: str, seen: list[int], until: int, query: str = "") -> None:
    """Follows the feed, cut again and again, until the number is seen."""
    chance = random.Random(who + query)
    while not seen or seen[-1] < until:
        wire = Wire(site.port, site.people[who]["token"], {"Last-Event-ID": str(seen[-1] if seen else 0)})
        left = chance.randint(1, 12)
        with contextlib.suppress(Broken, ConnectionError, asyncio.IncompleteReadError):
            async for number, kind, data in wire.events(f"{site.base}/changes/stream{query}"):
                if kind == "change":
                    assert json.loads(data)["sequence"] == int(number)
                    seen.append(int(number))
                    left -= 1
                    if not left or seen[-1] >= until:
                        break
        await wire.close()


def test_every_screen_sees_everything_once_and_in_order(site: Site):
    async def run() -> list[list[int]]:
        screens: list[list[int]] = [[] for _ in range(6)]
        first = batch(site, [press() for _ in range(20)])
        begun = first["sequence"] - 20
        follows = [
            asyncio.create_task(follow(site, "watch" if n % 2 else "chief", seen, begun + 120, f"?n={n}"))
            for n, seen in enumerate(screens)
        ]
        for _ in range(20):
            await asyncio.to_thread(batch, site, [press() for _ in range(5)])
        await asyncio.wait_for(asyncio.gather(*follows), 60)
        return [*screens, list(range(1, begun + 121))]

    *screens, whole = run_wired(run())
    for seen in screens:
        assert seen == whole


def test_a_screen_that_saw_more_than_there_is_starts_anew_and_strangers_are_refused(site: Site):
    batch(site, [press()])

    async def run() -> tuple[list[str], int, int]:
        wire = Wire(site.port, site.people["watch"]["token"])
        kinds = []
        async for _, kind, _ in wire.events(f"{site.base}/changes/stream?after=500"):
            kinds.append(kind)
            if "reset" in kinds:
                break
        await wire.close()
        stranger = await Wire(site.port, site.people["stranger"]["token"]).request("GET", f"{site.base}/changes/stream")
        nonsense = await Wire(site.port, site.people["watch"]["token"]).request(
            "GET", f"{site.base}/changes/stream?device=x"
        )
        return kinds, stranger.status, nonsense.status

    kinds, stranger, nonsense = run_wired(run())
    assert "reset" in kinds
    assert (stranger, nonsense) == (404, 422)


def test_a_stream_tells_who_is_there_and_stops_with_the_server(site: Site):
    tablet = str(uuid.uuid4())

    async def run() -> tuple[dict[str, Any], float]:
        wire = Wire(site.port, site.people["watch"]["token"])
        told: dict[str, Any] = {}
        path = f"{site.base}/changes/stream?device={tablet}&name=deck&page=log"
        async for _, kind, data in wire.events(path):
            told[kind] = json.loads(data)
            if {"time", "presence"} <= set(told):
                break
        # The stream is still open while the server is told to stop.
        took = await asyncio.to_thread(site.stop)
        await wire.close()
        return told, took

    told, took = run_wired(run())
    assert told["presence"] == [{"name": "Sam Keane", "device": "deck", "uuid": tablet, "page": "log", "waiting": 0}]
    assert took < 4
