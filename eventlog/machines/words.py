"""What the words of an event mean for an operation: which instrument, of which class, and which step. Pure.

The R2R actions, their case variants, and the past tenses that Sealog's templates on R/V Falkor (too) use.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from eventlog.machines.kinds import MACHINES, Machine, Step

# Spellings of an action, as `key` writes them.
SPELLINGS = {
    "deploy": "deployed deployment deploying launch launched inwater intowater inthewater deploytowed startdeploy "
    "success release-in",
    "maxDepth": "maxdepth atdepth atmaxdepth maximumdepth maxtension maxwire bottom",
    "recover": "recovered recovery recovering ondeck backondeck outofwater retrieve retrieved stoprecover "
    "surfacedandrecovered",
    "abort": "aborted failed fail cancelled canceled",
    "start": "started begin begins began startlogging startedlogging loggingstarted datastart on",
    "stop": "stopped end ends ended stoplogging stoppedlogging loggingstopped off finish finished",
    "startSample": "samplestart startsampling",
    "stopSample": "samplestop endsample stopsampling",
    "release": "released",
    "onBottom": "atbottom arrivedbottom arrivedatbottom",
    "offBottom": "leavebottom leftbottom leavingbottom",
    "startLine": "sol linestart startofline beginline starttransect transectstart startsurvey surveystarted",
    "endLine": "eol lineend endofline stopline endtransect transectend endsurvey surveystopped",
    "arriveStation": "onstation arrivedstation arrivestn arrivedonstation arriveatstation",
    "leaveStation": "offstation leftstation departstation departedstation leavestn",
    "startCruise": "cruisestart startofcruise begincruise",
    "endCruise": "cruiseend endofcruise stopcruise",
}
# Where a machine does not know the first, it may know the second.
ALSO = {"onBottom": "maxDepth", "maxDepth": "onBottom"}
# Steps that make an operation of their own kind, whatever instrument they are said of.
OWN_KIND = {
    "startLine": "line",
    "endLine": "line",
    "arriveStation": "station",
    "leaveStation": "station",
    "startCruise": "cruise",
    "endCruise": "cruise",
}
# What an instrument is, by words in its name; the first that fits.
CLASSES = [
    ("ship", r"^(ship|vessel|cruise)$"),
    ("instant", r"\b(xbt|xctd|xsv|expendable)\b"),
    ("net", r"bongo|trawl|mocness|multinet|multi-net|plankton|neuston|manta|tucker|\bnets?\b|\brmt\b|\bwp-?2\b"),
    ("ctd", r"\bctd|rosette"),
    ("core", r"\b(multi|box|gravity|piston|mega|mono)?-?(core|corer|coring)\b|\bgrab\b|dredge"),
    ("dive", r"\b(rov|auv|hov)\b|^(alvin|jason|sentry|subastian)\b|submersible|\bdive\b"),
    ("float", r"\b(float|drifter|argo)s?\b"),
    ("mooring", r"mooring|\blander\b"),
    ("tow", r"\btow(ed)?\b|sting ?ray|\bvpr\b|\bmvp\b|sledge?|\beims\b"),
]
# Device classes of sailing orders that are no kinds themselves.
KIND_OF_CLASS = {"xbt": "instant", "rov": "dive", "auv": "dive", "hov": "dive", "corer": "core", "grab": "core"}
_CLASSES = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in CLASSES]
_PAST = {"deployed", "recovered", "started", "stopped", "launched", "aborted", "released"}
_MOST = 120


@dataclass(frozen=True, slots=True)
class Reading:
    """What an event says: whose operation (`subject`), of which kind, and which step of it, if any."""

    subject: str
    kind: str
    step: Step | None

    @property
    def machine(self) -> Machine:
        """The machine of the kind."""
        return MACHINES[self.kind]


def key(word: str) -> str:
    """A word as it is compared: without case, blanks and signs."""
    return "".join(c for c in unicodedata.normalize("NFKC", word).casefold() if c.isalnum())


_CANON = {key(name): name for name in SPELLINGS} | {
    key(word): name for name, spellings in SPELLINGS.items() for word in spellings.split()
}


def class_of(instrument: str, device_class: str = "") -> str:
    """The kind of operation of an instrument ("ship" for the ship itself); by its device class, else by its name."""
    named = device_class.strip().casefold()
    named = KIND_OF_CLASS.get(named, named)
    if named in MACHINES or named == "ship":
        return named
    return next((kind for kind, pattern in _CLASSES if pattern.search(instrument)), "run")


def read(instrument: str, action: str, device_class: str = "") -> Reading:
    """What an event with this instrument and action says. A name within the action ("USBL spar deployed") is a subject.

    Several parts, as "CTD stopped logging;CTD on deck", say what the one says that ends most.
    """
    kind = class_of(instrument, device_class)
    usual = "run" if kind == "ship" else kind
    own = {key(word) for word in re.split(r"[\s_/-]+", instrument)} | {key(instrument)}
    readings = [_part(instrument, part, usual, own) for part in action[:_MOST].split(";")]
    steps = [reading for reading in readings if reading.step is not None]
    if not steps:
        return Reading(instrument, usual, None)
    mine = [reading for reading in steps if reading.subject == instrument] or steps
    return max(mine, key=_weight)


def _weight(reading: Reading) -> tuple[bool, bool, bool]:
    step = reading.step
    assert step is not None
    return step.closes and not step.opens, step.opens, not step.soft and step.action != "stop"


def _part(instrument: str, part: str, kind: str, own: set[str]) -> Reading:
    words = part.split()
    rest = [word for word in words if key(word) not in own]
    for text in ("".join(words), "".join(rest)):
        found = _known(instrument, kind, _CANON.get(key(text), ""))
        if found:
            return found
    if len(rest) > 1 and key(rest[-1]) in _PAST:
        subject = " ".join(rest[:-1])[:_MOST]
        named = class_of(subject)
        found = _known(subject, "run" if named == "ship" else named, _CANON[key(rest[-1])])
        if found:
            return found
    return Reading(instrument, kind, None)


def _known(subject: str, kind: str, action: str) -> Reading | None:
    if own := OWN_KIND.get(action):
        return Reading(subject, own, MACHINES[own].step(action))
    machine = MACHINES[kind]
    step = machine.step(action) or machine.step(ALSO.get(action, ""))
    return Reading(subject, kind, step) if step else None
