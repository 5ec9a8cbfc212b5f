"""The words that every log accepts, with their aliases. Pure.

Actions are those of the R2R event logger; instruments are the classes that sailing orders name. Identifiers are of the
SeaDataNet device categories (L05, http://vocab.nerc.ac.uk/collection/L05/current/), given only where they are certain.
"""

from __future__ import annotations

import uuid as uuids
from dataclasses import dataclass

_L05 = "http://vocab.nerc.ac.uk/collection/L05/current/"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A word: "instrument" or "action", its name, what it means, other spellings, and its published identifier."""

    kind: str
    name: str
    meaning: str
    aliases: tuple[str, ...] = ()
    uri: str = ""

    @property
    def uuid(self) -> uuids.UUID:
        """The same on every ship and ashore."""
        return uuids.uuid5(uuids.NAMESPACE_URL, f"urn:leadline:term:{self.kind}:{self.name}")


def _actions(*rows: tuple[str, str, str]) -> list[Accepted]:
    return [
        Accepted("action", name, meaning, tuple(aliases.split(", ")) if aliases else ())
        for name, meaning, aliases in rows
    ]


ACCEPTED = (
    *_actions(
        ("deploy", "goes into the water, or is launched", "deployed, launch, launched, in water"),
        ("maxDepth", "is at its greatest depth", "at depth, max depth, at max depth"),
        ("maxTension", "the wire bears its greatest load", "max tension"),
        ("recover", "comes on deck", "recovered, recovery, on deck"),
        ("abort", "is given up", "aborted, cancelled"),
        ("start", "begins to run or to record", "started, begin, on"),
        ("stop", "no longer runs or records", "stopped, end, off"),
        ("startSample", "begins to sample", "start sample"),
        ("stopSample", "no longer samples", "stop sample, end sample"),
        ("release", "is released from its anchor", "released"),
        ("onBottom", "reaches the bottom", "at bottom, on bottom"),
        ("offBottom", "leaves the bottom", "off bottom, leave bottom"),
        ("startLine", "a line or transect begins", "start line, SOL, start of line, start transect"),
        ("endLine", "a line or transect ends", "end line, EOL, end of line, end transect"),
        ("arriveStation", "the ship is on station", "on station, arrived station"),
        ("leaveStation", "the ship leaves the station", "off station, depart station"),
        ("startCruise", "the cruise begins", "start cruise, start of cruise"),
        ("endCruise", "the cruise ends", "end cruise, end of cruise"),
        ("service", "is cleaned, repaired or adjusted", "serviced, maintenance"),
        ("sample", "a sample is taken", "sampled"),
        ("other", "something else; the comment says what", ""),
    ),
    Accepted("instrument", "Ship", "the ship itself", ("vessel",)),
    Accepted("instrument", "CTD", "conductivity, temperature and depth, lowered", ("CTD rosette",), _L05 + "130/"),
    Accepted("instrument", "XBT", "expendable bathythermograph", (), _L05 + "132/"),
    Accepted("instrument", "Thermosalinograph", "of the underway water", ("TSG",), _L05 + "133/"),
    Accepted("instrument", "ADCP", "acoustic Doppler current profiler", (), _L05 + "115/"),
    Accepted("instrument", "Water bottles", "discrete water samples", ("Niskin", "rosette"), _L05 + "30/"),
    Accepted("instrument", "Multibeam", "multibeam echosounder", ("MBES", "multibeam echosounder")),
    Accepted("instrument", "Echosounder", "single-beam or split-beam echosounder", ("echo sounder",)),
    Accepted("instrument", "Bongo net", "paired plankton net", ("bongo",)),
    Accepted("instrument", "Mooring", "moored instruments", ()),
    Accepted("instrument", "Underway water", "the ship's clean seawater supply", ("underway seawater",)),
)
