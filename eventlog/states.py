"""The life of an event log, and who may do what with it. Pure."""

from __future__ import annotations

from portal.lifecycle import OFFICE, Role, Table, step

LOGGERS = {Role.SCIENCE_STAFF, Role.CHIEF_SCIENTIST, Role.OPERATOR, *OFFICE}

LOG = Table(
    "event log",
    {
        "not opened": "the ship has not left, or the log is kept elsewhere",
        "open": "events are being recorded",
        "closed": "the final copy is made; corrections are labelled as late",
    },
    [
        step("eventlog.open", "not opened", "open", {Role.OPERATOR, *OFFICE}),
        step("eventlog.close", "open", "closed", {Role.OPERATOR, *OFFICE}),
    ],
)

# Verbs about single events. Correcting a closed log is for those who answer for it.
RIGHTS = {
    "eventlog.read": LOGGERS | {Role.QC_EXPERT},
    "eventlog.record": LOGGERS,
    "eventlog.revise": LOGGERS,
    "eventlog.correct": {Role.CHIEF_SCIENTIST, Role.OPERATOR, *OFFICE},
    # The buttons, and which words are accepted.
    "eventlog.arrange": {Role.CHIEF_SCIENTIST, Role.OPERATOR, *OFFICE},
    "eventlog.import": {Role.CHIEF_SCIENTIST, Role.OPERATOR, *OFFICE},
    # The final copy of a ship's log, taken ashore; and the pack that a ship sails with.
    "eventlog.take": {Role.OPERATOR, *OFFICE},
    "eventlog.pack": {Role.OPERATOR, *OFFICE},
    # Navigation: who adds and ranks feeds, and who may send fixes by API.
    "feed.set": {Role.CHIEF_SCIENTIST, Role.OPERATOR, *OFFICE},
    "navigation.send": LOGGERS,
}
