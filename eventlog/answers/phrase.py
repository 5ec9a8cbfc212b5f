"""A question in plain words, read into a filter: "ctd casts depth > 1000 within 20 km of L6". Pure.

Only what can be read in one way is read; the words that are left are looked for in the text of the events, and the
page says what was understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from eventlog.answers.wanted import moment

LONGEST = 300
NUMBER = r"(\d{1,5}(?:\.\d{1,3})?)"
UNITS = {"nm": 1.852, "nmi": 1.852, "mile": 1.852, "miles": 1.852, "m": 0.001, "km": 1.0}
# What people call an action in a question, and how instruments' actions begin.
PLAIN_ACTIONS = {
    "deployment": "deploy",
    "deployments": "deploy",
    "deployed": "deploy",
    "recovery": "recover",
    "recoveries": "recover",
    "recovered": "recover",
    "aborted": "abort",
    "starts": "start",
    "stops": "stop",
}
FILLING = frozenset(
    """
    a all an and any at by cast casts event events every find for from in is log of on or please show that the there
    tow tows was were what when where which with
    """.split()  # noqa: SIM905 - a list of forty words is read more easily so
)
SPAN_WORDS = {"minute": "min", "minutes": "min", "min": "min", "mins": "min", "m": "min", "hour": "h", "hours": "h"}
SPAN_WORDS |= {"h": "h", "hr": "h", "hrs": "h", "day": "d", "days": "d", "d": "d", "week": "w", "weeks": "w"}
SPAN_WORDS |= {"second": "s", "seconds": "s", "s": "s"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that a log uses. People are given only to those who may read names."""

    instruments: Iterable[str] = ()
    actions: Iterable[str] = ()
    stations: Iterable[str] = ()
    people: Iterable[str] = ()


@dataclass(slots=True)
class Understood:
    """The parameters of a filter that a question said, and how each part of it was read."""

    params: dict[str, list[str]] = field(default_factory=dict)
    parts: list[tuple[str, str]] = field(default_factory=list)

    def take(self, name: str, value: str, words: str) -> str:
        """Notes that these words say this; a thing that is said already is left where it stands."""
        known = self.params.setdefault(name, [])
        if known and name not in ("instrument", "action", "station", "cast"):
            return words
        if value not in known:
            known.append(value)
        self.parts.append((" ".join(words.split()), f"{name} {value}"))
        return " "


def understand(question: str, vocabulary: Vocabulary) -> Understood:
    """The filter that a question says, as parameters for `Wanted.parse`; the rest of the words become `q`."""
    found = Understood()
    text = " ".join(question[:LONGEST].replace("\0", " ").split())
    for pattern, read in _PATTERNS:
        text = re.sub(pattern, partial(read, found), text, flags=re.IGNORECASE)
    text = _named(found, text, vocabulary)
    # The name of a station that follows "near" is written as the log writes it.
    if near := found.params.get("near"):
        near[0] = _folded(vocabulary.stations).get(near[0].casefold(), near[0])
    rest = [word for word in text.split() if word.casefold().strip(",.;?!") not in FILLING]
    rest = [tidy for word in rest if (tidy := word.strip(",.;?!"))]
    if rest:
        found.params["q"] = [" ".join(rest)]
        found.parts.append((" ".join(rest), "words in the text"))
    return found


def _folded(names: Iterable[str]) -> Mapping[str, str]:
    return {name.casefold(): name for name in names}


def _named(found: Understood, text: str, vocabulary: Vocabulary) -> str:
    """Takes the log's own words out of the text, longest first, so that "Bongo net" is not "Bongo"."""
    kinds = (
        ("person", vocabulary.people),
        ("instrument", vocabulary.instruments),
        ("station", [s for s in vocabulary.stations if not s.isdigit()]),
        ("action", vocabulary.actions),
    )
    for kind, names in kinds:
        known = _folded(names)
        for name in sorted((n for n in known if len(n) > 1 and n not in FILLING), key=len, reverse=True):
            text = _taken(found, text, rf"{re.escape(name)}(?:s|'s)?", kind, known[name])
    actions = _folded(vocabulary.actions)
    for plain, action in PLAIN_ACTIONS.items():
        if action in actions:
            text = _taken(found, text, plain, "action", actions[action])
    return text


def _taken(found: Understood, text: str, pattern: str, name: str, value: str) -> str:
    """The text without the whole words that the pattern matches; each says that `name` is `value`."""

    def take(match: re.Match[str]) -> str:
        return found.take(name, value, match[0])

    return re.sub(rf"(?<!\w){pattern}(?!\w)", take, text, flags=re.IGNORECASE)


def _near(found: Understood, match: re.Match[str]) -> str:
    km = float(match["far"]) * UNITS[match["unit"].lower()]
    if found.params.get("near"):
        return match[0]
    found.params["near"], found.params["within"] = [_place(match["place"])], [f"{km:.6g}"]
    found.parts.append((" ".join(match[0].split()), f"within {km:.6g} km of {_place(match['place'])}"))
    return " "


def _place(text: str) -> str:
    return re.sub(r"\s*[,;]\s*", ",", text.strip().strip("\"“”'"))


def _between(found: Understood, match: re.Match[str]) -> str:
    low, high = sorted((float(match[1]), float(match[2])))
    found.take("depth_min", f"{low:g}", match[0])
    return found.take("depth_max", f"{high:g}", match[0])


def _time(name: str) -> Callable[[Understood, re.Match[str]], str]:
    def read(found: Understood, match: re.Match[str]) -> str:
        try:
            moment(match["at"])
        except ValueError:
            return match[0]
        return found.take(name, match["at"].strip().replace(" ", "T"), match[0])

    return read


def _day(found: Understood, match: re.Match[str]) -> str:
    try:
        moment(match["at"])
    except ValueError:
        return match[0]
    found.take("after", match["at"], match[0])
    return found.take("before", match["at"], match[0])


def _last(found: Understood, match: re.Match[str]) -> str:
    return found.take("last", f"{match[1] or '1'}{SPAN_WORDS[match[2].lower()]}", match[0])


def _value(name: str) -> Callable[[Understood, re.Match[str]], str]:
    def read(found: Understood, match: re.Match[str]) -> str:
        value = _place(match[1])
        return match[0] if value.casefold() in FILLING else found.take(name, value, match[0])

    return read


def _fixed(name: str, value: str) -> Callable[[Understood, re.Match[str]], str]:
    return lambda found, match: found.take(name, value, match[0])


SPAN = "|".join(sorted(SPAN_WORDS, key=len, reverse=True))
METRES = r"\s*(?:m|metres|meters)?(?!\w)"
DEPTH = r"(?:in\s+)?(?:(?:water\s+)?depths?|seafloor)\s*"
AT = r"(?P<at>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?Z?)?)(?:\s*UTC)?(?![\d:])"
PLACE = r"(?P<place>-?\d{1,2}(?:\.\d+)?\s*,\s*-?\d{1,3}(?:\.\d+)?|\"[^\"]+\"|“[^”]+”|[\w.+/-]+)"
_PATTERNS: tuple[tuple[str, Callable[[Understood, re.Match[str]], str]], ...] = (
    (rf"(?<!\w)within\s+{NUMBER.replace('(', '(?P<far>', 1)}\s*(?P<unit>km|nmi?|miles?|m)\s+(?:of|from|around)\s+"
     rf"(?:station\s+)?{PLACE}", _near),
    (rf"(?<!\w){DEPTH}(?:is\s+)?(?:between|from)\s+{NUMBER}(?:\s*m)?\s*(?:and|to|-)\s*{NUMBER}{METRES}", _between),
    (rf"(?<!\w)(?:{DEPTH}(?:is\s+)?(?:>=?|over|above|more than|greater than|deeper than)|deeper than|below)\s*"
     rf"{NUMBER}{METRES}", lambda found, match: found.take("depth_min", match[1], match[0])),
    (rf"(?<!\w)(?:{DEPTH}(?:is\s+)?(?:<=?|under|less than|shallower than)|shallower than)\s*{NUMBER}{METRES}",
     lambda found, match: found.take("depth_max", match[1], match[0])),
    (rf"(?<!\w)(?:in\s+)?(?:the\s+)?(?:last|past)\s+(?:(\d{{1,5}})\s*)?({SPAN})(?!\w)", _last),
    (rf"(?<!\w)(?:after|since|from)\s+{AT}", _time("after")),
    (rf"(?<!\w)(?:before|until|till|to)\s+{AT}", _time("before")),
    (r"(?<!\w)on\s+(?P<at>\d{4}-\d\d-\d\d)(?![T\d:])", _day),
    (r"(?<!\w)(?:at\s+)?stations?\s+(\"[^\"]+\"|“[^”]+”|[\w.+/-]+)", _value("station")),
    (r"(?<!\w)(?:of\s+)?casts?\s+(\w*\d[\w-]*)", _value("cast")),
    (r"(?<!\w)(?:with no|without(?: a)?|no)\s+positions?(?!\w)", _fixed("position", "none")),
    (r"(?<!\w)with(?: a)?\s+typed\s+positions?(?!\w)", _fixed("position", "typed")),
    (r"(?<!\w)(?:that (?:are|were) )?struck(?!\w)", _fixed("struck", "only")),
)  # fmt: skip
