"""The lives of distributions, data sets, reviews, deposits and recoveries, and who may do what with them. Pure."""

from __future__ import annotations

from portal.lifecycle import OFFICE, Role, Table, step

DISTRIBUTION = Table(
    "distribution",
    {
        "received": "its files are listed; they are being read and compared",
        "announced": "its manifest came ahead of the disk",
        "verified": "every file was read and compared with the manifest",
        "classified": "a profile has sorted its files into data sets",
        "superseded": "a later shipment took its place",
    },
    [
        step("distribution.arrive", "announced", "received", {Role.OPERATOR, *OFFICE}),
        step("distribution.verify", "received", "verified", OFFICE),
        step("distribution.classify", ("verified", "classified"), "classified", OFFICE),
        step("distribution.supersede", ("received", "verified", "classified"), "superseded", OFFICE),
        step("distribution.reread", ("verified", "classified"), "received", OFFICE),
    ],
)

# md5deep's words for what became of a file, and three of ours for those that are not compared yet or cannot be.
FILE_STATES = {
    "expected": "in the manifest that came ahead of the disk",
    "listed": "in the manifest and on the disk, not read yet",
    "found": "on the disk and not in the manifest, not read yet",
    "matched": "as delivered",
    "changed": "here under its name, with another content",
    "moved": "here under another name",
    "missing": "in the manifest, not on the disk",
    "new": "on the disk, not in the manifest",
    "unreadable": "on the disk, and could not be read",
}

DATASET = Table(
    "data set",
    {
        "draft": "classified, under review",
        "approved": "part of an approved cruise record",
        "released": "cleared of holds, with an identifier, on its way to an archive",
        "retired": "a later classification left it without files",
    },
    [
        step("dataset.approve", "draft", "approved"),
        step("dataset.reopen", "approved", "draft", OFFICE),
        step("dataset.release", "approved", "released"),
        step("dataset.retire", ("draft", "approved"), "retired"),
        step("dataset.revive", "retired", "draft"),
    ],
)

REVIEW = Table(
    "review",
    {
        "open": "operator and chief scientist look at the record",
        "returned": "something has to be put right first",
        "approved": "both have approved the record",
        "superseded": "a later round took its place",
    },
    [
        step("review.approve", "open", "open", {Role.OPERATOR, Role.CHIEF_SCIENTIST}),
        step("review.complete", "open", "approved"),
        step("review.return", "open", "returned", {Role.OPERATOR, Role.CHIEF_SCIENTIST}),
        step("review.supersede", ("open", "returned", "approved"), "superseded", OFFICE),
    ],
)

DEPOSIT = Table(
    "deposit",
    {
        "storing": "files are being copied into deep storage",
        "stored": "every file that could be read was copied and compared",
        "damaged": "a check found copies that are gone or not what they were",
    },
    [
        step("deposit.store", "storing", "stored", OFFICE),
        step("deposit.migrate", "storing", "stored", OFFICE),
        step("deposit.check", ("stored", "damaged"), "stored", OFFICE),
        step("deposit.damage", ("stored", "damaged"), "damaged"),
        step("deposit.repair", ("stored", "damaged"), "stored", OFFICE),
    ],
)

RECOVERY = Table(
    "recovery",
    {
        "requested": "somebody asks for files from deep storage",
        "granted": "the office agreed; the files are being brought",
        "refused": "the office did not agree, and said why",
        "ready": "the files are there with their lists",
        "expired": "the files were there for thirty days and were cleared away",
    },
    [
        step("recovery.grant", "requested", "granted", OFFICE),
        step("recovery.refuse", "requested", "refused", OFFICE),
        step("recovery.deliver", "granted", "ready", OFFICE),
        step("recovery.expire", "ready", "expired"),
    ],
)

RECEIVERS = {Role.OPERATOR, *OFFICE}
ARRIVAL = Table(
    "arrival",
    {
        "arriving": "files may still come; it is looked at until nothing changes and nothing listed is missing",
        "complete": "all is here, or somebody said so; the worker receives it",
        "offered": "complete, but its cruise has another delivery; a person says whether it is the next shipment",
        "received": "it is a shipment of its cruise",
        "changed": "it is not what was received any more; a person says whether it is the next shipment",
        "refused": "it was not taken in; the reason says what to do",
        "left out": "somebody said that it is not to be received",
        "gone": "it is not there any more",
    },
    [
        step("arrival.complete", "arriving", "complete"),
        step("arrival.offer", "arriving", "offered"),
        step("arrival.accept", "complete", "received"),
        step("arrival.refuse", ("arriving", "complete"), "refused"),
        step("arrival.change", "received", "changed"),
        step("arrival.resume", ("refused", "gone"), "arriving"),
        step("arrival.come_back", "gone", "received"),
        step("arrival.vanish", ("arriving", "offered", "received", "changed", "refused", "left out"), "gone"),
        step("arrival.receive_now", ("arriving", "offered", "changed", "refused", "left out"), "complete", RECEIVERS),
        step("arrival.leave_out", ("arriving", "offered", "changed", "refused"), "left out", RECEIVERS),
        step("arrival.look_again", ("arriving", "offered", "refused", "left out", "gone"), "arriving", RECEIVERS),
    ],
)

RIGHTS = {
    "recovery.request": {Role.OPERATOR, Role.CHIEF_SCIENTIST, *OFFICE},
    "distribution.receive": {Role.OPERATOR, *OFFICE},
    "profile.edit": OFFICE,
    "file.flag": {Role.OPERATOR, Role.CHIEF_SCIENTIST, *OFFICE},
    "file.answer_flag": OFFICE,
    "dataset.hold": {Role.CHIEF_SCIENTIST},
    "dataset.lift_hold": {Role.CHIEF_SCIENTIST, *OFFICE},
    "navigation.make": OFFICE,
    "coverage.make": OFFICE,
    "area.load": OFFICE,
    "area.remove": OFFICE,
    "review.open": OFFICE,
    "review.see": {Role.OPERATOR, Role.CHIEF_SCIENTIST, *OFFICE},
    "review.remark": {Role.OPERATOR, Role.CHIEF_SCIENTIST, *OFFICE},
}

# Kinds of devices that the field's vocabulary knows (R2R device types), as rules may name them.
DEVICE_CLASSES = {
    "adcp": "acoustic Doppler current profiler",
    "ctd": "CTD",
    "dualbeam": "dual-beam echosounder",
    "eventlog": "event log",
    "expendable": "expendable probe",
    "fluorometer": "fluorometer",
    "gnss": "GNSS receiver",
    "gravimeter": "gravimeter",
    "gyro": "gyrocompass",
    "ins": "inertial navigation system",
    "magnetometer": "magnetometer",
    "metstation": "meteorological station",
    "multibeam": "multibeam echosounder",
    "pco2": "pCO2 system",
    "radiometer": "radiometer",
    "singlebeam": "single-beam echosounder",
    "speedlog": "speed log",
    "splitbeam": "split-beam echosounder",
    "ssv": "surface sound velocity probe",
    "subbottom": "sub-bottom profiler",
    "thermometer": "sea surface thermometer",
    "timeserver": "time server",
    "transmissometer": "transmissometer",
    "tsg": "thermosalinograph",
    "underway": "underway data system",
    "waveradar": "wave radar",
    "winch": "winch",
    "documents": "documents",
}
# What is measured nowhere and at no time: the files of these classes are not read for period and track.
UNTIMED = frozenset({"eventlog", "documents"})
# Why a rule keeps files out of all data sets.
EXCLUSIONS = {
    "science": "files of the science party",
    "personal": "personal data",
    "media": "photographs, film and sound",
    "temporary": "temporary files and caches",
    "other": "another reason",
}
# Where the ship was is never anybody's own: these classes cannot be held.
NEVER_HELD = frozenset({"gnss", "ins", "gyro", "speedlog", "eventlog", "documents"})
HOLD_YEARS = 2
