"""The whole way, once, on real data: what `script/pipeline` walks, step by step, with real processes beside it.

Every step asks first whether it was done: a walk that was stopped anywhere is taken up where it stopped.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
from django.conf import settings
from django.utils import timezone

from eventlog import intake as log_intake
from eventlog import logbook
from inventory import intake, profiles, review
from inventory.models import Dataset, Distribution
from portal import fleet, jobs, tokens, work
from portal.access import CONSOLE
from portal.demo.load import make_people
from portal.lifecycle import Role
from portal.models import Cruise, Operator, Person, Work
from portal.orders import intake as orders_intake
from portal.refusals import NotNow
from publishing.models import Identifier, OaiRecord, Submission

EXAMPLES = settings.BASE_DIR / "docs" / "examples"
PATIENCE_SECONDS, ATTEMPTS = 300, 3
ARCHIVE = "Example Data Centre"


@dataclass(frozen=True, slots=True)
class Example:
    """One of the two cruises: who operates it, its orders and profile, and where its data lie."""

    cruise_id: str
    code: str
    vessel: str
    operator_id: str
    operator: str
    prefix: str
    profile: str
    log: str = ""
    data: str = ""


EXAMPLE_CRUISES = (
    Example(
        "NBP1406",
        "3206",
        "Nathaniel B. Palmer",
        "gov.usap",
        "United States Antarctic Program",
        "NBP",
        "profile-palmer.json",
        data="nbp1406",
    ),
    Example(
        "EN720",
        "32EV",
        "Endeavor",
        "edu.uri.gso",
        "University of Rhode Island, Graduate School of Oceanography",
        "EN",
        "profile-endeavor.json",
        log="r2r-elog/R2R_ELOG_en720.csv",
    ),
)


class Walk:
    """Walks one cruise; `say` tells each step."""

    def __init__(self, example: Example, data: Path, people: dict[str, Person], say: Callable[[str], None]) -> None:
        self.example, self.data, self.people, self.say = example, data, people, say
        self.failures: Counter[str] = Counter()

    def go(self) -> Cruise:
        """All steps, in order. Raises NotNow where one cannot be done."""
        self._failed()  # failures of a walk that was stopped are tried again at once
        self._register()
        cruise = self._orders()
        self._log(cruise)
        distribution = self._deliver(cruise)
        self._wait("the files to be read and classified", lambda: self._state(distribution) == "classified")
        self._wait("the track to be made", lambda: distribution.tracks.exists())
        self._tell_inventory(Distribution.objects.get(pk=distribution.pk))
        self._review(cruise)
        self._wait("the record to be published", lambda: cruise.releases.exists())
        self._wait("identifiers and bags", lambda: self._staged(cruise))
        self._tell_publishing(cruise)
        self._archive(cruise)
        self._wait(
            "the identifiers to follow",
            lambda: not Identifier.objects.filter(cruise=cruise).exclude(state="registered"),
        )
        return cruise

    def _register(self) -> None:
        example = self.example
        vessel, new = fleet.register(
            code=example.code,
            name=example.vessel,
            operator_id=example.operator_id,
            operator_name=example.operator,
            prefix=example.prefix,
            by=CONSOLE,
        )
        operator = Operator.objects.get(pk=example.operator_id)
        fleet.appoint(person=self.people["operator"], role=Role.OPERATOR, operator=operator, by=CONSOLE)
        rules = profiles.from_json((EXAMPLES / example.profile).read_bytes())
        profile, _ = profiles.save(vessel=vessel, rules=rules, by=self.people["manager"], note="example")
        self.say(f"vessel {vessel} registered{'' if new else ' already'}, {profile} with {len(rules)} rules")

    def _orders(self) -> Cruise:
        name = f"orders-{self.example.cruise_id}.xml"
        known = Cruise.objects.filter(cruise_id=self.example.cruise_id).first()
        if known is not None and known.orders.exists():
            self.say("1 sailing orders: in already")
            return known
        outcome = orders_intake.submit_xml((EXAMPLES / name).read_bytes(), by=self.people["operator"])
        self.say(f"1 sailing orders: {outcome.outcome} from docs/examples/{name}")
        return Cruise.objects.get(pk=outcome.cruise.pk)

    def _log(self, cruise: Cruise) -> None:
        log = logbook.log_of(cruise)
        if log.state == "not opened":
            log = logbook.open_log(cruise=cruise, by=self.people["operator"])
        if log.state == "open" and self.example.log:
            file = self.data / self.example.log
            report = log_intake.import_events(
                log=log, name=file.name, data=file.read_bytes(), by=self.people["operator"]
            )
            self.say(f"2 event log: opened, {file.name} imported: {_counted(report.counts)}")
        if log.state == "open":
            log = logbook.close_log(cruise=cruise, by=self.people["operator"], note="as it was kept at sea")
        copies = ", ".join(f"{c.name} ({c.events} events)" for c in log.final_copies.defer("data"))
        self.say(f"2 event log: {log.state}; final copies {copies}")

    def _deliver(self, cruise: Cruise) -> Distribution:
        """What the operator's disk would hold: the data, the final copy of the log, and the manifest of md5deep."""
        folder = Path(settings.DELIVERY_ROOTS[0]) / cruise.cruise_id
        if not folder.is_dir():
            _make_delivery(folder, self.data / self.example.data if self.example.data else None, cruise)
        receipt = intake.receive(cruise=cruise, root=folder, by=self.people["operator"])
        jobs.wake_workers()
        self.say(f"3 distribution: {receipt.outcome} from {folder}")
        return receipt.distribution

    def _tell_inventory(self, distribution: Distribution) -> None:
        words = {state: row["files"] for state, row in distribution.counts().items()}
        self.say(f"3 every file read and compared: {_counted(words)}")
        sorting = distribution.classifications.order_by("-number").first()
        if sorting is not None:
            count = distribution.cruise.datasets.standing().count()
            self.say(
                f"4 classification: {count} data sets, {sorting.matched} files matched, {sorting.unmatched} left over"
            )
        track = distribution.tracks.first()
        if track is not None and track.geometry is not None:
            self.say(
                f"5 navigation: {track.good_fixes} good of {track.fixes} fixes from {track.dataset}, "
                f"{track.control_points} control points"
            )
        else:
            self.say("5 navigation: none was delivered")

    def _review(self, cruise: Cruise) -> None:
        current = cruise.reviews.current().first()
        if current is None:
            current = review.open_review(cruise=cruise, by=self.people["manager"])
        for role, name in ((Role.OPERATOR, "operator"), (Role.CHIEF_SCIENTIST, "chief")):
            if current.state == "open":
                current = review.approve(review=current, role=role, by=self.people[name])
        jobs.wake_workers()
        signed = ", ".join(f"{s.name} as {s.role}" for s in current.signatures.all())
        self.say(f"6 review: {current.state} by {signed}")

    def _staged(self, cruise: Cruise) -> bool:
        rows = Dataset.objects.filter(cruise=cruise).standing()
        ready = Submission.objects.filter(dataset__in=rows, state__in=("staged", "accessioned"))
        return rows.exists() and ready.count() == rows.count()

    def _tell_publishing(self, cruise: Cruise) -> None:
        records = OaiRecord.objects.filter(cruise=cruise).count()
        identifiers = Identifier.objects.filter(cruise=cruise)
        self.say(f"7 publishing: release {cruise.releases.count()}, {records} OAI-PMH records")
        own = identifiers.get(dataset=None)
        self.say(f"8 identifiers: {identifiers.count()} at {settings.REGISTRAR_URL}, the cruise has {own}")
        bags = Submission.objects.filter(dataset__cruise=cruise)
        self.say(f"8 archive: {bags.count()} bags packed, validated and staged in {settings.STAGING}")

    def _archive(self, cruise: Cruise) -> None:
        """The archive's side: fetches each bag's seal over HTTP, and tells its accession by the callback."""
        rows = list(Submission.objects.filter(dataset__cruise=cruise, state="staged").order_by("pk"))
        if not rows:
            return
        token, secret = tokens.issue(
            person=self.people["manager"],
            name="archive of script/pipeline",
            scopes=["archive:fetch", "archive:accession"],
            by=CONSOLE,
            expires_at=timezone.now() + dt.timedelta(hours=1),
        )
        headers = {"Authorization": f"Bearer {secret}"}
        for row in rows:
            try:
                _tell_accession(row, headers)
            except requests.RequestException as error:
                raise NotNow(f"The archive's call about {row.dataset} failed: {error}") from error
        tokens.revoke(token=token, by=CONSOLE, note="the walk is over")
        self.say(f"8 archive: {ARCHIVE} accessioned {len(rows)} data sets by the callback")

    def _failed(self) -> list[Work]:
        """Work for this cruise that failed since the last look; it is tried again without the usual pause."""
        rows = list(Work.objects.filter(cruise__cruise_id=self.example.cruise_id, state="failed"))
        for row in rows:
            work.wake(row.door, row.key)
        return rows

    def _state(self, distribution: Distribution) -> str:
        return str(Distribution.objects.values_list("state", flat=True).get(pk=distribution.pk))

    def _wait(self, what: str, ready: Callable[[], object]) -> None:
        """Waits for the workers. Raises NotNow with their own words when a piece of work failed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        told = False
        while not ready():
            if not told:
                self.say(f"  waiting for {what}")
                told = True
            for row in self._failed():
                self.failures[row.label] += 1
                if self.failures[row.label] > ATTEMPTS:
                    raise NotNow(f"{row.label} failed: {row.message}")
            if time.monotonic() > deadline:
                raise NotNow(f"Waited {PATIENCE_SECONDS} s for {what}. Look at the work page.")
            jobs.wake_workers()
            time.sleep(0.5)


def _tell_accession(row: Submission, headers: dict[str, str]) -> None:
    """What an archive does: fetches the bag's seal, and tells under which number it keeps the data."""
    base = f"http://127.0.0.1:{settings.PORT}/api/v1/submissions/{row.uuid}"
    seal = requests.get(f"{base}/bag/tagmanifest-sha256.txt", headers=headers, timeout=60)
    seal.raise_for_status()
    number = f"EX{int(hashlib.sha256(row.cruise.cruise_id.encode()).hexdigest()[:6], 16):08d}"
    told = {
        "archive": ARCHIVE,
        "accession": number,
        "version": "1.1",
        "landing_url": f"https://archive.example/accession/{number}/{row.dataset.identifier.doi}",
        "checksum": hashlib.sha256(seal.content).hexdigest(),
    }
    requests.put(f"{base}/accession", headers=headers, json=told, timeout=60).raise_for_status()


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def _make_delivery(folder: Path, source: Path | None, cruise: Cruise) -> None:
    """Makes the delivered directory beside its place, and moves it there whole."""
    making = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    if source is not None:
        shutil.copytree(source, making, dirs_exist_ok=True)
        for path in making.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
    (making / "eventlog").mkdir(exist_ok=True)
    for copy in logbook.log_of(cruise).final_copies.all():
        with (making / "eventlog" / copy.name).open("wb") as file:
            file.writelines(logbook.bytes_of(copy))
    manifest = making.with_name(f"{making.name}.md5")
    program = shutil.which("md5deep")
    if program is None:
        raise NotNow("md5deep is not installed; install the package hashdeep.")
    with manifest.open("wb") as stream:
        subprocess.run([program, "-r", "-l", "-z", "-t", "."], cwd=making, stdout=stream, check=True)  # noqa: S603
    manifest.rename(making / f"md5deep_{cruise.cruise_id}.txt")
    making.rename(folder)


def walk(data: Path, say: Callable[[str], None]) -> list[Cruise]:
    """Walks both example cruises with the data of `data`. Raises NotNow in production, or where data are missing."""
    if settings.MODE == "production":
        raise NotNow("The examples use the demonstration's accounts; they are not walked in production.")
    for example in EXAMPLE_CRUISES:
        for part in (example.data, example.log):
            if part and not (data / part).exists():
                raise NotNow(f"{data / part} is missing; name the folder that holds nbp1406 and r2r-elog.")
    people = make_people()
    cruises = []
    for example in EXAMPLE_CRUISES:
        say(f"{example.cruise_id} on {example.vessel}")
        cruises.append(Walk(example, data, people, lambda text: say(f"  {text}")).go())
    return cruises
