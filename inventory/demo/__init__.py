"""The demonstration's distribution: made, received, verified, classified, reviewed."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
from pathlib import Path

from eventlog import logbook
from eventlog.models import Log
from inventory import holds, intake, manifests, profiles, review
from inventory.demo import feeds
from inventory.demo.fleet import fill
from inventory.manifests import Entry
from inventory.models import Dataset
from inventory.profiles import RuleText
from portal import jobs
from portal.demo.clock import as_of
from portal.floor import Plan
from portal.lifecycle import Role

__all__ = ["deliver", "fill"]

RAW = "openrvdas/raw/"
RULES = [
    RuleText("science/**", exclude=True),
    RuleText(
        RAW + "gnss_seapath",
        device_class="ins",
        make="Kongsberg",
        model="Seapath 330",
        label="gnss_seapath",
        file_format="NMEA 0183",
        navigation_rank=1,
    ),
    RuleText(
        RAW + "gnss_furuno",
        device_class="gnss",
        make="Furuno",
        model="GP-170",
        label="gnss_furuno",
        file_format="NMEA 0183",
        navigation_rank=2,
    ),
    RuleText(RAW + "gyro", device_class="gyro", make="Sperry", model="MK37", label="gyro", file_format="NMEA 0183"),
    RuleText(
        RAW + "singlebeam",
        device_class="singlebeam",
        make="Knudsen",
        model="3260",
        label="singlebeam",
        file_format="NMEA 0183",
    ),
    RuleText(
        RAW + "metstation",
        device_class="metstation",
        make="Vaisala",
        model="WXT536",
        label="metstation",
        file_format="text",
    ),
    RuleText(RAW + "tsg_bow", device_class="tsg", make="Sea-Bird", model="SBE 45", label="tsg_bow", file_format="text"),
    RuleText(RAW + "tsg_lab", device_class="tsg", make="Sea-Bird", model="SBE 21", label="tsg_lab", file_format="text"),
    RuleText(
        RAW + "pco2", device_class="pco2", make="General Oceanics", model="8050", label="pco2", file_format="text"
    ),
    RuleText(RAW + "winch", device_class="winch", make="Markey", model="DESH-5", label="winch", file_format="text"),
    RuleText("multibeam/raw", device_class="multibeam", make="Kongsberg", model="EM 122", label="multibeam"),
    RuleText("adcp/raw", device_class="adcp", make="Teledyne RDI", model="OS75", label="adcp"),
    RuleText("ctd/raw", device_class="ctd", make="Sea-Bird", model="SBE 911plus", label="ctd", file_format="seasoft"),
    RuleText("eventlog", device_class="eventlog", make="Leadline", label="eventlog", file_format="R2R CSV, JSON"),
    RuleText("docs", device_class="documents", label="docs", file_format="text"),
]


def deliver(plan: Plan) -> None:
    """A finished cruise delivers its distribution, which goes through the whole inventory to an approved record."""
    if not plan.finished or plan.cruise.approved_at:
        return
    people, cruise = plan.people, plan.cruise
    profiles.save(vessel=cruise.vessel, rules=RULES, by=people["manager"], note="made with the operator")
    if not plan.folder.is_dir():
        _make(plan)
    back = plan.voyage.ends + dt.timedelta(days=6)
    with as_of(back):
        receipt = intake.receive(cruise=cruise, root=plan.folder, by=people["operator"])
    with as_of(back + dt.timedelta(hours=1)):
        for door in ("inventory.verify", "inventory.classify", "inventory.navigate"):
            jobs.perform(door, str(receipt.distribution.pk))
    plan.say(f"  {receipt.distribution.counts()['all']['files']} files received, read and classified")
    cruise.refresh_from_db()
    with as_of(back + dt.timedelta(days=2)):
        _review(plan)


def _make(plan: Plan) -> None:
    """Writes the files and their manifest; two things are wrong on purpose, as on most disks."""
    making = plan.folder.with_name(plan.folder.name + ".part")
    shutil.rmtree(making, ignore_errors=True)
    entries = []
    log = Log.objects.get(cruise=plan.cruise)
    copies = ((f"eventlog/{copy.name}", b"".join(logbook.bytes_of(copy))) for copy in log.final_copies.all())
    for path, content in (*feeds.files(plan.voyage, plan.cruise.cruise_id), *copies):
        _write(making / path, content, plan.voyage.ends)
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        entries.append(Entry(path, len(content), None, {"md5": digest}, 0))
    (making / "ctd/raw" / f"{plan.cruise.cruise_id}_017.xmlcon").unlink()
    _write(
        making / "docs/operator_report.txt",
        b"Operator report\n\nRevised after the manifest was made.\n",
        plan.voyage.ends,
    )
    manifest = b"".join(manifests.write_md5deep(sorted(entries)))
    (making / f"{plan.cruise.cruise_id}.md5").write_bytes(manifest)
    plan.folder.parent.mkdir(parents=True, exist_ok=True)
    making.rename(plan.folder)


def _write(path: Path, content: bytes, changed: dt.datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (changed.timestamp(), changed.timestamp()))


def _review(plan: Plan) -> None:
    """Invitation, a flag and its answer, a hold, remarks, and both signatures."""
    people, cruise = plan.people, plan.cruise
    current = cruise.reviews.current().first() or review.open_review(cruise=cruise, by=people["manager"])
    if current.state != "open":
        return
    distribution = current.distribution
    if not distribution.flags.exists():
        flag = review.flag(
            distribution=distribution,
            kind="missing",
            path=f"ctd/raw/{cruise.cruise_id}_017.xmlcon",
            comment="The configuration of cast 017 is on my laptop; I can send it.",
            by=people["chief"],
        )
        review.answer_flag(flag=flag, answer="Thank you. Please send it with the next shipment.", by=people["manager"])
    for section in ("orders", "track", "datasets"):
        if not current.remarks.filter(section=section).exists():
            review.remark(review=current, section=section, verdict="right", text="", by=people["chief"])
    adcp = Dataset.objects.get(cruise=cruise, device_class="adcp")
    if not adcp.holds.exists():
        until = min(holds.latest_end(cruise), cruise.arrive_date + dt.timedelta(days=365))
        reason = "Part of a doctoral thesis that will be handed in next year."
        holds.assert_hold(dataset=adcp, until=until, reason=reason, by=people["chief"])
    review.approve(review=current, role=Role.OPERATOR, by=people["operator"], note="Complete as far as we know.")
    review.approve(review=current, role=Role.CHIEF_SCIENTIST, by=people["chief"])
