"""The station hears real sockets and growing files, outlives the database and its sources, and loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import queue
import socket
import threading
from concurrent.futures import Executor, Future
from pathlib import Path

import pytest
from django.db import OperationalError

from eventlog.models import Feed, Fix, Sample
from eventlog.navigation import store
from eventlog.navigation.receiver import sources
from eventlog.navigation.receiver import station as station_module
from eventlog.navigation.receiver.spool import Heard, Spool
from eventlog.navigation.receiver.station import Station
from tests import make

NOW = dt.datetime.now(dt.UTC)


def gga(second: int) -> bytes:
    clock = f"{NOW + dt.timedelta(seconds=second):%H%M%S}.00"
    body = f"GPGGA,{clock},3600.000,N,0250{second % 10}.000,W,1,09,0.9,1.0,M,0.0,M,,"
    total = 0
    for character in body.encode():
        total ^= character
    return f"${body}*{total:02X}\r\n".encode()


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def until(true, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def kept_connection(monkeypatch):
    """The connection of a test is in its transaction, which Django would take for a stale one."""
    monkeypatch.setattr(station_module, "close_old_connections", lambda: None)


class Here(Executor):
    """Runs what is submitted in the thread of the test, where its database connection lives."""

    def __init__(self) -> None:
        self.work: queue.Queue = queue.Queue()

    def submit(self, function, /, *given, **more):
        done: Future = Future()
        self.work.put((done, functools.partial(function, *given, **more)))
        return done

    def serve(self, thread: threading.Thread) -> None:
        while thread.is_alive() or not self.work.empty():
            with contextlib.suppress(queue.Empty):
                done, function = self.work.get(timeout=0.05)
                try:
                    done.set_result(function())
                except Exception as error:
                    done.set_exception(error)


def run(folder: Path, act) -> None:
    """Runs a station in a thread of its own while `act(station)` does, and lets both end."""
    here, failed = Here(), []

    async def both() -> None:
        station, stop = Station(folder, flush_s=0.05, look_s=0.1, thread=here), asyncio.Event()
        work = asyncio.create_task(station.run(stop))
        try:
            await act(station)
        except BaseException as error:
            failed.append(error)
        finally:
            stop.set()
            await work

    thread = threading.Thread(target=lambda: asyncio.run(both()))
    thread.start()
    here.serve(thread)
    thread.join()
    if failed:
        raise failed[0]


def test_the_wrappings_of_a_sentence_are_taken_off():
    assert sources.clean(b"UdPbC\x00\\s:GP0001,n:1*1A\\$GPGGA,1\r\n") == b"$GPGGA,1"
    assert sources.clean(b"gp02 2014-08-01T00:00:00.316000Z $GPZDA,000000") == b"$GPZDA,000000"
    assert sources.clean(b"3.5kHz,4396.03,1,,,,1500,-22.0,-17.9\n") == b"3.5kHz,4396.03,1,,,,1500,-22.0,-17.9"


def test_the_spool_keeps_the_order_and_gives_its_room_back(tmp_path):
    spool = Spool(tmp_path)
    assert not spool
    heard = [Heard(1, NOW + dt.timedelta(seconds=n), b"line %d" % n) for n in range(5)]
    spool.put(heard[:3])
    spool.put(heard[3:])
    again = Spool(tmp_path)
    lines, end = again.head()
    assert lines == heard
    again.taken(end)
    assert not again
    assert list(tmp_path.iterdir()) == []


def test_a_full_spool_says_so(tmp_path):
    spool = Spool(tmp_path, most_bytes=100)
    spool.put([Heard(1, NOW, b"x" * 80)] * 2)
    assert spool.dropped == 2


@pytest.mark.django_db
def test_udp_tcp_and_a_growing_file(tmp_path):
    udp, tcp, file = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM), tmp_path / "gps.raw"
    for name, kind, address in (
        ("udp", "udp", f"127.0.0.1:{udp}"),
        ("tcp", "tcp", f"127.0.0.1:{tcp}"),
        ("file", "file", str(file)),
    ):
        Feed.objects.create(vessel=make.vessel(), name=name, kind=kind, address=address)
    clients: list[asyncio.StreamWriter] = []

    async def serve(_, writer: asyncio.StreamWriter) -> None:
        clients.append(writer)
        writer.write(gga(len(clients)))
        await writer.drain()

    async def act(station: Station) -> None:
        await asyncio.sleep(0.3)  # the TCP server is not there yet
        server = await asyncio.start_server(serve, "127.0.0.1", tcp)
        file.write_bytes(gga(1) + b"2026-03-03T12:00:00.000000Z " + gga(2) + gga(3)[:20])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            await asyncio.sleep(0.3)
            out.sendto(gga(1) + gga(2) + b"$GPGGA,broken*00\r\n" + b"$SDDPT,100.0,0.0*56\r\n", ("127.0.0.1", udp))
        await until(lambda: clients)
        clients[0].close()  # the station connects again
        await until(lambda: len(clients) > 1)
        with file.open("ab") as more:
            more.write(gga(3)[20:])
        await until(lambda: station.stored >= 4 + 2 + 3)
        for writer in clients:
            writer.close()
        server.close()

    run(tmp_path / "spool", act)
    counts = {feed.name: feed.fixes.count() for feed in Feed.objects.all()}
    assert counts == {"udp": 2, "tcp": 2, "file": 3}
    heard = Feed.objects.get(name="udp")
    assert heard.health["counts"]["refused"] == {"the checksum does not agree": 1}
    assert Sample.objects.get().value == 100.0
    assert heard.last_at is not None


@pytest.mark.django_db
def test_an_outage_of_the_database_is_outlived_even_over_a_restart(tmp_path, monkeypatch):
    udp = free_port(socket.SOCK_DGRAM)
    Feed.objects.create(vessel=make.vessel(), name="udp", kind="udp", address=f"127.0.0.1:{udp}")
    keep, down = store.keep, [True]

    def broken(*given, **more):
        if down[0]:
            raise OperationalError("server closed the connection unexpectedly")
        return keep(*given, **more)

    monkeypatch.setattr(store, "keep", broken)

    async def send(station: Station, first: int) -> None:
        await asyncio.sleep(0.3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for second in range(first, first + 20):
                out.sendto(gga(second), ("127.0.0.1", udp))
        await until(lambda: station.spool.size() > 20 * 60)

    run(tmp_path, lambda station: send(station, 0))
    assert not Fix.objects.exists()
    down[0] = False
    run(tmp_path, lambda station: until(lambda: not station.spool))
    assert Fix.objects.count() == 20


@pytest.mark.django_db
def test_a_station_that_starts_without_its_database_listens_to_what_it_knew(tmp_path, monkeypatch):
    udp = free_port(socket.SOCK_DGRAM)
    Feed.objects.create(vessel=make.vessel(), name="udp", kind="udp", address=f"127.0.0.1:{udp}")

    async def known(station: Station) -> None:
        await until(lambda: station._tasks)

    run(tmp_path, known)
    down, look = [True], Feed.objects.filter

    def away(*given, **more):
        if down[0]:
            raise OperationalError("connection refused")
        return look(*given, **more)

    monkeypatch.setattr(Feed.objects, "filter", away)
    keep = store.keep
    monkeypatch.setattr(store, "keep", lambda *given, **more: away() and keep(*given, **more))

    async def send(station: Station) -> None:
        await until(lambda: station._tasks)
        await asyncio.sleep(0.3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(gga(1), ("127.0.0.1", udp))
        await until(lambda: station.spool.size() > 60)

    run(tmp_path, send)
    monkeypatch.undo()
    monkeypatch.setattr(station_module, "close_old_connections", lambda: None)
    run(tmp_path, lambda station: until(lambda: not station.spool))
    assert Fix.objects.count() == 1


@pytest.mark.django_db
def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        feed = Feed.objects.create(vessel=make.vessel(), name="udp", kind="udp", address=f"127.0.0.1:{port}")

        async def act(station: Station) -> None:
            await until(lambda: station._told.get(feed.pk))

        run(tmp_path, act)
        feed.refresh_from_db()
        assert "cannot listen" in feed.health["trouble"]
