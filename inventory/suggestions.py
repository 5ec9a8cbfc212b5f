"""Rules proposed for files that no rule matches: by the words of names and directories, and by known extensions. Pure.

The words are those of R2R's directory template, SYSTEM/{docs,raw,proc}/DEVICETYPE[_MAKE][MODEL][_LOCATION]…, and of the
trees that real ships deliver.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MOST = 12


@dataclass(frozen=True, slots=True)
class Group:
    """Unmatched files alike: of one directory and one extension (with its dot, as written), with one name of them."""

    directory: str
    extension: str
    files: int
    example: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule, as the fields of inventory.profiles.RuleText that say something; how many files it would catch; why."""

    rule: dict[str, object]
    files: int
    why: str

    @property
    def text(self) -> str:
        """The rule as JSON."""
        return json.dumps(self.rule, ensure_ascii=False)


# extension, lower case -> device class, vendor, format
EXTENSIONS: Final = {
    ".hex": ("ctd", "Sea-Bird", "seasoft hex"),
    ".hdr": ("ctd", "Sea-Bird", "seasoft header"),
    ".xmlcon": ("ctd", "Sea-Bird", "seasoft configuration"),
    ".con": ("ctd", "Sea-Bird", "seasoft configuration"),
    ".bl": ("ctd", "Sea-Bird", "seasoft bottle file"),
    ".cnv": ("ctd", "Sea-Bird", "seasoft converted"),
    ".btl": ("ctd", "Sea-Bird", "seasoft bottle summary"),
    ".all": ("multibeam", "Kongsberg", "Kongsberg .all"),
    ".kmall": ("multibeam", "Kongsberg", "Kongsberg .kmall"),
    ".kmwcd": ("multibeam", "Kongsberg", "Kongsberg .kmwcd"),
    ".wcd": ("multibeam", "Kongsberg", "Kongsberg .wcd"),
    ".s7k": ("multibeam", "Reson", "Reson .s7k"),
    ".raw": ("splitbeam", "Simrad", "Simrad .raw"),
    ".enr": ("adcp", "Teledyne RDI", "VmDas raw"),
    ".enx": ("adcp", "Teledyne RDI", "VmDas single ping"),
    ".ens": ("adcp", "Teledyne RDI", "VmDas ensembles"),
    ".lta": ("adcp", "Teledyne RDI", "VmDas long average"),
    ".sta": ("adcp", "Teledyne RDI", "VmDas short average"),
    ".n1r": ("adcp", "Teledyne RDI", "VmDas navigation"),
    ".vmo": ("adcp", "Teledyne RDI", "VmDas options"),
    ".edf": ("expendable", "Lockheed Martin Sippican", "Sippican EDF"),
    ".rdf": ("expendable", "Lockheed Martin Sippican", "Sippican RDF"),
    ".keb": ("subbottom", "Knudsen", "Knudsen KEB"),
    ".kea": ("subbottom", "Knudsen", "Knudsen KEA"),
    ".sgy": ("subbottom", "", "SEG-Y"),
    ".segy": ("subbottom", "", "SEG-Y"),
}
MEDIA: Final = {".jpg", ".jpeg", ".png", ".heic", ".nef", ".cr2", ".mov", ".mp4", ".m4v", ".avi", ".wav", ".mp3"}
TEMPORARY: Final = {".tmp", ".temp", ".swp", ".lock", ".crdownload", ".part"}

# words of directories and names -> device class
WORDS: Final = {
    "adcp": "adcp", "os38": "adcp", "os75": "adcp", "os150": "adcp", "wh300": "adcp", "uhdas": "adcp", "nb150": "adcp",
    "ctd": "ctd", "sbe": "ctd", "xbt": "expendable", "xctd": "expendable", "expendable": "expendable",
    "multibeam": "multibeam", "mbes": "multibeam", "em122": "multibeam", "em124": "multibeam", "em302": "multibeam",
    "em304": "multibeam", "em710": "multibeam", "em712": "multibeam", "em2040": "multibeam", "mbdp": "multibeam",
    "singlebeam": "singlebeam", "knud": "singlebeam", "knudsen": "singlebeam", "ea600": "singlebeam",
    "splitbeam": "splitbeam", "ek60": "splitbeam", "ek80": "splitbeam", "dualbeam": "dualbeam",
    "subbottom": "subbottom", "chirp": "subbottom", "sbp": "subbottom", "topas": "subbottom",
    "gps": "gnss", "gnss": "gnss", "furuno": "gnss", "pcod": "gnss", "trimble": "gnss",
    "ins": "ins", "posmv": "ins", "seapath": "ins", "seap": "ins", "s330": "ins", "phins": "ins", "mru": "ins",
    "imu": "ins", "vru": "ins", "hydrins": "ins", "gyro": "gyro", "gyr1": "gyro",
    "met": "metstation", "metstation": "metstation", "mwx1": "metstation", "anemometer": "metstation",
    "wind": "metstation", "tsg": "tsg", "thermosalinograph": "tsg", "pco2": "pco2", "ssv": "ssv", "svp": "ssv",
    "fluorometer": "fluorometer", "flr": "fluorometer", "transmissometer": "transmissometer",
    "gravimeter": "gravimeter", "grav": "gravimeter", "gravity": "gravimeter", "grv1": "gravimeter",
    "magnetometer": "magnetometer", "mag": "magnetometer", "radiometer": "radiometer", "rad": "radiometer",
    "speedlog": "speedlog", "doppler": "speedlog", "winch": "winch", "timeserver": "timeserver", "ntp": "timeserver",
    "waveradar": "waveradar", "wamos": "waveradar", "eventlog": "eventlog", "eventlogs": "eventlog", "elog": "eventlog",
    "openrvdas": "underway", "scs": "underway", "lds": "underway", "docs": "documents", "documents": "documents",
    "reports": "documents",
}  # fmt: skip
GENERAL: Final = {"underway", "documents"}  # whole systems: a word deeper in the path, or an extension, says more


def suggest(groups: Iterable[Group]) -> list[Suggestion]:
    """Rules for unmatched files, those that catch most first; at most MOST. Same rules of several groups are one."""
    found: dict[str, Suggestion] = {}
    for group in groups:
        made = _of(group)
        if made is not None:
            key = repr(sorted(made.rule.items()))
            files = made.files + (found[key].files if key in found else 0)
            found[key] = Suggestion(made.rule, files, made.why)
    return sorted(found.values(), key=lambda s: -s.files)[:MOST]


def _of(group: Group) -> Suggestion | None:
    extension = group.extension.lower()
    parts = group.directory.split("/") if group.directory else []
    where = _literal(group.directory)
    if parts and parts[0].lower() in ("science", "scienceparty", "science_party"):
        rule = {"directory": f"{_literal(parts[0])}/**", "name": "*", "exclude": True, "reason": "science"}
        return Suggestion(rule, group.files, "directory of the science party")
    if extension in TEMPORARY or group.example.lower() in ("thumbs.db", ".ds_store", "desktop.ini"):
        name = f"*{_literal(group.extension)}" if extension in TEMPORARY else _literal(group.example)
        rule = {"directory": "**", "name": name, "exclude": True, "reason": "temporary"}
        return Suggestion(rule, group.files, "temporary files")
    if extension in MEDIA:
        rule = {"directory": "**", "name": f"*{_literal(group.extension)}", "exclude": True, "reason": "media"}
        return Suggestion(rule, group.files, "photographs, film and sound")
    token = re.match(r"[a-z0-9]+(?=[_-])", group.example.lower())
    if token and (device := WORDS.get(token[0])) and device not in GENERAL:
        rule = {"directory": where, "name": f"{_literal(group.example[: token.end()])}[_-]*", "device_class": device}
        return Suggestion(rule | {"label": token[0]}, group.files, f"names begin with {token[0]}")
    general = None
    for depth in range(len(parts), 0, -1):
        device = next((WORDS[word] for word in _words(parts[depth - 1]) if word in WORDS), "")
        if device:
            above = _literal("/".join(parts[:depth]))
            rule = {"directory": f"{above}/**", "name": "*", "device_class": device, "label": parts[depth - 1][:60]}
            made = Suggestion(rule, group.files, f"directory {parts[depth - 1]}")
            if device not in GENERAL:
                return made
            general = general or made
    if extension in EXTENSIONS:
        device, make, file_format = EXTENSIONS[extension]
        rule = {"directory": where, "name": f"*{_literal(group.extension)}", "device_class": device}
        rule |= {"make": make, "file_format": file_format}
        return Suggestion(
            {k: v for k, v in rule.items() if v or k == "directory"}, group.files, f"extension {extension}"
        )
    return general


def _words(part: str) -> list[str]:
    whole = part.lower()
    return [whole, *re.split(r"[^a-z0-9]+", whole)]


def _literal(text: str) -> str:
    """A glob that fits this text alone."""
    return re.sub(r"([*?\[])", r"[\1]", text)
