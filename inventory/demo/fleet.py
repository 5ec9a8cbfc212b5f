"""Any number of cruises with any number of files, as rows without bytes: for load tests of lists and searches."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Iterator

from django.db import transaction
from django.utils import timezone

from inventory.models import Dataset, Distribution, File
from inventory.staging import path_key
from portal import fleet
from portal.access import CONSOLE
from portal.demo.geography import REGIONS
from portal.models import Cruise, Party, Port, Vessel

BATCH = 5000
FEEDS = ("gnss", "ins", "gyro", "singlebeam", "metstation", "tsg", "pco2", "winch", "multibeam", "adcp", "ctd")
FIRST_DAY = dt.date(2004, 1, 5)


def fill(cruises: int, files_per_cruise: int, say: Callable[[str], None]) -> None:
    """Adds cruises LT00001, LT00002, … up to the number asked for; those that are there stay.

    Their files have paths, sizes and hashes, and no bytes anywhere: they cannot be verified, packed or released.
    """
    vessels = _vessels(max(1, min(40, cruises // 25)))
    ports = _ports()
    for number in range(1, cruises + 1):
        cruise_id = f"LT{number:05d}"
        if Cruise.objects.filter(cruise_id=cruise_id).exists():
            continue
        with transaction.atomic():
            cruise = _cruise(cruise_id, number, vessels[number % len(vessels)], ports)
            _files(cruise, files_per_cruise)
        if number % 50 == 0:
            say(f"  {number:,} cruises")


def _vessels(count: int) -> list[Vessel]:
    return [
        fleet.register(
            code=f"ZL{number:02d}",
            name=f"Load Test {number:02d}",
            operator_id="example.loadtest",
            operator_name="Load Test Fleet",
            prefix="LT",
            by=CONSOLE,
        )[0]
        for number in range(count)
    ]


def _ports() -> list[Port]:
    calls = {call.port_id: call for region in REGIONS for call in (region.depart, region.arrive)}
    return [
        Port.objects.get_or_create(pk=c.port_id, defaults={"name": c.port_name, "country": c.country_id})[0]
        for c in calls.values()
    ]


def _cruise(cruise_id: str, number: int, vessel: Vessel, ports: list[Port]) -> Cruise:
    region = REGIONS[number % len(REGIONS)]
    depart = FIRST_DAY + dt.timedelta(days=(number * 37) % 8000)
    now = timezone.now()
    cruise = Cruise.objects.create(
        cruise_id=cruise_id,
        title=f"{region.title} ({number})",
        summary=region.summary,
        vessel=vessel,
        depart_date=depart,
        depart_port=ports[number % len(ports)],
        arrive_date=depart + dt.timedelta(days=12 + number % 23),
        arrive_port=ports[(number + 3) % len(ports)],
        state="ended",
        since=now,
        public_at=now,
    )
    Party.objects.create(cruise=cruise, family_name=f"Tester {number % 97}", role="scientist_chief", institution="Load")
    return cruise


def _files(cruise: Cruise, count: int) -> None:
    now = timezone.now()
    distribution = Distribution.objects.create(
        cruise=cruise,
        number=1,
        state="classified",
        since=now,
        root="/nonexistent/load-test",
        manifest_name="load.md5",
        manifest_sha256="0" * 64,
        manifest_dialect="md5deep",
        fingerprint=hashlib.sha256(cruise.cruise_id.encode()).hexdigest(),
        received_at=now,
        received_by="load test",
        verified_at=now,
    )
    datasets = [
        Dataset.objects.create(cruise=cruise, device_class=feed, make="Load", model="Test", label=feed, since=now)
        for feed in FEEDS
    ]
    batch: list[File] = []
    for file in _rows(distribution, datasets, count):
        batch.append(file)
        if len(batch) == BATCH:
            File.objects.bulk_create(batch)
            batch = []
    File.objects.bulk_create(batch)


def _rows(distribution: Distribution, datasets: list[Dataset], count: int) -> Iterator[File]:
    """Files spread over the feeds; the hash is of the path, so it is the same at every making."""
    day = distribution.cruise.depart_date
    for number in range(count):
        dataset = datasets[number % len(datasets)]
        directory = f"data/{dataset.label}/raw/{day + dt.timedelta(days=number % 30)}"
        name = f"{distribution.cruise.cruise_id}_{dataset.label}_{number:07d}.raw"
        path = f"{directory}/{name}"
        key = path_key(path)
        digest = uuid.UUID(int=key.int ^ 0xFFFF).hex
        size = 1000 + (key.int % 5_000_000)
        yield File(
            distribution=distribution,
            path=path,
            path_key=key,
            directory=directory,
            name=name,
            size=size,
            delivered_size=size,
            delivered_md5=digest,
            md5=digest,
            sha256=digest + digest,
            state="matched",
            dataset=dataset,
        )
